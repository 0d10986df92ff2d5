import Stripe from 'stripe';
import { z } from 'zod';
import type { BillingInvoiceDraft, PreparedInvoice } from '../../application/ports/billing.js';
import { sum } from '../../domain/money.js';
import { cut, linesOf, singleLine } from '../text.js';
import { type AmountCheck, checkAmount, checkCurrency, checkTotal, toStripeUnits } from './currencies.js';
import { MAX_METADATA } from './customers.js';
import { dueParams } from './due-date.js';

const MAX_ITEMS = 250;
const MAX_ITEM_DESCRIPTION = 500;
const MAX_CUSTOM_FIELD = 140;
const MAX_FOOTER = 5000;

/** The operation that an invoice comes from, in its metadata: by it the invoice is found again. */
export const OPERATION_ID = 'operation_id';
/** Our line, in the metadata of Stripe's. */
export const LINE_ITEM_ID = 'line_item_id';

/**
 * Everything that will be sent, as one text. It takes nothing from the customer that would change its total: neither a
 * discount nor items that wait for the next invoice.
 */
export function prepareInvoice(draft: BillingInvoiceDraft, now: Date): PreparedInvoice {
  const { lines } = draft;
  if (lines.length > MAX_ITEMS) {
    const message = `Stripe invoices have at most ${MAX_ITEMS} lines, and this one would have ${lines.length}.`;
    return { ok: false, reason: 'too_many_lines', message };
  }
  const problem = findProblem(draft);
  if (problem) return { ok: false, reason: 'amount', message: problem };
  const currency = draft.currency.toLowerCase();
  const { customerExternalId: customer } = draft;
  const invoice: Stripe.InvoiceCreateParams = {
    customer,
    currency,
    collection_method: 'send_invoice',
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude',
    discounts: '',
    ...dueParams(draft, now),
    custom_fields: customFields(draft),
    footer: footer(draft),
    metadata: metadataOf(draft),
  };
  const items = lines.map((line) => ({
    customer,
    currency,
    description: cut(singleLine(line.description), MAX_ITEM_DESCRIPTION),
    quantity: line.quantity,
    // As a decimal: a price per piece may be finer than Stripe's unit where the line's amount is not.
    unit_amount_decimal: toStripeUnits(line.unitPrice, draft.currency),
    metadata: { [LINE_ITEM_ID]: line.id },
  }));
  return { ok: true, body: JSON.stringify({ invoice, items } satisfies { invoice: object; items: ItemParams[] }) };
}

function findProblem({ currency, lines }: BillingInvoiceDraft): string | undefined {
  const total = () => checkTotal(sum(lines.map(({ amount }) => amount)), currency);
  const checks: (() => AmountCheck)[] = [
    () => checkCurrency(currency),
    ...lines.map(
      ({ amount }) =>
        () =>
          checkAmount(amount, currency),
    ),
    total,
  ];
  for (const check of checks) {
    const checked = check();
    if (!checked.ok) return checked.message;
  }
  return undefined;
}

/** The buyer's accounts department reads these on the face of the invoice. */
function customFields(draft: BillingInvoiceDraft): Stripe.InvoiceCreateParams.CustomField[] {
  return [
    { name: 'Purchase order', value: draft.reference },
    { name: 'Your reference', value: draft.buyerReference },
    { name: 'Contact', value: draft.contactName },
  ]
    .map(({ name, value }) => ({ name, value: cut(singleLine(value), MAX_CUSTOM_FIELD) }))
    .filter(({ value }) => value !== '');
}

/** What Stripe prints of the customer may be years old: whom this order names stands here. */
function footer(draft: BillingInvoiceDraft): string {
  const names = [draft.conferenceName, 'Bill to:', draft.organizationName, draft.contactName].map(singleLine);
  return cut([...names.filter(Boolean), ...linesOf(draft.billingAddress)].join('\n'), MAX_FOOTER);
}

function metadataOf(draft: BillingInvoiceDraft): Record<string, string> {
  return {
    purchase_order_id: draft.purchaseOrderId,
    purchase_order_ref: draft.reference,
    conference_slug: cut(draft.conferenceSlug, MAX_METADATA),
    [OPERATION_ID]: draft.operationId,
  };
}

/** An item as stored: a decimal is a text until it is sent. */
type ItemParams = Omit<Stripe.InvoiceItemCreateParams, 'unit_amount_decimal'> & {
  readonly unit_amount_decimal: string;
};

const storedBody = z.object({
  invoice: z.custom<Stripe.InvoiceCreateParams & { customer: string }>(
    (value) => z.object({ customer: z.string().min(1) }).safeParse(value).success,
  ),
  items: z.array(
    z.custom<ItemParams>((value) => z.object({ unit_amount_decimal: z.string() }).safeParse(value).success),
  ),
});

export interface InvoiceParams {
  readonly invoice: Stripe.InvoiceCreateParams & { readonly customer: string };
  readonly items: readonly Stripe.InvoiceItemCreateParams[];
}

/** Reads a text of `prepareInvoice`. */
export function readInvoiceBody(body: string): InvoiceParams {
  const { invoice, items } = storedBody.parse(JSON.parse(body));
  return {
    invoice,
    items: items.map((item) => ({ ...item, unit_amount_decimal: Stripe.Decimal.from(item.unit_amount_decimal) })),
  };
}
