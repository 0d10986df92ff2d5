import pg from 'pg';
import { migrateDatabase } from '../../../src/infrastructure/database/migrate.js';

export const CONFERENCE_ID = `conf_${'0'.repeat(31)}1`;

/** The id of the order that was created as the n-th. */
export function orderId(number: number): string {
  return `po_${number.toString(16).padStart(32, '0')}`;
}

export interface BenchDatabase {
  readonly url: string;
}

/**
 * A database of this name with so many orders of one conference, as the use cases would have left them: each with three
 * lines, two of three with payments, some of which are reversed, some with a credit note.
 */
export async function seedDatabase(serverUrl: string, name: string, orders: number): Promise<BenchDatabase> {
  const database = await createDatabase(serverUrl, name);
  await migrateDatabase(database.url);
  await load(database.url, orders);
  return database;
}

export async function createDatabase(serverUrl: string, name: string): Promise<BenchDatabase> {
  await query(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href };
}

export async function dropDatabase(serverUrl: string, { url }: BenchDatabase): Promise<void> {
  await query(serverUrl, `drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
}

export async function query<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

async function load(url: string, orders: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Foreign keys and triggers are not asked a million times about what holds by construction.
    await client.query('set session_replication_role = replica');
    await client.query('set synchronous_commit = off');
    await client.query("set maintenance_work_mem = '512MB'");
    const indexes = await dropIndexes(client);
    await client.query(CONFERENCE);
    await client.query(PLANS, [orders]);
    for (const statement of [ORDERS, LINES, PAYMENTS, REVERSALS, CREDIT_NOTES, INVOICES]) await client.query(statement);
    for (const definition of indexes) await client.query(definition);
    await client.query('drop table plan');
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

/** Building an index at the end takes a tenth of filling it row by row. Returns what makes them anew. */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index join pg_class on pg_class.oid = indrelid
     where relname in ('purchase_order', 'payment')
       and not exists (select from pg_constraint where conindid = indexrelid)`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition);
}

const CONFERENCE = `
  insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
  values ('${CONFERENCE_ID}', 'bench', 'Benchmark Conference', 'UTC', 'USD', '2025-01-01', '2025-01-01')`;

const idOf = (prefix: string, number: string) => `'${prefix}_' || lpad(to_hex(${number}), 32, '0')`;

/** What each order is made of, told by its number. */
const PLANS = `
  create temp table plan as
  select number, ${idOf('po', 'number')} as order_id, created_at, total, first_payment, second_payment,
         is_second_reversed, credit, first_payment + case when is_second_reversed then 0 else second_payment end as paid
  from (
    select number, created_at, total,
           case when number % 3 = 0 then 0 else total / 2 end as first_payment,
           case when number % 3 = 2 then total - total / 2 else 0 end as second_payment,
           number % 3 = 2 and number % 20 = 2 as is_second_reversed,
           case when number % 30 = 0 then 1000 else 0 end as credit
    from (
      select number, timestamptz '2025-01-01' + number * interval '1 second' as created_at,
             (10000 + number % 500 * 100) * (1 + number % 3) + 2 * 5000 + 2500 * (1 + number % 4) as total
      from generate_series(1, $1::bigint) as number) as priced) as planned`;

/** Stored sums are filled here, where no trigger does. */
const ORDERS = `
  insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email, contact_name,
    billing_address, notes, buyer_reference, currency_code, due_date, total_minor, paid_minor, credited_minor,
    is_invoiced, sent_at, created_at, updated_at)
  select order_id, '${CONFERENCE_ID}', 'PO-' || lpad(upper(to_hex(number)), 6, '0'),
    case when total = paid + credit then 'PAID' when paid > 0 then 'PARTIALLY_PAID' else 'SENT' end,
    'Organisation ' || number % 1000, 'payables@organisation-' || number % 1000 || '.example', 'Kim Example',
    E'1 Example Street\\nExampleton', '', '45' || lpad(number::text, 8, '0'), 'USD',
    (created_at + interval '30 days')::date, total, paid, credit, number <= 1000,
    created_at, created_at, created_at
  from plan order by number`;

const LINES = `
  insert into line_item (id, purchase_order_id, position, description, quantity, unit_price_minor, line_total_minor)
  select ${idOf('line', '4 * number + position')}, order_id, position, description, quantity, price, price * quantity
  from plan cross join lateral (values
    (0, 'Conference ticket', (1 + number % 3)::int, 10000 + number % 500 * 100),
    (1, 'Workshop', 2, 5000),
    (2, 'Dinner', (1 + number % 4)::int, 2500)) as line (position, description, quantity, price)
  order by number, position`;

const PAYMENTS = `
  insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note, recorded_by, created_at)
  select ${idOf('pay', '2 * number + nth')}, order_id, amount, 'WIRE', 'MANUAL', 'W-' || number || '-' || nth,
    (created_at + (nth + 1) * interval '1 day')::date, '', 'bench', created_at + (nth + 1) * interval '1 day'
  from plan cross join lateral (values (0, first_payment), (1, second_payment)) as part (nth, amount)
  where amount > 0 order by number, nth`;

const REVERSALS = `
  insert into payment_reversal (id, payment_id, reason, reversed_by, created_at)
  select ${idOf('rev', 'number')}, ${idOf('pay', '2 * number + 1')}, 'Entered twice', 'bench', created_at + interval '3 days'
  from plan where is_second_reversed order by number`;

const CREDIT_NOTES = `
  insert into credit_note (id, purchase_order_id, amount_minor, reason, source, issued_by, created_at)
  select ${idOf('cn', 'number')}, order_id, credit, 'Late start', 'MANUAL', 'bench', created_at + interval '2 days'
  from plan where credit > 0 order by number`;

/** Of a thousand orders: enough to read single ones with everything about them. */
const INVOICES = `
  insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, number, url, currency_code,
    total_minor, balance_minor, sync_token, email_status, last_synced_at, created_at, updated_at)
  select ${idOf('inv', 'number')}, order_id, 'QBO', '1', 'OPEN', number::text, (1000 + number)::text,
    'https://qbo.example/' || number, 'USD', total, total, '0', 'SENT', created_at, created_at, created_at
  from plan where number <= 1000 order by number`;
