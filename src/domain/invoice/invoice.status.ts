import { type MinorUnits, ZERO } from '../money.js';

export enum InvoiceProvider {
  QBO = 'QBO',
  STRIPE = 'STRIPE',
}

/** What people call them. */
export const PROVIDER_NAMES: Record<`${InvoiceProvider}`, string> = { QBO: 'QuickBooks', STRIPE: 'Stripe' };

export enum InvoiceStatus {
  CREATING = 'CREATING',
  OPEN = 'OPEN',
  PARTIALLY_PAID = 'PARTIALLY_PAID',
  PAID = 'PAID',
  VOIDED = 'VOIDED',
  DELETED = 'DELETED',
  UNKNOWN = 'UNKNOWN',
  /** Given up by a person at the provider; it can still be paid there. */
  UNCOLLECTIBLE = 'UNCOLLECTIBLE',
}

export enum EmailStatus {
  NOT_SENT = 'NOT_SENT',
  PENDING = 'PENDING',
  SENT = 'SENT',
}

/** Whether the buyer can no longer pay it, so that the purchase order may get another one. */
export function isEnded(status: `${InvoiceStatus}`): boolean {
  return status === 'VOIDED' || status === 'DELETED';
}

/** The status of an invoice that exists at the provider, from what the provider says of it. */
export function deriveInvoiceStatus(invoice: {
  readonly total: MinorUnits;
  readonly balance: MinorUnits;
  readonly voided: boolean;
}): InvoiceStatus {
  if (invoice.voided) return InvoiceStatus.VOIDED;
  if (invoice.balance <= ZERO) return InvoiceStatus.PAID;
  return invoice.balance < invoice.total ? InvoiceStatus.PARTIALLY_PAID : InvoiceStatus.OPEN;
}
