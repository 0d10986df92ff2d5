import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { removeFinishedEvents } from '../../../src/application/webhooks/remove-finished-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(() => bench.sql('delete from webhook_event'));

afterAll(() => bench.stop());

/** Events that were finished, or came, so many days ago. */
async function insertEvents(state: string, days: number, count = 1): Promise<void> {
  await bench.sql(
    `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state,
                                next_attempt_at, received_at, processed_at)
     select 'evt_' || :state || :days || '_' || number, 'QBO', :state || :days || '_' || number, '1', 'payment', '7',
            'updated', '{}', :state, now(), now() - make_interval(days => :days),
            case when :state in ('DONE', 'IGNORED') then now() - make_interval(days => :days) end
     from generate_series(1, :count) as number`
      .replaceAll(':state', `'${state}'`)
      .replaceAll(':days', String(days))
      .replaceAll(':count', String(count)),
  );
}

async function left(): Promise<string[]> {
  return (await bench.sql('select id from webhook_event order by id')).map(({ id }) => id);
}

test('what was done or ignored 90 days ago is deleted; what waits or is dead is kept for good', async () => {
  for (const state of ['RECEIVED', 'PROCESSING', 'DONE', 'IGNORED', 'DEAD']) {
    await insertEvents(state, 89);
    await insertEvents(state, 91);
  }
  expect(await removeFinishedEvents(bench.process())).toBe(2);
  expect(await left()).toEqual([
    'evt_DEAD89_1',
    'evt_DEAD91_1',
    'evt_DONE89_1',
    'evt_IGNORED89_1',
    'evt_PROCESSING89_1',
    'evt_PROCESSING91_1',
    'evt_RECEIVED89_1',
    'evt_RECEIVED91_1',
  ]);
  expect(await removeFinishedEvents(bench.process())).toBe(0);
});

test('many are deleted a thousand at a time', async () => {
  await insertEvents('DONE', 100, 2100);
  await insertEvents('DONE', 10, 3);
  let removed = 0;
  const statements = await bench.statementsOf(async () => {
    removed = await removeFinishedEvents(bench.process());
  });
  expect(removed).toBe(2100);
  expect(statements).toHaveLength(3);
  expect(await left()).toHaveLength(3);
});

test('one that is being replayed is passed over', async () => {
  await insertEvents('DONE', 100, 2);
  const replaying = new pg.Client({ connectionString: bench.environment.DATABASE_URL });
  await replaying.connect();
  await replaying.query('begin');
  await replaying.query("select 1 from webhook_event where id = 'evt_DONE100_1' for update");
  expect(await removeFinishedEvents(bench.process())).toBe(1);
  expect(await left()).toEqual(['evt_DONE100_1']);
  await replaying.query('rollback');
  await replaying.end();
});

test('a delivery that is repeated within that time is still recognised', async () => {
  const { em, clock, ids } = bench.process();
  const event = {
    eventId: 'repeated',
    companyId: '1',
    entity: 'payment',
    entityId: '7',
    operation: 'updated',
    occurredAt: undefined,
    payload: {},
  };
  const store = () => storeWebhookEvents({ em, clock, ids, wake: () => undefined }, 'QBO', [event]);
  expect(await store()).toEqual({ stored: 1, duplicates: 0 });
  await bench.sql(
    "update webhook_event set state = 'DONE', received_at = now() - interval '89 days', processed_at = now() - interval '89 days'",
  );
  await removeFinishedEvents(bench.process());
  expect(await store()).toEqual({ stored: 0, duplicates: 1 });
});
