import { z } from 'zod';

/** Amounts are whole numbers of Stripe's own units, which are minor units in the currencies of these stories. */
const units = z.int();
const seconds = z.int();

const invoice = z.object({
  id: z.string(),
  status: z.enum(['draft', 'open', 'paid', 'void', 'uncollectible']),
  number: z.string().nullable(),
  customer: z.string(),
  currency: z.string(),
  total: units,
  amount_remaining: units,
  amount_due: units,
  pre_payment_credit_notes_amount: units,
  /** Received outside of Stripe. */
  amount_paid_off_stripe: units,
  status_transitions: z.object({ paid_at: seconds.nullable() }),
  hosted_invoice_url: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  lines: z.array(z.object({ amount: units })),
});

const invoicePayment = z.object({
  id: z.string(),
  invoice: z.string(),
  status: z.enum(['open', 'paid', 'canceled']),
  amount_paid: units.nullable(),
  amount_requested: units,
  payment: z.object({ payment_intent: z.string().optional() }),
  status_transitions: z.object({ paid_at: seconds.nullable() }),
});

const paymentIntent = z.object({ id: z.string(), status: z.string(), latest_charge: z.string().nullable() });
const charge = z.object({
  id: z.string(),
  payment_intent: z.string(),
  amount: units,
  amount_refunded: units,
  status: z.string(),
});
const refund = z.object({ id: z.string(), charge: z.string(), amount: units, status: z.string() });
const dispute = z.object({ id: z.string(), charge: z.string(), amount: units, status: z.string() });
const creditNote = z.object({
  id: z.string(),
  invoice: z.string(),
  pre_payment_amount: units,
  /** Given back outside of Stripe. */
  out_of_band_amount: units.nullable(),
  status: z.string(),
});

const books = z.object({
  accountId: z.string(),
  customers: z.array(z.object({ id: z.string(), name: z.string().nullable(), email: z.string().nullable() })),
  invoices: z.array(invoice),
  invoicePayments: z.array(invoicePayment),
  paymentIntents: z.array(paymentIntent),
  charges: z.array(charge),
  refunds: z.array(refund),
  disputes: z.array(dispute),
  creditNotes: z.array(creditNote),
  deleted: z.array(z.object({ id: z.string(), type: z.string() })),
  /** What the simulator alone knows: every e-mail that really went out. */
  emails: z.array(z.object({ invoice: z.string(), email: z.string() })),
});

export type StripeBooks = Readonly<z.output<typeof books>>;
export type StripeInvoice = StripeBooks['invoices'][number];
export type StripePayment = StripeBooks['invoicePayments'][number];
export type StripeCharge = StripeBooks['charges'][number];

/** Reads the answer of the simulator's `GET /__control/books`. */
export function readStripeBooks(answer: unknown): StripeBooks {
  return books.parse(answer);
}

/** It can be paid, or was. */
export function isLive({ status }: StripeInvoice): boolean {
  return status !== 'draft' && status !== 'void';
}

/** The charge through which a payment of an invoice came, if it came through Stripe. */
export function chargeOf(
  { payment }: StripePayment,
  { paymentIntents, charges }: StripeBooks,
): StripeCharge | undefined {
  const intent = paymentIntents.find(({ id }) => id === payment.payment_intent);
  return charges.find(({ id }) => id === intent?.latest_charge);
}

/** A bank debit that is on its way. */
export function isProcessing({ status, payment }: StripePayment, { paymentIntents }: StripeBooks): boolean {
  return (
    status === 'open' &&
    paymentIntents.some((each) => each.id === payment.payment_intent && each.status === 'processing')
  );
}
