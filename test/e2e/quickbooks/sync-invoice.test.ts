import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { countCalls, createInvoicedOrder, holdWebhooks, invoiceOrder, syncInvoice } from './steps.js';

let app: TestApp;
let realmId: string;

beforeAll(async () => {
  app = await startTestApp();
  ({ realmId } = app.quickbooks);
  await holdWebhooks(app);
});

beforeEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

/** Synchronises, which must succeed, and returns the order. */
async function synchronised(orderId: string): Promise<Data> {
  const { purchaseOrder, userErrors } = await syncInvoice(app, orderId);
  expect(userErrors).toEqual([]);
  return purchaseOrder;
}

/** Every booking of the order in the order in which it was made, reversed ones included. */
async function bookings(orderId: string): Promise<Data[]> {
  return app.sql(
    `select amount_minor as amount, provider_payment_id as "paymentId", revision, source, to_char(paid_on, 'YYYY-MM-DD') as "paidOn",
            exists (select from payment_reversal where payment_id = payment.id) as reversed
     from payment where purchase_order_id = $1 order by id`,
    [orderId],
  );
}

async function pay(order: Data, amount: string, more: Record<string, unknown> = {}): Promise<Data> {
  return (await app.quickbooks.pay(order.qboInvoiceId, amount, more)).Payment;
}

describe('payments', () => {
  test('an unpaid invoice changes nothing but the time it was seen', async () => {
    const order = await createInvoicedOrder(app);
    const { lastSyncedAt, ...invoice } = (await synchronised(order.id)).qboInvoice;
    const { lastSyncedAt: before, payUrl: _absentOnCreate, ...created } = order.qboInvoice;
    expect(invoice).toMatchObject(created);
    expect(Date.parse(lastSyncedAt)).toBeGreaterThan(Date.parse(before));
    expect(await bookings(order.id)).toEqual([]);
  });

  test('W-Q9: a part payment makes the order PARTIALLY_PAID and the rest makes it PAID', async () => {
    const order = await createInvoicedOrder(app);
    await pay(order, '475.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'PARTIALLY_PAID',
      totalPaid: { amount: '475.00' },
      balanceDue: { amount: '1000.00' },
      qboInvoice: { status: 'PARTIALLY_PAID', balance: { amount: '1000.00' } },
    });
    await pay(order, '1000.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '1475.00' },
      balanceDue: { amount: '0.00' },
      qboInvoice: { status: 'PAID', balance: { amount: '0.00' } },
    });
    expect(await bookings(order.id)).toHaveLength(2);
  });

  test("W-Q11: a payment is booked with its own date, number and id, as QBO, not as today's wire", async () => {
    const order = await createInvoicedOrder(app);
    const numbered = await pay(order, '400.00', { paidOn: '2026-10-01', paymentRefNum: 'CHQ 4711' });
    const plain = await pay(order, '75.00', { paidOn: '2026-10-02' });
    const { payments } = await synchronised(order.id);
    expect(payments.nodes).toMatchObject([
      { amount: { amount: '75.00' }, method: 'QBO', source: 'QBO', paidOn: '2026-10-02', reference: plain.Id },
      { amount: { amount: '400.00' }, method: 'QBO', source: 'QBO', paidOn: '2026-10-01', reference: 'CHQ 4711' },
    ]);
    const ids = (await bookings(order.id)).map(({ paymentId }) => paymentId);
    expect(ids.toSorted()).toEqual([numbered.Id, plain.Id].toSorted());
  });

  test('what is paid above the balance stays in QuickBooks and is not booked twice', async () => {
    const order = await createInvoicedOrder(app);
    const { Id: paymentId } = await pay(order, '2000.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '1475.00' },
      balanceDue: { amount: '0.00' },
      attention: [
        {
          code: 'UNAPPLIED_CREDIT',
          message: `525.00 USD of payment ${paymentId} is applied to no invoice in QuickBooks.`,
        },
      ],
    });
    expect(await bookings(order.id)).toMatchObject([{ amount: '147500' }]);
  });

  test('one payment over several invoices is booked on each order with its share', async () => {
    const organizationName = 'Three At Once plc';
    const orders = [];
    for (let index = 0; index < 3; index++) orders.push(await createInvoicedOrder(app, { organizationName }));
    const amounts = ['1475.00', '1000.00', '0.01'];
    const lines = orders.map(({ qboInvoiceId }, index) => ({ invoiceId: qboInvoiceId, amount: amounts[index] }));
    const { Payment } = await app.quickbooks.post('/pay', { realmId, lines, amount: '2475.01' });
    const after = [];
    for (const { id } of orders) after.push(await synchronised(id));
    expect(after).toMatchObject([
      { status: 'PAID', totalPaid: { amount: '1475.00' } },
      { status: 'PARTIALLY_PAID', totalPaid: { amount: '1000.00' } },
      { status: 'PARTIALLY_PAID', totalPaid: { amount: '0.01' } },
    ]);
    for (const { id } of orders) expect(await bookings(id)).toMatchObject([{ paymentId: Payment.Id, revision: 1 }]);
  });

  test('W-Q12: money booked by hand and money in QuickBooks stand side by side', async () => {
    const order = await createInvoicedOrder(app);
    await app.graphql.mutate(
      'recordPayment',
      { purchaseOrderId: order.id, amount: '400.00', method: 'WIRE', paidOn: '2026-11-01', reference: 'by hand' },
      'payment { id }',
    );
    await pay(order, '1075.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '1475.00' },
      qboInvoice: { status: 'PARTIALLY_PAID', balance: { amount: '400.00' } },
    });
    await pay(order, '400.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'OVERPAID',
      totalPaid: { amount: '1875.00' },
      balanceDue: { amount: '-400.00' },
    });
    expect((await bookings(order.id)).map(({ source, amount }) => [source, amount])).toEqual([
      ['MANUAL', '40000'],
      ['QBO', '107500'],
      ['QBO', '40000'],
    ]);
  });
});

describe('W-Q10: credit is not cash', () => {
  test('a credit memo that settles the invoice is credited and books no payment', async () => {
    const order = await createInvoicedOrder(app);
    const credit = { realmId, invoiceId: order.qboInvoiceId, amount: '1475.00' };
    const { Payment } = await app.quickbooks.post('/credit-memo', credit);
    expect(await synchronised(order.id)).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '0.00' },
      totalCredited: { amount: '1475.00' },
      balanceDue: { amount: '0.00' },
      payments: { nodes: [] },
      creditNotes: {
        nodes: [
          {
            amount: { amount: '1475.00' },
            source: 'QBO',
            reason: `Credit applied in QuickBooks by payment ${Payment.Id}.`,
            reversedBy: null,
          },
        ],
      },
      qboInvoice: { status: 'PAID', balance: { amount: '0.00' } },
      attention: [],
    });
  });

  test('a credit memo that is taken off the invoice again is reversed', async () => {
    const order = await createInvoicedOrder(app);
    const credit = { realmId, invoiceId: order.qboInvoiceId, amount: '400.00' };
    const { Payment } = await app.quickbooks.post('/credit-memo', credit);
    expect(await synchronised(order.id)).toMatchObject({ status: 'SENT', totalCredited: { amount: '400.00' } });
    await app.quickbooks.post('/delete-payment', { realmId, paymentId: Payment.Id });
    expect(await synchronised(order.id)).toMatchObject({
      status: 'SENT',
      totalCredited: { amount: '0.00' },
      balanceDue: { amount: '1475.00' },
      creditNotes: {
        nodes: [
          {
            amount: { amount: '400.00' },
            reversedBy: { reason: 'The payment was voided, deleted or applied elsewhere at the provider.' },
          },
        ],
      },
    });
  });

  test('a credit memo next to a payment is credited, the payment booked, and the order PAID', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.post('/credit-memo', { realmId, invoiceId: order.qboInvoiceId, amount: '475.00' });
    await pay(order, '1000.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '1000.00' },
      totalCredited: { amount: '475.00' },
      qboInvoice: { status: 'PAID' },
    });
    expect(await bookings(order.id)).toMatchObject([{ amount: '100000' }]);
  });
});

describe('W-Q13: the same reading again books nothing', () => {
  test('five times one after the other', async () => {
    const order = await createInvoicedOrder(app);
    await pay(order, '600.00');
    await pay(order, '875.00');
    const first = await synchronised(order.id);
    for (let round = 2; round <= 5; round++) {
      const { qboInvoice, ...again } = await synchronised(order.id);
      expect({ ...again, qboInvoice: { ...qboInvoice, lastSyncedAt: first.qboInvoice.lastSyncedAt } }).toEqual(first);
    }
    expect(await bookings(order.id)).toHaveLength(2);
    const audited = "select 1 from audit_event where subject = $1 and action = 'payments.booked_from_provider'";
    expect(await app.sql(audited, [order.id])).toHaveLength(1);
  });

  test('ten at the same time', async () => {
    const order = await createInvoicedOrder(app);
    await pay(order, '1475.00');
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 100, times: 40, match: { method: 'GET' } });
    const answers = await Promise.all(Array.from({ length: 10 }, () => syncInvoice(app, order.id)));
    expect(answers.filter(({ userErrors }) => userErrors.length === 0).length).toBeGreaterThan(0);
    for (const { userErrors } of answers) {
      if (userErrors.length > 0) expect(userErrors).toMatchObject([{ code: 'QBO_UNAVAILABLE' }]);
    }
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    expect(await bookings(order.id)).toHaveLength(1);
  });
});

describe('W-Q8: corrections in QuickBooks', () => {
  test('an edited amount reverses the booking and books the next revision', async () => {
    const order = await createInvoicedOrder(app);
    const { Id: paymentId } = await pay(order, '1475.00', { paidOn: '2026-11-02' });
    await synchronised(order.id);
    await app.quickbooks.post('/edit-payment', { realmId, paymentId, amount: '1000.00' });
    const after = await synchronised(order.id);
    expect(after).toMatchObject({ status: 'PARTIALLY_PAID', totalPaid: { amount: '1000.00' } });
    expect(await bookings(order.id)).toEqual([
      { amount: '147500', paymentId, revision: 1, source: 'QBO', paidOn: '2026-11-02', reversed: true },
      { amount: '100000', paymentId, revision: 2, source: 'QBO', paidOn: '2026-11-02', reversed: false },
    ]);
    const [reversed] = after.payments.nodes.filter(({ reversedBy }: Data) => reversedBy);
    expect(reversed.reversedBy.reason).toBe('The payment was changed at the provider.');
  });

  test('an edited date does, too, and the sums stay', async () => {
    const order = await createInvoicedOrder(app);
    const { Id: paymentId } = await pay(order, '1475.00', { paidOn: '2026-11-02' });
    await synchronised(order.id);
    await app.quickbooks.post('/edit-payment', { realmId, paymentId, paidOn: '2026-10-30' });
    expect(await synchronised(order.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    expect(await bookings(order.id)).toMatchObject([
      { revision: 1, paidOn: '2026-11-02', reversed: true },
      { revision: 2, paidOn: '2026-10-30', reversed: false },
    ]);
  });

  test('edited to and fro, every step is a revision of its own', async () => {
    const order = await createInvoicedOrder(app);
    const { Id: paymentId } = await pay(order, '1475.00');
    await synchronised(order.id);
    for (const amount of ['1000.00', '1475.00', '1000.00']) {
      await app.quickbooks.post('/edit-payment', { realmId, paymentId, amount });
      expect(await synchronised(order.id)).toMatchObject({ totalPaid: { amount } });
    }
    expect((await bookings(order.id)).map(({ revision, reversed }) => [revision, reversed])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, false],
    ]);
  });

  test.each(['void-payment', 'delete-payment'])('%s takes the booking back', async (correction) => {
    const order = await createInvoicedOrder(app);
    const { Id: paymentId } = await pay(order, '1475.00');
    await synchronised(order.id);
    await app.quickbooks.post(`/${correction}`, { realmId, paymentId });
    const after = await synchronised(order.id);
    expect(after).toMatchObject({
      status: 'SENT',
      totalPaid: { amount: '0.00' },
      balanceDue: { amount: '1475.00' },
      qboInvoice: { status: 'OPEN', balance: { amount: '1475.00' } },
    });
    expect(after.payments.nodes).toMatchObject([
      { reversedBy: { reason: 'The payment was voided, deleted or applied elsewhere at the provider.' } },
    ]);
  });

  test('a payment that is moved to another invoice moves between the orders', async () => {
    const organizationName = 'Moving Money Ltd';
    const [from, to] = [
      await createInvoicedOrder(app, { organizationName }),
      await createInvoicedOrder(app, { organizationName }),
    ];
    const { Id: paymentId } = await pay(from, '1475.00');
    await synchronised(from.id);
    const lines = [{ invoiceId: to.qboInvoiceId, amount: '1475.00' }];
    await app.quickbooks.post('/edit-payment', { realmId, paymentId, lines });
    expect(await synchronised(from.id)).toMatchObject({ status: 'SENT', totalPaid: { amount: '0.00' } });
    expect(await synchronised(to.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
  });

  test.each([
    ['void-invoice', 'VOIDED'],
    ['delete-invoice', 'DELETED'],
  ])('%s of a paid invoice reverses its payment and shows %s', async (correction, status) => {
    const order = await createInvoicedOrder(app);
    const { Id: paymentId } = await pay(order, '1475.00');
    await synchronised(order.id);
    await app.quickbooks.post(`/${correction}`, { realmId, invoiceId: order.qboInvoiceId });
    expect(await synchronised(order.id)).toMatchObject({
      status: 'SENT',
      totalPaid: { amount: '0.00' },
      attention: [
        {
          code: 'UNAPPLIED_CREDIT',
          message: `1475.00 USD of payment ${paymentId} is applied to no invoice in QuickBooks.`,
        },
      ],
    });
    const rows = await app.sql('select status, balance_minor from invoice where purchase_order_id = $1', [order.id]);
    expect(rows).toEqual([{ status, balance_minor: '0' }]);
    expect((await syncInvoice(app, order.id)).userErrors).toMatchObject([{ code: 'NO_QBO_INVOICE' }]);
  });

  test('an invoice whose total was edited is flagged, and its payments are still booked', async () => {
    const order = await createInvoicedOrder(app);
    const Line = [
      {
        Amount: 2000,
        DetailType: 'SalesItemLineDetail',
        Description: 'Repriced',
        SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 1, UnitPrice: 2000 },
      },
    ];
    await app.quickbooks.post('/edit-invoice', { realmId, invoiceId: order.qboInvoiceId, Line });
    await pay(order, '2000.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'OVERPAID',
      total: { amount: '1475.00' },
      totalPaid: { amount: '2000.00' },
      qboInvoice: { total: { amount: '2000.00' }, status: 'PAID' },
      attention: [{ code: 'TOTAL_DIFFERS' }],
    });
  });
});

describe('money for a cancelled order', () => {
  test('is recorded and flagged as REFUND_DUE, never dropped', async () => {
    const order = await createInvoicedOrder(app);
    // The API refuses to cancel an invoiced order; an import or an older version may have left one.
    await app.sql("update purchase_order set cancelled_at = now(), status = 'CANCELLED' where id = $1", [order.id]);
    await pay(order, '1475.00');
    expect(await synchronised(order.id)).toMatchObject({
      status: 'CANCELLED',
      totalPaid: { amount: '1475.00' },
      payments: { nodes: [{ amount: { amount: '1475.00' }, source: 'QBO' }] },
      attention: [{ code: 'REFUND_DUE' }],
    });
  });
});

describe('what cannot be read', () => {
  test('an order without an invoice is NO_QBO_INVOICE, one that does not exist NOT_FOUND', async () => {
    const order = await createOrder(app);
    const { result, reads } = await countCalls(app, async () => [
      await syncInvoice(app, order.id),
      await syncInvoice(app, 'po_nothing'),
    ]);
    expect(result).toMatchObject([
      { purchaseOrder: null, userErrors: [{ code: 'NO_QBO_INVOICE' }] },
      { purchaseOrder: null, userErrors: [{ code: 'NOT_FOUND' }] },
    ]);
    expect(reads).toEqual([]);
  });

  test.each([
    ['invoice', { kind: 'html502', times: 3, match: { path: '/invoice/' } }],
    ['payments', { kind: 'reset', times: 3, match: { path: '/payment/' } }],
    ['payments in whole', { kind: 'truncate', when: 'after', times: 3, match: { path: '/payment/' } }],
    ['anything for the throttle', { kind: '429', match: { method: 'GET' } }],
  ])('QuickBooks not giving the %s is QBO_UNAVAILABLE and changes nothing', async (_what, fault) => {
    const order = await createInvoicedOrder(app);
    await pay(order, '1475.00');
    const before = await readOrder(app, order.id);
    await app.quickbooks.post('/faults', fault);
    expect(await syncInvoice(app, order.id)).toMatchObject({
      purchaseOrder: null,
      userErrors: [{ code: 'QBO_UNAVAILABLE' }],
    });
    expect(await readOrder(app, order.id)).toEqual(before);
    expect(await synchronised(order.id)).toMatchObject({ status: 'PAID' });
  });

  test('one reading of an invoice with payments takes two calls, without payments one', async () => {
    const order = await createInvoicedOrder(app);
    const unpaid = await countCalls(app, () => synchronised(order.id));
    expect(unpaid.reads.map(({ path }) => path.split('/').at(-2))).toEqual(['invoice']);
    await pay(order, '400.00');
    await pay(order, '500.00');
    const paid = await countCalls(app, () => synchronised(order.id));
    expect(paid.reads.map(({ path }) => path.split('/').slice(4, 5).join())).toEqual(['invoice', 'query']);
    expect(paid.writes).toEqual([]);
  });
});

test('an order can be invoiced for exactly what another one was, and each keeps its own payments', async () => {
  const [first, second] = [await createInvoicedOrder(app), await createOrder(app)];
  const { purchaseOrder } = await invoiceOrder(app, second.id);
  await pay(purchaseOrder, '1475.00');
  expect(await synchronised(first.id)).toMatchObject({ status: 'SENT', payments: { nodes: [] } });
  expect(await synchronised(second.id)).toMatchObject({ status: 'PAID' });
});
