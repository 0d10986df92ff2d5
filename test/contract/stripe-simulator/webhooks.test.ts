import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type Stripe from 'stripe';
import { ACCOUNT, Bench, type Body } from './support.js';

const SECRET = 'whsec_of_the_endpoint';

interface Received {
  readonly body: string;
  readonly signature: string;
}

let bench: Bench;
let server: Server;
let url: string;
let received: Received[];
/** Statuses of the next answers; 200 when there are none left. */
let statuses: number[];

beforeEach(async () => {
  received = [];
  statuses = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ body: `${Buffer.concat(chunks)}`, signature: `${request.headers['stripe-signature']}` });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/stripe`;
  bench = await Bench.start({
    accounts: [{ accountId: ACCOUNT, secretKey: 'sk_test_simulator', webhooks: [{ url, secret: SECRET }] }],
  });
});
afterEach(async () => {
  await bench.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const flush = () => bench.control('POST', '/webhooks/flush', {});
const events = (): Body[] => received.map(({ body }) => JSON.parse(body));
const types = (): string[] => events().map(({ type }) => type);

describe('Events', () => {
  test('tell of an invoice from its creation to its payment, in the order of what happened', async () => {
    const { id } = await bench.invoice(10_000);
    await bench.stripe.invoices.sendInvoice(id);
    await bench.pay(id, { amount: 4_000 });
    await bench.pay(id);
    expect(await bench.eventTypes()).toEqual([
      'customer.created',
      'invoice.created',
      'invoiceitem.created',
      'invoice.updated',
      'payment_intent.created',
      'invoice.updated',
      'invoice.finalized',
      'invoice.sent',
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice.updated',
      'invoice_payment.paid',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice.updated',
      'invoice_payment.paid',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
    ]);
  });

  test('tell of a bank debit, of voiding, of giving up and of what is overdue', async () => {
    const debit = await bench.invoice();
    const { paymentIntent } = await bench.pay(debit.id, { method: 'ach' });
    await bench.control('POST', '/settle-payment', { paymentIntentId: paymentIntent.id, outcome: 'failed' });
    await bench.control('POST', '/overdue', { invoiceId: debit.id });
    await bench.control('POST', '/mark-uncollectible', { invoiceId: debit.id });
    await bench.control('POST', '/void-invoice', { invoiceId: debit.id });
    await bench.control('POST', '/delete-draft', { invoiceId: (await bench.draft()).id });
    const told = await bench.eventTypes();
    expect(told.slice(told.indexOf('charge.pending'))).toEqual([
      'charge.pending',
      'payment_intent.processing',
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
      'invoice.overdue',
      'invoice.updated',
      'invoice.marked_uncollectible',
      'payment_intent.canceled',
      'invoice.updated',
      'invoice.voided',
      'customer.created',
      'invoice.created',
      'invoice.deleted',
    ]);
  });

  test('hold the object as it was then, what changed, and the request that did it', async () => {
    const draft = await bench.draft();
    const updated = await bench.stripe.invoices.update(draft.id, { description: 'new' }, { idempotencyKey: 'key-1' });
    await bench.stripe.invoices.update(draft.id, { description: 'newer' });
    const { data } = await bench.stripe.events.list({ type: 'invoice.updated' });
    const [, first] = data;
    expect(first).toMatchObject({
      id: expect.stringMatching(/^evt_/),
      object: 'event',
      api_version: '2026-10-28.endive',
      livemode: false,
      type: 'invoice.updated',
      data: { object: { id: draft.id, description: 'new' }, previous_attributes: { description: null } },
      request: { id: updated.lastResponse.requestId, idempotency_key: 'key-1' },
    });
    expect(await bench.stripe.events.retrieve(first?.id ?? '')).toEqual(first);
  });

  test('are listed by type and time, the newest first, for 30 days', async () => {
    const { id } = await bench.invoice();
    const list = async (params: Stripe.EventListParams) =>
      (await bench.stripe.events.list(params)).data.map(({ type }) => type);
    expect(await list({ types: ['invoice.finalized', 'customer.created'] })).toEqual([
      'invoice.finalized',
      'customer.created',
    ]);
    expect(await list({ type: 'payment_intent.*' })).toEqual(['payment_intent.created']);
    await bench.passDays(1);
    await bench.stripe.invoices.sendInvoice(id);
    const [sent] = (await bench.stripe.events.list({ limit: 1 })).data;
    expect(await list({ created: { gte: sent?.created ?? 0 } })).toEqual(['invoice.sent']);
    await bench.passDays(29.5);
    expect(await list({})).toEqual(['invoice.sent']);
    await bench.passDays(1);
    expect(await list({})).toEqual([]);
  });
});

describe('A webhook', () => {
  test('is signed, and holds one event for people to read', async () => {
    await bench.customer();
    await flush();
    const [{ body, signature } = { body: '', signature: '' }] = received;
    const event = bench.stripe.webhooks.constructEvent(body, signature, SECRET);
    expect(event).toMatchObject({ object: 'event', type: 'customer.created', pending_webhooks: 1 });
    expect(body).toBe(JSON.stringify(JSON.parse(body), null, 2));
    expect(() => bench.stripe.webhooks.constructEvent(`${body} `, signature, SECRET)).toThrow();
    const { deliveries } = await bench.control('GET', '/webhooks');
    expect(deliveries).toMatchObject([
      { eventId: event.id, type: 'customer.created', attempts: [200], status: 'delivered' },
    ]);
  });

  test('arrives by itself, one post an event', async () => {
    await bench.draft();
    await bench.eventually(() => received.length === 2);
    expect(types().sort()).toEqual(['customer.created', 'invoice.created']);
  });

  test('is repeated until it is accepted, signed anew', async () => {
    statuses = [500, 503];
    await bench.control('POST', '/webhooks', { retryMs: [5, 5, 5] });
    await bench.customer();
    await flush();
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect((await bench.control('GET', '/webhooks')).deliveries).toMatchObject([
      { attempts: [500, 503, 200], status: 'delivered' },
    ]);
  });

  test('can be late, lost, doubled and out of order', async () => {
    await bench.control('POST', '/webhooks', { paused: true, drop: 1, duplicate: true, reorder: true });
    await bench.customer();
    await bench.draft();
    await flush();
    expect(received).toEqual([]);
    expect((await bench.control('GET', '/webhooks')).settings).toMatchObject({ queued: 2, drop: 0 });
    await bench.control('POST', '/webhooks', { paused: false });
    await flush();
    expect(types().sort()).toEqual(['customer.created', 'customer.created', 'invoice.created', 'invoice.created']);
    expect((await bench.control('GET', '/webhooks')).deliveries.map(({ type }: Body) => type)).toEqual([
      'invoice.created',
      'invoice.created',
      'customer.created',
      'customer.created',
    ]);
  });

  test('goes to the endpoints of its account alone, as far as they want its type', async () => {
    const second = { accountId: 'acct_second', secretKey: 'sk_test_second' };
    await bench.control('POST', '/accounts', {
      ...second,
      webhooks: [
        { url, secret: 'whsec_second', enabledEvents: ['invoice.*'] },
        { url, secret: 'whsec_third' },
      ],
    });
    await bench.client(second.secretKey).customers.create({ email: 'a@example.com' });
    await flush();
    expect(received).toHaveLength(1);
    const [{ body, signature } = { body: '', signature: '' }] = received;
    expect(bench.stripe.webhooks.constructEvent(body, signature, 'whsec_third').type).toBe('customer.created');
  });
});
