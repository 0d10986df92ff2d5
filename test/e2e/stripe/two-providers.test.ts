import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoicedOrder as createInvoicedInQuickBooks, invoiceOrder, syncInvoice } from '../quickbooks/steps.js';
import { createInvoice, createInvoicedOrder, readInvoices, switchProvider } from './steps.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

const actions = ({ history }: Data): string[] => history.map(({ action }: Data) => action);

describe('an order with a live invoice at one provider', () => {
  test('is refused at the other, which names the invoice and is not asked', async () => {
    const { stripe, quickbooks } = server;
    const inQuickBooks = await createInvoicedInQuickBooks(server);
    const inStripe = await createInvoicedOrder(server);
    await stripe.delete('/requests');
    await quickbooks.delete('/requests');

    const [atStripe, atQuickBooks] = [
      await createInvoice(server, inQuickBooks.id),
      await invoiceOrder(server, inStripe.id),
    ];

    expect(atStripe).toMatchObject({
      purchaseOrder: null,
      userErrors: [
        {
          code: 'ALREADY_INVOICED',
          invoiceId: inQuickBooks.qboInvoiceId,
          message: expect.stringContaining('QuickBooks'),
        },
      ],
    });
    expect(atQuickBooks).toMatchObject({
      purchaseOrder: null,
      userErrors: [
        { code: 'ALREADY_INVOICED', invoiceId: inStripe.stripeInvoiceId, message: expect.stringContaining('Stripe') },
      ],
    });
    expect((await stripe.requests()).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect((await quickbooks.requests()).filter(({ kind }) => kind === 'write')).toEqual([]);
  });

  test('shows it under the provider that has it, and under the other nothing', async () => {
    const inQuickBooks = await createInvoicedInQuickBooks(server);
    const inStripe = await createInvoicedOrder(server);

    expect(inQuickBooks).toMatchObject({
      invoice: { provider: 'QBO', status: 'OPEN' },
      stripeInvoice: null,
      stripeInvoiceId: null,
      stripeInvoiceUrl: null,
    });
    expect(inStripe).toMatchObject({ invoice: { provider: 'STRIPE' }, qboInvoice: null, qboInvoiceId: null });
  });
});

describe('switching the provider', () => {
  test('voids the unpaid invoice, creates one at the other provider, and shows both', async () => {
    const { quickbooks } = server;
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);

    const switched = await switchProvider(server, id, 'QBO');

    expect(switched.userErrors).toEqual([]);
    expect(switched.purchaseOrder).toMatchObject({
      status: 'SENT',
      invoice: { provider: 'QBO', status: 'OPEN' },
      qboInvoice: { status: 'OPEN', total: { amount: '1475.00' } },
      stripeInvoice: { id: stripeInvoiceId, status: 'VOIDED', balance: { amount: '0.00' } },
      stripeInvoiceId,
    });
    const { invoice, invoices } = await readInvoices(server, id);
    expect(invoices.map(({ provider, status, isLive }: Data) => [provider, status, isLive])).toEqual([
      ['QBO', 'OPEN', true],
      ['STRIPE', 'VOIDED', false],
    ]);
    expect(invoices[0]).toEqual(invoice);
    expect(actions(invoices[0])).toEqual(['CREATED', 'SWITCHED']);
    expect(actions(invoices[1])).toEqual(['CREATED', 'SWITCH_REQUESTED', 'VOID_REQUESTED', 'VOIDED']);

    await quickbooks.pay(switched.purchaseOrder.qboInvoiceId, '1475.00');
    const paid = await eventually(
      () => readOrder(server, id),
      ({ status }) => status === 'PAID',
    );
    expect(paid).toMatchObject({ totalPaid: { amount: '1475.00' }, attention: [] });
  });

  test('back again keeps the history of all three invoices apart', async () => {
    const { id, qboInvoiceId } = await createInvoicedInQuickBooks(server);

    await switchProvider(server, id, 'STRIPE');
    const back = await switchProvider(server, id, 'QBO');

    expect(back.userErrors).toEqual([]);
    const { invoices } = await readInvoices(server, id);
    expect(invoices.map(({ provider, isLive }: Data) => [provider, isLive])).toEqual([
      ['QBO', true],
      ['STRIPE', false],
      ['QBO', false],
    ]);
    expect(invoices[2].externalId).toBe(qboInvoiceId);
    expect(invoices.map(actions)).toEqual([
      ['CREATED', 'SWITCHED'],
      ['CREATED', 'SWITCHED', 'SWITCH_REQUESTED', 'VOID_REQUESTED', 'VOIDED'],
      ['CREATED', 'SWITCH_REQUESTED', 'VOID_REQUESTED', 'VOIDED'],
    ]);
    expect(back.purchaseOrder.qboInvoiceId).toBe(invoices[0].externalId);
  });

  test('is refused once money was received, and leaves the invoice alone', async () => {
    const { stripe } = server;
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);
    await stripe.pay(stripeInvoiceId, 100);
    await eventually(
      () => readOrder(server, id),
      ({ status }) => status === 'PARTIALLY_PAID',
    );

    const refused = await switchProvider(server, id, 'QBO');

    expect(refused).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'HAS_PAYMENTS_OR_CREDITS' }] });
    expect(await readOrder(server, id)).toMatchObject({ invoice: { provider: 'STRIPE', status: 'PARTIALLY_PAID' } });
  });

  test('to where the invoice is already is refused', async () => {
    const { id, stripeInvoiceId } = await createInvoicedOrder(server);

    const refused = await switchProvider(server, id, 'STRIPE');

    expect(refused.userErrors).toMatchObject([{ code: 'ALREADY_INVOICED', invoiceId: stripeInvoiceId }]);
  });
});

test('a move that is given up after its void leaves an order that a person is told about, until it is invoiced again', async () => {
  const { stripe } = server;
  const order = await createInvoicedInQuickBooks(server);
  await stripe.fault('POST /v1/invoices', { kind: 'error', status: 400, message: 'No more invoices' });
  expect((await switchProvider(server, order.id, 'STRIPE')).userErrors).toMatchObject([{ code: 'STRIPE_REJECTED' }]);

  const { attention, qboInvoice } = await readOrder(server, order.id);
  expect(qboInvoice).toMatchObject({ status: 'VOIDED' });
  expect(attention).toMatchObject([
    { code: 'SWITCH_FAILED', message: expect.stringContaining('it has no invoice now. Stripe refused this: No more') },
  ]);

  expect((await createInvoice(server, order.id)).userErrors).toEqual([]);
  expect(await readOrder(server, order.id)).toMatchObject({ invoice: { provider: 'STRIPE' }, attention: [] });
});

test('cancelling voids an unpaid invoice in Stripe, too', async () => {
  const { graphql, stripe } = server;
  const { id, stripeInvoiceId } = await createInvoicedOrder(server);

  const cancelled = await graphql.mutate(
    'cancelPurchaseOrder',
    { purchaseOrderId: id },
    'purchaseOrder { status stripeInvoice { status } }',
    'stripeCode requestId faultCode intuitTid',
  );

  expect(cancelled).toEqual({
    purchaseOrder: { status: 'CANCELLED', stripeInvoice: { status: 'VOIDED' } },
    userErrors: [],
  });
  expect(await stripe.api('GET', `/v1/invoices/${stripeInvoiceId}`)).toMatchObject({ status: 'void' });
});

test('an invoice that someone voided in QuickBooks is still the one that qboInvoice shows beside a later one in Stripe', async () => {
  const { quickbooks } = server;
  const { id, qboInvoiceId } = await createInvoicedInQuickBooks(server);
  await quickbooks.post('/void-invoice', { realmId: quickbooks.realmId, invoiceId: qboInvoiceId });
  await syncInvoice(server, id);

  const { purchaseOrder } = await createInvoice(server, id);

  expect(purchaseOrder).toMatchObject({
    qboInvoiceId,
    qboInvoice: { status: 'VOIDED' },
    invoice: { provider: 'STRIPE', status: 'OPEN' },
  });
  const { invoices } = await readInvoices(server, id);
  expect(actions(invoices[1])).toEqual(['CREATED', 'CHANGED_AT_PROVIDER']);
  expect(invoices[1].history[1].message).toBe(
    'It changed in QuickBooks: OPEN over 1475.00 USD became VOIDED over 0.00 USD.',
  );
  expect(actions(invoices[0])).toEqual(['CREATED']);
});
