import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoicedOrder, holdWebhooks, invoiceOrder, invoicesInBooks } from '../quickbooks/steps.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
});

afterAll(() => app.stop());

/** Has the worker run a task now instead of at the next full minute. */
async function runTask(task: string): Promise<void> {
  await app.sql('select graphile_worker.add_job($1)', [task]);
}

/** Stores an event as if the process had died before it woke the worker. */
async function storeSilently(entity: string, entityId: string, realmId: string): Promise<string> {
  const id = `evt_${entity}_${entityId}`;
  await app.sql(
    `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state, next_attempt_at, received_at)
     values ($1, 'QBO', $1, $2, $3, $4, 'created', '{}', 'RECEIVED', now(), now())`,
    [id, realmId, entity, entityId],
  );
  return id;
}

test('events whose wake-up was lost are found by the periodic task', async () => {
  const order = await createInvoicedOrder(app);
  const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
  await storeSilently('payment', Payment.Id, app.quickbooks.realmId);
  expect(await readOrder(app, order.id)).toMatchObject({ status: 'SENT' });
  await runTask('wake_pending_companies');
  const paid = await eventually(
    () => readOrder(app, order.id),
    ({ status }) => status === 'PAID',
  );
  expect(paid.payments.nodes).toHaveLength(1);
});

test('invoices whose answer was lost are finished by the periodic task', async () => {
  const order = await createOrder(app);
  await app.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
  expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }]);
  const metrics = await (await fetch(`${app.app.url}/metrics`)).text();
  expect(metrics).toMatch(/provider_operations_open\{state="UNKNOWN"\} 1\n/);
  await runTask('resume_operations');
  const settled = await eventually(
    () => readOrder(app, order.id),
    // The order and its invoice are two readings: the first may be from before the change.
    ({ qboInvoiceId, status }) => qboInvoiceId !== null && status !== 'DRAFT',
  );
  expect(settled).toMatchObject({ status: 'SENT', attention: [] });
  expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
});

test('idempotency keys are forgotten after three days and not before', async () => {
  const keys = [
    ['old', "interval '73 hours'"],
    ['young', "interval '71 hours'"],
  ];
  for (const [name, age] of keys) {
    await app.sql(
      `insert into client_idempotency_key (id, actor, mutation, key, input_hash, result_id, created_at)
       values ($1, 'a', 'createQboInvoice', $1, 'h', 'r', now() - ${age})`,
      [`idem_${name}_key`],
    );
  }
  await runTask('remove_expired_idempotency_keys');
  const left = await eventually(
    () => app.sql<{ key: string }>("select key from client_idempotency_key where actor = 'a'"),
    (rows) => rows.length < 2,
  );
  expect(left).toEqual([{ key: 'idem_young_key' }]);
});

test('finished events are forgotten after ninety days and not before', async () => {
  const ids = [
    ['old', "interval '91 days'"],
    ['young', "interval '89 days'"],
  ];
  for (const [name, age] of ids) {
    await app.sql(
      `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state,
                                  next_attempt_at, received_at, processed_at)
       values ($1, 'QBO', $1, '5', 'payment', '7', 'updated', '{}', 'DONE', now(), now() - ${age}, now() - ${age})`,
      [`evt_${name}`],
    );
  }
  await runTask('remove_finished_events');
  const left = await eventually(
    () => app.sql<{ id: string }>("select id from webhook_event where company_id = '5'"),
    (rows) => rows.length < 2,
  );
  expect(left).toEqual([{ id: 'evt_young' }]);
});

test('the events of a company are worked off one job after the other, those of two companies side by side', async () => {
  const { realmId } = app.quickbooks;
  const order = await createInvoicedOrder(app);
  await app.quickbooks.post('/faults', { kind: 'latency', ms: 1500, match: { path: '/payment/', realmId } });
  const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
  const slow = await storeSilently('payment', Payment.Id, realmId);
  const quick = await storeSilently('payment', '1', '4620816365011111');
  await runTask('wake_pending_companies');
  const stateOf = async (id: string) =>
    (await app.sql<{ state: string }>('select state from webhook_event where id = $1', [id]))[0]?.state;
  await eventually(
    () => stateOf(slow),
    (state) => state === 'PROCESSING',
  );
  await eventually(
    () => stateOf(quick),
    (state) => state === 'IGNORED',
  );
  expect(await stateOf(slow)).toBe('PROCESSING');
  await eventually(
    () => stateOf(slow),
    (state) => state === 'DONE',
  );
  expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID' });
});

/** What became of a job that books a payment cannot be written down, so its runner gives up. */
async function breakJobRunner(qboInvoiceId: string): Promise<{ readonly paymentId: string }> {
  const { Payment } = await app.quickbooks.pay(qboInvoiceId, '1475.00');
  await app.quickbooks.post('/faults', { kind: 'latency', ms: 500, match: { path: '/payment/' } });
  const id = await storeSilently('payment', Payment.Id, app.quickbooks.realmId);
  await runTask('wake_pending_companies');
  const stateOf = async () =>
    (await app.sql<{ state: string }>('select state from webhook_event where id = $1', [id]))[0];
  await eventually(stateOf, (event) => event?.state === 'PROCESSING');
  await app.sql('alter table graphile_worker._private_jobs rename to jobs_out_of_reach');
  await eventually(stateOf, (event) => event?.state === 'DONE');
  await delay(500);
  await app.sql('alter table graphile_worker.jobs_out_of_reach rename to _private_jobs');
  return { paymentId: Payment.Id };
}

/** Only a runner can find out that the payment was voided. */
async function expectVoidToBeBooked(orderId: string, paymentId: string): Promise<void> {
  await app.quickbooks.post('/void-payment', { realmId: app.quickbooks.realmId, paymentId });
  const again = await storeSilently('payment', `${paymentId}0`, app.quickbooks.realmId);
  await app.sql('update webhook_event set entity_id = $1 where id = $2', [paymentId, again]);
  const seen = await eventually(
    async () => {
      await runTask('wake_pending_companies');
      return readOrder(app, orderId);
    },
    ({ status }) => status === 'SENT',
    20_000,
  );
  expect(seen.status).toBe('SENT');
}

test('a queue that cannot write down what became of a job is begun anew, and the process lives', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', note);
  const order = await createInvoicedOrder(app);
  const { paymentId } = await breakJobRunner(order.qboInvoiceId);
  await expectVoidToBeBooked(order.id, paymentId);
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
});

test('a queue that ends and waits for an answer that never comes is begun anew', async () => {
  const order = await createInvoicedOrder(app);
  const [listener] = await app.sql<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and query like 'LISTEN%'`,
  );
  process.kill(Number(listener?.pid), 'SIGSTOP');
  try {
    const { paymentId } = await breakJobRunner(order.qboInvoiceId);
    await expectVoidToBeBooked(order.id, paymentId);
  } finally {
    process.kill(Number(listener?.pid), 'SIGCONT');
  }
});
