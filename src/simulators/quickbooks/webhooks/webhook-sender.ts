import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Change } from '../books/work.js';
import type { SimulatorClock } from '../clock.js';
import { cloudEvents, eventOf, legacyNotification, type WebhookEvent } from './payloads.js';
import { post, webhookHeaders } from './post.js';

const MAX_EVENTS_PER_POST = 100;
const DELIVERIES_KEPT = 2000;

/** What can be changed about deliveries while the simulator runs. */
export const webhookSwitchesSchema = z.strictObject({
  url: z.url().optional(),
  verifierToken: z.string().min(1).optional(),
  /** Events collect and nothing is sent. */
  paused: z.boolean().optional(),
  /** Every delivery is sent twice. */
  duplicate: z.boolean().optional(),
  /** Events of one delivery arrive in reverse order. */
  reorder: z.boolean().optional(),
  /** How long events collect before they are sent. */
  delayMs: z.int().min(0).optional(),
  format: z.enum(['cloudevents', 'legacy']).optional(),
  /** Loses this many of the next events. */
  drop: z.int().min(0).optional(),
  /** The waits before repeated attempts: the provider's schedule of seconds to hours, compressed. */
  retryMs: z.array(z.int().min(0)).optional(),
});
type Switches = z.output<typeof webhookSwitchesSchema>;

interface Behaviour {
  readonly paused: boolean;
  readonly duplicate: boolean;
  readonly reorder: boolean;
  readonly delayMs: number;
  readonly format: 'cloudevents' | 'legacy';
  readonly drop: number;
  readonly retryMs: readonly number[];
}

const defaults: Behaviour = {
  paused: false,
  duplicate: false,
  reorder: false,
  delayMs: 50,
  format: 'cloudevents',
  drop: 0,
  retryMs: [100, 200, 500, 1000, 2000, 5000],
};

export interface Delivery {
  readonly id: string;
  readonly at: string;
  readonly body: string;
  /** Status codes, or what went wrong, of each attempt. */
  readonly attempts: (number | string)[];
  status: 'pending' | 'delivered' | 'failed';
}

/** Collects changes and posts them, signed, to the app's endpoint. */
export class WebhookSender {
  private switches: Behaviour = defaults;
  private queue: WebhookEvent[] = [];
  private deliveries: Delivery[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private stop = new AbortController();
  private closed = false;

  constructor(
    private readonly clock: SimulatorClock,
    private target: { url: string | undefined; verifierToken: string },
  ) {}

  get settings(): object {
    return { ...this.target, ...this.switches, queued: this.queue.length, underWay: this.underWay.size };
  }

  get verifierToken(): string {
    return this.target.verifierToken;
  }

  configure(changes: Switches): void {
    const { url, verifierToken, ...switches } = changes;
    this.target = { url: url ?? this.target.url, verifierToken: verifierToken ?? this.target.verifierToken };
    const given = Object.fromEntries(Object.entries(switches).filter(([, value]) => value !== undefined));
    this.switches = { ...this.switches, ...given };
    // A new delay also counts for what is already waiting.
    clearTimeout(this.timer);
    this.timer = undefined;
    this.schedule();
  }

  publish(changes: readonly Change[]): void {
    if (this.target.url === undefined || this.closed) return;
    const kept = changes.slice(this.switches.drop);
    this.switches = { ...this.switches, drop: this.switches.drop - (changes.length - kept.length) };
    this.queue.push(...kept.map(eventOf));
    this.schedule();
  }

  /** Sends what is queued at once and waits for every delivery, repeated attempts included. */
  async flush(): Promise<void> {
    do {
      this.sendQueued();
      await Promise.all(this.underWay);
    } while (!this.switches.paused && this.queue.length > 0);
  }

  list(): readonly Delivery[] {
    return this.deliveries;
  }

  /** Forgets queue, deliveries and switches; the endpoint stays. */
  reset(): void {
    this.cancel();
    this.stop = new AbortController();
    this.deliveries = [];
    this.switches = defaults;
  }

  /** Ends every pending delivery and timer. */
  async close(): Promise<void> {
    this.closed = true;
    this.cancel();
    await Promise.all(this.underWay);
  }

  private cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.queue = [];
    this.stop.abort();
  }

  private schedule(): void {
    if (this.switches.paused || this.queue.length === 0 || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.sendQueued(), this.switches.delayMs);
  }

  private sendQueued(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.switches.paused) return;
    while (this.queue.length > 0) {
      const events = this.queue.splice(0, MAX_EVENTS_PER_POST);
      const copies = this.switches.duplicate ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) this.start(this.switches.reorder ? events.toReversed() : events);
    }
  }

  private start(events: readonly WebhookEvent[]): void {
    const content = this.switches.format === 'legacy' ? legacyNotification(events) : cloudEvents(events);
    const at = new Date(this.clock.now()).toISOString();
    const delivery: Delivery = { id: randomUUID(), at, body: JSON.stringify(content), attempts: [], status: 'pending' };
    this.deliveries.push(delivery);
    if (this.deliveries.length > DELIVERIES_KEPT) this.deliveries = this.deliveries.slice(-DELIVERIES_KEPT / 2);
    const work = this.deliver(delivery, this.stop.signal).finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  private async deliver(delivery: Delivery, stop: AbortSignal): Promise<void> {
    for (const wait of [0, ...this.switches.retryMs]) {
      if (wait > 0) await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted || this.target.url === undefined) break;
      const headers = webhookHeaders(delivery.body, this.target.verifierToken, delivery.id, this.clock.now());
      const result = await post(new URL(this.target.url), headers, delivery.body, stop);
      delivery.attempts.push(result);
      if (typeof result === 'number' && result >= 200 && result < 300) {
        delivery.status = 'delivered';
        return;
      }
    }
    delivery.status = 'failed';
  }
}
