import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RateLimits } from '../../../src/api/graphql/limits/rate-limits.js';
import type { OperationReport } from '../../../src/api/graphql/operation-log.js';
import { ensureApiKey } from '../../../src/application/access/api-keys.js';
import { systemClock } from '../../../src/domain/clock.js';
import { randomIds } from '../../../src/domain/ids.js';
import { PRODUCTION_KEY, startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';
import { createOrder, ORDER } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { everything } from '../purchase-orders/support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
  for (let count = 0; count < 3; count++) await createOrder(server);
});

afterAll(() => server.stop());

describe('how much a document may ask for', () => {
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
    expect(errors).toEqual([
      {
        message: 'Lists may be nested 3 deep: read the innermost ones in an operation of their own.',
        locations: [{ line: 1, column: 1 }],
        extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'lists', requestId: expect.any(String) },
      },
    ]);
  });

  test('pages inside pages that could have millions of values are refused, too', async () => {
    const page = (inner: string) => `purchaseOrders(first: 100) { nodes { conference { ${inner} } } }`;
    const { status, data, errors } = await server.graphql.send(`{ ${page(page(page('id')))} }`);
    expect(status).toBe(400);
    expect(data).toBeUndefined();
    expect(errors).toEqual([
      {
        message: expect.stringContaining('ask for fewer items with "first"'),
        extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost', requestId: expect.any(String) },
      },
    ]);
  });

  test('sizes that come as variables count, too', async () => {
    const query = `query ($size: Int!) { conferences(first: $size) { nodes { purchaseOrders(first: $size) { nodes { payments(first: $size) { nodes { id } } } } } } }`;
    expect((await server.graphql.send(query, { size: 5 })).errors).toBeUndefined();
    expect((await server.graphql.send(query, { size: 100 })).errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_COMPLEX' } },
    ]);
  });

  test('a size below zero, which is refused anyway, takes nothing off what stands beside it', async () => {
    const page = (inner: string) => `purchaseOrders(first: 100) { nodes { conference { ${inner} } } }`;
    const query = `{ ${page(page(page('id')))} other: purchaseOrders(first: -2147483648) { nodes { id reference status } } }`;
    expect((await server.graphql.send(query)).errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost' } },
    ]);
  });

  test('the whole schema can still be introspected', async () => {
    const query =
      '{ __schema { types { name fields { name args { name type { name } } type { name ofType { name ofType { name } } } } } } }';
    expect((await server.graphql.query(query)).__schema.types.length).toBeGreaterThan(50);
  });
});

describe('a purchase order of 750 lines', () => {
  const LINES = 750;

  function lines(description: string) {
    return Array.from({ length: LINES }, () => ({ description, quantity: 1, unitPrice: '1.00' }));
  }

  test('fits as variables with descriptions of 60 characters', async () => {
    const order = await createOrder(server, {
      lineItems: lines('Early bird ticket, three days, workshops and dinner included'),
    });
    expect(order.total).toEqual({ amount: '750.00', currencyCode: 'USD' });
  });

  test('that is larger than a request may be is refused with the limit and what to do, and nothing is stored', async () => {
    const before = await everything(server);
    const input = { conferenceId: server.conferenceId, organizationName: 'Large', contactEmail: 'a@example.com' };
    const document =
      'mutation ($input: CreatePurchaseOrderInput!) { createPurchaseOrder(input: $input) { userErrors { code } } }';
    const { status, data, errors } = await server.graphql.send(document, {
      input: { ...input, lineItems: lines('x'.repeat(120)) },
    });
    expect(status).toBe(413);
    expect(data).toBeUndefined();
    expect(errors).toEqual([
      {
        message: 'A request may have 100 kB: send shorter texts, or the lines of an order in two orders.',
        extensions: { code: 'PAYLOAD_TOO_LARGE', requestId: expect.any(String) },
      },
    ]);
    expect(await everything(server)).toEqual(before);
  });

  test('does not fit into a document, which is told to use variables', async () => {
    const before = await everything(server);
    const line = '{ description: "x", quantity: 1, unitPrice: "1.00" }';
    const input = `conferenceId: "${server.conferenceId}", organizationName: "x", contactEmail: "a@example.com"`;
    const { status, errors } = await server.graphql.send(
      `mutation { createPurchaseOrder(input: { ${input}, lineItems: [${line.repeat(LINES)}] }) { userErrors { code } } }`,
    );
    expect(status).toBe(400);
    expect(errors).toEqual([
      {
        message:
          'A document may have 5,000 tokens: send lists, such as the lines of a purchase order, as variables, which do not count.',
        locations: [expect.any(Object)],
        extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'tokens', requestId: expect.any(String) },
      },
    ]);
    expect(await everything(server)).toEqual(before);
  });
});

describe('whoever asks for more than a minute allows', () => {
  let limited: TestGraphQLServer;
  const PAGE = '{ conferences(first: 100) { nodes { id name } } }';
  const operations: OperationReport[] = [];
  const refusals: string[] = [];

  beforeAll(async () => {
    limited = await startTestGraphQL({
      rateLimits: new RateLimits(3_000),
      onOperation: (operation) => operations.push(operation),
      onRefused: (limit) => refusals.push(limit),
    });
  });

  afterAll(() => limited.stop());

  async function post(query: string, key: string): Promise<Response> {
    return fetch(`${limited.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query }),
    });
  }

  test('is told when to come back and gets nothing; others are not disturbed', async () => {
    const context = { em: limited.orm.em.fork(), clock: systemClock, ids: randomIds };
    await ensureApiKey(context, 'other', 'the-key-of-somebody-else');
    const statuses: number[] = [];
    while (!statuses.includes(429)) statuses.push((await post(PAGE, PRODUCTION_KEY)).status);
    // 301 values and 100 for the request; the first time the 49 characters count, too.
    expect(statuses).toEqual([...Array(7).fill(200), 429]);
    const response = await post('{ __typename }', PRODUCTION_KEY);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    const { data, errors } = JSON.parse(await response.text());
    expect(data).toBeUndefined();
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/^You asked for more in a minute than one caller may\. Try again in \d+ s\.$/),
        extensions: { code: 'RATE_LIMITED', requestId: expect.any(String) },
      },
    ]);
    expect((await post(PAGE, 'the-key-of-somebody-else')).status).toBe(200);
  });

  test('is seen by those who run the server, without what was sent', async () => {
    expect(refusals).toEqual(['rate', 'rate']);
    expect(operations).toHaveLength(9);
    expect(operations[7]).toEqual({
      type: 'query',
      name: 'anonymous',
      documentHash: createHash('sha256').update(PAGE).digest('hex').slice(0, 16),
      actorId: expect.stringMatching(/^key_/),
      durationMs: expect.any(Number),
      errorCodes: ['RATE_LIMITED'],
    });
  });

  test('also with documents that are refused as too costly, each of which takes as much as the largest answer', async () => {
    const generous = await startTestGraphQL({ rateLimits: new RateLimits(120_000) });
    const page = (inner: string) => `purchaseOrders(first: 100) { nodes { conference { ${inner} } } }`;
    const query = `{ ${page(page(page('id')))} }`;
    const codes: string[] = [];
    for (let count = 0; count < 4; count++)
      codes.push((await generous.client.send(query)).errors?.[0]?.extensions.code);
    expect(codes).toEqual([...Array(3).fill('QUERY_TOO_COMPLEX'), 'RATE_LIMITED']);
    await generous.stop();
  });

  test('or tries a hundred wrong keys, is refused by address, where a right one goes on working', async () => {
    const context = { em: limited.orm.em.fork(), clock: systemClock, ids: randomIds };
    await ensureApiKey(context, 'third', 'the-key-of-a-third-one');
    for (let count = 0; count < 101; count++) expect((await post('{ __typename }', 'a-wrong-key')).status).toBe(401);
    expect((await post('{ __typename }', 'a-wrong-key')).status).toBe(429);
    expect((await post('{ __typename }', 'the-key-of-a-third-one')).status).toBe(200);
  });
});
