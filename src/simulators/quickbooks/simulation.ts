import type { Company } from './books/model.js';
import type { Change } from './books/work.js';
import type { SimulatorClock } from './clock.js';
import type { FaultInjection } from './http/fault-injection.js';
import type { RequestLog } from './http/request-log.js';
import type { OAuthServer } from './oauth/oauth-server.js';
import type { WebhookSender } from './webhooks/webhook-sender.js';

/** Everything that one running simulator holds. */
export interface Simulation {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clock: SimulatorClock;
  readonly companies: Map<string, Company>;
  readonly oauth: OAuthServer;
  readonly requests: RequestLog;
  readonly faults: FaultInjection;
  readonly webhooks: WebhookSender;
  /** Called after every commit, with what it changed: queues webhooks and saves the books. */
  published(changes: readonly Change[]): void;
  /** Called when something else changed that a restart should find again. */
  changed(): void;
}
