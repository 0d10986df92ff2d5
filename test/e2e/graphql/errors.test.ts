import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, LINES, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { everything } from '../purchase-orders/support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer test-bootstrap-key-0123456789' };

async function post(body: string, headers: Record<string, string> = {}): Promise<{ status: number; body: Data }> {
  const response = await fetch(`${server.app.url}/graphql`, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

/** The codes of a refusal; fails when anything was changed. */
async function refused(document: string, variables: Record<string, unknown> = {}) {
  const before = await everything(server);
  const { status, data, errors } = await server.graphql.send(document, variables);
  expect(await everything(server)).toEqual(before);
  expect((errors ?? []).every(({ extensions }) => typeof extensions.requestId === 'string')).toBe(true);
  return { status, data, codes: (errors ?? []).map(({ extensions }) => extensions.code), errors };
}

describe('a request that cannot be read', () => {
  test('is 413 when its body is too large, whether it is measured before or after', async () => {
    const before = await everything(server);
    const { status, body } = await post(JSON.stringify({ query: `{ __typename } # ${'x'.repeat(102_400)}` }));
    expect(status).toBe(413);
    expect(body).toEqual({
      errors: [
        {
          message: expect.stringContaining('100 kB'),
          extensions: { code: 'PAYLOAD_TOO_LARGE', requestId: expect.any(String) },
        },
      ],
    });
    expect(await everything(server)).toEqual(before);
  });

  test.each([
    ['broken JSON', '{"query":'],
    ['no JSON', 'hello'],
    ['a number', '5'],
  ])('is 400 for %s', async (_what, text) => {
    const { status, body } = await post(text);
    expect(status).toBe(400);
    expect(body.errors[0].extensions).toEqual({ code: 'BAD_REQUEST', requestId: expect.any(String) });
    expect(JSON.stringify(body)).not.toMatch(/SyntaxError|node_modules|Unexpected token/);
  });

  test.each([
    ['an empty object', '{}'],
    ['a query that is no text', '{"query":5}'],
    ['variables that are no object', '{"query":"{ __typename }","variables":"x"}'],
    ['a batch', '[{"query":"{ __typename }"}]'],
    ['an empty batch', '[]'],
  ])('is 400 with a code for %s', async (_what, text) => {
    const { status, body } = await post(text);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toMatch(/SyntaxError|node_modules|at /);
  });

  test('is refused when a foreign page could have sent it', async () => {
    const before = await everything(server);
    const mutation = `mutation { cancelPurchaseOrder(input: { purchaseOrderId: "po_1" }) { userErrors { code } } }`;
    const simple = await post(JSON.stringify({ query: mutation }), { 'content-type': 'text/plain' });
    expect(simple.status).toBe(415);
    const url = `${server.app.url}/graphql?query=${encodeURIComponent(mutation)}`;
    const get = await fetch(url, { headers: { authorization: HEADERS.authorization } });
    expect(get.status).toBe(400);
    const preflighted = await fetch(url, {
      headers: { authorization: HEADERS.authorization, 'apollo-require-preflight': '1' },
    });
    expect(preflighted.status).toBe(405);
    expect(await everything(server)).toEqual(before);
  });
});

describe('a document that cannot be executed', () => {
  test.each([
    ['a syntax error', '{', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing input', 'mutation { createPurchaseOrder { purchaseOrder { id } } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a number for a Decimal', amountDocument('500'), 'GRAPHQL_VALIDATION_FAILED'],
    ['W-C5: NaN for a Decimal', amountDocument('"NaN"'), 'GRAPHQL_VALIDATION_FAILED'],
    ['a fraction for a Decimal', amountDocument('500.00'), 'GRAPHQL_VALIDATION_FAILED'],
    ['W-C6: an unknown method', amountDocument('"1.00"', 'PAYPAL'), 'GRAPHQL_VALIDATION_FAILED'],
  ])('is told so for %s, with the status that the accepted type has for it', async (_what, document, code) => {
    const { status, data, codes } = await refused(document);
    expect(status).toBe(200);
    expect(data ?? null).toBeNull();
    expect(codes).toEqual([code]);
    const strict = await post(JSON.stringify({ query: document }), { accept: 'application/graphql-response+json' });
    expect(strict.status).toBe(400);
    expect(strict.body.errors[0].extensions.code).toBe(code);
  });

  test('is 400 when nobody can tell which of its operations is meant', async () => {
    const { status, codes } = await refused('query A { __typename } query B { __typename }');
    expect([status, codes]).toEqual([400, ['OPERATION_RESOLUTION_FAILURE']]);
  });

  function amountDocument(amount: string, method = 'WIRE'): string {
    return `mutation { recordPayment(input: { purchaseOrderId: "po_1", amount: ${amount}, method: ${method} }) { userErrors { code } } }`;
  }

  test('has too many tokens', async () => {
    const { status, codes } = await refused(`{ ${'__typename '.repeat(5_000)} }`);
    expect([status, codes]).toEqual([400, ['QUERY_TOO_COMPLEX']]);
  });

  test('is nested far too deeply', async () => {
    const depth = 1_200;
    const { status, codes } = await refused(`${'{ a '.repeat(depth)}${'}'.repeat(depth)}`);
    expect(status).toBe(400);
    expect(codes).toContain('QUERY_TOO_COMPLEX');
  });

  test('multiplies itself through fragments', async () => {
    const fragments = Array.from(
      { length: 12 },
      (_, n) =>
        `fragment F${n} on PurchaseOrder { conference { purchaseOrders { nodes { ...F${n + 1} ...F${n + 1} } } } }`,
    );
    const document = `query { purchaseOrders { nodes { ...F0 } } } ${fragments.join(' ')} fragment F12 on PurchaseOrder { id }`;
    const { status, codes } = await refused(document);
    expect(status).toBe(400);
    expect(codes).toEqual(['QUERY_TOO_COMPLEX']);
  });
});

describe('a text with NUL', () => {
  test.each([
    ['query ($id: ID!) { node(id: $id) { id } }', 'po_\u0000'],
    ['query ($id: ID!) { nodes(ids: [$id]) { id } }', 'cn_\u0000'],
    ['query ($id: ID!) { purchaseOrder(id: $id) { id } }', 'po_\u0000'],
    ['query ($id: String!) { purchaseOrder(reference: $id) { id } }', 'PO-\u0000'],
    ['query ($id: String!) { conference(slug: $id) { id } }', '\u0000'],
    ['query ($id: ID!) { purchaseOrders(conferenceId: $id) { totalCount } }', '\u0000'],
    ['query ($id: String!) { purchaseOrders(filter: { search: $id }) { totalCount } }', 'a\u0000b'],
    ['mutation ($id: ID!) { sendPurchaseOrder(input: { purchaseOrderId: $id }) { userErrors { code } } }', '\u0000'],
    ['mutation ($id: ID!) { cancelPurchaseOrder(input: { purchaseOrderId: $id }) { userErrors { code } } }', '\u0000'],
    [
      'mutation ($id: ID!) { updateConference(input: { conferenceId: $id, name: "x" }) { userErrors { code } } }',
      '\u0000',
    ],
    [
      'mutation ($id: ID!) { reversePayment(input: { paymentId: $id, reason: "x" }) { userErrors { code } } }',
      '\u0000',
    ],
  ])('is BAD_USER_INPUT and no fault of ours: %s', async (document, id) => {
    const { codes } = await refused(document, { id });
    expect(codes).toEqual(['BAD_USER_INPUT']);
  });
});

describe('a fault of ours', () => {
  let broken: TestApp;

  beforeAll(async () => {
    broken = await startTestApp();
  });

  afterAll(() => broken.stop());

  const MASK = 'Something went wrong on our side. Tell us the request id if it happens again.';

  test('is masked in a query, but has a request id', async () => {
    const order = await createOrder(broken);
    await broken.sql('alter table line_item rename to line_item_gone');
    const { status, data, errors } = await broken.graphql.send(
      `{ purchaseOrder(id: "${order.id}") { id lineItems { id } } }`,
    );
    expect(status).toBe(200);
    expect(data).toEqual({ purchaseOrder: null });
    expect(errors).toEqual([
      {
        message: MASK,
        locations: [expect.any(Object)],
        // Lines are read with their order.
        path: ['purchaseOrder'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    ]);
    await broken.sql('alter table line_item_gone rename to line_item');
  });

  test('bears the request id that the caller gave, which also stands in the header', async () => {
    await broken.sql('alter table conference rename to conference_gone');
    const response = await fetch(`${broken.app.url}/graphql`, {
      method: 'POST',
      headers: { ...HEADERS, 'x-request-id': 'my-request-0001' },
      body: JSON.stringify({ query: '{ conferences { totalCount } }' }),
    });
    const answer: Data = JSON.parse(await response.text());
    expect(answer.errors[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId: 'my-request-0001' });
    expect(response.headers.get('x-request-id')).toBe('my-request-0001');
    expect(response.headers.get('cache-control')).toBe('no-store');
    await broken.sql('alter table conference_gone rename to conference');
  });

  test('in a mutation undoes everything, and a sibling in the same document still works', async () => {
    const order = await createOrder(broken);
    await broken.sql('alter table audit_event rename column action to action_gone');
    const { errors } = await broken.graphql.send(
      `mutation { first: recordPayment(input: { purchaseOrderId: "${order.id}", amount: "1.00", method: WIRE }) { userErrors { code } }
        second: sendPurchaseOrder(input: { purchaseOrderId: "po_unknown" }) { userErrors { code } } }`,
    );
    await broken.sql('alter table audit_event rename column action_gone to action');
    expect(errors?.map(({ message, path }) => [message, path])).toEqual([[MASK, ['first']]]);
    expect(await readOrder(broken, order.id)).toMatchObject({
      status: 'DRAFT',
      totalPaid: { amount: '0.00' },
      payments: { nodes: [] },
    });
    const paid = await broken.graphql.mutate(
      'recordPayment',
      { purchaseOrderId: order.id, amount: '1.00', method: 'WIRE' },
      'purchaseOrder { status }',
    );
    expect(paid.purchaseOrder.status).toBe('PARTIALLY_PAID');
  });

  test('while the key is looked up is masked, too', async () => {
    await broken.sql('alter table api_key rename to api_key_gone');
    const { status, errors } = await broken.graphql.send('{ conferences { totalCount } }');
    await broken.sql('alter table api_key_gone rename to api_key');
    expect(status).toBe(500);
    expect(errors).toEqual([
      { message: MASK, extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) } },
    ]);
  });
});

test('a user error never hides in a top-level error, nor the other way round', async () => {
  const { status, data, errors } = await server.graphql.send(
    'mutation ($input: CreatePurchaseOrderInput!) { createPurchaseOrder(input: $input) { purchaseOrder { id } userErrors { code message path } } }',
    {
      input: { conferenceId: server.conferenceId, organizationName: '', contactEmail: 'a@b.example', lineItems: LINES },
    },
  );
  expect(status).toBe(200);
  expect(errors).toBeUndefined();
  expect(data.createPurchaseOrder).toEqual({
    purchaseOrder: null,
    userErrors: [{ code: 'INVALID', message: 'The organization name must not be blank.', path: ['organizationName'] }],
  });
});

test('an unknown address answers in JSON and says where GraphQL is', async () => {
  const response = await fetch(`${server.app.url}/nowhere`);
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ error: 'There is nothing at /nowhere. GraphQL is at /graphql.' });
});
