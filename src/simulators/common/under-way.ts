/** The idempotency keys of calls that have arrived and are not answered yet. */
export class CallsUnderWay {
  private readonly counts = new Map<string, number>();

  /** Runs the call and tells it whether another one with its key was under way when it arrived. */
  async during<T>(owner: string, key: string | null, call: (overlapping: boolean) => Promise<T>): Promise<T> {
    if (key === null) return call(false);
    const name = `${owner}/${key}`;
    const others = this.counts.get(name) ?? 0;
    this.counts.set(name, others + 1);
    try {
      return await call(others > 0);
    } finally {
      const left = (this.counts.get(name) ?? 1) - 1;
      if (left === 0) this.counts.delete(name);
      else this.counts.set(name, left);
    }
  }
}
