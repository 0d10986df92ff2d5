import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { clientWith, makeKey } from '../../support/api-keys.js';
import { databaseState } from '../../support/database-state.js';
import { eventually } from '../../support/eventually.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { createOrder, LINES } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createConference } from '../purchase-orders/support.js';

/** What nobody of the other conference may learn; each text is in the notes and the name of the organisation. */
const SECRET = 'Zyxwvut';

let server: TestApp;
let theirs: string;
let ours: string;
/** Orders of theirs, oldest first. */
let hidden: Data[];
/** Orders of ours, oldest first. */
let shown: Data[];
/** Finance of our conference. */
let finance: GraphQLClient;

beforeAll(async () => {
  server = await startTestApp();
  await server.quickbooks.post('/webhooks', { paused: true });
  theirs = server.conferenceId;
  ours = (await createConference(server)).id;
  hidden = await orders(theirs);
  shown = await orders(ours);
  finance = await clientWith(server, { roles: [{ conferenceId: ours, role: 'FINANCE' }] });
});

afterAll(() => server.stop());

/** Two orders, the first with a payment that was noted. */
async function orders(conferenceId: string): Promise<Data[]> {
  const name = `${conferenceId === theirs ? SECRET : 'Ours'} Ltd`;
  const create = () =>
    createOrder({ ...server, conferenceId }, { organizationName: name, notes: `About ${name}`, buyerReference: name });
  const created = [await create(), await create()];
  const payment = { purchaseOrderId: created[0].id, amount: '1.00', method: 'WIRE', note: `Noted of ${name}` };
  await server.graphql.mutate('recordPayment', payment, '');
  return created;
}

const idsOf = (nodes: Data[]) => nodes.map(({ id }) => id);

test('lists and their counts have what is ours, whatever is asked for', async () => {
  const data = await finance.query(
    `query ($theirs: ID!, $search: String!) {
      conferences { totalCount nodes { id purchaseOrders { totalCount nodes { id } } } }
      all: purchaseOrders { totalCount nodes { id } }
      filtered: purchaseOrders(conferenceId: $theirs) { totalCount nodes { id } }
      searched: purchaseOrders(filter: { search: $search }) { totalCount nodes { id } }
    }`,
    { theirs, search: SECRET },
  );
  const own = { totalCount: 2, nodes: shown.toReversed().map(({ id }) => ({ id })) };
  expect(data).toEqual({
    conferences: { totalCount: 1, nodes: [{ id: ours, purchaseOrders: own }] },
    all: own,
    filtered: { totalCount: 0, nodes: [] },
    searched: { totalCount: 0, nodes: [] },
  });
});

test('cursors from a list of theirs show what is ours', async () => {
  const page = await server.graphql.query(
    `query ($theirs: ID!) { purchaseOrders(conferenceId: $theirs, first: 1) { pageInfo { endCursor } } }`,
    { theirs },
  );
  const { endCursor } = page.purchaseOrders.pageInfo;
  // Theirs are older than ours.
  const around = await finance.query(
    `query ($cursor: String!) {
      before: purchaseOrders(before: $cursor, last: 100) { nodes { id } }
      after: purchaseOrders(after: $cursor) { nodes { id } pageInfo { hasNextPage } }
    }`,
    { cursor: endCursor },
  );
  expect(idsOf(around.before.nodes)).toEqual(idsOf(shown.toReversed()));
  expect(around.after).toEqual({ nodes: [], pageInfo: { hasNextPage: false } });
});

test('nodes keep their places, with null where there is nothing to see', async () => {
  const ids = [hidden[0].id, shown[0].id, 'po_unknown', theirs, ours];
  const { nodes } = await finance.query('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
  expect(nodes).toEqual([null, { id: shown[0].id }, null, null, { id: ours }]);
});

test('aliases ask several times and get no further', async () => {
  const { data, errors } = await finance.send(
    `query ($id: ID!, $reference: String!, $own: ID!) {
      a: purchaseOrder(id: $id) { id notes }
      b: purchaseOrder(reference: $reference) { id notes }
      c: node(id: $id) { ... on PurchaseOrder { notes } }
      d: purchaseOrder(id: $own) { id }
      e: webhookEvents { totalCount }
    }`,
    { id: hidden[0].id, reference: hidden[0].reference, own: shown[0].id },
  );
  // The last one cannot be null, so that nothing is shown at all.
  expect(data ?? null).toBeNull();
  expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([[['e'], 'FORBIDDEN']]);
});

test('of several mutations in one document only the permitted ones are done', async () => {
  const send = (id: string) => ({ purchaseOrderId: id });
  const data = await finance.query(
    `mutation ($hidden: SendPurchaseOrderInput!, $shown: SendPurchaseOrderInput!) {
      a: sendPurchaseOrder(input: $hidden) { purchaseOrder { id } userErrors { code } }
      b: sendPurchaseOrder(input: $shown) { purchaseOrder { id status } userErrors { code } }
    }`,
    { hidden: send(hidden[1].id), shown: send(shown[1].id) },
  );
  expect(data.a).toEqual({ purchaseOrder: null, userErrors: [{ code: 'NOT_FOUND' }] });
  expect(data.b).toEqual({ purchaseOrder: { id: shown[1].id, status: 'SENT' }, userErrors: [] });
  const [row] = await server.sql('select status from purchase_order where id = $1', [hidden[1].id]);
  expect(row).toEqual({ status: 'DRAFT' });
});

test('what others did under the same idempotency key is neither told nor undone', async () => {
  const idempotencyKey = 'the-key-of-both';
  const pay = { amount: '2.00', method: 'WIRE', idempotencyKey };
  const first = await server.graphql.mutate(
    'recordPayment',
    { ...pay, purchaseOrderId: hidden[0].id },
    'payment { id }',
  );
  const before = await databaseState(server);
  const second = await finance.mutate('recordPayment', { ...pay, purchaseOrderId: hidden[0].id }, 'payment { id }');
  expect(second).toMatchObject({ payment: null, userErrors: [{ code: 'NOT_FOUND' }] });
  expect(await databaseState(server)).toEqual(before);
  const third = await finance.mutate('recordPayment', { ...pay, purchaseOrderId: shown[0].id }, 'payment { id }');
  expect(third.userErrors).toEqual([]);
  expect(third.payment.id).not.toBe(first.payment.id);
});

test('nobody waits for what they do not see, which would tell that it is there', async () => {
  const busy = new pg.Client({ connectionString: server.databaseUrl });
  await busy.connect();
  try {
    await busy.query('begin');
    await busy.query('select from purchase_order where id = $1 for update', [hidden[0].id]);
    await busy.query('select from conference where id = $1 for update', [theirs]);
    const notFound = { userErrors: [{ code: 'NOT_FOUND' }] };
    const organiser = await clientWith(server, { roles: [{ conferenceId: ours, role: 'ORGANISER' }] });
    const pay = { purchaseOrderId: hidden[0].id, amount: '1.00', method: 'WIRE' };
    expect(await organiser.mutate('recordPayment', pay, '')).toMatchObject(notFound);
    expect(await organiser.mutate('createQboInvoice', { purchaseOrderId: hidden[0].id }, '')).toMatchObject(notFound);
    expect(await organiser.mutate('updateConference', { conferenceId: theirs, name: 'X' }, '')).toMatchObject(notFound);
  } finally {
    await busy.end();
  }
});

describe('who lost the role is not told what an earlier request did', () => {
  let elsewhere: string;

  beforeAll(async () => {
    elsewhere = (await createConference(server)).id;
  });

  /** What a new token could say, a key cannot: another role in our conference, or none. */
  const change = async (statement: string, keyId: string): Promise<void> => {
    await server.sql('alter table api_key_role disable trigger api_key_role_is_fixed');
    await server.sql(`${statement} where api_key_id = $1 and conference_id = $2`, [keyId, ours]);
    await server.sql('alter table api_key_role enable trigger api_key_role_is_fixed');
  };

  test.each<[string, string, () => Record<string, unknown>]>([
    ['recordPayment', 'payment { id }', () => ({ purchaseOrderId: shown[0].id, amount: '1.00', method: 'WIRE' })],
    ['issueCreditNote', 'creditNote { id }', () => ({ purchaseOrderId: shown[0].id, amount: '1.00', reason: 'Late' })],
    [
      'createPurchaseOrder',
      'purchaseOrder { id }',
      () => ({ conferenceId: ours, organizationName: 'A', contactEmail: 'a@example.com', lineItems: LINES }),
    ],
    ['createQboInvoices', 'bulkInvoicing { id }', () => ({ purchaseOrderIds: [shown[0].id] })],
  ])('by %s', async (mutation, field, inputOf) => {
    const roles = [ours, elsewhere].map((conferenceId) => ({ conferenceId, role: 'FINANCE' }));
    const key = await makeKey(server, { roles });
    const client = new GraphQLClient(server.app.url, key.secret);
    const input = { ...inputOf(), idempotencyKey: 'asked-twice' };
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${field} userErrors { code } } }`;
    const [name] = field.split(' ');
    const first = await client.query(document, { input });
    expect(first[mutation].userErrors).toEqual([]);
    expect(await client.query(document, { input })).toEqual(first);
    // What the background still has to do changes rows.
    await eventually(
      () => server.sql("select from bulk_invoicing_item where state = 'PENDING'"),
      (pending) => pending.length === 0,
    );
    await change("update api_key_role set role = 'VIEWER'", key.id);
    const before = await databaseState(server);
    const refused = await client.send(document, { input });
    expect(refused.data).toEqual({ [mutation]: null });
    expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    expect(await databaseState(server)).toEqual(before);
    await change('delete from api_key_role', key.id);
    const away = await databaseState(server);
    expect(await client.query(document, { input })).toEqual({
      [mutation]: { [String(name)]: null, userErrors: [{ code: 'NOT_FOUND' }] },
    });
    expect(await databaseState(server)).toEqual(away);
  });
});

describe('the portal of a buyer', () => {
  let portal: GraphQLClient;

  beforeAll(async () => {
    const order = hidden[1];
    await server.graphql.mutate('createQboInvoice', { purchaseOrderId: order.id }, '');
    const pay = { purchaseOrderId: order.id, amount: '3.00', method: 'WIRE', note: 'An internal note' };
    const { payment } = await server.graphql.mutate('recordPayment', pay, 'payment { id }');
    await server.graphql.mutate('reversePayment', { paymentId: payment.id, reason: 'An internal reason' }, '');
    portal = await clientWith(server, { purchaseOrderId: order.id });
  });

  test('sees its order, its money and where to pay, and null for what is internal', async () => {
    const document = `query ($id: ID!) { purchaseOrder(id: $id) {
      reference organizationName lineItems { description } totalPaid { amount }
      notes attention { message } qboInvoiceId qboInvoiceUrl
      payments { nodes { amount { amount } note reversedBy { reason } } }
      invoice { number url history { actor { name } message } }
      qboInvoice { docNumber payUrl url syncToken }
      conference { name qboConnection { realmId } stripeConnection { accountId } purchaseOrders { totalCount nodes { id } } }
    } }`;
    const { id } = hidden[1];
    const asAdministrator = (await server.graphql.query(document, { id })).purchaseOrder;
    // What is withheld is there, for others.
    expect(asAdministrator).toMatchObject({
      notes: `About ${SECRET} Ltd`,
      attention: [],
      qboInvoiceUrl: expect.stringMatching(/^http/),
      payments: { nodes: [{ note: 'An internal note', reversedBy: { reason: 'An internal reason' } }] },
      invoice: { url: expect.any(String), history: [{ actor: { name: 'bootstrap' } }] },
      qboInvoice: { url: expect.any(String), syncToken: '0' },
      conference: {
        qboConnection: { realmId: expect.any(String) },
        stripeConnection: { accountId: expect.any(String) },
      },
    });
    const own = { totalCount: 1, nodes: [{ id }] };
    expect((await portal.query(document, { id })).purchaseOrder).toEqual({
      ...asAdministrator,
      notes: null,
      attention: null,
      qboInvoiceUrl: null,
      payments: { nodes: [{ amount: { amount: '3.00' }, note: null, reversedBy: { reason: null } }] },
      invoice: { ...asAdministrator.invoice, url: null, history: null },
      qboInvoice: { ...asAdministrator.qboInvoice, url: null, syncToken: null },
      conference: { name: 'Demo Conference', qboConnection: null, stripeConnection: null, purchaseOrders: own },
    });
  });

  test('does not see the other orders of the same organisation', async () => {
    const { id, reference } = hidden[0];
    const data = await portal.query(
      `query ($id: ID!, $reference: String!, $theirs: ID!) {
        a: purchaseOrder(id: $id) { id }
        b: purchaseOrder(reference: $reference) { id }
        purchaseOrders(conferenceId: $theirs, filter: { search: "${SECRET}" }) { totalCount nodes { id } }
        conferences { totalCount nodes { id } }
      }`,
      { id, reference, theirs },
    );
    expect(data).toEqual({
      a: null,
      b: null,
      purchaseOrders: { totalCount: 1, nodes: [{ id: hidden[1].id }] },
      conferences: { totalCount: 1, nodes: [{ id: theirs }] },
    });
  });
});

test('nothing of theirs is in any answer to finance of ours', async () => {
  const { data } = await finance.send(
    `{ conferences { nodes { name purchaseOrders { nodes { notes organizationName payments { nodes { note } } } } } }
       purchaseOrders { nodes { notes organizationName buyerReference conference { name } } } }`,
  );
  expect(JSON.stringify(data)).toContain('About Ours Ltd');
  expect(JSON.stringify(data)).not.toContain(SECRET);
});
