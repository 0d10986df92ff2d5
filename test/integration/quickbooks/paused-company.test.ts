import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { standardWaits } from '../../../src/application/waits.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { randomIds } from '../../../src/domain/ids.js';
import { Metrics } from '../../../src/infrastructure/observability/metrics.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  const { pauseMs, longPauseMs, longestPauseMs } = standardWaits;
  bench = await startWorkbench({ waits: { pauseMs, longPauseMs, longestPauseMs } });
});

afterEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.sql(
    'update qbo_connection set reads_paused_until = null, reads_pauses = 0, writes_paused_until = null, writes_pauses = 0',
  );
});

afterAll(() => bench.stop());

async function connection(): Promise<Data> {
  const [row] = await bench.sql(
    `select reads_pauses, writes_pauses,
            round(extract(epoch from reads_paused_until - now()))::int as reads_paused_s,
            round(extract(epoch from writes_paused_until - now()))::int as writes_paused_s from qbo_connection`,
  );
  return row;
}

/** As if the time of the pause had passed. */
async function endPause(): Promise<void> {
  await bench.sql("update qbo_connection set reads_paused_until = now() - interval '1 second'");
}

async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
  await bench.quickbooks.delete('/requests');
  await work();
  return (await bench.quickbooks.requests()).map(({ method, status }) => `${method} ${status}`);
}

/** QuickBooks blocks the reads of the month. */
async function useUpQuota(): Promise<void> {
  await bench.quickbooks.post('/faults', { kind: '429', times: 1000, match: { method: 'GET' } });
}

const knownOrder = () => bench.order({ organizationName: 'Known Ltd' });

const invoice = (purchaseOrderId: string) => createQboInvoice(bench.process(), { purchaseOrderId });

describe('a company whose monthly quota of reads is used up', () => {
  test('is asked less and less often, while writes go on, and at once as before when reads work again', async () => {
    const { id: purchaseOrderId } = await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    const next = await bench.order({ organizationName: 'Known Ltd' });
    const sync = () => syncQboInvoiceStatus(bench.process(), { purchaseOrderId });
    await useUpQuota();

    const pausedFor: number[] = [];
    for (let pause = 0; pause < 5; pause++) {
      expect(await callsOf(sync)).toEqual(['GET 429']);
      expect(await callsOf(sync)).toEqual([]);
      pausedFor.push((await connection()).reads_paused_s);
      await endPause();
    }
    const minutes = pausedFor.map((seconds) => Math.round(seconds / 60));
    expect(minutes).toEqual([1, 1, 15, 60, 60]);

    expect(await sync()).toMatchObject({ failures: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(
      await callsOf(async () => {
        expect(await createQboInvoice(bench.process(), { purchaseOrderId: next })).toMatchObject({ failures: [] });
      }),
    ).toEqual(['POST 200']);
    expect(await connection()).toMatchObject({ reads_pauses: 6, writes_pauses: 0, writes_paused_s: null });

    await bench.quickbooks.delete('/faults');
    await endPause();
    expect(await sync()).toMatchObject({ failures: [] });
    expect(await connection()).toMatchObject({ reads_pauses: 0, reads_paused_s: null });
  });

  test('goes on being invoiced in with the settings it had, also after a refusal, and they are read anew when reads work', async () => {
    await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    const [refused, next, last] = [await knownOrder(), await knownOrder(), await knownOrder()];
    await useUpQuota();
    const fault = { kind: 'fault', code: '6000', detail: 'No tax rate.', match: { path: '/invoice?' } };
    await bench.quickbooks.post('/faults', fault);
    expect(await invoice(refused)).toMatchObject({ failures: [{ code: 'QBO_REJECTED' }] });

    for (const purchaseOrderId of [refused, next]) {
      await endPause();
      // The first of them tries to read, and learns that it cannot.
      expect(await invoice(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    }

    await bench.quickbooks.delete('/faults');
    await endPause();
    const calls = await callsOf(() => invoice(last));
    expect(calls.toSorted()).toEqual(['GET 200', 'POST 200']);
    expect(await bench.sql(`select settings->>'isStale' as stale from qbo_connection`)).toEqual([{ stale: null }]);
  });

  test.each([
    [
      'stale settings cannot be read anew for another reason',
      `settings || '{"isStale": true}'`,
      { kind: 'reset', times: 3 },
    ],
    ['its settings were never read', 'null', { kind: '429' }],
  ])('is not invoiced in when %s', async (_what, settings, fault) => {
    await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    const purchaseOrderId = await knownOrder();
    await bench.sql(`update qbo_connection set settings = ${settings}`);
    await bench.quickbooks.post('/faults', { ...fault, match: { path: '/preferences' } });
    const calls = await callsOf(async () => {
      expect(await invoice(purchaseOrderId)).toMatchObject({ id: null, failures: [{ code: 'QBO_UNAVAILABLE' }] });
    });
    expect(calls.filter((call) => call.startsWith('POST'))).toEqual([]);
  });

  test('goes on being invoiced in also after it was connected anew', async () => {
    await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    const purchaseOrderId = await knownOrder();
    const { conferenceId, realmId } = bench;
    const { accessToken, refreshToken } = await bench.quickbooks.post('/tokens', { realmId });
    await bench.sql("update qbo_connection set reads_pauses = 4, reads_paused_until = now() + interval '1 hour'");
    const tokens = { environment: 'SANDBOX', realmId, accessToken, refreshToken };
    expect(await configureQboConnection(bench.process(), { conferenceId, ...tokens })).toMatchObject({ failures: [] });
    expect(await callsOf(() => invoice(purchaseOrderId))).toEqual(['POST 200']);
  });

  test('cannot have an organisation invoiced for the first time, and the refusal says why and until when', async () => {
    await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    const purchaseOrderId = await bench.order({ organizationName: 'Unheard-of Ltd' });
    await bench.sql("update qbo_connection set reads_pauses = 3, reads_paused_until = now() + interval '15 minutes'");
    const [{ until }] = await bench.sql('select reads_paused_until as until from qbo_connection');
    const { customers: before } = await bench.books();
    let outcome: unknown;
    expect(
      await callsOf(async () => {
        outcome = await invoice(purchaseOrderId);
      }),
    ).toEqual([]);
    expect(outcome).toEqual({
      id: null,
      failures: [{ code: 'QBO_UNAVAILABLE', message: expect.any(String), path: [] }],
    });
    const message = (outcome as { failures: [{ message: string }] }).failures[0].message;
    const [, told = ''] = /Reads of this company are paused until (\S+Z)\./.exec(message) ?? [];
    expect(Math.abs(new Date(told).getTime() - new Date(until).getTime())).toBeLessThan(5_000);
    expect(message).toMatch(/monthly read quota of the Intuit plan is used up/);
    expect(message).toMatch(/"Unheard-of Ltd" has no known customer in this currency yet/);
    expect((await bench.books()).customers).toEqual(before);
  });

  test('keeps its webhook events waiting without counting attempts', async () => {
    const { externalId } = await bench.invoicedOrder();
    const eventId = randomUUID();
    const context = { em: bench.orm.em.fork(), clock: bench.clock, ids: randomIds, wake: () => undefined };
    const event = { entity: 'invoice', entityId: externalId, operation: 'updated', occurredAt: undefined, payload: {} };
    await storeWebhookEvents(context, 'QBO', [{ eventId, companyId: bench.realmId, ...event }]);
    await useUpQuota();

    await processQboEvents(bench.process(), bench.realmId);

    const [row] = await bench.sql(
      `select state, attempts, round(extract(epoch from next_attempt_at - now()))::int as due_s
       from webhook_event where event_id = ?`,
      [eventId],
    );
    expect(row).toMatchObject({ state: 'RECEIVED', attempts: 0 });
    expect(row.due_s).toBeGreaterThan(50);
    expect(row.due_s).toBeLessThanOrEqual(60);
    expect(await callsOf(() => processQboEvents(bench.process(), bench.realmId))).toEqual([]);

    await bench.quickbooks.delete('/faults');
    await endPause();
    bench.clock.advance(61_000);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await bench.sql('select state, attempts from webhook_event where event_id = ?', [eventId])).toEqual([
      { state: 'DONE', attempts: 0 },
    ]);
  });

  test('shows in the metrics', async () => {
    const { id: purchaseOrderId } = await bench.invoicedOrder();
    await useUpQuota();
    await syncQboInvoiceStatus(bench.process(), { purchaseOrderId });
    const metrics = await new Metrics(bench.orm).registry.metrics();
    const seconds = Number(
      /^qbo_paused_seconds\{environment="SANDBOX",realm="\d+",effect="read"\} (\S+)$/m.exec(metrics)?.[1],
    );
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(metrics).toMatch(/^qbo_paused_seconds\{environment="SANDBOX",realm="\d+",effect="write"\} 0$/m);
  });
});
