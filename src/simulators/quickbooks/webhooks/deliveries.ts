import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatorClock } from '../clock.js';
import type { Behaviour } from './behaviour.js';
import { cloudEvents, legacyNotification, type WebhookEvent } from './payloads.js';
import { post, webhookHeaders } from './post.js';

const DELIVERIES_KEPT = 2000;

export interface Target {
  readonly url: string | undefined;
  readonly verifierToken: string;
}

export interface Delivery {
  readonly id: string;
  readonly at: string;
  readonly realmIds: readonly string[];
  readonly body: string;
  /** Status codes, or what went wrong, of each attempt. */
  readonly attempts: (number | string)[];
  status: 'pending' | 'delivered' | 'failed';
}

interface UnderWay {
  readonly delivery: Delivery;
  readonly done: Promise<void>;
  readonly stop: AbortController;
}

/** Posts, repeats what was not accepted, and keeps a record. */
export class Deliveries {
  private kept: Delivery[] = [];
  private readonly underWay = new Set<UnderWay>();

  constructor(
    private readonly clock: SimulatorClock,
    private readonly target: () => Target,
  ) {}

  start(events: readonly WebhookEvent[], { format, voidType, retryMs }: Behaviour): void {
    const content = format === 'legacy' ? legacyNotification(events) : cloudEvents(events, voidType);
    const delivery: Delivery = {
      id: randomUUID(),
      at: new Date(this.clock.now()).toISOString(),
      realmIds: [...new Set(events.map((event) => event.realmId))],
      body: JSON.stringify(content),
      attempts: [],
      status: 'pending',
    };
    this.kept.push(delivery);
    if (this.kept.length > DELIVERIES_KEPT) this.kept = this.kept.slice(-DELIVERIES_KEPT / 2);
    const stop = new AbortController();
    const done = this.deliver(delivery, retryMs, stop.signal).finally(() => this.underWay.delete(entry));
    const entry: UnderWay = { delivery, done, stop };
    this.underWay.add(entry);
  }

  private async deliver(delivery: Delivery, retryMs: readonly number[], stop: AbortSignal): Promise<void> {
    for (const wait of [0, ...retryMs]) {
      if (wait > 0) await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
      const { url, verifierToken } = this.target();
      if (stop.aborted || url === undefined) break;
      const headers = webhookHeaders(delivery.body, verifierToken, delivery.id, this.clock.now());
      const result = await post(new URL(url), headers, delivery.body, stop);
      delivery.attempts.push(result);
      if (typeof result === 'number' && result >= 200 && result < 300) {
        delivery.status = 'delivered';
        return;
      }
    }
    delivery.status = 'failed';
  }

  list(realmId: string | undefined): readonly Delivery[] {
    return this.kept.filter((delivery) => concerns(delivery, realmId));
  }

  countUnderWay(realmId: string | undefined): number {
    return this.of(realmId).length;
  }

  async finished(realmId: string | undefined): Promise<void> {
    await Promise.all(this.of(realmId).map(({ done }) => done));
  }

  /** Ends what is under way, and forgets everything. With a realm: what is about that company alone. */
  async forget(realmId: string | undefined): Promise<void> {
    const isForgotten = ({ realmIds }: Delivery) => realmId === undefined || realmIds.every((each) => each === realmId);
    const ended = [...this.underWay].filter(({ delivery }) => isForgotten(delivery));
    for (const { stop } of ended) stop.abort();
    this.kept = this.kept.filter((delivery) => !isForgotten(delivery));
    await Promise.all(ended.map(({ done }) => done));
  }

  private of(realmId: string | undefined): UnderWay[] {
    return [...this.underWay].filter(({ delivery }) => concerns(delivery, realmId));
  }
}

function concerns({ realmIds }: Delivery, realmId: string | undefined): boolean {
  return realmId === undefined || realmIds.includes(realmId);
}
