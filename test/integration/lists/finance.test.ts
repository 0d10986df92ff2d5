import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import fc from 'fast-check';
import { findCollected } from '../../../src/application/queries/collected.js';
import {
  countOutstanding,
  type ListOutstanding,
  listOutstanding,
} from '../../../src/application/queries/outstanding.js';
import { findReceivables, RECEIVABLE_AGES } from '../../../src/application/queries/receivables.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

let database: TestDatabase;
let orm: MikroORM;
const statements: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url, { debug: ['query'], colors: false, logger: (line) => void statements.push(line) });
  await sql(`insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at) values
    ('conf_a', 'a', 'A', 'Pacific/Kiritimati', 'USD', now(), now()),
    ('conf_b', 'b', 'B', 'UTC', 'USD', now(), now())`);
});

afterAll(async () => {
  await orm.close();
  await database.drop();
});

beforeEach(() => wipe());

/** Bookings are append-only, but for a test. */
async function wipe(): Promise<void> {
  await sql(
    'set session_replication_role = replica; truncate purchase_order cascade; set session_replication_role = origin',
  );
}

const em = () => orm.em.fork();

async function sql(text: string, params: unknown[] = []): Promise<Record<string, unknown>[]> {
  return em().execute(text, params);
}

interface Order {
  readonly conference?: string;
  readonly status: string;
  readonly total: number;
  readonly paid?: number;
  readonly credited?: number;
  readonly currency?: string;
  readonly due?: string | null;
  readonly sent?: string | null;
  readonly name?: string;
}

let orders = 0;

/** An order of which so much was paid and credited, as the use cases leave it. */
async function order(given: Order): Promise<string> {
  const {
    conference = 'conf_a',
    status,
    total,
    paid = 0,
    credited = 0,
    currency = 'USD',
    due = null,
    name = 'ACME',
  } = given;
  const { sent = '2026-11-01T12:00Z' } = given;
  orders += 1;
  const id = `po_${orders}`;
  await sql(
    `insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email, contact_name,
       billing_address, notes, buyer_reference, currency_code, due_date, total_minor, sent_at, cancelled_at, created_at,
       updated_at)
     values (?, ?, ?, ?, ?, 'a@b.example', '', '', '', '', ?, ?, ?, ?, case when ? = 'CANCELLED' then now() end,
       '2026-10-01T12:00Z'::timestamptz + ? * interval '1 second', now())`,
    [id, conference, `PO-${String(orders).padStart(6, '0')}`, status, name, currency, due, total, sent, status, orders],
  );
  if (paid > 0) await pay(id, paid);
  if (credited > 0) {
    await sql(
      `insert into credit_note (id, purchase_order_id, amount_minor, source, reason, issued_by, created_at)
       values (?, ?, ?, 'MANUAL', 'Goodwill', 'test', now())`,
      [`cn_${id}`, id, credited],
    );
  }
  return id;
}

let payments = 0;

async function pay(orderId: string, amount: number, { on = '2026-11-02', method = 'WIRE' } = {}): Promise<string> {
  payments += 1;
  const id = `pay_${payments}`;
  await sql(
    `insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note, recorded_by, created_at)
     values (?, ?, ?, ?, 'MANUAL', '', ?, '', 'test', now())`,
    [id, orderId, amount, method, on],
  );
  return id;
}

async function reverse(paymentId: string): Promise<void> {
  await sql(
    `insert into payment_reversal (id, payment_id, reason, reversed_by, created_at) values (?, ?, 'Mistake', 'test', now())`,
    [`rev_${paymentId}`, paymentId],
  );
}

/** `age count amount` of what is not empty, by currency. */
async function ages(conferenceId: string, asOf: string | null): Promise<Record<string, string[]>> {
  statements.length = 0;
  const found = await findReceivables(em(), conferenceId, asOf);
  expect(statements).toHaveLength(1);
  for (const { buckets } of found) expect(buckets.map(({ age }) => age)).toEqual(RECEIVABLE_AGES);
  return Object.fromEntries(
    found.map(({ currencyCode, count, totalMinor, buckets }) => [
      currencyCode,
      [
        `${count} ${totalMinor}`,
        ...buckets
          .filter((bucket) => bucket.count > 0)
          .map((bucket) => `${bucket.age} ${bucket.count} ${bucket.amountMinor}`),
      ],
    ]),
  );
}

describe('receivables', () => {
  test('are what is due, to the cent, by currency and age; drafts, cancelled and overpaid orders are none', async () => {
    await order({ status: 'SENT', total: 100_01, due: '2026-12-01' });
    await order({ status: 'SENT', total: 200_02, due: '2026-11-30' });
    await order({ status: 'PARTIALLY_PAID', total: 300_03, paid: 100_00, credited: 3, due: '2026-10-31' });
    await order({ status: 'SENT', total: 400, due: '2026-10-30' });
    await order({ status: 'SENT', total: 500, due: '2026-10-01' });
    await order({ status: 'SENT', total: 600, due: '2026-09-30' });
    await order({ status: 'SENT', total: 700, due: '2026-09-01' });
    await order({ status: 'SENT', total: 800, due: '2026-08-31' });
    await order({ status: 'PARTIALLY_PAID', total: 5_000, paid: 1, currency: 'JPY', due: '2020-01-01' });
    await order({ status: 'DRAFT', total: 10, sent: null });
    await order({ status: 'CANCELLED', total: 10 });
    await order({ status: 'OVERPAID', total: 10, paid: 1_000_00 });
    await order({ status: 'PAID', total: 10, paid: 7, credited: 3 });
    await order({ conference: 'conf_b', status: 'SENT', total: 9_999 });

    expect(await ages('conf_a', '2026-11-30')).toEqual({
      JPY: ['1 4999', 'DAYS_OVER_90 1 4999'],
      USD: [
        `8 ${10_001 + 20_002 + 20_000 + 400 + 500 + 600 + 700 + 800}`,
        'NOT_DUE 1 10001',
        // Due on the day itself, and for 30 days.
        'DAYS_0_30 2 40002',
        'DAYS_31_60 2 900',
        'DAYS_61_90 2 1300',
        'DAYS_OVER_90 1 800',
      ],
    });
    expect(await ages('conf_unknown', null)).toEqual({});
  });

  test('of orders without a due date count from the day they were sent, where the conference is', async () => {
    // 11 o'clock in UTC is the next day in Kiritimati, 14 hours ahead.
    await order({ status: 'SENT', total: 100, sent: '2026-11-01T11:00Z' });
    await order({ status: 'SENT', total: 200, sent: '2026-11-01T09:00Z' });
    await order({ status: 'PARTIALLY_PAID', total: 401, paid: 1, sent: null });
    expect(await ages('conf_a', '2026-12-02')).toEqual({
      USD: ['3 700', 'DAYS_0_30 1 100', 'DAYS_31_60 1 200', 'DAYS_61_90 1 400'],
    });
  });

  test('are aged to today, where the conference is, unless a day is given', async () => {
    await order({ status: 'SENT', total: 100, due: '2000-01-01' });
    const [row] = await sql(`select (now() at time zone 'Pacific/Kiritimati')::date::text as today`);
    expect(await ages('conf_a', null)).toEqual({ USD: ['1 100', 'DAYS_OVER_90 1 100'] });
    await order({ status: 'SENT', total: 7, due: String(row?.today) });
    expect((await ages('conf_a', null)).USD).toContain('DAYS_0_30 1 7');
  });

  const anyOrder = fc.record({
    total: fc.integer({ min: 1, max: 1_000_000 }),
    paid: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_200_000 })),
    credited: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 })),
    currency: fc.constantFrom('USD', 'JPY', 'KWD'),
    dueIn: fc.option(fc.integer({ min: -200, max: 60 })),
    sent: fc.boolean(),
    cancelled: fc.boolean(),
    name: fc.constantFrom('ACME', 'acme', 'Globex', 'Initech'),
  });

  test('W-C15: add up to the balances, by age as by organisation, whatever orders there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOrder, { minLength: 1, maxLength: 12 }), async (all) => {
        await wipe();
        const expected = new Map<string, bigint>();
        for (const { total, paid, credited, cancelled, sent, currency, dueIn, name } of all) {
          const balance = total - paid - credited;
          const open = paid > 0 ? 'PARTIALLY_PAID' : sent ? 'SENT' : 'DRAFT';
          const settled = balance === 0 ? 'PAID' : balance < 0 ? 'OVERPAID' : open;
          const status = cancelled ? 'CANCELLED' : settled;
          const due = dueIn === null ? null : new Date(Date.UTC(2026, 10, 30 + dueIn)).toISOString().slice(0, 10);
          await order({ status, total, paid, credited, currency, due, name, sent: sent ? '2026-11-01T12:00Z' : null });
          if (status !== 'SENT' && status !== 'PARTIALLY_PAID') continue;
          expected.set(currency, (expected.get(currency) ?? 0n) + BigInt(balance));
        }
        const found = await findReceivables(em(), 'conf_a', '2026-11-30');
        expect(new Map(found.map(({ currencyCode, totalMinor }) => [String(currencyCode), totalMinor]))).toEqual(
          expected,
        );
        for (const { totalMinor, count, buckets, currencyCode } of found) {
          expect(buckets.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(totalMinor);
          const { items } = await listOutstanding(em(), { conferenceId: 'conf_a', currencyCode, first: 100 });
          expect(items.reduce((sum, { item }) => sum + item.amountMinor, 0n)).toBe(totalMinor);
          expect(items.reduce((sum, { item }) => sum + item.count, 0)).toBe(count);
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('money collected', () => {
  test('is that of the payments that stand, by month of arrival, currency and method', async () => {
    const dollars = await order({ status: 'PARTIALLY_PAID', total: 100_000 });
    const yen = await order({ status: 'PARTIALLY_PAID', total: 100_000, currency: 'JPY' });
    const cancelled = await order({ status: 'CANCELLED', total: 100_000 });
    const elsewhere = await order({ conference: 'conf_b', status: 'PARTIALLY_PAID', total: 100_000 });
    await pay(dollars, 1, { on: '2026-09-30' });
    await pay(dollars, 20, { on: '2026-10-01' });
    await pay(dollars, 300, { on: '2026-10-31' });
    await pay(dollars, 4_000, { on: '2026-10-31', method: 'CARD' });
    await pay(cancelled, 5, { on: '2026-11-30' });
    await pay(yen, 50_000, { on: '2026-10-15' });
    await pay(dollars, 6, { on: '2026-12-01' });
    await pay(elsewhere, 7, { on: '2026-10-15' });
    await reverse(await pay(dollars, 8, { on: '2026-10-15' }));

    statements.length = 0;
    const found = await findCollected(em(), 'conf_a', { from: '2026-10-01', to: '2026-11-30' });

    expect(statements).toHaveLength(1);
    expect(found).toEqual([
      { month: '2026-10-01', currencyCode: 'JPY', method: 'WIRE', count: 1, amountMinor: 50_000n },
      { month: '2026-10-01', currencyCode: 'USD', method: 'CARD', count: 1, amountMinor: 4_000n },
      { month: '2026-10-01', currencyCode: 'USD', method: 'WIRE', count: 2, amountMinor: 320n },
      { month: '2026-11-01', currencyCode: 'USD', method: 'WIRE', count: 1, amountMinor: 5n },
    ]);
  });
});

describe('what organisations owe', () => {
  const list = async (request: Partial<ListOutstanding>) => {
    const page = await listOutstanding(em(), { conferenceId: 'conf_a', ...request });
    return {
      ...page,
      rows: page.items.map(
        ({ item }) => `${item.organizationName} ${item.count} ${item.amountMinor} ${item.currencyCode}`,
      ),
    };
  };

  test('is listed by size, in one currency, by pages of one statement', async () => {
    await order({ name: 'Globex', status: 'SENT', total: 500 });
    await order({ name: 'acme', status: 'SENT', total: 300 });
    await order({ name: 'ACME', status: 'PARTIALLY_PAID', total: 401, paid: 1 });
    await order({ name: 'Initech', status: 'SENT', total: 500 });
    await order({ name: 'Overpaid', status: 'OVERPAID', total: 1, paid: 99_999 });
    await order({ name: 'Drafty', status: 'DRAFT', total: 99_999 });
    await order({ name: 'Globex', status: 'SENT', total: 70, currency: 'JPY' });

    const all = await list({});
    expect(all.rows[0]).toBe('ACME 2 700 USD');
    expect(all.rows.toSorted()).toEqual(['ACME 2 700 USD', 'Globex 1 500 USD', 'Initech 1 500 USD']);
    expect((await list({ currencyCode: 'JPY' })).rows).toEqual(['Globex 1 70 JPY']);

    const paged: string[] = [];
    for (let after: string | null = null; ; ) {
      statements.length = 0;
      const page: Awaited<ReturnType<typeof list>> = await list({ first: 1, after });
      expect(statements).toHaveLength(1);
      paged.push(...page.rows);
      if (!page.hasNextPage) break;
      after = page.items.at(-1)?.cursor ?? null;
    }
    expect(paged).toEqual(all.rows);
    expect(await countOutstanding(em(), { conferenceId: 'conf_a' })).toBe(3);
  });
});
