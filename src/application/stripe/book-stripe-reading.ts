import type { EntityManager } from '@mikro-orm/postgresql';
import { calendarDay } from '../../domain/clock.js';
import type { ReportedPayment } from '../../domain/invoice/booking-plan.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type MinorUnits, subtract, sum, ZERO } from '../../domain/money.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { markDeleted, type Recording, recordProviderReading, staysEnded } from '../invoicing/record-reading.js';
import type { BillingInvoice, BillingInvoiceReading, BillingPayment } from '../ports/billing.js';
import type { ProviderTrace } from '../ports/provider.js';
import { applyStripeInvoice } from './apply-invoice.js';
import type { StripeContext } from './stripe-context.js';

/** What Stripe says of an invoice at one moment. */
export interface StripeReading {
  /** Undefined when it was deleted there. */
  readonly seen: BillingInvoiceReading | undefined;
  /** See `beginReading`. */
  readonly begun: bigint;
  /** By Stripe's clock: what happened before, the reading of the invoice saw. Undefined: it did not say. */
  readonly asOf: Date | undefined;
  /** Of the answer that showed the invoice, or that it is gone. */
  readonly trace: ProviderTrace | undefined;
}

/** Books the difference between what Stripe says and what is booked. Days are those of the conference's time zone. */
export async function recordStripeReading(
  context: StripeContext,
  invoice: Invoice,
  timezone: string,
  { seen, begun, asOf, trace }: StripeReading,
): Promise<Recording> {
  return recordProviderReading(context, invoice, {
    begun,
    asOf,
    trace,
    apply: async (tx, order, held) => {
      if (seen) await applyStripeReading(tx, context, { order, invoice: held, answer: seen.invoice });
      else markDeleted(held, context.clock.now());
      Object.assign(held, movementsOf(seen));
    },
    shares: (held) => ({
      money: (seen?.payments ?? []).flatMap((payment) => shareOf(payment, held, timezone)),
      credit: (seen?.credits ?? [])
        .filter(({ amount }) => amount > ZERO)
        .map(({ externalId, amount }) => ({ providerPaymentId: externalId, amount })),
    }),
  });
}

/**
 * Takes over a later answer about an invoice. One that was not as ordered stays so, because Stripe's do not change once they
 * are finalised. See also `staysEnded`.
 */
export async function applyStripeReading(
  tx: EntityManager,
  { clock }: Pick<StripeContext, 'clock'>,
  {
    order,
    invoice,
    answer,
  }: { readonly order: PurchaseOrder; readonly invoice: Invoice; readonly answer: BillingInvoice },
): Promise<void> {
  const { status, matchesPurchaseOrder } = invoice;
  const isVoid = answer.status === 'VOID';
  const isKept = await staysEnded(tx, invoice, { isVoid });
  applyStripeInvoice(invoice, answer, order, clock.now());
  if (isKept) invoice.status = status;
  if (!matchesPurchaseOrder && !isVoid) invoice.matchesPurchaseOrder = false;
}

function movementsOf(seen: BillingInvoiceReading | undefined) {
  const payments = seen?.payments ?? [];
  const amounts = (wanted: BillingPayment['status'], amountOf: (payment: BillingPayment) => MinorUnits) =>
    sum(payments.filter(({ status }) => status === wanted).map(amountOf));
  return {
    refundedMinor: amounts('PAID', ({ refunded }) => refunded),
    processingMinor: amounts('PROCESSING', ({ amount }) => amount),
    isDisputed: payments.some(({ isDisputed }) => isDisputed),
    unexplainedMinor: seen ? unexplainedOf(seen) : ZERO,
  };
}

/**
 * What was taken off the invoice beyond the customer's balance, its payments and credit notes. Stripe shows it in several answers: what came in
 * between two of them makes such a difference. A void invoice asks for nothing, whatever was paid.
 */
export function unexplainedOf({ invoice, payments, credits }: BillingInvoiceReading): MinorUnits {
  if (invoice.status === 'VOID') return ZERO;
  const received = payments.filter(({ status }) => status === 'PAID');
  const settled = sum([invoice.customerCredit, ...[...received, ...credits].map(({ amount }) => amount)]);
  return subtract(subtract(invoice.total, invoice.balance), settled);
}

/** What is left of a payment. Money that was given back was never booked, or is taken back by booking less. */
function shareOf(payment: BillingPayment, { createdAt }: Invoice, timezone: string): ReportedPayment[] {
  const { externalId, paymentIntentId, status, amount, refunded, paidAt = createdAt } = payment;
  const kept = subtract(amount, refunded);
  if (status !== 'PAID' || kept <= ZERO) return [];
  const paidOn = calendarDay(paidAt, timezone);
  return [{ providerPaymentId: externalId, amount: kept, paidOn, reference: paymentIntentId ?? externalId }];
}
