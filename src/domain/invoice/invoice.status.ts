import { type MinorUnits, ZERO } from '../money.js';

export enum InvoiceProvider {
  QBO = 'QBO',
}

export enum InvoiceStatus {
  CREATING = 'CREATING',
  OPEN = 'OPEN',
  PARTIALLY_PAID = 'PARTIALLY_PAID',
  PAID = 'PAID',
  VOIDED = 'VOIDED',
  DELETED = 'DELETED',
  UNKNOWN = 'UNKNOWN',
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
