import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createConference } from '../purchase-orders/support.js';

let server: TestApp;
let conferenceId: string;

/** A draft, an order that is overdue, and one in part paid that is due far in the future; 2 × 499.00 + 477.00 each. */
beforeAll(async () => {
  server = await startTestApp();
  conferenceId = (await createConference(server)).id;
  const order = (fields: Record<string, unknown>) => createOrder(server, { conferenceId, ...fields });
  await order({ organizationName: 'Drafty Ltd' });
  const late = await order({ organizationName: 'Late Ltd', dueDate: '2020-01-31', buyerReference: 'L-1' });
  await server.graphql.mutate('sendPurchaseOrder', { purchaseOrderId: late.id }, 'purchaseOrder { id }');
  const paying = await order({ organizationName: 'Paying Ltd', dueDate: '2999-01-31' });
  const payment = { purchaseOrderId: paying.id, amount: '475.25', method: 'CARD', paidOn: '2026-10-31' };
  await server.graphql.mutate('recordPayment', payment, 'payment { id }');
}, 60_000);

afterAll(() => server.stop());

async function refusal(query: string): Promise<{ code: string; message: string }> {
  const { data, errors } = await server.graphql.send(query);
  expect(Object.values(data ?? {}).every((value) => value === null)).toBe(true);
  expect(errors).toHaveLength(1);
  return { code: errors?.[0]?.extensions.code, message: String(errors?.[0]?.message) };
}

describe('the summaries for finance', () => {
  test('tell what is due by age', async () => {
    const { receivables } =
      await server.graphql.query(`{ receivables(conferenceId: "${conferenceId}", asOf: "2026-11-30") {
      currencyCode count total { amount currencyCode } buckets { age count amount { amount } } } }`);
    const empty = (age: string) => ({ age, count: 0, amount: { amount: '0.00' } });
    expect(receivables).toEqual([
      {
        currencyCode: 'USD',
        count: 2,
        total: { amount: '2474.75', currencyCode: 'USD' },
        buckets: [
          { age: 'NOT_DUE', count: 1, amount: { amount: '999.75' } },
          empty('DAYS_0_30'),
          empty('DAYS_31_60'),
          empty('DAYS_61_90'),
          { age: 'DAYS_OVER_90', count: 1, amount: { amount: '1475.00' } },
        ],
      },
    ]);
  });

  test('tell what came in', async () => {
    const { collected } =
      await server.graphql.query(`{ collected(conferenceId: "${conferenceId}", from: "2026-10-01", to: "2026-12-31") {
      month method count amount { amount currencyCode } } }`);
    expect(collected).toEqual([
      { month: '2026-10-01', method: 'CARD', count: 1, amount: { amount: '475.25', currencyCode: 'USD' } },
    ]);
  });

  test('tell who owes most', async () => {
    const page = (after: string | null): Promise<Data> =>
      server.graphql.query(
        `query ($after: String) { outstandingByOrganization(conferenceId: "${conferenceId}", first: 1, after: $after) {
          totalCount nodes { organizationName count amount { amount } } pageInfo { hasNextPage endCursor } } }`,
        { after },
      );
    const { outstandingByOrganization: first } = await page(null);
    expect(first).toMatchObject({
      totalCount: 2,
      nodes: [{ organizationName: 'Late Ltd', count: 1, amount: { amount: '1475.00' } }],
      pageInfo: { hasNextPage: true },
    });
    const { outstandingByOrganization: second } = await page(first.pageInfo.endCursor);
    expect(second).toMatchObject({ nodes: [{ organizationName: 'Paying Ltd' }], pageInfo: { hasNextPage: false } });
  });

  const ALL = `query ($id: ID!) {
    receivables(conferenceId: $id) { count }
    collected(conferenceId: $id, from: "2026-01-01", to: "2026-12-31") { count }
    outstandingByOrganization(conferenceId: $id) { totalCount }
  }`;

  test('are null of an unknown conference, and empty of one of which there is nothing to tell', async () => {
    const { id } = await createConference(server);
    const empty = { receivables: [], collected: [], outstandingByOrganization: { totalCount: 0 } };
    expect(await server.graphql.query(ALL, { id })).toEqual(empty);
    const unknown = { receivables: null, collected: null, outstandingByOrganization: null };
    expect(await server.graphql.query(ALL, { id: 'conf_unknown' })).toEqual(unknown);
  });

  test('are refused for days that make no sense', async () => {
    const collected = (from: string, to: string) =>
      `{ collected(conferenceId: "${conferenceId}", from: "${from}", to: "${to}") { count } }`;
    expect(await refusal(collected('2026-10-02', '2026-10-01'))).toEqual({
      code: 'BAD_USER_INPUT',
      message: '"to" is before "from".',
    });
    expect(await refusal(collected('2024-02-29', '2027-03-01'))).toEqual({
      code: 'BAD_USER_INPUT',
      message: '"to" must be within 3 years of "from".',
    });
    expect((await refusal(`{ receivables(conferenceId: "${conferenceId}", asOf: "0000-01-01") { count } }`)).code).toBe(
      'BAD_USER_INPUT',
    );
  });
});

describe('a filtered and sorted list', () => {
  const LIST = `query ($conferenceId: ID!, $filter: PurchaseOrderFilter, $orderBy: PurchaseOrderOrder, $after: String) {
    conference(id: $conferenceId) { purchaseOrders(filter: $filter, orderBy: $orderBy, after: $after) {
      totalCount nodes { organizationName balanceDue { amount } } pageInfo { endCursor } } } }`;

  const names = async (variables: Record<string, unknown>): Promise<string[]> => {
    const { conference } = await server.graphql.query(LIST, { conferenceId, ...variables });
    expect(conference.purchaseOrders.totalCount).toBe(conference.purchaseOrders.nodes.length);
    return conference.purchaseOrders.nodes.map(({ organizationName }: Data) => organizationName);
  };

  test('finds what finance looks for', async () => {
    expect(await names({ filter: { isOverdue: true } })).toEqual(['Late Ltd']);
    expect(await names({ filter: { isUnpaid: true }, orderBy: { field: 'DUE_DATE', direction: 'DESC' } })).toEqual([
      'Paying Ltd',
      'Late Ltd',
    ]);
    expect(await names({ filter: { buyerReference: 'l-1', createdFrom: '2020-01-01T00:00:00Z' } })).toEqual([
      'Late Ltd',
    ]);
    const cheapest = { field: 'BALANCE', direction: 'ASC' };
    expect(
      await names({ filter: { currencyCode: 'USD', totalMin: '1475.00', search: 'LTD' }, orderBy: cheapest }),
    ).toHaveLength(3);
    expect((await names({ filter: { currencyCode: 'USD' }, orderBy: cheapest }))[0]).toBe('Paying Ltd');
    expect(await names({ filter: { currencyCode: 'USD', balanceMax: '1474.99' } })).toEqual(['Paying Ltd']);
  });

  test.each([
    ['an amount without a currency', { filter: { totalMin: '1.00' } }],
    ['an amount that its currency does not have', { filter: { totalMin: '1.005', currencyCode: 'USD' } }],
    ['an order of amounts without a currency', { orderBy: { field: 'TOTAL', direction: 'ASC' } }],
    ['a day that PostgreSQL does not know', { filter: { dueFrom: '0000-01-01' } }],
    ['an endless search', { filter: { search: 'x'.repeat(301) } }],
    ['a search with NUL', { filter: { search: 'a\u0000' } }],
  ])('%s is BAD_USER_INPUT', async (_what, variables) => {
    const { errors } = await server.graphql.send(LIST, { conferenceId, ...variables });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});
