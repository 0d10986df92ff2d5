import type { PurchaseOrderDocument } from '../../application/queries/purchase-order-document.js';
import type { CurrencyCode } from '../../domain/currency.js';
import { formatAmount, type MinorUnits } from '../../domain/money.js';
import type { PaymentMethod } from '../../domain/purchase-order/payment.entity.js';
import type { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';

/**
 * An amount for a person: `1 475.00`. Thousands are parted by a space, as ISO 80000-1 has it: a comma or a point between
 * them is a decimal sign to half of the world, which matters in yen, that have no decimals, and in dinars, that have three.
 */
export function writeAmount(amount: MinorUnits, currency: CurrencyCode): string {
  const [whole = '', fraction] = formatAmount(amount, currency).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ' ').replace('-', '\u2212');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });

/** `28 November 2026`: no order of numbers to be mistaken. */
export function writeDay(day: string): string {
  return DAY.format(new Date(`${day}T00:00:00Z`));
}

/** `4–7 May 2027`, or as much of it as is known. */
export function writeDays({ startDate, endDate }: PurchaseOrderDocument['conference']): string {
  if (startDate !== null && endDate !== null) {
    return DAY.formatRange(new Date(`${startDate}T00:00:00Z`), new Date(`${endDate}T00:00:00Z`));
  }
  const only = startDate ?? endDate;
  return only === null ? '' : writeDay(only);
}

export const STATUS_NAMES: Record<PurchaseOrderStatus, string> = {
  DRAFT: 'Draft',
  SENT: 'Open',
  PARTIALLY_PAID: 'Partly paid',
  PAID: 'Paid',
  OVERPAID: 'Overpaid',
  CANCELLED: 'Cancelled',
};

export const METHOD_NAMES: Record<PaymentMethod, string> = {
  WIRE: 'Wire transfer',
  ACH: 'ACH transfer',
  CHECK: 'Check',
  CARD: 'Card',
  STRIPE: 'Stripe',
  QBO: 'QuickBooks',
  OTHER: 'Other',
};
