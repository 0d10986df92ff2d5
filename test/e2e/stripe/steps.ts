import type { Data } from '../../support/graphql-client.js';
import { createOrder, ORDER } from '../../support/purchase-orders.js';
import type { TestApp } from '../../support/test-app.js';

/** Everything a Stripe mutation says about what went wrong. */
const ERROR_DETAILS =
  'invoiceId stripeCode statusCode requestId expectedTotal { amount currencyCode } invoiceTotal { amount currencyCode }';

/** The provider-neutral view, with everything that happened. */
export const INVOICE = `id provider externalId number status isLive total { amount currencyCode } balance { amount } url payUrl
  emailStatus createdAt history { at action actor { id name kind } by message }`;

export async function createInvoice(
  { graphql }: TestApp,
  purchaseOrderId: string,
  more: Record<string, unknown> = {},
): Promise<Data> {
  const input = { purchaseOrderId, ...more };
  return graphql.mutate('createStripeInvoice', input, `purchaseOrder { ${ORDER} }`, ERROR_DETAILS);
}

export async function sendInvoice({ graphql }: TestApp, purchaseOrderId: string): Promise<Data> {
  return graphql.mutate('sendStripeInvoice', { purchaseOrderId }, `purchaseOrder { ${ORDER} }`, ERROR_DETAILS);
}

export async function syncInvoice({ graphql }: TestApp, purchaseOrderId: string): Promise<Data> {
  return graphql.mutate('syncStripeInvoiceStatus', { purchaseOrderId }, `purchaseOrder { ${ORDER} }`, ERROR_DETAILS);
}

export async function switchProvider({ graphql }: TestApp, purchaseOrderId: string, provider: string): Promise<Data> {
  const details = 'invoiceId stripeCode faultCode statusCode requestId intuitTid';
  const input = { purchaseOrderId, provider };
  return graphql.mutate('switchInvoiceProvider', input, `purchaseOrder { ${ORDER} }`, details);
}

/** An order with its invoice; throws when the invoice was refused. */
export async function createInvoicedOrder(app: TestApp, fields: Record<string, unknown> = {}): Promise<Data> {
  const order = await createOrder(app, fields);
  const { purchaseOrder, userErrors } = await createInvoice(app, order.id);
  if (userErrors.length > 0) throw new Error(`no invoice: ${JSON.stringify(userErrors)}`);
  return purchaseOrder;
}

export async function readInvoices({ graphql }: TestApp, id: string): Promise<Data> {
  const query = `query ($id: ID!) { purchaseOrder(id: $id) { invoice { ${INVOICE} } invoices { nodes { ${INVOICE} } } } }`;
  const { invoice, invoices } = (await graphql.query(query, { id })).purchaseOrder;
  return { invoice, invoices: invoices.nodes };
}

let conferences = 0;

/** A conference of its own that is connected to nothing. */
export async function createConference({ graphql }: TestApp, fields: Record<string, unknown> = {}): Promise<Data> {
  conferences += 1;
  const input = { name: `Stripe ${conferences}`, slug: `stripe-${conferences}`, currencyCode: 'USD', ...fields };
  const { conference, userErrors } = await graphql.mutate('createConference', input, 'conference { id slug }');
  if (!conference) throw new Error(`no conference: ${JSON.stringify(userErrors)}`);
  return conference;
}

export const CONNECTION = 'id accountId accountName liveMode publishableKey daysUntilDue status webhookPath sweptUntil';

export async function configure({ graphql }: TestApp, input: Record<string, unknown>): Promise<Data> {
  return graphql.mutate(
    'configureStripe',
    { secretKey: 'sk_test_simulator', webhookSecret: 'whsec_of_a_test', ...input },
    `conference { id stripeConnection { ${CONNECTION} } }`,
  );
}
