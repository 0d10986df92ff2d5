import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { describeCustomerCredit } from '../../domain/invoice/customer-credit.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { isBeingMade } from '../../domain/invoice/invoice.status.js';
import { formatAmount } from '../../domain/money.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { markInvoiced } from '../invoicing/mark-invoiced.js';
import type { Outcome } from '../outcome.js';
import type { BillingInvoice } from '../ports/billing.js';
import type { ProviderSuccess } from '../ports/provider.js';
import { applyStripeInvoice } from './apply-invoice.js';
import type { StripeContext } from './stripe-context.js';
import type { StripeFailure } from './stripe-failure.js';

/**
 * Stores the invoice that Stripe made, whatever it looks like, and compares it with what was asked for. An invoice that is
 * stored already, because another process got the same answer first, is left as it is. Needs the order's lock.
 */
export async function recordStripeInvoice(
  tx: EntityManager,
  context: StripeContext,
  order: PurchaseOrder,
  invoiceId: string,
  { body, value: answer, trace }: ProviderSuccess<BillingInvoice> & { readonly body: string },
): Promise<Outcome<StripeFailure<'STRIPE_TOTAL_DIFFERS'>>> {
  const invoice = await tx.findOneOrFail(Invoice, invoiceId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (isBeingMade(invoice.status)) {
    const isSame = context.billing.customerOf(body) === answer.customerExternalId && (await hasLines(order, answer));
    applyStripeInvoice(invoice, answer, order, context.clock.now());
    invoice.matchesPurchaseOrder &&= isSame || answer.status === 'VOID';
    await markInvoiced(tx, context, order, { invoice, trace });
  }
  return { id: order.id, failures: differences(order, invoice) };
}

/**
 * Each line bears the id of ours, so their order does not matter. Of many lines an answer holds only some; then the total
 * speaks for the others.
 */
async function hasLines(order: PurchaseOrder, { lines, hasMoreLines }: BillingInvoice): Promise<boolean> {
  const ordered = await order.lineItems.loadItems();
  const missing = new Map(ordered.map(({ id, lineTotalMinor }) => [id, lineTotalMinor]));
  const areOrdered = lines.every(({ id, amount }) => {
    const isOrdered = id !== undefined && missing.get(id) === amount;
    return isOrdered && missing.delete(id);
  });
  return areOrdered && (hasMoreLines || missing.size === 0);
}

/** Empty, or what to say of an invoice that is not what was asked for. */
export function differences(order: PurchaseOrder, invoice: Invoice): StripeFailure<'STRIPE_TOTAL_DIFFERS'>[] {
  return invoice.matchesPurchaseOrder ? [] : [differs(order, invoice)];
}

function differs(order: PurchaseOrder, invoice: Invoice): StripeFailure<'STRIPE_TOTAL_DIFFERS'> {
  const expected = `${formatAmount(order.totalMinor, order.currencyCode)} ${order.currencyCode}`;
  const actual = `${formatAmount(invoice.totalMinor, invoice.currencyCode)} ${invoice.currencyCode}`;
  const what = `Stripe made invoice ${invoice.number ?? invoice.externalId} over ${actual}`;
  const credit = describeCustomerCredit(invoice);
  return {
    code: 'STRIPE_TOTAL_DIFFERS',
    message: credit
      ? `${what} for the purchase order over ${expected}, but ${credit}`
      : `${what}, but the purchase order is over ${expected} and its lines. Void it in Stripe before it is sent.`,
    path: [],
    ...(invoice.externalId !== null && { invoiceId: invoice.externalId }),
    expectedTotal: { amount: order.totalMinor, currencyCode: order.currencyCode },
    invoiceTotal: { amount: invoice.totalMinor, currencyCode: invoice.currencyCode },
  };
}
