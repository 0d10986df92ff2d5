import type { EntityManager } from '@mikro-orm/postgresql';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { normalizeOrganizationName } from '../../domain/organization-name.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { QboCompanySettings, QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { QboCustomer } from '../../domain/quickbooks/qbo-customer.entity.js';
import type { ProviderCustomer } from '../ports/accounting.js';
import { inTransaction } from '../transaction.js';
import type { QboContext } from './qbo-context.js';

/** What is known of the organisation. */
export type Buyer = Pick<
  PurchaseOrder,
  'organizationName' | 'currencyCode' | 'contactName' | 'contactEmail' | 'billingAddress'
>;

export interface CustomerSearch {
  readonly connection: QboConnection;
  readonly order: Buyer;
  readonly settings: QboCompanySettings;
}

/** The customer that stands for the organisation in its currency, once that is known. */
export async function findLink(em: EntityManager, { connection, order }: CustomerSearch): Promise<QboCustomer | null> {
  return em.fork().findOne(QboCustomer, {
    connection: connection.id,
    normalizedName: normalizeOrganizationName(order.organizationName),
    currencyCode: order.currencyCode,
  });
}

/** Remembers a customer that was found, and closes an operation that may have made it. Returns the id that counts. */
export async function linkCustomer(
  context: QboContext,
  search: CustomerSearch,
  customer: ProviderCustomer,
): Promise<string> {
  await inTransaction(context.em, async (tx) => {
    await tx.nativeUpdate(
      ProviderOperation,
      {
        kind: OperationKind.CREATE_CUSTOMER,
        subject: subjectOf(search),
        state: { $in: [OperationState.IN_FLIGHT, OperationState.UNKNOWN] },
      },
      { state: OperationState.DONE, updatedAt: context.clock.now() },
    );
    await storeLink(tx, context, search, customer);
  });
  return linkedId(context.em, search, customer);
}

/** Remembers the customer. The first link to be stored stays. */
export async function storeLink(
  tx: EntityManager,
  { ids, clock }: QboContext,
  { connection, order }: CustomerSearch,
  { externalId, displayName }: ProviderCustomer,
): Promise<void> {
  await tx.execute(
    `insert into qbo_customer (id, connection_id, normalized_name, currency_code, external_id, display_name, created_at)
     values (?, ?, ?, ?, ?, ?, ?) on conflict (connection_id, normalized_name, currency_code) do nothing`,
    [
      ids.next('cust'),
      connection.id,
      normalizeOrganizationName(order.organizationName),
      order.currencyCode,
      externalId,
      displayName,
      clock.now(),
    ],
  );
}

/** QuickBooks' id of the customer whose link stayed. */
export async function linkedId(
  em: EntityManager,
  search: CustomerSearch,
  { externalId }: ProviderCustomer,
): Promise<string> {
  const stored = await findLink(em, search);
  return stored?.externalId ?? externalId;
}

/** Makes the next invoice look the customer up anew, because QuickBooks refused it: it was deactivated or merged. */
export async function forgetCustomer(
  em: EntityManager,
  connection: QboConnection,
  order: PurchaseOrder,
): Promise<void> {
  const normalizedName = normalizeOrganizationName(order.organizationName);
  await em.nativeDelete(QboCustomer, { connection: connection.id, normalizedName, currencyCode: order.currencyCode });
}

/** What operations that make this customer are about. */
export function subjectOf({ connection, order }: CustomerSearch): string {
  return `${connection.id} ${order.currencyCode} ${normalizeOrganizationName(order.organizationName)}`;
}

/** The reverse of `subjectOf`. */
export function readCustomerSubject(subject: string): { currencyCode: string; normalizedName: string } {
  const [, currencyCode = '', ...words] = subject.split(' ');
  return { currencyCode, normalizedName: words.join(' ') };
}
