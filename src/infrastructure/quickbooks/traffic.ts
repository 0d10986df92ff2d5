import { setTimeout as delay } from 'node:timers/promises';
import type { Deadline } from '../../application/deadline.js';
import type { ProviderFailure } from '../../application/ports/provider.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import type { CallEffect, FailedCall } from './faults.js';
import type { QboAnswer, QboCall } from './http-client.js';
import type { Pause, StoredConnection } from './token-store.js';
import type { Bucket, PauseSteps, TrafficStore } from './traffic-store.js';
import { UsageMeter } from './usage-meter.js';

export interface TrafficOptions {
  readonly store: TrafficStore;
  readonly clock: Clock;
  readonly waits: Waits;
  /** What went wrong beside a call whose outcome must not suffer from it. */
  readonly onTrouble: (error: unknown) => void;
}

const WHAT = { read: 'Reads', write: 'Writes' } as const;

/** The first pause that is a long one. */
const QUOTA_PAUSES = 3;

const QUOTA_USED_UP =
  'They were refused again and again: as a rule the monthly read quota of the Intuit plan is used up, which lasts until the first of the next month or until the plan is raised.';

/** Lets a company's calls through one after the other, and stands still when QuickBooks asks for it. */
export class Traffic {
  readonly meter: UsageMeter;
  readonly #options: TrafficOptions;

  constructor(options: TrafficOptions) {
    this.#options = options;
    const { store, waits, onTrouble } = options;
    this.meter = new UsageMeter({ store, onTrouble, flushMs: waits.usageFlushMs });
  }

  /**
   * Waits for a place. Undefined: go ahead; otherwise why nothing may be sent. Throws when the database cannot be asked:
   * without it nobody knows what the other processes send.
   */
  async admit(
    connection: StoredConnection,
    { effect, isBatch }: QboCall,
    deadline: Deadline,
  ): Promise<FailedCall | undefined> {
    const { store, waits } = this.#options;
    const known = connection.pauses[effect];
    if (known.remainingMs > 0) return this.#paused(effect, known);
    if (deadline.hasPassed) return tooLate();
    const maxWaitMs = Math.min(waits.throttleWaitMs, deadline.remainingMs);
    const place = await this.#reachPlace(connection.id, isBatch ? ['CALL', 'BATCH'] : ['CALL'], maxWaitMs);
    if (place === 'too_far') {
      return this.#notBefore(maxWaitMs, 'More calls are waiting for this company than QuickBooks takes.');
    }
    if (place === 'waited_for') {
      // A call that went before may have been answered with 429: those behind it must not go and be refused, too.
      const pause = await store.loadPause(connection.id, effect);
      if (pause.remainingMs > 0) return this.#paused(effect, pause);
    }
    return deadline.hasPassed ? tooLate() : undefined;
  }

  /**
   * Waits until the place has come. A process that stood still meanwhile would send everything that waited in it at
   * once: who comes late takes a second place, and then goes, because a busy machine must not keep calls forever.
   */
  async #reachPlace(
    connectionId: string,
    buckets: readonly Bucket[],
    maxWaitMs: number,
  ): Promise<'free' | 'waited_for' | 'too_far'> {
    const { store, waits } = this.#options;
    const waitMs = await store.takePlace(connectionId, buckets, maxWaitMs);
    if (waitMs === undefined) return 'too_far';
    // Places are kept in whole milliseconds, so less than one is rounding.
    if (waitMs < 1) return 'free';
    if ((await lateAfter(waitMs)) < waits.callSpacingMs) return 'waited_for';
    const secondWaitMs = await store.takePlace(connectionId, buckets, maxWaitMs);
    if (secondWaitMs === undefined) return 'too_far';
    await delay(secondWaitMs);
    return 'waited_for';
  }

  /** Learns from an answer, and adds to it until when a company is paused. */
  async learn(connection: StoredConnection, call: QboCall, answer: QboAnswer): Promise<QboAnswer> {
    try {
      if (answer.kind === 'answered') await this.#succeeded(connection, call);
      if (answer.kind === 'failed' && answer.cause === 'throttled') return await this.#pause(connection, call, answer);
    } catch (error) {
      // QuickBooks has answered: that stays true even if nothing can be remembered of it.
      this.#options.onTrouble(error);
    }
    return answer;
  }

  async #succeeded({ id, pauses }: StoredConnection, { effect }: QboCall): Promise<void> {
    this.meter.count(id, effect);
    const { count } = pauses[effect];
    if (count > 0) await this.#options.store.forgetPauses(id, effect, count);
  }

  async #pause({ id }: StoredConnection, { effect }: QboCall, answer: FailedCall): Promise<FailedCall> {
    const pause = await this.#options.store.pause(id, effect, this.#pauseSteps(answer.retryAfterMs));
    const { message, trace } = answer.failure;
    return { ...answer, failure: this.#pausedFailure(effect, pause, { message, trace }) };
  }

  /**
   * A burst is over after one pause or two. Who is refused after that has used up a quota, which lasts: Intuit blocks
   * the reads of a month, and answers as it does to a burst.
   */
  #pauseSteps(toldMs: number | undefined): PauseSteps {
    const { pauseMs, longPauseMs, longestPauseMs } = this.#options.waits;
    const told = Math.min(toldMs ?? pauseMs, longestPauseMs);
    return [told, told, Math.max(told, longPauseMs), longestPauseMs];
  }

  #paused(effect: CallEffect, pause: Pause): FailedCall {
    const answer = { message: 'QuickBooks asked to be left alone.', trace: {} };
    return { kind: 'failed', failure: this.#pausedFailure(effect, pause, answer), cause: 'withheld' };
  }

  #pausedFailure(effect: CallEffect, pause: Pause, { message, trace }: Pick<ProviderFailure, 'message' | 'trace'>) {
    const retryAt = this.#in(pause.remainingMs);
    const sentences = [message, `${WHAT[effect]} of this company are paused until ${retryAt.toISOString()}.`];
    if (effect === 'read' && pause.count >= QUOTA_PAUSES) sentences.push(QUOTA_USED_UP);
    return { kind: 'unavailable', message: sentences.join(' '), trace, retryAt, isPaused: true } as const;
  }

  #notBefore(milliseconds: number, message: string): FailedCall {
    const failure = { kind: 'unavailable', message, trace: {}, retryAt: this.#in(milliseconds) } as const;
    return { kind: 'failed', failure, cause: 'withheld' };
  }

  #in(milliseconds: number): Date {
    return new Date(this.#options.clock.now().getTime() + milliseconds);
  }
}

/** Sleeps, and says by how many milliseconds it was too long. */
async function lateAfter(milliseconds: number): Promise<number> {
  const startedAt = performance.now();
  await delay(milliseconds);
  return performance.now() - startedAt - milliseconds;
}

export function tooLate(): FailedCall {
  const message = 'The time for this request was over before QuickBooks could answer.';
  return { kind: 'failed', failure: { kind: 'unavailable', message, trace: {} }, cause: 'withheld' };
}
