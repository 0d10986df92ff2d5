import { setImmediate } from 'node:timers/promises';

/** Other requests wait no longer than this for a document that is being set. */
const SLICE_MS = 15;

/** Divides long work, so that others get their turn. */
export class Pacer {
  #since = performance.now();

  /** To be awaited between small steps; returns at once unless it is the others' turn. */
  async step(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
