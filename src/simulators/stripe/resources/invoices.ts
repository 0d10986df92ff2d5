import { z } from 'zod';
import type { Invoice, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { InvalidParameters, invalidRequest, resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import {
  changedMetadata,
  currency,
  emptyableList,
  emptyableText,
  flag,
  id,
  integer,
  isInRange,
  metadata,
  oneOf,
  paging,
  range,
  text,
} from '../params.js';
import { findCustomer } from './customers.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { itemsOf } from './invoice-amounts.js';
import { newestFirst, pageOf } from './pages.js';
import { changedAttributes, presentInvoice, presentLine } from './present-invoice.js';

const DAY_SECONDS = 24 * 3600;

const collectionMethod = oneOf(['charge_automatically', 'send_invoice']);
const contentParams = {
  collection_method: collectionMethod.optional(),
  days_until_due: integer.refine((value) => value >= 0, 'Invalid non-negative integer').optional(),
  due_date: integer.optional(),
  auto_advance: flag.optional(),
  description: emptyableText(1500).optional(),
  footer: emptyableText().optional(),
  number: emptyableText(26).optional(),
  custom_fields: emptyableList(z.strictObject({ name: text(40), value: text(140) }), 4).optional(),
  payment_settings: z.strictObject({ payment_method_types: emptyableList(text(), 50).optional() }).optional(),
  metadata: metadata.optional(),
};
type ContentParams = z.output<z.ZodObject<typeof contentParams>>;

const createParams = {
  ...contentParams,
  customer: id,
  currency: currency.optional(),
  /** There are no coupons here: all that can be said is that none of the customer's counts. */
  discounts: z.literal('').optional(),
  pending_invoice_items_behavior: oneOf(['exclude', 'include']).default('exclude'),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

export const invoiceEndpoints: readonly Endpoint[] = [
  endpoint('POST', '/v1/invoices', {
    takes: createParams,
    returns: 'invoice',
    run: (work, params) => presentInvoice(work, createInvoice(work, params)),
  }),
  endpoint('GET', '/v1/invoices', {
    takes: {
      ...paging,
      customer: id.optional(),
      status: oneOf(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
      collection_method: collectionMethod.optional(),
      created: range.optional(),
      due_date: range.optional(),
    },
    returns: 'invoice',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/invoices',
        kind: 'invoice',
        all: newestFirst(work.books.invoices),
        isWanted: (invoice) =>
          (params.customer === undefined || invoice.customer === params.customer) &&
          (params.status === undefined || invoice.status === params.status) &&
          (params.collection_method === undefined || invoice.collectionMethod === params.collection_method) &&
          isInRange(invoice.created, params.created) &&
          (params.due_date === undefined || (invoice.dueDate !== null && isInRange(invoice.dueDate, params.due_date))),
        present: (invoice) => presentInvoice(work, invoice),
      }),
  }),
  endpoint('GET', '/v1/invoices/:id', {
    takes: {},
    returns: 'invoice',
    run: (work, _params, id) => presentInvoice(work, findInvoice(work, id)),
  }),
  endpoint('POST', '/v1/invoices/:id', {
    takes: contentParams,
    returns: 'invoice',
    run: (work, params, id) => updateInvoice(work, findInvoice(work, id), params),
  }),
  endpoint('DELETE', '/v1/invoices/:id', {
    takes: {},
    returns: 'invoice',
    run: (work, _params, id) => deleteDraft(work, findInvoice(work, id)),
  }),
  endpoint('GET', '/v1/invoices/:id/lines', {
    takes: { ...paging },
    returns: 'line_item',
    returnsList: true,
    run: (work, params, id) =>
      pageOf(params, {
        url: `/v1/invoices/${id}/lines`,
        kind: 'line item',
        all: itemsOf(work, findInvoice(work, id)).map((item) => ({ id: item.lineId, item })),
        present: ({ item }) => presentLine(work, item),
      }),
  }),
];

export function findInvoice({ books }: Work, id: string, param = 'id', status = 404): Invoice {
  const invoice = books.invoices.get(id);
  if (invoice === undefined) throw resourceMissing('invoice', id, param, status);
  return invoice;
}

/** Makes a change to an invoice and announces it. */
export function changingInvoice(work: Work, invoice: Invoice, change: () => void): JsonObject {
  const before = presentInvoice(work, invoice);
  change();
  const after = presentInvoice(work, invoice);
  work.emit('invoice.updated', after, changedAttributes(before, after));
  return after;
}

function createInvoice(work: Work, params: CreateParams): Invoice {
  const method = params.collection_method ?? 'charge_automatically';
  checkDue(work, method, params);
  if (method === 'send_invoice' && params.days_until_due === undefined && params.due_date === undefined) {
    throw invalidDue('You must specify `days_until_due` or `due_date` when `collection_method` is `send_invoice`.');
  }
  const customer = findCustomer(work, params.customer);
  if (method === 'send_invoice' && customer.email === null) {
    throw invalidRequest(
      'Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email.',
      { code: 'customer_missing_email', param: 'customer' },
    );
  }
  const code = params.currency ?? customer.currency ?? work.settings.defaultCurrency;
  const invoice: Invoice = {
    id: newId('in'),
    created: work.seconds,
    customer: customer.id,
    currency: code,
    status: 'draft',
    collectionMethod: method,
    daysUntilDue: null,
    dueDate: null,
    autoAdvance: false,
    description: null,
    footer: null,
    customFields: null,
    paymentMethodTypes: null,
    metadata: {},
    number: null,
    addressee: null,
    items: [],
    startingBalance: 0,
    endingBalance: null,
    finalizedAt: null,
    paidAt: null,
    voidedAt: null,
    uncollectibleAt: null,
    attemptCount: 0,
    paidOffStripe: 0,
  };
  checkNumber(work, invoice, params.number);
  change(work, invoice, params);
  work.add('invoices', work.books.invoices, invoice);
  customer.currency ??= code;
  if (params.pending_invoice_items_behavior === 'include') takePending(work, invoice);
  work.emit('invoice.created', presentInvoice(work, invoice));
  return invoice;
}

/** The newest of them comes first, unlike items that are added later. */
function takePending({ books }: Work, invoice: Invoice): void {
  for (const item of newestFirst(books.invoiceItems)) {
    if (item.invoice !== null || item.customer !== invoice.customer || item.currency !== invoice.currency) continue;
    item.invoice = invoice.id;
    invoice.items.push(item.id);
  }
}

function updateInvoice(work: Work, invoice: Invoice, params: ContentParams): JsonObject {
  if (invoice.status !== 'draft') {
    const editable = new Set(['auto_advance', 'metadata', 'expand']);
    const refused = Object.entries(params).find(([name, value]) => value !== undefined && !editable.has(name));
    if (refused !== undefined) {
      const message = "Finalized invoices can't be updated in this way";
      throw invalidRequest(message, { code: 'invoice_not_editable', param: refused[0] });
    }
  }
  checkDue(work, params.collection_method ?? invoice.collectionMethod, params);
  checkNumber(work, invoice, params.number);
  return changingInvoice(work, invoice, () => change(work, invoice, params));
}

function change(work: Work, invoice: Invoice, params: ContentParams): void {
  if (params.collection_method !== undefined) invoice.collectionMethod = params.collection_method;
  if (params.auto_advance !== undefined) invoice.autoAdvance = params.auto_advance;
  if (params.description !== undefined) invoice.description = params.description;
  if (params.footer !== undefined) invoice.footer = params.footer;
  if (params.number !== undefined) invoice.number = params.number;
  if (params.custom_fields !== undefined) invoice.customFields = params.custom_fields;
  const methods = params.payment_settings?.payment_method_types;
  if (methods !== undefined) invoice.paymentMethodTypes = methods;
  if (params.days_until_due !== undefined) {
    invoice.daysUntilDue = params.days_until_due;
    invoice.dueDate = work.seconds + params.days_until_due * DAY_SECONDS;
  } else if (params.due_date !== undefined) {
    invoice.daysUntilDue = null;
    invoice.dueDate = params.due_date;
  }
  invoice.metadata = changedMetadata(invoice.metadata, params.metadata);
}

/** Days until an invoice is due count from its finalisation. */
export function finalDueDate(work: Work, { daysUntilDue, dueDate }: Invoice): number | null {
  return daysUntilDue === null ? dueDate : work.seconds + daysUntilDue * DAY_SECONDS;
}

function checkDue(work: Work, method: string, { days_until_due: days, due_date: date }: ContentParams): void {
  if (days !== undefined && date !== undefined) {
    throw invalidDue('You may only specify one of these parameters: days_until_due, due_date.');
  }
  if (method !== 'send_invoice' && (days !== undefined || date !== undefined)) {
    throw invalidDue('You can only set `days_until_due` or `due_date` when `collection_method` is `send_invoice`.');
  }
  if (date !== undefined && date <= work.seconds) throw invalidDue('Invalid due_date: must be in the future.');
}

function invalidDue(message: string): InvalidParameters {
  return new InvalidParameters(message, { param: 'due_date' });
}

function checkNumber({ books }: Work, invoice: Invoice, number: string | null | undefined): void {
  if (number === null || number === undefined) return;
  const isTaken = [...books.invoices.values()].some((each) => each !== invoice && each.number === number);
  if (isTaken) throw invalidRequest(`The invoice number '${number}' is already in use.`, { param: 'number' });
}

/** Final: the invoice is gone, with its items. */
export function deleteDraft(work: Work, invoice: Invoice): JsonObject {
  if (invoice.status !== 'draft') throw invalidRequest('You can only delete draft invoices.');
  work.emit('invoice.deleted', presentInvoice(work, invoice));
  for (const item of invoice.items) work.books.invoiceItems.delete(item);
  work.books.invoices.delete(invoice.id);
  work.books.deleted.set(invoice.id, 'invoice');
  return { id: invoice.id, object: 'invoice', deleted: true };
}
