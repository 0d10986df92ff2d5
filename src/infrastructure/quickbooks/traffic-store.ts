import type { CallEffect } from './faults.js';
import type { Pause } from './token-store.js';

/** Which of Intuit's limits a call counts for. */
export type Bucket = 'CALL' | 'BATCH';

/** How long a pause lasts when it is the first, second, … since the last success. The last one holds for all further. */
export type PauseSteps = readonly [number, number, number, number];

/** Successful calls. */
export interface CallCount {
  readonly connectionId: string;
  readonly reads: number;
  readonly writes: number;
}

/** What all processes share to keep the traffic with each company within its limits. */
export interface TrafficStore {
  /**
   * Takes the next free place in time, and says how many milliseconds it is away. Undefined: that would be more than
   * `maxWaitMs`, and nothing was taken.
   */
  takePlace(connectionId: string, buckets: readonly Bucket[], maxWaitMs: number): Promise<number | undefined>;
  /** Begins a pause, unless one has begun already, and returns the one that holds now. */
  pause(connectionId: string, effect: CallEffect, stepsMs: PauseSteps): Promise<Pause>;
  /** The pause as it is now: one may have begun after the connection was loaded. */
  loadPause(connectionId: string, effect: CallEffect): Promise<Pause>;
  /** A call succeeded that knew of `count` pauses: they are over and forgotten, unless another has begun. */
  forgetPauses(connectionId: string, effect: CallEffect, count: number): Promise<void>;
  /** Adds to the counts of the present month. */
  addUsage(counts: readonly CallCount[]): Promise<void>;
}
