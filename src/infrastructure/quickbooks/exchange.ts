import type { ProviderTrace } from '../../application/ports/provider.js';
import { isBeforeConnected, networkErrorOf } from '../network-error.js';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** Ends the exchange early, e.g. at a caller's deadline. */
  readonly signal?: AbortSignal;
}

export type HttpExchange =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly headers: Headers;
      readonly text: string;
      readonly trace: ProviderTrace;
    }
  /** The connection never stood: certainly nothing was received. */
  | { readonly kind: 'not_sent'; readonly reason: string }
  /** The request, or a part of it, was sent and no whole answer came back. */
  | { readonly kind: 'interrupted'; readonly reason: string; readonly trace: ProviderTrace };

/** One HTTP request with the global `fetch`. Never throws for what the network or the other side does. */
export async function exchange(request: HttpRequest): Promise<HttpExchange> {
  if (request.signal?.aborted) return { kind: 'not_sent', reason: 'the deadline had passed' };
  let response: Response;
  try {
    response = await fetch(request.url, toInit(request));
  } catch (error) {
    const reason = describe(error, request.timeoutMs);
    return isBeforeSending(error) ? { kind: 'not_sent', reason } : { kind: 'interrupted', reason, trace: {} };
  }
  return readResponse(response, request.timeoutMs);
}

function toInit({ method, headers, body, timeoutMs, signal }: HttpRequest): RequestInit {
  const timeout = AbortSignal.timeout(timeoutMs);
  return {
    method,
    headers,
    ...(body !== undefined && { body }),
    signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    // The API never redirects; following one could send the access token to another host.
    redirect: 'manual',
  };
}

async function readResponse(response: Response, timeoutMs: number): Promise<HttpExchange> {
  const { status, headers } = response;
  const trace = traceOf(response);
  try {
    return { kind: 'response', status, headers, text: await response.text(), trace };
  } catch (error) {
    // A refusal is one even when its explanation is cut off; a cut-off success tells nothing.
    if (status >= 400) return { kind: 'response', status, headers, text: '', trace };
    return { kind: 'interrupted', reason: describe(error, timeoutMs), trace };
  }
}

const MAX_REQUEST_ID_LENGTH = 100;

/** Intuit has written its request id both ways. */
function traceOf({ status, headers }: Response): ProviderTrace {
  const requestId = headers.get('intuit_tid') ?? headers.get('intuit-tid');
  return { statusCode: status, ...(requestId !== null && { requestId: requestId.slice(0, MAX_REQUEST_ID_LENGTH) }) };
}

function isBeforeSending(error: unknown): boolean {
  // What goes wrong on the network is the cause of a TypeError. A bare one refuses the request itself, e.g. a header.
  return networkErrorOf(error).name === 'TypeError' || isBeforeConnected(error);
}

function describe(error: unknown, timeoutMs: number): string {
  const { name = 'unknown error', code } = networkErrorOf(error);
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  if (name === 'AbortError') return 'the deadline passed';
  return code ?? name;
}
