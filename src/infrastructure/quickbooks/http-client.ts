import { z } from 'zod';
import { type ProviderTrace } from '../../application/ports/provider.js';
import { observeCall, type QboCallObserver } from './call-observer.js';
import { instant } from './documents.js';
import { exchange, type HttpExchange } from './exchange.js';
import { readAnswerBody } from './fault-reader.js';
import { type CallEffect, type CallFailure, classifyRefusal, unsettled } from './faults.js';

/** Since August 2025 QuickBooks ignores every lower value; sent so that a later default changes nothing for us. */
const MINOR_VERSION = '75';

/** Intuit cuts every request after 120 s and asks clients to wait at least 30 s. */
export const DEFAULT_TIMEOUT_MS = 30_000;

const MAX_IDEMPOTENCY_KEY_LENGTH = 50;

/** One request to the API of a company. */
export interface QboCall {
  /** Name for logs and metrics, e.g. `create_invoice`. */
  readonly operation: string;
  readonly effect: CallEffect;
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

  constructor({ timeoutMs = DEFAULT_TIMEOUT_MS, onCall }: QboHttpClientOptions = {}) {
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
    return { kind: 'failed', failure: { kind: 'unavailable', message, trace: {} } };
  }
  if (exchanged.kind === 'interrupted') {
    return unsettled(effect, `QuickBooks did not answer completely (${exchanged.reason}).`, exchanged.trace);
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
  return classifyRefusal({ status, fault, effect, trace, secrets: [accessToken] });
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
