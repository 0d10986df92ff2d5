import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { workedOff } from '../webhooks/deliveries.js';
import { configure, createConference, createInvoice, createInvoicedOrder, sendInvoice, syncInvoice } from './steps.js';

// What the system that this one replaces did, behaviour by behaviour. Where it was wrong, the name says what is right.

const SECRET = 'whsec_of_the_original';

let app: TestApp;
let conference: Data;

beforeAll(async () => {
  app = await startTestApp();
  conference = await createConference(app, { timezone: 'Pacific/Auckland' });
  await configure(app, { conferenceId: conference.id, webhookSecret: SECRET });
  // Each test delivers the one event that it is about.
  await app.stripe.post('/webhooks', { drop: 1_000_000 });
});

afterAll(() => app.stop());

const order = (fields: Data = {}) => createOrder(app, { conferenceId: conference.id, ...fields });
const invoiced = (fields: Data = {}) => createInvoicedOrder(app, { conferenceId: conference.id, ...fields });
const codes = ({ userErrors }: Data): string[] => userErrors.map(({ code }: Data) => code);

/** The invoice as it stands in Stripe's books, with all its lines. */
async function inBooks(externalId: string): Promise<Data> {
  return (await app.stripe.books()).invoices.find(({ id }: Data) => id === externalId);
}

async function customerOf(externalId: string): Promise<Data> {
  const { customer } = await inBooks(externalId);
  return (await app.stripe.books()).customers.find(({ id }: Data) => id === customer);
}

/** Pays the invoice by card; returns the payment intent. */
async function pay(externalId: string, amount?: number): Promise<string> {
  return (await app.stripe.pay(externalId, amount)).paymentIntent.id;
}

/** Posts a body to the endpoint of a conference, signed unless a signature is given. */
async function post(body: string, slug = conference.slug, { secret = SECRET, agoSeconds = 0 } = {}): Promise<number> {
  const timestamp = Math.floor(Date.now() / 1000) - agoSeconds;
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  const headers = { 'stripe-signature': `t=${timestamp},v1=${signature}` };
  return (await fetch(`${app.app.url}/webhooks/stripe/${slug}`, { method: 'POST', body, headers })).status;
}

/** The latest event of this type, as Stripe lists it. */
async function latest(type: string): Promise<Data> {
  const { data } = await app.stripe.api('GET', `/v1/events?type=${type}&limit=1`);
  if (data.length === 0) throw new Error(`nothing of the type ${type} happened`);
  return data[0];
}

/** Delivers the latest event of this type and waits until it is worked off. */
async function deliver(type: string): Promise<Data[]> {
  const event = await latest(type);
  expect(await post(JSON.stringify(event))).toBe(200);
  return workedOff(app, [event]);
}

describe('creating an invoice', () => {
  test('is refused when there is an invoice already, naming it', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    const { userErrors } = await createInvoice(app, id);
    expect(userErrors).toMatchObject([{ code: 'ALREADY_INVOICED', invoiceId: stripeInvoiceId }]);
  });

  test('is refused when the conference has no secret key', async () => {
    const { id: conferenceId } = await createConference(app);
    const { id } = await order({ conferenceId });
    expect(codes(await createInvoice(app, id))).toEqual(['STRIPE_NOT_CONFIGURED']);
  });

  test('takes the currency of the order, not of a global setting', async () => {
    const { id: conferenceId } = await createConference(app, { currencyCode: 'EUR' });
    await configure(app, { conferenceId });
    const { stripeInvoiceId } = await invoiced({ conferenceId });
    expect(await inBooks(stripeInvoiceId)).toMatchObject({ currency: 'eur', total: 147_500 });
  });

  test('takes a customer with the contact’s address only if it bears the organisation’s name, and changes none', async () => {
    const email = 'ap@original.example';
    const stranger = await app.stripe.api('POST', '/v1/customers', { email, name: 'Jo Doe' });
    const first = await invoiced({ organizationName: 'Original Ltd', contactEmail: email });
    const second = await invoiced({ organizationName: 'ORIGINAL  Ltd', contactEmail: email, billingAddress: 'Moved' });
    const [made, found] = [await customerOf(first.stripeInvoiceId), await customerOf(second.stripeInvoiceId)];
    expect(made.id).not.toBe(stranger.id);
    expect(found).toEqual(made);
  });

  test('makes a customer with address and contact, too, where there is none', async () => {
    const contact = { contactEmail: 'new@original.example', contactName: 'Ada', billingAddress: '1 Main St\nTown' };
    const { stripeInvoiceId } = await invoiced({ organizationName: 'New Original', ...contact });
    expect(await customerOf(stripeInvoiceId)).toMatchObject({
      email: 'new@original.example',
      name: 'New Original',
      description: 'Contact: Ada',
      address: { line1: '1 Main St', line2: 'Town' },
      metadata: { normalized_name: 'new original' },
    });
  });

  test('sends an invoice with days to pay, metadata and every line in minor units, and says on its face what it is for', async () => {
    const { id, reference, stripeInvoiceId } = await invoiced({ buyerReference: 'B-17' });
    const invoice = await inBooks(stripeInvoiceId);
    expect(invoice).toMatchObject({
      collection_method: 'send_invoice',
      auto_advance: false,
      currency: 'usd',
      footer: expect.stringMatching(/^Stripe \d+\nBill to:\nOrganisation \d+$/),
      metadata: { purchase_order_id: id, purchase_order_ref: reference, conference_slug: conference.slug },
    });
    expect(invoice.custom_fields).toEqual(
      expect.arrayContaining([
        { name: 'Purchase order', value: reference },
        { name: 'Your reference', value: 'B-17' },
      ]),
    );
    const dayMs = 86_400_000;
    expect(Math.round((invoice.due_date * 1000 - Date.now()) / dayMs)).toBe(30);
    expect(invoice.lines).toMatchObject([
      { description: 'Conference ticket', quantity: 2, amount: 99_800 },
      { description: 'Silver sponsorship', quantity: 1, amount: 47_700 },
    ]);
  });

  test('finalises it and leaves e-mailing to a mutation of its own, which can be repeated', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    expect(await inBooks(stripeInvoiceId)).toMatchObject({ status: 'open' });
    const emails = async () =>
      (await app.stripe.books()).emails.filter(({ invoice }: Data) => invoice === stripeInvoiceId).length;
    expect(await emails()).toBe(0);
    expect((await sendInvoice(app, id)).userErrors).toEqual([]);
    expect(await emails()).toBe(1);
  });

  test('stores id and hosted URL and makes a draft order SENT', async () => {
    const draft = await order();
    expect(draft.status).toBe('DRAFT');
    const { purchaseOrder } = await createInvoice(app, draft.id);
    const { id, hosted_invoice_url } = await inBooks(purchaseOrder.stripeInvoiceId);
    expect(purchaseOrder).toMatchObject({ status: 'SENT', stripeInvoiceId: id, stripeInvoiceUrl: hosted_invoice_url });
  });

  test('that fails half-way leaves nothing behind, and tried again bills once', async () => {
    const { id } = await order();
    const fault = { kind: 'error', status: 400, message: 'No more items' };
    await app.stripe.fault('POST /v1/invoiceitems', fault);
    expect(codes(await createInvoice(app, id))).toEqual(['STRIPE_REJECTED']);
    expect((await createInvoice(app, id)).userErrors).toEqual([]);
    const { invoices } = await app.stripe.books();
    expect(invoices.filter(({ metadata }: Data) => metadata.purchase_order_id === id)).toMatchObject([
      { status: 'open' },
    ]);
  });

  test('is refused when something was credited already, instead of asking for too much', async () => {
    const { id } = await order();
    const credit = { purchaseOrderId: id, amount: '100.00', reason: 'Discount' };
    await app.graphql.mutate('issueCreditNote', credit, 'creditNote { id }');
    expect(codes(await createInvoice(app, id))).toEqual(['HAS_PAYMENTS_OR_CREDITS']);
  });
});

describe('money', () => {
  async function inCurrency(currencyCode: string, unitPrice: string): Promise<Data> {
    const { id: conferenceId } = await createConference(app, { currencyCode });
    await configure(app, { conferenceId });
    return order({ conferenceId, lineItems: [{ description: 'Ticket', quantity: 1, unitPrice }] });
  }

  test.each([
    ['as it is in a currency without decimals', 'JPY', '500', 500],
    ['times 100 in others', 'EUR', '12.34', 1234],
    ['times 1000 in currencies with three decimals, which were not known', 'BHD', '12.340', 12_340],
  ])('is sent %s, and comes back as it went', async (_how, currency, price, units) => {
    const { id } = await inCurrency(currency, price);
    const { stripeInvoiceId } = (await createInvoice(app, id)).purchaseOrder;
    expect(await inBooks(stripeInvoiceId)).toMatchObject({ total: units });
    await pay(stripeInvoiceId);
    expect((await syncInvoice(app, id)).purchaseOrder).toMatchObject({ status: 'PAID', totalPaid: { amount: price } });
  });

  test('with more decimals than Stripe takes is refused before anything is sent', async () => {
    const { id } = await inCurrency('BHD', '12.345');
    expect(codes(await createInvoice(app, id))).toEqual(['STRIPE_AMOUNT_UNREPRESENTABLE']);
  });
});

describe('synchronising an invoice', () => {
  test('is refused without an invoice', async () => {
    const { id } = await order();
    expect(codes(await syncInvoice(app, id))).toEqual(['NO_STRIPE_INVOICE']);
  });

  test('records what came through Stripe beside what came by hand, instead of the difference to it', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    const wire = { purchaseOrderId: id, amount: '400.00', method: 'WIRE' };
    await app.graphql.mutate('recordPayment', wire, 'payment { id }');
    await pay(stripeInvoiceId, 60_000);
    expect((await syncInvoice(app, id)).purchaseOrder).toMatchObject({ totalPaid: { amount: '1000.00' } });
  });

  test('records each part once, with its method, payment and day there in the conference’s time zone', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    const [first, second] = [await pay(stripeInvoiceId, 50_000), await pay(stripeInvoiceId, 20_000)];
    await syncInvoice(app, id);
    const { purchaseOrder } = await syncInvoice(app, id);
    const paidOn = new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Auckland' }).format(new Date());
    const all = { method: 'STRIPE', source: 'STRIPE', paidOn, reversedBy: null };
    expect(purchaseOrder.payments.nodes).toHaveLength(2);
    expect(purchaseOrder.payments.nodes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...all, amount: { amount: '500.00' }, reference: first }),
        expect.objectContaining({ ...all, amount: { amount: '200.00' }, reference: second }),
      ]),
    );
    expect(purchaseOrder).toMatchObject({ status: 'PARTIALLY_PAID' });
  });

  test('records nothing while nothing is paid, and keeps the status of the invoice, which was only logged', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    await app.stripe.post('/mark-uncollectible', { invoiceId: stripeInvoiceId });
    expect((await syncInvoice(app, id)).purchaseOrder).toMatchObject({
      status: 'SENT',
      payments: { nodes: [] },
      stripeInvoice: { status: 'UNCOLLECTIBLE' },
    });
  });
});

describe('invoice.paid', () => {
  test('is listened to: the order becomes PAID', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    await pay(stripeInvoiceId);
    expect(await deliver('invoice.paid')).toMatchObject([{ state: 'DONE' }]);
    expect(await readOrder(app, id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
  });

  test.each([
    ['data that is no object', { data: 'x' }],
    ['a data.object that is none', { data: { object: 17 } }],
    ['an object without an id', { data: { object: { object: 'invoice' } } }],
    ['an object with an empty id', { data: { object: { object: 'invoice', id: '' } } }],
  ])('with %s is kept for people and changes nothing', async (what, content) => {
    const event = { id: `evt_${what.replaceAll(/\W/g, '')}`, object: 'event', type: 'invoice.paid', created: 1 };
    expect(await post(JSON.stringify({ ...event, ...content }))).toBe(200);
    const waiting = await app.sql("select event_id from webhook_event where state not in ('DONE', 'IGNORED')");
    expect(waiting).toEqual([]);
  });

  test('of an invoice that nobody knows is ignored', async () => {
    const { id: customer } = await app.stripe.api('POST', '/v1/customers', { email: 'other@original.example' });
    const params = { customer, collection_method: 'send_invoice', days_until_due: '30', currency: 'usd' };
    const { id } = await app.stripe.api('POST', '/v1/invoices', params);
    await app.stripe.api('POST', '/v1/invoiceitems', { customer, invoice: id, amount: '100', currency: 'usd' });
    await app.stripe.api('POST', `/v1/invoices/${id}/finalize`);
    await pay(id);
    expect(await deliver('invoice.paid')).toMatchObject([{ state: 'IGNORED' }]);
  });

  test('of a paid order records nothing a second time', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    await pay(stripeInvoiceId);
    await syncInvoice(app, id);
    await deliver('invoice.paid');
    expect((await readOrder(app, id)).payments.nodes).toHaveLength(1);
  });

  test('of a cancelled order is recorded and shown to a person, instead of dropped', async () => {
    const { id, stripeInvoiceId } = await invoiced();
    // As when the buyer pays at the very moment of the void.
    await app.sql("update purchase_order set status = 'CANCELLED', cancelled_at = now() where id = $1", [id]);
    await pay(stripeInvoiceId);
    await deliver('invoice.paid');
    expect(await readOrder(app, id)).toMatchObject({
      totalPaid: { amount: '1475.00' },
      attention: [{ code: 'REFUND_DUE' }],
    });
  });

  test('at another conference’s endpoint moves nothing', async () => {
    const other = await createConference(app);
    await configure(app, { conferenceId: other.id, webhookSecret: 'whsec_of_another' });
    const { id, stripeInvoiceId } = await invoiced();
    await pay(stripeInvoiceId);
    const event = await latest('invoice.paid');
    expect(await post(JSON.stringify(event), other.slug, { secret: 'whsec_of_another' })).toBe(200);
    expect(await workedOff(app, [event])).toMatchObject([{ state: 'IGNORED' }]);
    expect(await readOrder(app, id)).toMatchObject({ status: 'SENT' });
  });
});

type Happening = readonly [type: string, what: string, happens: (order: Data) => Promise<unknown>, expected: Data];

async function paidAndSynced({ id, stripeInvoiceId }: Data): Promise<string> {
  const paymentIntentId = await pay(stripeInvoiceId);
  await syncInvoice(app, id);
  return paymentIntentId;
}

const onInvoice = (path: string) => (happened: Data) => app.stripe.post(path, { invoiceId: happened.stripeInvoiceId });

const HAPPENINGS: readonly Happening[] = [
  ['invoice_payment.paid', 'a part is paid', (to) => pay(to.stripeInvoiceId, 50_000), { status: 'PARTIALLY_PAID' }],
  [
    'invoice.payment_failed',
    'a bank debit fails',
    async ({ id, stripeInvoiceId }) => {
      const { paymentIntent } = await app.stripe.pay(stripeInvoiceId, undefined, { method: 'ach' });
      expect((await syncInvoice(app, id)).purchaseOrder.attention).toMatchObject([{ code: 'PAYMENT_PROCESSING' }]);
      await app.stripe.post('/settle-payment', { paymentIntentId: paymentIntent.id, outcome: 'failed' });
    },
    { status: 'SENT', attention: [], stripeInvoice: { status: 'OPEN', processing: { amount: '0.00' } } },
  ],
  ['invoice.voided', 'it is void', onInvoice('/void-invoice'), { invoice: { status: 'VOIDED' } }],
  [
    'invoice.marked_uncollectible',
    'it is given up',
    onInvoice('/mark-uncollectible'),
    { invoice: { status: 'UNCOLLECTIBLE' } },
  ],
  [
    'invoice.overdue',
    'it is read, like at any event',
    async ({ stripeInvoiceId }) => {
      await pay(stripeInvoiceId, 50_000);
      await app.stripe.post('/overdue', { invoiceId: stripeInvoiceId });
    },
    { status: 'PARTIALLY_PAID' },
  ],
  [
    'charge.refunded',
    'the payment is reversed',
    async (to) => app.stripe.post('/refund', { paymentIntentId: await paidAndSynced(to) }),
    { status: 'SENT', totalPaid: { amount: '0.00' }, stripeInvoice: { refunded: { amount: '1475.00' } } },
  ],
  [
    'charge.dispute.created',
    'a person is told',
    async (to) => app.stripe.post('/dispute', { paymentIntentId: await paidAndSynced(to) }),
    { status: 'PAID', stripeInvoice: { isDisputed: true }, attention: [{ code: 'PAYMENT_DISPUTED' }] },
  ],
  [
    'charge.dispute.closed',
    'a lost one reverses the payment',
    async (to) => {
      const { dispute } = await app.stripe.post('/dispute', { paymentIntentId: await paidAndSynced(to) });
      await app.stripe.post('/close-dispute', { disputeId: dispute.id, outcome: 'lost' });
    },
    { status: 'SENT', totalPaid: { amount: '0.00' } },
  ],
  [
    'credit_note.created',
    'it is credited',
    ({ stripeInvoiceId }) => app.stripe.post('/credit-note', { invoiceId: stripeInvoiceId, amount: 47_500 }),
    { totalCredited: { amount: '475.00' }, balanceDue: { amount: '1000.00' } },
  ],
  [
    'credit_note.voided',
    'the credit is reversed',
    async ({ id, stripeInvoiceId }) => {
      const made = await app.stripe.post('/credit-note', { invoiceId: stripeInvoiceId, amount: 47_500 });
      expect((await syncInvoice(app, id)).purchaseOrder.totalCredited).toEqual({ amount: '475.00' });
      await app.stripe.post('/void-credit-note', { creditNoteId: made.creditNote.id });
    },
    { totalCredited: { amount: '0.00' }, balanceDue: { amount: '1475.00' } },
  ],
];

describe('the webhook, which took six types of events, none of them about invoices', () => {
  test.each(HAPPENINGS)('takes %s: %s', async (type, _what, happens, expected) => {
    const happened = await invoiced();
    await happens(happened);
    expect(await deliver(type)).toMatchObject([{ state: 'DONE' }]);
    expect(await readOrder(app, happened.id)).toMatchObject(expected);
  });

  test('takes an event once, whole, and says of one that concerns no invoice that it does not', async () => {
    const event = { id: 'evt_twice', object: 'event', type: 'customer.updated', created: 1_772_000_000 };
    const body = JSON.stringify({ ...event, data: { object: { object: 'customer', id: 'cus_1', name: 'Jo' } } });
    expect([await post(body), await post(body)]).toEqual([200, 200]);
    const [stored, ...others] = await workedOff(app, [event]);
    expect(others).toEqual([]);
    expect(stored).toMatchObject({ state: 'IGNORED', last_error: 'Such events do not concern invoices.' });
    expect(stored?.payload).toEqual(JSON.parse(body));
  });

  test('answers what Stripe can act on, instead of always 200', async () => {
    const { slug: unconnected } = await createConference(app);
    const body = JSON.stringify({ id: 'evt_answer', object: 'event', type: 'invoice.paid', created: 1, data: {} });
    expect(await post(body, 'no-such-conference')).toBe(404);
    expect(await post(body, unconnected)).toBe(503);
    expect(await post(body, conference.slug, { secret: 'whsec_forged' })).toBe(401);
    expect(await post(body, conference.slug, { agoSeconds: 301 })).toBe(401);
    expect(await post(body, conference.slug, { agoSeconds: 290 })).toBe(200);
    expect(await post('no JSON')).toBe(400);
    const read = await fetch(`${app.app.url}/webhooks/stripe/${conference.slug}`);
    expect(read.status).toBe(404);
  });
});
