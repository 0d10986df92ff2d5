/** The provider's limits for one app in one company. */
const LIMITS = [
  { name: 'limit-second', calls: 10, windowMs: 1000, batchesOnly: false },
  { name: 'limit-minute', calls: 500, windowMs: 60_000, batchesOnly: false },
  { name: 'limit-batch', calls: 40, windowMs: 60_000, batchesOnly: true },
] as const;
const LONGEST_WINDOW_MS = 60_000;

interface Counted {
  readonly at: number;
  readonly isBatch: boolean;
}

/** Counts the calls of each company in windows that slide with its clock. Refused calls are not counted. */
export class CallLimits {
  private readonly byRealm = new Map<string, Counted[]>();

  /** Names the limit that the call would break; without one the call is counted. */
  broken(realmId: string, call: Counted): string | undefined {
    const recent = (this.byRealm.get(realmId) ?? []).filter(({ at }) => call.at - at < LONGEST_WINDOW_MS);
    const limit = LIMITS.find(({ calls, windowMs, batchesOnly }) => {
      if (batchesOnly && !call.isBatch) return false;
      const counted = recent.filter(({ at, isBatch }) => call.at - at < windowMs && (isBatch || !batchesOnly));
      return counted.length >= calls;
    });
    this.byRealm.set(realmId, limit === undefined ? [...recent, call] : recent);
    return limit?.name;
  }

  forget(realmId: string | undefined): void {
    if (realmId === undefined) this.byRealm.clear();
    else this.byRealm.delete(realmId);
  }
}
