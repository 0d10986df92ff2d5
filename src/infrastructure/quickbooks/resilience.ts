import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhenResult,
  type RetryPolicy,
  retry,
} from 'cockatiel';
import type { Deadline } from '../../application/deadline.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import type { CallEffect, FailedCall, FailureCause } from './faults.js';
import type { QboAnswer } from './http-client.js';

/** A server that failed so often in a row, repetitions not counted, is down rather than unlucky. */
const FAILURES_UNTIL_OPEN = 5;

/** A third failure of the same call within seconds is no accident any more. */
const MAX_REPETITIONS = 2;

export interface ResilienceOptions {
  readonly clock: Clock;
  readonly waits: Waits;
  readonly onBreaker: (state: { readonly connectionId: string; readonly isOpen: boolean }) => void;
}

interface Breaker {
  readonly policy: CircuitBreakerPolicy;
  retryAt: Date;
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

  async run(
    connectionId: string,
    effect: CallEffect,
    deadline: Deadline,
    attempt: () => Promise<QboAnswer>,
  ): Promise<QboAnswer> {
    const breaker = this.#breakerOf(connectionId);
    // One call is trying whether the company is back. The others would wait for it without minding their deadlines.
    if (breaker.policy.state === CircuitState.HalfOpen) return resting(breaker);
    try {
      return await breaker.policy.execute(() => this.#retries[effect].execute(attempt, deadline.signal));
    } catch (error) {
      if (error instanceof BrokenCircuitError) return resting(breaker);
      throw error;
    }
  }

  #breakerOf(connectionId: string): Breaker {
    const known = this.#breakers.get(connectionId);
    if (known) return known;
    const { clock, waits, onBreaker } = this.#options;
    const policy = circuitBreaker(failedBecauseOf(['not_sent', 'lost', 'server_error']), {
      halfOpenAfter: waits.breakerOpenMs,
      breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
    });
    const breaker: Breaker = { policy, retryAt: clock.now() };
    policy.onBreak(() => {
      breaker.retryAt = new Date(clock.now().getTime() + waits.breakerOpenMs);
      onBreaker({ connectionId, isOpen: true });
    });
    policy.onReset(() => onBreaker({ connectionId, isOpen: false }));
    this.#breakers.set(connectionId, breaker);
    return breaker;
  }
}

function failedBecauseOf(causes: readonly FailureCause[]) {
  return handleWhenResult((result) => {
    const answer = result as QboAnswer;
    return answer.kind === 'failed' && answer.cause !== undefined && causes.includes(answer.cause);
  });
}

function resting({ retryAt }: Breaker): FailedCall {
  const message = 'QuickBooks has failed several times in a row and is given a rest.';
  return { kind: 'failed', failure: { kind: 'unavailable', message, trace: {}, retryAt } };
}
