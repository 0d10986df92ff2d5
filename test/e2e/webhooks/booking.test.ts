import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoicedOrder, invoiceOrder } from '../quickbooks/steps.js';
import { cloudEvent, deliver, legacyNotification, workedOff } from './deliveries.js';

let app: TestApp;
let realmId: string;

beforeAll(async () => {
  app = await startTestApp();
  ({ realmId } = app.quickbooks);
});

/** Events collect in the simulator until a test lets them go. */
beforeEach(async () => {
  await app.quickbooks.delete('/faults');
  await settled();
  await app.quickbooks.post('/webhooks', { paused: true, duplicate: false, reorder: false, format: 'cloudevents' });
});

afterAll(() => app.stop());

/** Lets the collected events go and waits until none is waiting any more. */
async function settled(switches: Record<string, unknown> = {}): Promise<void> {
  await app.quickbooks.post('/webhooks', { ...switches, paused: false });
  await app.quickbooks.post('/webhooks/flush');
  await eventually(
    () => app.sql("select event_id, last_error from webhook_event where state in ('RECEIVED', 'PROCESSING')"),
    (rows) => rows.length === 0,
  );
}

/** Waits for an order to be in a status, which only a webhook can bring about. */
async function becomes(orderId: string, status: string): Promise<Data> {
  return eventually(
    () => readOrder(app, orderId),
    (order) => order.status === status,
  );
}

async function bookings(orderId: string): Promise<Data[]> {
  return app.sql('select amount_minor, revision from payment where purchase_order_id = $1 order by id', [orderId]);
}

/** Which paths below the company were read, without the query text. */
async function reads(): Promise<string[]> {
  const calls = await app.quickbooks.requests('?kind=read');
  return calls.map(({ path, query }) =>
    path.endsWith('/query') ? `query ${/from (\w+)/i.exec(query.query)?.[1]}` : path.split('/').slice(4).join('/'),
  );
}

describe('W-Q1: payments reach their orders by themselves', () => {
  test.each(['cloudevents', 'legacy'])('through signed %s', async (format) => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.pay(order.qboInvoiceId, '475.00', { paidOn: '2026-11-02', paymentRefNum: `W-${format}` });
    await settled({ format });
    expect(await readOrder(app, order.id)).toMatchObject({
      status: 'PARTIALLY_PAID',
      totalPaid: { amount: '475.00' },
      payments: { nodes: [{ reference: `W-${format}`, paidOn: '2026-11-02' }] },
    });
    await app.quickbooks.pay(order.qboInvoiceId, '1000.00');
    await becomes(order.id, 'PAID');
  });

  test('W-Q8: voided and deleted payments, voided and deleted invoices and credit memos are followed', async () => {
    const orders = [];
    for (let index = 0; index < 5; index++) orders.push(await createInvoicedOrder(app));
    const [voidedPayment, deletedPayment, voidedInvoice, deletedInvoice, credited] = orders;
    const payments = [];
    for (const { qboInvoiceId } of orders.slice(0, 4)) {
      payments.push((await app.quickbooks.pay(qboInvoiceId, '1475.00')).Payment.Id);
    }
    await settled();
    expect(await Promise.all(orders.map(async ({ id }) => (await readOrder(app, id)).status))).toEqual([
      'PAID',
      'PAID',
      'PAID',
      'PAID',
      'SENT',
    ]);
    await app.quickbooks.post('/void-payment', { realmId, paymentId: payments[0] });
    await app.quickbooks.post('/delete-payment', { realmId, paymentId: payments[1] });
    await app.quickbooks.post('/void-invoice', { realmId, invoiceId: voidedInvoice.qboInvoiceId });
    await app.quickbooks.post('/delete-invoice', { realmId, invoiceId: deletedInvoice.qboInvoiceId });
    await app.quickbooks.post('/credit-memo', { realmId, invoiceId: credited.qboInvoiceId, amount: '1475.00' });
    await settled();
    for (const { id } of orders.slice(0, 4)) {
      expect(await readOrder(app, id)).toMatchObject({ status: 'SENT', totalPaid: { amount: '0.00' } });
    }
    expect(await readOrder(app, credited.id)).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '0.00' },
      totalCredited: { amount: '1475.00' },
    });
    const invoices = await app.sql<{ purchase_order_id: string; status: string }>(
      'select purchase_order_id, status from invoice where purchase_order_id = any($1)',
      [orders.map(({ id }) => id)],
    );
    const statusOf = ({ id }: Data) => invoices.find((row) => row.purchase_order_id === id)?.status;
    expect([voidedPayment, deletedPayment, voidedInvoice, deletedInvoice, credited].map(statusOf)).toEqual([
      'OPEN',
      'OPEN',
      'VOIDED',
      'DELETED',
      'PAID',
    ]);
  });

  test('an edited payment is booked as its next revision, one that pays several orders on each of them', async () => {
    const organizationName = 'Edited Twice Ltd';
    const [first, second] = [
      await createInvoicedOrder(app, { organizationName }),
      await createInvoicedOrder(app, { organizationName }),
    ];
    const lines = [first, second].map(({ qboInvoiceId }) => ({ invoiceId: qboInvoiceId, amount: '1000.00' }));
    const { Payment } = await app.quickbooks.post('/pay', { realmId, lines });
    await settled();
    await app.quickbooks.post('/edit-payment', {
      realmId,
      paymentId: Payment.Id,
      amount: '1475.00',
      lines: [{ invoiceId: second.qboInvoiceId, amount: '1475.00' }],
    });
    await settled();
    expect(await readOrder(app, first.id)).toMatchObject({ status: 'SENT', totalPaid: { amount: '0.00' } });
    expect(await readOrder(app, second.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    expect(await bookings(first.id)).toEqual([{ amount_minor: '100000', revision: 1 }]);
    expect(await bookings(second.id)).toEqual([
      { amount_minor: '100000', revision: 1 },
      { amount_minor: '147500', revision: 2 },
    ]);
  });
});

describe('W-Q7: whatever way events come, money is booked once', () => {
  test.each([
    ['twice', { duplicate: true }],
    ['in reverse order', { reorder: true }],
    ['twice and in reverse order', { duplicate: true, reorder: true }],
    ['twice in the legacy format', { duplicate: true, format: 'legacy' }],
  ])('%s', async (_how, switches) => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1000.00');
    await app.quickbooks.post('/edit-payment', { realmId, paymentId: Payment.Id, amount: '900.00' });
    await app.quickbooks.pay(order.qboInvoiceId, '575.00');
    await settled(switches);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    expect(await bookings(order.id)).toHaveLength(2);
  });

  test('a delivery that is replayed hours later changes nothing, even under new ids', async () => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    await settled();
    const before = await readOrder(app, order.id);
    const events = [1, 2, 3].map(() => cloudEvent('payment', 'created', Payment.Id, realmId));
    await deliver(app, events);
    await workedOff(app, events);
    const { qboInvoice, ...after } = await readOrder(app, order.id);
    expect({ ...after, qboInvoice: { ...qboInvoice, lastSyncedAt: before.qboInvoice.lastSyncedAt } }).toEqual(before);
    expect(await bookings(order.id)).toHaveLength(1);
  });

  test('a forged story about a payment books what QuickBooks says, which is nothing', async () => {
    const order = await createInvoicedOrder(app);
    const events = [
      cloudEvent('payment', 'created', '999999', realmId, { data: { TotalAmt: 1475, invoice: order.qboInvoiceId } }),
      cloudEvent('invoice', 'updated', order.qboInvoiceId, realmId, { data: { Balance: 0 } }),
    ];
    await deliver(app, events);
    await workedOff(app, events);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'SENT', totalPaid: { amount: '0.00' } });
  });

  test('webhook, mutation and replay at the same time book once', async () => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    const entity = { name: 'Payment', id: Payment.Id, operation: 'Create', lastUpdated: '2026-11-20T14:42:19Z' };
    const sync = { purchaseOrderId: order.id };
    await Promise.all([
      settled(),
      deliver(app, legacyNotification(realmId, [entity])),
      app.graphql.mutate('syncQboInvoiceStatus', sync, 'purchaseOrder { id }'),
      app.graphql.mutate('syncQboInvoiceStatus', sync, 'purchaseOrder { id }'),
    ]);
    expect(await becomes(order.id, 'PAID')).toMatchObject({ totalPaid: { amount: '1475.00' } });
    await settled();
    expect(await bookings(order.id)).toHaveLength(1);
  });
});

describe('what a delivery costs', () => {
  test('W-Q6: it is answered at once, however slow QuickBooks is', async () => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 5000, match: { path: '/payment/' } });
    const event = cloudEvent('payment', 'created', Payment.Id, realmId);
    const startedAt = performance.now();
    expect(await deliver(app, [event])).toMatchObject({ status: 200, body: { stored: 1 } });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(await bookings(order.id)).toEqual([]);
    await becomes(order.id, 'PAID');
  });

  test('W-Q4: a payment reads itself and, in one query, the invoices that it pays, nothing else', async () => {
    const organizationName = 'Exact Readings Ltd';
    const orders = [];
    for (let index = 0; index < 4; index++) orders.push(await createInvoicedOrder(app, { organizationName }));
    const [first, second] = orders;
    const lines = [first, second].map(({ qboInvoiceId }) => ({ invoiceId: qboInvoiceId, amount: '100.00' }));
    const { Payment } = await app.quickbooks.post('/pay', { realmId, lines });
    await app.quickbooks.delete('/requests');
    const event = cloudEvent('payment', 'created', Payment.Id, realmId);
    await deliver(app, [event]);
    expect(await workedOff(app, [event])).toMatchObject([{ state: 'DONE' }]);
    expect(await reads()).toEqual([`payment/${Payment.Id}`, 'query Invoice']);
    for (const { id } of [first, second]) {
      expect(await readOrder(app, id)).toMatchObject({ status: 'PARTIALLY_PAID', totalPaid: { amount: '100.00' } });
    }
  });

  test('W-Q4: ten events about one payment and its invoice are one piece of work', async () => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '100.00');
    await app.quickbooks.delete('/requests');
    const events = Array.from({ length: 5 }, () => [
      cloudEvent('payment', 'updated', Payment.Id, realmId),
      cloudEvent('invoice', 'updated', order.qboInvoiceId, realmId),
    ]).flat();
    await deliver(app, events);
    expect((await workedOff(app, events)).map(({ state }) => state)).toEqual(Array(10).fill('DONE'));
    expect(await reads()).toEqual([`payment/${Payment.Id}`, `invoice/${order.qboInvoiceId}`]);
  });

  test('W-Q5: with sixty open orders the one that is paid is found, and the others are left alone', async () => {
    const organizationName = 'Sixty Orders Ltd';
    const orders = [];
    for (let index = 0; index < 60; index++) orders.push(await createOrder(app, { organizationName }));
    for (const { id } of orders) expect((await invoiceOrder(app, id)).userErrors).toEqual([]);
    const oldest = await readOrder(app, orders[0].id);
    const { Payment } = await app.quickbooks.pay(oldest.qboInvoiceId, '1475.00');
    await app.quickbooks.delete('/requests');
    const event = cloudEvent('payment', 'created', Payment.Id, realmId);
    await deliver(app, [event]);
    await becomes(oldest.id, 'PAID');
    await workedOff(app, [event]);
    expect(await reads()).toEqual([`payment/${Payment.Id}`, `invoice/${oldest.qboInvoiceId}`]);
    const statuses = await app.sql(
      'select status, count(*)::int from purchase_order where organization_name = $1 group by 1 order by 1',
      [organizationName],
    );
    expect(statuses).toEqual([
      { status: 'PAID', count: 1 },
      { status: 'SENT', count: 59 },
    ]);
  });

  test('our own invoice announces itself without causing a reading', async () => {
    await app.quickbooks.delete('/requests');
    await createInvoicedOrder(app);
    await settled();
    expect((await reads()).filter((path) => path.startsWith('invoice/'))).toEqual([]);
  });
});

test('a failed reading is repeated by itself', async () => {
  const order = await createInvoicedOrder(app);
  const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
  await app.quickbooks.post('/faults', { kind: 'html502', times: 3, match: { path: '/payment/' } });
  const event = cloudEvent('payment', 'created', Payment.Id, realmId);
  await deliver(app, [event]);
  const [waiting] = await eventually(
    () => app.sql<Data>('select * from webhook_event where event_id = $1', [event.id]),
    ([row]) => row?.attempts === 1,
  );
  expect(waiting).toMatchObject({ state: 'RECEIVED', last_error: expect.stringContaining('502') });
  expect(waiting.next_attempt_at.getTime()).toBeGreaterThan(Date.now());
  await becomes(order.id, 'PAID');
  expect(await workedOff(app, [event])).toMatchObject([{ state: 'DONE', last_error: null }]);
});
