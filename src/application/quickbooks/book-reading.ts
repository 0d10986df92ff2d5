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
import { applyReading } from './record-invoice.js';

/** What QuickBooks says of an invoice at one moment. `invoice` is undefined when it was deleted there. */
export interface Reading {
  readonly invoice: ProviderInvoice | undefined;
  readonly payments: readonly ProviderPayment[];
}

/**
 * Books the difference between what QuickBooks says and what is booked. False when another process recorded a reading
 * since `seen` was loaded: this reading may be older than that one and must not overwrite it.
 */
export async function recordReading(context: QboContext, seen: Invoice, reading: Reading): Promise<boolean> {
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, seen.purchaseOrder.id);
    const invoice = await tx.findOneOrFail(Invoice, seen.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (invoice.syncVersion !== seen.syncVersion) return false;
    const now = context.clock.now();
    const before = factsOf(invoice);
    if (reading.invoice) await applyReading(tx, context, { order, invoice, answer: reading.invoice });
    else Object.assign(invoice, deletedAtProvider(invoice, now));
    auditChange(tx, context, before, invoice);
    // Amounts in another currency than the order's are no amounts of this order: `attention` says TOTAL_DIFFERS instead.
    if (invoice.currencyCode !== order.currencyCode) return true;
    await book(tx, context, { order, invoice, reported: reportedPayments(invoice, reading.payments) });
    return true;
  });
}

function factsOf({ status, totalMinor, currencyCode }: Invoice) {
  return { status, total: `${formatAmount(totalMinor, currencyCode)} ${currencyCode}` };
}

/** A bookkeeper voided, deleted or changed the invoice. Payments have a trace of their own. */
function auditChange(
  tx: EntityManager,
  context: QboContext,
  before: ReturnType<typeof factsOf>,
  invoice: Invoice,
): void {
  const after = factsOf(invoice);
  const isGone = invoice.status === InvoiceStatus.VOIDED || invoice.status === InvoiceStatus.DELETED;
  const isEdited = after.total !== before.total || (isGone && after.status !== before.status);
  if (!isEdited) return;
  const subject = invoice.purchaseOrder.id;
  audit(tx, context, { action: 'invoice.changed_at_provider', subject, before, after });
}

function deletedAtProvider(invoice: Invoice, now: Date): Partial<Invoice> {
  const syncVersion = invoice.syncVersion + 1;
  return { status: InvoiceStatus.DELETED, balanceMinor: ZERO, lastSyncedAt: now, syncVersion, updatedAt: now };
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
}

async function book(tx: EntityManager, context: QboContext, { order, invoice, reported }: Booking): Promise<void> {
  const plan = planBookings(await bookedPayments(tx, invoice), reported);
  if (plan.book.length + plan.reverse.length === 0) return;
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
