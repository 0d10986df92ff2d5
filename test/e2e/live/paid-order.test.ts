import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOrder } from '../../support/purchase-orders.js';
import { CHANGED, Subscriber } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

describe('a subscriber', () => {
  let server: TestApp;

  beforeAll(async () => {
    server = await startTestApp();
  });

  afterAll(() => server.stop());

  test('sees an order invoiced and paid at the provider, without asking', async () => {
    const { graphql, quickbooks } = server;
    const order = await createOrder(server);
    const subscriber = new Subscriber(server.app.url, server.app.apiKey, [CHANGED, { id: order.id }]);
    expect((await subscriber.next()).purchaseOrder).toMatchObject({ reference: order.reference, status: 'DRAFT' });

    const created = await graphql.mutate('createQboInvoice', { purchaseOrderId: order.id }, 'qboInvoice { qboId: id }');
    console.log(created);
    await subscriber.until(({ purchaseOrder }) => purchaseOrder.status === 'SENT');
    subscriber.leave();
  });
});
