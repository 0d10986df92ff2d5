import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { calendarDay } from '../../../src/domain/clock.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  countCalls,
  createConference,
  createInvoicedOrder,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
  operationsOf,
  SECOND_COMPANY,
  withCompany,
} from './steps.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
});

beforeEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

/** Invoices the order and returns the text that went to QuickBooks with what came of it. */
async function bodyFor(
  fields: Record<string, unknown>,
): Promise<{ text: string; json: Data; order: Data; requestId: string }> {
  const order = await createOrder(app, fields);
  const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
  expect(result.userErrors).toEqual([]);
  const call = writes.find(({ path }) => path.endsWith('/invoice'));
  return { text: call?.body, json: JSON.parse(call?.body), order: result.purchaseOrder, requestId: call?.requestid };
}

/** The number as it stands in the text, which a parsed one no longer tells. */
function numbersIn(text: string, field: string): string[] {
  return [...text.matchAll(new RegExp(`"${field}":([^,}]+)`, 'g'))].map(([, number]) => String(number));
}

describe('what QuickBooks is sent', () => {
  test('W-Q24: a whole invoice: item, dates, number, currency, memo, note, e-mail and address', async () => {
    const { json, order, requestId } = await bodyFor({
      organizationName: 'Whole Invoice Ltd',
      contactEmail: 'ap@whole.example',
      contactName: 'Wanda Whole',
      billingAddress: '1 Main Street\nSuite 4\nSpringfield\nIL 62701\nUSA\nThird desk',
      buyerReference: '4500012345',
      notes: 'internal: never printed',
      dueDate: '2027-01-31',
    });
    expect(json).toEqual({
      CustomerRef: { value: expect.stringMatching(/^\d+$/) },
      CurrencyRef: { value: 'USD' },
      DocNumber: order.reference,
      TxnDate: calendarDay(new Date(), 'America/New_York'),
      DueDate: '2027-01-31',
      BillEmail: { Address: 'ap@whole.example' },
      BillAddr: {
        Line1: '1 Main Street',
        Line2: 'Suite 4',
        Line3: 'Springfield',
        Line4: 'IL 62701',
        Line5: 'USA, Third desk',
      },
      CustomerMemo: { value: `Purchase order ${order.reference}. Your reference: 4500012345` },
      PrivateNote: `conference-invoicing ${order.reference} ${requestId}. Buyer's reference: 4500012345`,
      Line: [
        {
          DetailType: 'SalesItemLineDetail',
          Description: 'Conference ticket',
          Amount: 998,
          SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 2, UnitPrice: 499 },
        },
        {
          DetailType: 'SalesItemLineDetail',
          Description: 'Silver sponsorship',
          Amount: 477,
          SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 1, UnitPrice: 477 },
        },
      ],
    });
  });

  test('W-Q25: no line of a billing address is lost or taken for a city', async () => {
    const { json } = await bodyFor({ billingAddress: 'Floor 3\nTower B\nHarbour Road 7\n20457 Hamburg' });
    expect(json.BillAddr).toEqual({
      Line1: 'Floor 3',
      Line2: 'Tower B',
      Line3: 'Harbour Road 7',
      Line4: '20457 Hamburg',
    });
  });

  test('an order without address, due date or buyer reference leaves these fields out', async () => {
    const { json, order } = await bodyFor({});
    expect(Object.keys(json)).toEqual([
      'CustomerRef',
      'CurrencyRef',
      'DocNumber',
      'TxnDate',
      'BillEmail',
      'CustomerMemo',
      'PrivateNote',
      'Line',
    ]);
    expect(json.CustomerMemo).toEqual({ value: `Purchase order ${order.reference}` });
  });

  test('the document number is left to a company that numbers its own, and so is its only currency', async () => {
    const conferenceId = await createConference(app);
    const order = await createOrder(app, { conferenceId });
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    const sent = JSON.parse(writes.at(-1)?.body);
    expect(sent).not.toHaveProperty('DocNumber');
    expect(sent).not.toHaveProperty('CurrencyRef');
    expect(result.purchaseOrder.qboInvoice.docNumber).toBe('1037');
  });

  test.each([
    ['Pacific/Kiritimati', 'Kiritimati, the first place to see a day'],
    ['Pacific/Pago_Pago', 'Pago Pago, the last one'],
  ])('the invoice is dated with the calendar day of the conference in %s', async (timezone) => {
    const conferenceId = await createConference(app, { timezone });
    const order = await createOrder(app, { conferenceId });
    const before = calendarDay(new Date(), timezone);
    const { writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    const after = calendarDay(new Date(), timezone);
    expect([before, after]).toContain(JSON.parse(writes.at(-1)?.body).TxnDate);
  });

  test('W-Q26: amounts are written digit by digit, with no trace of binary fractions', async () => {
    const { text, order } = await bodyFor({
      lineItems: [
        { description: 'A third', quantity: 3, unitPrice: '33.33' },
        { description: 'A dime', quantity: 1, unitPrice: '0.10' },
        { description: 'Two dimes', quantity: 1, unitPrice: '0.20' },
        { description: 'A thousand cents', quantity: 1000, unitPrice: '1.15' },
      ],
    });
    expect(numbersIn(text, 'Amount')).toEqual(['99.99', '0.10', '0.20', '1150.00']);
    expect(numbersIn(text, 'UnitPrice')).toEqual(['33.33', '0.10', '0.20', '1.15']);
    expect(order).toMatchObject({ total: { amount: '1250.29' }, qboInvoice: { total: { amount: '1250.29' } } });
  });

  test('W-Q26: fifteen digits arrive exactly and come back exactly', async () => {
    const { text, order } = await bodyFor({
      lineItems: [{ description: 'The stadium', quantity: 1, unitPrice: '9999999999999.99' }],
    });
    expect(numbersIn(text, 'Amount')).toEqual(['9999999999999.99']);
    expect(order).toMatchObject({
      total: { amount: '9999999999999.99' },
      qboInvoice: { total: { amount: '9999999999999.99' }, balance: { amount: '9999999999999.99' } },
      attention: [],
    });
  });

  test.each([
    ['JPY', '333', ['999'], '999'],
    ['KWD', '33.333', ['99.999'], '99.999'],
  ])('an order in %s is invoiced with the digits of its currency', async (currencyCode, unitPrice, amounts, total) => {
    const conferenceId = await createConference(app, { realmId: app.quickbooks.realmId, currencyCode });
    const { text, json, order } = await bodyFor({
      conferenceId,
      lineItems: [{ description: 'Ticket', quantity: 3, unitPrice }],
    });
    expect(numbersIn(text, 'Amount')).toEqual(amounts);
    expect(json.CurrencyRef).toEqual({ value: currencyCode });
    expect(order.qboInvoice).toMatchObject({ total: { amount: total }, balance: { amount: total } });
    expect(order).toMatchObject({ status: 'SENT', total: { amount: total, currencyCode }, attention: [] });
  });

  test('descriptions with quotes, accents and emoji arrive as they were typed', async () => {
    const description = 'Té «à la» "carte" \\ 50 % 🎟️';
    const { json, order } = await bodyFor({ lineItems: [{ description, quantity: 1, unitPrice: '5.00' }] });
    expect(json.Line[0].Description).toBe(description);
    expect(order.attention).toEqual([]);
  });
});

describe('what becomes of the purchase order', () => {
  test('a draft becomes SENT and stores the id, number, links, totals and time of its invoice', async () => {
    const before = Date.now();
    const order = await createInvoicedOrder(app);
    const [invoice] = await invoicesInBooks(app, order.reference);
    expect(order).toMatchObject({
      status: 'SENT',
      qboInvoiceId: invoice.Id,
      totalPaid: { amount: '0.00' },
      balanceDue: { amount: '1475.00' },
      attention: [],
      qboInvoice: {
        id: invoice.Id,
        docNumber: order.reference,
        syncToken: '0',
        status: 'OPEN',
        total: { amount: '1475.00' },
        balance: { amount: '1475.00' },
        emailStatus: 'NOT_SENT',
      },
    });
    expect(Date.parse(order.qboInvoice.lastSyncedAt)).toBeGreaterThanOrEqual(before);
    expect(await readOrder(app, order.id)).toEqual(order);
  });

  test("W-Q20: the url is the bookkeeper's page in the right company, and the buyer's link is another field", async () => {
    const order = await createInvoicedOrder(app);
    const { qboInvoiceUrl, qboInvoice, qboInvoiceId } = order;
    const page = encodeURIComponent(`invoice?txnId=${qboInvoiceId}`);
    expect(qboInvoiceUrl).toBe(
      `https://sandbox.qbo.intuit.com/app/login?pagereq=${page}&deeplinkcompanyid=${app.quickbooks.realmId}`,
    );
    expect(qboInvoice.url).toBe(qboInvoiceUrl);
    expect(qboInvoice.payUrl === null || /^https:\/\//.test(qboInvoice.payUrl)).toBe(true);
    expect(qboInvoice.payUrl).not.toBe(qboInvoiceUrl);
  });

  test('an order that was marked as sent stays SENT', async () => {
    const order = await createOrder(app);
    await app.graphql.mutate('sendPurchaseOrder', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
    expect((await invoiceOrder(app, order.id)).purchaseOrder.status).toBe('SENT');
  });

  test('the audit trail says who invoiced what', async () => {
    const order = await createInvoicedOrder(app);
    const rows = await app.sql(
      "select actor, before, after from audit_event where subject = $1 and action = 'invoice.created'",
      [order.id],
    );
    expect(rows).toEqual([
      {
        actor: 'bootstrap',
        before: { status: 'DRAFT' },
        after: { status: 'SENT', provider: 'QBO', invoice: order.qboInvoiceId, total: '1475.00' },
      },
    ]);
  });

  test('credits that QuickBooks applies by itself show at once and are no payment', async () => {
    const { realmId } = app.quickbooks;
    await withCompany(app, realmId, { autoApplyCredit: true }, async () => {
      const first = await createInvoicedOrder(app, { organizationName: 'Creditworthy Inc' });
      await app.quickbooks.post('/credit-memo', { realmId, invoiceId: first.qboInvoiceId, amount: '400.00' });
      // The credit loses its invoice, so it is open for the next one.
      await app.quickbooks.post('/void-invoice', { realmId, invoiceId: first.qboInvoiceId });
      const second = await createInvoicedOrder(app, { organizationName: 'Creditworthy Inc' });
      expect(second).toMatchObject({
        status: 'SENT',
        totalPaid: { amount: '0.00' },
        payments: { nodes: [] },
        qboInvoice: { status: 'PARTIALLY_PAID', total: { amount: '1475.00' }, balance: { amount: '1075.00' } },
      });
    });
  });
});

describe('how often QuickBooks is called', () => {
  test('a new organisation costs one lookup and two writes, a known one a single write', async () => {
    const organizationName = 'Counting House';
    await createInvoicedOrder(app);
    const first = await createOrder(app, { organizationName });
    const unknown = await countCalls(app, () => invoiceOrder(app, first.id));
    expect(unknown.writes.map(({ path }) => path.split('/').at(-1))).toEqual(['customer', 'invoice']);
    expect(unknown.reads.map(({ path }) => path.split('/').at(-1))).toEqual(['query']);
    const second = await createOrder(app, { organizationName });
    const known = await countCalls(app, () => invoiceOrder(app, second.id));
    expect(known.writes.map(({ path }) => path.split('/').at(-1))).toEqual(['invoice']);
    expect(known.reads).toEqual([]);
    expect(known.tokens).toEqual([]);
  });

  test('preferences and the service item are read once per company, however many conferences share it', async () => {
    await createConference(app);
    await app.sql('update qbo_connection set settings = null');
    const [first, second] = [await createConference(app), await createConference(app)];
    const orders: Data[] = [];
    for (const conferenceId of [first, second, first]) orders.push(await createOrder(app, { conferenceId }));
    const { reads } = await countCalls(app, async () => {
      for (const { id } of orders) expect((await invoiceOrder(app, id)).userErrors).toEqual([]);
    });
    expect(reads.filter(({ path }) => path.endsWith('/preferences'))).toHaveLength(1);
    expect(reads.filter(({ query }) => /from Item/i.test(query.query ?? ''))).toHaveLength(1);
    expect(reads.filter(({ query }) => /from Customer/i.test(query.query ?? ''))).toHaveLength(3);
    expect(reads).toHaveLength(5);
  });

  test('W-Q14: every write carries a request id of at most 50 characters that is the id of a stored operation', async () => {
    const order = await createOrder(app);
    const { writes } = await countCalls(app, async () => {
      await invoiceOrder(app, order.id);
      await app.graphql.mutate('sendQboInvoice', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
    });
    expect(writes).toHaveLength(3);
    const rows = await app.sql<Data>('select id, kind, state, body from provider_operation where id = any($1)', [
      writes.map(({ requestid }) => requestid),
    ]);
    const stored = new Map(rows.map((row) => [row.id, row]));
    expect(writes.map(({ requestid }) => stored.get(requestid)?.kind)).toEqual([
      'CREATE_CUSTOMER',
      'CREATE_INVOICE',
      'SEND_INVOICE',
    ]);
    for (const { requestid, body } of writes) {
      expect(requestid.length).toBeLessThanOrEqual(50);
      expect(stored.get(requestid).state).toBe('DONE');
      if (body !== '') expect(stored.get(requestid).body).toBe(body);
    }
  });
});

describe('called more than once', () => {
  test.each([2, 10])('W-Q14: %i calls at the same time make one invoice', async (count) => {
    const order = await createOrder(app);
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/invoice?' } });
    const { result: answers, writes } = await countCalls(app, () =>
      Promise.all(Array.from({ length: count }, () => invoiceOrder(app, order.id))),
    );
    const winners = answers.filter(({ userErrors }) => userErrors.length === 0);
    const losers = answers.filter(({ userErrors }) => userErrors.length > 0);
    expect(winners).toHaveLength(1);
    expect(losers).toHaveLength(count - 1);
    const [{ purchaseOrder }] = winners;
    for (const { purchaseOrder: nothing, userErrors } of losers) {
      expect(nothing).toBeNull();
      expect(['IN_PROGRESS', 'ALREADY_INVOICED']).toContain(userErrors[0].code);
      if (userErrors[0].code === 'ALREADY_INVOICED') expect(userErrors[0].invoiceId).toBe(purchaseOrder.qboInvoiceId);
    }
    expect(writes.filter(({ path }) => path.endsWith('/invoice'))).toHaveLength(1);
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
    expect(await operationsOf(app, order.id)).toMatchObject([{ state: 'DONE', attempts: 1, generation: 1 }]);
  });

  test('a second call later is told the id of the invoice, and QuickBooks hears nothing of it', async () => {
    const order = await createInvoicedOrder(app);
    const { result, reads, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result).toEqual({
      purchaseOrder: null,
      userErrors: [
        {
          code: 'ALREADY_INVOICED',
          message: `This purchase order has QuickBooks invoice ${order.reference} already.`,
          path: ['purchaseOrderId'],
          invoiceId: order.qboInvoiceId,
          faultCode: null,
          statusCode: null,
          intuitTid: null,
          expectedTotal: null,
          invoiceTotal: null,
        },
      ],
    });
    expect([...reads, ...writes]).toEqual([]);
    expect(await readOrder(app, order.id)).toEqual(order);
  });

  test('the same idempotency key gives the same answer, also after the invoice was paid', async () => {
    const order = await createOrder(app);
    const idempotencyKey = 'create-invoice-1';
    const first = await invoiceOrder(app, order.id, { idempotencyKey });
    await app.quickbooks.pay(first.purchaseOrder.qboInvoiceId, '1475.00');
    await app.graphql.mutate('syncQboInvoiceStatus', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
    const { result, reads, writes } = await countCalls(app, () => invoiceOrder(app, order.id, { idempotencyKey }));
    expect(result.userErrors).toEqual([]);
    expect(result.purchaseOrder).toMatchObject({
      id: order.id,
      status: 'PAID',
      qboInvoiceId: first.purchaseOrder.qboInvoiceId,
    });
    expect([...reads, ...writes]).toEqual([]);
  });

  test('an idempotency key that was used for another order is refused', async () => {
    const [first, second] = [await createOrder(app), await createOrder(app)];
    const idempotencyKey = 'create-invoice-2';
    await invoiceOrder(app, first.id, { idempotencyKey });
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, second.id, { idempotencyKey }));
    expect(result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
    expect(writes).toEqual([]);
    expect(await readOrder(app, second.id)).toMatchObject({ status: 'DRAFT', qboInvoice: null });
  });

  test('a key of a running request is told so, and gets the answer afterwards', async () => {
    const order = await createOrder(app);
    const idempotencyKey = 'create-invoice-3';
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 500, match: { path: '/invoice?' } });
    const answers = await Promise.all([
      invoiceOrder(app, order.id, { idempotencyKey }),
      invoiceOrder(app, order.id, { idempotencyKey }),
    ]);
    const codes = answers.map(({ userErrors }) => userErrors[0]?.code);
    expect(codes.toSorted()).toEqual(['IDEMPOTENCY_IN_PROGRESS', undefined]);
    expect(await invoiceOrder(app, order.id, { idempotencyKey })).toMatchObject({ userErrors: [] });
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
  });

  test.each([
    [7, 'short'],
    [256, 'long'],
  ])('an idempotency key of %i characters is too %s', async (length) => {
    const idempotencyKey = 'x'.repeat(length);
    const order = await createOrder(app);
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id, { idempotencyKey }));
    expect(result.userErrors).toMatchObject([{ code: 'INVALID', path: ['idempotencyKey'] }]);
    expect(writes).toEqual([]);
    expect(await operationsOf(app, order.id)).toEqual([]);
  });

  test('a key whose request was refused is free again', async () => {
    const order = await createOrder(app);
    const idempotencyKey = 'create-invoice-4';
    await app.quickbooks.post('/faults', { kind: '429', match: { path: '/customer?' } });
    expect((await invoiceOrder(app, order.id, { idempotencyKey })).userErrors[0].code).toBe('QBO_UNAVAILABLE');
    expect(await app.sql('select 1 from client_idempotency_key where key = $1', [idempotencyKey])).toEqual([]);
    expect((await invoiceOrder(app, order.id, { idempotencyKey })).userErrors).toEqual([]);
  });

  test('after it was voided in QuickBooks the order is invoiced again, under a number of its own', async () => {
    const { realmId } = app.quickbooks;
    const order = await createInvoicedOrder(app);
    await app.quickbooks.post('/void-invoice', { realmId, invoiceId: order.qboInvoiceId });
    await app.graphql.mutate('syncQboInvoiceStatus', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
    const again = await invoiceOrder(app, order.id);
    expect(again.userErrors).toEqual([]);
    expect(again.purchaseOrder.qboInvoice).toMatchObject({ docNumber: `${order.reference}-2`, status: 'OPEN' });
    expect(again.purchaseOrder.qboInvoiceId).not.toBe(order.qboInvoiceId);
    expect(await invoicesInBooks(app, order.reference)).toHaveLength(2);
  });

  test('after it was deleted in QuickBooks the order is invoiced again', async () => {
    const conferenceId = await createConference(app);
    const order = await createInvoicedOrder(app, { conferenceId });
    await app.quickbooks.post('/delete-invoice', { realmId: SECOND_COMPANY, invoiceId: order.qboInvoiceId });
    await app.graphql.mutate('syncQboInvoiceStatus', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
    const again = await invoiceOrder(app, order.id);
    expect(again.userErrors).toEqual([]);
    expect(await invoicesInBooks(app, order.reference, SECOND_COMPANY)).toHaveLength(1);
  });
});
