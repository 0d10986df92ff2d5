import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  books,
  configure,
  countCalls,
  createConference,
  freshTokens,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
  operationsOf,
  SECOND_COMPANY,
  sendInvoice,
  syncInvoice,
  withCompany,
} from './steps.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
});

beforeEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

/** Invoices the order, which must be refused without a write to QuickBooks and without a trace in our rows. */
async function refusedWithoutTrace(orderId: string): Promise<Data> {
  const before = await readOrder(app, orderId);
  const { result, writes } = await countCalls(app, () => invoiceOrder(app, orderId));
  expect(result.purchaseOrder).toBeNull();
  expect(writes.filter(({ path }) => path.endsWith('/invoice'))).toEqual([]);
  expect(await app.sql('select id from invoice where purchase_order_id = $1', [orderId])).toEqual([]);
  const open = (await operationsOf(app, orderId)).filter(({ state }) => state !== 'REFUSED');
  expect(open).toEqual([]);
  expect(await readOrder(app, orderId)).toEqual(before);
  const [error, ...others] = result.userErrors;
  expect(others).toEqual([]);
  return error;
}

describe('W-Q32: the rules are checked before anything is sent', () => {
  test('an order that does not exist is NOT_FOUND', async () => {
    const { result, reads, writes } = await countCalls(app, () => invoiceOrder(app, 'po_nothing'));
    expect(result).toMatchObject({
      purchaseOrder: null,
      userErrors: [{ code: 'NOT_FOUND', path: ['purchaseOrderId'] }],
    });
    expect([...reads, ...writes]).toEqual([]);
  });

  test('an order of a conference without a connection is QBO_NOT_CONFIGURED', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const order = await createOrder(app, { conferenceId });
    expect(await refusedWithoutTrace(order.id)).toMatchObject({
      code: 'QBO_NOT_CONFIGURED',
      message: expect.stringContaining('configureQboConnection'),
    });
  });

  test('a cancelled order is CANCELLED', async () => {
    const order = await createOrder(app);
    await app.graphql.mutate('cancelPurchaseOrder', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
    expect(await refusedWithoutTrace(order.id)).toMatchObject({ code: 'CANCELLED' });
  });

  test('an order over nothing is NOTHING_TO_INVOICE', async () => {
    const order = await createOrder(app, { lineItems: [{ description: 'Free', quantity: 1, unitPrice: '0.00' }] });
    expect(await refusedWithoutTrace(order.id)).toMatchObject({ code: 'NOTHING_TO_INVOICE' });
  });

  test.each([
    ['paid', '1475.00', 'ALREADY_PAID'],
    ['overpaid', '1500.00', 'ALREADY_PAID'],
    ['partly paid', '0.01', 'HAS_PAYMENTS_OR_CREDITS'],
  ])('an order that is %s is refused', async (_what, amount, code) => {
    const order = await createOrder(app);
    await app.graphql.mutate(
      'recordPayment',
      { purchaseOrderId: order.id, amount, method: 'WIRE', paidOn: '2026-11-01' },
      'payment { id }',
    );
    expect(await refusedWithoutTrace(order.id)).toMatchObject({ code });
  });

  test('W-Q16: an order with a credit note is HAS_PAYMENTS_OR_CREDITS instead of being invoiced in full', async () => {
    const order = await createOrder(app);
    const credit = { purchaseOrderId: order.id, amount: '100.00', reason: 'Speaker discount' };
    await app.graphql.mutate('issueCreditNote', credit, 'creditNote { id }');
    expect(await refusedWithoutTrace(order.id)).toMatchObject({ code: 'HAS_PAYMENTS_OR_CREDITS' });
  });

  test('an order that credit notes have settled is ALREADY_PAID', async () => {
    const order = await createOrder(app);
    const credit = { purchaseOrderId: order.id, amount: '1475.00', reason: 'Sponsored' };
    await app.graphql.mutate('issueCreditNote', credit, 'creditNote { id }');
    expect(await refusedWithoutTrace(order.id)).toMatchObject({ code: 'ALREADY_PAID' });
  });

  test('W-Q19: an invoiced order cannot be credited behind the back of QuickBooks', async () => {
    const order = await createOrder(app);
    await invoiceOrder(app, order.id);
    const credit = { purchaseOrderId: order.id, amount: '100.00', reason: 'Too late' };
    const { userErrors } = await app.graphql.mutate('issueCreditNote', credit, 'creditNote { id }');
    expect(userErrors).toMatchObject([{ code: 'INVOICED' }]);
    expect(await readOrder(app, order.id)).toMatchObject({
      totalCredited: { amount: '0.00' },
      creditNotes: { nodes: [] },
    });
  });

  test('W-Q17: an order has one live invoice at most, which the database enforces', async () => {
    const order = await createOrder(app);
    await invoiceOrder(app, order.id);
    const copy = `insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, currency_code,
                    total_minor, balance_minor, created_at, updated_at)
                  select 'inv_second', purchase_order_id, provider, company_id, status, '999999', currency_code,
                    total_minor, balance_minor, created_at, updated_at from invoice where purchase_order_id = $1`;
    await expect(app.sql(copy, [order.id])).rejects.toThrow('invoice_one_live_per_purchase_order');
  });

  test('W-Q31: an invoice of QuickBooks belongs to one order, which the database enforces', async () => {
    const [first, second] = [await createOrder(app), await createOrder(app)];
    await invoiceOrder(app, first.id);
    const copy = `insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, currency_code,
                    total_minor, balance_minor, created_at, updated_at)
                  select 'inv_stolen', $2, provider, company_id, status, external_id, currency_code,
                    total_minor, balance_minor, created_at, updated_at from invoice where purchase_order_id = $1`;
    await expect(app.sql(copy, [first.id, second.id])).rejects.toThrow(
      'invoice_provider_company_id_external_id_unique',
    );
  });
});

describe('a company that keeps one currency only', () => {
  test('refuses an order in another one before anything is made, instead of invoicing euros as dollars', async () => {
    const conferenceId = await createConference(app, { currencyCode: 'EUR' });
    const order = await createOrder(app, { conferenceId });
    const before = await books(app, SECOND_COMPANY);
    const error = await refusedWithoutTrace(order.id);
    expect(error).toMatchObject({ code: 'QBO_REJECTED', message: expect.stringMatching(/USD.*EUR|EUR.*USD/) });
    expect(await books(app, SECOND_COMPANY)).toEqual(before);
    await app.quickbooks.patch(`/companies/${SECOND_COMPANY}`, { multiCurrency: true });
    try {
      // Nobody has to tell us that the company has changed.
      expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
      const [invoice] = await invoicesInBooks(app, order.reference, SECOND_COMPANY);
      expect(invoice.CurrencyRef.value).toBe('EUR');
    } finally {
      await app.quickbooks.patch(`/companies/${SECOND_COMPANY}`, { multiCurrency: false });
      await app.sql('update qbo_connection set settings = null');
    }
  });
});

describe('the item on the lines', () => {
  test('a company without a known item is QBO_ITEM_MISSING, until somebody makes one', async () => {
    const conferenceId = await createConference(app);
    const order = await createOrder(app, { conferenceId });
    await withCompany(app, SECOND_COMPANY, { withoutServicesItem: true }, async () => {
      const error = await refusedWithoutTrace(order.id);
      expect(error).toMatchObject({ code: 'QBO_ITEM_MISSING', message: expect.stringContaining('serviceItemId') });
    });
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
  });

  test('a configured serviceItemId goes on every line, and a wrong one is QBO_REJECTED', async () => {
    const conferenceId = await createConference(app);
    const tokens = await freshTokens(app, SECOND_COMPANY);
    await configure(app, conferenceId, { ...tokens, serviceItemId: '2' });
    try {
      const order = await createOrder(app, { conferenceId });
      const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
      const { Line } = JSON.parse(writes.at(-1)?.body);
      expect(Line.map((line: Data) => line.SalesItemLineDetail.ItemRef.value)).toEqual(['2', '2']);
      expect(result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'QBO_REJECTED', faultCode: '2500' }] });
    } finally {
      await app.sql("update qbo_connection set service_item_id = null where realm_id = '9341450000000002'");
    }
  });
});

describe('what QuickBooks refuses', () => {
  test('is told with the fault code, status and intuit_tid of QuickBooks, and can be repeated', async () => {
    const order = await createOrder(app);
    const detail = 'Business Validation Error: You must specify a tax rate.';
    await app.quickbooks.post('/faults', { kind: 'fault', code: '6000', detail, match: { path: '/invoice?' } });
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result.purchaseOrder).toBeNull();
    expect(result.userErrors).toMatchObject([
      {
        code: 'QBO_REJECTED',
        faultCode: '6000',
        statusCode: 400,
        intuitTid: writes.at(-1)?.tid,
        message: expect.stringContaining('You must specify a tax rate'),
      },
    ]);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'DRAFT', qboInvoice: null });
    expect(await operationsOf(app, order.id)).toMatchObject([
      { state: 'REFUSED', provider_request_id: writes.at(-1)?.tid },
    ]);
    const again = await invoiceOrder(app, order.id);
    expect(again.userErrors).toEqual([]);
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
    const [refused, made] = await operationsOf(app, order.id);
    expect(made.id).not.toBe(refused.id);
  });

  test('a subscription that ended is QBO_REJECTED with code 6190', async () => {
    const conferenceId = await createConference(app);
    const order = await createOrder(app, { conferenceId });
    await withCompany(app, SECOND_COMPANY, { subscriptionEnded: true }, async () => {
      const { userErrors } = await invoiceOrder(app, order.id);
      expect(userErrors).toMatchObject([{ code: 'QBO_REJECTED', faultCode: '6190', statusCode: 400 }]);
    });
    expect(await invoicesInBooks(app, order.reference, SECOND_COMPANY)).toEqual([]);
  });

  test('settings that QuickBooks no longer agrees with are read anew after a refusal', async () => {
    const conferenceId = await createConference(app);
    await invoiceOrder(app, (await createOrder(app, { conferenceId })).id);
    const order = await createOrder(app, { conferenceId });
    await app.quickbooks.patch(`/companies/${SECOND_COMPANY}`, { multiCurrency: true });
    try {
      expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([
        { code: 'QBO_REJECTED', faultCode: '2020' },
      ]);
      expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
    } finally {
      await app.quickbooks.patch(`/companies/${SECOND_COMPANY}`, { multiCurrency: false });
      await app.sql('update qbo_connection set settings = null');
    }
  });

  test('no answer, error or audit entry repeats the access token that QuickBooks quotes in its faults', async () => {
    const order = await createOrder(app);
    await app.quickbooks.post('/faults', { kind: '401', times: 2, match: { path: '/query?' } });
    const answer = await invoiceOrder(app, order.id);
    expect(answer.userErrors).toMatchObject([{ code: 'QBO_UNAVAILABLE' }]);
    expect(JSON.stringify(answer)).not.toMatch(/eyJ/);
    const rows = await app.sql(
      'select last_error from provider_operation union all select after::text from audit_event',
    );
    expect(JSON.stringify(rows)).not.toMatch(/eyJ|RT1-/);
  });
});

describe('an invoice that is not what was asked for', () => {
  test('W-Q24: tax that QuickBooks adds is QBO_TOTAL_DIFFERS with both totals, and nothing is e-mailed by itself', async () => {
    const { realmId } = app.quickbooks;
    const order = await createOrder(app);
    await withCompany(app, realmId, { salesTaxPercent: '8' }, async () => {
      const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
      expect(result.userErrors).toMatchObject([
        {
          code: 'QBO_TOTAL_DIFFERS',
          invoiceId: result.purchaseOrder.qboInvoiceId,
          expectedTotal: { amount: '1475.00', currencyCode: 'USD' },
          invoiceTotal: { amount: '1593.00', currencyCode: 'USD' },
        },
      ]);
      expect(result.purchaseOrder).toMatchObject({
        status: 'SENT',
        total: { amount: '1475.00' },
        qboInvoice: { status: 'OPEN', total: { amount: '1593.00' }, emailStatus: 'NOT_SENT' },
        attention: [{ code: 'TOTAL_DIFFERS' }],
      });
      expect(writes.filter(({ path }) => path.endsWith('/send'))).toEqual([]);
    });
    // The bookkeeper takes the tax off, and the next reading finds everything as ordered.
    const { qboInvoiceId } = await readOrder(app, order.id);
    const [{ Line }] = await invoicesInBooks(app, order.reference);
    const lines = Line.filter(({ DetailType }: Data) => DetailType === 'SalesItemLineDetail').map((line: Data) => ({
      ...line,
      SalesItemLineDetail: { ...line.SalesItemLineDetail, TaxCodeRef: { value: 'NON' }, ItemAccountRef: undefined },
      CustomExtensions: undefined,
    }));
    await app.quickbooks.post('/edit-invoice', { realmId, invoiceId: qboInvoiceId, Line: lines });
    expect((await syncInvoice(app, order.id)).purchaseOrder).toMatchObject({
      qboInvoice: { total: { amount: '1475.00' } },
      attention: [],
    });
  });

  test('asking again is answered with the same differing invoice only under the same key', async () => {
    const { realmId } = app.quickbooks;
    const order = await createOrder(app);
    const idempotencyKey = 'total-differs-1';
    await withCompany(app, realmId, { salesTaxPercent: '8' }, async () => {
      const first = await invoiceOrder(app, order.id, { idempotencyKey });
      expect(await invoiceOrder(app, order.id, { idempotencyKey })).toEqual(first);
      expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([{ code: 'ALREADY_INVOICED' }]);
    });
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
  });
});

describe('an outcome that nobody knows', () => {
  test('shows as OUTCOME_UNKNOWN on the order, and asking again settles it with one invoice', async () => {
    const order = await createOrder(app);
    await app.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    const first = await invoiceOrder(app, order.id);
    expect(first).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'OUTCOME_UNKNOWN' }] });
    await invoiceOrder(app, order.id);
    const settled = await eventually(
      () => readOrder(app, order.id),
      ({ qboInvoiceId }) => qboInvoiceId !== null,
    );
    expect(settled).toMatchObject({ status: 'SENT', attention: [], qboInvoice: { status: 'OPEN' } });
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
  });

  test('other mutations on the invoice meanwhile say OUTCOME_UNKNOWN and do nothing', async () => {
    const order = await createOrder(app);
    await app.quickbooks.post('/faults', { kind: 'reset', when: 'after', times: 10, match: { path: '/invoice?' } });
    await invoiceOrder(app, order.id);
    expect(await readOrder(app, order.id)).toMatchObject({
      status: 'DRAFT',
      qboInvoice: { status: 'UNKNOWN' },
      attention: [{ code: 'OUTCOME_UNKNOWN', message: expect.stringMatching(/Do not invoice it by hand\. ./) }],
    });
    const { result, writes } = await countCalls(app, async () => [
      await sendInvoice(app, order.id),
      await syncInvoice(app, order.id),
    ]);
    expect(result).toMatchObject([
      { purchaseOrder: null, userErrors: [{ code: 'OUTCOME_UNKNOWN' }] },
      { purchaseOrder: null, userErrors: [{ code: 'OUTCOME_UNKNOWN' }] },
    ]);
    expect(writes.filter(({ path }) => path.endsWith('/send'))).toEqual([]);
    expect((await books(app)).payments).toEqual([]);
  });
});
