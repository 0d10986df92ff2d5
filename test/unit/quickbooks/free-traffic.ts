import type { CallCount, TrafficStore } from '../../../src/infrastructure/quickbooks/traffic-store.js';

/** Has room for every call, and remembers what it was told. */
export class FreeTraffic implements TrafficStore {
  readonly told: unknown[] = [];

  async takePlace(): Promise<number | undefined> {
    return 0;
  }

  async pause(connectionId: string, effect: string, [first]: readonly number[]) {
    this.told.push({ pause: connectionId, effect });
    return first;
  }

  async forgetPauses(connectionId: string, effect: string, count: number) {
    this.told.push({ forgetPauses: connectionId, effect, count });
  }

  async addUsage(counts: readonly CallCount[]) {
    this.told.push(...counts);
  }
}
