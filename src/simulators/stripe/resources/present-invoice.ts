import type { Addressee, Invoice, InvoiceItem, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { plainDecimal } from '../units.js';
import { amountsOf, itemsOf } from './invoice-amounts.js';

/** How many lines come with the invoice itself. */
const LINES_SHOWN = 10;

/** The invoice as the API and the events show it. */
export function presentInvoice(work: Work, invoice: Invoice): JsonObject {
  const { settings } = work;
  const amounts = amountsOf(work, invoice);
  const isFinal = invoice.finalizedAt !== null;
  const addressee = invoice.addressee ?? addresseeNow(work, invoice);
  return {
    id: invoice.id,
    object: 'invoice',
    account_country: settings.country,
    account_name: settings.name,
    account_tax_ids: null,
    amount_due: amounts.due,
    amount_overpaid: amounts.overpaid,
    amount_paid: amounts.paid,
    amount_paid_off_stripe: invoice.paidOffStripe,
    amount_remaining: amounts.remaining,
    amount_shipping: 0,
    application: null,
    attempt_count: invoice.attemptCount,
    attempted: invoice.attemptCount > 0 || invoice.status === 'paid',
    auto_advance: invoice.autoAdvance,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: 'manual',
    collection_method: invoice.collectionMethod,
    created: invoice.created,
    currency: invoice.currency,
    custom_fields: invoice.customFields,
    customer: invoice.customer,
    customer_account: null,
    customer_address: addressee.address,
    customer_email: addressee.email,
    customer_name: addressee.name,
    customer_phone: addressee.phone,
    customer_shipping: null,
    customer_tax_exempt: addressee.taxExempt,
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: invoice.description,
    discounts: [],
    due_date: invoice.dueDate,
    effective_at: invoice.finalizedAt,
    ending_balance: invoice.endingBalance,
    footer: invoice.footer,
    from_invoice: null,
    ...(isFinal ? pagesOf(work, invoice) : { hosted_invoice_url: null, invoice_pdf: null }),
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: linesOf(work, invoice),
    livemode: settings.livemode,
    metadata: { ...invoice.metadata },
    next_payment_attempt: null,
    number: invoice.number,
    on_behalf_of: null,
    parent: null,
    payment_settings: {
      default_mandate: null,
      payment_method_options: null,
      payment_method_types: invoice.paymentMethodTypes,
    },
    period_end: invoice.created,
    period_start: invoice.created,
    post_payment_credit_notes_amount: amounts.creditedAfter,
    pre_payment_credit_notes_amount: amounts.creditedBefore,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: amounts.startingBalance,
    statement_descriptor: null,
    status: invoice.status,
    status_transitions: {
      finalized_at: invoice.finalizedAt,
      marked_uncollectible_at: invoice.uncollectibleAt,
      paid_at: invoice.paidAt,
      voided_at: invoice.voidedAt,
    },
    subtotal: amounts.total,
    subtotal_excluding_tax: amounts.total,
    test_clock: null,
    total: amounts.total,
    total_discount_amounts: [],
    total_excluding_tax: amounts.total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: invoice.created,
  };
}

/** What a draft shows about its customer changes with the customer. */
export function addresseeNow({ books }: Work, invoice: Invoice): Addressee {
  const customer = books.customers.get(invoice.customer);
  if (customer === undefined) throw new Error(`${invoice.id} has no customer`);
  const { name, email, phone, address, taxExempt } = customer;
  return { name, email, phone, address, taxExempt };
}

function pagesOf({ settings }: Work, invoice: Invoice): JsonObject {
  const secret = Buffer.from(invoice.id).toString('base64url');
  const mode = settings.livemode ? 'live' : 'test';
  const page = `${settings.accountId}/${mode}_${secret}`;
  return {
    hosted_invoice_url: `https://invoice.stripe.com/i/${page}?s=ap`,
    invoice_pdf: `https://pay.stripe.com/invoice/${page}/pdf?s=ap`,
  };
}

function linesOf(work: Work, invoice: Invoice): JsonObject {
  const items = itemsOf(work, invoice);
  const shown = items.slice(0, LINES_SHOWN);
  return {
    object: 'list',
    data: shown.map((item) => presentLine(work, item)),
    has_more: items.length > shown.length,
    total_count: items.length,
    url: `/v1/invoices/${invoice.id}/lines`,
  };
}

export function presentLine({ settings }: Work, item: InvoiceItem): JsonObject {
  return {
    id: item.lineId,
    object: 'line_item',
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: item.invoice,
    livemode: settings.livemode,
    metadata: { ...item.metadata },
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration: false,
        proration_details: { credited_items: null },
        subscription: null,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: { ...item.period },
    pretax_credit_amounts: [],
    pricing: { type: 'price_details', unit_amount_decimal: plainDecimal(item.unitAmountDecimal) },
    quantity: item.quantity,
    quantity_decimal: `${item.quantity}`,
    subscription: null,
    subtotal: item.amount,
    taxes: [],
  };
}

/** What `previous_attributes` of an update says. */
export function changedAttributes(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(before).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(after[name])),
  );
}
