import type Stripe from 'stripe';
import { z } from 'zod';
import type { BillingInvoice } from '../../application/ports/billing.js';
import { type MinorUnits, subtract, ZERO } from '../../domain/money.js';
import type { StripeCall, StripeListing } from './client.js';
import { fromStripeUnits, readCurrency } from './currencies.js';
import { instant, metadata, reference, units, unixSeconds } from './documents.js';
import { LINE_ITEM_ID, OPERATION_ID } from './invoice-body.js';

/** What Stripe calls an invoice that the URL names. */
const SUBJECT = 'invoice';

const invoiceDocument = z.object({
  id: z.string().min(1),
  number: z.string().nullish(),
  status: z.enum(['draft', 'open', 'paid', 'void', 'uncollectible']),
  customer: reference,
  currency: z.string(),
  total: units,
  amount_due: units,
  amount_remaining: units,
  amount_overpaid: units.nullish(),
  amount_paid_off_stripe: units.nullish(),
  pre_payment_credit_notes_amount: units.nullish(),
  post_payment_credit_notes_amount: units.nullish(),
  status_transitions: z.object({ paid_at: instant.nullish() }).nullish(),
  hosted_invoice_url: z.string().nullish(),
  livemode: z.boolean(),
  metadata,
  created: instant,
  lines: z.object({ data: z.array(z.object({ amount: units, metadata })), has_more: z.boolean() }),
});

type InvoiceDocument = z.output<typeof invoiceDocument>;

const STATUS = {
  draft: 'DRAFT',
  open: 'OPEN',
  paid: 'PAID',
  void: 'VOID',
  uncollectible: 'UNCOLLECTIBLE',
} as const satisfies Record<InvoiceDocument['status'], BillingInvoice['status']>;

/** Undefined: no invoice, or amounts that its currency cannot express. */
export function readInvoice(answer: unknown): BillingInvoice | undefined {
  const { data } = invoiceDocument.safeParse(answer);
  return data && toBillingInvoice(data);
}

function toBillingInvoice(document: InvoiceDocument): BillingInvoice | undefined {
  const currency = readCurrency(document.currency);
  if (!currency) return undefined;
  const total = fromStripeUnits(document.total, currency);
  const asked = fromStripeUnits(askedFor(document), currency);
  const remaining = fromStripeUnits(document.amount_remaining, currency);
  const overpaid = fromStripeUnits(document.amount_overpaid ?? 0, currency);
  const lines = document.lines.data.flatMap((line) => {
    const amount = fromStripeUnits(line.amount, currency);
    return amount === undefined ? [] : [{ id: line.metadata?.[LINE_ITEM_ID], amount }];
  });
  if (total === undefined || asked === undefined || remaining === undefined || overpaid === undefined) return undefined;
  if (lines.length !== document.lines.data.length) return undefined;
  const status = isUndone(document) ? 'VOID' : STATUS[document.status];
  return {
    externalId: document.id,
    number: document.number || undefined,
    status,
    customerExternalId: document.customer,
    currency,
    total,
    customerCredit: subtract(total, asked),
    // What a void invoice would have asked for stays written on it.
    balance: status === 'VOID' ? ZERO : subtract(remaining, overpaid),
    url: dashboardPage(document),
    payUrl: webAddress(document.hosted_invoice_url),
    lines,
    hasMoreLines: document.lines.has_more,
    operationId: document.metadata?.[OPERATION_ID],
    createdAt: document.created,
  };
}

/** What it asked for when it was finalised: the total and what the customer's balance did to it. Credit notes lower that later. */
function askedFor({ amount_due, pre_payment_credit_notes_amount: credited }: InvoiceDocument): number {
  return amount_due + (credited ?? 0);
}

/** Stripe voids no paid invoice. One that never asked for anything, and is credited in full, is as good as void. */
function isUndone(document: InvoiceDocument): boolean {
  const { status, total, post_payment_credit_notes_amount: credited } = document;
  return status === 'paid' && askedFor(document) === 0 && total > 0 && (credited ?? 0) >= total;
}

function dashboardPage({ id, livemode }: InvoiceDocument): string {
  return `https://dashboard.stripe.com/${livemode ? '' : 'test/'}invoices/${encodeURIComponent(id)}`;
}

/** It ends up where people click. */
function webAddress(text: string | null | undefined): string | undefined {
  return text && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

export function createDraftCall(params: Stripe.InvoiceCreateParams, idempotencyKey: string): StripeCall<string> {
  return {
    operation: 'create_draft',
    effect: 'write',
    send: (stripe) => stripe.invoices.create(params, { idempotencyKey }),
    read: readId,
  };
}

export function createItemCall(params: Stripe.InvoiceItemCreateParams, idempotencyKey: string): StripeCall<string> {
  return {
    operation: 'create_item',
    effect: 'write',
    subject: SUBJECT,
    send: (stripe) => stripe.invoiceItems.create(params, { idempotencyKey }),
    read: readId,
  };
}

const identified = z.object({ id: z.string().min(1) });

function readId(answer: unknown): string | undefined {
  return identified.safeParse(answer).data?.id;
}

/** Without `auto_advance` Stripe sends nothing and collects nothing by itself. */
export function finalizeCall(externalId: string, idempotencyKey: string): StripeCall<BillingInvoice> {
  return {
    operation: 'finalize_invoice',
    effect: 'write',
    subject: SUBJECT,
    send: (stripe) => stripe.invoices.finalizeInvoice(externalId, { auto_advance: false }, { idempotencyKey }),
    read: readInvoice,
  };
}

export function sendInvoiceCall(externalId: string, idempotencyKey: string): StripeCall<BillingInvoice> {
  return {
    operation: 'send_invoice',
    effect: 'write',
    subject: SUBJECT,
    send: (stripe) => stripe.invoices.sendInvoice(externalId, {}, { idempotencyKey }),
    read: readInvoice,
  };
}

export function voidInvoiceCall(externalId: string, idempotencyKey: string): StripeCall<BillingInvoice> {
  return {
    operation: 'void_invoice',
    effect: 'write',
    subject: SUBJECT,
    send: (stripe) => stripe.invoices.voidInvoice(externalId, {}, { idempotencyKey }),
    read: readInvoice,
  };
}

/** Stripe takes no idempotency key for a deletion, and needs none. */
export function deleteDraftCall(externalId: string): StripeCall<true> {
  return {
    operation: 'delete_draft',
    effect: 'write',
    subject: SUBJECT,
    send: (stripe) => stripe.invoices.del(externalId),
    read: (answer) => z.object({ deleted: z.literal(true) }).safeParse(answer).data?.deleted,
  };
}

/** An invoice, and what of its payments and credits it tells itself. */
export interface FoundInvoice {
  readonly invoice: BillingInvoice;
  /** There are credit notes on it. */
  readonly hasCredits: boolean;
  /** Said to have been paid outside of Stripe. */
  readonly paidOutside: MinorUnits;
  readonly paidAt: Date | undefined;
}

export function readInvoiceCall(externalId: string): StripeCall<FoundInvoice> {
  return {
    operation: 'read_invoice',
    effect: 'read',
    subject: SUBJECT,
    send: (stripe) => stripe.invoices.retrieve(externalId),
    read: (answer) => {
      const { data } = invoiceDocument.safeParse(answer);
      return data && toFoundInvoice(data);
    },
  };
}

function toFoundInvoice(document: InvoiceDocument): FoundInvoice | undefined {
  const invoice = toBillingInvoice(document);
  if (!invoice) return undefined;
  const paidOutside = fromStripeUnits(document.amount_paid_off_stripe ?? 0, invoice.currency);
  if (paidOutside === undefined) return undefined;
  const { pre_payment_credit_notes_amount: before, post_payment_credit_notes_amount: after } = document;
  const hasCredits = Boolean(before) || Boolean(after);
  return { invoice, hasCredits, paidOutside, paidAt: document.status_transitions?.paid_at ?? undefined };
}

const anyInvoice = z.looseObject({ id: z.string().min(1), metadata });

/** Invoices of any content: others use the account, too. */
export function invoicesListing(customer: string, since: Date): StripeListing<z.output<typeof anyInvoice>> {
  return {
    operation: 'find_invoices',
    send: (stripe, page) => stripe.invoices.list({ customer, created: { gte: unixSeconds(since) }, ...page }),
    row: anyInvoice,
  };
}

export function operationIdOf({ metadata: entries }: z.output<typeof anyInvoice>): string | undefined {
  return entries?.[OPERATION_ID];
}
