import Stripe from 'stripe';
import { z } from 'zod';
import { Deadline } from '../../application/deadline.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { requestScope } from '../../application/request-scope.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import { observeCall, type StripeCallObserver } from './call-observer.js';
import { classifyFailure, UNREADABLE, unsettled } from './failures.js';
import { type CallEffect, CallRecord, recordingHttpClient } from './transport.js';

/** What the code in this folder was written for. An update of the SDK changes its own: compare before raising this. */
export const API_VERSION = '2026-10-28.endive';

/**
 * A third failure of the same request within seconds is no accident any more. Every write bears an idempotency key of
 * ours, under which Stripe carries it out once, however often it comes.
 */
const MAX_REPETITIONS = 2;

/** The most that one page of a list holds. */
const PAGE_SIZE = 100;

/** Each keeps its key in memory; who has more accounts makes the client of the one that was used longest ago anew. */
const MAX_CLIENTS = 100;

/** Where the secret keys are kept. */
export interface StripeKeyStore {
  /** Undefined: there is no such connection, or none that may be used, or its key cannot be opened. */
  secretKeyOf(connectionId: string): Promise<string | undefined>;
  /** Stripe does not take this key: the connection is not used until it has another one. */
  refuse(connectionId: string, secretKey: string): Promise<void>;
}

export interface StripeClientsOptions {
  readonly keys: StripeKeyStore;
  readonly clock: Clock;
  readonly waits: Waits;
  readonly onCall?: StripeCallObserver | undefined;
  /** The server that an account is reached at, without a path, e.g. a simulator's; undefined: Stripe itself. */
  readonly apiBaseUrlOf?: ((secretKey: string) => string | undefined) | undefined;
  readonly maxRepetitions?: number | undefined;
}

/** Opens sessions with the keys of connections. */
export class StripeClients {
  readonly #options: StripeClientsOptions;
  /** Of stored connections, by secret key; the one that was used last comes last. */
  readonly #clients = new Map<string, Stripe>();

  constructor(options: StripeClientsOptions) {
    this.#options = options;
  }

  /** Works in the name of a stored connection. */
  async in<T>(
    connectionId: string,
    work: (session: StripeSession) => Promise<ProviderResult<T>>,
  ): Promise<ProviderResult<T>> {
    const { keys } = this.#options;
    const secretKey = await keys.secretKeyOf(connectionId);
    if (secretKey === undefined) {
      const message =
        'The Stripe connection has no secret key that can be used: Stripe refused it, or its encryption key is not configured.';
      return failed({ kind: 'reconnect_required', message, trace: {} });
    }
    const result = await work(this.#session(secretKey, this.#clientOf(secretKey)));
    if (!result.ok && result.failure.kind === 'reconnect_required') {
      this.#clients.delete(secretKey);
      await keys.refuse(connectionId, secretKey);
    }
    return result;
  }

  /** Works with a key that is only tried, and is not remembered. */
  openWith(secretKey: string): StripeSession {
    return this.#session(secretKey, this.#newClient(secretKey));
  }

  #session(secretKey: string, stripe: Stripe): StripeSession {
    const { waits, clock, onCall } = this.#options;
    const deadline = requestScope.getStore()?.deadline ?? Deadline.after(waits.backgroundDeadlineMs);
    return new StripeSession({ stripe, secretKey, deadline, clock, retryMs: waits.retryDelayMaxMs, onCall });
  }

  #clientOf(secretKey: string): Stripe {
    const client = this.#clients.get(secretKey) ?? this.#newClient(secretKey);
    this.#clients.delete(secretKey);
    this.#clients.set(secretKey, client);
    const [eldest] = this.#clients.keys();
    if (eldest !== undefined && this.#clients.size > MAX_CLIENTS) this.#clients.delete(eldest);
    return client;
  }

  #newClient(secretKey: string): Stripe {
    const { waits, apiBaseUrlOf, maxRepetitions = MAX_REPETITIONS } = this.#options;
    return new Stripe(secretKey, {
      apiVersion: API_VERSION,
      appInfo: { name: 'conference-invoicing' },
      httpClient: recordingHttpClient(),
      maxNetworkRetries: maxRepetitions,
      timeout: waits.callTimeoutMs,
      telemetry: false,
      ...addressOf(apiBaseUrlOf?.(secretKey)),
    });
  }
}

function addressOf(baseUrl: string | undefined): Pick<Stripe.StripeConfig, 'host' | 'port' | 'protocol'> {
  if (baseUrl === undefined) return {};
  const { hostname, port, protocol } = new URL(baseUrl);
  if (protocol === 'http:') return { host: hostname, port: port || '80', protocol: 'http' };
  return { host: hostname, port: port || '443', protocol: 'https' };
}

/** One call of the API. */
export interface StripeCall<T> {
  /** Name for logs and metrics, e.g. `create_draft`. */
  readonly operation: string;
  readonly effect: CallEffect;
  /** What Stripe calls the object that the URL names, e.g. `invoice`: missing, it makes the call `not_found`. */
  readonly subject?: string;
  readonly send: (stripe: Stripe) => Promise<unknown>;
  /** Takes what is needed out of the answer. Undefined: it is not the expected object. */
  readonly read: (answer: unknown) => T | undefined;
}

/** All objects of a list, page by page. */
export interface StripeListing<T> {
  readonly operation: string;
  readonly send: (stripe: Stripe, page: Stripe.PaginationParams) => Promise<unknown>;
  readonly row: z.ZodType<T>;
}

interface StripeSessionParts {
  readonly stripe: Stripe;
  readonly secretKey: string;
  readonly deadline: Deadline;
  readonly clock: Clock;
  readonly retryMs: number;
  readonly onCall: StripeCallObserver | undefined;
}

/**
 * Calls with one secret key, all within one deadline. No request begins after it and each takes no longer than its
 * time-out, so what a session does is over well before the lease of the operation that asked for it.
 */
export class StripeSession {
  readonly #parts: StripeSessionParts;

  constructor(parts: StripeSessionParts) {
    this.#parts = parts;
  }

  async call<T>(call: StripeCall<T>): Promise<ProviderResult<T>> {
    const { value } = await this.#observed(call);
    return value;
  }

  /** As `call`, and whether the other side said that it is a simulator. */
  async callFor<T>(
    call: StripeCall<T>,
  ): Promise<{ readonly result: ProviderResult<T>; readonly isSimulated: boolean }> {
    const { value, record } = await this.#observed(call);
    return { result: value, isSimulated: record.isSimulated };
  }

  /** Newest first, as Stripe lists. */
  async list<T extends { readonly id: string }>(listing: StripeListing<T>): Promise<ProviderResult<T[]>> {
    const read = await this.listUpTo(listing, Number.POSITIVE_INFINITY);
    if (!read.ok) return read;
    return read.value === 'too_many' ? failed(tooLate()) : succeeded(read.value, read.trace, read.asOf);
  }

  /** As `list`. `too_many`: there are more than so many pages, or than the session has time for. */
  async listUpTo<T extends { readonly id: string }>(
    { operation, send, row }: StripeListing<T>,
    maxPages: number,
  ): Promise<ProviderResult<T[] | 'too_many'>> {
    const page = z.object({ data: z.array(row), has_more: z.boolean() });
    const rows: T[] = [];
    let begun: Date | undefined;
    for (let pages = 1; ; pages++) {
      const last = rows.at(-1);
      const position = { limit: PAGE_SIZE, ...(last && { starting_after: last.id }) };
      const read = await this.call({
        operation,
        effect: 'read',
        send: (stripe) => send(stripe, position),
        read: (answer) => page.safeParse(answer).data,
      });
      if (!read.ok) return last && this.#parts.deadline.hasPassed ? succeeded('too_many', read.failure.trace) : read;
      begun ??= read.asOf;
      rows.push(...read.value.data);
      if (!read.value.has_more || read.value.data.length === 0) return succeeded(rows, read.trace, begun);
      if (pages >= maxPages) return succeeded('too_many', read.trace);
    }
  }

  async #observed<T>(call: StripeCall<T>): Promise<{ value: ProviderResult<T>; record: CallRecord }> {
    const report = observeCall(this.#parts.onCall, call.operation);
    const record = new CallRecord(call.effect, this.#parts.deadline);
    const value = await this.#attempt(call, record);
    report(value.ok ? 'ok' : value.failure.kind, record.trace);
    return { value, record };
  }

  async #attempt<T>(call: StripeCall<T>, record: CallRecord): Promise<ProviderResult<T>> {
    const { deadline } = this.#parts;
    if (deadline.hasPassed) return failed(tooLate());
    const answered = await this.#send(call, record);
    if (!answered.ok) return answered;
    const value = call.read(answered.value);
    if (value !== undefined) return succeeded(value, record.trace, record.asOf);
    return failed(unsettled(call.effect, UNREADABLE, record.trace));
  }

  async #send({ effect, subject, send }: StripeCall<unknown>, record: CallRecord): Promise<ProviderResult<unknown>> {
    const { stripe, secretKey, deadline, clock, retryMs } = this.#parts;
    try {
      const work = record.run(() => send(stripe));
      if (effect === 'write') return succeeded(await work);
      const answer = await deadline.limit(work);
      return answer === undefined ? failed(tooLate()) : succeeded(answer);
    } catch (error) {
      if (effect === 'read' && deadline.hasPassed) return failed(tooLate());
      return failed(classifyFailure({ error, record, subject, secrets: [secretKey], now: clock.now(), retryMs }));
    }
  }
}

function tooLate(): ProviderFailure {
  const message = 'The time for this request was over before Stripe could answer.';
  return { kind: 'unavailable', message, trace: {} };
}
