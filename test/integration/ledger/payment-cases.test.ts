import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../src/application/purchase-orders/reverse-payment.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { Bookkeeper, balance, credit, type InvoicedOrder, money, notify, rests, seen } from './ledger-bench.js';

let bench: Workbench;
let bookkeeper: Bookkeeper;

beforeAll(async () => {
  bench = await startWorkbench();
  bookkeeper = new Bookkeeper(bench);
});

afterAll(() => bench.stop());

let groups = 0;

/** Orders of one organisation over 1475.00 USD each, all invoiced. */
async function orders<N extends number>(count: N): Promise<InvoicedOrder[] & { length: N }> {
  groups += 1;
  const made = [];
  for (let index = 0; index < count; index++) {
    made.push(await bench.invoicedOrder({ organizationName: `Group ${groups}` }));
  }
  return made as InvoicedOrder[] & { length: N };
}

async function order(): Promise<InvoicedOrder> {
  return bench.invoicedOrder();
}

/** QuickBooks tells that a payment changed, and we look. */
async function changed(paymentId: string): Promise<void> {
  expect(await notify(bench, 'payment', paymentId)).toEqual({ state: 'DONE', reason: null });
}

/** The transactions that wrote the bookings of money on an order, in their order, and then those of the reversals. */
async function transactions(orderId: string): Promise<string[]> {
  const rows = await bench.sql(
    `select id, xmin::text as transaction from payment where purchase_order_id = ?
     union all
     select reversal.id, reversal.xmin::text from payment_reversal reversal join payment on payment.id = payment_id
     where purchase_order_id = ? order by id`,
    [orderId, orderId],
  );
  return rows.map(({ transaction }) => transaction);
}

const DAY = { TxnDate: '2026-11-02' };

describe('money', () => {
  test('of one payment over three orders is booked on each with its share', async () => {
    const [first, second, third] = (await orders(3)) as [InvoicedOrder, InvoicedOrder, InvoicedOrder];
    const shares = { [first.externalId]: 1475, [second.externalId]: 1000, [third.externalId]: 0.01 };
    const id = await bookkeeper.pay(2475.01, shares, { ...DAY, PaymentRefNum: 'CHQ 1' });
    await changed(id);
    expect(await money(bench, first.id)).toEqual([`${id}/1 147500 2026-11-02 CHQ 1`]);
    expect(await money(bench, second.id)).toEqual([`${id}/1 100000 2026-11-02 CHQ 1`]);
    expect(await money(bench, third.id)).toEqual([`${id}/1 1 2026-11-02 CHQ 1`]);
    expect(await balance(bench, first.id)).toBe('PAID paid 147500 credited 0 due 0');
    expect(await balance(bench, second.id)).toBe('PARTIALLY_PAID paid 100000 credited 0 due 47500');
    expect(await balance(bench, third.id)).toBe('PARTIALLY_PAID paid 1 credited 0 due 147499');
    expect(await seen(bench, id)).toEqual(['STANDING 247501/0 USD']);
  });

  test('W-Q9: of several payments on one order is booked payment by payment', async () => {
    const { id, externalId } = await order();
    const payments = [];
    for (const amount of [475, 999.99, 0.01]) {
      payments.push(await bookkeeper.pay(amount, { [externalId]: amount }, DAY));
      await changed(String(payments.at(-1)));
    }
    const [first, second, third] = payments;
    expect(await money(bench, id)).toEqual([
      `${first}/1 47500 2026-11-02 ${first}`,
      `${second}/1 99999 2026-11-02 ${second}`,
      `${third}/1 1 2026-11-02 ${third}`,
    ]);
    expect(await balance(bench, id)).toBe('PAID paid 147500 credited 0 due 0');
  });

  test.each([
    ['amount', { amount: '1000.00' }, '100000 2026-11-02 OLD', 'PARTIALLY_PAID paid 100000 credited 0 due 47500'],
    ['day', { paidOn: '2026-10-30' }, '147500 2026-10-30 OLD', 'PAID paid 147500 credited 0 due 0'],
    ['reference', { paymentRefNum: 'NEW' }, '147500 2026-11-02 NEW', 'PAID paid 147500 credited 0 due 0'],
  ])(
    'W-Q8: whose %s was edited is reversed and booked anew in one transaction',
    async (_what, change, booked, sums) => {
      const { id, externalId } = await order();
      const payment = await bookkeeper.pay(1475, { [externalId]: 1475 }, { ...DAY, PaymentRefNum: 'OLD' });
      await changed(payment);
      await bookkeeper.edit(payment, change);
      await changed(payment);
      await changed(payment);
      expect(await money(bench, id)).toEqual([`~${payment}/1 147500 2026-11-02 OLD~`, `${payment}/2 ${booked}`]);
      expect(await balance(bench, id)).toBe(sums);
      const [first, ...rest] = await transactions(id);
      expect(rest).toHaveLength(2);
      expect(new Set(rest).size).toBe(1);
      expect(rest).not.toContain(first);
    },
  );

  test('whose payment was edited three times ends in revision 4, with one reversal for each before', async () => {
    const { id, externalId } = await order();
    const payment = await bookkeeper.pay(1000, { [externalId]: 1000 }, DAY);
    await changed(payment);
    for (const amount of ['900.00', '1000.00', '1475.00']) {
      await bookkeeper.edit(payment, { amount });
      await changed(payment);
    }
    expect(await money(bench, id)).toEqual([
      `~${payment}/1 100000 2026-11-02 ${payment}~`,
      `~${payment}/2 90000 2026-11-02 ${payment}~`,
      `~${payment}/3 100000 2026-11-02 ${payment}~`,
      `${payment}/4 147500 2026-11-02 ${payment}`,
    ]);
    expect(await balance(bench, id)).toBe('PAID paid 147500 credited 0 due 0');
  });

  test.each([
    ['voided', (payment: string) => bookkeeper.void(payment), 'VOIDED 0/0 USD'],
    ['deleted', (payment: string) => bookkeeper.delete(payment), 'DELETED 147500/0 USD'],
  ])('of a payment that was %s is taken back', async (_how, end, remembered) => {
    const { id, externalId } = await order();
    const payment = await bookkeeper.pay(1475, { [externalId]: 1475 }, DAY);
    await changed(payment);
    await end(payment);
    await changed(payment);
    await changed(payment);
    expect(await money(bench, id)).toEqual([`~${payment}/1 147500 2026-11-02 ${payment}~`]);
    expect(await balance(bench, id)).toBe('SENT paid 0 credited 0 due 147500');
    expect(await seen(bench, payment)).toEqual([remembered]);
    expect(await rests(bench, id)).toEqual([]);
  });

  test('that was taken off the invoice stays with the customer, shows as a rest, and can come back', async () => {
    const { id, externalId } = await order();
    const payment = await bookkeeper.pay(1475, { [externalId]: 1475 }, DAY);
    await changed(payment);
    await bookkeeper.reassign(payment, {});
    await changed(payment);
    expect(await money(bench, id)).toEqual([`~${payment}/1 147500 2026-11-02 ${payment}~`]);
    expect(await balance(bench, id)).toBe('SENT paid 0 credited 0 due 147500');
    expect(await rests(bench, id)).toEqual([`${payment} 147500`]);

    await bookkeeper.reassign(payment, { [externalId]: 1000 });
    await changed(payment);
    expect(await money(bench, id)).toEqual([
      `~${payment}/1 147500 2026-11-02 ${payment}~`,
      `${payment}/2 100000 2026-11-02 ${payment}`,
    ]);
    expect(await rests(bench, id)).toEqual([`${payment} 47500`]);

    await bookkeeper.reassign(payment, {});
    await changed(payment);
    await bookkeeper.void(payment);
    await changed(payment);
    expect(await balance(bench, id)).toBe('SENT paid 0 credited 0 due 147500');
    expect(await rests(bench, id)).toEqual([]);
  });

  test('W-Q8: moves with its payment to another order, to a foreign invoice, and back again', async () => {
    const [here, there] = (await orders(2)) as [InvoicedOrder, InvoicedOrder];
    const foreign = await bookkeeper.foreignInvoice(here.externalId, 1475);
    const payment = await bookkeeper.pay(1475, { [here.externalId]: 1475 }, DAY);
    await changed(payment);
    for (const invoice of [there.externalId, here.externalId, foreign, here.externalId]) {
      await bookkeeper.reassign(payment, { [invoice]: 1475 });
      await changed(payment);
    }
    const facts = `147500 2026-11-02 ${payment}`;
    expect(await money(bench, here.id)).toEqual([
      `~${payment}/1 ${facts}~`,
      `~${payment}/2 ${facts}~`,
      `${payment}/3 ${facts}`,
    ]);
    expect(await money(bench, there.id)).toEqual([`~${payment}/1 ${facts}~`]);
    expect(await balance(bench, here.id)).toBe('PAID paid 147500 credited 0 due 0');
    expect(await balance(bench, there.id)).toBe('SENT paid 0 credited 0 due 147500');
    expect([await rests(bench, here.id), await rests(bench, there.id)]).toEqual([[], []]);
  });

  test('on a foreign invoice only is none of ours, and nothing is remembered of it', async () => {
    const { id, externalId } = await order();
    const foreign = await bookkeeper.foreignInvoice(externalId, 100);
    const payment = await bookkeeper.pay(150, { [foreign]: 100 });
    expect(await notify(bench, 'payment', payment)).toMatchObject({ state: 'IGNORED' });
    expect(await money(bench, id)).toEqual([]);
    expect(await seen(bench, payment)).toEqual([]);
  });

  test('for a cancelled order is recorded and flagged until it is given back', async () => {
    const { id, externalId } = await order();
    await bench.sql("update purchase_order set cancelled_at = now(), status = 'CANCELLED' where id = ?", [id]);
    const payment = await bookkeeper.pay(1475, { [externalId]: 1475 }, DAY);
    await changed(payment);
    expect(await money(bench, id)).toEqual([`${payment}/1 147500 2026-11-02 ${payment}`]);
    expect(await balance(bench, id)).toBe('CANCELLED paid 147500 credited 0 due 0');
    await bookkeeper.void(payment);
    await changed(payment);
    expect(await balance(bench, id)).toBe('CANCELLED paid 0 credited 0 due 147500');
  });

  test('of an invoice that became another currency than its order is not booked', async () => {
    const { id, invoiceId, externalId } = await order();
    await bookkeeper.pay(1475, { [externalId]: 1475 });
    const { accounting } = bench.context;
    const EUR = 'EUR' as CurrencyCode;
    const readInvoices: typeof accounting.readInvoices = async (...args) => {
      const read = await accounting.readInvoices(...args);
      if (!read.ok) return read;
      const objects = read.value.objects.map((invoice) => ({ ...invoice, currency: EUR }));
      return { ...read, value: { ...read.value, objects } };
    };
    const context = bench.with({ readInvoices });
    expect(await syncQboInvoiceStatus(context, { purchaseOrderId: id })).toEqual({ id, failures: [] });
    expect(await money(bench, id)).toEqual([]);
    expect(await balance(bench, id)).toBe('SENT paid 0 credited 0 due 147500');
    const [invoice] = await bench.sql(
      'select currency_code, matches_purchase_order as matches from invoice where id = ?',
      [invoiceId],
    );
    expect(invoice).toEqual({ currency_code: 'EUR', matches: false });
  });
});

describe('what a payment brought beyond its invoices', () => {
  test('is shown and not booked, and no longer shown once it is applied to another order', async () => {
    const [paid, next] = (await orders(2)) as [InvoicedOrder, InvoicedOrder];
    const payment = await bookkeeper.pay(2000, { [paid.externalId]: 1475 }, DAY);
    await changed(payment);
    expect(await money(bench, paid.id)).toEqual([`${payment}/1 147500 2026-11-02 ${payment}`]);
    expect(await balance(bench, paid.id)).toBe('PAID paid 147500 credited 0 due 0');
    expect(await rests(bench, paid.id)).toEqual([`${payment} 52500`]);
    expect(await rests(bench, next.id)).toEqual([]);

    await bookkeeper.reassign(payment, { [paid.externalId]: 1475, [next.externalId]: 400 });
    await changed(payment);
    expect(await money(bench, paid.id)).toEqual([`${payment}/1 147500 2026-11-02 ${payment}`]);
    expect(await balance(bench, next.id)).toBe('PARTIALLY_PAID paid 40000 credited 0 due 107500');
    expect([await rests(bench, paid.id), await rests(bench, next.id)]).toEqual([
      [`${payment} 12500`],
      [`${payment} 12500`],
    ]);

    await bookkeeper.reassign(payment, { [paid.externalId]: 1475, [next.externalId]: 525 });
    await changed(payment);
    expect([await rests(bench, paid.id), await rests(bench, next.id)]).toEqual([[], []]);
    expect(await balance(bench, next.id)).toBe('PARTIALLY_PAID paid 52500 credited 0 due 95000');
  });

  test('is no longer shown once it is given back, and since when it is shown does not move', async () => {
    const { id, externalId } = await order();
    const payment = await bookkeeper.pay(2000, { [externalId]: 1475 }, DAY);
    await changed(payment);
    const since = async () =>
      (await bench.sql('select unapplied_since::text from provider_payment where external_id = ?', [payment]))[0];
    const before = await since();
    bench.clock.advance(60_000);
    await changed(payment);
    expect(await since()).toEqual(before);
    await bookkeeper.edit(payment, { amount: '1475.00' });
    await changed(payment);
    expect(await since()).toEqual({ unapplied_since: null });
    expect(await rests(bench, id)).toEqual([]);
    expect(await money(bench, id)).toEqual([`${payment}/1 147500 2026-11-02 ${payment}`]);
  });

  test('is found without any event, when the order is synchronised', async () => {
    const { id, externalId } = await order();
    const payment = await bookkeeper.pay(1475, { [externalId]: 1475 }, DAY);
    await changed(payment);
    const sync = () => syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id });
    await bookkeeper.reassign(payment, {});
    expect(await sync()).toEqual({ id, failures: [] });
    expect(await rests(bench, id)).toEqual([`${payment} 147500`]);
    await bookkeeper.delete(payment);
    expect(await sync()).toEqual({ id, failures: [] });
    expect(await rests(bench, id)).toEqual([]);
    expect(await seen(bench, payment)).toEqual(['DELETED 147500/0 USD']);
  });

  test('is shown when the invoice was deleted, until the payment is, too', async () => {
    const { id, externalId } = await order();
    const payment = await bookkeeper.pay(1475, { [externalId]: 1475 }, DAY);
    await changed(payment);
    await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: externalId });
    expect(await notify(bench, 'invoice', externalId)).toMatchObject({ state: 'DONE' });
    expect(await money(bench, id)).toEqual([`~${payment}/1 147500 2026-11-02 ${payment}~`]);
    expect(await rests(bench, id)).toEqual([`${payment} 147500`]);
    await bookkeeper.delete(payment);
    await changed(payment);
    expect(await rests(bench, id)).toEqual([]);
  });

  test('is not overwritten by an older answer that arrives late', async () => {
    const [first, second] = (await orders(2)) as [InvoicedOrder, InvoicedOrder];
    const payment = await bookkeeper.pay(2950, { [first.externalId]: 1475 }, DAY);
    const { accounting } = bench.context;
    const readPayments: typeof accounting.readPayments = async (...args) => {
      const old = await accounting.readPayments(...args);
      // Before this answer is recorded, the rest is applied to the other order and booked there.
      await bookkeeper.reassign(payment, { [first.externalId]: 1475, [second.externalId]: 1475 });
      await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: second.id });
      return old;
    };
    await syncQboInvoiceStatus(bench.with({ readPayments }), { purchaseOrderId: first.id });
    expect(await seen(bench, payment)).toEqual(['STANDING 295000/0 USD']);
    expect([await rests(bench, first.id), await rests(bench, second.id)]).toEqual([[], []]);
    expect(await balance(bench, first.id)).toBe('PAID paid 147500 credited 0 due 0');
    expect(await balance(bench, second.id)).toBe('PAID paid 147500 credited 0 due 0');
  });
});

describe('a credit memo', () => {
  test('that is set against two orders in part is credited on each, and taken back when it is taken off', async () => {
    const [first, second] = (await orders(2)) as [InvoicedOrder, InvoicedOrder];
    const memo = await bookkeeper.creditMemo(first.externalId, 1000);
    const shares = { [first.externalId]: 300, [second.externalId]: 250 };
    const link = await bookkeeper.payWithCredit(0, shares, { [memo]: 550 });
    await changed(link);
    expect(await credit(bench, first.id)).toEqual([`${link}/1 30000`]);
    expect(await credit(bench, second.id)).toEqual([`${link}/1 25000`]);
    expect(await balance(bench, first.id)).toBe('SENT paid 0 credited 30000 due 117500');
    expect(await balance(bench, second.id)).toBe('SENT paid 0 credited 25000 due 122500');
    expect(await money(bench, first.id)).toEqual([]);

    await bookkeeper.delete(link);
    await changed(link);
    expect(await credit(bench, first.id)).toEqual([`~${link}/1 30000~`]);
    expect(await credit(bench, second.id)).toEqual([`~${link}/1 25000~`]);
    expect(await balance(bench, first.id)).toBe('SENT paid 0 credited 0 due 147500');

    const again = await bookkeeper.payWithCredit(0, { [first.externalId]: 1000 }, { [memo]: 1000 });
    await changed(again);
    expect(await credit(bench, first.id)).toEqual([`~${link}/1 30000~`, `${again}/1 100000`]);
    expect(await balance(bench, first.id)).toBe('SENT paid 0 credited 100000 due 47500');
    expect(await rests(bench, first.id)).toEqual([]);
  });

  test('W-Q10: and money in one payment are booked as what they are, in the order of its lines', async () => {
    const [first, second] = (await orders(2)) as [InvoicedOrder, InvoicedOrder];
    const memo = await bookkeeper.creditMemo(first.externalId, 1500);
    const shares = { [first.externalId]: 1475, [second.externalId]: 1000 };
    const payment = await bookkeeper.payWithCredit(1075, shares, { [memo]: 1500 });
    await changed(payment);
    expect(await credit(bench, first.id)).toEqual([`${payment}/1 147500`]);
    expect(await money(bench, first.id)).toEqual([]);
    expect(await balance(bench, first.id)).toBe('PAID paid 0 credited 147500 due 0');
    expect(await credit(bench, second.id)).toEqual([`${payment}/1 2500`]);
    expect((await money(bench, second.id)).map((row) => row.split(' ').slice(0, 2).join(' '))).toEqual([
      `${payment}/1 97500`,
    ]);
    expect(await balance(bench, second.id)).toBe('PARTIALLY_PAID paid 97500 credited 2500 due 47500');
    expect(await rests(bench, second.id)).toEqual([`${payment} 10000`]);

    await bookkeeper.void(payment);
    await changed(payment);
    expect(await credit(bench, second.id)).toEqual([`~${payment}/1 2500~`]);
    expect(await balance(bench, first.id)).toBe('SENT paid 0 credited 0 due 147500');
    expect(await balance(bench, second.id)).toBe('SENT paid 0 credited 0 due 147500');
    expect(await rests(bench, second.id)).toEqual([]);
  });

  test('of a payment whose day changes stays booked as it is', async () => {
    const { id, externalId } = await order();
    const memo = await bookkeeper.creditMemo(externalId, 475);
    const payment = await bookkeeper.payWithCredit(1000, { [externalId]: 1475 }, { [memo]: 475 });
    await changed(payment);
    const { SyncToken, CustomerRef } = await bench.books().then(({ payments }) => payments.at(-1));
    const change = { Id: payment, SyncToken, CustomerRef, TotalAmt: 1000, TxnDate: '2026-10-01', sparse: true };
    await bookkeeper.write('payment', change);
    await changed(payment);
    expect(await credit(bench, id)).toEqual([`${payment}/1 47500`]);
    expect((await money(bench, id)).at(-1)).toBe(`${payment}/2 100000 2026-10-01 ${payment}`);
    expect(await balance(bench, id)).toBe('PAID paid 100000 credited 47500 due 0');
  });

  test('is a fact however much it is: with money booked by hand the order is OVERPAID', async () => {
    const { id, externalId } = await order();
    const byHand = await recordPayment(bench.process(), {
      purchaseOrderId: id,
      amount: '400.00',
      method: 'WIRE',
      paidOn: '2026-11-01',
      reference: 'W',
    });
    await bench.quickbooks.post('/credit-memo', { realmId: bench.realmId, invoiceId: externalId, amount: '1475.00' });
    await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id });
    expect(await balance(bench, id)).toBe('OVERPAID paid 40000 credited 147500 due -40000');
    expect(await money(bench, id)).toEqual(['MANUAL 40000 2026-11-01 W']);
    await reversePayment(bench.process(), { paymentId: String(byHand.id), reason: 'Sent back' });
    expect(await balance(bench, id)).toBe('PAID paid 0 credited 147500 due 0');
  });

  test('over more than the order is credited in full, which makes the order OVERPAID', async () => {
    const { id, externalId } = await order();
    const SalesItemLineDetail = { ItemRef: { value: '1' }, Qty: 1, UnitPrice: 2000 };
    const Line = [{ Amount: 2000, DetailType: 'SalesItemLineDetail', SalesItemLineDetail }];
    await bench.quickbooks.post('/edit-invoice', { realmId: bench.realmId, invoiceId: externalId, Line });
    await bench.quickbooks.post('/credit-memo', { realmId: bench.realmId, invoiceId: externalId, amount: '2000.00' });
    await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id });
    expect(await balance(bench, id)).toBe('OVERPAID paid 0 credited 200000 due -52500');
  });
});

test('W-Q12: money booked by hand and money in QuickBooks stand side by side through corrections', async () => {
  const { id, externalId } = await order();
  const byHand = { purchaseOrderId: id, amount: '475.00', method: 'WIRE', paidOn: '2026-11-01', reference: 'W' };
  const manual = await recordPayment(bench.process(), byHand);
  const payment = await bookkeeper.pay(1000, { [externalId]: 1000 }, DAY);
  await changed(payment);
  expect(await balance(bench, id)).toBe('PAID paid 147500 credited 0 due 0');
  await bookkeeper.edit(payment, { amount: '1475.00' });
  await changed(payment);
  expect(await balance(bench, id)).toBe('OVERPAID paid 195000 credited 0 due -47500');
  await reversePayment(bench.process(), { paymentId: String(manual.id), reason: 'Entered twice' });
  expect(await balance(bench, id)).toBe('PAID paid 147500 credited 0 due 0');
  await bookkeeper.void(payment);
  await changed(payment);
  expect(await money(bench, id)).toEqual([
    '~MANUAL 47500 2026-11-01 W~',
    `~${payment}/1 100000 2026-11-02 ${payment}~`,
    `~${payment}/2 147500 2026-11-02 ${payment}~`,
  ]);
  expect(await balance(bench, id)).toBe('SENT paid 0 credited 0 due 147500');
});

test('the same ids in two companies are two payments', async () => {
  const realmId = '9341450000000002';
  const conference = { name: 'Second', slug: 'second', currencyCode: 'USD', timezone: 'UTC' };
  const { id: conferenceId } = await createConference(bench.process(), conference);
  const { accessToken, refreshToken } = await bench.quickbooks.post('/tokens', { realmId });
  const tokens = { environment: 'SANDBOX' as const, realmId, accessToken, refreshToken };
  await configureQboConnection(bench.process(), { conferenceId: String(conferenceId), ...tokens });
  const abroad = await bench.invoicedOrder({ conferenceId });
  const colleague = new Bookkeeper(bench, realmId);
  // Each company counts for itself: the second one pays until its numbers have reached those of the first.
  const here = await order();
  const payment = await bookkeeper.pay(100, { [here.externalId]: 100 }, DAY);
  let other = await colleague.pay(0.01, { [abroad.externalId]: 0.01 }, DAY);
  while (Number(other) < Number(payment) - 1) {
    await colleague.delete(other);
    other = await colleague.pay(0.01, { [abroad.externalId]: 0.01 }, DAY);
  }
  await colleague.delete(other);
  expect(await colleague.pay(300, { [abroad.externalId]: 200 }, DAY)).toBe(payment);

  await changed(payment);
  expect(await notify(bench, 'payment', payment, { realmId })).toMatchObject({ state: 'DONE' });
  expect(await money(bench, here.id)).toEqual([`${payment}/1 10000 2026-11-02 ${payment}`]);
  expect(await money(bench, abroad.id)).toEqual([`${payment}/1 20000 2026-11-02 ${payment}`]);
  expect([await rests(bench, here.id), await rests(bench, abroad.id)]).toEqual([[], [`${payment} 10000`]]);

  await colleague.void(payment);
  expect(await notify(bench, 'payment', payment, { realmId })).toMatchObject({ state: 'DONE' });
  await changed(payment);
  expect(await money(bench, here.id)).toEqual([`${payment}/1 10000 2026-11-02 ${payment}`]);
  expect(await money(bench, abroad.id)).toEqual([`~${payment}/1 20000 2026-11-02 ${payment}~`]);
  expect(await rests(bench, abroad.id)).toEqual([]);
});
