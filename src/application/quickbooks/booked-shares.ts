import type { EntityManager } from '@mikro-orm/postgresql';
import type { Booked, ReportedPayment, ReportedShare } from '../../domain/invoice/booking-plan.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type MinorUnits, minorUnits } from '../../domain/money.js';
import { CreditNote, CreditNoteSource } from '../../domain/purchase-order/credit-note.entity.js';
import { CreditNoteReversal } from '../../domain/purchase-order/credit-note-reversal.entity.js';
import { Payment, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';
import { APPLIED_COLUMN } from '../purchase-orders/ledger-sql.js';

/** By our ids of the invoices: what is booked for each and stands, money and credit together. One statement. */
export async function standingApplied(
  tx: EntityManager,
  invoices: readonly Invoice[],
): Promise<ReadonlyMap<string, MinorUnits>> {
  if (invoices.length === 0) return new Map();
  const rows: { id: string; applied_minor: string }[] = await tx.execute(
    `select id, ${APPLIED_COLUMN} from invoice where id in (?)`,
    [invoices.map((invoice) => invoice.id)],
  );
  return new Map(rows.map((row) => [row.id, minorUnits(BigInt(row.applied_minor))]));
}

/** QuickBooks' ids of the invoices on which a payment is or was booked, as money or as credit. */
export async function invoicesBookedWith(em: EntityManager, companyId: string, paymentId: string): Promise<string[]> {
  const identity = { providerCompany: companyId, providerPaymentId: paymentId };
  const payments = await em.find(Payment, { source: PaymentSource.QBO, ...identity });
  const creditNotes = await em.find(CreditNote, { source: CreditNoteSource.QBO, ...identity });
  return [...new Set([...payments, ...creditNotes].map((row) => String(row.providerInvoiceId)))];
}

/** Every revision of a provider's payment that was ever booked for the invoice. */
export async function bookedPayments(tx: EntityManager, invoice: Invoice): Promise<Booked<ReportedPayment>[]> {
  const rows = await tx.find(Payment, providerIdentity(invoice));
  const reversals = await tx.find(PaymentReversal, { payment: { $in: rows.map((row) => row.id) } });
  const reversed = new Set(reversals.map((reversal) => reversal.payment.id));
  return rows.map((row) => ({
    ...booking(row, reversed),
    paidOn: row.paidOn,
    reference: row.reference,
  }));
}

/** Every revision of a provider's credit that was ever booked for the invoice. */
export async function bookedCredits(tx: EntityManager, invoice: Invoice): Promise<Booked<ReportedShare>[]> {
  const rows = await tx.find(CreditNote, providerIdentity(invoice));
  const reversals = await tx.find(CreditNoteReversal, { creditNote: { $in: rows.map((row) => row.id) } });
  const reversed = new Set(reversals.map((reversal) => reversal.creditNote.id));
  return rows.map((row) => booking(row, reversed));
}

function providerIdentity({ purchaseOrder, companyId, externalId }: Invoice) {
  return { purchaseOrder: purchaseOrder.id, providerCompany: companyId, providerInvoiceId: externalId };
}

function booking(row: Payment | CreditNote, reversed: ReadonlySet<string>) {
  return {
    id: row.id,
    providerPaymentId: String(row.providerPaymentId),
    amount: row.amountMinor,
    revision: row.revision ?? 1,
    isReversed: reversed.has(row.id),
  };
}
