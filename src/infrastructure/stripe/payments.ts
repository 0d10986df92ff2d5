import { z } from 'zod';
import type { BillingCredit, BillingPayment } from '../../application/ports/billing.js';
import type { CurrencyCode } from '../../domain/currency.js';
import { add, type MinorUnits, smaller, subtract, sum, ZERO } from '../../domain/money.js';
import type { StripeListing } from './client.js';
import { fromStripeUnits, readCurrency } from './currencies.js';
import { instant, reference, units } from './documents.js';

const charge = z.object({ id: z.string(), amount_refunded: units, disputed: z.boolean() });

const paymentIntent = z.object({
  id: z.string().min(1),
  status: z.string(),
  amount_received: units,
  latest_charge: charge.nullish(),
});

/** What somebody recorded of money that came in elsewhere. */
const paymentRecord = z.object({ amount_refunded: z.object({ value: units, currency: z.string() }) });

/** What links a payment to an invoice. */
const invoicePayment = z.object({
  id: z.string().min(1),
  invoice: reference,
  status: z.enum(['open', 'paid', 'canceled']),
  currency: z.string(),
  amount_paid: units.nullable(),
  amount_requested: units,
  created: instant,
  status_transitions: z.object({ paid_at: instant.nullish() }).nullish(),
  payment: z.object({
    type: z.string(),
    payment_intent: paymentIntent.nullish(),
    payment_record: paymentRecord.nullish(),
  }),
});

export type InvoicePaymentDocument = z.output<typeof invoicePayment>;

/** With what became of the money since. Stripe expands four levels at most, which these are. */
const EXPANDED = ['data.payment.payment_intent.latest_charge', 'data.payment.payment_record'];

export function invoicePaymentsListing(invoice: string): StripeListing<InvoicePaymentDocument> {
  return {
    operation: 'read_payments',
    send: (stripe, page) => stripe.invoicePayments.list({ invoice, expand: EXPANDED, ...page }),
    row: invoicePayment,
  };
}

const paidInvoice = z.object({ id: z.string(), invoice: reference, status: z.string(), amount_paid: units.nullable() });

export type PaidInvoiceDocument = z.output<typeof paidInvoice>;

export function paidInvoicesListing(paymentIntentId: string): StripeListing<PaidInvoiceDocument> {
  const payment = { type: 'payment_intent', payment_intent: paymentIntentId };
  return {
    operation: 'find_paid_invoices',
    send: (stripe, page) => stripe.invoicePayments.list({ payment, ...page }),
    row: paidInvoice,
  };
}

/** The payment intent of which a part was given back, and that brought more than this link says: it may pay other invoices. */
export function dividedIntentOf(
  { payment, amount_paid }: InvoicePaymentDocument,
  disputes: readonly DisputeDocument[],
): string | undefined {
  const intent = payment.payment_intent;
  const isGivenBack = Boolean(intent?.latest_charge?.amount_refunded) || disputes.some(isLost);
  return intent && isGivenBack && intent.amount_received > (amount_paid ?? 0) ? intent.id : undefined;
}

/** The charge that was disputed at any time: only its disputes tell how they ended. */
export function disputedChargeOf({ payment }: InvoicePaymentDocument): string | undefined {
  const paidBy = payment.payment_intent?.latest_charge;
  return paidBy?.disputed ? paidBy.id : undefined;
}

const dispute = z.object({
  id: z.string(),
  amount: units,
  currency: z.string(),
  status: z.string(),
  payment_method_details: z.object({ card: z.object({ case_type: z.string() }).nullish() }).nullish(),
});

export type DisputeDocument = z.output<typeof dispute>;

export function disputesListing(chargeId: string): StripeListing<DisputeDocument> {
  return {
    operation: 'read_disputes',
    send: (stripe, page) => stripe.disputes.list({ charge: chargeId, ...page }),
    row: dispute,
  };
}

/** Nobody has to answer the bank any more. */
const DECIDED = new Set(['lost', 'won', 'warning_closed', 'prevented']);
/** A lost dispute is looked at once more; the money stays away meanwhile. */
const APPEAL = /^appeal_/;

/** One is prevented by a block, which takes no money, or by a resolution: the buyer was given it back at once. */
function isLost({ status, payment_method_details: method }: DisputeDocument): boolean {
  return (
    status === 'lost' || APPEAL.test(status) || (status === 'prevented' && method?.card?.case_type === 'resolution')
  );
}

/** What is known of a payment beside the link itself. */
export interface GivenBack {
  /** Of its charge. */
  readonly disputes: readonly DisputeDocument[];
  /** Every link of its payment intent, newest first; none when there is but this one. */
  readonly links: readonly PaidInvoiceDocument[];
}

/** Undefined: an amount that its currency cannot express. */
export function toBillingPayment(document: InvoicePaymentDocument, givenBack: GivenBack): BillingPayment | undefined {
  const currency = readCurrency(document.currency);
  if (!currency) return undefined;
  const isPaid = document.status === 'paid';
  const amount = fromStripeUnits((isPaid ? document.amount_paid : null) ?? document.amount_requested, currency);
  const refunded = amount === undefined ? undefined : refundedOf(document, givenBack, { amount, currency });
  if (amount === undefined || refunded === undefined) return undefined;
  return {
    externalId: document.id,
    paymentIntentId: document.payment.payment_intent?.id,
    status: statusOf(document),
    amount,
    refunded: isPaid ? refunded : ZERO,
    isDisputed: isPaid && givenBack.disputes.some(({ status }) => !DECIDED.has(status)),
    paidAt: isPaid ? (document.status_transitions?.paid_at ?? document.created) : undefined,
  };
}

function statusOf({ status, payment }: InvoicePaymentDocument): BillingPayment['status'] {
  if (status === 'paid') return 'PAID';
  if (status === 'canceled') return 'CANCELLED';
  return payment.payment_intent?.status === 'processing' ? 'PROCESSING' : 'OPEN';
}

/**
 * Never more than was paid on this invoice. What was given back of a payment that pays several, Stripe does not divide: it
 * is taken off its links in their order, the oldest first, whichever of the invoices is read.
 */
function refundedOf(
  { id, payment }: InvoicePaymentDocument,
  { disputes, links }: GivenBack,
  { amount, currency }: { readonly amount: MinorUnits; readonly currency: CurrencyCode },
): MinorUnits | undefined {
  const paidBefore = paidByOlder(links, id, currency);
  if (paidBefore === undefined) return undefined;
  const charge = { amount: payment.payment_intent?.latest_charge?.amount_refunded ?? 0, currency };
  const record = payment.payment_record?.amount_refunded;
  const taken = [
    charge,
    ...(record ? [{ amount: record.value, currency: record.currency }] : []),
    ...disputes.filter(isLost),
  ];
  const parts = allOf(taken.map((part) => amountIn(currency, part, add(amount, paidBefore))));
  if (!parts) return undefined;
  const left = subtract(sum(parts), paidBefore);
  return left > ZERO ? smaller(amount, left) : ZERO;
}

/** What the links that are older than this one brought. */
function paidByOlder(
  links: readonly PaidInvoiceDocument[],
  id: string,
  currency: CurrencyCode,
): MinorUnits | undefined {
  const oldestFirst = links.toReversed();
  const position = oldestFirst.findIndex((link) => link.id === id);
  const paid = oldestFirst.slice(0, Math.max(0, position)).filter(({ status }) => status === 'paid');
  const amounts = allOf(paid.map(({ amount_paid }) => fromStripeUnits(amount_paid ?? 0, currency)));
  return amounts && sum(amounts);
}

/** In another currency it says nothing of ours: then it is all of it. */
function amountIn(
  currency: CurrencyCode,
  { amount, currency: other }: { readonly amount: number; readonly currency: string },
  all: MinorUnits,
): MinorUnits | undefined {
  return readCurrency(other) === currency ? fromStripeUnits(amount, currency) : all;
}

function allOf<T>(values: readonly (T | undefined)[]): T[] | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : undefined;
}

/** Payments through Stripe; others were recorded by somebody. */
const THROUGH_STRIPE = new Set(['payment_intent', 'charge']);

export function isFromOutside({ status, payment }: InvoicePaymentDocument): boolean {
  return status === 'paid' && !THROUGH_STRIPE.has(payment.type);
}

const creditNote = z.object({
  id: z.string().min(1),
  currency: z.string(),
  status: z.string(),
  pre_payment_amount: units,
  out_of_band_amount: units.nullish(),
});

type CreditNoteDocument = z.output<typeof creditNote>;

export function creditNotesListing(invoice: string): StripeListing<CreditNoteDocument> {
  return {
    operation: 'read_credit_notes',
    send: (stripe, page) => stripe.creditNotes.list({ invoice, ...page }),
    row: creditNote,
  };
}

/** What credit notes in force did. */
export interface Credited {
  /** Those that lowered what the invoice asks for. */
  readonly credits: readonly BillingCredit[];
  /** Given back outside of Stripe. */
  readonly outside: MinorUnits;
}

/** Undefined: an amount that cannot be expressed. */
export function toCredited(documents: readonly CreditNoteDocument[]): Credited | undefined {
  const notes = allOf(documents.filter(({ status }) => status !== 'void').map(creditedBy));
  if (!notes) return undefined;
  const credits = notes
    .map(({ externalId, amount }) => ({ externalId, amount }))
    .filter(({ amount }) => amount !== ZERO);
  return { credits, outside: sum(notes.map(({ outside }) => outside)) };
}

function creditedBy({ id, currency, pre_payment_amount, out_of_band_amount }: CreditNoteDocument) {
  const code = readCurrency(currency);
  const amount = code && fromStripeUnits(pre_payment_amount, code);
  const outside = code && fromStripeUnits(out_of_band_amount ?? 0, code);
  return amount === undefined || outside === undefined ? undefined : { externalId: id, amount, outside };
}

/** Money that was given back outside of Stripe is taken off what came in there first, the oldest first. */
export function lessOutside(payments: readonly BillingPayment[], outside: MinorUnits): BillingPayment[] {
  const isOutside = ({ paymentIntentId }: BillingPayment) => paymentIntentId === undefined;
  let left = outside;
  const taken = new Map<BillingPayment, MinorUnits>();
  for (const payment of [...payments.filter(isOutside), ...payments.filter((each) => !isOutside(each))]) {
    if (payment.status !== 'PAID') continue;
    const part = smaller(left, subtract(payment.amount, payment.refunded));
    left = subtract(left, part);
    taken.set(payment, part);
  }
  return payments.map((payment) => ({ ...payment, refunded: add(payment.refunded, taken.get(payment) ?? ZERO) }));
}
