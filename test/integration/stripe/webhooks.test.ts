import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { BillingGateway } from '../../../src/application/ports/billing.js';
import { type ProviderFailure, succeeded } from '../../../src/application/ports/provider.js';
import type { StripeContext } from '../../../src/application/stripe/stripe-context.js';
import { nextDueEvent, pendingCompanies } from '../../../src/application/webhooks/pending-events.js';
import { processStripeEvents } from '../../../src/application/webhooks/process-stripe-events.js';
import { replayWebhookEvents } from '../../../src/application/webhooks/replay-webhook-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { minorUnits } from '../../../src/domain/money.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { balance, money } from '../ledger/ledger-bench.js';
import { connectStripe, StripeBooks, type StripeOrder, stripeOrder, stripeProcess } from './stripe-books.js';

let bench: Workbench;
let books: StripeBooks;
let connectionId: string;
let otherConnectionId: string;
let order: StripeOrder;
let accounts = 0;

beforeAll(async () => {
  bench = await startWorkbench();
  connectionId = await connectStripe(bench, bench.conferenceId);
  const other = { name: 'Other', slug: 'other', currencyCode: 'USD', timezone: 'UTC' };
  otherConnectionId = await connectStripe(bench, String((await createConference(bench.process(), other)).id));
});

beforeEach(async () => {
  await bench.sql('delete from webhook_event');
  // Payments of earlier tests stay booked.
  accounts += 1;
  books = new StripeBooks(accounts * 100);
  order = await stripeOrder(bench, books, connectionId);
});

afterAll(() => bench.stop());

interface Announced {
  readonly entity?: string;
  readonly operation?: string;
  readonly companyId?: string;
  readonly eventId?: string;
  readonly occurredAt?: Date;
}

/** Stores an event as the route does, without waking anybody, and returns its id. */
async function announce(entityId: string, announced: Announced = {}): Promise<string> {
  const { entity = 'invoice', operation = 'invoice.paid', companyId = connectionId, occurredAt } = announced;
  const { eventId = `evt_${randomUUID()}` } = announced;
  const context = { em: bench.orm.em.fork(), clock: bench.clock, ids: bench.context.ids, wake: () => undefined };
  const event = { eventId, companyId, entity, entityId, operation, occurredAt, payload: {} };
  await storeWebhookEvents(context, 'STRIPE', [event]);
  return eventId;
}

async function event(eventId: string, companyId = connectionId): Promise<Data> {
  const [row] = await bench.sql('select * from webhook_event where event_id = ? and company_id = ?', [
    eventId,
    companyId,
  ]);
  return row;
}

const process = (gateway: BillingGateway = books.gateway) => stripeProcess(bench, gateway);
const work = (context: StripeContext = process(), id = connectionId) => processStripeEvents(context, id);
const balanceOf = () => balance(bench, order.id);

describe('events', () => {
  test('W-S1: a paid invoice reaches its order, with one reading for all the events that tell of it', async () => {
    const payment = books.pay(order.externalId, 147_500n);
    const ids = [
      await announce(order.externalId),
      await announce(order.externalId, { entity: 'invoice_payment', operation: 'invoice_payment.paid' }),
      await announce(order.externalId, { operation: 'invoice.updated' }),
      await announce(payment, { entity: 'payment_intent', operation: 'payment_intent.succeeded' }),
    ];
    expect(await work()).toBe(4);
    for (const id of ids) expect(await event(id)).toMatchObject({ state: 'DONE', last_error: null });
    expect(books.calls).toEqual([`payment ${payment}`, `invoice ${order.externalId}`]);
    expect(await balanceOf()).toBe('PAID paid 147500 credited 0 due 0');
    expect(await work()).toBe(0);
  });

  test('that our latest reading saw already cost nothing', async () => {
    const early = await announce(order.externalId);
    await announce(order.externalId, { operation: 'invoice.updated' });
    books.pay(order.externalId, 147_500n);
    await work();
    await bench.sql("update webhook_event set state = 'RECEIVED', processed_at = null where event_id = ?", [early]);
    await work();
    expect(await event(early)).toMatchObject({ state: 'DONE' });
    expect(books.calls).toHaveLength(1);
  });

  test('by its own time an event is older than a reading that came a minute later', async () => {
    const asOf = new Date('2026-03-02T12:01:01Z');
    const readInvoice: BillingGateway['readInvoice'] = async (connection, id) => {
      const read = await books.gateway.readInvoice(connection, id);
      return read.ok ? succeeded(read.value, read.trace, asOf) : read;
    };
    const context = process({ ...books.gateway, readInvoice });
    await announce(order.externalId);
    await work(context);
    await announce(order.externalId, { occurredAt: new Date('2026-03-02T11:59:59Z') });
    await work(context);
    expect(books.calls).toHaveLength(1);
    await announce(order.externalId, { occurredAt: new Date('2026-03-02T12:00:00Z') });
    await work(context);
    expect(books.calls).toHaveLength(2);
  });

  test('that echo our own writes cost nothing', async () => {
    const ids = [];
    for (const operation of ['invoice.created', 'invoice.finalized', 'invoice.sent']) {
      ids.push(await announce(order.externalId, { operation }));
    }
    await work();
    for (const id of ids) expect(await event(id)).toMatchObject({ state: 'DONE' });
    expect(books.calls).toEqual([]);
    const { id } = await event(String(ids[1]));
    await replayWebhookEvents(bench.process(), { ids: [id] });
    await work();
    expect(books.calls).toEqual([`invoice ${order.externalId}`]);
  });

  test('W-S14: a refund names only the payment, which our booking knows', async () => {
    const payment = books.pay(order.externalId, 147_500n);
    await announce(order.externalId);
    await work();
    books.change(payment, { refunded: minorUnits(147_500n) });
    books.calls.length = 0;
    await announce(payment, { entity: 'charge', operation: 'charge.refunded' });
    await work();
    expect(books.calls).toEqual([`invoice ${order.externalId}`]);
    expect(await balanceOf()).toMatch(/^SENT paid 0 /);
  });

  test('W-S18: a bank debit that begins is found by its payment', async () => {
    const payment = books.pay(order.externalId, 147_500n, { status: 'PROCESSING' });
    await announce(payment, { entity: 'payment_intent', operation: 'payment_intent.processing' });
    await work();
    expect(await bench.sql('select processing_minor::int from invoice where id = ?', [order.invoiceId])).toEqual([
      { processing_minor: 147_500 },
    ]);
  });

  test('about other things, and about other payments of the account, are ignored', async () => {
    const customer = await announce('cus_1', { entity: 'customer', operation: 'customer.updated' });
    const ticket = await announce('pi_ticket', { entity: 'charge', operation: 'charge.refunded' });
    const stranger = await announce('in_stranger');
    const oldCharge = await announce('ch_1', { entity: 'charge', operation: 'charge.refunded' });
    await work();
    expect(await event(customer)).toMatchObject({
      state: 'IGNORED',
      last_error: 'Such events do not concern invoices.',
    });
    for (const id of [ticket, stranger, oldCharge]) {
      expect(await event(id)).toMatchObject({
        state: 'IGNORED',
        last_error: 'It concerns no invoice of a purchase order.',
      });
    }
    expect(books.calls).toEqual(['payment pi_ticket']);
  });

  test('W-S3: a delivery that comes twice at once is one event', async () => {
    const eventId = 'evt_same';
    await Promise.all([1, 2, 3].map(() => announce(order.externalId, { eventId })));
    expect(await work()).toBe(1);
  });

  test('of a connection that is gone are ignored', async () => {
    const id = await announce(order.externalId, { companyId: 'str_gone' });
    expect(await work(process(), 'str_gone')).toBe(1);
    expect(await event(id, 'str_gone')).toMatchObject({ state: 'IGNORED' });
  });
});

describe('W-S4: the endpoint of a conference', () => {
  test('moves only invoices of that conference, also when two share an account', async () => {
    const payment = books.pay(order.externalId, 147_500n);
    const eventId = 'evt_both';
    await announce(order.externalId, { companyId: otherConnectionId, eventId });
    await announce(payment, { companyId: otherConnectionId, entity: 'charge', operation: 'charge.refunded' });
    await work(process(), otherConnectionId);
    expect(await event(eventId, otherConnectionId)).toMatchObject({ state: 'IGNORED' });
    expect(books.calls).toEqual([`payment ${payment}`]);
    expect(await balanceOf()).toMatch(/^SENT paid 0 /);
    // The same event at the other endpoint is another one.
    await announce(order.externalId, { eventId });
    await work();
    expect(await event(eventId)).toMatchObject({ state: 'DONE' });
    expect(await balanceOf()).toMatch(/^PAID /);
  });

  test('does not move the booked payment of another one either', async () => {
    const payment = books.pay(order.externalId, 147_500n);
    await announce(order.externalId);
    await work();
    books.change(payment, { refunded: minorUnits(147_500n) });
    await announce(payment, { companyId: otherConnectionId, entity: 'charge', operation: 'charge.refunded' });
    await work(process(), otherConnectionId);
    expect(await balanceOf()).toMatch(/^PAID /);
  });
});

describe('an invoice that is being made', () => {
  const claim = async (id: string, state: string, connection = connectionId) =>
    bench.sql(
      `insert into provider_operation (id, kind, subject, generation, stripe_connection_id, body, state, lease_until,
         created_at, updated_at)
       values (?, 'CREATE_INVOICE', ?, 1, ?, '{}', ?, now(), now(), now())`,
      [id, id, connection, state],
    );

  test('has its event wait, whether its id is known already or not', async () => {
    await claim('op_1', 'IN_FLIGHT');
    await bench.sql("update invoice set status = 'CREATING' where id = ?", [order.invoiceId]);
    const making = await stripeOrder(bench, books, connectionId);
    await bench.sql("update invoice set status = 'CREATING' where id = ?", [making.invoiceId]);
    const known = await announce(order.externalId);
    const unknown = await announce('in_new');
    const echoes = [
      await announce(making.externalId, { operation: 'invoice.created' }),
      await announce('in_newer', { operation: 'invoice.finalized' }),
    ];
    const before = bench.clock.now().getTime();
    await work();
    for (const id of [known, unknown]) {
      const row = await event(id);
      expect(row).toMatchObject({ state: 'RECEIVED', attempts: 0, last_error: 'An invoice is being created.' });
    }
    // What tells nothing new need not wait.
    expect(await Promise.all(echoes.map(async (id) => (await event(id)).state))).toEqual(['DONE', 'IGNORED']);
    const dueAt = (await nextDueEvent(bench.orm.em, 'STRIPE', connectionId))?.getTime() ?? 0;
    expect(dueAt - before).toBeGreaterThanOrEqual(3_000);
    await bench.sql("update provider_operation set state = 'DONE'");
    await bench.sql("update invoice set status = 'OPEN' where id = ?", [order.invoiceId]);
    books.pay(order.externalId, 147_500n);
    bench.clock.advance(3_100);
    await work();
    expect(await event(known)).toMatchObject({ state: 'DONE' });
    expect(await event(unknown)).toMatchObject({ state: 'IGNORED' });
    expect(await balanceOf()).toMatch(/^PAID /);
  });

  test('at another connection lets nobody wait here', async () => {
    await claim('op_2', 'IN_FLIGHT', otherConnectionId);
    const id = await announce('in_new');
    await work();
    expect(await event(id)).toMatchObject({ state: 'IGNORED' });
    await bench.sql("update provider_operation set state = 'DONE'");
  });

  test('with an unknown outcome is looked at as often as the background settles it', async () => {
    await bench.sql("update invoice set status = 'UNKNOWN' where id = ?", [order.invoiceId]);
    await announce(order.externalId);
    const before = bench.clock.now().getTime();
    await work();
    const dueAt = (await nextDueEvent(bench.orm.em, 'STRIPE', connectionId))?.getTime() ?? 0;
    expect(dueAt - before).toBeGreaterThanOrEqual(60_000);
    expect(books.calls).toEqual([]);
  });
});

describe('when Stripe cannot be asked', () => {
  const silent: ProviderFailure = { kind: 'unavailable', message: 'No answer.', trace: {} };

  test('W-S2: the event is tried again, until it is dead, and a replay brings the payment after all', async () => {
    books.pay(order.externalId, 147_500n);
    const eventId = await announce(order.externalId);
    books.fail(silent);
    for (let attempt = 1; attempt <= 20; attempt++) {
      await work();
      expect(await event(eventId)).toMatchObject({ attempts: attempt, last_error: 'No answer.' });
      bench.clock.advance(2 * 60 * 60 * 1000);
    }
    expect(await event(eventId)).toMatchObject({ state: 'DEAD' });
    expect(await work()).toBe(0);
    books.fail(undefined);
    const context = bench.process();
    const { id } = await event(eventId);
    expect((await replayWebhookEvents(context, { ids: [id] })).failures).toEqual([]);
    expect(await pendingCompanies(bench.process())).toEqual([{ provider: 'STRIPE', companyId: connectionId }]);
    await work();
    expect(await event(eventId)).toMatchObject({ state: 'DONE' });
    expect(await balanceOf()).toMatch(/^PAID /);
  });

  test('the rest of a run is not tried after three failures in a row, and does not count as failed', async () => {
    const ids = [await announce(order.externalId)];
    for (let more = 0; more < 4; more++) {
      const { externalId } = await stripeOrder(bench, books, connectionId);
      ids.push(await announce(externalId));
    }
    books.fail(silent);
    await work();
    expect(books.calls).toHaveLength(3);
    const attempts = await Promise.all(ids.map(async (id) => (await event(id)).attempts));
    expect(attempts.toSorted()).toEqual([0, 0, 1, 1, 1]);
    books.fail(undefined);
    bench.clock.advance(10_000);
    await work();
    for (const id of ids) expect(await event(id)).toMatchObject({ state: 'DONE' });
  });

  test('one that cannot be booked does not keep the others from being right', async () => {
    const poison = await stripeOrder(bench, books, connectionId);
    books.pay(order.externalId, 147_500n);
    const bad = await announce(poison.externalId);
    const good = await announce(order.externalId);
    const readInvoice: BillingGateway['readInvoice'] = async (connection, id) => {
      if (id === poison.externalId) throw new Error('poison');
      return books.gateway.readInvoice(connection, id);
    };
    await work(process({ ...books.gateway, readInvoice, findPaidInvoices: books.gateway.findPaidInvoices }));
    expect(await event(bad)).toMatchObject({ state: 'RECEIVED', attempts: 1, last_error: 'poison' });
    expect(await event(good)).toMatchObject({ state: 'DONE' });
    expect(await balanceOf()).toMatch(/^PAID /);
  });

  test('one that cannot even be followed is tried later, and does not keep the others waiting', async () => {
    books.pay(order.externalId, 147_500n);
    const bad = await announce('pi_poison', { entity: 'charge', operation: 'charge.refunded' });
    const good = await announce(order.externalId);
    const findPaidInvoices = () => Promise.reject(new Error('poison'));
    await work(process({ ...books.gateway, readInvoice: books.gateway.readInvoice, findPaidInvoices }));
    expect(await event(bad)).toMatchObject({ state: 'RECEIVED', attempts: 1, last_error: 'poison' });
    expect(await event(good)).toMatchObject({ state: 'DONE' });
    expect(await balanceOf()).toMatch(/^PAID /);
  });

  test('a refused key has everything wait for a person, without dying of it', async () => {
    const second = await stripeOrder(bench, books, connectionId);
    const ids = [await announce(order.externalId), await announce(second.externalId)];
    books.fail({ kind: 'reconnect_required', message: 'Invalid API Key.', trace: {} });
    await work();
    expect(books.calls).toHaveLength(1);
    for (const id of ids) expect(await event(id)).toMatchObject({ attempts: 0, last_error: 'Invalid API Key.' });
    await bench.sql("update stripe_connection set status = 'RECONNECT_REQUIRED'");
    bench.clock.advance(5 * 60 * 1000);
    await work();
    expect(books.calls).toHaveLength(1);
    for (const id of ids) {
      const last_error = 'The connection to Stripe must be renewed first.';
      expect(await event(id)).toMatchObject({ state: 'RECEIVED', attempts: 0, last_error });
    }
    await bench.sql("update stripe_connection set status = 'CONNECTED'");
    books.fail(undefined);
    bench.clock.advance(5 * 60 * 1000);
    await work();
    for (const id of ids) expect(await event(id)).toMatchObject({ state: 'DONE' });
  });

  test('a rate limit has everything wait as long as Stripe says', async () => {
    const retryAt = new Date(bench.clock.now().getTime() + 77_000);
    const eventId = await announce('pi_unknown', { entity: 'charge', operation: 'charge.refunded' });
    books.fail({ ...silent, retryAt });
    await work();
    expect(await event(eventId)).toMatchObject({ state: 'RECEIVED', attempts: 0 });
    const dueAt = (await nextDueEvent(bench.orm.em, 'STRIPE', connectionId))?.getTime() ?? 0;
    expect(Math.abs(dueAt - retryAt.getTime())).toBeLessThan(1_000);
  });

  test('a connection to a simulator waits where there is none', async () => {
    const eventId = await announce(order.externalId);
    await work({ ...process(), allowsStripeSimulator: false });
    expect(books.calls).toEqual([]);
    expect(await event(eventId)).toMatchObject({ state: 'RECEIVED', attempts: 0 });
  });
});

test('two workers that read the same payment at once book it once', async () => {
  books.pay(order.externalId, 147_500n);
  await announce(order.externalId);
  await announce(order.externalId, { entity: 'invoice_payment', operation: 'invoice_payment.paid' });
  await Promise.all([work(), work(), work()]);
  expect(await money(bench, order.id)).toHaveLength(1);
});
