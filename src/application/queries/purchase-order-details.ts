import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { minorUnits } from '../../domain/money.js';
import { OperationKind, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { BookedOnInvoice, FailedSwitch, UnappliedCredit } from '../../domain/purchase-order/attention.js';
import { CreditNote } from '../../domain/purchase-order/credit-note.entity.js';
import { CreditNoteReversal } from '../../domain/purchase-order/credit-note-reversal.entity.js';
import { Payment } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';
import { OPEN_STATES } from '../operations/provider-operations.js';
import { STANDING_CREDIT, STANDING_PAYMENT } from '../purchase-orders/ledger-sql.js';

/** A payment and what took it back, if anything did. */
export interface PaymentRow {
  readonly payment: Payment;
  readonly reversal: PaymentReversal | null;
}

/** A credit note and what took it back, if anything did. */
export interface CreditNoteRow {
  readonly note: CreditNote;
  readonly reversal: CreditNoteReversal | null;
}

export async function findPaymentsById(em: EntityManager, ids: readonly string[]): Promise<PaymentRow[]> {
  const payments = await em.find(Payment, { id: { $in: [...ids] } });
  if (payments.length === 0) return [];
  const reversals = await em.find(PaymentReversal, { payment: { $in: payments.map((payment) => payment.id) } });
  const byPayment = new Map(reversals.map((reversal) => [reversal.payment.id, reversal]));
  return payments.map((payment) => ({ payment, reversal: byPayment.get(payment.id) ?? null }));
}

export async function findCreditNotesById(em: EntityManager, ids: readonly string[]): Promise<CreditNoteRow[]> {
  const notes = await em.find(CreditNote, { id: { $in: [...ids] } });
  if (notes.length === 0) return [];
  const reversals = await em.find(CreditNoteReversal, { creditNote: { $in: notes.map((note) => note.id) } });
  const byNote = new Map(reversals.map((reversal) => [reversal.creditNote.id, reversal]));
  return notes.map((note) => ({ note, reversal: byNote.get(note.id) ?? null }));
}

/** A rest of a provider's payment that is applied to nothing, and a purchase order that has or had a part of it. */
export interface UnappliedCreditRow extends UnappliedCredit {
  readonly purchaseOrderId: string;
}

export interface FailedSwitchRow extends FailedSwitch {
  /** The invoice that it voided. */
  readonly id: string;
}

export interface BookedOnInvoiceRow extends BookedOnInvoice {
  readonly id: string;
}

/** Oldest first. */
export async function findUnappliedCredits(
  em: EntityManager,
  orderIds: readonly string[],
): Promise<UnappliedCreditRow[]> {
  const rows: Record<string, string>[] = await em.execute(
    `select booked.purchase_order_id, seen.external_id, seen.currency_code, seen.unapplied_minor::text, seen.unapplied_since
     from provider_payment seen join (
       select purchase_order_id, source, provider_company, provider_payment_id from payment where purchase_order_id in (?)
       union
       select purchase_order_id, source, provider_company, provider_payment_id from credit_note where purchase_order_id in (?)
     ) as booked on booked.source = seen.provider and booked.provider_company = seen.company_id
       and booked.provider_payment_id = seen.external_id
     where seen.unapplied_minor > 0
     order by seen.unapplied_since, seen.id`,
    [orderIds, orderIds],
  );
  return rows.map((row) => ({
    purchaseOrderId: String(row.purchase_order_id),
    providerPaymentId: String(row.external_id),
    amountMinor: minorUnits(BigInt(String(row.unapplied_minor))),
    currencyCode: row.currency_code as CurrencyCode,
    since: new Date(String(row.unapplied_since)),
  }));
}

/** What money and credit of providers stands booked on invoices, by our ids. One statement. */
export async function findBookedOnInvoices(
  em: EntityManager,
  invoiceIds: readonly string[],
): Promise<BookedOnInvoiceRow[]> {
  const bookedIn = (table: 'payment' | 'credit_note', condition: string) =>
    `from ${table} where provider_company = invoice.company_id
        and provider_invoice_id = invoice.external_id and ${condition}`;
  const money = bookedIn('payment', STANDING_PAYMENT);
  const rows: Record<string, string>[] = await em.execute(
    `select id, (select coalesce(sum(amount_minor), 0)::text ${money}) as money,
       (select min(created_at) ${money}) as since,
       (select coalesce(sum(amount_minor), 0)::text ${bookedIn('credit_note', STANDING_CREDIT)}) as credit
     from invoice where id in (?)`,
    [invoiceIds],
  );
  return rows.map(({ id, money: received, credit, since }) => ({
    id: String(id),
    money: minorUnits(BigInt(String(received))),
    credit: minorUnits(BigInt(String(credit))),
    since: since ? new Date(since) : null,
  }));
}

export async function findInvoicesById(em: EntityManager, ids: readonly string[]): Promise<Invoice[]> {
  return em.find(Invoice, { id: { $in: [...ids] } });
}

/** The creations of invoices that are not settled; one at most per purchase order, which is its subject. */
export async function findUnsettledCreations(
  em: EntityManager,
  orderIds: readonly string[],
): Promise<ProviderOperation[]> {
  const kind = OperationKind.CREATE_INVOICE;
  return em.find(ProviderOperation, { kind, subject: { $in: [...orderIds] }, state: { $in: OPEN_STATES } });
}

/**
 * The moves to another provider that voided these invoices and were then given up; one that was tried again later, or is
 * going on, does not count. On an order that is not cancelled only a move has an invoice voided.
 */
export async function findFailedSwitches(em: EntityManager, invoiceIds: readonly string[]): Promise<FailedSwitchRow[]> {
  const rows = await em.execute<{ id: string; last_error: string | null; updated_at: string }[]>(
    `select distinct on (invoice.id) invoice.id, switch.last_error, switch.updated_at
     from invoice
       join provider_operation voiding on voiding.kind = 'VOID_INVOICE' and voiding.subject = invoice.id
         and voiding.state = 'DONE'
       join provider_operation switch on switch.kind = 'SWITCH_PROVIDER' and switch.subject = invoice.purchase_order_id
     where invoice.id in (?) and switch.state = 'REFUSED' and not exists (
       select from provider_operation later
       where later.kind = switch.kind and later.subject = switch.subject and later.generation > switch.generation)`,
    [invoiceIds],
  );
  return rows.map(({ id, last_error: reason, updated_at }) => ({ id, reason, since: new Date(updated_at) }));
}
