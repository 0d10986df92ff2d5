import { normalizeOrganizationName } from '../../domain/organization-name.js';
import type { StripeCustomer } from '../../domain/stripe/stripe-customer.entity.js';
import { mayBeUnderWay } from '../operations/provider-operations.js';
import type { BillingCustomer } from '../ports/billing.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import type { StripeContext } from './stripe-context.js';
import {
  claimLink,
  findLink,
  forgetCustomer,
  releaseLink,
  type StripeCustomerSearch,
  storeLink,
} from './stripe-customer-link.js';

/**
 * Stripe's id of the customer that stands for the purchase order's organisation and e-mail address: the linked one, else
 * one that bears the address and the organisation's name, else a new one. A customer of another name is somebody else,
 * e.g. an attendee who bought a ticket for herself, and is left alone.
 */
export async function resolveStripeCustomer(
  context: StripeContext,
  search: StripeCustomerSearch,
): Promise<ProviderResult<string>> {
  const linked = await findLink(context.em, search);
  if (linked?.externalId) return succeeded(linked.externalId);
  // Stripe surely remembers its key: sent again it makes no second one, also while another process is sending it.
  if (linked && mayBeUnderWay(context, linked.firstSentAt)) return create(context, search, linked);
  const found = await findByAddress(context, search);
  if (!found.ok) return found;
  if (found.value) return succeeded(await storeLink(context, search, found.value.externalId));
  const body = context.billing.prepareCustomer(draftOf(search));
  const claimed = (await claimLink(context, search, { body, stale: linked })) ?? (await findLink(context.em, search));
  // Forgotten by somebody at this very moment: then the same from the start.
  return claimed ? create(context, search, claimed) : resolveStripeCustomer(context, search);
}

/**
 * Looks at Stripe for the customer, which proves that Stripe answers and takes the key; creates none. A linked one that is
 * gone is forgotten.
 */
export async function lookForStripeCustomer(
  context: StripeContext,
  search: StripeCustomerSearch,
): Promise<ProviderResult<BillingCustomer | undefined>> {
  const linked = await findLink(context.em, search);
  if (!linked?.externalId) return findByAddress(context, search);
  const found = await context.billing.findCustomer(search.connection.id, linked.externalId);
  if (found.ok && !found.value) await forgetCustomer(context, search, linked.externalId);
  return found;
}

async function create(
  context: StripeContext,
  search: StripeCustomerSearch,
  { id, body, externalId }: Pick<StripeCustomer, 'id' | 'body'> & Partial<Pick<StripeCustomer, 'externalId'>>,
): Promise<ProviderResult<string>> {
  if (externalId) return succeeded(externalId);
  const created = await context.billing.createCustomer(search.connection.id, body, id);
  if (created.ok) return succeeded(await storeLink(context, search, created.value.externalId), created.trace);
  if (created.failure.kind === 'rejected') await releaseLink(context, id);
  return created;
}

/** Stripe compares addresses letter by letter, but a mailbox is mostly known in small letters. */
async function findByAddress(
  { billing }: StripeContext,
  { connection, order }: StripeCustomerSearch,
): Promise<ProviderResult<BillingCustomer | undefined>> {
  const wanted = normalizeOrganizationName(order.organizationName);
  for (const email of new Set([order.contactEmail, order.contactEmail.toLowerCase()])) {
    const found = await billing.findCustomers(connection.id, email);
    if (!found.ok) return found;
    const own = found.value.find(({ normalizedName }) => normalizedName === wanted);
    const namesake = found.value.find(({ name }) => name !== undefined && normalizeOrganizationName(name) === wanted);
    if (own ?? namesake) return succeeded(own ?? namesake, found.trace);
  }
  return succeeded(undefined);
}

function draftOf({ order }: StripeCustomerSearch) {
  return {
    organizationName: order.organizationName,
    contactName: order.contactName,
    email: order.contactEmail,
    billingAddress: order.billingAddress,
    normalizedName: normalizeOrganizationName(order.organizationName),
  };
}
