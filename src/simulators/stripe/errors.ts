export interface ErrorDescription {
  readonly status: number;
  readonly type: 'invalid_request_error' | 'idempotency_error' | 'api_error' | 'card_error';
  readonly message: string;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
}

/** An answer that is no success, in the provider's words. */
export class StripeFailure extends Error {
  constructor(readonly error: ErrorDescription) {
    super(error.message);
  }
}

/** Parameters that were refused before anything began: such an answer is not kept for its idempotency key. */
export class InvalidParameters extends StripeFailure {
  constructor(message: string, { code, param }: { code?: string | undefined; param?: string } = {}) {
    super({ status: 400, type: 'invalid_request_error', message, code, param });
  }
}

export function invalidRequest(
  message: string,
  { code, param, status = 400 }: { code?: string; param?: string; status?: number } = {},
): StripeFailure {
  return new StripeFailure({ status, type: 'invalid_request_error', message, code, param });
}

export function resourceMissing(kind: string, id: string, param = 'id', status = 404): StripeFailure {
  return invalidRequest(`No such ${kind}: '${id}'`, { code: 'resource_missing', param, status });
}

export function invalidKey(key: string): StripeFailure {
  const shown = key.length < 12 ? '****' : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`;
  return invalidRequest(`Invalid API Key provided: ${shown}`, { status: 401 });
}

export function missingKey(): StripeFailure {
  const message =
    'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.';
  return invalidRequest(message, { status: 401 });
}

export function unrecognizedUrl(method: string, path: string): StripeFailure {
  return invalidRequest(`Unrecognized request URL (${method}: ${path}).`, { status: 404 });
}

export function tooManyRequests(): StripeFailure {
  const message = 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.';
  return invalidRequest(message, { status: 429, code: 'rate_limit' });
}

export function unknownError(message = 'An unknown error occurred'): StripeFailure {
  return new StripeFailure({ status: 500, type: 'api_error', message });
}

export function keyOfOtherParameters(key: string): StripeFailure {
  return idempotencyError(
    `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  );
}

export function keyOfOtherEndpoint(key: string, first: string, now: string): StripeFailure {
  return idempotencyError(
    `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${now}' vs '${first}'). Try using a key other than '${key}' if you meant to execute a different request.`,
  );
}

export function keyInUse(key: string): StripeFailure {
  const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. You can try again later.`;
  return new StripeFailure({ status: 409, type: 'idempotency_error', code: 'idempotency_key_in_use', message });
}

function idempotencyError(message: string): StripeFailure {
  return new StripeFailure({ status: 400, type: 'idempotency_error', message });
}
