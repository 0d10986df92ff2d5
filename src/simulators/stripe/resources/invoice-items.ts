import { z } from 'zod';
import type { Invoice, InvoiceItem, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { checkAmount } from '../currencies.js';
import { InvalidParameters, invalidRequest, resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import {
  changedMetadata,
  currency,
  decimal,
  emptyableText,
  flag,
  id,
  integer,
  isInRange,
  metadata,
  paging,
  range,
} from '../params.js';
import { multiply, plainDecimal, type Units } from '../units.js';
import { findCustomer } from './customers.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { changingInvoice, findInvoice } from './invoices.js';
import { newestFirst, pageOf } from './pages.js';

/** Of the provider. */
const MAX_ITEMS = 250;

const itemParams = {
  customer: id.optional(),
  invoice: id.optional(),
  currency: currency.optional(),
  description: emptyableText().optional(),
  /** The whole amount, or a price for one. */
  amount: integer.optional(),
  quantity: integer.refine((value) => value >= 0, 'Invalid non-negative integer').optional(),
  unit_amount_decimal: decimal.optional(),
  price_data: z
    .strictObject({ currency, product: id, unit_amount: integer.optional(), unit_amount_decimal: decimal.optional() })
    .optional(),
  metadata: metadata.optional(),
  period: z.strictObject({ start: integer, end: integer }).optional(),
};
type ItemParams = z.output<z.ZodObject<typeof itemParams>>;

export const invoiceItemEndpoints: readonly Endpoint[] = [
  endpoint('POST', '/v1/invoiceitems', {
    takes: itemParams,
    returns: 'invoiceitem',
    run: (work, params) => presentItem(work, createItem(work, params)),
  }),
  endpoint('GET', '/v1/invoiceitems', {
    takes: {
      ...paging,
      customer: id.optional(),
      invoice: id.optional(),
      pending: flag.optional(),
      created: range.optional(),
    },
    returns: 'invoiceitem',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/invoiceitems',
        kind: 'invoiceitem',
        all: newestFirst(work.books.invoiceItems),
        isWanted: (item) =>
          (params.customer === undefined || item.customer === params.customer) &&
          (params.invoice === undefined || item.invoice === params.invoice) &&
          (params.pending === undefined || (item.invoice === null) === params.pending) &&
          isInRange(item.date, params.created),
        present: (item) => presentItem(work, item),
      }),
  }),
  endpoint('GET', '/v1/invoiceitems/:id', {
    takes: {},
    returns: 'invoiceitem',
    run: (work, _params, id) => presentItem(work, findItem(work, id)),
  }),
  endpoint('DELETE', '/v1/invoiceitems/:id', {
    takes: {},
    returns: 'invoiceitem',
    run: (work, _params, id) => deleteItem(work, findItem(work, id)),
  }),
];

function findItem({ books }: Work, id: string): InvoiceItem {
  const item = books.invoiceItems.get(id);
  if (item === undefined) throw resourceMissing('invoiceitem', id, 'id');
  return item;
}

function createItem(work: Work, params: ItemParams): InvoiceItem {
  checkTogether(params);
  const invoice = params.invoice === undefined ? undefined : draftFor(work, params.invoice);
  const customer = findCustomer(work, params.customer ?? invoice?.customer ?? '');
  if (invoice !== undefined && invoice.customer !== customer.id) {
    throw invalidRequest(`The customer of the invoice is ${invoice.customer}`, { param: 'customer' });
  }
  const code = params.currency ?? invoice?.currency ?? work.settings.defaultCurrency;
  if (invoice !== undefined && invoice.currency !== code) {
    const message = `The currency of the invoice item (${code}) must match the invoice's (${invoice.currency})`;
    throw invalidRequest(message, { param: 'currency' });
  }
  if (params.price_data !== undefined) {
    throw resourceMissing('product', params.price_data.product, 'price_data[product]', 400);
  }
  const priced = price(params, code);
  const item: InvoiceItem = {
    id: newId('ii'),
    lineId: newId('il'),
    date: work.seconds,
    customer: customer.id,
    currency: code,
    invoice: invoice?.id ?? null,
    ...priced,
    description: params.description ?? null,
    metadata: changedMetadata({}, params.metadata),
    period: params.period ?? { start: work.seconds, end: work.seconds },
  };
  work.add('invoiceItems', work.books.invoiceItems, item);
  work.emit('invoiceitem.created', presentItem(work, item));
  if (invoice !== undefined) changingInvoice(work, invoice, () => invoice.items.push(item.id));
  return item;
}

function checkTogether({
  customer,
  invoice,
  amount,
  quantity,
  unit_amount_decimal: unitAmount,
  price_data,
}: ItemParams) {
  if (customer === undefined && invoice === undefined) throw missing('customer');
  if (amount === undefined && unitAmount === undefined && price_data === undefined) throw missing('amount');
  const prices = Object.entries({ amount, unit_amount_decimal: unitAmount, price_data }).filter(
    ([, value]) => value !== undefined,
  );
  const exclusive = prices.length > 1 ? prices.map(([name]) => name) : ['amount', 'quantity'];
  if (prices.length > 1 || (amount !== undefined && quantity !== undefined)) {
    throw new InvalidParameters(`You may only specify one of these parameters: ${exclusive.join(', ')}.`, {
      code: 'parameters_exclusive',
    });
  }
}

function missing(param: string): InvalidParameters {
  return new InvalidParameters(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
}

type Priced = Pick<InvoiceItem, 'amount' | 'quantity' | 'unitAmountDecimal'>;

function price({ amount, quantity = 1, unit_amount_decimal: unitAmount }: ItemParams, code: string): Priced {
  if (unitAmount === undefined) return { ...wholePrice(checkAmount(amount ?? 0, code, 'amount')) };
  const product = multiply(unitAmount, quantity) ?? Number.MAX_SAFE_INTEGER;
  return {
    amount: checkAmount(product, code, 'unit_amount_decimal'),
    quantity,
    unitAmountDecimal: unitAmount,
  };
}

function wholePrice(amount: Units): Priced {
  return { amount, quantity: 1, unitAmountDecimal: `${amount}` };
}

function draftFor(work: Work, id: string): Invoice {
  const invoice = findInvoice(work, id, 'invoice', 400);
  if (invoice.status !== 'draft') {
    const message = 'You can only add invoice items to a draft invoice.';
    throw invalidRequest(message, { code: 'invoice_not_editable', param: 'invoice' });
  }
  if (invoice.items.length >= MAX_ITEMS) {
    throw invalidRequest(`An invoice can have at most ${MAX_ITEMS} items.`, { param: 'invoice' });
  }
  return invoice;
}

function deleteItem(work: Work, item: InvoiceItem): JsonObject {
  const invoice = item.invoice === null ? undefined : findInvoice(work, item.invoice);
  if (invoice !== undefined && invoice.status !== 'draft') {
    const message = 'You can only delete invoice items that are not on a finalized invoice.';
    throw invalidRequest(message, { code: 'invoice_not_editable' });
  }
  const presented = presentItem(work, item);
  const remove = () => {
    work.books.invoiceItems.delete(item.id);
    work.books.deleted.set(item.id, 'invoiceitem');
    if (invoice !== undefined) invoice.items = invoice.items.filter((each) => each !== item.id);
  };
  if (invoice === undefined) remove();
  else changingInvoice(work, invoice, remove);
  work.emit('invoiceitem.deleted', presented);
  return { id: item.id, object: 'invoiceitem', deleted: true };
}

export function presentItem({ settings }: Work, item: InvoiceItem): JsonObject {
  return {
    id: item.id,
    object: 'invoiceitem',
    amount: item.amount,
    currency: item.currency,
    customer: item.customer,
    customer_account: null,
    date: item.date,
    description: item.description,
    discountable: true,
    discounts: [],
    invoice: item.invoice,
    livemode: settings.livemode,
    metadata: { ...item.metadata },
    net_amount: item.amount,
    parent: null,
    period: { ...item.period },
    pricing: { type: 'price_details', unit_amount_decimal: plainDecimal(item.unitAmountDecimal) },
    proration: false,
    quantity: item.quantity,
    quantity_decimal: `${item.quantity}`,
    tax_rates: [],
    test_clock: null,
  };
}
