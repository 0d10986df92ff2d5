import type { EntityManager } from '@mikro-orm/postgresql';
import type { Booked, ReportedPayment, ReportedShare } from '../../domain/invoice/booking-plan.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { CreditNote } from '../../domain/purchase-order/credit-note.entity.js';
import { CreditNoteReversal } from '../../domain/purchase-order/credit-note-reversal.entity.js';
import { Payment } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';

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
