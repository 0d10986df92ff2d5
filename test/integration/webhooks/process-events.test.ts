import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { nextDueEvent, pendingCompanies } from '../../../src/application/webhooks/pending-events.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { randomIds } from '../../../src/domain/ids.js';
import { Metrics } from '../../../src/infrastructure/observability/metrics.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
  await bench.sql('delete from webhook_event');
});

afterAll(() => bench.stop());

/** Stores an event as the route does, without waking anybody, and returns its id. */
async function announce(entity: string, entityId: string, { realmId = bench.realmId, operation = 'updated' } = {}) {
  const eventId = randomUUID();
  const context = { em: bench.orm.em.fork(), clock: bench.clock, ids: randomIds, wake: () => undefined };
  const event = { eventId, companyId: realmId, entity, entityId, operation, occurredAt: undefined, payload: {} };
  expect(await storeWebhookEvents(context, 'QBO', [event])).toEqual({ stored: 1, duplicates: 0 });
  return eventId;
}

async function event(eventId: string): Promise<Data> {
  const rows = await bench.sql(
    'select *, extract(epoch from next_attempt_at) * 1000 as due_ms from webhook_event where event_id = ?',
    [eventId],
  );
  return { ...rows[0], dueAt: new Date(Number(rows[0].due_ms)) };
}

async function statusOf(orderId: string): Promise<string> {
  return (await bench.sql('select status from purchase_order where id = ?', [orderId]))[0].status;
}

async function pay(externalId: string, amount: string): Promise<string> {
  return (await bench.quickbooks.pay(externalId, amount)).Payment.Id;
}

const BROKEN: Partial<AccountingGateway> = {
  readPayments: async () => ({ ok: false, failure: { kind: 'unavailable', message: 'No answer.', trace: {} } }),
};

describe('an event that fails', () => {
  test('is tried again later and later, is DEAD in the end, and shows in the metrics', async () => {
    const eventId = await announce('payment', '1');
    const waitsMs: number[] = [];
    let row = await event(eventId);
    while (row.state === 'RECEIVED') {
      expect(await processQboEvents(bench.with(BROKEN), bench.realmId)).toBe(1);
      row = await event(eventId);
      waitsMs.push(row.dueAt.getTime() - bench.clock.now().getTime());
      if (row.state === 'RECEIVED') {
        // Not due yet: nothing is tried.
        expect(await processQboEvents(bench.with(BROKEN), bench.realmId)).toBe(0);
        bench.clock.advance(row.dueAt.getTime() - bench.clock.now().getTime());
      }
    }
    expect(row).toMatchObject({ state: 'DEAD', attempts: waitsMs.length, last_error: 'No answer.' });
    const grown = waitsMs.slice(0, -1).map((wait) => Math.round(wait / 1000));
    expect(grown.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(grown).toEqual(grown.toSorted((left, right) => left - right));
    const hours = grown.reduce((total, wait) => total + wait, 0) / 3600;
    expect(hours).toBeGreaterThan(12);
    const metrics = await new Metrics(bench.orm).registry.metrics();
    expect(metrics).toMatch(/webhook_events\{state="DEAD"\} 1\n/);
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(0);
    expect(await pendingCompanies(bench.process())).toEqual([]);
  });

  test('does not keep the others from being worked off', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    const poison = await announce('payment', '1');
    await pay(externalId, '1475.00');
    const good = await announce('invoice', externalId);
    const { accounting } = bench.context;
    const readPayments: AccountingGateway['readPayments'] = async (connection, ids) => {
      if (ids.includes('1')) throw new Error('poison');
      return accounting.readPayments(connection, ids);
    };
    expect(await processQboEvents(bench.with({ readPayments }), bench.realmId)).toBe(2);
    expect(await event(poison)).toMatchObject({ state: 'RECEIVED', attempts: 1, last_error: 'poison' });
    expect(await event(good)).toMatchObject({ state: 'DONE', attempts: 0 });
    expect(await statusOf(id)).toBe('PAID');
  });

  test('a payment in a wrong currency is such a poison: it is kept for a person, and nothing is booked', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    await pay(externalId, '1475.00');
    const eventId = await announce('invoice', externalId);
    const { accounting } = bench.context;
    const readPayments: AccountingGateway['readPayments'] = async (connection, ids) => {
      const read = await accounting.readPayments(connection, ids);
      if (!read.ok) return read;
      const objects = read.value.objects.map((payment) => ({ ...payment, currency: 'EUR' as CurrencyCode }));
      return { ...read, value: { ...read.value, objects } };
    };
    await processQboEvents(bench.with({ readPayments }), bench.realmId);
    expect(await event(eventId)).toMatchObject({ state: 'RECEIVED', attempts: 1 });
    expect(await statusOf(id)).toBe('SENT');
    bench.clock.advance(5_000);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await statusOf(id)).toBe('PAID');
  });
});

describe('a wake-up that was lost', () => {
  test('is made up for by the periodic look at what is pending', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    await announce('payment', await pay(externalId, '1475.00'));
    expect(await statusOf(id)).toBe('SENT');
    expect(await pendingCompanies(bench.process())).toEqual([{ provider: 'QBO', companyId: bench.realmId }]);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await statusOf(id)).toBe('PAID');
    expect(await pendingCompanies(bench.process())).toEqual([]);
  });

  test('only due events count as pending, and the next one is known', async () => {
    const eventId = await announce('payment', '1');
    await processQboEvents(bench.with(BROKEN), bench.realmId);
    expect(await pendingCompanies(bench.process())).toEqual([]);
    const { dueAt } = await event(eventId);
    expect(await nextDueEvent(bench.orm.em, 'QBO', bench.realmId)).toEqual(dueAt);
    bench.clock.advance(5_000);
    expect(await pendingCompanies(bench.process())).toHaveLength(1);
  });
});

describe('an event about an invoice that is not recorded yet', () => {
  test('waits for the invoice instead of being ignored, and then books', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    const { invoices } = await bench.books();
    const externalId = invoices.at(-1).Id;
    const paymentId = await pay(externalId, '1475.00');
    const [created, paid] = [await announce('invoice', externalId), await announce('payment', paymentId)];
    await processQboEvents(bench.process(), bench.realmId);
    expect(await event(created)).toMatchObject({ state: 'RECEIVED', attempts: 0 });
    expect(await event(paid)).toMatchObject({ state: 'RECEIVED', attempts: 0 });

    await resumeOperations(bench.process());
    bench.clock.advance(3_000);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await event(created)).toMatchObject({ state: 'DONE' });
    expect(await event(paid)).toMatchObject({ state: 'DONE' });
    expect(await statusOf(purchaseOrderId)).toBe('PAID');
    const payments = await bench.sql('select 1 from payment where purchase_order_id = ?', [purchaseOrderId]);
    expect(payments).toHaveLength(1);
  });

  test('while it is being created for the first time, too', async () => {
    const purchaseOrderId = await bench.order();
    const { accounting } = bench.context;
    let early: Data;
    const createInvoice: AccountingGateway['createInvoice'] = async (connection, body, key) => {
      const result = await accounting.createInvoice(connection, body, key);
      if (!result.ok) return result;
      const eventId = await announce('payment', await pay(result.value.externalId, '1475.00'));
      await processQboEvents(bench.process(), bench.realmId);
      early = await event(eventId);
      return result;
    };
    expect(await createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId })).toMatchObject({ failures: [] });
    expect(early).toMatchObject({ state: 'RECEIVED', attempts: 0 });
    bench.clock.advance(3_000);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await statusOf(purchaseOrderId)).toBe('PAID');
  });

  test('of another program is ignored when nothing is being created', async () => {
    bench.clock.advance(20 * 60_000);
    const eventId = await announce('invoice', '424242');
    await processQboEvents(bench.process(), bench.realmId);
    expect(await event(eventId)).toMatchObject({ state: 'IGNORED' });
    expect(await bench.quickbooks.requests()).toEqual([]);
  });
});

describe('while the connection must be renewed', () => {
  test('events wait for days without dying or calling QuickBooks, and are booked after the reconnection', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    const eventId = await announce('payment', await pay(externalId, '1475.00'));
    await bench.sql("update qbo_connection set status = 'RECONNECT_REQUIRED'");
    await bench.quickbooks.delete('/requests');
    for (let day = 1; day <= 30; day++) {
      await processQboEvents(bench.process(), bench.realmId);
      bench.clock.advance(24 * 3_600_000);
    }
    expect(await event(eventId)).toMatchObject({ state: 'RECEIVED', attempts: 0 });
    expect(await bench.quickbooks.requests()).toEqual([]);

    const { realmId, conferenceId } = bench;
    const { accessToken, refreshToken } = await bench.quickbooks.post('/tokens', { realmId });
    const tokens = { environment: 'SANDBOX', realmId, accessToken, refreshToken };
    expect(await configureQboConnection(bench.process(), { conferenceId, ...tokens })).toMatchObject({ failures: [] });
    await processQboEvents(bench.process(), bench.realmId);
    expect(await event(eventId)).toMatchObject({ state: 'DONE' });
    expect(await statusOf(id)).toBe('PAID');
  });
});

describe('a large backlog', () => {
  test('is worked off in runs, every event once', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    await pay(externalId, '1475.00');
    for (let index = 0; index < 450; index++) await announce('customer', `${index}`);
    const last = await announce('invoice', externalId);
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(200);
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(200);
    expect(await event(last)).toMatchObject({ state: 'RECEIVED' });
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(51);
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(0);
    expect(await event(last)).toMatchObject({ state: 'DONE' });
    expect(await statusOf(id)).toBe('PAID');
  });
});

test('a company that is connected as sandbox and as production is looked at in both', async () => {
  const { id, externalId } = await bench.invoicedOrder();
  await bench.sql(
    `insert into qbo_connection select 'qbo_twin', 'PRODUCTION', realm_id, company_name, 'CONNECTED', simulated, access_token,
       refresh_token, client_id, client_secret, access_token_expires_at, refresh_token_expires_at, token_version,
       refresh_fence, refresh_lease_until, service_item_id, null, created_at, updated_at
     from qbo_connection where environment = 'SANDBOX'`,
  );
  const eventId = await announce('payment', await pay(externalId, '1475.00'));
  await processQboEvents(bench.process(), bench.realmId);
  expect(await event(eventId)).toMatchObject({ state: 'DONE' });
  expect(await statusOf(id)).toBe('PAID');
  expect(await bench.sql('select 1 from payment where purchase_order_id = ?', [id])).toHaveLength(1);
});
