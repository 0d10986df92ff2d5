import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { makeKey } from '../../support/api-keys.js';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { ACTIVITY, CHANGED, Subscriber, type SubscriberOptions } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

const PER_CALLER = 4;

let server: TestApp;
const subscribers: Subscriber[] = [];

beforeAll(async () => {
  server = await startTestApp({ STREAMS_PER_CALLER: String(PER_CALLER) });
});

afterEach(async () => {
  for (const subscriber of subscribers.splice(0)) subscriber.leave();
  await eventually(openStreams, (open) => open === 0);
});

afterAll(() => server.stop());

function subscribe(document: string, variables: Data, options: SubscriberOptions & { key?: string } = {}): Subscriber {
  const { key = server.app.apiKey, ...rest } = options;
  const subscriber = new Subscriber(server.app.url, key, [document, variables], rest);
  subscribers.push(subscriber);
  return subscriber;
}

/** As another process would: on a connection of its own, past everything that runs in this one. */
function note(id: string, notes: string): Promise<unknown> {
  return server.sql('update purchase_order set notes = $2 where id = $1', [id, notes]);
}

async function openStreams(): Promise<number> {
  const metrics = await (await fetch(`${server.app.url}/metrics`)).text();
  return Number(/^graphql_streams_open (\d+)$/m.exec(metrics)?.[1]);
}

/** A request of its own making, whose answer is read as it comes. */
function post(body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.app.url}/graphql/stream`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.app.apiKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...init,
  });
}

describe('purchaseOrderChanged', () => {
  test('tells of an order that is invoiced and paid at the provider, in the order in which it happened', async () => {
    const order = await createOrder(server);
    const subscriber = subscribe(CHANGED, { id: order.id });
    expect((await subscriber.next()).purchaseOrder).toMatchObject({ reference: order.reference, status: 'DRAFT' });

    const created = await server.graphql.mutate(
      'createQboInvoice',
      { purchaseOrderId: order.id },
      'purchaseOrder { qboInvoiceId }',
    );
    await subscriber.until(({ purchaseOrder }) => purchaseOrder.status === 'SENT');
    await server.quickbooks.pay(created.purchaseOrder.qboInvoiceId, '500.00', { paymentRefNum: 'WIRE-1' });
    const part = await subscriber.until(({ purchaseOrder }) => purchaseOrder.status === 'PARTIALLY_PAID');
    await server.quickbooks.pay(created.purchaseOrder.qboInvoiceId, '975.00');
    const paid = await subscriber.until(({ purchaseOrder }) => purchaseOrder.status === 'PAID');

    expect(part.purchaseOrder).toMatchObject({
      totalPaid: { amount: '500.00' },
      payments: { nodes: [{ reference: 'WIRE-1' }] },
    });
    expect(paid.purchaseOrder.totalPaid.amount).toBe('1475.00');
    expect(new Date(paid.at) > new Date(part.at)).toBe(true);
  });

  test('tells of what another process writes', async () => {
    const { id } = await createOrder(server);
    const subscriber = subscribe(CHANGED, { id });
    await subscriber.next();
    await note(id, 'by another process');
    expect((await subscriber.next()).purchaseOrder).toMatchObject({ id, notes: 'by another process' });
  });

  test('tells nothing of other orders', async () => {
    const [{ id }, other] = [await createOrder(server), await createOrder(server)];
    const subscriber = subscribe(CHANGED, { id });
    await subscriber.next();
    await note(other.id, 'of another order');
    await note(id, 'of this one');
    expect((await subscriber.next()).purchaseOrder.notes).toBe('of this one');
  });

  test('goes on after a lost connection where the client says, without the present state', async () => {
    const { id } = await createOrder(server);
    const first = subscribe(CHANGED, { id });
    await first.next();
    await note(id, 'seen');
    const { cursor } = await first.next();
    first.leave();

    await note(id, 'missed');
    await note(id, 'missed, too');
    const second = subscribe(CHANGED, { id, after: cursor });
    const missed = await second.next();
    expect(missed.purchaseOrder.notes).toBe('missed, too');
    await note(id, 'seen again');
    expect((await second.next()).purchaseOrder.notes).toBe('seen again');

    const third = subscribe(CHANGED, { id, after: missed.cursor });
    expect((await third.next()).purchaseOrder.notes).toBe('seen again');
  });
});

describe('what happens while the database is away is told afterwards, on the same stream', () => {
  test.each([
    ['the connection that hears of changes', "and query in ('listen change', 'select 1')"],
    ['every connection', ''],
  ])('when PostgreSQL ends %s', async (_, condition) => {
    const { id } = await createOrder(server);
    const subscriber = subscribe(CHANGED, { id });
    await subscriber.next();
    for (const notes of ['first', 'second', 'third']) {
      const ended = await server.sql(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() ${condition}`,
      );
      expect(ended.length).toBeGreaterThan(0);
      await note(id, notes);
      expect((await subscriber.next()).purchaseOrder.notes).toBe(notes);
    }
    expect(subscriber.connections).toBe(1);
  });
});

describe('conferenceActivity', () => {
  test('first says that nothing is missed from now on, then tells of every order of the conference', async () => {
    const { conferenceId } = server;
    const subscriber = subscribe(ACTIVITY, { conferenceId });
    const start = await subscriber.next();
    expect(start).toEqual({ cursor: expect.any(String), at: expect.any(String), purchaseOrder: null });
    const orders = [await createOrder(server), await createOrder(server)];
    const told = new Set<string>();
    while (told.size < orders.length) told.add((await subscriber.next()).purchaseOrder.id);
    expect([...told].toSorted()).toEqual(orders.map(({ id }) => id).toSorted());

    const late = subscribe(ACTIVITY, { conferenceId, after: start.cursor });
    expect([(await late.next()).purchaseOrder.id, (await late.next()).purchaseOrder.id].toSorted()).toEqual(
      [...told].toSorted(),
    );
  });
});

describe('nobody is told what they may not see', () => {
  test('what does not exist, of an order and of a conference', async () => {
    const orderless = subscribe(CHANGED, { id: 'po_unknown' });
    expect(await orderless.nextResult()).toMatchObject({
      errors: [{ message: 'There is no such purchase order.', extensions: { code: 'NOT_FOUND' } }],
    });
    expect(await orderless.nextResult()).toBeUndefined();
    const conferenceless = subscribe(ACTIVITY, { conferenceId: 'conf_unknown' });
    expect((await conferenceless.nextResult()).errors[0].extensions.code).toBe('NOT_FOUND');
    expect(await conferenceless.nextResult()).toBeUndefined();
  });

  test.each([
    ['without a key', {}],
    ['with a wrong key', { authorization: 'Bearer nobodys-key-0123456789' }],
  ])('anything, %s', async (_, headers) => {
    const { id } = await createOrder(server);
    const response = await post({ query: CHANGED, variables: { id } }, { authorization: '', ...headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  test('a change that comes after the key was revoked', async () => {
    const { id } = await createOrder(server);
    const key = await makeKey(server, { purchaseOrderId: id });
    const subscriber = subscribe(CHANGED, { id }, { key: key.secret });
    await subscriber.next();
    await server.graphql.mutate('revokeApiKey', { apiKeyId: key.id }, '');
    await note(id, 'a secret');
    const result = await subscriber.nextResult();
    expect(result).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    expect(JSON.stringify(result)).not.toContain('a secret');
    expect(await subscriber.nextResult()).toBeUndefined();
  });
});

const LINES_OF_A_HUNDRED =
  'purchaseOrders(first: 100) { nodes { lineItems { description quantity unitPrice { amount } lineTotal { amount } } } }';
const LARGE = `subscription { purchaseOrderChanged(id: "1") { purchaseOrder { conference {
  ${Array.from({ length: 9 }, (_, index) => `list${index}: ${LINES_OF_A_HUNDRED}`).join(' ')} } } } }`;

describe('what cannot be served is refused', () => {
  test.each([
    ['a query', '{ __typename }', 'BAD_REQUEST'],
    [
      'a mutation',
      'mutation { sendPurchaseOrder(input: { purchaseOrderId: "po_1" }) { userErrors { code } } }',
      'BAD_REQUEST',
    ],
    ['what is no document', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { everything { cursor } }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'two subscriptions at once',
      'subscription { a: conferenceActivity(conferenceId: "1") { at } b: conferenceActivity(conferenceId: "1") { at } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['a missing variable', 'subscription ($id: ID!) { purchaseOrderChanged(id: $id) { at } }', 'BAD_USER_INPUT'],
    [
      'too many aliases',
      `subscription { purchaseOrderChanged(id: "1") { ${Array.from({ length: 16 }, (_, index) => `a${index}: at`).join(' ')} } }`,
      'QUERY_TOO_COMPLEX',
    ],
    ['too large an answer', LARGE, 'QUERY_TOO_COMPLEX'],
    [
      'a cursor that is none',
      'subscription { purchaseOrderChanged(id: "{id}", after: "bm9uc2Vuc2U") { at } }',
      'BAD_USER_INPUT',
    ],
  ])('%s', async (_, query, code) => {
    const { id } = await createOrder(server);
    const response = await post({ query: query.replace('{id}', id) });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const [, answer = ''] = /event: next\ndata: (.*)\n\nevent: complete/.exec(await response.text()) ?? [];
    expect(JSON.parse(answer).errors.map(({ extensions }: Data) => extensions)).toEqual([
      expect.objectContaining({ code, requestId: response.headers.get('x-request-id') }),
    ]);
  });

  test('a subscription at /graphql', async () => {
    const { status, errors } = await server.graphql.send(CHANGED, { id: 'po_1' });
    expect(status).toBe(400);
    expect(errors).toMatchObject([
      { message: 'Subscriptions are served at /graphql/stream.', extensions: { code: 'BAD_REQUEST' } },
    ]);
  });

  test.each([
    ['GET', {}, 405],
    ['PUT', {}, 405],
    ['POST', { accept: 'application/json' }, 406],
    ['POST', { 'content-type': 'text/plain' }, 415],
  ])('%s %p with %i', async (method, headers, status) => {
    const body = method === 'GET' ? null : JSON.stringify({ query: CHANGED });
    const response = await post({}, headers, { method, body });
    expect(response.status).toBe(status);
  });

  test('one stream more than a caller may have, until another is closed', async () => {
    const { id } = await createOrder(server);
    const open = await Promise.all(
      Array.from({ length: PER_CALLER }, async () => {
        const subscriber = subscribe(CHANGED, { id });
        await subscriber.next();
        return subscriber;
      }),
    );
    const refused = await post({ query: CHANGED, variables: { id } });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });

    const other = subscribe(CHANGED, { id }, { key: (await makeKey(server, { purchaseOrderId: id })).secret });
    expect((await other.next()).purchaseOrder.id).toBe(id);
    open[0]?.leave();
    await eventually(openStreams, (count) => count === PER_CALLER);
    expect((await subscribe(CHANGED, { id }).next()).purchaseOrder.id).toBe(id);
  });
});

test('who leaves while they are let in takes up no stream', async () => {
  const { id } = await createOrder(server);
  const leaving = Array.from({ length: 60 }, async () => {
    const signal = AbortSignal.timeout(5);
    await post({ query: CHANGED, variables: { id } }, {}, { signal }).catch(() => undefined);
  });
  await Promise.all(leaving);
  await eventually(openStreams, (count) => count === 0);
  expect((await subscribe(CHANGED, { id }).next()).purchaseOrder.id).toBe(id);
});

test('a stream is not cached or buffered on its way, and begins at once', async () => {
  const { id } = await createOrder(server);
  const leaving = new AbortController();
  const response = await post({ query: CHANGED, variables: { id } }, {}, { signal: leaving.signal });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  leaving.abort();
});
