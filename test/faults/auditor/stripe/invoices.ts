import { isLive, isProcessing, type StripeBooks, type StripeInvoice } from '../../stripe/books.js';
import { type Finding, finding, type Row } from '../evidence.js';
import type { Order } from '../ledger.js';

/** What a person voided before it was known here asks nobody for money: it may stay unknown. */
export function auditStripeInvoices(order: Order, books: StripeBooks): Finding[] {
  const { row, invoices } = order;
  const known = new Set(invoices.map((invoice) => invoice.external_id));
  const unknown = bearing(String(row.id), books).filter(
    ({ id, status }) => status === 'draft' || (status !== 'void' && !known.has(id)),
  );
  return [
    ...unknown.map(({ id, status }) =>
      finding('duplicate', `${row.reference}: ${status} ${id} was left behind in Stripe`),
    ),
    ...invoices.flatMap((invoice) => auditInvoice(order, invoice, books)),
  ];
}

/** The ids of those that can be paid, or were. */
export function liveStripeInvoices(orderId: string, books: StripeBooks): string[] {
  return bearing(orderId, books)
    .filter(isLive)
    .map(({ id }) => id);
}

function bearing(orderId: string, { invoices }: StripeBooks): StripeInvoice[] {
  return invoices.filter(({ metadata }) => metadata.purchase_order_id === orderId);
}

function auditInvoice(order: Order, row: Row, books: StripeBooks): Finding[] {
  const { reference, id: orderId } = order.row;
  const id = row.external_id;
  if (id === null) return [finding('stuck', `${reference}: its invoice in Stripe is ${row.status} and has no id`)];
  const invoice = books.invoices.find((each) => each.id === id);
  if (!invoice) return auditVanished(`${reference}: invoice ${id}`, row, books);
  const findings: Finding[] = [];
  if (invoice.metadata.purchase_order_id !== orderId) {
    findings.push(finding('duplicate', `${reference}: invoice ${id} was adopted, but it is somebody else's`));
  }
  if (order.row.cancelled_at !== null && (invoice.status === 'open' || invoice.status === 'uncollectible')) {
    findings.push(finding('wrong amount', `${reference} is cancelled, and invoice ${id} still asks for money`));
  }
  return [
    ...findings,
    ...auditFacts(order, row, invoice),
    ...auditLines(order, invoice),
    ...auditMoves(row, invoice, books),
  ];
}

function auditVanished(what: string, row: Row, { deleted }: StripeBooks): Finding[] {
  if (!deleted.some(({ id }) => id === row.external_id)) return [finding('loss', `${what} is not there`)];
  return row.status === 'DELETED' ? [] : [finding('loss', `${what} was deleted, here it is ${row.status}`)];
}

function auditFacts({ row: order }: Order, row: Row, invoice: StripeInvoice): Finding[] {
  const { id, status, total, amount_remaining: remaining, currency, number, hosted_invoice_url: page } = invoice;
  const balance = status === 'void' ? 0 : remaining;
  const theirs = [statusOf(invoice), total, balance, currency.toUpperCase(), number, page].join(' ');
  const ours = [row.status, row.total_minor, row.balance_minor, row.currency_code, row.number, row.pay_url].join(' ');
  if (theirs === ours) return [];
  const isWrong =
    `${total} ${balance} ${currency.toUpperCase()}` !== `${row.total_minor} ${row.balance_minor} ${row.currency_code}`;
  return [finding(isWrong ? 'wrong amount' : 'loss', `${order.reference}: invoice ${id} is ${theirs}, here ${ours}`)];
}

/** What the customer's balance took off when the invoice was finalised is no payment of it. */
function statusOf(invoice: StripeInvoice): string {
  const { status, amount_due: due, pre_payment_credit_notes_amount: credited, amount_remaining: remaining } = invoice;
  if (status === 'void') return 'VOIDED';
  if (remaining === 0) return 'PAID';
  if (status === 'uncollectible') return 'UNCOLLECTIBLE';
  return remaining < due + credited ? 'PARTIALLY_PAID' : 'OPEN';
}

/** Nobody can change the lines of an invoice that was finalised. */
function auditLines({ row, lines }: Order, invoice: StripeInvoice): Finding[] {
  const wanted = lines.map((line) => String(line.line_total_minor)).join(' ');
  const invoiced = invoice.lines.map(({ amount }) => amount).join(' ');
  if (wanted === invoiced && `${row.total_minor}` === `${invoice.total}`) return [];
  const what = `${row.reference} has lines of ${wanted}, invoice ${invoice.id} of ${invoiced} (${invoice.total})`;
  return [finding('wrong amount', what)];
}

/** Money that is on its way, and money that may be taken away again. */
function auditMoves(row: Row, invoice: StripeInvoice, books: StripeBooks): Finding[] {
  const payments = books.invoicePayments.filter((each) => each.invoice === invoice.id);
  const underWay = payments.filter((each) => isProcessing(each, books)).map((each) => each.amount_requested);
  const processing = underWay.reduce((sum, amount) => sum + amount, 0);
  const isDisputed = payments.some(
    (each) => each.status === 'paid' && hasOpenDispute(each.payment.payment_intent, books),
  );
  const theirs = `${processing} in processing, ${isDisputed ? '' : 'not '}disputed`;
  const ours = `${row.processing_minor} in processing, ${row.is_disputed === true ? '' : 'not '}disputed`;
  return theirs === ours ? [] : [finding('loss', `invoice ${invoice.id} has ${theirs}, here ${ours}`)];
}

function hasOpenDispute(intentId: string | undefined, { paymentIntents, disputes }: StripeBooks): boolean {
  const charge = paymentIntents.find(({ id }) => id === intentId)?.latest_charge;
  return disputes.some((each) => each.charge === charge && each.status !== 'won' && each.status !== 'lost');
}
