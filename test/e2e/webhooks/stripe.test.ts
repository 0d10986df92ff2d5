import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { configure, createConference, createInvoicedOrder } from '../stripe/steps.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

function becomes(id: string, status: string): Promise<Data> {
  return eventually(
    () => readOrder(server, id),
    (order) => order.status === status,
  );
}

/** Lets events collect, or go. */
const webhooks = (switches: Record<string, unknown>) => server.stripe.post('/webhooks', switches);

async function settled(): Promise<void> {
  await server.stripe.post('/webhooks/flush');
  await eventually(
    () => server.sql("select event_id from webhook_event where state in ('RECEIVED', 'PROCESSING')"),
    (rows) => rows.length === 0,
  );
}

describe('W-S2: payments through Stripe reach their orders by themselves', () => {
  test('also when events come twice, in the wrong order, and some not at all', async () => {
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    await settled();
    await webhooks({ paused: true });
    await server.stripe.pay(stripeInvoiceId, 50_000);
    await server.stripe.pay(stripeInvoiceId);
    await webhooks({ paused: false, duplicate: true, reorder: true, drop: 1 });
    await settled();
    const paid = await becomes(id, 'PAID');
    expect(paid.payments.nodes.map(({ amount }: Data) => amount.amount).toSorted()).toEqual(['500.00', '975.00']);
    await webhooks({ duplicate: false, reorder: false });
  });

  test('W-S14: a refund takes the money back', async () => {
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    const { paymentIntent } = await server.stripe.pay(stripeInvoiceId);
    await becomes(id, 'PAID');
    await server.stripe.post('/refund', { paymentIntentId: paymentIntent.id, amount: 47_500 });
    const partly = await becomes(id, 'PARTIALLY_PAID');
    expect(partly).toMatchObject({ totalPaid: { amount: '1000.00' }, attention: [] });
    await server.stripe.post('/refund', { paymentIntentId: paymentIntent.id });
    expect(await becomes(id, 'SENT')).toMatchObject({ totalPaid: { amount: '0.00' }, attention: [] });
  });

  test('a payment of which no webhook came is brought in by the sweep', async () => {
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    await settled();
    await webhooks({ drop: 100 });
    await server.stripe.pay(stripeInvoiceId);
    await server.stripe.post('/webhooks/flush');
    await webhooks({ drop: 0 });
    expect((await readOrder(server, id)).status).toBe('SENT');
    await server.sql('update stripe_connection set sweep_due_at = now()');
    // Once a minute the timetable does this.
    await server.sql("select graphile_worker.add_job('wake_due_sweeps')");
    await becomes(id, 'PAID');
    const rows = await server.sql(
      "select bool_and(sweep_due_at > now() + interval '14 minutes' and swept_until is not null) as next from stripe_connection",
    );
    expect(rows).toEqual([{ next: true }]);
    const metrics = await (await fetch(`${server.app.url}/metrics`)).text();
    expect(metrics).toMatch(/^stripe_sweeps_total\{outcome="done"\} 1$/m);
  });
});

describe('W-S4: the address of a conference', () => {
  test('takes what is signed for it, and nothing else', async () => {
    const conference = await createConference(server);
    const payload = JSON.stringify({
      id: 'evt_by_hand',
      object: 'event',
      type: 'invoice.paid',
      created: Math.floor(Date.now() / 1000),
      data: { object: { id: 'in_nobody', object: 'invoice' } },
    });
    const post = async (slug: string, secret: string) => {
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret });
      const headers = { 'stripe-signature': signature };
      const url = `${server.app.url}/webhooks/stripe/${slug}`;
      return (await fetch(url, { method: 'POST', headers, body: payload })).status;
    };
    expect(await post('nobody', 'whsec_of_a_test')).toBe(404);
    expect(await post(conference.slug, 'whsec_of_a_test')).toBe(503);
    await configure(server, { conferenceId: conference.id, webhookSecret: 'whsec_of_a_test' });
    expect(await post(conference.slug, 'whsec_of_another')).toBe(401);
    expect(await post('demo', 'whsec_of_a_test')).toBe(401);
    expect(await post(conference.slug, 'whsec_of_a_test')).toBe(200);
    const state = () => server.sql<{ state: string }>("select state from webhook_event where event_id = 'evt_by_hand'");
    expect(await eventually(state, ([row]) => row?.state === 'IGNORED')).toEqual([{ state: 'IGNORED' }]);
  });
});
