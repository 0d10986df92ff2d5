import { ExponentialBackoff, handleWhenResult, type RetryPolicy, retry } from 'cockatiel';
import type { Deadline } from '../../application/deadline.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import { Breaker } from './breaker.js';
import type { CallEffect, FailureCause } from './faults.js';
import type { QboAnswer } from './http-client.js';

/** A third failure of the same call within seconds is no accident any more. */
const MAX_REPETITIONS = 2;

export interface ResilienceOptions {
  readonly clock: Clock;
  readonly waits: Waits;
  readonly onBreaker: (state: { readonly connectionId: string; readonly isOpen: boolean }) => void;
}

/** Repeats calls where that is safe, and gives a company that keeps failing a rest. */
export class Resilience {
  readonly #options: ResilienceOptions;
  readonly #retries: Readonly<Record<CallEffect, RetryPolicy>>;
  /** By connection; each process has its own. */
  readonly #breakers = new Map<string, Breaker>();

  constructor(options: ResilienceOptions) {
    this.#options = options;
    const { retryDelayMs, retryDelayMaxMs } = options.waits;
    const repeating = (...causes: FailureCause[]) =>
      retry(failedBecauseOf(causes), {
        maxAttempts: MAX_REPETITIONS,
        // It jitters, so that callers who failed together do not come back together.
        backoff: new ExponentialBackoff({ initialDelay: retryDelayMs, maxDelay: retryDelayMaxMs }),
      });
    // Whether a write whose answer is lost was carried out, only its use case can find out.
    this.#retries = { read: repeating('not_sent', 'lost', 'server_error'), write: repeating('not_sent') };
  }

  run(
    connectionId: string,
    effect: CallEffect,
    deadline: Deadline,
    attempt: () => Promise<QboAnswer>,
  ): Promise<QboAnswer> {
    return this.#breakerOf(connectionId).run(() => this.#repeat(effect, deadline, attempt));
  }

  /** A repetition that was withheld, or cut off at the deadline, does not take back the failure before it. */
  async #repeat(effect: CallEffect, deadline: Deadline, attempt: () => Promise<QboAnswer>): Promise<QboAnswer> {
    let cause: FailureCause | undefined;
    const answer = await this.#retries[effect].execute(async () => {
      const attempted = await attempt();
      if (causeOf(attempted) !== 'withheld') cause = causeOf(attempted);
      return attempted;
    }, deadline.signal);
    return answer.kind === 'failed' && cause !== undefined ? { ...answer, cause } : answer;
  }

  #breakerOf(connectionId: string): Breaker {
    const known = this.#breakers.get(connectionId);
    if (known) return known;
    const { clock, waits, onBreaker } = this.#options;
    const breaker = new Breaker({
      openMs: waits.breakerOpenMs,
      now: () => clock.now(),
      onChange: (isOpen) => onBreaker({ connectionId, isOpen }),
    });
    this.#breakers.set(connectionId, breaker);
    return breaker;
  }
}

function failedBecauseOf(causes: readonly FailureCause[]) {
  return handleWhenResult((result) => {
    const cause = causeOf(result as QboAnswer);
    return cause !== undefined && causes.includes(cause);
  });
}

function causeOf(answer: QboAnswer): FailureCause | undefined {
  return answer.kind === 'failed' ? answer.cause : undefined;
}
