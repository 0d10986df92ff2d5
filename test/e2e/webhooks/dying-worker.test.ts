import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type RunningApp, startApp } from '../../../src/app.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { loadConfig } from '../../../src/config.js';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { type CompiledPrograms, compilePrograms } from '../../support/server-process.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

// See server-process.test.ts.
jest.setTimeout(90_000);

let bench: Workbench;
let programs: CompiledPrograms;
const workers: RunningApp[] = [];

beforeAll(async () => {
  [bench, programs] = await Promise.all([startWorkbench({ timeoutMs: 10_000 }), compilePrograms()]);
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
  await bench.sql('delete from webhook_event');
});

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});

afterAll(async () => {
  await programs.remove();
  await bench.stop();
});

async function environment(): Promise<Record<string, string>> {
  const DATA_DIR = await programs.createDataDirectory();
  return { ...bench.environment, ROLE: 'worker', PORT: '0', LOG_LEVEL: 'silent', DATA_DIR };
}

async function startWorker(): Promise<void> {
  workers.push(await startApp(loadConfig(await environment()), () => undefined));
}

interface PaidOrder {
  readonly id: string;
  readonly eventId: string;
}

/** An order whose invoice is paid in QuickBooks, which says so with an event that nobody was woken for. */
async function paidOrder(): Promise<PaidOrder> {
  const { id, externalId } = await bench.invoicedOrder();
  const { Payment } = await bench.quickbooks.pay(externalId, '1475.00');
  const eventId = randomUUID();
  const { em, ids } = bench.process();
  const clock = { now: () => new Date() };
  const change = { entity: 'payment', entityId: Payment.Id, operation: 'created', occurredAt: undefined, payload: {} };
  const event = { eventId, companyId: bench.realmId, ...change };
  await storeWebhookEvents({ em, clock, ids, wake: () => undefined }, 'QBO', [event]);
  return { id, eventId };
}

async function slowReadings(milliseconds: number, times = 1): Promise<void> {
  await bench.quickbooks.post('/faults', { kind: 'latency', ms: milliseconds, times, match: { method: 'GET' } });
}

/** Has a worker look at what is pending now instead of at the next full minute. */
async function lookAround(): Promise<void> {
  await bench.sql("select graphile_worker.add_job('wake_pending_companies')");
}

async function becomes({ eventId }: PaidOrder, state: string): Promise<Data> {
  const read = async () => (await bench.sql('select * from webhook_event where event_id = ?', [eventId]))[0];
  return eventually(read, (row) => row.state === state, 30_000);
}

async function expectPaidOnce({ id }: PaidOrder): Promise<void> {
  expect(await bench.sql('select status from purchase_order where id = ?', [id])).toEqual([{ status: 'PAID' }]);
  expect(await bench.sql('select revision from payment where purchase_order_id = ?', [id])).toEqual([{ revision: 1 }]);
}

test('W-Q7: an event whose worker was killed in the middle is taken up by the next worker and booked once', async () => {
  const order = await paidOrder();
  await slowReadings(8_000);
  const killed = programs.start('main', await environment());
  await lookAround();
  await becomes(order, 'PROCESSING');
  await killed.kill();
  expect(await bench.sql('select state, attempts from webhook_event')).toEqual([{ state: 'PROCESSING', attempts: 0 }]);

  await startWorker();
  await lookAround();

  expect(await becomes(order, 'DONE')).toMatchObject({ attempts: 1, last_error: null });
  await expectPaidOnce(order);
});

test('a worker whose lock is cut goes on, another one joins in, and the payment is booked once', async () => {
  const order = await paidOrder();
  await slowReadings(4_000);
  await startWorker();
  await lookAround();
  await becomes(order, 'PROCESSING');
  const cut = await bench.sql(
    `select pg_terminate_backend(pid) as is_cut from pg_locks
     where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  );
  expect(cut).toEqual([{ is_cut: true }]);

  await startWorker();
  await lookAround();

  expect(await becomes(order, 'DONE')).toMatchObject({ last_error: null });
  await expectPaidOnce(order);
  // The first worker's reading comes in late, and changes nothing; the worker itself lives on.
  await eventually(
    () => bench.quickbooks.requests(),
    (requests) => requests.filter(({ path }) => path.includes('/payment/')).length >= 2,
  );
  await expectPaidOnce(order);
  const next = await paidOrder();
  await lookAround();
  await becomes(next, 'DONE');
  await expectPaidOnce(next);
});

test('two workers share a company without reading anything twice', async () => {
  const orders = [await paidOrder(), await paidOrder(), await paidOrder()];
  await slowReadings(500, 3);
  await bench.quickbooks.delete('/requests');
  await startWorker();
  await startWorker();
  for (let index = 0; index < 4; index++) await lookAround();
  for (const order of orders) {
    expect(await becomes(order, 'DONE')).toMatchObject({ attempts: 0 });
    await expectPaidOnce(order);
  }
  const invoices = (await bench.quickbooks.requests()).filter(({ path }) => path.includes('/invoice/'));
  expect(new Set(invoices.map(({ path }) => path)).size).toBe(invoices.length);
});
