import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import { failed } from '../../../src/application/ports/provider.js';
import { type QboSweepReport, sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { readsOf } from '../../support/announcements.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { balance, type InvoicedOrder, notify } from './ledger-bench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

afterAll(() => bench.stop());

async function referenceOf(orderId: string): Promise<string> {
  return (await bench.sql('select reference from purchase_order where id = ?', [orderId]))[0].reference;
}

/** A bookkeeper gives money back to the customer of an order and writes a note. */
async function refund({ externalId }: InvoicedOrder, note: string): Promise<string> {
  const order = { realmId: bench.realmId, invoiceId: externalId, amount: '125.00', txnDate: '2026-11-20', note };
  return (await bench.quickbooks.post('/refund-receipt', order)).RefundReceipt.Id;
}

async function editRefund(refundReceiptId: string, changes: object): Promise<void> {
  await bench.quickbooks.post('/edit-refund-receipt', { realmId: bench.realmId, refundReceiptId, ...changes });
}

async function notes(orderId: string): Promise<Data[]> {
  const rows = await bench.sql(
    "select after from audit_event where subject = ? and action = 'refund_receipt.noted' order by id",
    [orderId],
  );
  return rows.map(({ after }) => after);
}

const DONE = { state: 'DONE', reason: null };
const UNNAMED = { state: 'IGNORED', reason: 'The refund receipt names no purchase order.' };

describe('a refund receipt', () => {
  test('that names an order is noted in its audit trail once, and books nothing', async () => {
    const order = await bench.invoicedOrder();
    await bench.quickbooks.pay(order.externalId, '1475.00');
    await notify(bench, 'invoice', order.externalId);
    const before = await balance(bench, order.id);
    const id = await refund(order, `Given back for ${await referenceOf(order.id)}, one ticket`);
    for (let time = 1; time <= 3; time++) expect(await notify(bench, 'refundreceipt', id)).toEqual(DONE);
    expect(await notes(order.id)).toEqual([
      { refundReceipt: id, revision: '0', amount: '125.00 USD', refundedOn: '2026-11-20' },
    ]);
    const [{ tid }] = await bench.sql(
      "select provider_request_id as tid from audit_event where subject = ? and action = 'refund_receipt.noted'",
      [order.id],
    );
    expect(tid).toMatch(/^\S+$/);
    expect(await balance(bench, order.id)).toBe(before);
    expect(before).toBe('PAID paid 147500 credited 0 due 0');
  });

  test('that was changed is noted again', async () => {
    const order = await bench.invoicedOrder();
    const id = await refund(order, (await referenceOf(order.id)).toLowerCase());
    expect(await notify(bench, 'refundreceipt', id)).toEqual(DONE);
    await editRefund(id, { amount: '100.00', txnDate: '2026-11-21' });
    expect(await notify(bench, 'refundreceipt', id)).toEqual(DONE);
    expect(await notes(order.id)).toEqual([
      { refundReceipt: id, revision: '0', amount: '125.00 USD', refundedOn: '2026-11-20' },
      { refundReceipt: id, revision: '1', amount: '100.00 USD', refundedOn: '2026-11-21' },
    ]);
  });

  test('that names two orders is noted on both, by two workers once each', async () => {
    const [first, second] = [await bench.invoicedOrder(), await bench.invoicedOrder()];
    const id = await refund(first, `${await referenceOf(second.id)}; ${await referenceOf(first.id)}`);
    await Promise.all([notify(bench, 'refundreceipt', id), notify(bench, 'refundreceipt', id)]);
    expect(await notes(first.id)).toHaveLength(1);
    expect(await notes(second.id)).toHaveLength(1);
  });

  test('that names no order, or one of a conference of another company, is ignored', async () => {
    const order = await bench.invoicedOrder();
    const conference = { name: 'Elsewhere', slug: 'elsewhere', currencyCode: 'USD', timezone: 'UTC' };
    const { id: conferenceId } = await createConference(bench.process(), conference);
    const stranger = await bench.order({ conferenceId });
    for (const note of ['', 'PO-ZZZZZZ', `X${await referenceOf(order.id)}9`, await referenceOf(stranger)]) {
      expect(await notify(bench, 'refundreceipt', await refund(order, note))).toEqual(UNNAMED);
    }
    expect([await notes(order.id), await notes(stranger)]).toEqual([[], []]);
  });

  test('that was deleted meanwhile is ignored, and one that cannot be read is tried again', async () => {
    const order = await bench.invoicedOrder();
    const id = await refund(order, await referenceOf(order.id));
    const readRefundReceipt = async () => failed({ kind: 'unavailable', message: 'No answer.', trace: {} });
    const context = bench.with({ readRefundReceipt });
    expect(await notify(bench, 'refundreceipt', id, { context })).toEqual({ state: 'RECEIVED', reason: 'No answer.' });
    await bench.quickbooks.post('/delete-refund-receipt', { realmId: bench.realmId, refundReceiptId: id });
    const deleted = { state: 'IGNORED', reason: 'The refund receipt was deleted.' };
    expect(await notify(bench, 'refundreceipt', id)).toEqual(deleted);
    expect(await notes(order.id)).toEqual([]);
  });
});

describe('a refund receipt that no webhook told of', () => {
  const HOUR = 3_600_000;
  const DAY = 24 * HOUR;

  async function sweep(context = bench.process()): Promise<QboSweepReport> {
    const [connection] = await bench.sql('select id from qbo_connection');
    await bench.sql('update qbo_sweep set next_sweep_at = last_run_at');
    await bench.quickbooks.delete('/requests');
    return sweepQboConnection(context, connection.id);
  }

  /** An order, and a first sweep after it: what comes next is new. */
  async function sweptOrder(): Promise<InvoicedOrder> {
    const order = await bench.invoicedOrder();
    await bench.later(HOUR);
    expect(await sweep()).toMatchObject({ outcome: 'done' });
    await bench.later(HOUR);
    return order;
  }

  test('is noted by the sweep, with no read more, once for each revision', async () => {
    const order = await sweptOrder();
    const id = await refund(order, await referenceOf(order.id));
    await bench.later(HOUR);
    // Whoever does not have webhooks of refund receipts misses none.
    expect(await sweep()).toEqual({ outcome: 'done', invoicesChanged: 0, isGap: false });
    expect(await readsOf(bench)).toEqual(['cdc']);
    await sweep();
    const first = { refundReceipt: id, revision: '0', amount: '125.00 USD', refundedOn: '2026-11-20' };
    expect(await notes(order.id)).toEqual([first]);
    await editRefund(id, { amount: '100.00' });
    await sweep();
    await notify(bench, 'refundreceipt', id);
    expect(await notes(order.id)).toEqual([first, { ...first, revision: '1', amount: '100.00 USD' }]);
  });

  test('is noted by a sweep that has to query, too', async () => {
    const order = await sweptOrder();
    const id = await refund(order, await referenceOf(order.id));
    await bench.later(40 * DAY);
    expect(await sweep()).toMatchObject({ outcome: 'done' });
    expect(await readsOf(bench)).toContain('query RefundReceipt');
    expect(await notes(order.id)).toMatchObject([{ refundReceipt: id }]);
  });

  test('and that nobody understands is handed to the worker of events', async () => {
    const order = await sweptOrder();
    const id = await refund(order, await referenceOf(order.id));
    await bench.later(HOUR);
    const { accounting } = bench.context;
    const readChanges: typeof accounting.readChanges = async (...call) => {
      const read = await accounting.readChanges(...call);
      return read.ok
        ? { ...read, value: { ...read.value, refundReceipts: { objects: [], unreadableIds: [id] } } }
        : read;
    };
    expect(await sweep(bench.with({ readChanges }))).toMatchObject({ outcome: 'done' });
    expect(await notes(order.id)).toEqual([]);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await notes(order.id)).toMatchObject([{ refundReceipt: id }]);
  });
});
