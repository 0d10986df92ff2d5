import type { Invoice, InvoiceItem, InvoicePayment } from '../books/model.js';
import type { Work } from '../books/work.js';
import { atLeastZero, difference, sum, type Units } from '../units.js';

export interface InvoiceAmounts {
  readonly total: Units;
  /** After the customer's balance and after credit notes from before it was paid. */
  readonly due: Units;
  readonly paid: Units;
  readonly overpaid: Units;
  readonly remaining: Units;
  readonly creditedBefore: Units;
  readonly creditedAfter: Units;
  readonly startingBalance: Units;
}

export function itemsOf({ books }: Work, invoice: Invoice): InvoiceItem[] {
  return invoice.items.flatMap((id) => books.invoiceItems.get(id) ?? []);
}

export function paymentsOf({ books }: Work, invoice: Invoice): InvoicePayment[] {
  return [...books.invoicePayments.values()].filter((payment) => payment.invoice === invoice.id);
}

/** Everything that follows from the lines, the payments and the credit notes of an invoice. */
export function amountsOf(work: Work, invoice: Invoice): InvoiceAmounts {
  const total = sum(...itemsOf(work, invoice).map((item) => item.amount));
  const startingBalance = invoice.status === 'draft' ? usableBalance(work, invoice) : invoice.startingBalance;
  const credits = creditsOf(work, invoice);
  const due = difference(afterBalance(total, startingBalance).due, credits.before);
  const paid = paidOn(work, invoice);
  return {
    total,
    due,
    paid,
    overpaid: atLeastZero(difference(paid, due)),
    remaining: atLeastZero(difference(due, paid)),
    creditedBefore: credits.before,
    creditedAfter: credits.after,
    startingBalance,
  };
}

/** What a customer's balance does to a total: credit lowers it, debt raises it, and what is left stays on the balance. */
export function afterBalance(total: Units, balance: Units): { readonly due: Units; readonly endingBalance: Units } {
  const asked = sum(total, balance);
  const due = atLeastZero(asked);
  return { due, endingBalance: difference(asked, due) };
}

/** A balance is in one currency, and counts for invoices in that currency alone. */
export function usableBalance({ books }: Work, invoice: Invoice): Units {
  const customer = books.customers.get(invoice.customer);
  return customer === undefined || customer.currency !== invoice.currency ? 0 : customer.balance;
}

function creditsOf({ books }: Work, invoice: Invoice): { readonly before: Units; readonly after: Units } {
  const issued = [...books.creditNotes.values()].filter(
    (note) => note.invoice === invoice.id && note.status === 'issued',
  );
  return {
    before: sum(...issued.map((note) => note.prePaymentAmount)),
    after: sum(...issued.map((note) => note.postPaymentAmount)),
  };
}

function paidOn(work: Work, invoice: Invoice): Units {
  const payments = paymentsOf(work, invoice);
  const listed = sum(...payments.map((payment) => payment.amountPaid ?? 0));
  const records = payments.filter((payment) => payment.payment.type === 'payment_record');
  const listedOffStripe = sum(...records.map((payment) => payment.amountPaid ?? 0));
  return sum(listed, difference(invoice.paidOffStripe, listedOffStripe));
}
