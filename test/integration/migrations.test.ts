import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrateDatabase } from '../../src/infrastructure/database/migrate.js';
import { openOrm } from '../../src/infrastructure/database/orm.js';

const name = `test_migrations_${randomBytes(6).toString('hex')}`;
let server: pg.Client;
let client: pg.Client;
let databaseUrl: string;

beforeAll(async () => {
  const url = new URL(String(process.env.TEST_SERVER_URL));
  server = new pg.Client({ connectionString: url.href });
  await server.connect();
  await server.query(`create database ${name}`);
  url.pathname = `/${name}`;
  databaseUrl = url.href;
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await server.query(`drop database ${name} with (force)`);
  await server.end();
});

async function migrateTo(migration: string): Promise<void> {
  const orm = await openOrm(databaseUrl);
  await orm.migrator.up({ to: migration });
  await orm.close();
}

test('malformed notifications that the first version stored without a time get the one at which they came', async () => {
  await migrateTo('0001-initial');
  await client.query(
    `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state,
                                next_attempt_at, last_error, received_at, processed_at)
     select state, 'QBO', state, '', '', '', '', 'null', state, '2026-11-02', 'It is not an event.', '2026-11-02', processed_at
     from (values ('IGNORED', null), ('DONE', '2026-11-03'::timestamptz), ('RECEIVED', null), ('DEAD', null))
       as event (state, processed_at)`,
  );

  await migrateDatabase(databaseUrl);

  const { rows } = await client.query(
    'select state, processed_at::date::text as day from webhook_event order by state',
  );
  expect(rows).toEqual([
    { state: 'DEAD', day: null },
    { state: 'DONE', day: '2026-11-03' },
    { state: 'IGNORED', day: '2026-11-02' },
    { state: 'RECEIVED', day: null },
  ]);
});
