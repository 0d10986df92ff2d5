import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import { dueQboSweeps } from '../../../src/application/quickbooks/due-sweeps.js';
import type { QboContext } from '../../../src/application/quickbooks/qbo-context.js';
import { sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { withSessionLock } from '../../../src/infrastructure/jobs/session-lock.js';
import { announce, readsOf } from '../../support/announcements.js';
import type { Data } from '../../support/graphql-client.js';
import { outstandingInvoices } from '../../support/outstanding-invoices.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let bench: Workbench;

beforeEach(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
});

afterEach(() => bench.stop());

/** Time goes on everywhere. */
async function pass(milliseconds: number): Promise<void> {
  bench.clock.advance(milliseconds);
  await bench.quickbooks.post('/clock', { advanceSeconds: milliseconds / 1000 });
}

/** Sweeps when that is due, and tells with what it read. */
async function sweep(context: QboContext = bench.process()) {
  await bench.quickbooks.delete('/requests');
  const [connection] = await bench.sql('select id from qbo_connection');
  const report = await sweepQboConnection(context, connection.id);
  return { ...report, reads: await readsOf(bench) };
}

async function state(): Promise<{ row: Data; watermark: Date; nextInMinutes: number }> {
  const [row] = await bench.sql('select *, extract(epoch from next_sweep_at)::float as next from qbo_sweep');
  const watermark = new Date(row.watermark);
  return { row, watermark, nextInMinutes: Math.round((row.next * 1000 - bench.clock.now().getTime()) / MINUTE) };
}

async function standing(orderId: string): Promise<string[]> {
  const rows = await bench.sql(
    `select amount_minor::text as amount from payment
     where purchase_order_id = ? and not exists (select from payment_reversal where payment_id = payment.id) order by id`,
    [orderId],
  );
  return rows.map(({ amount }) => amount);
}

async function statusOf(orderId: string): Promise<string[]> {
  const [row] = await bench.sql(
    `select purchase_order.status, invoice.status as invoice
     from purchase_order join invoice on invoice.purchase_order_id = purchase_order.id where purchase_order.id = ?`,
    [orderId],
  );
  return [row.status, row.invoice];
}

async function pay(externalId: string, amount = '1475.00'): Promise<string> {
  return (await bench.quickbooks.pay(externalId, amount)).Payment.Id;
}

/** An invoice, and a first sweep after it: what comes next is new. */
async function sweptInvoice() {
  const invoice = await bench.invoicedOrder();
  await pass(10 * MINUTE);
  await sweep();
  await pass(15 * MINUTE);
  return invoice;
}

describe('a sweep', () => {
  test('with nothing changed costs one read and moves on', async () => {
    await bench.invoicedOrder();
    await pass(10 * MINUTE);
    expect(await sweep()).toEqual({ outcome: 'done', invoicesChanged: 0, isGap: false, reads: ['cdc'] });
    const before = await state();
    await pass(15 * MINUTE);
    expect(await sweep()).toEqual({ outcome: 'done', invoicesChanged: 0, isGap: false, reads: ['cdc'] });
    const after = await state();
    expect(after.watermark.getTime() - before.watermark.getTime()).toBeGreaterThanOrEqual(15 * MINUTE - 1000);
  });

  test('asks from five minutes before the end of the last one, by the clock of QuickBooks', async () => {
    await sweptInvoice();
    // Our own clock may be wrong: what was looked at is known by the other one.
    bench.clock.advance(2 * 60 * MINUTE);
    const { watermark } = await state();
    await sweep();
    const [{ query }] = await bench.quickbooks.requests('?kind=read');
    expect(query.entities).toBe('Invoice,Payment,RefundReceipt');
    const overlap = watermark.getTime() - new Date(query.changedSince).getTime();
    expect(Math.floor(overlap / 1000)).toBe(300);
  });

  test('of a company in which nothing is ours costs no read', async () => {
    await pass(MINUTE);
    expect(await sweep()).toMatchObject({ outcome: 'nothing_to_watch', reads: [] });
    expect(await state()).toMatchObject({ row: { watermark: null }, nextInMinutes: 15 });
  });

  test('books a payment that no webhook told, from what it was told anyway', async () => {
    const { id, externalId } = await sweptInvoice();
    await pay(externalId);
    await pass(15 * MINUTE);
    expect(await sweep()).toEqual({ outcome: 'done', invoicesChanged: 1, isGap: true, reads: ['cdc'] });
    expect(await standing(id)).toEqual(['147500']);
    expect(await statusOf(id)).toEqual(['PAID', 'PAID']);
    // Seen again within the overlap, it is nothing new.
    await pass(MINUTE);
    await bench.sql('update qbo_sweep set next_sweep_at = last_run_at');
    expect(await sweep()).toEqual({ outcome: 'done', invoicesChanged: 0, isGap: false, reads: ['cdc'] });
  });

  test('reverses payments and closes invoices that were deleted while webhooks were off', async () => {
    const [paid, gone] = [await bench.invoicedOrder(), await bench.invoicedOrder()];
    const paymentId = await pay(paid.externalId);
    await pass(10 * MINUTE);
    await sweep();
    expect(await statusOf(paid.id)).toEqual(['PAID', 'PAID']);
    const { realmId } = bench;
    await bench.quickbooks.post('/delete-payment', { realmId, paymentId });
    await bench.quickbooks.post('/delete-invoice', { realmId, invoiceId: gone.externalId });
    await pass(15 * MINUTE);
    expect(await sweep()).toEqual({ outcome: 'done', invoicesChanged: 2, isGap: true, reads: ['cdc'] });
    expect(await standing(paid.id)).toEqual([]);
    expect(await statusOf(paid.id)).toEqual(['SENT', 'OPEN']);
    expect(await statusOf(gone.id)).toEqual(['SENT', 'DELETED']);
  });

  test('follows a payment whose date alone was changed', async () => {
    const { id, externalId } = await sweptInvoice();
    const paymentId = await pay(externalId);
    await pass(15 * MINUTE);
    await sweep();
    await pass(15 * MINUTE);
    await bench.quickbooks.post('/edit-payment', { realmId: bench.realmId, paymentId, paidOn: '2026-01-31' });
    await pass(15 * MINUTE);
    expect(await sweep()).toMatchObject({ outcome: 'done', invoicesChanged: 1 });
    const rows = await bench.sql(
      'select paid_on::text, revision from payment where purchase_order_id = ? order by revision',
      [id],
    );
    expect(rows.at(-1)).toEqual({ paid_on: '2026-01-31', revision: 2 });
    expect(await standing(id)).toEqual(['147500']);
  });

  test('hands an invoice that cannot be recorded to the worker of events, and goes on', async () => {
    const [bad, good] = [await sweptInvoice(), await bench.invoicedOrder()];
    await pay(bad.externalId);
    await pay(good.externalId);
    await pass(15 * MINUTE);
    const { accounting } = bench.context;
    const readChanges: AccountingGateway['readChanges'] = async (connection, since) => {
      const read = await accounting.readChanges(connection, since);
      if (!read.ok) return read;
      const objects = read.value.invoices.objects.filter(({ externalId }) => externalId !== bad.externalId);
      return { ...read, value: { ...read.value, invoices: { objects, unreadableIds: [bad.externalId] } } };
    };
    expect(await sweep(bench.with({ readChanges }))).toMatchObject({ outcome: 'done', invoicesChanged: 1 });
    expect(await statusOf(good.id)).toEqual(['PAID', 'PAID']);
    expect(await statusOf(bad.id)).toEqual(['SENT', 'OPEN']);
    const events = await bench.sql('select entity, entity_id, state from webhook_event');
    expect(events).toEqual([{ entity: 'invoice', entity_id: bad.externalId, state: 'RECEIVED' }]);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await statusOf(bad.id)).toEqual(['PAID', 'PAID']);
  });
});

describe('an invoice that is described in a way that nobody understands', () => {
  test('when it is the only one to be read does not make the sweep fail, either', async () => {
    const [bad, good] = [await sweptInvoice(), await bench.invoicedOrder()];
    await pay(bad.externalId);
    await pay(good.externalId);
    await pass(15 * MINUTE);
    const odd = createServer((_request, response) => response.end('{"Invoice":{"TotalAmt":1475.00}}'));
    odd.listen(0, '127.0.0.1');
    await once(odd, 'listening');
    const elsewhere = bench.gatewayAt(`http://127.0.0.1:${(odd.address() as AddressInfo).port}`);
    const { accounting } = bench.context;
    // The answer is about its payment, but not about itself: it has to be read.
    const readChanges: AccountingGateway['readChanges'] = async (connection, since) => {
      const read = await accounting.readChanges(connection, since);
      if (!read.ok) return read;
      const objects = read.value.invoices.objects.filter(({ externalId }) => externalId !== bad.externalId);
      return { ...read, value: { ...read.value, invoices: { objects, unreadableIds: [] } } };
    };
    const readInvoice = elsewhere.readInvoice.bind(elsewhere);
    const { readInvoices } = elsewhere;
    try {
      const swept = await sweep(bench.with({ readChanges, readInvoice, readInvoices }));
      expect(swept).toMatchObject({ outcome: 'done', invoicesChanged: 1 });
    } finally {
      odd.closeAllConnections();
      odd.close();
    }
    expect(await statusOf(good.id)).toEqual(['PAID', 'PAID']);
    const events = await bench.sql('select entity, entity_id, state from webhook_event');
    expect(events).toEqual([{ entity: 'invoice', entity_id: bad.externalId, state: 'RECEIVED' }]);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await statusOf(bad.id)).toEqual(['PAID', 'PAID']);
  });
});

describe('how often', () => {
  test('soon after connecting, then every 15 minutes until webhooks come in, and daily while they do', async () => {
    await bench.invoicedOrder();
    expect(await dueQboSweeps(bench.process())).toEqual([]);
    expect(await sweep()).toMatchObject({ outcome: 'not_due', reads: [] });
    await pass(MINUTE);
    expect(await dueQboSweeps(bench.process())).toHaveLength(1);
    await sweep();
    expect(await state()).toMatchObject({ nextInMinutes: 15 });
    expect(await dueQboSweeps(bench.process())).toEqual([]);
    await announce(bench, 'customer', '1');
    await pass(15 * MINUTE);
    await sweep();
    expect(await state()).toMatchObject({ nextInMinutes: 24 * 60 });
  });

  test('every 15 minutes after a gap, until a webhook comes in after it', async () => {
    const { externalId } = await sweptInvoice();
    await announce(bench, 'customer', '1');
    await pay(externalId, '1.00');
    await pass(15 * MINUTE);
    expect(await sweep()).toMatchObject({ isGap: true });
    expect(await state()).toMatchObject({ nextInMinutes: 15 });
    await pass(15 * MINUTE);
    expect(await sweep()).toMatchObject({ isGap: false });
    expect(await state()).toMatchObject({ nextInMinutes: 15 });
    await announce(bench, 'customer', '1');
    // Events are not kept for ever, that they came in is.
    await pass(15 * MINUTE);
    await sweep();
    await bench.sql('delete from webhook_event');
    await pass(DAY);
    await sweep();
    expect(await state()).toMatchObject({ nextInMinutes: 24 * 60 });
  });

  test('a change of the last five minutes is booked, and is no gap: its webhook may be on its way', async () => {
    const { id, externalId } = await sweptInvoice();
    await pay(externalId);
    await pass(4 * MINUTE);
    expect(await sweep()).toMatchObject({ invoicesChanged: 1, isGap: false });
    expect(await statusOf(id)).toEqual(['PAID', 'PAID']);
  });

  test('two workers at once sweep once', async () => {
    await sweptInvoice();
    await bench.quickbooks.delete('/requests');
    const [connection] = await bench.sql('select id from qbo_connection');
    const url = String(bench.orm.config.get('clientUrl'));
    const outcomes: string[] = [];
    const work = async () => {
      const session = new pg.Client({ connectionString: url });
      await session.connect();
      const isDone = await withSessionLock(session, `qbo:${bench.realmId}`, async () => {
        outcomes.push((await sweepQboConnection(bench.process(), connection.id)).outcome);
      });
      if (!isDone) outcomes.push('busy');
      await session.end();
    };
    await Promise.all([work(), work()]);
    await work();
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(outcomes.at(-1)).toBe('not_due');
    expect(await readsOf(bench)).toEqual(['cdc']);
  });
});

describe('a sweep that fails', () => {
  test('leaves what was looked at as it is, and comes again after 15 minutes', async () => {
    const { id, externalId } = await sweptInvoice();
    await pay(externalId);
    await pass(15 * MINUTE);
    const before = await state();
    await bench.quickbooks.post('/faults', { kind: 'html502', times: 5, match: { path: '/cdc' } });
    expect(await sweep()).toMatchObject({ outcome: 'failed', invoicesChanged: 0 });
    const { row, nextInMinutes } = await state();
    expect(row).toMatchObject({ watermark: before.row.watermark, last_swept_at: before.row.last_swept_at });
    expect(row.last_error).toContain('502');
    expect(nextInMinutes).toBe(15);
    expect(await standing(id)).toEqual([]);

    await bench.quickbooks.delete('/faults');
    await pass(15 * MINUTE);
    expect(await sweep()).toMatchObject({ outcome: 'done', invoicesChanged: 1 });
    expect((await state()).row).toMatchObject({ last_error: null });
    expect(await standing(id)).toEqual(['147500']);
  });

  test('records what it can and looks again at all of it', async () => {
    const { id, externalId } = await sweptInvoice();
    const before = await state();
    await pay(externalId);
    const elsewhere = await bench.invoicedOrder();
    const paymentId = await pay(elsewhere.externalId);
    await pass(15 * MINUTE);
    const { accounting } = bench.context;
    // The answer is about both payments, but one of them has to be read again and cannot be.
    const readChanges: AccountingGateway['readChanges'] = async (connection, since) => {
      const read = await accounting.readChanges(connection, since);
      if (!read.ok) return read;
      const objects = read.value.payments.objects.filter((payment) => payment.externalId !== paymentId);
      return { ...read, value: { ...read.value, payments: { ...read.value.payments, objects } } };
    };
    const readPayments: AccountingGateway['readPayments'] = async () => ({
      ok: false,
      failure: {
        kind: 'unavailable',
        message: 'No answer.',
        trace: {},
        retryAt: new Date(bench.clock.now().getTime() + 3_600_000),
      },
    });
    expect(await sweep(bench.with({ readChanges, readPayments }))).toMatchObject({ outcome: 'failed' });
    expect(await standing(id)).toEqual(['147500']);
    expect(await state()).toMatchObject({ row: { watermark: before.row.watermark }, nextInMinutes: 60 });
    await pass(60 * MINUTE);
    await sweep();
    expect(await standing(elsewhere.id)).toEqual(['147500']);
  });

  test('because the company must be reconnected waits for that', async () => {
    await sweptInvoice();
    await bench.sql("update qbo_connection set status = 'RECONNECT_REQUIRED'");
    await pass(30 * DAY);
    expect(await dueQboSweeps(bench.process())).toEqual([]);
    expect(await sweep()).toMatchObject({ outcome: 'not_due', reads: [] });
    await bench.sql("update qbo_connection set status = 'CONNECTED'");
    expect(await dueQboSweeps(bench.process())).toHaveLength(1);
  });
});

describe('after 40 days without us', () => {
  test('queries and a look at our invoices find everything, deletions included', async () => {
    const orders = [];
    for (let index = 0; index < 5; index++) orders.push(await bench.invoicedOrder());
    const [paid, redated, unpaid, gone] = orders as [Data, Data, Data, Data];
    const redatedPayment = await pay(redated.externalId);
    const deletedPayment = await pay(unpaid.externalId);
    await pass(10 * MINUTE);
    await sweep();
    expect(await statusOf(unpaid.id)).toEqual(['PAID', 'PAID']);
    const { realmId } = bench;
    await pass(DAY);
    await pay(paid.externalId);
    await bench.quickbooks.post('/edit-payment', { realmId, paymentId: redatedPayment, paidOn: '2026-01-31' });
    await bench.quickbooks.post('/delete-payment', { realmId, paymentId: deletedPayment });
    await bench.quickbooks.post('/delete-invoice', { realmId, invoiceId: gone.externalId });
    await pass(39 * DAY);
    expect(await sweep()).toEqual({
      outcome: 'done',
      invoicesChanged: 4,
      isGap: true,
      // A page of each kind, one for the two invoices that no query found, one to be sure that one of them is deleted, and one
      // for the payment that its invoice does not list any more.
      reads: [
        'query Invoice',
        'query Payment',
        'query RefundReceipt',
        'query Invoice',
        `invoice/${gone.externalId}`,
        `payment/${deletedPayment}`,
      ],
    });
    expect(await statusOf(paid.id)).toEqual(['PAID', 'PAID']);
    expect(await standing(unpaid.id)).toEqual([]);
    expect(await statusOf(unpaid.id)).toEqual(['SENT', 'OPEN']);
    expect(await statusOf(gone.id)).toEqual(['SENT', 'DELETED']);
    const [dated] = await bench.sql(
      `select paid_on::text from payment where purchase_order_id = ?
       and not exists (select from payment_reversal where payment_id = payment.id)`,
      [redated.id],
    );
    expect(dated).toEqual({ paid_on: '2026-01-31' });
    await pass(15 * MINUTE);
    expect(await sweep()).toMatchObject({ outcome: 'done', invoicesChanged: 0, reads: ['cdc'] });
  });
});

describe('more than a thousand changes', () => {
  test('do not fit into one answer, and are found by queries in pages', async () => {
    const outstanding = await outstandingInvoices(bench, 1050);
    const paid = [outstanding[0], outstanding[524], outstanding[1049]].flatMap((invoice) => invoice ?? []);
    for (const { externalId } of paid) await pay(externalId, '100.00');
    const { realmId } = bench;
    const gone = outstanding[700];
    await bench.quickbooks.post('/delete-invoice', { realmId, invoiceId: gone?.externalId });
    await pass(10 * MINUTE);
    const { reads, ...swept } = await sweep();
    expect(swept).toMatchObject({ outcome: 'done', invoicesChanged: 4 });
    // A third page is needed when more than a thousand were made within one second.
    const pages = '( query Invoice){2,3} query Payment query RefundReceipt';
    expect(reads.join(' ')).toMatch(new RegExp(`^cdc${pages} invoice/${gone?.externalId} query Invoice$`));
    for (const { orderId } of paid) expect(await standing(orderId)).toEqual(['10000']);
    expect(await bench.sql('select count(*)::int as count from payment')).toEqual([{ count: 3 }]);
    expect(await bench.sql("select id from invoice where status = 'DELETED'")).toEqual([{ id: gone?.invoiceId }]);
  }, 120_000);
});
