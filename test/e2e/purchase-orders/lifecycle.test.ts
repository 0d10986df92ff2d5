import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, everything, invoiceOrder, noticesDealtWith } from './support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

type Mutation = 'sendPurchaseOrder' | 'cancelPurchaseOrder';

const call = async (mutation: Mutation, purchaseOrderId: string): Promise<Data> =>
  server.graphql.mutate(mutation, { purchaseOrderId }, 'purchaseOrder { id status }');

const send = (id: string) => call('sendPurchaseOrder', id);
const cancel = (id: string) => call('cancelPurchaseOrder', id);

const pay = async (purchaseOrderId: string, amount: string): Promise<Data> =>
  server.graphql.mutate('recordPayment', { purchaseOrderId, amount, method: 'WIRE' }, 'payment { id }');

const credit = async (purchaseOrderId: string, amount: string): Promise<Data> =>
  server.graphql.mutate('issueCreditNote', { purchaseOrderId, amount, reason: 'Goodwill' }, 'creditNote { id }');

const reverse = async (paymentId: string): Promise<Data> =>
  server.graphql.mutate('reversePayment', { paymentId, reason: 'Entered twice' }, 'payment { id }');

/** The code of a refusal that points at the purchase order; fails when anything was changed. */
async function refused(mutation: Mutation, id: string): Promise<string> {
  const before = await everything(server);
  const { purchaseOrder, userErrors } = await call(mutation, id);
  expect(purchaseOrder).toBeNull();
  expect(userErrors).toHaveLength(1);
  expect(userErrors[0].path).toEqual(['purchaseOrderId']);
  expect(await everything(server)).toEqual(before);
  return userErrors[0].code;
}

describe('marking as sent', () => {
  test('makes a draft SENT and leaves a trace', async () => {
    const { id } = await createOrder(server);
    expect(await send(id)).toEqual({ purchaseOrder: { id, status: 'SENT' }, userErrors: [] });
    expect((await auditTrail(server, id)).at(-1)).toEqual({
      actor: 'bootstrap',
      action: 'purchase_order.sent',
      before: { status: 'DRAFT' },
      after: { status: 'SENT' },
    });
  });

  test('works for a draft that was partly credited', async () => {
    const { id } = await createOrder(server);
    await credit(id, '100.00');
    expect((await send(id)).purchaseOrder.status).toBe('SENT');
  });

  test('a second time is refused', async () => {
    const { id } = await createOrder(server);
    await send(id);
    expect(await refused('sendPurchaseOrder', id)).toBe('NOT_DRAFT');
  });

  test('is refused once money arrived', async () => {
    const { id } = await createOrder(server);
    await pay(id, '1.00');
    expect(await refused('sendPurchaseOrder', id)).toBe('NOT_DRAFT');
    await pay(id, '1474.00');
    expect(await refused('sendPurchaseOrder', id)).toBe('ALREADY_PAID');
    await pay(id, '0.01');
    expect(await refused('sendPurchaseOrder', id)).toBe('ALREADY_PAID');
  });

  test('is refused for a cancelled, a free and an unknown one', async () => {
    const { id } = await createOrder(server);
    await cancel(id);
    expect(await refused('sendPurchaseOrder', id)).toBe('CANCELLED');
    const free = await createOrder(server, { lineItems: [{ description: 'Free', quantity: 1, unitPrice: '0.00' }] });
    expect(await refused('sendPurchaseOrder', free.id)).toBe('ALREADY_PAID');
    expect(await refused('sendPurchaseOrder', 'po_unknown')).toBe('NOT_FOUND');
  });

  test('an order whose only payment is taken back is what it was before', async () => {
    const draft = await createOrder(server);
    await reverse((await pay(draft.id, '1.00')).payment.id);
    expect((await readOrder(server, draft.id)).status).toBe('DRAFT');
    expect((await send(draft.id)).purchaseOrder.status).toBe('SENT');
    await reverse((await pay(draft.id, '1.00')).payment.id);
    expect((await readOrder(server, draft.id)).status).toBe('SENT');
  });
});

describe('cancelling', () => {
  test('a draft or a sent one is for good and leaves a trace', async () => {
    for (const prepare of [async () => undefined, send]) {
      const { id } = await createOrder(server);
      await prepare(id);
      const { status } = await readOrder(server, id);
      expect(await cancel(id)).toEqual({ purchaseOrder: { id, status: 'CANCELLED' }, userErrors: [] });
      expect((await auditTrail(server, id)).at(-1)).toEqual({
        actor: 'bootstrap',
        action: 'purchase_order.cancelled',
        before: { status },
        after: { status: 'CANCELLED' },
      });
      expect(await refused('cancelPurchaseOrder', id)).toBe('CANCELLED');
    }
  });

  test('keeps lines and credit notes', async () => {
    const { id } = await createOrder(server);
    await credit(id, '75.00');
    await cancel(id);
    const order = await readOrder(server, id);
    expect(order).toMatchObject({
      status: 'CANCELLED',
      total: { amount: '1475.00' },
      totalCredited: { amount: '75.00' },
      attention: [],
    });
    expect(order.lineItems).toHaveLength(2);
    expect(order.creditNotes.nodes).toHaveLength(1);
  });

  test.each([
    ['partly paid', '500.00', 'PARTIALLY_PAID'],
    ['paid', '1475.00', 'PAID'],
    ['overpaid', '1475.01', 'OVERPAID'],
  ])('W-C8: a %s one is refused, and possible once the payment is taken back', async (_what, amount, status) => {
    const { id } = await createOrder(server);
    const { payment } = await pay(id, amount);
    expect(await refused('cancelPurchaseOrder', id)).toBe('HAS_PAYMENTS');
    expect((await readOrder(server, id)).status).toBe(status);
    await reverse(payment.id);
    expect((await cancel(id)).purchaseOrder.status).toBe('CANCELLED');
  });

  test('W-C16: the refusal names the money in its own currency', async () => {
    const { id } = await createOrder(server);
    await pay(id, '500.00');
    const [error] = (await cancel(id)).userErrors;
    expect(error.message).toBe('500.00 USD was received for this purchase order. Reverse or refund it first.');
  });

  test('also voids its unpaid invoice', async () => {
    const { id } = await createOrder(server);
    await invoiceOrder(server, id);
    expect(await cancel(id)).toEqual({ purchaseOrder: { id, status: 'CANCELLED' }, userErrors: [] });
    const order = await readOrder(server, id);
    expect(order).toMatchObject({ status: 'CANCELLED', qboInvoice: { status: 'VOIDED' } });
    // Whoever compares everything with what it was must not meet the reading that follows.
    await noticesDealtWith(server, order.qboInvoice.id, 2);
  });

  test('is possible for one that owes nothing because all of it was credited', async () => {
    const { id } = await createOrder(server);
    await credit(id, '1475.00');
    expect((await readOrder(server, id)).status).toBe('PAID');
    expect((await cancel(id)).purchaseOrder.status).toBe('CANCELLED');
  });

  test('an unknown one is refused', async () => {
    expect(await refused('cancelPurchaseOrder', 'po_unknown')).toBe('NOT_FOUND');
    expect(await refused('cancelPurchaseOrder', '')).toBe('NOT_FOUND');
    expect(await refused('cancelPurchaseOrder', "po_' or '1'='1")).toBe('NOT_FOUND');
  });
});

test('an id of another type is not found, and no other object is touched', async () => {
  const { id } = await createOrder(server);
  const { payment } = await pay(id, '1.00');
  expect(await refused('cancelPurchaseOrder', payment.id)).toBe('NOT_FOUND');
  expect(await refused('sendPurchaseOrder', server.conferenceId)).toBe('NOT_FOUND');
});
