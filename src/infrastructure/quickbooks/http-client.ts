import { z } from 'zod';
import { type ProviderTrace } from '../../application/ports/provider.js';
import { standardWaits } from '../../application/waits.js';
import { observeCall, type QboCallObserver } from './call-observer.js';
import { instant } from './documents.js';
import { exchange, type HttpExchange } from './exchange.js';
import { readAnswerBody } from './fault-reader.js';
import { type CallEffect, type CallFailure, classifyRefusal, unsettled } from './faults.js';

/** Since August 2025 QuickBooks ignores every lower value; sent so that a later default changes nothing for us. */
const MINOR_VERSION = '75';

const MAX_IDEMPOTENCY_KEY_LENGTH = 50;

/** One request to the API of a company. */
export interface QboCall {
  /** Name for logs and metrics, e.g. `create_invoice`. */
  readonly operation: string;
  readonly effect: CallEffect;
  /** Several requests in one, for which QuickBooks has a limit of its own. */
  readonly isBatch?: boolean;
  readonly method: 'GET' | 'POST';
  /** Below `/v3/company/{realmId}/`, each segment percent-encoded, e.g. `invoice/155`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  /** Goes out as `requestid`: QuickBooks answers a repetition as it answered the first. At most 50 characters. */
  readonly idempotencyKey?: string;
}

/** The company to talk to and the token that opens it. */
export interface QboTarget {
  readonly apiBaseUrl: string;
  readonly realmId: string;
  readonly accessToken: string;
}

export type QboAnswer =
  | {
      readonly kind: 'answered';
      /** Numbers are texts, see `parseJson`. */
      readonly json: unknown;
      /** The other side said it is a simulator. */
      readonly simulated: boolean;
      readonly trace: ProviderTrace;
      readonly asOf: Date | undefined;
    }
  | CallFailure;

export interface QboHttpClientOptions {
  readonly timeoutMs?: number;
  readonly onCall?: QboCallObserver | undefined;
}

/** Sends single requests and tells what became of them. Knows nothing of refreshing tokens. */
export class QboHttpClient {
  readonly #timeoutMs: number;
  readonly #onCall: QboCallObserver | undefined;

  constructor({ timeoutMs = standardWaits.callTimeoutMs, onCall }: QboHttpClientOptions = {}) {
    this.#timeoutMs = timeoutMs;
    this.#onCall = onCall;
  }

  /** Throws only for a call that must never be made, such as an idempotency key that is too long. */
  async call(target: QboTarget, call: QboCall, signal?: AbortSignal): Promise<QboAnswer> {
    const startedAt = performance.now();
    const report = observeCall(this.#onCall, call.operation);
    const exchanged = await exchange({
      url: urlOf(target, call),
      method: call.method,
      headers: headersOf(target, call),
      ...(call.body !== undefined && { body: call.body }),
      timeoutMs: this.#timeoutMs,
      ...(signal && { signal }),
    });
    const answer = interpret(exchanged, target, call, performance.now() - startedAt);
    if (answer.kind === 'failed') report(answer.failure.kind, answer.failure.trace);
    else report(answer.kind === 'answered' ? 'ok' : 'unauthorised', answer.trace);
    return answer;
  }
}

function urlOf({ apiBaseUrl, realmId }: QboTarget, { path, query, idempotencyKey }: QboCall): string {
  const parameters = { ...query, minorversion: MINOR_VERSION, ...requestId(idempotencyKey) };
  // URLSearchParams would write a space as `+`, which QuickBooks' query parser takes for a plus sign.
  const search = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${apiBaseUrl}/v3/company/${encodeURIComponent(realmId)}/${path}?${search.join('&')}`;
}

function requestId(idempotencyKey: string | undefined): { requestid?: string } {
  if (idempotencyKey === undefined) return {};
  if (idempotencyKey === '' || idempotencyKey.length > MAX_IDEMPOTENCY_KEY_LENGTH) {
    throw new RangeError(`An idempotency key has 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} characters.`);
  }
  return { requestid: idempotencyKey };
}

function headersOf({ accessToken }: QboTarget, { contentType }: QboCall): Record<string, string> {
  return {
    // Without it QuickBooks answers in XML.
    Accept: 'application/json',
    Authorization: `Bearer ${accessToken}`,
    ...(contentType !== undefined && { 'Content-Type': contentType }),
  };
}

function interpret(
  exchanged: HttpExchange,
  { accessToken }: QboTarget,
  { effect }: QboCall,
  durationMs: number,
): QboAnswer {
  if (exchanged.kind === 'not_sent') {
    const message = `QuickBooks could not be reached (${exchanged.reason}).`;
    return { kind: 'failed', failure: { kind: 'unavailable', message, trace: {} }, cause: 'not_sent' };
  }
  if (exchanged.kind === 'interrupted') {
    return unsettled(effect, `QuickBooks did not answer completely (${exchanged.reason}).`, exchanged.trace, 'lost');
  }
  const { status, headers, text, trace } = exchanged;
  const body = readAnswerBody(text);
  if (body.kind === 'json' && status >= 200 && status < 300) {
    return {
      kind: 'answered',
      json: body.json,
      simulated: headers.has('x-simulator'),
      trace,
      asOf: asOf(body.json, durationMs),
    };
  }
  const fault = body.kind === 'fault' ? body.fault : undefined;
  const refusal = classifyRefusal({ status, fault, effect, trace, secrets: [accessToken] });
  const retryAfterMs = readRetryAfter(headers.get('retry-after'));
  if (refusal.kind !== 'failed' || refusal.cause !== 'throttled' || retryAfterMs === undefined) return refusal;
  return { ...refusal, retryAfterMs };
}

const retrySeconds = z.coerce.number().int().nonnegative();

/** A count of seconds or a date. Intuit sends none as a rule. */
function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = retrySeconds.safeParse(header);
  if (seconds.success) return seconds.data * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

const stamped = z.object({ time: z.string() });

/**
 * QuickBooks writes its own time into an answer, but not whether before or after it looked. The request had not been
 * sent yet when its whole duration before that, so what QuickBooks did until then is in the answer.
 */
function asOf(json: unknown, durationMs: number): Date | undefined {
  const answeredAt = instant(stamped.safeParse(json).data?.time);
  return answeredAt && new Date(answeredAt.getTime() - Math.ceil(durationMs));
}
