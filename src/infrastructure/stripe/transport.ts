import { AsyncLocalStorage } from 'node:async_hooks';
import Stripe from 'stripe';
import type { Deadline } from '../../application/deadline.js';
import type { ProviderTrace } from '../../application/ports/provider.js';
import { isBeforeConnected, networkErrorOf } from '../network-error.js';

/** Whether a call may change something: decides what an answer that never came means. */
export type CallEffect = 'read' | 'write';

/** What became of one HTTP request. */
export type Attempt =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Headers }
  /** The connection never stood: certainly nothing was received. */
  | { readonly kind: 'not_sent'; readonly reason: string }
  /** The request, or a part of it, was sent and no answer came back. */
  | { readonly kind: 'lost'; readonly reason: string };

const calls = new AsyncLocalStorage<CallRecord>();

/**
 * The HTTP requests of one call. The SDK repeats a request that failed, under the same idempotency key, and tells only
 * what became of the last one; but when the first was lost and the last one refused, the first may have done it all.
 */
export class CallRecord {
  readonly effect: CallEffect;
  readonly deadline: Deadline;
  readonly #attempts: Attempt[] = [];
  readonly #startedAt = performance.now();

  constructor(effect: CallEffect, deadline: Deadline) {
    this.effect = effect;
    this.deadline = deadline;
  }

  /** Does the work, during which every request of the SDK is recorded here. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return calls.run(this, work);
  }

  add(attempt: Attempt): void {
    this.#attempts.push(attempt);
  }

  get last(): Attempt | undefined {
    return this.#attempts.at(-1);
  }

  /** Whether a request before the last one may have been carried out. */
  get mayHaveActedBefore(): boolean {
    return this.#attempts.slice(0, -1).some(isOpen);
  }

  get trace(): ProviderTrace {
    const { last } = this;
    if (last?.kind !== 'answered') return {};
    const requestId = last.headers.get('request-id');
    return {
      statusCode: last.status,
      ...(requestId !== null && { requestId: requestId.slice(0, MAX_REQUEST_ID_LENGTH) }),
    };
  }

  /** The other side said it is a simulator. */
  get isSimulated(): boolean {
    return this.last?.kind === 'answered' && this.last.headers.has('x-simulator');
  }

  /**
   * By Stripe's clock, a moment at which the answer was not made yet: the whole duration before the time, cut to seconds,
   * that the answer bears.
   */
  get asOf(): Date | undefined {
    const date = this.last?.kind === 'answered' ? Date.parse(this.last.headers.get('date') ?? '') : Number.NaN;
    return Number.isNaN(date) ? undefined : new Date(date - Math.ceil(performance.now() - this.#startedAt));
  }
}

const MAX_REQUEST_ID_LENGTH = 100;

function isOpen(attempt: Attempt): boolean {
  if (attempt.kind !== 'answered') return attempt.kind === 'lost';
  // 409: a request with the same key is at work.
  return attempt.status >= 500 || attempt.status === 409;
}

/**
 * The SDK's client on top of `fetch`: other than its Node client, its time-out counts for the whole request and not for
 * each silence, it does not repeat requests that it was told not to, and a request can be ended early.
 */
export function recordingHttpClient(): Stripe.HttpClient {
  return Stripe.createFetchHttpClient(recordedFetch);
}

async function recordedFetch(url: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> {
  const call = calls.getStore();
  if (!call) throw new Error('a request to Stripe outside of a call');
  if (call.deadline.hasPassed) {
    call.add({ kind: 'not_sent', reason: 'the deadline had passed' });
    throw new Error('the deadline had passed');
  }
  try {
    const response = await fetch(url, { ...init, ...signalOf(call, init), redirect: 'manual' });
    call.add({ kind: 'answered', status: response.status, headers: response.headers });
    return response;
  } catch (error) {
    call.add({ kind: isBeforeSending(error) ? 'not_sent' : 'lost', reason: describe(error) });
    throw error;
  }
}

/** A write that was begun is never broken off at the deadline: nobody would know whether it was carried out. */
function signalOf({ effect, deadline }: CallRecord, { signal }: RequestInit): RequestInit {
  if (!signal) return {};
  return { signal: effect === 'read' ? AbortSignal.any([signal, deadline.signal]) : signal };
}

function isBeforeSending(error: unknown): boolean {
  const { name, code } = networkErrorOf(error);
  // A bare TypeError refuses the request itself, e.g. a header. The SDK's own time-out is one with a code.
  return code === undefined ? name === 'TypeError' : isBeforeConnected(error);
}

/** Never the message: that of a refused header holds the key. */
function describe(error: unknown): string {
  const { name = 'unknown error', code } = networkErrorOf(error);
  return code === 'ETIMEDOUT' ? 'it took too long' : (code ?? name);
}
