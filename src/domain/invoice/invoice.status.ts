import { type MinorUnits, subtract, ZERO } from '../money.js';

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

/** Whether it still asks for all that it ever asked for, and no money is on its way: only such an invoice may be voided. */
export function isUnpaid(invoice: {
  readonly status: `${InvoiceStatus}`;
  readonly totalMinor: MinorUnits;
  readonly customerCreditMinor: MinorUnits;
  readonly balanceMinor: MinorUnits;
  readonly processingMinor: MinorUnits;
}): boolean {
  const { status, totalMinor, customerCreditMinor, balanceMinor, processingMinor } = invoice;
  const asks = status === 'OPEN' || status === 'UNCOLLECTIBLE';
  return asks && balanceMinor >= subtract(totalMinor, customerCreditMinor) && processingMinor === ZERO;
}

/** Its creation is not over, or it is not known how it ended. It may have an id already: that of a draft. */
export function isBeingMade(status: `${InvoiceStatus}`): boolean {
  return status === 'CREATING' || status === 'UNKNOWN';
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
