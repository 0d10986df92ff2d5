import { z } from 'zod';
import type { Address, Customer, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { resourceMissing } from '../errors.js';
import { newId, newNumberPrefix } from '../ids.js';
import {
  changedMetadata,
  email,
  emptyableText,
  integer,
  isInRange,
  list,
  metadata,
  oneOf,
  paging,
  range,
  text,
} from '../params.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { newestFirst, pageOf } from './pages.js';

const addressPart = emptyableText().optional();
const address = z.union([
  z.literal('').transform(() => null),
  z.strictObject({
    line1: addressPart,
    line2: addressPart,
    city: addressPart,
    state: addressPart,
    postal_code: addressPart,
    country: addressPart,
  }),
]);

const customerParams = {
  name: emptyableText(256).optional(),
  email: z.union([z.literal('').transform(() => null), email]).optional(),
  phone: emptyableText(20).optional(),
  description: emptyableText().optional(),
  address: address.optional(),
  metadata: metadata.optional(),
  balance: integer.optional(),
  tax_exempt: oneOf(['none', 'exempt', 'reverse']).optional(),
  preferred_locales: list(text(), 20).optional(),
};
type CustomerParams = z.output<z.ZodObject<typeof customerParams>>;

export const customerEndpoints: readonly Endpoint[] = [
  endpoint('POST', '/v1/customers', {
    takes: customerParams,
    returns: 'customer',
    run: (work, params) => presentCustomer(work, createCustomer(work, params)),
  }),
  endpoint('GET', '/v1/customers', {
    takes: { ...paging, email: text(512).optional(), created: range.optional() },
    returns: 'customer',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/customers',
        kind: 'customer',
        all: newestFirst(work.books.customers),
        // The address is compared letter by letter.
        isWanted: (customer) =>
          !customer.isDeleted &&
          (params.email === undefined || customer.email === params.email) &&
          isInRange(customer.created, params.created),
        present: (customer) => presentCustomer(work, customer),
      }),
  }),
  endpoint('GET', '/v1/customers/:id', {
    takes: {},
    returns: 'customer',
    run: (work, _params, id) => presentCustomer(work, knownCustomer(work, id, 'id', 404)),
  }),
  endpoint('POST', '/v1/customers/:id', {
    takes: customerParams,
    returns: 'customer',
    run: (work, params, id) => {
      const customer = findCustomer(work, id, 'id', 404);
      change(customer, params);
      const presented = presentCustomer(work, customer);
      work.emit('customer.updated', presented);
      return presented;
    },
  }),
  endpoint('DELETE', '/v1/customers/:id', {
    takes: {},
    returns: 'customer',
    run: (work, _params, id) => {
      const customer = findCustomer(work, id, 'id', 404);
      work.emit('customer.deleted', presentCustomer(work, customer));
      customer.isDeleted = true;
      work.books.deleted.set(id, 'customer');
      return presentCustomer(work, customer);
    },
  }),
];

/** A customer that can still be billed. */
export function findCustomer(work: Work, id: string, param = 'customer', status = 400): Customer {
  const customer = knownCustomer(work, id, param, status);
  if (customer.isDeleted) throw resourceMissing('customer', id, param, status);
  return customer;
}

/** A customer that may have been deleted. */
export function knownCustomer(work: Work, id: string, param = 'customer', status = 400): Customer {
  const customer = work.books.customers.get(id);
  if (customer === undefined) throw resourceMissing('customer', id, param, status);
  return customer;
}

function createCustomer(work: Work, params: CustomerParams): Customer {
  const customer: Customer = {
    id: newId('cus', 14),
    created: work.seconds,
    name: null,
    email: null,
    phone: null,
    description: null,
    address: null,
    metadata: {},
    balance: 0,
    currency: null,
    taxExempt: 'none',
    preferredLocales: [],
    invoicePrefix: newNumberPrefix(),
    nextInvoiceSequence: 1,
    isDeleted: false,
  };
  change(customer, params);
  work.add('customers', work.books.customers, customer);
  work.emit('customer.created', presentCustomer(work, customer));
  return customer;
}

function change(customer: Customer, params: CustomerParams): void {
  if (params.name !== undefined) customer.name = params.name;
  if (params.email !== undefined) customer.email = params.email;
  if (params.phone !== undefined) customer.phone = params.phone;
  if (params.description !== undefined) customer.description = params.description;
  if (params.address !== undefined) customer.address = params.address && wholeAddress(params.address);
  if (params.balance !== undefined) customer.balance = params.balance;
  if (params.tax_exempt !== undefined) customer.taxExempt = params.tax_exempt;
  if (params.preferred_locales !== undefined) customer.preferredLocales = params.preferred_locales;
  customer.metadata = changedMetadata(customer.metadata, params.metadata);
}

function wholeAddress(given: NonNullable<z.output<typeof address>>): Address {
  return {
    city: given.city ?? null,
    country: given.country ?? null,
    line1: given.line1 ?? null,
    line2: given.line2 ?? null,
    postal_code: given.postal_code ?? null,
    state: given.state ?? null,
  };
}

export function presentCustomer({ settings }: Work, customer: Customer): JsonObject {
  if (customer.isDeleted) return { id: customer.id, object: 'customer', deleted: true };
  return {
    id: customer.id,
    object: 'customer',
    address: customer.address,
    balance: customer.balance,
    created: customer.created,
    currency: customer.currency,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: customer.description,
    discount: null,
    email: customer.email,
    invoice_prefix: customer.invoicePrefix,
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: settings.livemode,
    metadata: { ...customer.metadata },
    name: customer.name,
    next_invoice_sequence: customer.nextInvoiceSequence,
    phone: customer.phone,
    preferred_locales: customer.preferredLocales,
    shipping: null,
    tax_exempt: customer.taxExempt,
    test_clock: null,
  };
}
