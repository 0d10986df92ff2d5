import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Actor } from '../../../src/application/context.js';
import {
  countPurchaseOrders,
  type ListPurchaseOrders,
  listPurchaseOrders,
} from '../../../src/application/queries/list-purchase-orders.js';
import type { PurchaseOrderFilter } from '../../../src/application/queries/purchase-order-filter.js';
import { ALL_GRANTS, ConferenceRole, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { readings } from './plans.js';

const SMALL_CONFERENCES = 50;
const IN_EACH = 200;
/** Of two more. */
const IN_LARGE = 5_000;
const ORDERS = SMALL_CONFERENCES * IN_EACH + 2 * IN_LARGE;

const key = { id: 'key', name: 'key', kind: ActorKind.API_KEY };
const administrator: Actor = { ...key, grants: ALL_GRANTS };
const ofTwenty: Actor = {
  ...key,
  grants: {
    ...NO_GRANTS,
    roles: new Map(Array.from({ length: 20 }, (_, n) => [`conf_${n}`, ConferenceRole.VIEWER] as const)),
  },
};

let database: TestDatabase;
let orm: MikroORM;

/** Orders of many conferences, of which nearly all are invoiced and paid. */
beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  await sql(`insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
    select 'conf_' || n, 'c' || n, 'Conference', 'UTC', 'USD', now(), now()
    from generate_series(0, ${SMALL_CONFERENCES + 1}) n`);
  await sql(`insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email,
      contact_name, billing_address, notes, buyer_reference, currency_code, due_date, total_minor, is_invoiced, sent_at,
      created_at, updated_at)
    select 'po_' || lpad(n::text, 6, '0'),
      'conf_' || case when n < ${2 * IN_LARGE} then ${SMALL_CONFERENCES} + n % 2 else n % ${SMALL_CONFERENCES} end,
      'PO-' || lpad(n::text, 6, '0'), case when n / 52 % 100 = 7 then 'SENT' else 'PAID' end, 'Acme ' || n * 31 % 2000,
      'payables@buyer' || n * 7919 % 1000 || '.example', '', '', '', '', 'USD', date '2026-01-01' + n * 7919 % 200, 100,
      n / 52 % 100 <> 8, now(), timestamptz '2024-01-01' + n * 7919 % ${ORDERS} * interval '1 hour',
      timestamptz '2026-01-01' + n * 31 % 9000 * interval '1 minute'
    from generate_series(0, ${ORDERS - 1}) n`);
  await sql('vacuum analyze');
}, 120_000);

afterAll(async () => {
  await orm.close();
  await database.drop();
});

async function sql<Row extends object>(text: string): Promise<Row[]> {
  return orm.em.fork().execute<Row[]>(text);
}

const FIELDS = ['CREATED_AT', 'UPDATED_AT', 'REFERENCE', 'ORGANIZATION_NAME', 'DUE_DATE'] as const;

describe('a search over many conferences', () => {
  const EXPECTED = "contact_email = 'payables@buyer123.example'";

  test.each([
    ['an administrator', administrator, 'true'],
    ['a key with twenty roles', ofTwenty, 'substr(conference_id, 6)::int < 20'],
  ])('of %s for few looks into their index once, and reads these alone', async (_who, actor, scope) => {
    const rows = await sql<{ id: string }>(`select id from purchase_order where ${EXPECTED} and ${scope} order by id`);
    for (const field of FIELDS) {
      const request: ListPurchaseOrders = { filter: { search: 'BUYER123.' }, orderBy: { field, direction: 'ASC' } };
      const found = await listPurchaseOrders(orm.em.fork(), actor, { ...request, first: 100 });
      expect(found.items.map(({ item }) => item.view.id).sort()).toEqual(rows.map(({ id }) => id));
      const {
        steps,
        ofTable,
        rows: read,
      } = await readings(orm.em.fork(), 'purchase_order', (em) => listPurchaseOrders(em, actor, request));
      const lookups = steps.filter((step) => step['Index Name'] === 'purchase_order_search_index');
      // Once to count them, once to read them.
      expect(lookups.map((step) => step['Actual Loops'])).toEqual([1, 1]);
      expect(ofTable.map((step) => step['Node Type'])).not.toContain('Seq Scan');
      expect(read).toBeLessThan(100);
    }
    const { steps } = await readings(orm.em.fork(), 'purchase_order', (em) =>
      countPurchaseOrders(em, actor, { filter: { search: 'BUYER123.' } }),
    );
    expect(steps.filter((step) => step['Index Name'] === 'purchase_order_search_index')).toHaveLength(1);
    expect(Math.max(...steps.map((step) => step['Actual Loops']))).toBeLessThanOrEqual(rows.length);
  });

  test('for many reads a page of each conference, after a look at as many as tell that they are many', async () => {
    const request: ListPurchaseOrders = { filter: { search: 'acme' }, first: 20 };
    const { rows } = await readings(orm.em.fork(), 'purchase_order', (em) =>
      listPurchaseOrders(em, administrator, request),
    );
    expect(rows).toBe(2_501 + 21 * (SMALL_CONFERENCES + 2));
    const newest = await sql<{ id: string }>(
      'select id from purchase_order order by created_at desc, id desc limit 20',
    );
    const found = await listPurchaseOrders(orm.em.fork(), administrator, request);
    expect(found.items.map(({ item }) => item.view.id)).toEqual(newest.map(({ id }) => id));
  });

  test('pages through what it finds, few or many, each order once', async () => {
    for (const [search, total] of [
      ['buyer12', 220],
      ['acme', ORDERS],
    ] as const) {
      const request: ListPurchaseOrders = {
        filter: { search },
        first: 90,
        orderBy: { field: 'REFERENCE', direction: 'ASC' },
      };
      const first = await listPurchaseOrders(orm.em.fork(), administrator, request);
      const after = first.items.at(-1)?.cursor ?? null;
      const second = await listPurchaseOrders(orm.em.fork(), administrator, { ...request, after });
      const rows = await sql<{ id: string }>(`select id from purchase_order
        where contact_email || lower(organization_name) like '%${search}%' order by reference limit 180`);
      expect([...first.items, ...second.items].map(({ item }) => item.view.id)).toEqual(rows.map(({ id }) => id));
      expect(await countPurchaseOrders(orm.em.fork(), administrator, request)).toBe(total);
    }
  });
});

describe('what is rare among the orders of a conference is found in an index, in every order', () => {
  const read = (filter: PurchaseOrderFilter, field: (typeof FIELDS)[number]) =>
    readings(orm.em.fork(), 'purchase_order', (em) =>
      listPurchaseOrders(em, administrator, {
        conferenceId: `conf_${SMALL_CONFERENCES}`,
        filter,
        orderBy: { field, direction: 'DESC' },
      }),
    );

  async function expectFewRead(filter: PurchaseOrderFilter): Promise<void> {
    for (const field of FIELDS) {
      const { ofTable, rows } = await read(filter, field);
      expect(ofTable.map((step) => step['Node Type'])).not.toContain('Seq Scan');
      // 52 of 5,000 are such ones.
      expect(rows).toBeLessThanOrEqual(52);
    }
  }

  test.each([
    ['not invoiced', { isInvoiced: false }],
    ['unpaid', { isUnpaid: true }],
    ['overdue', { isOverdue: true }],
  ])('%s', async (_what, filter) => expectFewRead(filter));

  describe('and the opposite, where that is rare', () => {
    beforeAll(async () => {
      await sql(`update purchase_order set is_invoiced = not is_invoiced, due_date = '2026-01-01',
        status = case status when 'PAID' then 'SENT' else 'PAID' end`);
      await sql('vacuum analyze');
    }, 60_000);

    test.each([
      ['invoiced', { isInvoiced: true }],
      ['not unpaid', { isUnpaid: false }],
    ])('%s', async (_what, filter) => expectFewRead(filter));
  });
});
