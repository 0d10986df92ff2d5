/** A request and the only answer to it that counts. */
export interface ExpectedExchange {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly answer: string;
}

/** As many requests as the server answers, over so many connections. */
export interface ThroughputOrder {
  readonly kind: 'throughput';
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly exchanges: readonly ExpectedExchange[];
}

/** One request after the other. */
export interface LatencyOrder {
  readonly kind: 'latency';
  readonly url: string;
  readonly times: number;
  readonly exchanges: readonly ExpectedExchange[];
}

/** Signed Intuit events, no two alike: as many as are taken, or so many a second whether they are taken or not. */
export interface WebhookOrder {
  readonly kind: 'webhooks';
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly eventsPerSecond?: number;
  readonly verifierToken: string;
}

export type WorkOrder = ThroughputOrder | LatencyOrder | WebhookOrder;

export interface LoadReport {
  readonly requestsPerSecond: number;
  /** Of each request, where they were timed. */
  readonly latenciesMs: readonly number[];
  /** Of events that were answered with 200. */
  readonly acknowledgedIds: readonly string[];
}
