import type { Data } from '../../support/graphql-client.js';
import { createOrder, ORDER } from '../../support/purchase-orders.js';
import type { TestApp } from '../../support/test-app.js';

/** Everything a QuickBooks mutation says about what went wrong. */
export const ERROR_DETAILS =
  'invoiceId faultCode statusCode intuitTid expectedTotal { amount currencyCode } invoiceTotal { amount currencyCode }';

const SECOND_COMPANY = '9341450000000002';

/** Lets the queued events go nowhere, so that only the test's own calls reach the simulator. */
export async function holdWebhooks({ quickbooks }: TestApp): Promise<void> {
  await quickbooks.post('/webhooks', { paused: true });
}

export async function invoiceOrder(
  { graphql }: TestApp,
  purchaseOrderId: string,
  more: Record<string, unknown> = {},
): Promise<Data> {
  return graphql.mutate(
    'createQboInvoice',
    { purchaseOrderId, ...more },
    `purchaseOrder { ${ORDER} }`,
    `${ERROR_DETAILS}`,
  );
}

export async function sendInvoice(
  { graphql }: TestApp,
  purchaseOrderId: string,
  more: Record<string, unknown> = {},
): Promise<Data> {
  return graphql.mutate('sendQboInvoice', { purchaseOrderId, ...more }, `purchaseOrder { ${ORDER} }`, ERROR_DETAILS);
}

export async function syncInvoice({ graphql }: TestApp, purchaseOrderId: string): Promise<Data> {
  return graphql.mutate('syncQboInvoiceStatus', { purchaseOrderId }, `purchaseOrder { ${ORDER} }`, ERROR_DETAILS);
}

/** An order with its invoice; throws when the invoice was refused. */
export async function createInvoicedOrder(app: TestApp, fields: Record<string, unknown> = {}): Promise<Data> {
  const order = await createOrder(app, fields);
  const { purchaseOrder, userErrors } = await invoiceOrder(app, order.id);
  if (userErrors.length > 0) throw new Error(`no invoice: ${JSON.stringify(userErrors)}`);
  return purchaseOrder;
}

let conferences = 0;

/** A conference of its own, connected to the second company unless another one is named; `null`: not connected. */
export async function createConference(
  app: TestApp,
  { realmId = SECOND_COMPANY, ...fields }: Record<string, unknown> & { realmId?: string | null } = {},
): Promise<string> {
  conferences += 1;
  const input = {
    name: `Conference ${conferences}`,
    slug: `conference-${conferences}`,
    currencyCode: 'USD',
    ...fields,
  };
  const { conference, userErrors } = await app.graphql.mutate('createConference', input, 'conference { id }');
  if (!conference) throw new Error(`no conference: ${JSON.stringify(userErrors)}`);
  if (realmId !== null) {
    const configured = await configure(app, conference.id, await freshTokens(app, realmId));
    if (configured.userErrors.length > 0) throw new Error(`not connected: ${JSON.stringify(configured.userErrors)}`);
  }
  return conference.id;
}

/** What a person pastes after the consent page: a pair of tokens with the app they belong to. */
export async function freshTokens({ quickbooks }: TestApp, realmId: string, replace = false): Promise<Data> {
  const { accessTokenExpiresAt: _, ...tokens } = await quickbooks.post('/tokens', { realmId, replace });
  return tokens;
}

export const CONNECTION =
  'realmId environment companyName status accessTokenExpiresAt refreshTokenExpiresAt refreshTokenHardExpiresAt readsPausedUntil writesPausedUntil serviceItemId';

export async function configure(app: TestApp, conferenceId: string, input: Record<string, unknown>): Promise<Data> {
  return app.graphql.mutate(
    'configureQboConnection',
    { conferenceId, environment: 'SANDBOX', ...input },
    `conference { id qboConnection { ${CONNECTION} } }`,
  );
}

/** Forgets the calls so far, does something and returns its result with the calls that it caused. */
export async function countCalls<T>(
  { quickbooks }: TestApp,
  act: () => Promise<T>,
): Promise<{ result: T; reads: Data[]; writes: Data[]; tokens: Data[] }> {
  await quickbooks.delete('/requests');
  const result = await act();
  const calls = await quickbooks.requests();
  const ofKind = (kind: string) => calls.filter((call) => call.kind === kind);
  return { result, reads: ofKind('read'), writes: ofKind('write'), tokens: ofKind('token') };
}

export async function books({ quickbooks }: TestApp, realmId = quickbooks.realmId): Promise<Data> {
  return quickbooks.get(`/books?realmId=${realmId}`);
}

/** The invoices in the simulator's books that name this order in their private note. */
export async function invoicesInBooks(app: TestApp, reference: string, realmId?: string): Promise<Data[]> {
  const { invoices } = await books(app, realmId ?? app.quickbooks.realmId);
  return invoices.filter((invoice: Data) => String(invoice.PrivateNote).includes(reference));
}

/** Our operations about a purchase order's invoice, oldest first. */
export async function operationsOf({ sql }: TestApp, subject: string): Promise<Data[]> {
  return sql('select * from provider_operation where subject = $1 order by created_at, id', [subject]);
}

/** Changes a company's switches for as long as `act` runs; what we remember of the company is forgotten twice. */
export async function withCompany<T>(
  { quickbooks, sql }: TestApp,
  realmId: string,
  changes: Record<string, unknown>,
  act: () => Promise<T>,
): Promise<T> {
  const { companies } = await quickbooks.get('/companies');
  const before = companies.find((company: Data) => company.realmId === realmId);
  const undo = Object.fromEntries(Object.keys(changes).map((key) => [key, before[key] ?? null]));
  await quickbooks.patch(`/companies/${realmId}`, changes);
  await sql('update qbo_connection set settings = null');
  try {
    return await act();
  } finally {
    await quickbooks.patch(`/companies/${realmId}`, undo);
    await sql('update qbo_connection set settings = null');
  }
}

export { SECOND_COMPANY };

/** A person connects the company anew after QuickBooks refused its tokens. */
export async function reconnect(app: TestApp): Promise<void> {
  const { conferenceId } = app;
  const { realmId } = app.quickbooks;
  await configure(app, conferenceId, await freshTokens(app, realmId));
}
