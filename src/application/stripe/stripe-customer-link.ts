import type { EntityManager } from '@mikro-orm/postgresql';
import { normalizeOrganizationName } from '../../domain/organization-name.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { accountCompanyId, type StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { StripeCustomer } from '../../domain/stripe/stripe-customer.entity.js';
import { recording } from '../transaction.js';
import type { StripeContext } from './stripe-context.js';

export interface StripeCustomerSearch {
  readonly connection: StripeConnection;
  readonly order: PurchaseOrder;
}

/** The customer that stands for the organisation and the address, or the intent to create it. */
export async function findLink(em: EntityManager, search: StripeCustomerSearch): Promise<StripeCustomer | null> {
  return em.fork().findOne(StripeCustomer, keyOf(search));
}

/** People write one mailbox in more than one way. */
function keyOf({ connection, order }: StripeCustomerSearch) {
  return {
    companyId: accountCompanyId(connection),
    normalizedName: normalizeOrganizationName(order.organizationName),
    email: order.contactEmail.toLowerCase(),
  };
}

/**
 * Writes down that the customer is about to be created: the id of the row is the idempotency key. Another's intent is left
 * alone, unless it is the stale one. Undefined: somebody else was faster.
 */
export async function claimLink(
  { em, ids, clock }: StripeContext,
  search: StripeCustomerSearch,
  { body, stale }: { readonly body: string; readonly stale: StripeCustomer | null },
): Promise<Pick<StripeCustomer, 'id' | 'body'> | undefined> {
  const { companyId, normalizedName, email } = keyOf(search);
  const now = clock.now();
  const [row] = await em.fork().execute<{ id: string; body: string }[]>(
    `insert into stripe_customer (id, company_id, normalized_name, email, body, first_sent_at, created_at)
     values (?, ?, ?, ?, ?, ?, ?)
     on conflict (company_id, normalized_name, email) do update
     set id = excluded.id, body = excluded.body, first_sent_at = excluded.first_sent_at
     where stripe_customer.external_id is null and stripe_customer.id = ?
     returning id, body`,
    [ids.next('scus'), companyId, normalizedName, email, body, now, now, stale?.id ?? ''],
  );
  return row;
}

/** Remembers the customer. The first one to be stored stays; returns Stripe's id of that. */
export async function storeLink(
  { em, ids, clock, waits }: StripeContext,
  search: StripeCustomerSearch,
  externalId: string,
): Promise<string> {
  const { companyId, normalizedName, email } = keyOf(search);
  const rows = await recording(waits, () =>
    em.fork().execute<{ external_id: string }[]>(
      `insert into stripe_customer (id, company_id, normalized_name, email, external_id, body, created_at)
       values (?, ?, ?, ?, ?, '', ?)
       on conflict (company_id, normalized_name, email) do update
       set external_id = coalesce(stripe_customer.external_id, excluded.external_id)
       returning external_id`,
      [ids.next('scus'), companyId, normalizedName, email, externalId, clock.now()],
    ),
  );
  return rows[0]?.external_id ?? externalId;
}

/** Nothing came of the intent: the next one is worded anew, under another key. */
export async function releaseLink({ em }: StripeContext, id: string): Promise<void> {
  await em.fork().nativeDelete(StripeCustomer, { id, externalId: null });
}

/** Makes the next invoice look the customer up anew, because Stripe does not know it any more. */
export async function forgetCustomer(
  { em }: StripeContext,
  search: StripeCustomerSearch,
  externalId: string,
): Promise<void> {
  await em.fork().nativeDelete(StripeCustomer, { ...keyOf(search), externalId });
}
