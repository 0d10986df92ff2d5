import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createConference } from '../purchase-orders/support.js';

let server: TestApp;
/** A conference with 25 orders, of which several were created in the same millisecond. */
let conferenceId: string;
let newestFirst: string[];
let byReference: string[];

beforeAll(async () => {
  server = await startTestApp();
  conferenceId = (await createConference(server)).id;
  const orders: Data[] = [];
  for (let index = 0; index < 25; index++) orders.push(await createOrder(server, { conferenceId }));
  for (const [index, { id }] of orders.entries()) {
    const second = String(Math.floor(index / 7)).padStart(2, '0');
    await server.sql('update purchase_order set created_at = $1 where id = $2', [
      `2026-11-02T10:00:${second}.123Z`,
      id,
    ]);
  }
  newestFirst = await idsBy('created_at desc, id desc');
  byReference = await idsBy('reference, id');
}, 90_000);

afterAll(() => server.stop());

async function idsBy(order: string): Promise<string[]> {
  const rows = await server.sql<{ id: string }>(
    `select id from purchase_order where conference_id = $1 order by ${order}`,
    [conferenceId],
  );
  return rows.map(({ id }) => id);
}

const LIST = `query ($conferenceId: ID, $first: Int, $after: String, $last: Int, $before: String,
  $filter: PurchaseOrderFilter, $orderBy: PurchaseOrderOrder) {
  purchaseOrders(conferenceId: $conferenceId, first: $first, after: $after, last: $last, before: $before,
    filter: $filter, orderBy: $orderBy) {
    edges { cursor node { id } }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}`;

async function list(variables: Record<string, unknown> = {}): Promise<Data> {
  return (await server.graphql.query(LIST, { conferenceId, ...variables })).purchaseOrders;
}

async function errorCode(variables: Record<string, unknown>): Promise<string> {
  const { data, errors } = await server.graphql.send(LIST, { conferenceId, ...variables });
  expect(data?.purchaseOrders ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  return errors?.[0]?.extensions.code;
}

const idsOf = ({ nodes }: Data): string[] => nodes.map(({ id }: Data) => id);

async function forward(size: number, more: Record<string, unknown> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: Data = await list({ first: size, after, ...more });
    ids.push(...idsOf(page));
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    if (!page.pageInfo.hasNextPage) return ids;
    after = page.pageInfo.endCursor;
  }
}

async function backward(size: number, more: Record<string, unknown> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let before: string | null = null; ; ) {
    const page: Data = await list({ last: size, before, ...more });
    ids.unshift(...idsOf(page));
    expect(page.pageInfo.hasNextPage).toBe(before !== null);
    if (!page.pageInfo.hasPreviousPage) return ids;
    before = page.pageInfo.startCursor;
  }
}

describe('a list of purchase orders', () => {
  test('has the newest 20 unless it is told otherwise', async () => {
    const page = await list();
    expect(idsOf(page)).toEqual(newestFirst.slice(0, 20));
    expect(page).toMatchObject({ totalCount: 25, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    expect(page.edges.map(({ node }: Data) => node.id)).toEqual(idsOf(page));
    expect(page.pageInfo).toMatchObject({ startCursor: page.edges[0].cursor, endCursor: page.edges[19].cursor });
  });

  test.each([1, 3, 7, 24, 25, 26, 100])('in pages of %i has every order once, in both directions', async (size) => {
    expect(await forward(size)).toEqual(newestFirst);
    expect(await backward(size)).toEqual(newestFirst);
  });

  test.each([
    ['CREATED_AT', 'ASC', () => newestFirst.toReversed()],
    ['CREATED_AT', 'DESC', () => newestFirst],
    ['REFERENCE', 'ASC', () => byReference],
    ['REFERENCE', 'DESC', () => byReference.toReversed()],
  ])('by %s %s can be paged in both directions', async (field, direction, expected) => {
    const orderBy = { field, direction };
    expect(await forward(4, { orderBy })).toEqual(expected());
    expect(await backward(4, { orderBy })).toEqual(expected());
  });

  test('does not repeat or skip an order when another one is created between two pages', async () => {
    const conference = await createConference(server);
    for (let index = 0; index < 4; index++) await createOrder(server, { conferenceId: conference.id });
    const scope = { conferenceId: conference.id };
    const first = await list({ ...scope, first: 2 });
    await createOrder(server, scope);
    const second = await list({ ...scope, first: 10, after: first.pageInfo.endCursor });
    expect(new Set([...idsOf(first), ...idsOf(second)]).size).toBe(4);
    expect(second.pageInfo.hasNextPage).toBe(false);
    expect(second.totalCount).toBe(5);
  });

  test('between two cursors has what is between them', async () => {
    const { edges } = await list({ first: 6 });
    const page = await list({ first: 10, after: edges[1].cursor, before: edges[5].cursor });
    expect(idsOf(page)).toEqual(newestFirst.slice(2, 5));
    const end = await list({ last: 2, after: edges[1].cursor, before: edges[5].cursor });
    expect(idsOf(end)).toEqual(newestFirst.slice(3, 5));
  });

  test('of an unknown conference is empty', async () => {
    expect(await list({ conferenceId: 'conf_unknown' })).toEqual({
      edges: [],
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
      totalCount: 0,
    });
  });

  test('of one conference is the same through the conference', async () => {
    const { conference } = await server.graphql.query(
      `{ conference(id: "${conferenceId}") { purchaseOrders(last: 3) { totalCount nodes { id } } } }`,
    );
    expect(conference.purchaseOrders).toEqual({
      totalCount: 25,
      nodes: newestFirst.slice(-3).map((id) => ({ id })),
    });
  });

  test('without a conference has the orders of all of them', async () => {
    const [row] = await server.sql<{ count: number }>('select count(*)::int as count from purchase_order');
    expect((await list({ conferenceId: null })).totalCount).toBe(row?.count);
  });
});

describe('a page that cannot be is BAD_USER_INPUT', () => {
  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test.each([
    ['first: 0', { first: 0 }],
    ['first: -1', { first: -1 }],
    ['first: 101', { first: 101 }],
    ['last: 101', { last: 101 }],
    ['both ends', { first: 1, last: 1 }],
    ['a cursor that is none', { first: 1, after: 'nonsense' }],
    ['an empty cursor', { first: 1, after: '' }],
    ['a forged time', { first: 1, after: cursor([1, 'yesterday', 'po_1']) }],
    ['a time that no calendar has', { first: 1, before: cursor([1, '2026-02-30T00:00:00.000Z', 'po_1']) }],
    ['a cursor with SQL', { first: 1, after: cursor([1, '2026-11-02T00:00:00.000Z', "x') or true--"]) }],
    ['a cursor with NUL', { first: 1, after: cursor([1, '2026-11-02T00:00:00.000Z', 'po_\u0000']) }],
    ['a cursor of a later version', { first: 1, after: cursor([2, '2026-11-02T00:00:00.000Z', 'po_1']) }],
  ])('%s', async (_what, variables) => {
    expect(await errorCode(variables)).toBe('BAD_USER_INPUT');
  });

  test('a cursor from a list in another order', async () => {
    const byTime = (await list({ first: 1 })).pageInfo.endCursor;
    const orderBy = { field: 'REFERENCE', direction: 'ASC' };
    const byName = (await list({ first: 1, orderBy })).pageInfo.endCursor;
    expect(await errorCode({ first: 1, after: byTime, orderBy })).toBe('BAD_USER_INPUT');
    expect(await errorCode({ first: 1, after: byName })).toBe('BAD_USER_INPUT');
  });

  test('more than a 32-bit number of items', async () => {
    const { errors } = await server.graphql.send('{ purchaseOrders(first: 4294967296) { totalCount } }');
    expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });
});

describe('searching', () => {
  const names = [
    '100% Fun',
    '100 Percent',
    'snake_case',
    'snakeXcase',
    'back\\slash',
    'backslash',
    'ÄRGER GmbH',
    "O'Neil",
  ];
  let conference: { id: string };
  let references: Map<string, string>;

  beforeAll(async () => {
    conference = await createConference(server);
    references = new Map();
    for (const organizationName of names) {
      const order = await createOrder(server, { conferenceId: conference.id, organizationName });
      references.set(organizationName, order.reference);
    }
  });

  async function found(filter: Record<string, unknown>): Promise<string[]> {
    const query = `query ($id: ID, $filter: PurchaseOrderFilter) {
      purchaseOrders(conferenceId: $id, filter: $filter, orderBy: { field: CREATED_AT, direction: ASC }) {
        totalCount nodes { organizationName } } }`;
    const { purchaseOrders } = await server.graphql.query(query, { id: conference.id, filter });
    expect(purchaseOrders.totalCount).toBe(purchaseOrders.nodes.length);
    return purchaseOrders.nodes.map(({ organizationName }: Data) => organizationName);
  }

  test.each([
    ['100%', ['100% Fun']],
    ['%', ['100% Fun']],
    ['snake_', ['snake_case']],
    ['_', ['snake_case']],
    ['\\', ['back\\slash']],
    ['k\\s', ['back\\slash']],
    ["'", ["O'Neil"]],
    ['SNAKE', ['snake_case', 'snakeXcase']],
    ['ärger', ['ÄRGER GmbH']],
    ['?', []],
    ['$1', []],
    ['nobody', []],
    ['', names],
  ])('for %j takes every character literally', async (search, expected) => {
    expect(await found({ search })).toEqual(expected);
  });

  test('finds a part of the reference in any case', async () => {
    const reference = String(references.get('100% Fun'));
    expect(await found({ search: reference.toLowerCase() })).toEqual(['100% Fun']);
    expect(await found({ search: reference.slice(2) })).toContain('100% Fun');
  });

  test('by status finds the given ones, and none for an empty list', async () => {
    const { purchaseOrder } = await server.graphql.query(
      `{ purchaseOrder(reference: "${references.get('snakeXcase')}") { id } }`,
    );
    await server.graphql.mutate('sendPurchaseOrder', { purchaseOrderId: purchaseOrder.id }, 'purchaseOrder { id }');
    expect(await found({ statusIn: ['SENT'] })).toEqual(['snakeXcase']);
    expect(await found({ statusIn: ['SENT', 'DRAFT'] })).toEqual(names);
    expect(await found({ statusIn: ['PAID'] })).toEqual([]);
    expect(await found({ statusIn: [] })).toEqual([]);
    expect(await found({ statusIn: ['DRAFT'], search: 'snake' })).toEqual(['snake_case']);
    expect(await found({ statusIn: null, search: null })).toEqual(names);
  });
});

test('conferences are a connection, newest first', async () => {
  const CONFERENCES = `query ($first: Int, $after: String) { conferences(first: $first, after: $after) {
    totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`;
  await server.sql("update conference set created_at = '2026-11-02T10:00:00.123Z'");
  const rows = await server.sql<{ id: string }>('select id from conference order by created_at desc, id desc');
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const { conferences }: Data = await server.graphql.query(CONFERENCES, { first: 2, after });
    expect(conferences.totalCount).toBe(rows.length);
    ids.push(...idsOf(conferences));
    if (!conferences.pageInfo.hasNextPage) break;
    after = conferences.pageInfo.endCursor;
  }
  expect(ids).toEqual(rows.map(({ id }) => id));
  const { errors } = await server.graphql.send(CONFERENCES, { first: 0 });
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});

describe('of an order that has 101 of each', () => {
  let orderId: string;

  beforeAll(async () => {
    orderId = (await createOrder(server)).id;
    const minutes = "timestamptz '2026-11-02T10:00Z' + n * interval '1 minute'";
    await server.sql(`insert into credit_note (id, purchase_order_id, amount_minor, source, reason, issued_by, created_at)
      select 'cn_' || n, '${orderId}', 1, 'MANUAL', 'Goodwill', 'tester', ${minutes} from generate_series(1, 101) n`);
    await server.sql(`insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note,
        recorded_by, created_at)
      select 'pay_' || n, '${orderId}', 1, 'WIRE', 'MANUAL', '', date '2026-01-01' + n, '', 'tester', ${minutes}
      from generate_series(1, 101) n`);
    await server.sql(`insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, currency_code,
        total_minor, balance_minor, created_at, updated_at)
      select 'inv_' || n, '${orderId}', 'QBO', '1', 'VOIDED', n::text, 'USD', 1, 0, ${minutes}, now()
      from generate_series(1, 101) n`);
  });

  const pageOf = async (name: string, args = '') => {
    const query = `{ purchaseOrder(id: "${orderId}") { list: ${name}${args} { totalCount nodes { id }
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`;
    return server.graphql.send(query);
  };

  test.each([
    ['payments', 'pay'],
    ['creditNotes', 'cn'],
    ['invoices', 'inv'],
  ])(
    '%s are a connection, newest first, of 20 unless it is told otherwise, and of 100 at most',
    async (name, prefix) => {
      const newest = Array.from({ length: 101 }, (_, index) => `${prefix}_${101 - index}`);
      const list = async (args?: string): Promise<Data> => (await pageOf(name, args)).data?.purchaseOrder.list;
      const first = await list();
      expect(idsOf(first)).toEqual(newest.slice(0, 20));
      expect(first.edges.map(({ node }: Data) => node.id)).toEqual(idsOf(first));
      expect(first).toMatchObject({ totalCount: 101, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
      const rest = await list(`(first: 100, after: "${first.pageInfo.endCursor}")`);
      expect(idsOf(rest)).toEqual(newest.slice(20));
      expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
      expect(idsOf(await list(`(last: 5, before: "${rest.pageInfo.startCursor}")`))).toEqual(newest.slice(15, 20));
      for (const args of ['(first: 101)', '(last: 0)', '(first: 1, last: 1)', '(after: "nonsense")']) {
        const { data, errors } = await pageOf(name, args);
        expect(data).toEqual({ purchaseOrder: null });
        expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
      }
    },
  );
});
