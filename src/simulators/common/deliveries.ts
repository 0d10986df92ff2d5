import { setTimeout as sleep } from 'node:timers/promises';

const DELIVERIES_KEPT = 2000;

/** One post to one receiver, with all its attempts. */
export interface Delivery {
  readonly id: string;
  /** The companies or accounts whose events are in it. */
  readonly owners: readonly string[];
  /** Status codes, or what went wrong, of each attempt. */
  readonly attempts: (number | string)[];
  status: 'pending' | 'delivered' | 'failed';
}

/** Posts once and tells the status or what went wrong; undefined when there is nowhere to post to any more. */
export type Attempt = (stop: AbortSignal) => Promise<number | string | undefined>;

interface UnderWay<D> {
  readonly delivery: D;
  readonly done: Promise<void>;
  readonly stop: AbortController;
}

/** Posts, repeats what was not accepted, and keeps a record. */
export class Deliveries<D extends Delivery> {
  private kept: D[] = [];
  private readonly underWay = new Set<UnderWay<D>>();

  /** `retryMs`: the waits before repeated attempts. */
  start(delivery: D, retryMs: readonly number[], attempt: Attempt): void {
    this.kept.push(delivery);
    if (this.kept.length > DELIVERIES_KEPT) this.kept = this.kept.slice(-DELIVERIES_KEPT / 2);
    const stop = new AbortController();
    const done = deliver(delivery, retryMs, attempt, stop.signal).finally(() => this.underWay.delete(entry));
    const entry: UnderWay<D> = { delivery, done, stop };
    this.underWay.add(entry);
  }

  list(owner: string | undefined): readonly D[] {
    return this.kept.filter((delivery) => concerns(delivery, owner));
  }

  countUnderWay(owner: string | undefined): number {
    return this.of(owner).length;
  }

  async finished(owner: string | undefined): Promise<void> {
    await Promise.all(this.of(owner).map(({ done }) => done));
  }

  /** Ends what is under way, and forgets everything. With an owner: what is about that owner alone. */
  async forget(owner: string | undefined): Promise<void> {
    const isForgotten = ({ owners }: Delivery) => owner === undefined || owners.every((each) => each === owner);
    const ended = [...this.underWay].filter(({ delivery }) => isForgotten(delivery));
    for (const { stop } of ended) stop.abort();
    this.kept = this.kept.filter((delivery) => !isForgotten(delivery));
    await Promise.all(ended.map(({ done }) => done));
  }

  private of(owner: string | undefined): UnderWay<D>[] {
    return [...this.underWay].filter(({ delivery }) => concerns(delivery, owner));
  }
}

async function deliver(delivery: Delivery, retryMs: readonly number[], attempt: Attempt, stop: AbortSignal) {
  for (const wait of [0, ...retryMs]) {
    if (wait > 0) await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) break;
    const result = await attempt(stop);
    if (result === undefined) break;
    delivery.attempts.push(result);
    if (typeof result === 'number' && result >= 200 && result < 300) {
      delivery.status = 'delivered';
      return;
    }
  }
  delivery.status = 'failed';
}

function concerns({ owners }: Delivery, owner: string | undefined): boolean {
  return owner === undefined || owners.includes(owner);
}
