import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoice, createInvoicedOrder, readInvoices, sendInvoice, syncInvoice } from './steps.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

/** Nobody tells our server but the webhooks. */
function until(id: string, isReached: (order: Data) => boolean): Promise<Data> {
  return eventually(() => readOrder(server, id), isReached);
}

const codes = ({ attention }: Data): string[] => attention.map(({ code }: Data) => code);

describe('the main job through Stripe', () => {
  test('an order is invoiced, e-mailed, paid by card and by bank debit, and becomes PAID through signed webhooks', async () => {
    const { stripe } = server;
    const order = await createOrder(server);

    const created = await createInvoice(server, order.id);
    expect(created.userErrors).toEqual([]);
    expect(created.purchaseOrder).toMatchObject({
      status: 'SENT',
      stripeInvoiceId: expect.stringMatching(/^in_/),
      stripeInvoiceUrl: expect.stringMatching(/^https:\/\//),
      stripeInvoice: { status: 'OPEN', total: { amount: '1475.00' }, balance: { amount: '1475.00' } },
      invoice: { provider: 'STRIPE', status: 'OPEN' },
      qboInvoice: null,
      qboInvoiceId: null,
      qboInvoiceUrl: null,
    });
    const { stripeInvoiceId, stripeInvoiceUrl, stripeInvoice } = created.purchaseOrder;
    expect(stripeInvoice).toMatchObject({ id: stripeInvoiceId, payUrl: stripeInvoiceUrl, number: expect.any(String) });

    const sent = await sendInvoice(server, order.id);
    expect(sent.userErrors).toEqual([]);
    expect(sent.purchaseOrder.stripeInvoice.emailStatus).toBe('SENT');

    await stripe.pay(stripeInvoiceId, 50_000);
    const partly = await until(order.id, ({ status }) => status === 'PARTIALLY_PAID');
    expect(partly).toMatchObject({ totalPaid: { amount: '500.00' }, stripeInvoice: { status: 'PARTIALLY_PAID' } });

    const { paymentIntent } = await stripe.pay(stripeInvoiceId, undefined, { method: 'ach' });
    const waiting = await until(order.id, (seen) => codes(seen).includes('PAYMENT_PROCESSING'));
    expect(waiting).toMatchObject({
      status: 'PARTIALLY_PAID',
      totalPaid: { amount: '500.00' },
      stripeInvoice: { processing: { amount: '975.00' } },
    });

    await stripe.post('/settle-payment', { paymentIntentId: paymentIntent.id, outcome: 'succeeded' });
    const paid = await until(order.id, ({ status }) => status === 'PAID');
    expect(paid).toMatchObject({ totalPaid: { amount: '1475.00' }, balanceDue: { amount: '0.00' }, attention: [] });
    expect(paid.stripeInvoice).toMatchObject({
      status: 'PAID',
      balance: { amount: '0.00' },
      processing: { amount: '0.00' },
      isDisputed: false,
    });
    const payments = paid.payments.nodes.map(({ amount, method, source, reversedBy }: Data) => ({
      amount: amount.amount,
      method,
      source,
      reversedBy,
    }));
    expect(payments.toSorted((left: Data, right: Data) => left.amount.localeCompare(right.amount))).toEqual([
      { amount: '500.00', method: 'STRIPE', source: 'STRIPE', reversedBy: null },
      { amount: '975.00', method: 'STRIPE', source: 'STRIPE', reversedBy: null },
    ]);
  });

  test('a bank debit that fails leaves the order as it was', async () => {
    const { stripe } = server;
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    const { paymentIntent } = await stripe.pay(stripeInvoiceId, undefined, { method: 'ach' });
    await until(id, (seen) => codes(seen).includes('PAYMENT_PROCESSING'));

    await stripe.post('/settle-payment', { paymentIntentId: paymentIntent.id, outcome: 'failed' });

    const failed = await until(id, (seen) => !codes(seen).includes('PAYMENT_PROCESSING'));
    expect(failed).toMatchObject({ status: 'SENT', totalPaid: { amount: '0.00' }, payments: { nodes: [] } });
    expect(failed.stripeInvoice).toMatchObject({ status: 'OPEN', processing: { amount: '0.00' } });
  });

  test('what happened to the invoice can be read in its history, oldest first', async () => {
    const { stripe } = server;
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    await sendInvoice(server, id);
    await stripe.pay(stripeInvoiceId);
    await until(id, ({ status }) => status === 'PAID');

    const { invoice, invoices } = await readInvoices(server, id);

    expect(invoices).toEqual([invoice]);
    expect(invoice).toMatchObject({ provider: 'STRIPE', externalId: stripeInvoiceId, status: 'PAID', isLive: true });
    expect(invoice.history.map(({ action, message }: Data) => [action, message])).toEqual([
      ['CREATED', 'Stripe made it over 1475.00 USD.'],
      ['EMAILED', 'Stripe e-mailed it.'],
      ['PAYMENT_BOOKED', expect.stringMatching(/^1475\.00 USD was received on \d{4}-\d\d-\d\d \(pi_\w+\)\.$/)],
    ]);
    const key = { id: expect.stringMatching(/^key_/), name: 'bootstrap', kind: 'API_KEY' };
    const stripeItself = { id: 'system', name: 'stripe', kind: 'SYSTEM' };
    expect(invoice.history.map(({ actor }: Data) => actor)).toEqual([key, key, stripeItself]);
    expect(invoice.history.map(({ by }: Data) => by)).toEqual(['bootstrap', 'bootstrap', 'stripe']);
    expect(invoice.history.map(({ at }: Data) => at)).toEqual(invoice.history.map(({ at }: Data) => at).toSorted());
  });

  test('the same is learned by asking, without a webhook', async () => {
    const { stripe } = server;
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    await stripe.post('/webhooks', { drop: 1000 });
    await stripe.pay(stripeInvoiceId);

    const synced = await syncInvoice(server, id);

    await stripe.post('/webhooks', { drop: 0 });
    expect(synced.userErrors).toEqual([]);
    expect(synced.purchaseOrder).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
  });
});
