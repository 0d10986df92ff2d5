import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { cloudEvent, deliver, legacyNotification, workedOff } from '../webhooks/deliveries.js';
import {
  countCalls,
  createConference,
  createInvoicedOrder,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
  sendInvoice,
  syncInvoice,
} from './steps.js';

// What the system that this one replaces did, behaviour by behaviour. Where it was wrong, the name says what is right.

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
});

afterAll(() => app.stop());

describe('creating an invoice', () => {
  test('finds the customer by the organisation, creates the invoice with all lines and stores its id and url', async () => {
    const first = await createInvoicedOrder(app, { organizationName: 'Original Ltd' });
    const order = await createOrder(app, { organizationName: 'Original Ltd', contactEmail: 'ap@original.example' });
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(writes).toHaveLength(1);
    const [invoice] = await invoicesInBooks(app, order.reference);
    const [earlier] = await invoicesInBooks(app, first.reference);
    expect(invoice.CustomerRef.value).toBe(earlier.CustomerRef.value);
    expect(invoice).toMatchObject({
      CustomerMemo: { value: expect.stringContaining(order.reference) },
      PrivateNote: expect.stringContaining(order.reference),
      BillEmail: { Address: 'ap@original.example' },
      TotalAmt: 1475,
    });
    expect(result.purchaseOrder).toMatchObject({ qboInvoiceId: invoice.Id });
    expect(result.purchaseOrder.qboInvoiceUrl).toContain(invoice.Id);
  });

  test('is refused when there is an invoice already, naming it', async () => {
    const order = await createInvoicedOrder(app);
    const { userErrors } = await invoiceOrder(app, order.id);
    expect(userErrors).toMatchObject([{ code: 'ALREADY_INVOICED', invoiceId: order.qboInvoiceId }]);
  });

  test('is refused when the conference has no credentials', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const order = await createOrder(app, { conferenceId });
    expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([{ code: 'QBO_NOT_CONFIGURED' }]);
  });

  test('reports an error of QuickBooks with its status and detail', async () => {
    const order = await createOrder(app);
    const detail = 'Business Validation Error: no such thing';
    await app.quickbooks.post('/faults', { kind: 'fault', code: '6000', detail, match: { path: '/invoice?' } });
    const { userErrors } = await invoiceOrder(app, order.id);
    expect(userErrors).toMatchObject([
      { code: 'QBO_REJECTED', statusCode: 400, message: expect.stringContaining('no such thing') },
    ]);
  });
});

describe('e-mailing an invoice', () => {
  test('goes to the contact of the order', async () => {
    const order = await createInvoicedOrder(app, { contactEmail: 'contact@original.example' });
    const { writes } = await countCalls(app, () => sendInvoice(app, order.id));
    expect(writes).toMatchObject([{ query: { sendTo: 'contact@original.example' } }]);
  });

  test('is refused without an invoice', async () => {
    const order = await createOrder(app);
    expect((await sendInvoice(app, order.id)).userErrors).toMatchObject([{ code: 'NO_QBO_INVOICE' }]);
  });
});

describe('synchronising an invoice', () => {
  test('records what was paid when the balance is zero', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    expect((await syncInvoice(app, order.id)).purchaseOrder).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '1475.00' },
    });
  });

  test('records nothing a second time', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    await syncInvoice(app, order.id);
    expect((await syncInvoice(app, order.id)).purchaseOrder.payments.nodes).toHaveLength(1);
  });

  test('records nothing while nothing is paid', async () => {
    const order = await createInvoicedOrder(app);
    expect((await syncInvoice(app, order.id)).purchaseOrder).toMatchObject({ status: 'SENT', payments: { nodes: [] } });
  });

  test('is refused without an invoice', async () => {
    const order = await createOrder(app);
    expect((await syncInvoice(app, order.id)).userErrors).toMatchObject([{ code: 'NO_QBO_INVOICE' }]);
  });
});

describe('a webhook', () => {
  test.each(['Create', 'Update'])('about a Payment %s synchronises the orders that it pays', async (operation) => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    const { realmId } = app.quickbooks;
    const lastUpdated = '2026-11-20T14:42:19-07:00';
    await deliver(app, legacyNotification(realmId, [{ name: 'Payment', id: Payment.Id, operation, lastUpdated }]));
    const marker = cloudEvent('customer', 'updated', '1', realmId);
    await deliver(app, [marker]);
    await workedOff(app, [marker]);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID' });
  });

  test.each([
    ['notifications that are no objects', { eventNotifications: [null, 1, 'x'] }],
    ['a notification without a realm', { eventNotifications: [{ dataChangeEvent: { entities: [] } }] }],
    ['entities that are no list', { eventNotifications: [{ realmId: '1', dataChangeEvent: { entities: {} } }] }],
  ])('with %s is survived and changes no order', async (_what, body) => {
    const order = await createInvoicedOrder(app);
    expect((await deliver(app, body)).status).toBe(200);
    expect(await readOrder(app, order.id)).toEqual(order);
  });

  test('that cannot synchronise one order still synchronises the others', async () => {
    const [failing, healthy] = [await createInvoicedOrder(app), await createInvoicedOrder(app)];
    const { realmId } = app.quickbooks;
    const payments = [];
    for (const { qboInvoiceId } of [failing, healthy]) {
      payments.push((await app.quickbooks.pay(qboInvoiceId, '1475.00')).Payment.Id);
    }
    const path = `/invoice/${failing.qboInvoiceId}`;
    await app.quickbooks.post('/faults', { kind: 'html502', times: 3, match: { path } });
    const events = payments.map((id) => cloudEvent('payment', 'created', id, realmId));
    await deliver(app, events);
    await workedOff(app, events.slice(1));
    expect(await readOrder(app, healthy.id)).toMatchObject({ status: 'PAID' });
    await workedOff(app, events);
    expect(await readOrder(app, failing.id)).toMatchObject({ status: 'PAID' });
  });
});
