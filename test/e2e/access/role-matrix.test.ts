import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { SIMULATOR_KEY } from '../../../src/development/local-simulators.js';
import { clientWith, makeKey } from '../../support/api-keys.js';
import { databaseState } from '../../support/database-state.js';
import { eventually } from '../../support/eventually.js';
import { type Data, type GraphQLAnswer, GraphQLClient } from '../../support/graphql-client.js';
import { createOrder, LINES } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createConference } from '../purchase-orders/support.js';
import { freshTokens } from '../quickbooks/steps.js';

/**
 * Who asks, about things of one conference. The stranger is organiser of another one, those with a `+` are so besides their
 * role in this one, and the portal has one order of this.
 */
const ACTORS = [
  'anonymous',
  'stranger',
  'viewer',
  'viewer+',
  'finance',
  'finance+',
  'organiser',
  'administrator',
  'portal',
] as const;
type ActorName = (typeof ACTORS)[number];

/**
 * `ok`: shown, or done. `no`: null, or a list without it. `NOT_FOUND`: told, word for word, what is told of an unknown id.
 * `FORBIDDEN` and `401`: top-level errors. Whatever is not `ok` changes no row.
 */
type Outcome = 'ok' | 'no' | 'NOT_FOUND' | 'FORBIDDEN' | '401';

/** One row an operation, one column an actor. */
const MATRIX = `
                                anonymous stranger  viewer    viewer+   finance   finance+  organiser administrator portal
Query.apiKeys                   401       no        FORBIDDEN no        FORBIDDEN no        ok        ok            FORBIDDEN
Query.bulkInvoicing             401       no        ok        ok        ok        ok        ok        ok            FORBIDDEN
Query.collected                 401       no        ok        ok        ok        ok        ok        ok            FORBIDDEN
Query.conference(id)            401       no        ok        ok        ok        ok        ok        ok            ok
Query.conference(slug)          401       no        ok        ok        ok        ok        ok        ok            ok
Query.conferences               401       no        ok        ok        ok        ok        ok        ok            ok
Query.node(conference)          401       no        ok        ok        ok        ok        ok        ok            ok
Query.node(purchaseOrder)       401       no        ok        ok        ok        ok        ok        ok            ok
Query.node(payment)             401       no        ok        ok        ok        ok        ok        ok            ok
Query.node(invoice)             401       no        ok        ok        ok        ok        ok        ok            ok
Query.node(creditNoteOfAnother) 401       no        ok        ok        ok        ok        ok        ok            no
Query.node(apiKey)              401       no        no        no        no        no        ok        ok            no
Query.node(bulkInvoicing)       401       no        ok        ok        ok        ok        ok        ok            no
Query.node(webhookEvent)        401       no        no        no        no        no        no        ok            no
Query.nodes                     401       no        ok        ok        ok        ok        ok        ok            ok
Query.outstandingByOrganization 401       no        ok        ok        ok        ok        ok        ok            FORBIDDEN
Query.purchaseOrder(id)         401       no        ok        ok        ok        ok        ok        ok            ok
Query.purchaseOrder(reference)  401       no        ok        ok        ok        ok        ok        ok            ok
Query.purchaseOrder(another)    401       no        ok        ok        ok        ok        ok        ok            no
Query.purchaseOrders            401       no        ok        ok        ok        ok        ok        ok            ok
Query.receivables               401       no        ok        ok        ok        ok        ok        ok            FORBIDDEN
Query.webhookEvents             401       FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok            FORBIDDEN
Mutation.cancelPurchaseOrder    401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.configureQboConnection 401       NOT_FOUND FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok        ok            FORBIDDEN
Mutation.configureStripe        401       NOT_FOUND FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok        ok            FORBIDDEN
Mutation.createApiKey(role)     401       NOT_FOUND FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok        ok            FORBIDDEN
Mutation.createApiKey(portal)   401       NOT_FOUND FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok        ok            FORBIDDEN
Mutation.createApiKey(all)      401       FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok            FORBIDDEN
Mutation.createConference       401       FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok            FORBIDDEN
Mutation.createPurchaseOrder    401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.createQboInvoice       401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.createQboInvoices      401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.createStripeInvoice    401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.issueCreditNote        401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.reconcileQboConnection 401       NOT_FOUND FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok        ok            FORBIDDEN
Mutation.recordPayment          401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.replayWebhookEvents    401       FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok            FORBIDDEN
Mutation.reversePayment         401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.revokeApiKey           401       NOT_FOUND FORBIDDEN NOT_FOUND FORBIDDEN NOT_FOUND ok        ok            FORBIDDEN
Mutation.sendPurchaseOrder      401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.sendQboInvoice         401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.sendStripeInvoice      401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.switchInvoiceProvider  401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.syncQboInvoiceStatus   401       NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.syncStripeInvoiceStatus 401      NOT_FOUND FORBIDDEN FORBIDDEN ok        ok        ok        ok            FORBIDDEN
Mutation.updateConference       401       NOT_FOUND FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok        ok            FORBIDDEN
Subscription.bulkInvoicingProgressed 401  NOT_FOUND ok        ok        ok        ok        ok        ok            FORBIDDEN
Subscription.conferenceActivity 401       NOT_FOUND ok        ok        ok        ok        ok        ok            FORBIDDEN
Subscription.purchaseOrderChanged 401     NOT_FOUND ok        ok        ok        ok        ok        ok            ok
Subscription.purchaseOrderChanged(another) 401 NOT_FOUND ok   ok        ok        ok        ok        ok            NOT_FOUND
`;

const rows = MATRIX.trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(/ +/))
  .map(([operation = '', ...outcomes]) => ({ operation, outcomes: outcomes as Outcome[] }));
const cases = rows.flatMap(({ operation, outcomes }) =>
  ACTORS.map((actor, index) => [operation, actor, String(outcomes[index])] as const),
);
const refusals = cases.filter(([, , outcome]) => outcome !== 'ok');
const permissions = cases.filter(([, , outcome]) => outcome === 'ok');

/** Ids of what is asked about, all in one conference. */
type Target = Readonly<
  Record<
    | 'conferenceId'
    | 'slug'
    | 'purchaseOrderId'
    | 'reference'
    | 'paymentId'
    | 'invoiceId'
    | 'anotherOrderId'
    | 'creditNoteId'
    | 'apiKeyId'
    | 'bulkInvoicingId'
    | 'webhookEventId',
    string
  >
> & { readonly tokens?: Data };

let server: TestApp;
let target: Target;
const clients = new Map<ActorName, GraphQLClient>();

beforeAll(async () => {
  server = await startTestApp();
  await server.quickbooks.post('/webhooks', { paused: true });
  target = await prepareTarget();
  const { conferenceId, purchaseOrderId } = target;
  const elsewhere = await createConference(server);
  const elsewhereOrganiser = { conferenceId: elsewhere.id, role: 'ORGANISER' };
  const role = (name: string) => clientWith(server, { roles: [{ conferenceId, role: name }] });
  const roleAndMore = (name: string) =>
    clientWith(server, { roles: [{ conferenceId, role: name }, elsewhereOrganiser] });
  clients.set('anonymous', new GraphQLClient(server.app.url, undefined));
  clients.set('stranger', await clientWith(server, { roles: [elsewhereOrganiser] }));
  clients.set('viewer', await role('VIEWER'));
  clients.set('viewer+', await roleAndMore('VIEWER'));
  clients.set('finance', await role('FINANCE'));
  clients.set('finance+', await roleAndMore('FINANCE'));
  clients.set('organiser', await role('ORGANISER'));
  clients.set('administrator', server.graphql);
  clients.set('portal', await clientWith(server, { purchaseOrderId }));
});

afterAll(() => server.stop());

async function prepareTarget(): Promise<Target> {
  const { conferenceId } = server;
  const order = await createOrder(server);
  await mutateAs(server.graphql, 'createQboInvoice', { purchaseOrderId: order.id });
  const another = await createOrder(server);
  const [invoice] = await server.sql<{ id: string }>('select id from invoice');
  const { payment } = await server.graphql.mutate('recordPayment', payOf(order.id), 'payment { id }');
  const { creditNote } = await server.graphql.mutate('issueCreditNote', creditOf(another.id), 'creditNote { id }');
  const key = await makeKey(server, { roles: [{ conferenceId, role: 'VIEWER' }] });
  return {
    conferenceId,
    slug: 'demo',
    purchaseOrderId: order.id,
    reference: order.reference,
    paymentId: payment.id,
    invoiceId: String(invoice?.id),
    anotherOrderId: another.id,
    creditNoteId: creditNote.id,
    apiKeyId: key.id,
    bulkInvoicingId: await finishedBulk(order.id),
    webhookEventId: await storeEvent(),
  };
}

async function finishedBulk(purchaseOrderId: string): Promise<string> {
  const input = { purchaseOrderIds: [purchaseOrderId] };
  const { bulkInvoicing } = await server.graphql.mutate('createQboInvoices', input, 'bulkInvoicing { id }');
  const finished = 'select from bulk_invoicing where id = $1 and finished_at is not null';
  await eventually(
    () => server.sql(finished, [bulkInvoicing.id]),
    (rows) => rows.length === 1,
  );
  return bulkInvoicing.id;
}

const payOf = (purchaseOrderId: string) => ({ purchaseOrderId, amount: '1.00', method: 'WIRE' });
const creditOf = (purchaseOrderId: string) => ({ purchaseOrderId, amount: '1.00', reason: 'Goodwill' });

let events = 0;

async function storeEvent(): Promise<string> {
  events += 1;
  const id = `evt_matrix${events}`;
  await server.sql(
    `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, state, attempts,
       next_attempt_at, payload, received_at, processed_at)
     values ($1, 'QBO', $1, '1', 'invoice', '1', 'updated', 'IGNORED', 0, now(), '{}', now(), now())`,
    [id],
  );
  return id;
}

const UNKNOWN: Target = {
  conferenceId: 'conf_00000000000000000000000000000000',
  slug: 'nowhere',
  purchaseOrderId: 'po_00000000000000000000000000000000',
  reference: 'PO-000000',
  paymentId: 'pay_00000000000000000000000000000000',
  invoiceId: 'inv_00000000000000000000000000000000',
  anotherOrderId: 'po_00000000000000000000000000000000',
  creditNoteId: 'cn_00000000000000000000000000000000',
  apiKeyId: 'key_00000000000000000000000000000000',
  bulkInvoicingId: 'bulk_00000000000000000000000000000000',
  webhookEventId: 'evt_00000000000000000000000000000000',
};

interface Question {
  readonly document: string;
  readonly variables?: Record<string, unknown>;
  /** What the answer to a query contains if the actor sees it. */
  readonly shows?: string;
}

/** How each operation is asked about the target. */
const QUERIES: Record<string, (of: Target) => Question> = {
  apiKeys: ({ apiKeyId }) => ({ document: '{ apiKeys(first: 100) { nodes { id } } }', shows: apiKeyId }),
  bulkInvoicing: ({ bulkInvoicingId: id }) => byArgument('bulkInvoicing', { id }, id),
  collected: ({ conferenceId }) => ({
    document: `{ collected(conferenceId: "${conferenceId}", from: "2026-01-01", to: "2028-12-31") { currency: amount { currencyCode } } }`,
    shows: 'USD',
  }),
  'conference(id)': ({ conferenceId: id }) => byArgument('conference', { id }, id),
  'conference(slug)': ({ slug, conferenceId }) => byArgument('conference', { slug }, conferenceId),
  conferences: ({ conferenceId }) => ({ document: '{ conferences { nodes { id } } }', shows: conferenceId }),
  'node(conference)': ({ conferenceId: id }) => byArgument('node', { id }, id),
  'node(purchaseOrder)': ({ purchaseOrderId: id }) => byArgument('node', { id }, id),
  'node(payment)': ({ paymentId: id }) => byArgument('node', { id }, id),
  'node(invoice)': ({ invoiceId: id }) => byArgument('node', { id }, id),
  'node(creditNoteOfAnother)': ({ creditNoteId: id }) => byArgument('node', { id }, id),
  'node(apiKey)': ({ apiKeyId: id }) => byArgument('node', { id }, id),
  'node(bulkInvoicing)': ({ bulkInvoicingId: id }) => byArgument('node', { id }, id),
  'node(webhookEvent)': ({ webhookEventId: id }) => byArgument('node', { id }, id),
  nodes: ({ purchaseOrderId: id }) => ({ document: `{ nodes(ids: ["${id}"]) { id } }`, shows: id }),
  'purchaseOrder(id)': ({ purchaseOrderId: id }) => byArgument('purchaseOrder', { id }, id),
  'purchaseOrder(reference)': ({ reference, purchaseOrderId }) =>
    byArgument('purchaseOrder', { reference }, purchaseOrderId),
  'purchaseOrder(another)': ({ anotherOrderId: id }) => byArgument('purchaseOrder', { id }, id),
  purchaseOrders: ({ purchaseOrderId }) => ({
    document: '{ purchaseOrders(first: 100) { nodes { id } } }',
    shows: purchaseOrderId,
  }),
  outstandingByOrganization: ({ conferenceId }) => ({
    document: `{ outstandingByOrganization(conferenceId: "${conferenceId}") { nodes { organizationName } } }`,
    shows: 'organizationName',
  }),
  receivables: ({ conferenceId }) => ({
    document: `{ receivables(conferenceId: "${conferenceId}") { currencyCode } }`,
    shows: 'USD',
  }),
  webhookEvents: ({ webhookEventId }) => ({ document: '{ webhookEvents { nodes { id } } }', shows: webhookEventId }),
};

const SUBSCRIPTIONS: Record<string, (of: Target) => Question> = {
  bulkInvoicingProgressed: ({ bulkInvoicingId: id }) => ({
    document: `subscription { bulkInvoicingProgressed(id: "${id}") { id } }`,
    shows: id,
  }),
  conferenceActivity: ({ conferenceId: id }) => ({
    document: `subscription { conferenceActivity(conferenceId: "${id}") { cursor } }`,
    shows: 'cursor',
  }),
  purchaseOrderChanged: ({ purchaseOrderId }) => changesOf(purchaseOrderId),
  'purchaseOrderChanged(another)': ({ anotherOrderId }) => changesOf(anotherOrderId),
};

function changesOf(id: string): Question {
  return { document: `subscription { purchaseOrderChanged(id: "${id}") { purchaseOrder { id } } }`, shows: id };
}

function byArgument(field: string, argument: Record<string, string>, shows: string): Question {
  const [[name, value] = []] = Object.entries(argument);
  return { document: `{ ${field}(${name}: "${value}") { id } }`, shows };
}

let names = 0;
const uniqueName = () => {
  names += 1;
  return `name-${names}`;
};

/** Tokens that open nothing: whoever may not configure is refused before they are looked at. */
const NO_TOKENS = { realmId: '1', accessToken: 'a', refreshToken: 'r' };

const INPUTS: Record<string, (of: Target) => object> = {
  cancelPurchaseOrder: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  configureQboConnection: ({ conferenceId, tokens = NO_TOKENS }) => ({
    conferenceId,
    environment: 'SANDBOX',
    ...tokens,
  }),
  configureStripe: ({ conferenceId }) => ({ conferenceId, secretKey: SIMULATOR_KEY }),
  'createApiKey(role)': ({ conferenceId }) => ({ name: uniqueName(), roles: [{ conferenceId, role: 'ORGANISER' }] }),
  'createApiKey(portal)': ({ purchaseOrderId }) => ({ name: uniqueName(), purchaseOrderId }),
  'createApiKey(all)': () => ({ name: uniqueName(), administrator: true }),
  createConference: () => ({ name: 'New', slug: uniqueName(), currencyCode: 'USD' }),
  createPurchaseOrder: ({ conferenceId }) => ({
    conferenceId,
    organizationName: uniqueName(),
    contactEmail: 'accounts@example.com',
    lineItems: LINES,
  }),
  createQboInvoice: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  createQboInvoices: ({ purchaseOrderId }) => ({ purchaseOrderIds: [purchaseOrderId] }),
  createStripeInvoice: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  issueCreditNote: ({ purchaseOrderId }) => creditOf(purchaseOrderId),
  reconcileQboConnection: ({ conferenceId }) => ({ conferenceId }),
  recordPayment: ({ purchaseOrderId }) => payOf(purchaseOrderId),
  replayWebhookEvents: ({ webhookEventId }) => ({ ids: [webhookEventId] }),
  reversePayment: ({ paymentId }) => ({ paymentId, reason: 'A mistake' }),
  revokeApiKey: ({ apiKeyId }) => ({ apiKeyId }),
  sendPurchaseOrder: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  sendQboInvoice: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  sendStripeInvoice: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  switchInvoiceProvider: ({ purchaseOrderId }) => ({ purchaseOrderId, provider: 'STRIPE' }),
  syncQboInvoiceStatus: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  syncStripeInvoiceStatus: ({ purchaseOrderId }) => ({ purchaseOrderId }),
  updateConference: ({ conferenceId }) => ({ conferenceId, name: 'Another Name' }),
};

function questionOf(operation: string, of: Target): Question {
  const [, name = ''] = operation.split('.');
  const ask = { ...QUERIES, ...SUBSCRIPTIONS }[name];
  if (ask) return ask(of);
  const field = fieldOf(operation);
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${field}(input: $input) { userErrors { code message path } } }`;
  return { document, variables: { input: INPUTS[name]?.(of) } };
}

function fieldOf(operation: string): string {
  return operation.replace(/^\w+\.|\(.*$/g, '');
}

async function ask(actor: string, operation: string, of: Target): Promise<GraphQLAnswer & { outcome: string }> {
  const { document, variables, shows } = questionOf(operation, of);
  const client = clients.get(actor as ActorName);
  if (!client) throw new Error(`there is no ${actor}`);
  const isStream = operation.startsWith('Subscription.');
  const answer = await (isStream ? client.sendToStream(document) : client.send(document, variables));
  return { ...answer, outcome: outcomeOf(answer, fieldOf(operation), shows) };
}

/** Anything unforeseen is told as it is, so that the comparison fails and shows it. */
function outcomeOf({ status, data, errors }: GraphQLAnswer, field: string, shows: string | undefined): string {
  const codes = errors?.map(({ extensions }) => extensions.code).join();
  if (status === 401 && codes === 'UNAUTHENTICATED' && (data ?? null) === null) return '401';
  if (codes === 'NOT_FOUND' && (data ?? null) === null) return codes;
  if (codes === 'FORBIDDEN' && (data?.[field] ?? null) === null) return 'FORBIDDEN';
  if (errors) return JSON.stringify(errors);
  if (shows !== undefined) return JSON.stringify(data).includes(shows) ? 'ok' : 'no';
  const userErrors: Data[] = data[field].userErrors;
  return userErrors.length === 0 ? 'ok' : userErrors.map(({ code }) => code).join();
}

async function mutateAs(client: GraphQLClient, name: string, input: Record<string, unknown>): Promise<void> {
  const { userErrors } = await client.mutate(name, input, '');
  if (userErrors.length > 0) throw new Error(`${name}: ${JSON.stringify(userErrors)}`);
}

test('the table has every query, mutation and subscription of the schema', () => {
  const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((root) => Object.keys(root?.getFields() ?? {}).map((field) => `${root}.${field}`));
  expect([...new Set(rows.map(({ operation }) => operation.replace(/\(.*$/, '')))].sort()).toEqual(fields.sort());
  expect(rows.filter(({ outcomes }) => outcomes.length !== ACTORS.length)).toEqual([]);
});

/** Without the id that each request has of its own. */
function toldBy({ message, path, extensions: { requestId: _, ...told } }: Data): Data {
  return { message, path, told };
}

describe('W-C14: what is refused changes nothing', () => {
  test.each(refusals)('%s by the %s: %s', async (operation, actor, expected) => {
    const before = await databaseState(server);
    const { outcome, data, errors } = await ask(actor, operation, target);
    expect(outcome).toBe(expected);
    expect(await databaseState(server)).toEqual(before);
    if (expected !== 'NOT_FOUND') return;
    const unknown = await ask('administrator', operation, UNKNOWN);
    expect({ data, errors: errors?.map(toldBy) }).toEqual({ data: unknown.data, errors: unknown.errors?.map(toldBy) });
  });
});

/** Something of its own to be done with, for mutations that can be done only once. */
const FRESH: Record<string, () => Promise<Partial<Target>>> = {
  cancelPurchaseOrder: freshOrder,
  configureQboConnection: async () => ({ tokens: await freshTokens(server, server.quickbooks.realmId) }),
  createQboInvoice: freshOrder,
  createQboInvoices: freshOrder,
  createStripeInvoice: freshOrder,
  issueCreditNote: freshOrder,
  sendPurchaseOrder: freshOrder,
  switchInvoiceProvider: freshOrder,
  sendQboInvoice: () => invoicedOrder('createQboInvoice'),
  syncQboInvoiceStatus: () => invoicedOrder('createQboInvoice'),
  sendStripeInvoice: () => invoicedOrder('createStripeInvoice'),
  syncStripeInvoiceStatus: () => invoicedOrder('createStripeInvoice'),
  reversePayment: async () => {
    const { payment } = await server.graphql.mutate('recordPayment', payOf(target.purchaseOrderId), 'payment { id }');
    return { paymentId: payment.id };
  },
  revokeApiKey: async () => {
    const { conferenceId } = target;
    return { apiKeyId: (await makeKey(server, { roles: [{ conferenceId, role: 'FINANCE' }] })).id };
  },
  replayWebhookEvents: async () => ({ webhookEventId: await storeEvent() }),
};

async function freshOrder(): Promise<Partial<Target>> {
  return { purchaseOrderId: (await createOrder(server)).id };
}

async function invoicedOrder(mutation: string): Promise<Partial<Target>> {
  const order = await createOrder(server);
  await mutateAs(server.graphql, mutation, { purchaseOrderId: order.id });
  return { purchaseOrderId: order.id };
}

describe('what is permitted is shown or done', () => {
  test.each(permissions)('%s by the %s', async (operation, actor) => {
    const fresh = await FRESH[fieldOf(operation)]?.();
    const { outcome } = await ask(actor, operation, { ...target, ...fresh });
    expect(outcome).toBe('ok');
  });
});
