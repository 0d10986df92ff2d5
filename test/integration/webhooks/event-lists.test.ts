import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import {
  countWebhookEvents,
  listWebhookEvents,
  type WebhookEventFilter,
} from '../../../src/application/queries/webhook-events.js';
import { WebhookEventState } from '../../../src/domain/webhook/webhook-event.entity.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { readings } from '../lists/plans.js';

const EVENTS = 20_000;
const { RECEIVED, PROCESSING, DONE, IGNORED, DEAD } = WebhookEventState;

let database: TestDatabase;
let orm: MikroORM;

/** Three months of events, of which nearly all were worked off. */
beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  await sql(`insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state,
      next_attempt_at, received_at, processed_at)
    select 'whe_' || n, case when n % 500 = 3 then 'STRIPE' else 'QBO' end, 'evt_' || n,
      case when n % 500 = 3 then 'strc_1' when n % 250 = 4 then 'rare' else 'company' end, 'payment', n::text, 'updated',
      '{}', state, now(), received_at, case when state in ('DONE', 'IGNORED') then received_at end
    from (select n, timestamptz '2026-08-01' + n * interval '5 minutes' as received_at,
        case when n % 1000 = 0 then 'DEAD' when n % 1000 = 1 then 'IGNORED'
          when n > ${EVENTS - 10} then case n % 2 when 0 then 'RECEIVED' else 'PROCESSING' end else 'DONE' end as state
      from generate_series(1, ${EVENTS}) n) as event`);
  await sql('vacuum analyze');
}, 60_000);

afterAll(async () => {
  await orm.close();
  await database.drop();
});

async function sql<Row extends object>(text: string): Promise<Row[]> {
  return orm.em.fork().execute<Row[]>(text);
}

/** Each filter, the same said in SQL, and how many rows may be looked at for a page of 20. */
const FILTERS: [name: string, WebhookEventFilter, condition: string, rows: number][] = [
  ['nothing', {}, 'true', 21],
  ['dead ones', { stateIn: [DEAD] }, "state = 'DEAD'", 21],
  ['ignored ones', { stateIn: [IGNORED] }, "state = 'IGNORED'", 21],
  ['dead and ignored ones', { stateIn: [DEAD, IGNORED] }, "state in ('DEAD', 'IGNORED')", 40],
  ['new ones', { stateIn: [RECEIVED] }, "state = 'RECEIVED'", 21],
  ['what is worked on', { stateIn: [PROCESSING] }, "state = 'PROCESSING'", 21],
  ['what waits', { stateIn: [RECEIVED, PROCESSING] }, "state in ('RECEIVED', 'PROCESSING')", 21],
  ['what is not done', { stateIn: [RECEIVED, PROCESSING, DEAD, IGNORED] }, "state <> 'DONE'", 60],
  ['what waits or is dead', { stateIn: [DEAD, RECEIVED] }, "state in ('RECEIVED', 'DEAD')", 40],
  ['what is done', { stateIn: [DONE] }, "state = 'DONE'", 60],
  ['a rare provider', { provider: 'STRIPE' }, "provider = 'STRIPE'", 60],
  ['a company', { realmId: 'company' }, "company_id = 'company'", 30],
  ['a rare company', { realmId: 'rare' }, "company_id = 'rare'", 21],
  [
    'the dead ones of a company',
    { realmId: 'company', stateIn: [DEAD] },
    "company_id = 'company' and state = 'DEAD'",
    21,
  ],
  [
    'a day',
    { receivedAfter: new Date('2026-09-01T00:00:00Z'), receivedBefore: new Date('2026-09-02T00:00:00Z') },
    "received_at >= '2026-09-01Z' and received_at < '2026-09-02Z'",
    21,
  ],
  [
    'the ignored ones of a day',
    {
      stateIn: [IGNORED],
      receivedAfter: new Date('2026-09-01T00:00:00Z'),
      receivedBefore: new Date('2026-09-02T00:00:00Z'),
    },
    "state = 'IGNORED' and received_at >= '2026-09-01Z' and received_at < '2026-09-02Z'",
    21,
  ],
];

describe('a list of events', () => {
  test.each(FILTERS)(
    'of %s has exactly those, the newest first, and looks at few others',
    async (_name, filter, condition, most) => {
      const rows = await sql<{ id: string }>(
        `select id from webhook_event where ${condition} order by received_at desc, id desc`,
      );
      const list = (em: EntityManager) => listWebhookEvents(em, { filter, first: 20 });
      const page = await list(orm.em.fork());
      expect(page.items.map(({ item }) => item.id)).toEqual(rows.slice(0, 20).map(({ id }) => id));
      expect(await countWebhookEvents(orm.em.fork(), { filter })).toBe(rows.length);
      const { ofTable, rows: read } = await readings(orm.em.fork(), 'webhook_event', list);
      expect(ofTable.map((step) => step['Node Type'])).not.toContain('Seq Scan');
      expect(read).toBeLessThanOrEqual(most);
    },
  );

  test('of no state is empty', async () => {
    expect((await listWebhookEvents(orm.em.fork(), { filter: { stateIn: [] } })).items).toEqual([]);
  });
});
