import type { CallEffect } from './faults.js';
import type { CallCount, TrafficStore } from './traffic-store.js';

export interface UsageMeterOptions {
  readonly store: Pick<TrafficStore, 'addUsage'>;
  readonly flushMs: number;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Counts the calls that Intuit counts. They are written together a moment later, so that metering costs no statement per
 * call; a process that is killed loses that moment's counts, one that stops does not.
 */
export class UsageMeter {
  readonly #options: UsageMeterOptions;
  #counts = new Map<string, CallCount>();
  #timer: NodeJS.Timeout | undefined;
  #flushing = Promise.resolve();

  constructor(options: UsageMeterOptions) {
    this.#options = options;
  }

  count(connectionId: string, effect: CallEffect): void {
    this.#add({ connectionId, reads: effect === 'read' ? 1 : 0, writes: effect === 'write' ? 1 : 0 });
    this.#timer ??= setTimeout(() => this.flush(), this.#options.flushMs).unref();
  }

  /** Writes what was counted. What cannot be written is kept for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const counts = [...this.#counts.values()];
    if (counts.length === 0) return;
    this.#counts = new Map();
    try {
      await this.#options.store.addUsage(counts);
    } catch (error) {
      for (const count of counts) this.#add(count);
      this.#options.onTrouble(error);
    }
  }

  #add({ connectionId, reads, writes }: CallCount): void {
    const known = this.#counts.get(connectionId) ?? { reads: 0, writes: 0 };
    this.#counts.set(connectionId, { connectionId, reads: known.reads + reads, writes: known.writes + writes });
  }
}
