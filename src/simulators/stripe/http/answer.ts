import type { RawAnswer } from '../../common/broken-connection.js';
import type { JsonObject } from '../books/model.js';
import { type ErrorDescription, StripeFailure, unknownError } from '../errors.js';
import { API_VERSION } from '../resources/events.js';

export type Answer = RawAnswer;

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Headers that every answer of the API carries, beside `x-simulator`. */
export function commonHeaders(requestId: string): Record<string, string> {
  return {
    'request-id': requestId,
    'stripe-version': API_VERSION,
    'cache-control': 'no-cache, no-store',
    server: 'nginx',
  };
}

/** The provider prints everything for people to read. */
export function toJson(content: unknown): string {
  return JSON.stringify(content, null, 2);
}

export function objectAnswer(content: JsonObject): Answer {
  return { status: 200, headers: JSON_HEADERS, body: toJson(content) };
}

/** Anything but a known refusal is a bug in the simulator: it shows as the provider's own failure. */
export function errorOf(error: unknown): ErrorDescription {
  if (error instanceof StripeFailure) return error.error;
  return unknownError(error instanceof Error ? `simulator bug: ${error.stack ?? error.message}` : 'simulator bug')
    .error;
}

export function errorAnswer({ status, type, code, message, param }: ErrorDescription, requestId: string): Answer {
  const error = {
    ...(code === undefined
      ? {}
      : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }),
    message,
    ...(param === undefined ? {} : { param }),
    request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
    type,
  };
  const headers: Record<string, string> = { ...JSON_HEADERS };
  if (status === 401) headers['www-authenticate'] = 'Basic realm="Stripe"';
  // A result that is kept would only be repeated; a lock may be free in a moment.
  if (status === 500) headers['stripe-should-retry'] = 'false';
  if (status === 409) headers['stripe-should-retry'] = 'true';
  return { status, headers, body: toJson({ error }) };
}
