import type { Customer, Item } from '../books/model.js';
import type { Work } from '../books/work.js';
import { invalidReference, oneForeignCurrency, referenceNotFound, requiredMissing } from '../faults.js';

/** Payment terms that every new company has, with their days. */
const termDays = new Map<string, number>([
  ['1', 0],
  ['2', 15],
  ['3', 30],
  ['4', 60],
]);
const paymentMethods = new Map<string, string>([
  ['1', 'Cash'],
  ['2', 'Check'],
  ['3', 'Credit Card'],
]);
/** Recorded: an invoice without a term was due 30 days later. */
const DAYS_WITHOUT_TERM = 30;

type Reference = { readonly value: string } | null | undefined;

/** The customer of a new or changed transaction: must exist and be active. */
export function activeCustomer(work: Work, reference: Reference): Customer {
  if (reference == null) throw requiredMissing('CustomerRef');
  const customer = work.books.customers.get(reference.value);
  if (customer === undefined) throw referenceNotFound('Names', reference.value);
  if (!customer.form.Active) throw invalidReference();
  return customer;
}

export function activeItem(work: Work, id: string): Item {
  const item = work.books.items.get(id);
  if (item === undefined) throw referenceNotFound('Items', id);
  if (!item.form.Active) throw invalidReference();
  return item;
}

export function checkAccount(work: Work, id: string | undefined): void {
  if (id !== undefined && !work.books.accounts.has(id)) throw referenceNotFound('Accounts', id);
}

export function checkTerm(id: string | undefined): void {
  if (id !== undefined && !termDays.has(id)) throw referenceNotFound('Terms', id);
}

export function daysOfTerm(id: string | undefined): number {
  return id === undefined ? DAYS_WITHOUT_TERM : (termDays.get(id) ?? DAYS_WITHOUT_TERM);
}

export function checkPaymentMethod(id: string | undefined): void {
  if (id !== undefined && !paymentMethods.has(id)) throw referenceNotFound('PaymentMethods', id);
}

/** A transaction uses its customer's currency. With several currencies in the books it has to name it. */
export function transactionCurrency(work: Work, customer: Customer, reference: Reference): string {
  if (reference == null) {
    if (work.settings.multiCurrency) throw requiredMissing('CurrencyRef');
    return work.settings.homeCurrency;
  }
  if (reference.value !== customer.form.CurrencyRef.value) throw oneForeignCurrency();
  return reference.value;
}
