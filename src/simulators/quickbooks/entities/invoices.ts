import type { FormLine, Invoice, SalesForm } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf } from '../currencies.js';
import { addDays } from '../dates.js';
import { Decimal } from '../decimal.js';
import { businessRule, emailRequired, fieldFault, transactionDeleted, unsupported } from '../faults.js';
import { releasePayments } from './applications.js';
import { applyOpenCredits } from './auto-apply-credit.js';
import { openBalance } from './customer-balance.js';
import { linesWithIds, zeroLines } from './form-lines.js';
import { parseInput } from './input.js';
import { type InvoiceForm, invoiceInput } from './invoice-input.js';
import { daysOfTerm } from './references.js';
import { docNumberFor, type NumberingRules, readSalesForm, takeTransactionId } from './sales-forms.js';
import { checkId, currentVersion, refuseClosedPeriod, refuseWhenEnded, touch, touchCustomer } from './shared.js';

export function createInvoice(work: Work, body: unknown, rules: NumberingRules): Invoice {
  refuseWhenEnded(work);
  const input = parseInput('Invoice', invoiceInput, body);
  if (input.LinkedTxn != null && input.LinkedTxn.length > 0) throw unsupported('creating an invoice with LinkedTxn');
  const content = readInvoice(work, input);
  const number = docNumberFor(work, input, rules);
  const invoice: Invoice = {
    ...content,
    id: takeTransactionId(work.books),
    syncToken: 0,
    createdAt: work.recordedAt,
    updatedAt: work.recordedAt,
    docNumber: number.docNumber,
    applications: [],
    voided: false,
    deliveredAt: undefined,
  };
  number.commit();
  work.books.invoices.set(invoice.id, invoice);
  work.announce('Invoice', invoice.id, 'created');
  touchCustomer(work, invoice.customerId);
  if (work.settings.autoApplyCredit) applyOpenCredits(work, invoice);
  return invoice;
}

export function updateInvoice(work: Work, body: unknown, rules: NumberingRules): Invoice {
  refuseWhenEnded(work);
  const input = parseInput('Invoice', invoiceInput, body);
  const invoice = currentVersion(work.books.invoices, input, () => missingInvoice(work, input.Id ?? ''));
  if (invoice.voided) throw unsupported('updating a voided invoice');
  refuseClosedPeriod(work, invoice.txnDate);
  // Recorded: a full update keeps the document number, the currency and the e-mail state that it leaves out.
  const { CurrencyRef, EmailStatus, PrintStatus, TxnDate } = invoice.form;
  const base = input.sparse === true ? invoice.form : { CurrencyRef, EmailStatus, PrintStatus, TxnDate };
  const content = readInvoice(work, { ...base, ...input }, invoice.lines);
  refuseBelowSettled(invoice, content);
  const renumbered = input.DocNumber != null && input.DocNumber !== invoice.docNumber;
  const number = renumbered ? docNumberFor(work, input, rules, invoice.id) : undefined;
  Object.assign(invoice, content, { docNumber: number === undefined ? invoice.docNumber : number.docNumber });
  number?.commit();
  touch(invoice, work);
  work.announce('Invoice', invoice.id, 'updated');
  touchCustomer(work, invoice.customerId);
  return invoice;
}

function readInvoice(work: Work, merged: InvoiceForm, previous: readonly FormLine[] = []) {
  const { Id: _id, SyncToken: _token, sparse: _sparse, LinkedTxn: _links, DocNumber: _number, ...fields } = merged;
  const content = readSalesForm(work, fields, previous);
  const deposit = readDeposit(work, fields.Deposit, content);
  if (fields.EmailStatus === 'NeedToSend' && !fields.BillEmail?.Address) throw emailRequired();
  const DueDate = fields.DueDate ?? addDays(content.txnDate, daysOfTerm(fields.SalesTermRef?.value));
  const customer = work.books.customers.get(content.customerId);
  const BillAddr = fields.BillAddr ?? customer?.form.BillAddr;
  const ShipAddr = fields.ShipAddr ?? customer?.form.ShipAddr ?? BillAddr;
  const Line = linesWithIds(fields.Line ?? [], content.lines);
  return { ...content, deposit, form: { ...fields, Line, TxnDate: content.txnDate, DueDate, BillAddr, ShipAddr } };
}

function readDeposit(
  work: Work,
  deposit: Decimal | null | undefined,
  { total, currency }: Omit<SalesForm, 'docNumber' | 'applications'>,
) {
  if (deposit == null) return undefined;
  if (!work.settings.allowDeposit) throw unsupported('a deposit in a company that takes none');
  if (deposit.isNegative || deposit.exceeds(total)) throw unsupported('a deposit that is not a part of the total');
  if (!deposit.fitsIn(currencyOf(currency).digits)) throw fieldFault('2110', 'Deposit');
  return deposit;
}

function refuseBelowSettled(invoice: Invoice, content: ReturnType<typeof readInvoice>): void {
  if (invoice.applications.length === 0) return;
  if (openBalance({ ...content, applications: invoice.applications, docNumber: undefined }).isNegative) {
    throw unsupported('lowering an invoice below what is paid on it');
  }
  if (content.customerId !== invoice.customerId) throw unsupported('changing the customer of an invoice with payments');
}

export function findInvoice(work: Work, id: string): Invoice {
  const invoice = work.books.invoices.get(checkId(id));
  if (invoice === undefined) throw missingInvoice(work, id);
  return invoice;
}

function missingInvoice(_work: Work, id: string): Error {
  checkId(id);
  return transactionDeleted();
}

/** The invoice stays with its number, customer and lines; amounts become zero and the note says so. No status field. */
export function voidInvoice(work: Work, body: unknown): Invoice {
  refuseWhenEnded(work);
  const invoice = versionToEnd(work, body);
  if (invoice.voided) throw unsupported('voiding a voided invoice');
  if (invoice.applications.length > 0 && work.settings.refuseVoidOfPaidInvoice) {
    throw businessRule('This invoice has payments applied to it. Remove them before you void it.');
  }
  releasePayments(work, 'Invoice', invoice);
  const note = invoice.form.PrivateNote;
  invoice.form = { ...invoice.form, PrivateNote: note ? `Voided - ${note}` : 'Voided', Deposit: undefined };
  Object.assign(invoice, {
    voided: true,
    deposit: undefined,
    lines: zeroLines(invoice.lines),
    tax: Decimal.zero,
    total: Decimal.zero,
  });
  touch(invoice, work);
  work.announce('Invoice', invoice.id, 'void');
  touchCustomer(work, invoice.customerId);
  return invoice;
}

/** Callers of the API have to unlink payments first; a bookkeeper's deletion leaves the money unapplied. */
export function deleteInvoice(work: Work, body: unknown, releasing = false): string {
  refuseWhenEnded(work);
  const invoice = versionToEnd(work, body);
  if (invoice.applications.length > 0) {
    if (!releasing) throw businessRule('Linked transactions must be unlinked before this one can be deleted.');
    releasePayments(work, 'Invoice', invoice);
  }
  work.books.invoices.delete(invoice.id);
  work.books.tombstones.push({ entity: 'Invoice', id: invoice.id, deletedAt: work.recordedAt });
  work.announce('Invoice', invoice.id, 'deleted');
  touchCustomer(work, invoice.customerId);
  return invoice.id;
}

function versionToEnd(work: Work, body: unknown): Invoice {
  const input = parseInput('Invoice', invoiceInput, body);
  const invoice = currentVersion(work.books.invoices, input, () => missingInvoice(work, input.Id ?? ''));
  refuseClosedPeriod(work, invoice.txnDate);
  return invoice;
}

/** E-mails the invoice. Moves LastUpdatedTime but not the sync token. */
export function sendInvoice(work: Work, id: string, sendTo: string | undefined): Invoice {
  refuseWhenEnded(work);
  const invoice = findInvoice(work, id);
  const email = sendTo ?? invoice.form.BillEmail?.Address ?? undefined;
  if (email === undefined || email === '') throw businessRule('An e-mail address is needed to send this transaction.');
  if (email.length > 100) throw fieldFault('2050', 'BillEmail.Address');
  if (!email.split(',').every((address) => /@.*\./.test(address))) throw fieldFault('2210', 'BillEmail.Address');
  invoice.form = { ...invoice.form, BillEmail: { Address: email }, EmailStatus: 'EmailSent' };
  invoice.deliveredAt = work.recordedAt;
  work.books.emails.push({ invoiceId: invoice.id, to: email, at: work.recordedAt });
  invoice.updatedAt = work.recordedAt;
  work.announce('Invoice', invoice.id, 'emailed');
  return invoice;
}
