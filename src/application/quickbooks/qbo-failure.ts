import type { CurrencyCode } from '../../domain/currency.js';
import type { MinorUnits } from '../../domain/money.js';
import type { Failure } from '../outcome.js';
import type { ProviderFailure } from '../ports/provider.js';

/** A failure of a QuickBooks use case with what a client or Intuit's support may need to know. */
export interface QboFailure<Code extends string> extends Failure<Code> {
  /** QuickBooks' id of the invoice concerned. */
  readonly invoiceId?: string;
  /** QuickBooks' fault code, e.g. `6140`. */
  readonly faultCode?: string;
  readonly statusCode?: number;
  readonly intuitTid?: string;
  readonly expectedTotal?: { readonly amount: MinorUnits; readonly currencyCode: CurrencyCode };
  readonly invoiceTotal?: { readonly amount: MinorUnits; readonly currencyCode: CurrencyCode };
}

export type ProviderCode = 'RECONNECT_REQUIRED' | 'QBO_REJECTED' | 'QBO_UNAVAILABLE' | 'OUTCOME_UNKNOWN';

const CODES = {
  rejected: 'QBO_REJECTED',
  unavailable: 'QBO_UNAVAILABLE',
  reconnect_required: 'RECONNECT_REQUIRED',
  unknown: 'OUTCOME_UNKNOWN',
} as const satisfies Record<ProviderFailure['kind'], ProviderCode>;

/** Words what QuickBooks answered, or did not answer, for a person. */
export function describeProviderFailure(failure: ProviderFailure): QboFailure<ProviderCode> {
  const { statusCode, requestId } = failure.trace;
  return {
    code: CODES[failure.kind],
    message: sentence(failure),
    path: [],
    ...(failure.kind === 'rejected' && failure.code !== undefined && { faultCode: failure.code }),
    ...(statusCode !== undefined && { statusCode }),
    ...(requestId !== undefined && { intuitTid: requestId }),
  };
}

function sentence(failure: ProviderFailure): string {
  switch (failure.kind) {
    case 'rejected':
      return `QuickBooks refused this: ${failure.message}`;
    case 'unavailable':
      return `QuickBooks could not be asked and nothing was changed; try again later. ${failure.message}`;
    case 'reconnect_required':
      return reconnectMessage(failure.message);
    case 'unknown':
      return `QuickBooks did not answer, so it is not known whether it was done. This is being settled; ask again in a minute. ${failure.message}`;
  }
}

export function reconnectMessage(reason: string): string {
  return `The connection to QuickBooks has ended; call configureQboConnection with new tokens. ${reason}`.trimEnd();
}
