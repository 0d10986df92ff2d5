import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { deriveInvoiceStatus, InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { subtract, ZERO } from '../../domain/money.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { nextReadingNumber } from '../invoicing/reading-order.js';
import type { BillingInvoice } from '../ports/billing.js';

/** Takes over what Stripe says of an invoice that is no draft any more. Amounts are stored as Stripe has them, right or wrong. */
export function applyStripeInvoice(invoice: Invoice, answer: BillingInvoice, order: PurchaseOrder, now: Date): void {
  const isAsOrdered = answer.total === order.totalMinor && answer.currency === order.currencyCode;
  Object.assign(invoice, {
    status: statusOf(answer),
    externalId: answer.externalId,
    number: answer.number ?? null,
    url: answer.url ?? invoice.url,
    payUrl: answer.payUrl ?? invoice.payUrl,
    currencyCode: answer.currency,
    totalMinor: answer.total,
    customerCreditMinor: answer.customerCredit,
    balanceMinor: answer.balance,
    matchesPurchaseOrder: answer.status === 'VOID' || (isAsOrdered && answer.customerCredit === ZERO),
    lastSyncedAt: now,
    readingRecorded: nextReadingNumber(),
  });
}

function statusOf({ status, total, customerCredit, balance }: BillingInvoice): InvoiceStatus {
  if (status === 'UNCOLLECTIBLE' && balance > ZERO) return InvoiceStatus.UNCOLLECTIBLE;
  return deriveInvoiceStatus({ total: subtract(total, customerCredit), balance, voided: status === 'VOID' });
}
