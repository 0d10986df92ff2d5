import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

let app: TestApp;
let orders: Data[];
let bulk: Data;

const BULK = 'id requestedBy createdAt finishedAt total succeeded failed pending';

async function ask(purchaseOrderIds: readonly string[]): Promise<Data> {
  return app.graphql.mutate('createQboInvoices', { purchaseOrderIds }, `bulkInvoicing { ${BULK} }`);
}

async function read(fields: string): Promise<Data> {
  const { bulkInvoicing } = await app.graphql.query(`{ bulkInvoicing(id: "${bulk.id}") { ${fields} } }`);
  return bulkInvoicing;
}

beforeAll(async () => {
  app = await startTestApp();
  orders = [await createOrder(app), await createOrder(app), await createOrder(app)];
  await app.graphql.mutate('cancelPurchaseOrder', { purchaseOrderId: orders[1]?.id }, '');
  ({ bulkInvoicing: bulk } = await ask(orders.map(({ id }) => id)));
  await eventually(
    () => read('finishedAt'),
    ({ finishedAt }) => finishedAt !== null,
  );
});

afterAll(() => app.stop());

describe('createQboInvoices', () => {
  test('answers at once, and the background has every order invoiced that can be', async () => {
    expect(bulk).toMatchObject({ total: 3, failed: 0, finishedAt: null, requestedBy: expect.any(String) });
    expect(await read('total succeeded failed pending')).toEqual({ total: 3, succeeded: 2, failed: 1, pending: 0 });
    const item = 'position state purchaseOrder { id } invoice { status externalId } error { code message path }';
    const { items } = await read(`items { totalCount nodes { ${item} } }`);
    const open = { status: 'OPEN', externalId: expect.any(String) };
    expect(items.nodes).toEqual([
      { position: 1, state: 'SUCCEEDED', purchaseOrder: { id: orders[0]?.id }, invoice: open, error: null },
      {
        position: 2,
        state: 'FAILED',
        purchaseOrder: { id: orders[1]?.id },
        invoice: null,
        error: { code: 'CANCELLED', message: expect.any(String), path: [] },
      },
      { position: 3, state: 'SUCCEEDED', purchaseOrder: { id: orders[2]?.id }, invoice: open, error: null },
    ]);
  });

  test('refuses what it cannot begin, and begins nothing', async () => {
    const before = await app.sql('select id from bulk_invoicing');
    const input = { purchaseOrderIds: [orders[0]?.id, 'po_unknown'] };
    const refused = await app.graphql.mutate('createQboInvoices', input, `bulkInvoicing { ${BULK} }`);
    expect(refused).toMatchObject({
      bulkInvoicing: null,
      userErrors: [{ code: 'NOT_FOUND', path: ['purchaseOrderIds', '1'] }],
    });
    expect(await app.sql('select id from bulk_invoicing')).toEqual(before);
  });
});

describe('bulkInvoicing', () => {
  test('lists items by state, page by page, from either end', async () => {
    const page = 'totalCount nodes { position } pageInfo { hasNextPage hasPreviousPage endCursor }';
    const { items: first } = await read(`items(first: 1, filter: { stateIn: [SUCCEEDED] }) { ${page} }`);
    expect(first).toMatchObject({ totalCount: 2, nodes: [{ position: 1 }], pageInfo: { hasNextPage: true } });
    const after = `after: "${first.pageInfo.endCursor}"`;
    const { items: next } = await read(`items(first: 1, ${after}, filter: { stateIn: [SUCCEEDED] }) { ${page} }`);
    expect(next).toMatchObject({ nodes: [{ position: 3 }], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
    // A cursor stays good for a list that its item is not in.
    expect((await read(`items(${after}, filter: { stateIn: [FAILED] }) { ${page} }`)).items.nodes).toEqual([
      { position: 2 },
    ]);
    expect((await read(`items(last: 1) { ${page} }`)).items.nodes).toEqual([{ position: 3 }]);
  });

  test('is found by node, and null when unknown', async () => {
    const { node } = await app.graphql.query(`{ node(id: "${bulk.id}") { id ... on BulkInvoicing { total } } }`);
    expect(node).toEqual({ id: bulk.id, total: 3 });
    expect(await app.graphql.query('{ bulkInvoicing(id: "bulk_unknown") { id } }')).toEqual({ bulkInvoicing: null });
  });
});
