import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import { settleEvents, takeDueEvents } from '../../../src/application/webhooks/event-states.js';
import { nextDueEvent, pendingCompanies } from '../../../src/application/webhooks/pending-events.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { WebhookEventState } from '../../../src/domain/webhook/webhook-event.entity.js';
import { Metrics } from '../../../src/infrastructure/observability/metrics.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/requests');
  await bench.sql('delete from webhook_event');
});

afterAll(() => bench.stop());

/** Stores an event as the route does, without waking anybody, and returns its id. */
async function announce(entity: string, entityId: string, realmId = bench.realmId): Promise<string> {
  const eventId = randomUUID();
  const { em, clock, ids } = bench.process();
  const event = { eventId, companyId: realmId, entity, entityId, operation: 'updated', occurredAt: undefined };
  await storeWebhookEvents({ em, clock, ids, wake: () => undefined }, 'QBO', [{ ...event, payload: {} }]);
  // Two events of one millisecond have no order.
  bench.clock.advance(1);
  return eventId;
}

async function event(eventId: string): Promise<Data> {
  return (await bench.sql('select * from webhook_event where event_id = ?', [eventId]))[0];
}

async function stateOf(eventId: string): Promise<string> {
  return (await event(eventId)).state;
}

/** A worker that reads the payment with this id and is never heard of again, until it is let go. */
function hangAt(paymentId: string) {
  const { accounting } = bench.context;
  const reached = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  const readPayments: AccountingGateway['readPayments'] = async (connection, ids) => {
    if (!ids.includes(paymentId)) return accounting.readPayments(connection, ids);
    reached.resolve();
    await letGo.promise;
    return { ok: false, failure: { kind: 'unavailable', message: 'Too late.', trace: {} } };
  };
  return { context: bench.with({ readPayments }), reached: reached.promise, letGo: () => letGo.resolve() };
}

describe('while a worker is at work', () => {
  test('the events it took are PROCESSING, marked in one statement before anything is read', async () => {
    const eventIds = [await announce('payment', '1'), await announce('payment', '2'), await announce('customer', '3')];
    const { accounting } = bench.context;
    const seen: string[][] = [];
    const readPayments: AccountingGateway['readPayments'] = async (connection, ids) => {
      seen.push(await Promise.all(eventIds.map(stateOf)));
      return accounting.readPayments(connection, ids);
    };
    await processQboEvents(bench.with({ readPayments }), bench.realmId);
    expect(seen[0]).toEqual(['PROCESSING', 'PROCESSING', 'PROCESSING']);
    expect(await Promise.all(eventIds.map(stateOf))).toEqual(['IGNORED', 'IGNORED', 'IGNORED']);

    await announce('payment', '4');
    const marking = await bench.statementsOf(() => takeDueEvents(bench.process(), 'QBO', bench.realmId));
    expect(marking).toHaveLength(1);
  });

  test('they are taken in the order in which they came, of this company alone', async () => {
    const second = await announce('payment', '2');
    const third = await announce('invoice', '3');
    await announce('payment', '4', '999');
    const first = await announce('payment', '1');
    await bench.sql("update webhook_event set received_at = received_at - interval '1 hour' where event_id = ?", [
      first,
    ]);
    const taken = await takeDueEvents(bench.process(), 'QBO', bench.realmId);
    expect(taken.map(({ eventId }) => eventId)).toEqual([first, second, third]);
    expect(taken.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['PROCESSING', 0]));
  });

  test('they show in the metrics, with the age of the oldest that is not finished', async () => {
    const metricsOf = async () => new Metrics(bench.orm).registry.metrics();
    const quiet = await metricsOf();
    expect(quiet).toMatch(/webhook_events\{state="RECEIVED"\} 0\n/);
    expect(quiet).toMatch(/webhook_events\{state="PROCESSING"\} 0\n/);
    expect(quiet).toMatch(/webhook_events\{state="DEAD"\} 0\n/);
    expect(quiet).toMatch(/webhook_event_oldest_waiting_seconds 0\n/);
    const old = await announce('payment', '1');
    await takeDueEvents(bench.process(), 'QBO', bench.realmId);
    await announce('payment', '2');
    await announce('payment', '3');
    await bench.sql("update webhook_event set received_at = now() - interval '1 hour' where event_id = ?", [old]);
    const busy = await metricsOf();
    expect(busy).toMatch(/webhook_events\{state="RECEIVED"\} 2\n/);
    expect(busy).toMatch(/webhook_events\{state="PROCESSING"\} 1\n/);
    expect(busy).toMatch(/webhook_event_oldest_waiting_seconds 36\d\d(\.\d+)?\n/);
  });
});

describe('a worker that dies in the middle', () => {
  test('leaves its events PROCESSING; they are found, taken again at once, and booked once', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    const { Payment } = await bench.quickbooks.pay(externalId, '1475.00');
    const eventIds = [await announce('payment', Payment.Id), await announce('payment', '2')];
    const dying = hangAt(Payment.Id);
    void processQboEvents(dying.context, bench.realmId);
    await dying.reached;
    expect(await Promise.all(eventIds.map(stateOf))).toEqual(['PROCESSING', 'PROCESSING']);
    expect(await pendingCompanies(bench.process())).toEqual([{ provider: 'QBO', companyId: bench.realmId }]);
    const { received_at: receivedAt } = await event(String(eventIds[0]));
    expect(await nextDueEvent(bench.orm.em, 'QBO', bench.realmId)).toEqual(new Date(receivedAt));

    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(2);

    expect(await Promise.all(eventIds.map(stateOf))).toEqual(['DONE', 'IGNORED']);
    expect(await event(String(eventIds[0]))).toMatchObject({ attempts: 1, last_error: null });
    expect(await bench.sql('select 1 from payment where purchase_order_id = ?', [id])).toHaveLength(1);
    expect(await pendingCompanies(bench.process())).toEqual([]);
    expect(await nextDueEvent(bench.orm.em, 'QBO', bench.realmId)).toBeUndefined();
  });

  test('and turns out to be alive changes nothing that the next one settled', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    const { Payment } = await bench.quickbooks.pay(externalId, '1475.00');
    const eventId = await announce('payment', Payment.Id);
    const slow = hangAt(Payment.Id);
    const working = processQboEvents(slow.context, bench.realmId);
    await slow.reached;
    await processQboEvents(bench.process(), bench.realmId);
    const settled = await event(eventId);
    expect(settled).toMatchObject({ state: 'DONE', last_error: null });

    slow.letGo();
    await working;

    expect(await event(eventId)).toEqual(settled);
    expect(await bench.sql('select 1 from payment where purchase_order_id = ?', [id])).toHaveLength(1);
  });

  test('because of an event does not take the others along: they get past it, and it ends as DEAD', async () => {
    const before = await announce('payment', '1');
    const killer = await announce('payment', '666');
    const after = await announce('payment', '2');
    let deaths = 0;
    while ((await stateOf(killer)) !== 'DEAD') {
      const worker = hangAt('666');
      const died = await Promise.race([
        worker.reached.then(() => true),
        processQboEvents(worker.context, bench.realmId).then(() => false),
      ]);
      if (died) deaths += 1;
      expect(deaths).toBeLessThan(30);
    }
    await processQboEvents(bench.process(), bench.realmId);
    expect(deaths).toBe(20);
    expect(await event(killer)).toMatchObject({
      state: 'DEAD',
      attempts: 20,
      last_error: 'The worker ended while it was at work on this event.',
      processed_at: null,
    });
    for (const neighbour of [before, after]) {
      const { state, attempts } = await event(neighbour);
      expect(state).toBe('IGNORED');
      // It was there when the first two workers died, no more.
      expect(attempts).toBeLessThanOrEqual(2);
    }
    expect(await pendingCompanies(bench.process())).toEqual([]);
  });

  test('twice leaves its events to be taken one at a time', async () => {
    const eventIds = [
      await announce('customer', '1'),
      await announce('customer', '2'),
      await announce('customer', '3'),
    ];
    const take = async () => (await takeDueEvents(bench.process(), 'QBO', bench.realmId)).map(({ eventId }) => eventId);
    expect(await take()).toEqual(eventIds);
    expect(await take()).toEqual(eventIds);
    expect(await take()).toEqual(eventIds.slice(0, 1));
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(1);
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(1);
    expect(await processQboEvents(bench.process(), bench.realmId)).toBe(1);
    expect(await Promise.all(eventIds.map(stateOf))).toEqual(['IGNORED', 'IGNORED', 'IGNORED']);
  });
});

describe('a new event about an object of which older ones keep failing', () => {
  test('has failed once when it fails with them, and waits as long as any other', async () => {
    const [old, fresh] = [await announce('payment', '1'), await announce('payment', '1')];
    await bench.sql('update webhook_event set attempts = 19 where event_id = ?', [old]);
    const failure = { kind: 'unavailable', message: 'No answer.', trace: {} } as const;
    await processQboEvents(bench.with({ readPayments: async () => ({ ok: false, failure }) }), bench.realmId);
    expect(await event(old)).toMatchObject({ state: 'DEAD', attempts: 20 });
    const row = await event(fresh);
    expect(row).toMatchObject({ state: 'RECEIVED', attempts: 1, last_error: 'No answer.' });
    const waitMs = new Date(row.next_attempt_at).getTime() - bench.clock.now().getTime();
    expect(Math.round(waitMs / 1000)).toBe(5);
  });
});

describe('what became of an event', () => {
  test.each([
    [
      { state: WebhookEventState.DONE },
      { state: 'DONE', attempts: 0, last_error: null, processed_at: expect.anything() },
    ],
    [
      { state: WebhookEventState.IGNORED, reason: 'Not ours.' },
      { state: 'IGNORED', attempts: 0, last_error: 'Not ours.', processed_at: expect.anything() },
    ],
    [
      { state: 'POSTPONED', ms: 60_000, reason: 'Not yet.' },
      { state: 'RECEIVED', attempts: 0, last_error: 'Not yet.', processed_at: null },
    ],
    [
      { state: 'FAILED', reason: 'No answer.' },
      { state: 'RECEIVED', attempts: 1, last_error: 'No answer.', processed_at: null },
    ],
  ] as const)('%j is written down', async (verdict, expected) => {
    const eventId = await announce('payment', '1');
    const taken = await takeDueEvents(bench.process(), 'QBO', bench.realmId);
    await settleEvents(bench.process(), taken, verdict);
    const settled = await event(eventId);
    expect(settled).toMatchObject(expected);
    // Who was not asked to work on it any more has nothing to say.
    await settleEvents(bench.process(), taken, { state: 'FAILED', reason: 'Late.' });
    expect(await event(eventId)).toEqual(settled);
  });
});
