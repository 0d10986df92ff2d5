import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../domain/clock.js';

/** Quartz clocks drift by milliseconds in this time; what is compared with them lasts seconds. */
const MEASURE_EVERY_MS = 15_000;

/** Half of the round trip is the error of a measurement: a slower one would make the clock worse, not better. */
const MAX_ROUND_TRIP_MS = 500;

/** At the start there is nothing better than the best of a few. */
const FIRST_MEASUREMENTS = 3;

/** Asks the database for its time, in milliseconds since 1970. */
export type AskForTime = () => Promise<number>;

interface Measurement {
  /** The database's time when `performance.now()` was zero. */
  readonly originMs: number;
  readonly roundTripMs: number;
}

/**
 * Tells the time of the database, whatever the machine's clock says. Leases and windows are written by one process and
 * compared by another, so they must come from one clock. Between measurements a monotonic clock goes on.
 */
export class DatabaseClock implements Clock {
  readonly #ask: AskForTime;
  readonly #stopping = new AbortController();
  #originMs: number;

  private constructor(ask: AskForTime, originMs: number) {
    this.#ask = ask;
    this.#originMs = originMs;
  }

  static async start(ask: AskForTime): Promise<DatabaseClock> {
    let best = await measure(ask);
    for (let measurement = 2; measurement <= FIRST_MEASUREMENTS; measurement++) {
      const next = await measure(ask);
      if (next.roundTripMs < best.roundTripMs) best = next;
    }
    const clock = new DatabaseClock(ask, best.originMs);
    void clock.#keepMeasuring();
    return clock;
  }

  now(): Date {
    return new Date(this.#originMs + performance.now());
  }

  /** Follows the database once more, if it answers quickly. */
  async measure(): Promise<void> {
    const { originMs, roundTripMs } = await measure(this.#ask);
    if (roundTripMs <= MAX_ROUND_TRIP_MS) this.#originMs = originMs;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #keepMeasuring(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await delay(MEASURE_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      // A database that cannot be asked now is asked again; until then the last measurement holds.
      if (!signal.aborted) await this.measure().catch(() => undefined);
    }
  }
}

async function measure(ask: AskForTime): Promise<Measurement> {
  const askedAt = performance.now();
  const databaseMs = await ask();
  const answeredAt = performance.now();
  return { originMs: databaseMs - (askedAt + answeredAt) / 2, roundTripMs: answeredAt - askedAt };
}
