import type { CurrencyCode } from '../../domain/currency.js';
import type { MinorUnits } from '../../domain/money.js';
import type { Failure } from '../outcome.js';
import type { ProviderFailure } from '../ports/provider.js';

/** A failure of a Stripe use case with what a client or Stripe's support may need to know. */
export interface StripeFailure<Code extends string> extends Failure<Code> {
  /** Stripe's id of the invoice concerned. */
  readonly invoiceId?: string;
  /** Stripe's error code, e.g. `amount_too_small`. */
  readonly stripeCode?: string;
  readonly statusCode?: number;
  /** Stripe's id of the request, `req_…`. */
  readonly requestId?: string;
  readonly expectedTotal?: { readonly amount: MinorUnits; readonly currencyCode: CurrencyCode };
  readonly invoiceTotal?: { readonly amount: MinorUnits; readonly currencyCode: CurrencyCode };
}

export type StripeProviderCode = 'RECONNECT_REQUIRED' | 'STRIPE_REJECTED' | 'STRIPE_UNAVAILABLE' | 'OUTCOME_UNKNOWN';

const CODES = {
  rejected: 'STRIPE_REJECTED',
  unavailable: 'STRIPE_UNAVAILABLE',
  reconnect_required: 'RECONNECT_REQUIRED',
  unknown: 'OUTCOME_UNKNOWN',
} as const satisfies Record<ProviderFailure['kind'], StripeProviderCode>;

/** Words what Stripe answered, or did not answer, for a person. */
export function describeStripeFailure(failure: ProviderFailure): StripeFailure<StripeProviderCode> {
  const { statusCode, requestId } = failure.trace;
  return {
    code: CODES[failure.kind],
    message: sentence(failure),
    path: [],
    ...(failure.kind === 'rejected' && failure.code !== undefined && { stripeCode: failure.code }),
    ...(statusCode !== undefined && { statusCode }),
    ...(requestId !== undefined && { requestId }),
  };
}

function sentence(failure: ProviderFailure): string {
  switch (failure.kind) {
    case 'rejected':
      return `Stripe refused this: ${failure.message}`;
    case 'unavailable':
      return `Stripe could not be asked and nothing was changed; try again later. ${failure.message}`;
    case 'reconnect_required':
      return newKeyNeeded(failure.message);
    case 'unknown':
      return `Stripe did not answer, so it is not known whether it was done. This is being settled; ask again in a minute. ${failure.message}`;
  }
}

/** What to say of a connection whose key is of no use. */
export function newKeyNeeded(reason = ''): string {
  return `The secret key of this conference cannot be used; call configureStripe with another one. ${reason}`.trimEnd();
}
