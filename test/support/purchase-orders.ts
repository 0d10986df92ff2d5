import type { Data } from './graphql-client.js';
import type { TestApp } from './test-app.js';

/** Everything the money of a purchase order can be judged by. */
export const ORDER = `id reference status currencyCode
  total { amount currencyCode } totalPaid { amount } totalCredited { amount } balanceDue { amount }
  lineItems { description quantity unitPrice { amount } lineTotal { amount } }
  payments { nodes { id amount { amount } method reference paidOn source note reversedBy { reason } } }
  creditNotes { nodes { id amount { amount } reason source reversedBy { reason } } }
  qboInvoiceId qboInvoiceUrl
  qboInvoice { id docNumber syncToken url payUrl status total { amount } balance { amount } emailStatus lastSyncedAt }
  stripeInvoiceId stripeInvoiceUrl
  stripeInvoice { id number url payUrl status total { amount } balance { amount } refunded { amount } processing { amount }
    emailStatus isDisputed lastSyncedAt }
  invoice { provider number status }
  attention { code message }`;

/** 2 × 499.00 + 1 × 477.00 = 1475.00 USD. */
export const LINES = [
  { description: 'Conference ticket', quantity: 2, unitPrice: '499.00' },
  { description: 'Silver sponsorship', quantity: 1, unitPrice: '477.00' },
];

let organizations = 0;

/** Creates a purchase order over 1475.00 USD for an organisation of its own, unless `fields` says otherwise. */
export async function createOrder(
  { graphql, conferenceId }: Pick<TestApp, 'graphql' | 'conferenceId'>,
  fields: Record<string, unknown> = {},
): Promise<Data> {
  organizations += 1;
  const input = {
    conferenceId,
    organizationName: `Organisation ${organizations}`,
    contactEmail: 'accounts@example.com',
    lineItems: LINES,
    ...fields,
  };
  const payload = await graphql.mutate('createPurchaseOrder', input, `purchaseOrder { ${ORDER} }`);
  if (!payload.purchaseOrder) throw new Error(`no order was created: ${JSON.stringify(payload.userErrors)}`);
  return payload.purchaseOrder;
}

export async function readOrder({ graphql }: TestApp, id: string): Promise<Data> {
  return (await graphql.query(`query ($id: ID!) { purchaseOrder(id: $id) { ${ORDER} } }`, { id })).purchaseOrder;
}
