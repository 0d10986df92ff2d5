import type { FailedCall } from './faults.js';
import type { QboAnswer } from './http-client.js';

/** A server that failed so often in a row, repetitions not counted, is down rather than unlucky. */
const FAILURES_UNTIL_OPEN = 5;

/** How long a call that tries takes as a rule. */
const TRIAL_MS = 1_000;

export interface BreakerOptions {
  readonly openMs: number;
  readonly now: () => Date;
  readonly onChange: (isOpen: boolean) => void;
}

/**
 * Gives a company that keeps failing a rest, after which one call tries whether it is back. Only what QuickBooks answers,
 * or fails to answer, counts: a call that was withheld says nothing about it. Libraries take every call for one or the other.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  /** Undefined: closed. */
  #rest: { readonly until: number; readonly retryAt: Date } | undefined;
  #isTrying = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  async run(call: () => Promise<QboAnswer>): Promise<QboAnswer> {
    if (!this.#rest) {
      const answer = await call();
      this.#learn(answer, false);
      return answer;
    }
    // The others would wait for the one that tries without minding their deadlines.
    if (this.#isTrying || performance.now() < this.#rest.until) return resting(this.#retryAt(this.#rest.retryAt));
    this.#isTrying = true;
    try {
      const answer = await call();
      this.#learn(answer, true);
      return answer;
    } finally {
      this.#isTrying = false;
    }
  }

  /** Not at once, when the rest is over and one call is still trying. */
  #retryAt(endOfRest: Date): Date {
    return new Date(Math.max(endOfRest.getTime(), this.#options.now().getTime() + TRIAL_MS));
  }

  #learn(answer: QboAnswer, isTrial: boolean): void {
    // `unauthorised` comes here only for an access token that Intuit has just issued.
    const cause = answer.kind === 'failed' ? answer.cause : answer.kind;
    if (cause === 'withheld') return;
    if (cause === 'not_sent' || cause === 'lost' || cause === 'server_error' || cause === 'unauthorised') {
      this.#failures += 1;
      if (isTrial || (!this.#rest && this.#failures >= FAILURES_UNTIL_OPEN)) this.#open();
    } else {
      this.#failures = 0;
      if (isTrial) this.#close();
    }
  }

  #open(): void {
    const { openMs, now, onChange } = this.#options;
    this.#rest = { until: performance.now() + openMs, retryAt: new Date(now().getTime() + openMs) };
    onChange(true);
  }

  #close(): void {
    this.#rest = undefined;
    this.#options.onChange(false);
  }
}

function resting(retryAt: Date): FailedCall {
  const message = 'QuickBooks has failed several times in a row and is given a rest.';
  return { kind: 'failed', failure: { kind: 'unavailable', message, trace: {}, retryAt }, cause: 'withheld' };
}
