import { chargeOf, type StripeBooks, type StripePayment } from '../../stripe/books.js';
import { type Finding, finding, type Row, type StripeEvidence } from '../evidence.js';
import { isStanding, type Order } from '../ledger.js';

/** What one payment, or one credit note, did to one invoice. */
interface Share {
  readonly id: string;
  readonly amount: number;
  /** Only of money. */
  readonly reference?: string;
  readonly day?: string;
}

export function auditStripeMoney(
  { row, invoices, payments, credits }: Order,
  { books, timezone }: StripeEvidence,
): Finding[] {
  return invoices.flatMap(({ external_id: id }) => {
    if (id === null) return [];
    const where = `${row.reference}, invoice ${id}`;
    const isOfInvoice = (booked: Row) => booked.provider_invoice_id === id && isStanding(booked);
    return [
      ...compareShares(`${where}: payment`, moneyOn(id, books, timezone), payments.filter(isOfInvoice)),
      ...compareShares(`${where}: credit`, creditOn(id, books), credits.filter(isOfInvoice)),
    ];
  });
}

/** What is left of each payment after everything that was given back. */
function moneyOn(invoiceId: unknown, books: StripeBooks, timezone: string): Share[] {
  const payments = books.invoicePayments.filter(({ invoice, status }) => invoice === invoiceId && status === 'paid');
  const listed = payments
    .map((payment) => ({
      id: payment.id,
      amount: (payment.amount_paid ?? 0) - givenBack(payment, books),
      reference: payment.payment.payment_intent ?? payment.id,
      day: dayOf(payment.status_transitions.paid_at ?? 0, timezone),
    }))
    .filter(({ amount }) => amount > 0);
  const all = [...listed, ...unlistedMoney(invoiceId, payments, books, timezone)];
  return lessOutside(all, givenBackOutside(invoiceId, books)).filter(({ amount }) => amount > 0);
}

function givenBackOutside(invoiceId: unknown, { creditNotes }: StripeBooks): number {
  return creditNotes
    .filter(({ invoice, status }) => invoice === invoiceId && status === 'issued')
    .reduce((sum, { out_of_band_amount: amount }) => sum + (amount ?? 0), 0);
}

/** What was given back outside of Stripe was mostly also received there; the oldest first. */
function lessOutside(shares: readonly Share[], amount: number): Share[] {
  const isOutside = ({ id, reference }: Share) => id === reference;
  let left = amount;
  const rest = new Map<Share, number>();
  for (const share of [...shares.filter(isOutside), ...shares.filter((each) => !isOutside(each))]) {
    rest.set(share, Math.max(0, share.amount - left));
    left = Math.max(0, left - share.amount);
  }
  return shares.map((share) => ({ ...share, amount: rest.get(share) ?? 0 }));
}

/** Money from outside of Stripe need not be a payment there: then only the invoice says so. */
function unlistedMoney(
  invoiceId: unknown,
  payments: readonly StripePayment[],
  { invoices }: StripeBooks,
  timezone: string,
): Share[] {
  const invoice = invoices.find(({ id }) => id === invoiceId);
  if (!invoice) return [];
  const fromOutside = payments.filter(({ payment }) => payment.payment_intent === undefined);
  const listed = fromOutside.reduce((sum, { amount_paid: amount }) => sum + (amount ?? 0), 0);
  const amount = invoice.amount_paid_off_stripe - listed;
  const id = `${invoice.id}:outside`;
  const day = dayOf(invoice.status_transitions.paid_at ?? 0, timezone);
  return amount > 0 ? [{ id, amount, reference: id, day }] : [];
}

function givenBack(payment: StripePayment, books: StripeBooks): number {
  const charge = chargeOf(payment, books);
  if (!charge) return 0;
  const ofCharge = (each: { readonly charge: string }) => each.charge === charge.id;
  const refunded = books.refunds.filter((each) => ofCharge(each) && each.status !== 'failed');
  const lost = books.disputes.filter((each) => ofCharge(each) && each.status === 'lost');
  return [...refunded, ...lost].reduce((sum, { amount }) => sum + amount, 0);
}

function creditOn(invoiceId: unknown, { creditNotes }: StripeBooks): Share[] {
  return creditNotes
    .filter(({ invoice, status }) => invoice === invoiceId && status === 'issued')
    .map(({ id, pre_payment_amount: amount }) => ({ id, amount }))
    .filter(({ amount }) => amount > 0);
}

function compareShares(what: string, expected: readonly Share[], booked: readonly Row[]): Finding[] {
  return [
    ...expected.flatMap((share) => compareShare(what, share, booked)),
    ...booked
      .filter((row) => !expected.some((share) => share.id === row.provider_payment_id))
      .map((row) => finding('wrong amount', `${what} ${row.provider_payment_id} is booked but not there`)),
  ];
}

function compareShare(what: string, share: Share, booked: readonly Row[]): Finding[] {
  const rows = booked.filter((row) => row.provider_payment_id === share.id);
  const [first] = rows;
  if (!first) return [finding('loss', `${what} ${share.id} over ${share.amount} is not booked`)];
  const findings: Finding[] = [];
  if (rows.length > 1) findings.push(finding('duplicate', `${what} ${share.id} is booked ${rows.length} times`));
  if (String(first.amount_minor) !== `${share.amount}`) {
    findings.push(finding('wrong amount', `${what} ${share.id} is ${share.amount}, booked ${first.amount_minor}`));
  }
  const { reference, day } = share;
  if (day !== undefined && (first.reference !== reference || first.paid_day !== day)) {
    const ours = `${first.paid_day} ${first.reference}`;
    findings.push(finding('wrong amount', `${what} ${share.id} is of ${day} ${reference}, here ${ours}`));
  }
  return findings;
}

/** The day where the conference is. */
function dayOf(seconds: number, timeZone: string): string {
  return new Date(seconds * 1000).toLocaleDateString('sv-SE', { timeZone });
}
