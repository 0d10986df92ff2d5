/**
 * When somebody stops waiting. Reads are given up then. A write that was begun never is, because that would make an
 * unknown outcome of a sure one; but none is begun any more.
 */
export class Deadline {
  /** Aborts at that moment. */
  readonly signal: AbortSignal;
  readonly #endsAt: number;

  private constructor(milliseconds: number) {
    this.signal = AbortSignal.timeout(milliseconds);
    this.#endsAt = performance.now() + milliseconds;
  }

  static after(milliseconds: number): Deadline {
    return new Deadline(milliseconds);
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  get hasPassed(): boolean {
    return this.remainingMs === 0;
  }

  /** What the work comes to; undefined when it takes too long. The work itself goes on. */
  async limit<T>(work: Promise<T>): Promise<T | undefined> {
    const { signal } = this;
    const passed = Promise.withResolvers<undefined>();
    const onAbort = () => passed.resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    try {
      return await Promise.race([work, passed.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
