import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoicedOrder } from '../stripe/steps.js';

let server: TestApp;
let ids: Record<'Conference' | 'PurchaseOrder' | 'Payment' | 'CreditNote' | 'Invoice', string>;

beforeAll(async () => {
  server = await startTestApp();
  const order = await createOrder(server);
  const { payment } = await server.graphql.mutate(
    'recordPayment',
    { purchaseOrderId: order.id, amount: '500.00', method: 'WIRE' },
    'payment { id }',
  );
  const { creditNote } = await server.graphql.mutate(
    'issueCreditNote',
    { purchaseOrderId: order.id, amount: '100.00', reason: 'Goodwill' },
    'creditNote { id }',
  );
  const invoiced = await createInvoicedOrder(server);
  const [invoice] = await server.sql<{ id: string }>('select id from invoice where purchase_order_id = $1', [
    invoiced.id,
  ]);
  ids = {
    Conference: server.conferenceId,
    PurchaseOrder: order.id,
    Payment: payment.id,
    CreditNote: creditNote.id,
    Invoice: String(invoice?.id),
  };
});

afterAll(() => server.stop());

const FIELDS = `__typename id
  ... on Conference { slug }
  ... on PurchaseOrder { status }
  ... on Payment { amount { amount currencyCode } }
  ... on CreditNote { reason amount { amount currencyCode } }
  ... on Invoice { provider emailStatus }`;

const node = async (id: string): Promise<Data> =>
  (await server.graphql.query(`query ($id: ID!) { node(id: $id) { ${FIELDS} } }`, { id })).node;

describe('an object by its id', () => {
  test.each([
    ['Conference', { slug: 'demo' }],
    ['PurchaseOrder', { status: 'PARTIALLY_PAID' }],
    ['Payment', { amount: { amount: '500.00', currencyCode: 'USD' } }],
    ['Invoice', { provider: 'STRIPE', emailStatus: 'NOT_SENT' }],
    ['CreditNote', { reason: 'Goodwill', amount: { amount: '100.00', currencyCode: 'USD' } }],
  ] as const)('is a %s when its id says so', async (type, fields) => {
    expect(await node(ids[type])).toEqual({ __typename: type, id: ids[type], ...fields });
  });

  test.each([
    '',
    'x',
    '_',
    'po_',
    'po_unknown',
    'pay_unknown',
    'cn_unknown',
    'conf_unknown',
    'aud_1',
    'key_1',
    'constructor_1',
    '__proto___1',
    "po_' or '1'='1",
    '💥',
  ])('is null for %j', async (id) => {
    expect(await node(id)).toBeNull();
  });

  test('is null for the id of what has no type here, so that nobody learns that it exists', async () => {
    const [event] = await server.sql<{ id: string }>('select id from audit_event limit 1');
    const [line] = await server.sql<{ id: string }>('select id from line_item limit 1');
    for (const row of [event, line]) expect(await node(String(row?.id))).toBeNull();
  });
});

describe('several objects by their ids', () => {
  const nodes = async (wanted: string[]): Promise<Data> =>
    server.graphql.send('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids: wanted });

  test('come in the order of the ids, with null where there is none, as often as asked for', async () => {
    const { data } = await nodes([ids.Payment, 'po_unknown', ids.PurchaseOrder, ids.Payment, ids.CreditNote, '']);
    expect(data.nodes).toEqual([
      { __typename: 'Payment', id: ids.Payment },
      null,
      { __typename: 'PurchaseOrder', id: ids.PurchaseOrder },
      { __typename: 'Payment', id: ids.Payment },
      { __typename: 'CreditNote', id: ids.CreditNote },
      null,
    ]);
  });

  test('may be none or a hundred, and not one more', async () => {
    expect((await nodes([])).data.nodes).toEqual([]);
    expect((await nodes(Array.from({ length: 100 }, () => ids.Conference))).data.nodes).toHaveLength(100);
    const { errors } = await nodes(Array.from({ length: 101 }, () => ids.Conference));
    expect(errors?.map(({ extensions }: Data) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('an order or conference', () => {
  test.each([
    ['neither an id nor another name', ''],
    ['both of them', '(id: "x", %: "y")'],
    ['null for both', '(id: null, %: null)'],
  ])('asked for with %s is BAD_USER_INPUT', async (_what, args) => {
    for (const [field, name] of [
      ['purchaseOrder', 'reference'],
      ['conference', 'slug'],
    ]) {
      const { data, errors } = await server.graphql.send(`{ ${field}${args.replace('%', String(name))} { id } }`);
      expect(data).toEqual({ [String(field)]: null });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
      expect(errors?.[0]?.message).toBe(`Give either "id" or "${name}".`);
    }
  });

  test('that does not exist is null', async () => {
    const document =
      '{ a: purchaseOrder(id: "po_1") { id } b: purchaseOrder(reference: "PO-000000") { id } c: purchaseOrder(id: "conf_1") { id } }';
    expect(await server.graphql.query(document)).toEqual({ a: null, b: null, c: null });
  });
});
