import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BillingEvent } from '../../../src/application/ports/billing.js';
import { dueStripeSweeps, sweepStripeConnection } from '../../../src/application/stripe/sweep-stripe-connection.js';
import { processStripeEvents } from '../../../src/application/webhooks/process-stripe-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { balance } from '../ledger/ledger-bench.js';
import { connectStripe, StripeBooks, type StripeOrder, stripeOrder, stripeProcess } from './stripe-books.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let bench: Workbench;
let books: StripeBooks;
let connectionId: string;
let order: StripeOrder;
let accounts = 0;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.sql('delete from webhook_event');
  await bench.sql('truncate stripe_connection cascade');
  connectionId = await connectStripe(bench, bench.conferenceId);
  accounts += 1;
  books = new StripeBooks(accounts * 100);
  order = await stripeOrder(bench, books, connectionId);
});

afterAll(() => bench.stop());

const context = () => stripeProcess(bench, books.gateway);
const sweep = () => sweepStripeConnection(context(), connectionId);
const work = () => processStripeEvents(context(), connectionId);
const due = async () => (await dueStripeSweeps(context())).map((each) => each.connectionId);

async function connection() {
  const [row] = await bench.sql(
    `select extract(epoch from swept_until) * 1000 as swept, extract(epoch from sweep_due_at) * 1000 as due, sweep_error
     from stripe_connection where id = ?`,
    [connectionId],
  );
  return { sweptUntil: Number(row.swept), dueAt: Number(row.due), error: row.sweep_error };
}

/** Something happened at Stripe, so long ago. */
function tell(eventId: string, entityId: string, { agoMs = 0, operation = 'invoice.paid' } = {}): BillingEvent {
  const occurredAt = new Date(bench.clock.now().getTime() - agoMs);
  const event = { eventId, entity: 'invoice', entityId, operation, occurredAt, payload: {} };
  books.tell(event);
  return event;
}

/** The webhook came in. */
async function deliver(event: BillingEvent): Promise<void> {
  const stored = { em: bench.orm.em.fork(), clock: bench.clock, ids: bench.context.ids, wake: () => undefined };
  await storeWebhookEvents(stored, 'STRIPE', [{ ...event, companyId: connectionId }]);
}

describe('a sweep', () => {
  test('is due a minute after the connection, and then every quarter of an hour', async () => {
    expect(await due()).toEqual([]);
    expect(await sweep()).toEqual({ outcome: 'not_due', found: 0, isGap: false });
    bench.clock.advance(MINUTE);
    expect(await due()).toEqual([connectionId]);
    expect(await sweep()).toEqual({ outcome: 'done', found: 0, isGap: false });
    expect(await due()).toEqual([]);
    expect((await connection()).dueAt - bench.clock.now().getTime()).toBeCloseTo(15 * MINUTE, -4);
    bench.clock.advance(15 * MINUTE);
    expect(await due()).toEqual([connectionId]);
    // Of two workers that found it due, the second one finds it done.
    expect([await sweep(), await sweep()].map(({ outcome }) => outcome)).toEqual(['done', 'not_due']);
  });

  test('W-S2: brings in a payment that no webhook told, once, and says that something was missed', async () => {
    bench.clock.advance(30 * MINUTE);
    books.pay(order.externalId, 147_500n);
    tell('evt_lost', order.externalId, { agoMs: 10 * MINUTE });
    expect(await sweep()).toEqual({ outcome: 'done', found: 1, isGap: true });
    expect(await work()).toBe(1);
    expect(await balance(bench, order.id)).toBe('PAID paid 147500 credited 0 due 0');
    bench.clock.advance(15 * MINUTE);
    expect(await sweep()).toEqual({ outcome: 'done', found: 0, isGap: false });
    expect(await work()).toBe(0);
  });

  test('of what the webhooks told costs nothing', async () => {
    bench.clock.advance(MINUTE);
    books.pay(order.externalId, 147_500n);
    await deliver(tell('evt_told', order.externalId));
    await work();
    const before = books.calls.length;
    expect(await sweep()).toEqual({ outcome: 'done', found: 0, isGap: false });
    expect(await work()).toBe(0);
    expect(books.calls).toHaveLength(before + 1);
  });

  test('calls it no gap when the webhook may be on its way, or was not meant for us', async () => {
    bench.clock.advance(30 * MINUTE);
    tell('evt_young', order.externalId, { agoMs: MINUTE });
    tell('evt_other', 'in_of_others', { agoMs: 20 * MINUTE });
    expect(await sweep()).toEqual({ outcome: 'done', found: 2, isGap: false });
    expect(await bench.sql('select entity_id, payload from webhook_event order by received_at, event_id desc')).toEqual(
      [
        { entity_id: order.externalId, payload: {} },
        { entity_id: 'in_of_others', payload: '[cut: it names no invoice of ours]' },
      ],
    );
  });

  test('asks from the last one on, with an overlap, and goes on there only after a success', async () => {
    const started = bench.clock.now().getTime();
    bench.clock.advance(MINUTE);
    await sweep();
    const first = (await connection()).sweptUntil;
    bench.clock.advance(15 * MINUTE);
    books.fail({ kind: 'unavailable', message: 'No answer.', trace: {} });
    expect(await sweep()).toEqual({ outcome: 'failed', found: 0, isGap: false, reason: 'No answer.' });
    expect(await connection()).toMatchObject({ sweptUntil: first, error: 'No answer.' });
    books.fail(undefined);
    bench.clock.advance(15 * MINUTE);
    await sweep();
    const asked = books.calls.map((call) => Date.parse(call.replace('events since ', '')));
    expect(asked[0]).toBeCloseTo(started - 5 * MINUTE, -3);
    expect(asked.slice(1)).toEqual([first - 5 * MINUTE, first - 5 * MINUTE]);
    const { sweptUntil, error } = await connection();
    expect(sweptUntil).toBeGreaterThan(first + 25 * MINUTE);
    expect(error).toBeNull();
  });

  test('that Stripe asks to wait with waits as long', async () => {
    bench.clock.advance(MINUTE);
    const retryAt = new Date(bench.clock.now().getTime() + 123_000);
    books.fail({ kind: 'unavailable', message: 'Too many requests.', trace: {}, retryAt });
    await sweep();
    expect((await connection()).dueAt).toBe(retryAt.getTime());
  });

  test('that throws is one that failed', async () => {
    bench.clock.advance(MINUTE);
    const findEvents = () => Promise.reject(new Error('broken'));
    const broken = { ...context(), billing: { ...books.gateway, findEvents } };
    expect(await sweepStripeConnection(broken, connectionId)).toMatchObject({ outcome: 'failed', reason: 'broken' });
    expect(await due()).toEqual([]);
  });

  test('stores more events than a page of them', async () => {
    bench.clock.advance(MINUTE);
    for (let number = 0; number < 250; number++) tell(`evt_${number}`, order.externalId);
    expect(await sweep()).toMatchObject({ outcome: 'done', found: 250 });
    expect(await bench.sql('select count(*)::int from webhook_event')).toEqual([{ count: 250 }]);
  });

  test('of a connection without a key, or to a simulator where there is none, is not due', async () => {
    bench.clock.advance(MINUTE);
    const strict = { ...context(), allowsStripeSimulator: false };
    expect(await dueStripeSweeps(strict)).toEqual([]);
    expect(await sweepStripeConnection(strict, connectionId)).toMatchObject({ outcome: 'not_due' });
    await bench.sql("update stripe_connection set status = 'RECONNECT_REQUIRED'");
    expect(await due()).toEqual([]);
    expect(await sweep()).toMatchObject({ outcome: 'not_due' });
    expect(books.calls).toEqual([]);
  });
});

describe('after a longer time than Stripe keeps events', () => {
  test('every invoice of the connection is looked at, and then events are asked for again', async () => {
    bench.clock.advance(40 * DAY);
    const unpaid = await stripeOrder(bench, books, connectionId);
    const making = await stripeOrder(bench, books, connectionId);
    await bench.sql("update invoice set status = 'CREATING', external_id = null where id = ?", [making.invoiceId]);
    const voided = await stripeOrder(bench, books, connectionId);
    await bench.sql("update invoice set status = 'VOIDED', balance_minor = 0 where id = ?", [voided.invoiceId]);
    books.edit(voided.externalId, { status: 'VOID' });
    books.pay(order.externalId, 147_500n);
    expect(await sweep()).toEqual({ outcome: 'done', found: 3, isGap: false });
    expect(books.calls).toEqual([]);
    expect(await work()).toBe(3);
    const read = [order, unpaid, voided].map(({ externalId }) => `invoice ${externalId}`);
    expect(books.calls.toSorted()).toEqual(read.toSorted());
    expect(await balance(bench, order.id)).toMatch(/^PAID /);
    bench.clock.advance(15 * MINUTE);
    await sweep();
    expect(books.calls.at(-1)).toMatch(/^events since /);
  });
});

test('when too much happened to be listed at once, every invoice is looked at, and the next sweep begins there', async () => {
  bench.clock.advance(DAY);
  books.pay(order.externalId, 147_500n);
  books.isCrowded = true;
  expect(await sweep()).toEqual({ outcome: 'done', found: 1, isGap: false });
  await work();
  expect(await balance(bench, order.id)).toMatch(/^PAID /);
  const { sweptUntil, error } = await connection();
  expect(error).toBeNull();
  expect(bench.clock.now().getTime() - sweptUntil).toBeLessThan(5 * MINUTE);
});
