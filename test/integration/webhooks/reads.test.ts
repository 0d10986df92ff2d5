import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import { syncInvoice } from '../../../src/application/quickbooks/sync-invoices.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { announce, readsOf, stateOf } from '../../support/announcements.js';
import type { Data } from '../../support/graphql-client.js';
import { type OutstandingInvoice, outstandingInvoices } from '../../support/outstanding-invoices.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;
let outstanding: OutstandingInvoice[];
let used = 0;

beforeAll(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
  outstanding = await outstandingInvoices(bench, 1000);
}, 120_000);

beforeEach(async () => {
  await bench.quickbooks.delete('/requests');
  await bench.sql('delete from webhook_event');
});

afterAll(() => bench.stop());

function nextInvoice(): OutstandingInvoice {
  const invoice = outstanding[used++];
  if (!invoice) throw new Error('there are no more invoices');
  return invoice;
}

/** Enters a payment, without any event; QuickBooks' clock goes on for some seconds. */
async function pay({ externalId }: OutstandingInvoice, amount: string, more = {}): Promise<{ id: string; at: Date }> {
  const { Payment } = await bench.quickbooks.pay(externalId, amount, more);
  const { now } = await bench.quickbooks.post('/clock', { advanceSeconds: 3 });
  return { id: Payment.Id, at: new Date(new Date(now).getTime() - 3000) };
}

async function standing({ orderId }: OutstandingInvoice): Promise<Data[]> {
  return bench.sql(
    `select provider_payment_id as payment, amount_minor::int as amount, paid_on::text as paid_on from payment
     where purchase_order_id = ? and not exists (select from payment_reversal where payment_id = payment.id) order by id`,
    [orderId],
  );
}

describe('1,000 outstanding invoices', () => {
  test('one Payment webhook costs one read of the payment and one of its invoice', async () => {
    const invoice = nextInvoice();
    const { id, at } = await pay(invoice, '100.00');
    const event = await announce(bench, 'payment', id, { operation: 'created', occurredAt: at });
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([`payment/${id}`, `invoice/${invoice.externalId}`]);
    expect(await stateOf(bench, event)).toBe('DONE');
    expect(await standing(invoice)).toMatchObject([{ payment: id, amount: 10000 }]);
  });

  test('the Invoice.updated that comes with it costs none, in the same delivery or in a later one', async () => {
    const invoice = nextInvoice();
    const { id, at } = await pay(invoice, '100.00');
    const events = [
      await announce(bench, 'payment', id, { operation: 'created', occurredAt: at }),
      await announce(bench, 'invoice', invoice.externalId, { occurredAt: at }),
    ];
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([`payment/${id}`, `invoice/${invoice.externalId}`]);

    events.push(await announce(bench, 'invoice', invoice.externalId, { occurredAt: at }));
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toHaveLength(2);
    for (const event of events) expect(await stateOf(bench, event)).toBe('DONE');
  });

  test('an Invoice.updated of a later time costs one, and what it tells is booked', async () => {
    const invoice = nextInvoice();
    await syncInvoice(bench.process(), invoice.invoiceId);
    const { id, at } = await pay(invoice, '40.00');
    await bench.quickbooks.delete('/requests');
    const event = await announce(bench, 'invoice', invoice.externalId, { occurredAt: at });
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([`invoice/${invoice.externalId}`, `payment/${id}`]);
    expect(await stateOf(bench, event)).toBe('DONE');
    expect(await standing(invoice)).toMatchObject([{ amount: 4000 }]);
  });

  test('fifty payments of fifty invoices cost two', async () => {
    const invoices = Array.from({ length: 50 }, nextInvoice);
    for (const invoice of invoices) {
      const { id, at } = await pay(invoice, '100.00');
      await announce(bench, 'payment', id, { operation: 'created', occurredAt: at });
      await announce(bench, 'invoice', invoice.externalId, { occurredAt: at });
    }
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(100);
    expect(await readsOf(bench)).toEqual(['query Payment', 'query Invoice']);
    for (const invoice of invoices) expect(await standing(invoice)).toMatchObject([{ amount: 10000 }]);
    expect(await bench.sql("select state from webhook_event where state <> 'DONE'")).toEqual([]);
  });

  test('an event of which no time is known costs none when a reading began after it had come', async () => {
    const invoice = nextInvoice();
    const event = await announce(bench, 'invoice', invoice.externalId);
    await syncInvoice(bench.process(), invoice.invoiceId);
    await bench.quickbooks.delete('/requests');
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([]);
    expect(await stateOf(bench, event)).toBe('DONE');
  });
});

describe('a payment that a query does not show yet', () => {
  test('is read by its id and booked; one that is said to be deleted is not looked for', async () => {
    const [shown, hidden, gone] = [nextInvoice(), nextInvoice(), nextInvoice()];
    const payments = [await pay(shown, '10.00'), await pay(hidden, '20.00'), await pay(gone, '30.00')];
    const [, late, deleted] = payments.map(({ id }) => id);
    await bench.quickbooks.post('/delete-payment', { realmId: bench.realmId, paymentId: deleted });
    const events: string[] = [];
    for (const { id } of payments) {
      const operation = id === deleted ? 'deleted' : 'created';
      events.push(await announce(bench, 'payment', id, { operation }));
    }
    const { accounting } = bench.context;
    const readPayments: AccountingGateway['readPayments'] = async (connection, ids) => {
      const read = await accounting.readPayments(connection, ids);
      if (!read.ok || ids.length === 1) return read;
      const objects = read.value.objects.filter(({ externalId }) => externalId !== late);
      return { ...read, value: { ...read.value, objects } };
    };
    await bench.quickbooks.delete('/requests');
    await processQboEvents(bench.with({ readPayments }), bench.realmId);
    expect(await readsOf(bench)).toEqual(['query Payment', `payment/${late}`, 'query Invoice']);
    expect(await Promise.all(events.map((event) => stateOf(bench, event)))).toEqual(['DONE', 'DONE', 'IGNORED']);
    expect(await standing(shown)).toMatchObject([{ amount: 1000 }]);
    expect(await standing(hidden)).toMatchObject([{ payment: late, amount: 2000 }]);
  });

  test('by its id, either, does not exist: its event costs one read and is ignored', async () => {
    const { id } = await pay(nextInvoice(), '10.00');
    await bench.quickbooks.post('/delete-payment', { realmId: bench.realmId, paymentId: id });
    const event = await announce(bench, 'payment', id, { operation: 'created' });
    await bench.quickbooks.delete('/requests');
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([`payment/${id}`]);
    expect(await stateOf(bench, event)).toBe('IGNORED');
  });
});

describe('payments that are booked already', () => {
  test('are not read again because another one came', async () => {
    const invoice = nextInvoice();
    const first = await pay(invoice, '30.00');
    await announce(bench, 'payment', first.id);
    await processQboEvents(bench.process(), bench.realmId);
    await bench.quickbooks.delete('/requests');
    const second = await pay(invoice, '20.00');
    await announce(bench, 'payment', second.id);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([`payment/${second.id}`, `invoice/${invoice.externalId}`]);
    expect(await standing(invoice)).toMatchObject([{ amount: 3000 }, { amount: 2000 }]);
  });

  test('are read when the sums say that one changed without a word', async () => {
    const invoice = nextInvoice();
    const first = await pay(invoice, '30.00');
    await announce(bench, 'payment', first.id);
    await processQboEvents(bench.process(), bench.realmId);
    await bench.quickbooks.delete('/requests');
    await bench.quickbooks.post('/edit-payment', { realmId: bench.realmId, paymentId: first.id, amount: '35.00' });
    const second = await pay(invoice, '20.00');
    await announce(bench, 'payment', second.id);
    await processQboEvents(bench.process(), bench.realmId);
    expect(await readsOf(bench)).toEqual([`payment/${second.id}`, `invoice/${invoice.externalId}`, 'query Payment']);
    const amounts = (await standing(invoice)).map(({ payment, amount }) => [payment, amount]);
    expect(amounts.toSorted()).toEqual(
      [
        [first.id, 3500],
        [second.id, 2000],
      ].toSorted(),
    );
  });
});

describe('what cannot be booked', () => {
  test('does not keep what was read with it from being booked', async () => {
    const [good, bad] = [nextInvoice(), nextInvoice()];
    const payments = [await pay(good, '10.00'), await pay(bad, '20.00')];
    const events: string[] = [];
    for (const { id } of payments) events.push(await announce(bench, 'payment', id));
    const { accounting } = bench.context;
    const readInvoices: AccountingGateway['readInvoices'] = async (connection, ids) => {
      const read = await accounting.readInvoices(connection, ids);
      if (!read.ok) return read;
      const objects = read.value.objects.filter(({ externalId }) => externalId !== bad.externalId);
      return { ...read, value: { objects, unreadableIds: [bad.externalId] } };
    };
    await processQboEvents(bench.with({ readInvoices }), bench.realmId);
    expect(await Promise.all(events.map((event) => stateOf(bench, event)))).toEqual(['DONE', 'RECEIVED']);
    expect(await standing(good)).toMatchObject([{ amount: 1000 }]);
    expect(await standing(bad)).toEqual([]);
    const [waiting] = await bench.sql("select last_error from webhook_event where state = 'RECEIVED'");
    expect(waiting.last_error).toBe(
      `QuickBooks describes invoice ${bad.externalId} in a way that cannot be understood.`,
    );
  });

  test('a query that is refused because of one payment is split until that one stands alone', async () => {
    const invoices = [nextInvoice(), nextInvoice(), nextInvoice()];
    const ids: string[] = [];
    for (const invoice of invoices) ids.push((await pay(invoice, '10.00')).id);
    const events: string[] = [];
    for (const id of ids) events.push(await announce(bench, 'payment', id));
    const { accounting } = bench.context;
    const readPayments: AccountingGateway['readPayments'] = async (connection, asked) => {
      if (!asked.includes(String(ids[1]))) return accounting.readPayments(connection, asked);
      const refusal = { kind: 'rejected', reason: 'validation', code: '4001', message: 'Bad id.', trace: {} } as const;
      return { ok: false, failure: refusal };
    };
    await processQboEvents(bench.with({ readPayments }), bench.realmId);
    expect(await Promise.all(events.map((event) => stateOf(bench, event)))).toEqual(['DONE', 'RECEIVED', 'DONE']);
  });
});
