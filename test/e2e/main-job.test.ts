import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { createOrder, ORDER, readOrder } from '../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('the main job', () => {
  let server: TestApp;

  beforeAll(async () => {
    server = await startTestApp();
  });

  afterAll(() => server.stop());

  test('an order is invoiced, e-mailed, paid in two parts, and becomes PAID through signed webhooks', async () => {
    const { graphql, quickbooks } = server;
    const order = await createOrder(server);

    const created = await graphql.mutate(
      'createQboInvoice',
      { purchaseOrderId: order.id },
      `purchaseOrder { ${ORDER} }`,
    );
    expect(created.userErrors).toEqual([]);
    expect(created.purchaseOrder).toMatchObject({
      status: 'SENT',
      qboInvoice: { status: 'OPEN', total: { amount: '1475.00' } },
    });

    const sent = await graphql.mutate('sendQboInvoice', { purchaseOrderId: order.id }, `purchaseOrder { ${ORDER} }`);
    expect(sent.userErrors).toEqual([]);
    expect(sent.purchaseOrder.qboInvoice.emailStatus).toBe('SENT');

    const { qboInvoiceId } = created.purchaseOrder;
    await quickbooks.pay(qboInvoiceId, '500.00', { paidOn: '2026-11-02', paymentRefNum: 'WIRE-1' });
    await eventually(
      () => readOrder(server, order.id),
      ({ status }) => status === 'PARTIALLY_PAID',
    );
    await quickbooks.pay(qboInvoiceId, '975.00', { paidOn: '2026-11-09' });
    const paid = await eventually(
      () => readOrder(server, order.id),
      ({ status }) => status === 'PAID',
    );

    expect(paid).toMatchObject({ totalPaid: { amount: '1475.00' }, balanceDue: { amount: '0.00' }, attention: [] });
    expect(paid.payments.nodes).toMatchObject([
      { amount: { amount: '975.00' }, method: 'QBO', source: 'QBO', paidOn: '2026-11-09', reversedBy: null },
      { amount: { amount: '500.00' }, method: 'QBO', source: 'QBO', paidOn: '2026-11-02', reference: 'WIRE-1' },
    ]);
    expect(paid.qboInvoice).toMatchObject({ status: 'PAID', balance: { amount: '0.00' } });
  });
});
