import type Stripe from 'stripe';
import { z } from 'zod';
import type { BillingCustomer, BillingCustomerDraft } from '../../application/ports/billing.js';
import { cut, linesOf, singleLine } from '../text.js';
import type { StripeCall, StripeListing } from './client.js';
import { metadata } from './documents.js';

const MAX_NAME = 256;
const MAX_DESCRIPTION = 350;
const MAX_ADDRESS_LINE = 500;
export const MAX_METADATA = 500;

/** What will be sent, as a text. Absent texts are left out: Stripe takes `""` for an error. */
export function customerBody(draft: BillingCustomerDraft): string {
  const contactName = singleLine(draft.contactName);
  const params: Stripe.CustomerCreateParams = {
    name: cut(singleLine(draft.organizationName), MAX_NAME),
    email: draft.email.trim(),
    ...(contactName !== '' && { description: cut(`Contact: ${contactName}`, MAX_DESCRIPTION) }),
    ...address(draft.billingAddress),
    metadata: { [NORMALIZED_NAME]: cut(draft.normalizedName, MAX_METADATA) },
  };
  return JSON.stringify(params);
}

const NORMALIZED_NAME = 'normalized_name';

/** Free text: which part is the town, nobody knows, and Stripe prints the lines as they come. */
function address(text: string): Pick<Stripe.CustomerCreateParams, 'address'> {
  const [first, ...others] = linesOf(text);
  if (first === undefined) return {};
  const second = cut(others.join(', '), MAX_ADDRESS_LINE);
  return { address: { line1: cut(first, MAX_ADDRESS_LINE), ...(second !== '' && { line2: second }) } };
}

const customer = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  email: z.string().nullish(),
  metadata,
});

export function createCustomerCall(body: string, idempotencyKey: string): StripeCall<BillingCustomer> {
  const params: Stripe.CustomerCreateParams = JSON.parse(body);
  return {
    operation: 'create_customer',
    effect: 'write',
    send: (stripe) => stripe.customers.create(params, { idempotencyKey }),
    read: (answer) => {
      const { data } = customer.safeParse(answer);
      return data && toBillingCustomer(data);
    },
  };
}

const foundCustomer = z.union([z.object({ deleted: z.literal(true) }), customer]);

/** Of a deleted customer Stripe still knows the id. */
export function readCustomerCall(externalId: string): StripeCall<BillingCustomer | 'deleted'> {
  return {
    operation: 'read_customer',
    effect: 'read',
    subject: 'customer',
    send: (stripe) => stripe.customers.retrieve(externalId),
    read: (answer) => {
      const { data } = foundCustomer.safeParse(answer);
      return data && ('deleted' in data ? 'deleted' : toBillingCustomer(data));
    },
  };
}

/** Stripe compares the addresses letter by letter. */
export function customersListing(email: string): StripeListing<z.output<typeof customer>> {
  return {
    operation: 'find_customers',
    send: (stripe, page) => stripe.customers.list({ email, ...page }),
    row: customer,
  };
}

export function toBillingCustomer(document: z.output<typeof customer>): BillingCustomer {
  return {
    externalId: document.id,
    name: document.name ?? undefined,
    email: document.email ?? undefined,
    normalizedName: document.metadata?.[NORMALIZED_NAME],
  };
}
