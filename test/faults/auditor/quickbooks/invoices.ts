import { type BookInvoice, type Books, isVoided } from '../../quickbooks/books.js';
import { minor } from '../amounts.js';
import { type Evidence, type Finding, finding, type Row } from '../evidence.js';
import type { Order } from '../ledger.js';

export function auditInvoices({ row, invoices }: Order, books: Books): Finding[] {
  const reference = String(row.reference);
  const findings: Finding[] = [];
  const known = new Set(invoices.map((invoice) => invoice.external_id));
  for (const { Id } of bearing(reference, books)) {
    if (!known.has(Id)) findings.push(finding('duplicate', `${reference}: nobody here knows of invoice ${Id}`));
  }
  return findings.concat(invoices.flatMap((invoice) => auditInvoice(reference, invoice, books)));
}

/** The ids of those that can be paid, or were. */
export function liveInvoices(reference: string, books: Books): string[] {
  return bearing(reference, books)
    .filter((invoice) => !isVoided(invoice))
    .map(({ Id }) => Id);
}

function bearing(reference: string, { invoices }: Books): BookInvoice[] {
  return invoices.filter(({ PrivateNote = '' }) => PrivateNote.includes(reference));
}

/** The order's total is the invoice's, unless the company's own people changed it. */
export function auditTotals({ row, invoices }: Order, { books, isTaxed, rewritten }: Evidence): Finding[] {
  const reference = String(row.reference);
  const findings: Finding[] = [];
  for (const { external_id: id, matches_purchase_order: matches } of invoices) {
    const invoice = books.invoices.find(({ Id }) => Id === id);
    if (!invoice || isVoided(invoice)) continue;
    if (row.cancelled_at !== null) {
      findings.push(finding('wrong amount', `${reference} is cancelled, and invoice ${id} still asks for money`));
    }
    const invoiced = minor(invoice.TotalAmt, invoice.CurrencyRef.value);
    const isSame = `${invoiced}` === `${row.total_minor}`;
    if (!isSame && !isTaxed && !rewritten.has(invoice.Id)) {
      findings.push(finding('wrong amount', `${reference} is over ${row.total_minor}, invoice ${id} over ${invoiced}`));
    }
    if (!isSame && matches === true) {
      findings.push(finding('wrong amount', `nobody is told that ${reference} and invoice ${id} differ`));
    }
  }
  return findings;
}

function auditInvoice(reference: string, row: Row, books: Books): Finding[] {
  const id = row.external_id;
  if (id === null) return [finding('stuck', `${reference}: its invoice is ${row.status} and has no id`)];
  const invoice = books.invoices.find(({ Id }) => Id === id);
  if (!invoice) return auditVanishedInvoice(reference, row, books);
  const findings: Finding[] = [];
  if (!(invoice.PrivateNote ?? '').includes(reference)) {
    findings.push(finding('duplicate', `${reference}: invoice ${id} was adopted, but it is somebody else's`));
  }
  const expected = statusOfInvoice(invoice);
  if (row.status !== expected) {
    findings.push(finding('loss', `${reference}: invoice ${id} is ${expected}, here it is ${row.status}`));
  }
  const { value: currency } = invoice.CurrencyRef;
  const facts = [minor(invoice.TotalAmt, currency), minor(invoice.Balance, currency), currency].join(' ');
  const ours = [row.total_minor, row.balance_minor, row.currency_code].join(' ');
  if (facts !== ours) {
    findings.push(finding('wrong amount', `${reference}: invoice ${id} is over ${facts}, here over ${ours}`));
  }
  return findings;
}

function auditVanishedInvoice(reference: string, row: Row, books: Books): Finding[] {
  const wasDeleted = books.deleted.some(({ entity, id }) => entity === 'Invoice' && id === row.external_id);
  if (!wasDeleted) return [finding('loss', `${reference}: there is no invoice ${row.external_id}`)];
  if (row.status === 'DELETED') return [];
  return [finding('loss', `${reference}: invoice ${row.external_id} was deleted, here it is ${row.status}`)];
}

function statusOfInvoice(invoice: BookInvoice): string {
  if (isVoided(invoice)) return 'VOIDED';
  const { value: currency } = invoice.CurrencyRef;
  const balance = minor(invoice.Balance, currency);
  if (balance <= 0n) return 'PAID';
  return balance < minor(invoice.TotalAmt, currency) ? 'PARTIALLY_PAID' : 'OPEN';
}
