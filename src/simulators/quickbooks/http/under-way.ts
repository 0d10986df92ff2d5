/** The request ids of calls that have arrived and are not answered yet. */
export class CallsUnderWay {
  private readonly counts = new Map<string, number>();

  /** Runs the call and tells it whether another one with its request id was under way when it arrived. */
  async during<T>(realmId: string, requestId: string | null, call: (overlapping: boolean) => Promise<T>): Promise<T> {
    if (requestId === null) return call(false);
    const key = `${realmId}/${requestId}`;
    const others = this.counts.get(key) ?? 0;
    this.counts.set(key, others + 1);
    try {
      return await call(others > 0);
    } finally {
      const left = (this.counts.get(key) ?? 1) - 1;
      if (left === 0) this.counts.delete(key);
      else this.counts.set(key, left);
    }
  }
}
