import type { IdempotencyCode } from '../idempotency.js';
import type { Outcome } from '../outcome.js';
import type { ProviderCode, QboFailure } from './qbo-failure.js';
import type { ConnectionCode } from './usable-connection.js';

export type CreateQboInvoiceCode =
  | ProviderCode
  | ConnectionCode
  | IdempotencyCode
  | 'NOT_FOUND'
  | 'ALREADY_INVOICED'
  | 'NOTHING_TO_INVOICE'
  | 'CANCELLED'
  | 'ALREADY_PAID'
  | 'HAS_PAYMENTS_OR_CREDITS'
  | 'QBO_ITEM_MISSING'
  | 'QBO_TOTAL_DIFFERS'
  | 'IN_PROGRESS'
  | 'IDEMPOTENCY_IN_PROGRESS';

export type CreateQboInvoiceOutcome = Outcome<QboFailure<CreateQboInvoiceCode>>;
