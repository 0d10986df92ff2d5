import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { verifyAuditChains } from '../../src/application/verify-audit-chains.js';
import { DatabaseProblem, databaseProblem } from '../../src/infrastructure/database/database-problem.js';
import { migrateDatabase } from '../../src/infrastructure/database/migrate.js';
import { openOrm } from '../../src/infrastructure/database/orm.js';
import { dropWhenLeft } from '../support/database.js';

let name: string;
let server: pg.Client;
let client: pg.Client;
let databaseUrl: string;

beforeEach(async () => {
  name = `test_migrations_${randomBytes(6).toString('hex')}`;
  const url = new URL(String(process.env.TEST_SERVER_URL));
  server = new pg.Client({ connectionString: url.href });
  await server.connect();
  await server.query(`create database ${name}`);
  url.pathname = `/${name}`;
  databaseUrl = url.href;
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await server.end();
  await dropWhenLeft(String(process.env.TEST_SERVER_URL), name);
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

test('an operation that waited for its next look is free for who asks, and a repeated e-mail counts as sent last', async () => {
  await migrateTo('0006-webhook-event-states');
  await client.query(
    `insert into qbo_connection (id, environment, realm_id, company_name, status, simulated, access_token, refresh_token,
                                 access_token_expires_at, created_at, updated_at)
     values ('conn', 'SANDBOX', '1', '', 'CONNECTED', true, '', '', '2026-11-02', '2026-11-02', '2026-11-02')`,
  );
  await client.query(
    `insert into provider_operation (id, kind, subject, generation, connection_id, state, body, lease_until, attempts,
                                     first_sent_at, created_at, updated_at)
     select subject, 'SEND_INVOICE', subject, 1, 'conn', state, '', lease_until::timestamptz, attempts,
            '2026-11-02T12:00Z', '2026-11-02T12:00Z', '2026-11-02T12:10Z'
     from (values ('waiting', 'UNKNOWN', '2026-11-02T12:20Z', 1), ('repeated', 'UNKNOWN', '2026-11-02T12:10Z', 2),
                  ('in flight', 'IN_FLIGHT', '2026-11-02T12:13Z', 1), ('given up', 'REFUSED', '2026-11-02T12:10Z', 2))
       as operation (subject, state, lease_until, attempts)`,
  );

  await migrateDatabase(databaseUrl);

  const { rows } = await client.query(
    `select subject, to_char(lease_until at time zone 'UTC', 'HH24:MI') as lease,
            to_char(resume_at at time zone 'UTC', 'HH24:MI') as resume,
            to_char(last_sent_at at time zone 'UTC', 'HH24:MI') as sent
     from provider_operation order by subject`,
  );
  expect(rows).toEqual([
    { subject: 'given up', lease: '12:10', resume: null, sent: null },
    { subject: 'in flight', lease: '12:13', resume: null, sent: '12:00' },
    { subject: 'repeated', lease: '12:10', resume: '12:10', sent: '12:10' },
    { subject: 'waiting', lease: '12:13', resume: '12:20', sent: '12:00' },
  ]);
});

test('audit events of the time before chains get their places by their ids, and the chains are whole', async () => {
  await migrateTo('0013-customer-credit');
  await client.query("insert into api_key (id, name, key_hash, created_at) values ('key_1', 'office', 'h1', now())");
  await client.query(
    `insert into audit_event (id, actor, action, subject, before, after, occurred_at)
     select id, actor, case when id in ('aud_1', 'aud_2') then 'purchase_order.created' else 'payment.recorded' end, subject, null, '{"amount": "1.50"}', '2026-11-02T12:00:00.125Z'
     from (values ('aud_3', 'office', 'po_1'), ('aud_1', 'quickbooks', 'po_1'), ('aud_4', 'stripe', 'po_1'),
                  ('aud_2', 'nobody now', 'po_2'), ('aud_5', 'office', 'conf_1')) as event (id, actor, subject)`,
  );

  await migrateDatabase(databaseUrl);

  const { rows } = await client.query(
    'select id, actor_id as by, actor_kind as kind, subject, position, after, hash is not null as hashed from audit_event order by id',
  );
  const after = { amount: '1.50' };
  expect(rows).toEqual([
    { id: 'aud_1', by: 'system', kind: 'SYSTEM', subject: 'po_1', position: 1, after, hashed: true },
    { id: 'aud_2', by: 'unknown', kind: 'API_KEY', subject: 'po_2', position: 1, after, hashed: true },
    { id: 'aud_3', by: 'key_1', kind: 'API_KEY', subject: 'po_1', position: 2, after, hashed: true },
    { id: 'aud_4', by: 'system', kind: 'SYSTEM', subject: 'po_1', position: 3, after, hashed: true },
    { id: 'aud_5', by: 'key_1', kind: 'API_KEY', subject: 'conf_1', position: null, after, hashed: false },
  ]);
  const orm = await openOrm(databaseUrl);
  const report = await verifyAuditChains(orm.em, { until: [], onBroken: () => undefined });
  await orm.close();
  expect(report).toEqual({ chains: 2, events: 4, broken: 0, digests: [] });
});

test('orders that were booked on before the sums were stored get them, reversed bookings left out', async () => {
  await migrateTo('0013-customer-credit');
  await client.query(
    `insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
     values ('conf', 'c', 'C', 'UTC', 'USD', now(), now());
     insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email, contact_name,
       billing_address, notes, buyer_reference, currency_code, total_minor, created_at, updated_at)
     select id, 'conf', 'PO-00000' || right(id, 1), 'SENT', 'Acme', 'a@b.example', '', '', '', '', 'USD', 1000, now(), now()
     from (values ('po_1'), ('po_2')) as purchase_order (id);
     insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note, recorded_by, created_at)
     select id, 'po_1', amount, 'WIRE', 'MANUAL', '', now(), '', 'test', now()
     from (values ('pay_1', 300), ('pay_2', 50), ('pay_3', 7)) as payment (id, amount);
     insert into payment_reversal (id, payment_id, reason, reversed_by, created_at) values ('rev', 'pay_2', 'Mistake', 'test', now());
     insert into credit_note (id, purchase_order_id, amount_minor, source, reason, issued_by, created_at)
     values ('cn', 'po_1', 100, 'MANUAL', 'Goodwill', 'test', now())`,
  );

  await migrateDatabase(databaseUrl);

  const { rows } = await client.query(
    'select id, paid_minor::int as paid, credited_minor::int as credited, balance_minor::int as balance from purchase_order order by id',
  );
  expect(rows).toEqual([
    { id: 'po_1', paid: 307, credited: 100, balance: 593 },
    { id: 'po_2', paid: 0, credited: 0, balance: 1000 },
  ]);
});

test('orders that were invoiced before that was stored are marked, and nobody is told of a change', async () => {
  await migrateTo('0020-operation-requesters');
  await client.query(
    `insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
     values ('conf', 'c', 'C', 'UTC', 'USD', now(), now());
     insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email, contact_name,
       billing_address, notes, buyer_reference, currency_code, total_minor, created_at, updated_at)
     select id, 'conf', 'PO-00000' || right(id, 1), 'SENT', 'Acme', 'a@b.example', '', '', '', '', 'USD', 1000, now(), now()
     from (values ('po_1'), ('po_2'), ('po_3')) as purchase_order (id);
     insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, currency_code, total_minor,
       balance_minor, created_at, updated_at)
     select 'inv_' || number, id, 'QBO', '1', status, number, 'USD', 1000, 0, now(), now()
     from (values ('po_1', 'VOIDED', '1'), ('po_1', 'PAID', '2'), ('po_2', 'DELETED', '3')) as invoice (id, status, number);
     delete from purchase_order_change`,
  );

  await migrateDatabase(databaseUrl);

  const { rows } = await client.query('select id, is_invoiced from purchase_order order by id');
  expect(rows).toEqual([
    { id: 'po_1', is_invoiced: true },
    { id: 'po_2', is_invoiced: false },
    { id: 'po_3', is_invoiced: false },
  ]);
  expect((await client.query('select from purchase_order_change')).rowCount).toBe(0);
  await client.query("update purchase_order set notes = 'Changed' where id = 'po_3'");
  expect((await client.query('select from purchase_order_change')).rowCount).toBe(1);
});

test('a database that does not exist is not made, but said to be missing in one sentence', async () => {
  const mistyped = `${name}_mistyped`;
  const url = Object.assign(new URL(databaseUrl), { pathname: `/${mistyped}` });

  const problem = await migrateDatabase(url.href).then(() => undefined, databaseProblem);

  const { rowCount } = await server.query('select from pg_database where datname = $1', [mistyped]);
  await server.query(`drop database if exists ${mistyped} with (force)`);
  expect(problem).toBeInstanceOf(DatabaseProblem);
  expect(problem).toHaveProperty(
    'message',
    'The database of DATABASE_URL cannot be used: there is no database of that name, so create it or correct the name (3D000).',
  );
  expect(rowCount).toBe(0);
});

test('a user that may not create the extension of the search is told so in one sentence', async () => {
  const owner = `owner_${name}`;
  await server.query(`create role ${owner} login password 'secret'`);
  await server.query(`revoke create on database ${name} from public`);
  await client.query(`grant all on schema public to ${owner}`);
  const url = new URL(databaseUrl);
  url.username = owner;
  url.password = 'secret';

  const problem = await migrateDatabase(url.href).then(() => undefined, databaseProblem);

  await client.query(`drop owned by ${owner} cascade`);
  await server.query(`drop role ${owner}`);
  expect(problem).toBeInstanceOf(DatabaseProblem);
  expect(problem).toHaveProperty(
    'message',
    'The database of DATABASE_URL cannot be used: it lacks the extension pg_trgm, which its administrator has to create there (CI001).',
  );
});

test('API keys from before stay administrators, as if the configuration had brought them', async () => {
  await migrateTo('0013-customer-credit');
  await client.query(
    `insert into api_key (id, name, key_hash, created_at, revoked_at)
     values ('key_1', 'bootstrap', 'h1', '2026-11-02', null), ('key_2', 'former', 'h2', '2026-11-02', '2026-11-03')`,
  );

  await migrateDatabase(databaseUrl);

  await client.query(
    `insert into api_key (id, name, key_hash, prefix, kind, created_by, created_by_id, created_at)
     values ('key_3', 'bootstrap', 'h3', 'ci_12345678', 'ROLES', 'bootstrap', 'key_1', '2026-11-04')`,
  );
  const { rows } = await client.query('select id, prefix, kind, created_by, created_by_id from api_key order by id');
  expect(rows).toEqual([
    { id: 'key_1', prefix: '', kind: 'ADMINISTRATOR', created_by: 'system', created_by_id: 'system' },
    { id: 'key_2', prefix: '', kind: 'ADMINISTRATOR', created_by: 'system', created_by_id: 'system' },
    { id: 'key_3', prefix: 'ci_12345678', kind: 'ROLES', created_by: 'bootstrap', created_by_id: 'key_1' },
  ]);
  await expect(client.query("update api_key set created_by_id = 'system' where id = 'key_3'")).rejects.toThrow(
    'api_key_one_live_configured',
  );
});
