import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningApp, startApp } from '../../../src/app.js';
import { loadConfig } from '../../../src/config.js';
import { eventually } from '../../support/eventually.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  countCalls,
  createInvoicedOrder,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
  operationsOf,
  syncInvoice,
} from './steps.js';

const ENCRYPTION_KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`;
const BOOTSTRAP_API_KEY = 'test-bootstrap-key-0123456789';

let app: TestApp;
let realmId: string;

beforeAll(async () => {
  app = await startTestApp({ ENCRYPTION_KEYS });
  ({ realmId } = app.quickbooks);
  await holdWebhooks(app);
});

afterEach(async () => {
  await app.quickbooks.delete('/faults');
  await app.quickbooks.post('/oauth', { rotateEveryRefresh: false, punishConcurrentRefresh: false });
});

afterAll(() => app.stop());

async function connection(): Promise<Data> {
  return (await app.sql<Data>('select * from qbo_connection where realm_id = $1', [realmId]))[0];
}

/** As if the hour of the access token were over, here and in QuickBooks. */
async function expire(): Promise<void> {
  await app.sql("update qbo_connection set access_token_expires_at = now() + interval '4 minutes'");
  await app.quickbooks.post('/expire-tokens', { realmId });
}

describe('W-Q28: an access token that has run out', () => {
  test('is refreshed once, stored sealed, and then used', async () => {
    const order = await createInvoicedOrder(app);
    const before = await connection();
    await expire();
    const { result, reads, tokens } = await countCalls(app, () => syncInvoice(app, order.id));
    expect(result.userErrors).toEqual([]);
    expect(tokens.map(({ status }) => status)).toEqual([200]);
    expect(reads.map(({ status }) => status)).toEqual([200]);
    const after = await connection();
    expect(after.token_version).toBe(before.token_version + 1);
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.access_token_expires_at.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    expect(after.refresh_token_expires_at.getTime()).toBeGreaterThan(Date.now() + 99 * 86_400_000);
    expect(after).toMatchObject({ refresh_lease_until: null, status: 'CONNECTED' });
  });

  test('of twenty simultaneous calls one refreshes and all succeed, although Intuit punishes a second refresh', async () => {
    const orders: Data[] = [];
    for (let index = 0; index < 20; index++) orders.push(await createOrder(app, { organizationName: 'Refresh Crowd' }));
    await createInvoicedOrder(app, { organizationName: 'Refresh Crowd' });
    await app.quickbooks.post('/oauth', { rotateEveryRefresh: true, punishConcurrentRefresh: true });
    await expire();
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/oauth2/' } });
    const { result, tokens } = await countCalls(app, () => Promise.all(orders.map(({ id }) => invoiceOrder(app, id))));
    expect(result.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    expect(tokens).toHaveLength(1);
    expect((await connection()).status).toBe('CONNECTED');
  });
});

describe('W-Q28: an access token that is refused in the middle of its life', () => {
  test('leads to one refresh and one repetition of the same write', async () => {
    const order = await createOrder(app, { organizationName: 'Refresh Crowd' });
    await app.quickbooks.post('/expire-tokens', { realmId });
    const { result, writes, tokens } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result.userErrors).toEqual([]);
    expect(tokens).toHaveLength(1);
    expect(writes.map(({ status }) => status)).toEqual([401, 200]);
    expect(writes[1].requestid).toBe(writes[0].requestid);
    expect(writes[1].body).toBe(writes[0].body);
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
    expect(await operationsOf(app, order.id)).toMatchObject([{ state: 'DONE', attempts: 1 }]);
  });

  test('a new token that is refused as well is QBO_UNAVAILABLE, not tried a third time, and works when QuickBooks does', async () => {
    const order = await createOrder(app, { organizationName: 'Refresh Crowd' });
    await app.quickbooks.post('/faults', { kind: '401', times: 10, match: { path: '/invoice?' } });
    const { result, writes, tokens } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(writes).toHaveLength(2);
    expect(tokens).toHaveLength(1);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'DRAFT', qboInvoice: null });
    expect((await connection()).status).toBe('CONNECTED');
    await app.quickbooks.delete('/faults');
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
  });
});

describe('a token endpoint that fails', () => {
  test.each([
    ['is down', { kind: 'html502', times: 2 }],
    ['cuts the connection twice', { kind: 'reset', times: 2 }],
    ['answers with garbage', { kind: 'garbage', times: 2 }],
  ])('and %s is QBO_UNAVAILABLE and overwrites no token', async (_what, fault) => {
    const order = await createOrder(app);
    await expire();
    const before = await connection();
    await app.quickbooks.post('/faults', { ...fault, match: { path: '/oauth2/' } });
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(writes).toEqual([]);
    expect(await connection()).toMatchObject({
      access_token: before.access_token,
      refresh_token: before.refresh_token,
      token_version: before.token_version,
      status: 'CONNECTED',
    });
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
  });

  test('because of a wrong client secret says so without ending the connection', async () => {
    const order = await createOrder(app);
    await expire();
    await app.quickbooks.post('/faults', { kind: '401', match: { path: '/oauth2/' } });
    const { userErrors } = await invoiceOrder(app, order.id);
    expect(userErrors).toMatchObject([
      { code: 'RECONNECT_REQUIRED', message: expect.stringContaining('client id and client secret') },
    ]);
    expect((await connection()).status).toBe('CONNECTED');
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
  });
});

describe('two servers on one database', () => {
  let second: RunningApp;
  let other: TestApp;

  beforeAll(async () => {
    const [database] = await app.sql<{ name: string }>('select current_database() as name');
    const url = new URL(String(process.env.TEST_SERVER_URL));
    url.pathname = `/${database?.name}`;
    const { simulator } = app.quickbooks;
    const config = loadConfig({
      ROLE: 'api',
      PORT: '0',
      LOG_LEVEL: 'silent',
      DATABASE_URL: url.href,
      ENCRYPTION_KEYS,
      BOOTSTRAP_API_KEY,
      QBO_API_BASE_URL: simulator.baseUrl,
      QBO_TOKEN_URL: simulator.tokenUrl,
    });
    second = await startApp(config, () => undefined);
    other = { ...app, app: second, graphql: new GraphQLClient(second.url, BOOTSTRAP_API_KEY) };
  });

  afterAll(() => second.stop());

  test('W-Q14: that invoice the same order at the same time make one invoice', async () => {
    const order = await createOrder(app, { organizationName: 'Refresh Crowd' });
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/invoice?' } });
    const servers = [app, other, app, other, app, other];
    const { result, writes } = await countCalls(app, () =>
      Promise.all(servers.map((server) => invoiceOrder(server, order.id))),
    );
    expect(result.filter(({ userErrors }) => userErrors.length === 0)).toHaveLength(1);
    for (const { userErrors } of result.filter((answer) => answer.userErrors.length > 0)) {
      expect(['IN_PROGRESS', 'ALREADY_INVOICED']).toContain(userErrors[0].code);
    }
    expect(writes).toHaveLength(1);
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
  });

  test('that need a new token at the same time ask for it once', async () => {
    const orders: Data[] = [];
    for (let index = 0; index < 6; index++) orders.push(await createOrder(app, { organizationName: 'Refresh Crowd' }));
    await app.quickbooks.post('/oauth', { rotateEveryRefresh: true, punishConcurrentRefresh: true });
    await expire();
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/oauth2/' } });
    const { result, tokens } = await countCalls(app, () =>
      Promise.all(orders.map(({ id }, index) => invoiceOrder(index % 2 === 0 ? app : other, id))),
    );
    expect(result.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    expect(tokens).toHaveLength(1);
  });

  test('an order that one server left unfinished is finished by the other', async () => {
    const order = await createOrder(app, { organizationName: 'Refresh Crowd' });
    await app.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }]);
    await invoiceOrder(other, order.id);
    const settled = await eventually(
      () => readOrder(other, order.id),
      ({ qboInvoiceId }) => qboInvoiceId !== null,
    );
    expect(settled).toMatchObject({ status: 'SENT', qboInvoice: { status: 'OPEN' } });
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
  });

  test('money that arrives is booked once although both are asked to look', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    await Promise.all([app, other, app, other].map((server) => syncInvoice(server, order.id)));
    await syncInvoice(other, order.id);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    expect(await app.sql('select 1 from payment where purchase_order_id = $1', [order.id])).toHaveLength(1);
  });
});
