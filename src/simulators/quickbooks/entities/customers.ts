import type { Books, Customer } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf, wireAmount } from '../currencies.js';
import type { Decimal } from '../decimal.js';
import { businessRule, duplicateName, validationFault } from '../faults.js';
import { type JsonObject, toJson, withoutEmpty } from '../json.js';
import { customerBalance } from './customer-balance.js';
import { type CustomerForm, customerInput } from './customer-input.js';
import { parseInput } from './input.js';
import { checkTerm } from './references.js';
import { currentVersion, envelope, refuseWhenEnded, touch } from './shared.js';

const DELETED_SUFFIX = ' (deleted)';

export function createCustomer(work: Work, body: unknown): Customer {
  refuseWhenEnded(work);
  const form = completeForm(work, parseInput('Customer', customerInput, body));
  const id = `${work.books.nextNameId}`;
  refuseTakenName(work.books, form.DisplayName, id);
  work.books.nextNameId += 1;
  const customer: Customer = { id, syncToken: 0, createdAt: work.recordedAt, updatedAt: work.recordedAt, form };
  work.books.customers.set(id, customer);
  work.announce('Customer', id, 'created');
  return customer;
}

export function updateCustomer(work: Work, body: unknown): Customer {
  refuseWhenEnded(work);
  const input = parseInput('Customer', customerInput, body);
  const customer = currentVersion(work.books.customers, input);
  const currency = customer.form.CurrencyRef;
  if (input.CurrencyRef != null && input.CurrencyRef.value !== currency.value) {
    throw businessRule('The currency of a customer cannot be changed.');
  }
  // A full update clears what it leaves out; the currency and the name parts of the identity stay.
  const base = input.sparse === true ? customer.form : { Active: true };
  const merged = completeForm(work, { ...base, ...input, CurrencyRef: currency });
  const form = { ...merged, DisplayName: nameAfterUpdate(customer, merged) };
  refuseTakenName(work.books, form.DisplayName, customer.id);
  if (sameContent(customer.form, form)) return customer; // an update that changes nothing keeps the sync token
  customer.form = form;
  touch(customer, work);
  work.announce('Customer', customer.id, 'updated');
  return customer;
}

/** Deactivating marks the name, which frees it; reactivating does not take the mark away. */
function nameAfterUpdate(customer: Customer, form: Customer['form']): string {
  const deactivated = customer.form.Active && !form.Active;
  return deactivated && !form.DisplayName.endsWith(DELETED_SUFFIX)
    ? `${form.DisplayName}${DELETED_SUFFIX}`
    : form.DisplayName;
}

function completeForm(work: Work, input: CustomerForm): Customer['form'] {
  const { Id: _id, SyncToken: _token, sparse: _sparse, ...fields } = input;
  const name = input.DisplayName || nameParts(input);
  if (name === '') {
    const detail = 'Name Required : at least one of DisplayName, Title, GivenName, MiddleName, FamilyName, Suffix';
    throw validationFault('6080', 'No name provided', detail, '');
  }
  checkTerm(input.SalesTermRef?.value);
  const currency = input.CurrencyRef?.value ?? work.settings.homeCurrency;
  if (!work.settings.multiCurrency && currency !== work.settings.homeCurrency) {
    throw businessRule('Multicurrency is not turned on for this company.');
  }
  return { ...fields, DisplayName: name, Active: input.Active ?? true, CurrencyRef: { value: currency } };
}

function nameParts(input: CustomerForm): string {
  const parts = [input.Title, input.GivenName, input.MiddleName, input.FamilyName, input.Suffix];
  return parts.filter((part) => part != null && part !== '').join(' ');
}

/** Display names are unique across customers, vendors and employees, whatever their case, inactive ones included. */
function refuseTakenName(books: Books, name: string, exceptId: string): void {
  const wanted = name.toLowerCase();
  for (const holders of [books.customers, books.vendors]) {
    for (const holder of holders.values()) {
      if (holder.id !== exceptId && holder.form.DisplayName.toLowerCase() === wanted) throw duplicateName();
    }
  }
}

function sameContent(before: object, after: object): boolean {
  const sorted = (form: object) =>
    toJson(Object.entries(withoutEmpty({ ...form })).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(before) === sorted(after);
}

export function presentCustomer(work: Work, customer: Customer): JsonObject {
  const { form } = customer;
  const balance: Decimal = wireAmount(customerBalance(work.books, customer.id), form.CurrencyRef.value);
  const { CurrencyRef: _currency, ...written } = form;
  return withoutEmpty({
    Taxable: false,
    Job: false,
    BillWithParent: false,
    PreferredDeliveryMethod: 'Print',
    IsProject: false,
    PrintOnCheckName: nameParts(form) || form.DisplayName,
    ...withoutEmpty(written),
    Balance: balance,
    BalanceWithJobs: balance,
    CurrencyRef: { value: form.CurrencyRef.value, name: currencyOf(form.CurrencyRef.value).name },
    FullyQualifiedName: form.DisplayName,
    ...envelope(customer),
  });
}
