import type { Books, SalesForm } from '../books/model.js';
import { Decimal } from '../decimal.js';
import { unappliedAmount } from './applications.js';

/** What a customer owes: open invoices, less unapplied payments and remaining credits. */
export function customerBalance(books: Books, customerId: string): Decimal {
  let balance = Decimal.zero;
  for (const invoice of books.invoices.values()) {
    if (invoice.customerId === customerId) balance = balance.plus(openBalance(invoice));
  }
  for (const memo of books.creditMemos.values()) {
    if (memo.customerId === customerId) balance = balance.minus(openBalance(memo));
  }
  for (const payment of books.payments.values()) {
    if (payment.customerId === customerId) balance = balance.minus(unappliedAmount(payment));
  }
  return balance;
}

/** What is left of an invoice to pay, or of a credit memo to use. */
export function openBalance(form: SalesForm): Decimal {
  const applied = Decimal.sum(form.applications.map((application) => application.amount));
  return form.total.minus(applied).minus(form.deposit ?? Decimal.zero);
}
