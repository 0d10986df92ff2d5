import type { ClaimCode } from '../invoicing/claim-invoice.js';
import type { Outcome } from '../outcome.js';
import type { StripeFailure, StripeProviderCode } from './stripe-failure.js';
import type { StripeConnectionCode } from './usable-stripe-connection.js';

export type CreateStripeInvoiceCode =
  | ClaimCode
  | StripeProviderCode
  | StripeConnectionCode
  | 'STRIPE_AMOUNT_UNREPRESENTABLE'
  | 'STRIPE_TOO_MANY_LINES'
  | 'STRIPE_TOTAL_DIFFERS';

export type CreateStripeInvoiceOutcome = Outcome<StripeFailure<CreateStripeInvoiceCode>>;
