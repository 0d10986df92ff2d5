import type { BookPayment, Books } from '../../quickbooks/books.js';
import { minor } from '../amounts.js';
import { type Finding, finding, type Row } from '../evidence.js';
import { isStanding, type Ledger, type Order } from '../ledger.js';

/** What one payment in the books did to one invoice. */
interface Share {
  readonly payment: string;
  readonly amount: bigint;
  /** Only of money. */
  readonly day?: string;
  readonly reference?: string;
}

export function auditShares({ row, invoices, payments, credits }: Order, books: Books): Finding[] {
  return invoices.flatMap((invoice) => {
    const { external_id: id } = invoice;
    if (id === null) return [];
    const where = `${row.reference}, invoice ${id}`;
    const isOfInvoice = (booked: Row) => booked.provider_invoice_id === id && isStanding(booked);
    // In another currency than the order's it cannot be booked on the order.
    const isBookable = invoice.currency_code === row.currency_code;
    const applied = isBookable ? books.payments.filter((payment) => appliedTo(payment, id) > 0n) : [];
    const [money, credit] = [applied.filter(broughtMoney), applied.filter((payment) => !broughtMoney(payment))];
    return [
      ...compareShares(
        `${where}: payment`,
        money.map((each) => moneyOf(each, id)),
        payments.filter(isOfInvoice),
      ),
      ...compareShares(
        `${where}: credit`,
        credit.map((each) => creditOf(each, id)),
        credits.filter(isOfInvoice),
      ),
    ];
  });
}

function compareShares(what: string, expected: readonly Share[], booked: readonly Row[]): Finding[] {
  return [
    ...expected.flatMap((share) => compareShare(what, share, booked)),
    ...booked
      .filter((row) => !expected.some((share) => share.payment === row.provider_payment_id))
      .map((row) => finding('wrong amount', `${what} ${row.provider_payment_id} is booked but not there`)),
  ];
}

function compareShare(what: string, share: Share, booked: readonly Row[]): Finding[] {
  const rows = booked.filter((row) => row.provider_payment_id === share.payment);
  const [first] = rows;
  if (!first) return [finding('loss', `${what} ${share.payment} over ${share.amount} is not booked`)];
  const findings: Finding[] = [];
  if (rows.length > 1) findings.push(finding('duplicate', `${what} ${share.payment} is booked ${rows.length} times`));
  if (String(first.amount_minor) !== `${share.amount}`) {
    findings.push(finding('wrong amount', `${what} ${share.payment} is ${share.amount}, booked ${first.amount_minor}`));
  }
  const isMoney = share.day !== undefined;
  if (isMoney && (first.paid_day !== share.day || first.reference !== share.reference)) {
    const ours = `${first.paid_day} ${first.reference}`;
    findings.push(
      finding('wrong amount', `${what} ${share.payment} is of ${share.day} ${share.reference}, here ${ours}`),
    );
  }
  return findings;
}

/** What of a payment is applied to nothing is shown, to the cent. */
export function auditRests({ row, payments }: Order, { providerPayments }: Ledger, books: Books): Finding[] {
  const booked = new Set(payments.map((payment) => payment.provider_payment_id));
  return providerPayments
    .filter(({ external_id: id }) => booked.has(id))
    .flatMap(({ external_id: id, unapplied_minor: shown }) => {
      const payment = books.payments.find(({ Id }) => Id === id);
      const rest = payment && broughtMoney(payment) ? minor(payment.UnappliedAmt, payment.CurrencyRef.value) : 0n;
      if (`${rest}` === `${shown}`) return [];
      const what = `${row.reference}: of payment ${id} ${rest} is applied to nothing, shown is ${shown}`;
      return [finding('wrong amount', what)];
    });
}

/** Money given back is noted on the order that the receipt names, in its latest form. */
export function auditRefunds({ row }: Order, { refundNotes }: Ledger, books: Books): Finding[] {
  return books.refundReceipts
    .filter(({ PrivateNote }) => PrivateNote?.includes(String(row.reference)))
    .flatMap(({ Id, SyncToken }) => {
      const notes = refundNotes.filter(
        ({ subject, receipt, revision }) => subject === row.id && receipt === Id && revision === SyncToken,
      );
      if (notes.length === 1) return [];
      const kind = notes.length === 0 ? 'loss' : 'duplicate';
      return [finding(kind, `${row.reference}: refund ${Id} is noted ${notes.length} times`)];
    });
}

/** No story mixes money with credit memos in one payment: one that brought no money applied only credit. */
function broughtMoney({ TotalAmt, CurrencyRef }: BookPayment): boolean {
  return minor(TotalAmt, CurrencyRef.value) !== 0n;
}

function moneyOf(payment: BookPayment, invoiceId: unknown): Share {
  return { ...creditOf(payment, invoiceId), day: payment.TxnDate, reference: payment.PaymentRefNum ?? payment.Id };
}

function creditOf(payment: BookPayment, invoiceId: unknown): Share {
  return { payment: payment.Id, amount: appliedTo(payment, invoiceId) };
}

function appliedTo(payment: BookPayment, invoiceId: unknown): bigint {
  return payment.Line.filter((line) => line.LinkedTxn.some((link) => isInvoice(link, invoiceId))).reduce(
    (sum, line) => sum + minor(line.Amount, payment.CurrencyRef.value),
    0n,
  );
}

function isInvoice(link: { readonly TxnId: string; readonly TxnType: string }, id: unknown): boolean {
  return link.TxnType === 'Invoice' && link.TxnId === id;
}
