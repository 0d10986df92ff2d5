import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reconcileQboConnection } from '../../../src/application/quickbooks/reconcile-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { readsOf } from '../../support/announcements.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { attention, Bookkeeper, balance, credit, type InvoicedOrder, money, notify } from './ledger-bench.js';

let bench: Workbench;
let bookkeeper: Bookkeeper;

beforeAll(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
  bookkeeper = new Bookkeeper(bench);
});

beforeEach(async () => {
  await bench.sql('delete from webhook_event');
  await lag(0);
  await bench.quickbooks.delete('/requests');
});

afterAll(() => bench.stop());

function lag(paymentReadLagSeconds: number): Promise<Data> {
  return bench.quickbooks.patch(`/companies/${bench.realmId}`, { paymentReadLagSeconds, allowDeposit: true });
}

/** An order of 1475.00 whose payment of 100.00 is booked, long ago. */
async function paidOrder(): Promise<InvoicedOrder & { payment: string }> {
  const order = await bench.invoicedOrder();
  const payment = await bookkeeper.pay(100, { [order.externalId]: 100 }, { TxnDate: '2026-11-02' });
  await notify(bench, 'payment', payment);
  await bench.sql('delete from webhook_event');
  await bench.later(3_600_000);
  await bench.quickbooks.delete('/requests');
  return { ...order, payment };
}

async function takeDeposit({ externalId }: InvoicedOrder, Deposit: string): Promise<void> {
  await bench.quickbooks.post('/edit-invoice', { realmId: bench.realmId, invoiceId: externalId, Deposit });
}

/** Lets waiting events be tried until none waits any more; returns how often they were. */
async function workOff(): Promise<number> {
  for (let rounds = 0; ; rounds++) {
    const [{ due }] = await bench.sql("select max(next_attempt_at) as due from webhook_event where state = 'RECEIVED'");
    if (due === null) return rounds;
    await bench.later(Math.max(0, new Date(due).getTime() - bench.clock.now().getTime()) + 1);
    await processQboEvents(bench.process(), bench.realmId);
  }
}

async function states(): Promise<string[]> {
  return (await bench.sql('select distinct state from webhook_event')).map(({ state }) => state);
}

async function reconcile(): Promise<Data> {
  return reconcileQboConnection(bench.process(), { conferenceId: bench.conferenceId });
}

const EXPLAINED: string[] = [];
const differs = (settled: string, booked: string) => [
  `BALANCE_DIFFERS QuickBooks says that ${settled} USD of the invoice is settled; ${booked} USD is booked here.`,
];

describe('a payment that is still shown as it was while its invoice shows the change', () => {
  test.each([
    [
      'an event about the payment',
      async (_: InvoicedOrder, payment: string) => void (await notify(bench, 'payment', payment)),
    ],
    [
      'an event about the invoice',
      async ({ externalId }: InvoicedOrder) => void (await notify(bench, 'invoice', externalId)),
    ],
    [
      'a click',
      async ({ id }: InvoicedOrder) => void (await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id })),
    ],
    ['a reconciliation', async () => void (await reconcile())],
  ])('is read again until both agree, after %s', async (_way, look) => {
    const order = await paidOrder();
    await lag(40);
    await bookkeeper.edit(order.payment, { amount: '150.00' });
    await look(order, order.payment);
    expect(await balance(bench, order.id)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
    expect(await attention(bench, order.id)).toEqual(differs('150.00', '100.00'));
    expect(await states()).toEqual(['RECEIVED']);
    expect(await workOff()).toBeLessThanOrEqual(5);
    expect(await states()).toEqual(['DONE']);
    expect(await money(bench, order.id)).toEqual([
      `~${order.payment}/1 10000 2026-11-02 ${order.payment}~`,
      `${order.payment}/2 15000 2026-11-02 ${order.payment}`,
    ]);
    expect(await attention(bench, order.id)).toEqual(EXPLAINED);
  });
});

describe('a deposit entered on the invoice itself', () => {
  test('is no payment: its event ends after a while, and a person is told until there is none', async () => {
    const order = await paidOrder();
    await takeDeposit(order, '1375.00');
    expect(await notify(bench, 'invoice', order.externalId)).toMatchObject({
      state: 'RECEIVED',
      reason: 'The payments that QuickBooks shows do not explain the balance of the invoice yet.',
    });
    expect(await workOff()).toBe(5);
    expect(await states()).toEqual(['DONE']);
    const [row] = await bench.sql('select status, unexplained_minor::int from invoice where id = ?', [order.invoiceId]);
    expect(row).toEqual({ status: 'PAID', unexplained_minor: 137_500 });
    expect(await balance(bench, order.id)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
    expect(await attention(bench, order.id)).toEqual(differs('1475.00', '100.00'));

    await takeDeposit(order, '0');
    await notify(bench, 'invoice', order.externalId);
    expect(await attention(bench, order.id)).toEqual(EXPLAINED);
  });

  test('on an invoice without payments is found by a reconciliation, which looks into it once', async () => {
    const order = await bench.invoicedOrder();
    await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: order.id });
    await takeDeposit(order, '1475.00');
    expect(await reconcile()).toMatchObject({ failures: [], invoicesChanged: 1 });
    expect(await attention(bench, order.id)).toEqual(differs('1475.00', '0.00'));
    await workOff();
    await bench.quickbooks.delete('/requests');
    expect(await reconcile()).toMatchObject({ failures: [], invoicesChanged: 0 });
    expect(await readsOf(bench)).toEqual(['query Invoice']);
    expect(await states()).toEqual(['DONE']);
  });

  test('costs later events no further reading of payments, and what changes beside it is booked', async () => {
    const order = await paidOrder();
    await takeDeposit(order, '200.00');
    await notify(bench, 'invoice', order.externalId);
    await workOff();
    await bench.later(3_600_000);
    await bench.quickbooks.delete('/requests');
    expect(await notify(bench, 'invoice', order.externalId)).toMatchObject({ state: 'DONE' });
    expect(await readsOf(bench)).toEqual([`invoice/${order.externalId}`]);

    await bookkeeper.edit(order.payment, { amount: '150.00' });
    await bench.later(3_600_000);
    expect(await notify(bench, 'invoice', order.externalId)).toMatchObject({ state: 'DONE' });
    expect(await balance(bench, order.id)).toBe('PARTIALLY_PAID paid 15000 credited 0 due 132500');
    expect(await attention(bench, order.id)).toEqual(differs('350.00', '150.00'));
  });
});

describe('what is settled in other ways', () => {
  test('needs nobody: credit of QuickBooks, payments recorded here, and an invoice that ended', async () => {
    const order = await paidOrder();
    const memo = await bookkeeper.credit(order.externalId, 50);
    await notify(bench, 'payment', memo);
    await recordPayment(bench.process(), { purchaseOrderId: order.id, amount: '10.00', method: 'WIRE' });
    expect(await credit(bench, order.id)).toEqual([`${memo}/1 5000`]);
    expect(await attention(bench, order.id)).toEqual(EXPLAINED);
    await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: order.externalId });
    await notify(bench, 'invoice', order.externalId);
    expect((await attention(bench, order.id)).map((item) => item.split(' ')[0])).toEqual(['UNAPPLIED_CREDIT']);
  });
});
