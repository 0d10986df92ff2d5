import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type BookedPayment, planBookings, type ReportedPayment } from '../../domain/invoice/booking-plan.js';
import { cashApplied } from '../../domain/invoice/cash-applied.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { formatAmount, type MinorUnits, subtract, sum, ZERO } from '../../domain/money.js';
import { Payment, PaymentMethod, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { ProviderInvoice, ProviderPayment } from '../ports/accounting.js';
import { lockExistingPurchaseOrder, refreshStatus } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import type { QboContext } from './qbo-context.js';
import { isOvertaken, nextReadingNumber } from './reading-order.js';
import { applyReading } from './record-invoice.js';

/** What QuickBooks says of an invoice at one moment. `invoice` is undefined when it was deleted there. */
export interface Reading {
  readonly invoice: ProviderInvoice | undefined;
  readonly payments: readonly ProviderPayment[];
  /** Ids of payments that were not read: they are still applied to the invoice and nothing says that they changed. */
  readonly asBooked: ReadonlySet<string>;
  /** See `beginReading`. */
  readonly begun: bigint;
  /** By QuickBooks' clock: what happened before, the reading of the invoice saw. Undefined: it did not say. */
  readonly asOf: Date | undefined;
}

/** `overtaken`: somebody recorded since this reading began; it may be the older one, so nothing of it was recorded. */
export type Recording = 'overtaken' | 'changed' | 'unchanged';

/** Books the difference between what QuickBooks says and what is booked. */
export async function recordReading(
  context: QboContext,
  seen: Pick<Invoice, 'id' | 'purchaseOrder'>,
  reading: Reading,
): Promise<Recording> {
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, seen.purchaseOrder.id);
    const invoice = await tx.findOneOrFail(Invoice, seen.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (isOvertaken(invoice, reading.begun)) return 'overtaken';
    const now = context.clock.now();
    const before = factsOf(invoice);
    if (reading.invoice) await applyReading(tx, context, { order, invoice, answer: reading.invoice });
    else Object.assign(invoice, deletedAtProvider(now));
    Object.assign(invoice, { readingBegun: reading.begun, providerReadAt: reading.asOf ?? null });
    auditChange(tx, context, before, invoice);
    const isChanged = !sameFacts(before, factsOf(invoice));
    // Amounts in another currency than the order's are no amounts of this order: `attention` says TOTAL_DIFFERS instead.
    if (invoice.currencyCode !== order.currencyCode) return isChanged ? 'changed' : 'unchanged';
    const reported = reportedPayments(invoice, reading.payments);
    const isBooked = await book(tx, context, { order, invoice, reported, asBooked: reading.asBooked });
    return isChanged || isBooked ? 'changed' : 'unchanged';
  });
}

function factsOf({ status, totalMinor, balanceMinor, currencyCode, syncToken, emailStatus }: Invoice) {
  return { status, totalMinor, balanceMinor, currencyCode, syncToken, emailStatus };
}

type InvoiceFacts = ReturnType<typeof factsOf>;

function sameFacts(before: InvoiceFacts, after: InvoiceFacts): boolean {
  return Object.entries(before).every(([name, value]) => value === after[name as keyof InvoiceFacts]);
}

function auditedFacts({ status, totalMinor, currencyCode }: InvoiceFacts) {
  return { status, total: `${formatAmount(totalMinor, currencyCode)} ${currencyCode}` };
}

/** A bookkeeper voided, deleted or changed the invoice. Payments have a trace of their own. */
function auditChange(tx: EntityManager, context: QboContext, facts: InvoiceFacts, invoice: Invoice): void {
  const [before, after] = [auditedFacts(facts), auditedFacts(factsOf(invoice))];
  const isGone = invoice.status === InvoiceStatus.VOIDED || invoice.status === InvoiceStatus.DELETED;
  const isEdited = after.total !== before.total || (isGone && after.status !== before.status);
  if (!isEdited) return;
  const subject = invoice.purchaseOrder.id;
  audit(tx, context, { action: 'invoice.changed_at_provider', subject, before, after });
}

function deletedAtProvider(now: Date): Partial<Invoice> {
  const readingRecorded = nextReadingNumber();
  return { status: InvoiceStatus.DELETED, balanceMinor: ZERO, lastSyncedAt: now, readingRecorded, updatedAt: now };
}

function reportedPayments(invoice: Invoice, payments: readonly ProviderPayment[]): ReportedPayment[] {
  return payments.flatMap((payment) => {
    const amount = cashApplied(applicationsOf(payment), String(invoice.externalId));
    if (amount <= ZERO) return [];
    if (payment.currency !== invoice.currencyCode) {
      throw new Error(
        `payment ${payment.externalId} is in ${payment.currency}, its invoice in ${invoice.currencyCode}`,
      );
    }
    const { externalId, paidOn, referenceNumber } = payment;
    return [{ providerPaymentId: externalId, amount, paidOn, reference: referenceNumber ?? externalId }];
  });
}

/**
 * A payment can also apply other credits than credit memos, e.g. of a journal entry: whatever it applies to invoices
 * beyond the money it brought counts as credit.
 */
function applicationsOf({ applications, total }: ProviderPayment): ProviderPayment['applications'] {
  const amounts = (wanted: string) =>
    sum(applications.flatMap(({ kind, amount }) => (kind === wanted ? [amount] : [])));
  const unexplained = subtract(subtract(amounts('invoice'), amounts('credit')), total);
  if (unexplained <= ZERO) return applications;
  return [...applications, { kind: 'credit', externalId: '', amount: unexplained }];
}

interface Booking {
  readonly order: PurchaseOrder;
  readonly invoice: Invoice;
  readonly reported: readonly ReportedPayment[];
  readonly asBooked: ReadonlySet<string>;
}

/** False when there is nothing to book. */
async function book(
  tx: EntityManager,
  context: QboContext,
  { order, invoice, reported, asBooked }: Booking,
): Promise<boolean> {
  const booked = await bookedPayments(tx, invoice);
  const unchanged = booked.filter((payment) => !payment.isReversed && asBooked.has(payment.providerPaymentId));
  const plan = planBookings(booked, [...reported, ...unchanged]);
  if (plan.book.length + plan.reverse.length === 0) return false;
  const before = order.status;
  const createdAt = context.clock.now();
  for (const { paymentId, reason } of plan.reverse) {
    const fields = { payment: paymentId, reason, reversedBy: context.actor.name, createdAt };
    tx.create(PaymentReversal, { id: context.ids.next('rev'), ...fields });
  }
  // Reversals first: the database takes revision n + 1 only after revision n was reversed.
  await tx.flush();
  for (const payment of plan.book) tx.create(Payment, paymentRow(context, order, invoice, payment, createdAt));
  await refreshStatus(tx, order, createdAt);
  audit(tx, context, {
    action: 'payments.booked_from_provider',
    subject: order.id,
    before: { status: before },
    after: {
      status: order.status,
      booked: plan.book.map(({ providerPaymentId, amount, revision }) => ({
        payment: providerPaymentId,
        revision,
        amount: formatAmount(amount, order.currencyCode),
      })),
      reversed: plan.reverse,
    },
  });
  return true;
}

function paymentRow(
  context: QboContext,
  order: PurchaseOrder,
  invoice: Invoice,
  payment: ReportedPayment & { readonly revision: number },
  createdAt: Date,
) {
  return {
    id: context.ids.next('pay'),
    purchaseOrder: order,
    amountMinor: payment.amount,
    method: PaymentMethod.QBO,
    source: PaymentSource.QBO,
    reference: payment.reference,
    paidOn: payment.paidOn,
    note: '',
    providerCompany: invoice.companyId,
    providerPaymentId: payment.providerPaymentId,
    providerInvoiceId: invoice.externalId,
    revision: payment.revision,
    recordedBy: context.actor.name,
    createdAt,
  };
}

async function bookedPayments(tx: EntityManager, invoice: Invoice): Promise<BookedPayment[]> {
  const rows = await tx.find(Payment, {
    source: PaymentSource.QBO,
    providerCompany: invoice.companyId,
    providerInvoiceId: invoice.externalId,
  });
  const reversals = await tx.find(PaymentReversal, { payment: { $in: rows.map((row) => row.id) } });
  const reversed = new Set(reversals.map((reversal) => reversal.payment.id));
  return rows.map((row) => ({
    id: row.id,
    providerPaymentId: String(row.providerPaymentId),
    amount: row.amountMinor as MinorUnits,
    paidOn: row.paidOn,
    reference: row.reference,
    revision: row.revision ?? 1,
    isReversed: reversed.has(row.id),
  }));
}
