import type { CallEffect } from '../../../src/infrastructure/quickbooks/faults.js';
import type { Pause } from '../../../src/infrastructure/quickbooks/token-store.js';
import type { CallCount, PauseSteps, TrafficStore } from '../../../src/infrastructure/quickbooks/traffic-store.js';

/** Has room for every call, and remembers what it was told. */
export class FreeTraffic implements TrafficStore {
  readonly told: unknown[] = [];

  async takePlace(): Promise<number | undefined> {
    return 0;
  }

  async pause(connectionId: string, effect: CallEffect, [first]: PauseSteps) {
    this.told.push({ pause: connectionId, effect });
    return { remainingMs: first, count: 1 };
  }

  async loadPause(_connectionId: string, _effect: CallEffect): Promise<Pause> {
    return { remainingMs: 0, count: 0 };
  }

  async forgetPauses(connectionId: string, effect: string, count: number) {
    this.told.push({ forgetPauses: connectionId, effect, count });
  }

  async addUsage(counts: readonly CallCount[]) {
    this.told.push(...counts);
  }
}
