import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { succeeded } from '../../../src/application/ports/provider.js';
import type { QboContext } from '../../../src/application/quickbooks/qbo-context.js';
import { reconcileQboConnection } from '../../../src/application/quickbooks/reconcile-qbo-connection.js';
import { sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { Bookkeeper, balance, type InvoicedOrder, money, notify, rests, seen } from './ledger-bench.js';

let bench: Workbench;
let bookkeeper: Bookkeeper;

beforeAll(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
  bookkeeper = new Bookkeeper(bench);
});

afterAll(() => bench.stop());

let groups = 0;

/** Two invoiced orders of one organisation, the first of them paid by one payment, which is booked. */
async function paidAndOpen(): Promise<{ paid: InvoicedOrder; open: InvoicedOrder; payment: string }> {
  groups += 1;
  const organizationName = `Unapplied ${groups}`;
  const [paid, open] = [
    await bench.invoicedOrder({ organizationName }),
    await bench.invoicedOrder({ organizationName }),
  ];
  const payment = await bookkeeper.pay(1475, { [paid.externalId]: 1475 }, { TxnDate: '2026-11-02' });
  await notify(bench, 'payment', payment);
  expect(await balance(bench, paid.id)).toBe(PAID);
  return { paid, open, payment };
}

const PAID = 'PAID paid 147500 credited 0 due 0';
const UNPAID = 'SENT paid 0 credited 0 due 147500';

async function sweep(context: QboContext): Promise<void> {
  const [connection] = await bench.sql('select id from qbo_connection');
  await bench.later(3_600_000);
  await bench.sql('update qbo_sweep set next_sweep_at = last_run_at');
  expect(await sweepQboConnection(context, connection.id)).toMatchObject({ outcome: 'done' });
}

/** The ways in which we learn what a bookkeeper did to the first invoice and to its payment. */
const WAYS: [string, (changed: { invoice: string; payment: string }) => Promise<unknown>][] = [
  ['an event about the payment', ({ payment }) => notify(bench, 'payment', payment)],
  ['an event about the invoice', ({ invoice }) => notify(bench, 'invoice', invoice)],
  ['a sweep', () => sweep(bench.process())],
  [
    'a sweep that has to query',
    () => {
      const context = bench.process();
      return sweep({ ...context, waits: { ...context.waits, changeDataReachMs: 0 } });
    },
  ],
  ['a reconciliation', () => reconcileQboConnection(bench.process(), { conferenceId: bench.conferenceId })],
];

const ENDS: [string, (payment: string, open: InvoicedOrder) => Promise<void>, string][] = [
  ['applied to another order', (payment, { externalId }) => bookkeeper.reassign(payment, { [externalId]: 1475 }), PAID],
  [
    'applied to an invoice that is not ours',
    async (payment, { externalId }) =>
      bookkeeper.reassign(payment, { [await bookkeeper.foreignInvoice(externalId, 1475)]: 1475 }),
    UNPAID,
  ],
  ['deleted', (payment) => bookkeeper.delete(payment), UNPAID],
  ['voided', (payment) => bookkeeper.void(payment), UNPAID],
];

const TROUBLES: [string, (externalId: string, payment: string) => Promise<unknown>, string][] = [
  ['the payment is taken off the paid invoice', (_, payment) => bookkeeper.reassign(payment, {}), 'OPEN'],
  [
    'the paid invoice is voided',
    (invoiceId) => bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId }),
    'VOIDED',
  ],
  ['the paid invoice is deleted', (invoiceId) => bookkeeper.deleteInvoice(invoiceId), 'DELETED'],
];

describe.each(TROUBLES)('when %s', (_trouble, make, status) => {
  test.each(WAYS)('%s takes the booking back and shows the rest', async (_way, learn) => {
    const { paid, payment } = await paidAndOpen();
    await make(paid.externalId, payment);
    await learn({ invoice: paid.externalId, payment });
    expect(await balance(bench, paid.id)).toBe(UNPAID);
    expect(await rests(bench, paid.id)).toEqual([`${payment} 147500`]);
    expect(await bench.sql('select status from invoice where id = ?', [paid.invoiceId])).toEqual([{ status }]);
  });

  describe.each(ENDS)('and the payment is %s', (_end, end, openBecomes) => {
    test.each(WAYS.filter(([way]) => way !== 'an event about the invoice'))(
      '%s takes the rest away',
      async (_w, learn) => {
        const { paid, open, payment } = await paidAndOpen();
        await make(paid.externalId, payment);
        await notify(bench, 'invoice', paid.externalId);
        expect(await rests(bench, paid.id)).toEqual([`${payment} 147500`]);
        await end(payment, open);
        await learn({ invoice: paid.externalId, payment });
        expect(await rests(bench, paid.id)).toEqual([]);
        expect(await balance(bench, paid.id)).toBe(UNPAID);
        expect(await balance(bench, open.id)).toBe(openBecomes);
      },
    );
  });
});

test('a payment that was replaced by another one of the same amount is found by a reconciliation', async () => {
  const { paid, payment } = await paidAndOpen();
  await bookkeeper.reassign(payment, {});
  const other = await bookkeeper.pay(1475, { [paid.externalId]: 1475 }, { TxnDate: '2026-11-03' });
  const [{ sync_token: syncToken }] = await bench.sql('select sync_token from invoice where id = ?', [paid.invoiceId]);
  const { accounting } = bench.context;
  // As if the version counter told nothing of what is linked with an invoice.
  const readInvoices: typeof accounting.readInvoices = async (...call) => {
    const read = await accounting.readInvoices(...call);
    if (!read.ok) return read;
    const objects = read.value.objects.map((invoice) =>
      invoice.externalId === paid.externalId ? { ...invoice, syncToken } : invoice,
    );
    return { ...read, value: { ...read.value, objects } };
  };
  await reconcileQboConnection(bench.with({ readInvoices }), { conferenceId: bench.conferenceId });
  expect(await money(bench, paid.id)).toEqual([
    `~${payment}/1 147500 2026-11-02 ${payment}~`,
    `${other}/1 147500 2026-11-03 ${other}`,
  ]);
  expect(await rests(bench, paid.id)).toEqual([`${payment} 147500`]);
});

/** QuickBooks whose queries for several payments find nothing; with `atAll` it does not find one by its id, either. */
function findingNothing({ atAll = false } = {}): QboContext {
  const { accounting } = bench.context;
  const readPayments: typeof accounting.readPayments = async (connection, ids) =>
    ids.length === 1 && !atAll ? accounting.readPayments(connection, ids) : succeeded(NOTHING);
  return bench.with({ readPayments });
}

const NOTHING = { objects: [], unreadableIds: [] };

describe('a query that wrongly finds no payment', () => {
  test('ends no rest in a reconciliation, which reads each one by its id', async () => {
    const taken = [await paidAndOpen(), await paidAndOpen()];
    for (const { paid, payment } of taken) {
      await bookkeeper.reassign(payment, {});
      await notify(bench, 'payment', payment);
      expect(await rests(bench, paid.id)).toEqual([`${payment} 147500`]);
    }
    await reconcileQboConnection(findingNothing(), { conferenceId: bench.conferenceId });
    for (const { paid, payment } of taken) expect(await rests(bench, paid.id)).toEqual([`${payment} 147500`]);
  });

  test('ends no rest of payments that were just taken off an invoice', async () => {
    const order = await bench.invoicedOrder();
    const payments = [
      await bookkeeper.pay(700, { [order.externalId]: 700 }),
      await bookkeeper.pay(775, { [order.externalId]: 775 }),
    ];
    await notify(bench, 'invoice', order.externalId);
    expect(await balance(bench, order.id)).toBe(PAID);
    for (const payment of payments) await bookkeeper.reassign(payment, {});
    await syncQboInvoiceStatus(findingNothing(), { purchaseOrderId: order.id });
    expect(await balance(bench, order.id)).toBe(UNPAID);
    expect((await rests(bench, order.id)).toSorted()).toEqual([`${payments[0]} 70000`, `${payments[1]} 77500`]);
  });
});

describe('a payment that was taken for deleted', () => {
  test('and is there again unchanged shows its rest again', async () => {
    const { paid, payment } = await paidAndOpen();
    await bookkeeper.reassign(payment, {});
    await notify(bench, 'payment', payment);
    await syncQboInvoiceStatus(findingNothing({ atAll: true }), { purchaseOrderId: paid.id });
    expect(await rests(bench, paid.id)).toEqual([]);
    expect(await seen(bench, payment)).toEqual(['DELETED 147500/0 USD']);
    await notify(bench, 'payment', payment);
    expect(await rests(bench, paid.id)).toEqual([`${payment} 147500`]);
    expect(await seen(bench, payment)).toEqual(['STANDING 147500/147500 USD']);
  });
});
