import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Actor } from '../../../src/application/context.js';
import {
  countPurchaseOrders,
  type ListPurchaseOrders,
  listPurchaseOrders,
  type PurchaseOrderOrder,
} from '../../../src/application/queries/list-purchase-orders.js';
import { PageRequestError } from '../../../src/application/queries/page.js';
import type { PurchaseOrderFilter } from '../../../src/application/queries/purchase-order-filter.js';
import { ALL_GRANTS, ConferenceRole, type Grants, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { PurchaseOrderStatus } from '../../../src/domain/purchase-order/purchase-order.status.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { type Plan, readings as plansOf } from './plans.js';

const CONFERENCES = 4;
const ORDERS = 20_000;
const OF_CONFERENCE = ORDERS / CONFERENCES;

let database: TestDatabase;
let orm: MikroORM;

/** Twenty thousand orders of four conferences, most of them paid long ago, as in a database that is some years old. */
beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  await sql(`insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
    select 'conf_' || n, 'c' || n, 'Conference', case n when 0 then 'Pacific/Kiritimati' else 'Pacific/Pago_Pago' end,
      'USD', now(), now() from generate_series(0, ${CONFERENCES - 1}) n`);
  await sql(`insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email,
      contact_name, billing_address, notes, buyer_reference, currency_code, due_date, total_minor, sent_at, cancelled_at,
      created_at, updated_at)
    select 'po_' || lpad(n::text, 6, '0'), 'conf_' || n % ${CONFERENCES}, 'PO-' || lpad(n::text, 6, '0'),
      case when n % 500 = 0 then 'OVERPAID' when n % 100 = 1 then 'CANCELLED' when n % 20 < 2 then 'SENT'
        when n % 20 = 2 then 'PARTIALLY_PAID' when n % 20 = 3 then 'DRAFT' else 'PAID' end,
      case when n % 3 = 0 then 'ACME ' else 'Acme ' end || n % 700, 'payables@buyer' || n % 900 || '.example', '', '', '',
      case when n % 50 = 7 then 'Ref/' || n else '' end, case when n % 10 < 8 then 'USD' else 'JPY' end,
      case when n % 5 > 0 then date '2026-01-01' + n % 1000 end, 1000 + n * 7919 % 100000, now(),
      case when n % 500 > 0 and n % 100 = 1 then now() end,
      timestamptz '2024-01-01' + n / 3 * interval '1 hour', timestamptz '2026-01-01' + n * 7 % 9000 * interval '1 minute'
    from generate_series(0, ${ORDERS - 1}) n`);
  await sql(`update purchase_order set paid_minor = case status when 'PAID' then total_minor when 'OVERPAID' then
    total_minor + 5 when 'PARTIALLY_PAID' then total_minor / 2 else 0 end`);
  await sql(`insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, currency_code,
      total_minor, balance_minor, created_at, updated_at)
    select 'inv_' || id, id, 'QBO', '1', case when substr(id, 4)::int % 7 = 4 then 'VOIDED' else 'OPEN' end, id, currency_code,
      total_minor, 0, created_at, created_at from purchase_order where substr(id, 4)::int % 7 in (0, 2, 4, 6)`);
  await sql('vacuum analyze');
}, 120_000);

afterAll(async () => {
  await orm.close();
  await database.drop();
});

async function sql<Row extends object>(text: string): Promise<Row[]> {
  return orm.em.fork().execute<Row[]>(text);
}

const actorWith = (grants: Grants): Actor => ({ id: 'key', name: 'key', kind: ActorKind.API_KEY, grants });
const everybody = actorWith(ALL_GRANTS);

function list(request: ListPurchaseOrders, actor = everybody) {
  return listPurchaseOrders(orm.em.fork(), actor, request);
}

async function idsOf(request: ListPurchaseOrders, actor = everybody): Promise<string[]> {
  return (await list(request, actor)).items.map(({ item }) => item.view.id);
}

/** Every page of a list, and what all of them have together. */
async function allIds(request: ListPurchaseOrders, direction: 'forward' | 'backward'): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await list(
      direction === 'forward'
        ? { ...request, first: 97, after: cursor ?? null }
        : { ...request, last: 97, before: cursor ?? null },
    );
    const found = page.items.map(({ item }) => item.view.id);
    if (direction === 'forward') ids.push(...found);
    else ids.unshift(...found);
    if (!(direction === 'forward' ? page.hasNextPage : page.hasPreviousPage)) return ids;
    cursor = page.items.at(direction === 'forward' ? -1 : 0)?.cursor;
  }
}

const DUE = "coalesce(due_date, 'infinity')";
const ORDERINGS: [PurchaseOrderOrder['field'], string][] = [
  ['CREATED_AT', 'created_at'],
  ['UPDATED_AT', 'updated_at'],
  ['REFERENCE', 'reference'],
  ['ORGANIZATION_NAME', 'lower(organization_name)'],
  ['DUE_DATE', DUE],
  ['TOTAL', 'total_minor'],
  ['BALANCE', 'balance_minor'],
];

describe('an ordering', () => {
  test.each(ORDERINGS)(
    '%s has every order once, forwards and backwards, whatever values repeat',
    async (field, column) => {
      const filter = { currencyCode: 'JPY', dueTo: '2026-12-31' };
      const request = { conferenceId: 'conf_0', filter, orderBy: { field, direction: 'ASC' as const } };
      const rows = await sql<{ id: string }>(`select id from purchase_order where conference_id = 'conf_0'
      and currency_code = 'JPY' and due_date <= '2026-12-31' order by ${column}, id`);
      const expected = rows.map(({ id }) => id);
      expect(expected.length).toBeGreaterThan(200);
      expect(await allIds(request, 'forward')).toEqual(expected);
      expect(await allIds(request, 'backward')).toEqual(expected);
      const descending = { ...request, orderBy: { field, direction: 'DESC' as const } };
      expect(await allIds(descending, 'forward')).toEqual(expected.toReversed());
    },
  );

  test('by due date has orders without one last, and pages through them', async () => {
    const filter = { organizationName: 'acme 12' };
    const request = { filter, orderBy: { field: 'DUE_DATE', direction: 'ASC' } as const };
    const rows = await sql<{ id: string }>(
      `select id from purchase_order where organization_name in ('Acme 12', 'ACME 12') order by due_date nulls last, id`,
    );
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof list>> = await list({ ...request, first: 2, after });
      ids.push(...page.items.map(({ item }) => item.view.id));
      if (!page.hasNextPage) break;
      after = page.items.at(-1)?.cursor ?? null;
    }
    expect(ids).toEqual(rows.map(({ id }) => id));
  });

  test.each(ORDERINGS)('%s of all conferences is merged from theirs', async (field, column) => {
    const rows = await sql<{ id: string }>(
      `select id from purchase_order where currency_code = 'USD' order by ${column}, id limit 100`,
    );
    const orderBy = { field, direction: 'ASC' } as const;
    expect(await idsOf({ first: 100, filter: { currencyCode: 'USD' }, orderBy })).toEqual(rows.map(({ id }) => id));
  });

  test.each(ORDERINGS)('refuses the cursors of every other one: %s', async (field) => {
    const filter = { currencyCode: 'USD' };
    const page = await list({ first: 1, filter, orderBy: { field, direction: 'ASC' } });
    const after = String(page.items[0]?.cursor);
    for (const [other] of ORDERINGS.filter(([name]) => name !== field)) {
      const request = { filter, after, orderBy: { field: other, direction: 'ASC' as const } };
      await expect(list(request)).rejects.toThrow(
        new PageRequestError('This cursor belongs to a list in another order.'),
      );
    }
  });

  test.each([
    ['CREATED_AT', '2026-02-30T00:00:00.000Z'],
    ['UPDATED_AT', '0000-01-01T00:00:00.000Z'],
    ['UPDATED_AT', 'infinity'],
    ['DUE_DATE', '2026-02-30'],
    ['DUE_DATE', '-infinity'],
    ['DUE_DATE', ''],
    ['TOTAL', '1.5'],
    ['TOTAL', '9'.repeat(19)],
    ['BALANCE', '1; drop table payment'],
    ['BALANCE', ''],
    ['ORGANIZATION_NAME', 'a\u0000b'],
    ['REFERENCE', ''],
  ] as const)('%s refuses a forged cursor with %j', async (field, value) => {
    const after = Buffer.from(JSON.stringify([1, value, 'po_1', field])).toString('base64url');
    const request = { filter: { currencyCode: 'USD' }, after, orderBy: { field, direction: 'ASC' as const } };
    await expect(list(request)).rejects.toThrow(PageRequestError);
  });

  test.each(['TOTAL', 'BALANCE'] as const)('by %s is refused without a currency', async (field) => {
    await expect(list({ orderBy: { field, direction: 'ASC' } })).rejects.toThrow(
      `To sort by ${field}, filter by "currencyCode": other currencies do not compare.`,
    );
  });
});

test.each(['first', 'last'] as const)(
  'a page (%s) has the conference of each order, once for those in a row',
  async (end) => {
    const orderBy = { field: 'ORGANIZATION_NAME', direction: 'ASC' } as const;
    const request = { [end]: 100, orderBy };
    const { items } = await listPurchaseOrders(orm.em.fork(), everybody, request, new Set(['conference']));
    const orders = end === 'last' ? items.toReversed() : items;
    const ids = orders.map(({ item }) => item.view.conferenceId);
    expect(new Set(ids).size).toBeGreaterThan(1);
    const told = orders.map(({ item }) => item.relations.conference?.id ?? null);
    expect(told).toEqual(ids.map((id, index) => (id === ids[index - 1] ? null : id)));
  },
);

const { SENT, OVERPAID, PAID } = PurchaseOrderStatus;
const TODAY = '(now() at time zone (select timezone from conference where conference.id = conference_id))::date';

/** Each filter, and the same said in SQL. */
const FILTERS: [name: string, PurchaseOrderFilter, condition: string][] = [
  ['a rare status', { statusIn: [OVERPAID] }, "status = 'OVERPAID'"],
  ['a usual status', { statusIn: [PAID] }, "status = 'PAID'"],
  ['several statuses', { statusIn: [OVERPAID, SENT] }, "status in ('OVERPAID', 'SENT')"],
  ['a search for few', { search: 'BUYER123.example' }, "contact_email = 'payables@buyer123.example'"],
  ['a search for many', { search: 'acme' }, 'true'],
  ['a search in references', { search: '-001234' }, "reference = 'PO-001234'"],
  ["a search in the buyer's references", { search: 'ref/107' }, "buyer_reference like 'Ref/107%'"],
  ['an organisation', { organizationName: 'aCME 77' }, "lower(organization_name) = 'acme 77'"],
  ['a reference', { reference: 'po-000123' }, "reference = 'PO-000123'"],
  ["a buyer's reference", { buyerReference: 'REF/1007' }, "buyer_reference = 'Ref/1007'"],
  ['a currency', { currencyCode: 'JPY' }, "currency_code = 'JPY'"],
  [
    'totals',
    { currencyCode: 'USD', totalMin: '1005.00', totalMax: '1006.10' },
    "currency_code = 'USD' and total_minor between 100500 and 100610",
  ],
  ['totals in yen', { currencyCode: 'JPY', totalMin: '100900' }, "currency_code = 'JPY' and total_minor >= 100900"],
  ['balances', { currencyCode: 'USD', balanceMin: '900.00' }, "currency_code = 'USD' and balance_minor >= 90000"],
  ['negative balances', { currencyCode: 'USD', balanceMax: '-0.01' }, "currency_code = 'USD' and balance_minor < 0"],
  [
    'times of creation',
    { createdFrom: new Date('2024-02-01T00:00:00Z'), createdBefore: new Date('2024-02-02T00:00:00Z') },
    "created_at >= '2024-02-01Z' and created_at < '2024-02-02Z'",
  ],
  ['due days', { dueFrom: '2026-03-01', dueTo: '2026-03-02' }, "due_date between '2026-03-01' and '2026-03-02'"],
  ['the first due day', { dueFrom: '2028-09-20' }, "due_date >= '2028-09-20'"],
  [
    'invoiced ones',
    { isInvoiced: true },
    "exists (select from invoice where purchase_order_id = purchase_order.id and invoice.status = 'OPEN')",
  ],
  [
    'ones that are not invoiced',
    { isInvoiced: false },
    "not exists (select from invoice where purchase_order_id = purchase_order.id and invoice.status = 'OPEN')",
  ],
  ['unpaid ones', { isUnpaid: true }, "balance_minor > 0 and status not in ('CANCELLED', 'DRAFT')"],
  ['ones that are not unpaid', { isUnpaid: false }, "balance_minor <= 0 or status in ('CANCELLED', 'DRAFT')"],
  [
    'overdue ones',
    { isOverdue: true },
    `balance_minor > 0 and status not in ('CANCELLED', 'DRAFT') and due_date < ${TODAY}`,
  ],
  [
    'ones that are not overdue',
    { isOverdue: false },
    `not (balance_minor > 0 and status not in ('CANCELLED', 'DRAFT') and coalesce(due_date, 'infinity') < ${TODAY})`,
  ],
  [
    'everything given together',
    { statusIn: [SENT], isInvoiced: true, currencyCode: 'USD', search: 'ACME', dueTo: '2027-01-01' },
    "status = 'SENT' and substr(id, 4)::int % 7 in (0, 2, 6) and currency_code = 'USD' and due_date <= '2027-01-01'",
  ],
];

describe('a filter', () => {
  test.each(FILTERS)('for %s finds exactly those', async (_name, filter, condition) => {
    for (const [conferenceId, scope] of [
      ['conf_1', "conference_id = 'conf_1'"],
      [null, 'true'],
    ] as const) {
      const rows = await sql<{ id: string }>(
        `select id from purchase_order where ${scope} and (${condition}) order by created_at desc, id desc`,
      );
      const expected = rows.map(({ id }) => id);
      expect(await idsOf({ conferenceId, filter, first: 100 })).toEqual(expected.slice(0, 100));
      expect(await countPurchaseOrders(orm.em.fork(), everybody, { conferenceId, filter })).toBe(expected.length);
    }
  });

  test('that is empty or null is none', async () => {
    const every = (filter: PurchaseOrderFilter) => countPurchaseOrders(orm.em.fork(), everybody, { filter });
    expect(await every({ search: '', reference: null, isUnpaid: null })).toBe(ORDERS);
    expect(await every({ statusIn: [] })).toBe(0);
  });

  test.each([
    [{ totalMin: '1.00' }, '"totalMin" needs "currencyCode": an amount means nothing without it.'],
    [
      { balanceMax: '1.00', currencyCode: 'XXX' },
      '"balanceMax" needs "currencyCode": an amount means nothing without it.',
    ],
    [{ totalMax: '1.005', currencyCode: 'USD' }, '"totalMax" has more decimals than its currency.'],
    [{ totalMax: '1.0', currencyCode: 'JPY' }, '"totalMax" has more decimals than its currency.'],
    [{ balanceMin: '12345678901234.00', currencyCode: 'USD' }, '"balanceMin" has more than 15 digits.'],
    [{ balanceMin: 'NaN', currencyCode: 'USD' }, '"balanceMin" is not a decimal number.'],
    [{ dueFrom: '2026-02-30' }, '"dueFrom" is not a day of the calendar.'],
    [{ dueTo: '0000-01-01' }, '"dueTo" is not a day of the calendar.'],
    [{ createdFrom: new Date('0000-01-01T00:00:00Z') }, '"createdFrom" is not a time between the years 1 and 9999.'],
    [{ search: 'x'.repeat(301) }, '"search" can have 300 characters at most.'],
  ])('%j is refused in words', async (filter, message) => {
    await expect(list({ filter })).rejects.toThrow(new PageRequestError(message));
    await expect(countPurchaseOrders(orm.em.fork(), everybody, { filter })).rejects.toThrow(PageRequestError);
  });
});

describe('who sees what', () => {
  const viewer = actorWith({
    ...NO_GRANTS,
    roles: new Map([
      ['conf_2', ConferenceRole.VIEWER],
      ['conf_3', ConferenceRole.FINANCE],
    ]),
  });
  const portal = actorWith({ ...NO_GRANTS, purchaseOrderId: 'po_000123' });

  test('a viewer sees the orders of its conferences, whatever it asks for', async () => {
    const count = (request: ListPurchaseOrders) => countPurchaseOrders(orm.em.fork(), viewer, request);
    expect(await count({})).toBe(2 * OF_CONFERENCE);
    expect(await count({ conferenceId: 'conf_1' })).toBe(0);
    expect(await idsOf({ conferenceId: 'conf_1' }, viewer)).toEqual([]);
    const rows = await sql<{ id: string }>(`select id from purchase_order where conference_id in ('conf_2', 'conf_3')
      order by updated_at, id limit 20`);
    expect(await idsOf({ orderBy: { field: 'UPDATED_AT', direction: 'ASC' } }, viewer)).toEqual(
      rows.map(({ id }) => id),
    );
  });

  test('a portal sees its order alone, and nobody sees nothing', async () => {
    expect(await idsOf({}, portal)).toEqual(['po_000123']);
    expect(await idsOf({ filter: { reference: 'PO-000124' } }, portal)).toEqual([]);
    expect(await countPurchaseOrders(orm.em.fork(), portal, {})).toBe(1);
    expect(await idsOf({}, actorWith(NO_GRANTS))).toEqual([]);
  });
});

/** The steps that read orders, and how many rows of them they looked at. */
async function readings(request: ListPurchaseOrders): Promise<{ steps: readonly Plan[]; rows: number }> {
  const { ofTable, rows } = await plansOf(orm.em.fork(), 'purchase_order', (em) =>
    listPurchaseOrders(em, everybody, request),
  );
  return { steps: ofTable, rows };
}

describe('indexes: no list reads a table from its beginning to its end', () => {
  test.each(ORDERINGS)('%s reads the rows of a page, not those of its conference', async (field) => {
    for (const direction of ['ASC', 'DESC'] as const) {
      const filter = field === 'TOTAL' || field === 'BALANCE' ? { currencyCode: 'USD' } : {};
      const request = { conferenceId: 'conf_1', first: 20, filter, orderBy: { field, direction } };
      const deep = { ...request, after: (await list({ ...request, first: 100 })).items.at(-1)?.cursor ?? null };
      for (const each of [request, deep]) {
        const { steps: found, rows } = await readings(each);
        expect(found.map((step) => step['Node Type'])).toEqual([expect.stringMatching(/^Index (Only )?Scan$/)]);
        expect(rows).toBe(21);
      }
    }
  });

  test.each(ORDERINGS)('%s of all conferences reads a page of each', async (field) => {
    const filter = field === 'TOTAL' || field === 'BALANCE' ? { currencyCode: 'USD' } : {};
    const { rows } = await readings({ first: 20, filter, orderBy: { field, direction: 'ASC' } });
    expect(rows).toBe(21 * CONFERENCES);
  });

  test.each(FILTERS)('%s are found in an index, in every order', async (_name, filter) => {
    for (const [field] of ORDERINGS) {
      if ((field === 'TOTAL' || field === 'BALANCE') && filter.currencyCode === undefined) continue;
      const request = { conferenceId: 'conf_1', first: 20, filter, orderBy: { field, direction: 'ASC' as const } };
      const { steps: found, rows } = await readings(request);
      expect(found.map((step) => step['Node Type'])).not.toContain('Seq Scan');
      // Few that an order scatters: PostgreSQL reads and sorts them, or walks the order until the page is full.
      expect(rows).toBeLessThan(OF_CONFERENCE);
    }
  });
});
