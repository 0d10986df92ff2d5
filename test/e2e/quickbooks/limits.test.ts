import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { standardWaits } from '../../../src/application/waits.js';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  configure,
  countCalls,
  createInvoicedOrder,
  freshTokens,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
  syncInvoice,
} from './steps.js';

const DAY_MS = 86_400_000;

let app: TestApp;

beforeAll(async () => {
  const { pauseMs, longPauseMs, longestPauseMs } = standardWaits;
  app = await startTestApp({}, { graphqlDeadlineMs: 3_000, usageFlushMs: 20, pauseMs, longPauseMs, longestPauseMs });
  await holdWebhooks(app);
});

afterEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

async function connection(fields: string): Promise<Data> {
  const { conference } = await app.graphql.query(`{ conference(slug: "demo") { qboConnection { ${fields} } } }`);
  return conference.qboConnection;
}

async function metric(name: string, labels: string): Promise<number> {
  const text = await (await fetch(`${app.app.url}/metrics`)).text();
  const pattern = new RegExp(
    `^${name}\\{environment="SANDBOX",realm="${app.quickbooks.realmId}",${labels}\\} (\\S+)$`,
    'm',
  );
  return Number(pattern.exec(text)?.[1]);
}

describe('a GraphQL request whose time is over', () => {
  test('gives up reading', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 20_000, times: 3, match: { method: 'GET' } });
    const { result, reads } = await countCalls(app, () => syncInvoice(app, order.id));
    expect(result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(reads).toHaveLength(1);
  });

  test('brings a write to its end that was begun, and starts no other', async () => {
    const order = await createOrder(app, { organizationName: 'Patient Ltd' });
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 4_000, match: { path: '/customer?' } });
    const late = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(late.result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(late.writes.map(({ path, status }) => [path.split('/').at(-1), status])).toEqual([['customer', 200]]);
    const again = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(again.result.userErrors).toEqual([]);
    expect(again.writes.map(({ path }) => path.split('/').at(-1))).toEqual(['invoice']);
  });
});

test('a client that leaves does not stop the invoice it asked for', async () => {
  const order = await createOrder(app, { organizationName: 'Patient Ltd' });
  await app.quickbooks.post('/faults', { kind: 'latency', ms: 800, match: { path: '/invoice?' } });
  const leaving = new AbortController();
  const mutation = `mutation { createQboInvoice(input: { purchaseOrderId: "${order.id}" }) { userErrors { code } } }`;
  const request = fetch(`${app.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${app.app.apiKey}` },
    body: JSON.stringify({ query: mutation }),
    signal: leaving.signal,
  });
  await eventually(
    () => app.sql<Data>("select state from provider_operation where subject = $1 and state = 'IN_FLIGHT'", [order.id]),
    (rows) => rows.length === 1,
  );
  leaving.abort();
  await expect(request).rejects.toThrow('aborted');
  const settled = await eventually(
    () => readOrder(app, order.id),
    ({ status }) => status === 'SENT',
  );
  expect(settled.qboInvoice).toMatchObject({ status: 'OPEN' });
  expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
});

describe('what is known of a connection', () => {
  test('are the days until the refresh token ends unused, and until it ends in any case', async () => {
    await app.quickbooks.post('/expire-tokens', { realmId: app.quickbooks.realmId });
    await createInvoicedOrder(app);
    const { refreshTokenExpiresAt, refreshTokenHardExpiresAt } = await connection(
      'refreshTokenExpiresAt refreshTokenHardExpiresAt',
    );
    const daysUntil = (time: string) => (Date.parse(time) - Date.now()) / DAY_MS;
    expect(Math.round(daysUntil(refreshTokenExpiresAt))).toBe(101);
    expect(Math.round(daysUntil(refreshTokenHardExpiresAt))).toBe(1825);
    expect((await metric('qbo_refresh_token_seconds_left', 'limit="unused"')) / 86_400).toBeCloseTo(101, 1);
    expect((await metric('qbo_refresh_token_seconds_left', 'limit="hard"')) / 86_400).toBeCloseTo(1825, 1);
  });

  test('are its calls of this month', async () => {
    const order = await createInvoicedOrder(app);
    const { usage: before } = await eventually(
      () => connection('usage { month reads writes }'),
      ({ usage }) => usage.writes > 0,
    );
    expect(before.month).toBe(new Date().toISOString().slice(0, 7));
    await syncInvoice(app, order.id);
    const { usage } = await eventually(
      () => connection('usage { reads writes }'),
      ({ usage: now }) => now.reads > before.reads,
    );
    expect(usage).toEqual({ reads: before.reads + 1, writes: before.writes });
    expect(await metric('qbo_calls_this_month', 'effect="read"')).toBe(usage.reads);
    expect(await metric('qbo_calls_this_month', 'effect="write"')).toBe(usage.writes);
  });

  test('is until when QuickBooks wants no reads, or no writes', async () => {
    const order = await createOrder(app, { organizationName: 'Patient Ltd' });
    expect(await connection('readsPausedUntil writesPausedUntil')).toEqual({
      readsPausedUntil: null,
      writesPausedUntil: null,
    });
    await app.quickbooks.post('/faults', { kind: '429', match: { path: '/invoice?' } });
    expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([{ code: 'QBO_UNAVAILABLE' }]);
    const { readsPausedUntil, writesPausedUntil } = await connection('readsPausedUntil writesPausedUntil');
    expect(readsPausedUntil).toBeNull();
    const secondsAhead = (Date.parse(writesPausedUntil) - Date.now()) / 1000;
    expect(secondsAhead).toBeGreaterThan(50);
    expect(secondsAhead).toBeLessThanOrEqual(60);
    const paused = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(paused.result.userErrors).toMatchObject([
      { code: 'QBO_UNAVAILABLE', message: expect.stringContaining('Writes of this company are paused') },
    ]);
    expect([...paused.reads, ...paused.writes]).toEqual([]);
  });

  test('begins anew with a new authorisation', async () => {
    const { realmId } = app.quickbooks;
    await app.sql(
      `update qbo_connection set status = 'RECONNECT_REQUIRED', previous_refresh_token = 'old', refresh_token_changed_at = now()`,
    );
    const { userErrors } = await configure(app, app.conferenceId, await freshTokens(app, realmId));
    expect(userErrors).toEqual([]);
    const [row] = await app.sql<Data>('select * from qbo_connection where realm_id = $1', [realmId]);
    expect(row).toMatchObject({
      status: 'CONNECTED',
      refresh_token_changed_at: null,
      refresh_token_hard_expires_at: null,
    });
  });
});
