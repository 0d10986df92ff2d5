import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOrder, ORDER } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

describe('how much a document may ask for', () => {
  let server: TestApp;

  beforeAll(async () => {
    server = await startTestApp();
    for (let count = 0; count < 3; count++) await createOrder(server);
  });

  afterAll(() => server.stop());

  /** Lists inside lists: twenty to the power of the depth. */
  function nested(depth: number): string {
    if (depth === 0) return 'id';
    return `conference { purchaseOrders { nodes { ${nested(depth - 1)} } } }`;
  }

  test('a page of a hundred orders with everything about them is fine', async () => {
    const { purchaseOrders } = await server.graphql.query(`{ purchaseOrders(first: 100) { nodes { ${ORDER} } } }`);
    expect(purchaseOrders.nodes).toHaveLength(4);
  });

  test.each([4, 8, 15])('lists inside lists, %i deep, are refused in words before anything is read', async (depth) => {
    const { status, data, errors } = await server.graphql.send(`{ purchaseOrders { nodes { ${nested(depth)} } } }`);
    expect(status).toBe(400);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([
      { message: expect.stringContaining('fewer items'), extensions: { code: 'QUERY_TOO_COMPLEX' } },
    ]);
  });

  test('sizes that come as variables count, too', async () => {
    const query = `query ($size: Int!) { conferences(first: $size) { nodes { purchaseOrders(first: $size) { nodes { payments(first: $size) { nodes { id } } } } } } }`;
    expect((await server.graphql.send(query, { size: 5 })).errors).toBeUndefined();
    expect((await server.graphql.send(query, { size: 100 })).errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_COMPLEX' } },
    ]);
  });

  test('the whole schema can still be introspected', async () => {
    const query =
      '{ __schema { types { name fields { name args { name type { name } } type { name ofType { name ofType { name } } } } } } }';
    expect((await server.graphql.query(query)).__schema.types.length).toBeGreaterThan(50);
  });
});
