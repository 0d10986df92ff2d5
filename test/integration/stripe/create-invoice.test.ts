import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { BillingInvoice } from '../../../src/application/ports/billing.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { ZERO } from '../../../src/domain/money.js';
import type { Data } from '../../support/graphql-client.js';
import { LINES } from '../../support/purchase-orders.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { billed, invoiceRows, leftBehind, NOTHING, operations, PAYABLE } from './stripe-orders.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

beforeEach(async () => {
  await bench.stripe.delete('/faults');
  await bench.stripe.delete('/requests');
});

afterAll(() => bench.stop());

const create = (purchaseOrderId: string) => createStripeInvoice(bench.process(), { purchaseOrderId });

const THREE_LINES = [...LINES, { description: 'Workshop', quantity: 3, unitPrice: '75.50' }];

describe('the budget of statements and calls', () => {
  test('an order of three lines costs five writes, no read and 33 statements once its customer is known', async () => {
    const organizationName = 'Known Ltd';
    await bench.stripeInvoicedOrder({ organizationName });
    await bench.stripe.delete('/requests');
    const purchaseOrderId = await bench.order({ organizationName, lineItems: THREE_LINES });

    const statements = await bench.statementsOf(() => create(purchaseOrderId));

    expect(await bench.stripe.calls()).toEqual([
      'POST /v1/invoices',
      'POST /v1/invoiceitems',
      'POST /v1/invoiceitems',
      'POST /v1/invoiceitems',
      expect.stringMatching(/^POST \/v1\/invoices\/in_\w+\/finalize$/),
    ]);
    expect(statements).toHaveLength(33);
  });

  test('a new customer costs one read and one write more', async () => {
    await create(await bench.order());
    expect((await bench.stripe.calls()).slice(0, 2)).toEqual(['GET /v1/customers', 'POST /v1/customers']);
    expect(await bench.stripe.calls()).toHaveLength(6);
  });
});

test('W-S11: the invoice says whose order it is, when it is due and for whom', async () => {
  const purchaseOrderId = await bench.order({
    organizationName: 'Acme GmbH',
    contactName: 'Ada Lovelace',
    buyerReference: 'AC-4711',
    billingAddress: '1 Main Street\n12345 Springfield',
    dueDate: '2031-05-09',
  });
  const [{ reference }] = await bench.sql('select reference from purchase_order where id = ?', [purchaseOrderId]);

  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

  const [operation] = await operations(bench, purchaseOrderId);
  expect(await billed(bench, purchaseOrderId)).toMatchObject([
    {
      ...PAYABLE,
      collection_method: 'send_invoice',
      auto_advance: false,
      due_date: Date.parse('2031-05-09T23:59:59Z') / 1000,
      customer_email: 'ap@example.com',
      customer_name: 'Acme GmbH',
      custom_fields: [
        { name: 'Purchase order', value: reference },
        { name: 'Your reference', value: 'AC-4711' },
        { name: 'Contact', value: 'Ada Lovelace' },
      ],
      footer: 'Bench\nBill to:\nAcme GmbH\nAda Lovelace\n1 Main Street\n12345 Springfield',
      metadata: {
        purchase_order_id: purchaseOrderId,
        purchase_order_ref: reference,
        conference_slug: 'bench',
        operation_id: operation?.id,
      },
    },
  ]);
  const { customers } = await bench.stripe.books();
  expect(customers.at(-1)).toMatchObject({ address: { line1: '1 Main Street', line2: '12345 Springfield' } });
});

test('W-S11: the invoice of a customer with an old address names that of its own order', async () => {
  const organizationName = 'Moving Ltd';
  const contactEmail = 'moving@example.com';
  await bench.stripeInvoicedOrder({ organizationName, contactEmail, billingAddress: '1 Old Road' });
  const purchaseOrderId = await bench.order({
    organizationName: 'MOVING Ltd',
    contactEmail,
    contactName: 'Grace Hopper',
    billingAddress: '2 New Road\r\n\r\nGermany',
  });

  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

  const [invoice] = await billed(bench, purchaseOrderId);
  expect(invoice?.footer).toBe('Bench\nBill to:\nMOVING Ltd\nGrace Hopper\n2 New Road\nGermany');
  const { customers } = await bench.stripe.books();
  expect(customers.filter(({ email }: Data) => email === contactEmail)).toMatchObject([
    { id: invoice?.customer, name: 'Moving Ltd', address: { line1: '1 Old Road' } },
  ]);
});

test("W-S11: without a day of its own it is due after the conference's number of days", async () => {
  await bench.sql('update stripe_connection set days_until_due = 45');
  const purchaseOrderId = await bench.order();
  await create(purchaseOrderId);
  await bench.sql('update stripe_connection set days_until_due = 30');
  const [invoice] = await billed(bench, purchaseOrderId);
  // The simulator counts from the creation to the second, and finalises within the next.
  expect(Math.round((invoice?.due_date - invoice?.created) / 3600)).toBe(45 * 24);
});

describe('W-S9: the currency is that of the order, whatever it is', () => {
  test.each([
    ['JPY', '1000', 'jpy', 1000],
    ['EUR', '10.01', 'eur', 1001],
    ['KWD', '10.010', 'kwd', 10010],
    ['ISK', '1000', 'isk', 100000],
  ])('%s %s', async (currencyCode, unitPrice, currency, total) => {
    const input = { name: currencyCode, slug: `in-${currency}`, currencyCode, timezone: 'UTC' };
    const { id: conferenceId } = await createConference(bench.process(), input);
    await bench.sql(
      `insert into stripe_connection
       select (jsonb_populate_record(c, jsonb_build_object('id', ?::text, 'conference_id', ?::text))).*
       from stripe_connection c order by created_at limit 1`,
      [`str_${currency}`, conferenceId],
    );
    const purchaseOrderId = await bench.order({
      conferenceId,
      lineItems: [{ description: 'Ticket', quantity: 1, unitPrice }],
    });
    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await billed(bench, purchaseOrderId)).toMatchObject([{ currency, total, status: 'open' }]);
    const [{ total_minor: ordered }] = await bench.sql('select total_minor from purchase_order where id = ?', [
      purchaseOrderId,
    ]);
    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([
      { currency_code: currencyCode, total_minor: ordered, balance_minor: ordered, matches_purchase_order: true },
    ]);
  });
});

test('an order of 100 lines, one of them over nothing, is invoiced line by line', async () => {
  const lineItems = Array.from({ length: 100 }, (_, index) => ({
    description: `Ticket ${index + 1}`,
    quantity: 1,
    unitPrice: index === 0 ? '0.00' : '1.01',
  }));
  const purchaseOrderId = await bench.order({ lineItems });
  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
  const [invoice] = await billed(bench, purchaseOrderId);
  expect(invoice?.total).toBe(9999);
  expect(invoice?.lines.map(({ description }: { description: string }) => description)).toEqual(
    lineItems.map(({ description }) => description),
  );
});

describe('refused before Stripe is called', () => {
  test('W-S13: a total of zero', async () => {
    const purchaseOrderId = await bench.order({
      lineItems: [{ description: 'Free pass', quantity: 1, unitPrice: '0.00' }],
    });
    await expectRefusal(purchaseOrderId, 'NOTHING_TO_INVOICE');
  });

  test('W-S12: an order that is partly credited', async () => {
    const purchaseOrderId = await bench.order();
    await issueCreditNote(bench.process(), { purchaseOrderId, amount: '100.00', reason: 'Discount' });
    await expectRefusal(purchaseOrderId, 'HAS_PAYMENTS_OR_CREDITS');
  });

  test('an order that is partly paid', async () => {
    const purchaseOrderId = await bench.order();
    await recordPayment(bench.process(), { purchaseOrderId, amount: '100.00', method: 'WIRE' });
    await expectRefusal(purchaseOrderId, 'HAS_PAYMENTS_OR_CREDITS');
  });

  test('an order that is paid', async () => {
    const purchaseOrderId = await bench.order();
    await recordPayment(bench.process(), { purchaseOrderId, amount: '1475.00', method: 'WIRE' });
    await expectRefusal(purchaseOrderId, 'ALREADY_PAID');
  });

  test('an order that is cancelled', async () => {
    const purchaseOrderId = await bench.order();
    await cancelPurchaseOrder(bench.process(), { purchaseOrderId });
    await expectRefusal(purchaseOrderId, 'CANCELLED');
  });

  test('an order that does not exist', async () => {
    await expectRefusal('po_0', 'NOT_FOUND');
  });

  test('an order of a conference without a Stripe account', async () => {
    const input = { name: 'Poor', slug: 'poor', currencyCode: 'USD', timezone: 'UTC' };
    const { id: conferenceId } = await createConference(bench.process(), input);
    await expectRefusal(await bench.order({ conferenceId }), 'STRIPE_NOT_CONFIGURED');
  });

  test('an amount that Stripe cannot take', async () => {
    await expectRefusal(
      await bench.order({ lineItems: [{ description: 'Sticker', quantity: 1, unitPrice: '0.10' }] }),
      'STRIPE_AMOUNT_UNREPRESENTABLE',
    );
  });

  test('more lines than Stripe takes', async () => {
    const lineItems = Array.from({ length: 251 }, () => ({ description: 'Ticket', quantity: 1, unitPrice: '1.00' }));
    await expectRefusal(await bench.order({ lineItems }), 'STRIPE_TOO_MANY_LINES');
  });

  async function expectRefusal(purchaseOrderId: string, code: string): Promise<void> {
    expect(await create(purchaseOrderId)).toMatchObject({ id: null, failures: [{ code, path: expect.any(Array) }] });
    expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);
    expect(await bench.stripe.calls()).toEqual([]);
  }
});

test('nobody listens at the address of Stripe: nothing was done and nothing is left', async () => {
  const purchaseOrderId = await bench.order();
  const context = { ...bench.process(), billing: bench.billingAt('http://127.0.0.1:1') };
  expect(await createStripeInvoice(context, { purchaseOrderId })).toMatchObject({
    id: null,
    failures: [{ code: 'STRIPE_UNAVAILABLE' }],
  });
  expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);
  expect(await create(purchaseOrderId)).toMatchObject({ failures: [] });
});

describe('one payable invoice at a time', () => {
  test('an order that is invoiced in QuickBooks is refused, naming that invoice', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    expect(await create(id)).toMatchObject({
      id: null,
      failures: [{ code: 'ALREADY_INVOICED', invoiceId: externalId, message: expect.stringContaining('QuickBooks') }],
    });
    expect(await bench.stripe.calls()).toEqual([]);
  });

  test('an order that is invoiced in Stripe is refused in both, naming that invoice', async () => {
    const { id, externalId } = await bench.stripeInvoicedOrder();
    const refused = {
      id: null,
      failures: [{ code: 'ALREADY_INVOICED', invoiceId: externalId, message: expect.stringContaining('Stripe') }],
    };
    expect(await create(id)).toMatchObject(refused);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId: id })).toMatchObject(refused);
    expect(await billed(bench, id)).toHaveLength(1);
  });

  test('of two calls at once that name different providers one goes on', async () => {
    const purchaseOrderId = await bench.order();
    const outcomes = await Promise.all([
      create(purchaseOrderId),
      createQboInvoice(bench.process(), { purchaseOrderId }),
    ]);
    expect(outcomes.filter(({ id }) => id !== null)).toHaveLength(1);
    expect(await invoiceRows(bench, purchaseOrderId)).toHaveLength(1);
  });
});

describe('an idempotency key of the client', () => {
  test('gets the same answer for the same order', async () => {
    const purchaseOrderId = await bench.order();
    const request = { purchaseOrderId, idempotencyKey: 'the-key-of-this-order' };
    expect(await createStripeInvoice(bench.process(), request)).toEqual({ id: purchaseOrderId, failures: [] });
    await bench.stripe.delete('/requests');
    expect(await createStripeInvoice(bench.process(), request)).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await bench.stripe.calls()).toEqual([]);
  });

  test('is refused for another one', async () => {
    const idempotencyKey = 'the-key-of-two-orders';
    await createStripeInvoice(bench.process(), { purchaseOrderId: await bench.order(), idempotencyKey });
    const other = await createStripeInvoice(bench.process(), { purchaseOrderId: await bench.order(), idempotencyKey });
    expect(other).toMatchObject({ id: null, failures: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
  });
});

describe('an invoice that is not what was asked for', () => {
  test('is kept and shown: its total differs', async () => {
    const purchaseOrderId = await bench.order();
    // Somebody in the dashboard puts an item of their own on the draft.
    const context = bench.withBilling({
      createInvoice: (connectionId, sending) =>
        bench.context.billing.createInvoice(connectionId, {
          ...sending,
          onDraft: async (invoice) => {
            await sending.onDraft(invoice);
            const customer = bench.context.billing.customerOf(sending.body);
            await bench.stripe.api('POST', '/v1/invoiceitems', { customer, invoice, amount: '100', currency: 'usd' });
          },
        }),
    });
    const outcome = await createStripeInvoice(context, { purchaseOrderId });
    const [invoice] = await billed(bench, purchaseOrderId);
    expect(outcome).toEqual({
      id: purchaseOrderId,
      failures: [
        {
          code: 'STRIPE_TOTAL_DIFFERS',
          message: expect.stringContaining('1476.00 USD'),
          path: [],
          invoiceId: invoice?.id,
          expectedTotal: { amount: 147500n, currencyCode: 'USD' },
          invoiceTotal: { amount: 147600n, currencyCode: 'USD' },
        },
      ],
    });
    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([
      { status: 'OPEN', total_minor: '147600', matches_purchase_order: false },
    ]);
    expect(await create(purchaseOrderId)).toMatchObject({ failures: [{ code: 'ALREADY_INVOICED' }] });
  });

  type Lines = BillingInvoice['lines'];

  async function createdWith(change: (lines: Lines) => Lines, hasMoreLines = false) {
    const purchaseOrderId = await bench.order();
    const context = bench.withBilling({
      createInvoice: async (connectionId, sending) => {
        const made = await bench.context.billing.createInvoice(connectionId, sending);
        return made.ok ? { ...made, value: { ...made.value, lines: change(made.value.lines), hasMoreLines } } : made;
      },
    });
    const { failures } = await createStripeInvoice(context, { purchaseOrderId });
    return failures.map(({ code }) => code);
  }

  test.each<[string, (lines: Lines) => Lines]>([
    ['their amounts', (lines) => lines.map((line, index) => ({ ...line, id: lines.at(-1 - index)?.id }))],
    ['one is missing', (lines) => lines.slice(1)],
    ['one is there twice', (lines) => lines.slice(1).flatMap((line) => [line, line])],
    ['there is one more', (lines) => [...lines, { id: undefined, amount: ZERO }]],
    ['one is not of this order', ([first, ...lines]) => lines.concat({ amount: ZERO, ...first, id: 'li_other' })],
  ])('is noticed also when only its lines differ: %s', async (_what, change) => {
    expect(await createdWith(change)).toEqual(['STRIPE_TOTAL_DIFFERS']);
  });

  test('is not one whose lines come in another order, or only in part', async () => {
    expect(await createdWith((lines) => lines.toReversed())).toEqual([]);
    expect(await createdWith((lines) => lines.slice(1), true)).toEqual([]);
  });
});
