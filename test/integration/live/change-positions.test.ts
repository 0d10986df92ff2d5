import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { forgetChanges } from '../../../src/application/live/forget-changes.js';
import {
  type ChangePosition,
  type ChangeScope,
  currentChangePosition,
  findPurchaseOrderChanges,
  readChangeCursor,
  writeChangeCursor,
} from '../../../src/application/queries/purchase-order-changes.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { readings } from '../lists/plans.js';

const DAY_MS = 24 * 3_600_000;

let bench: Workbench;
const connections: pg.Client[] = [];

beforeAll(async () => {
  bench = await startWorkbench();
});

afterAll(async () => {
  for (const connection of connections) await connection.end();
  await bench.stop();
});

async function begin(): Promise<pg.Client> {
  const connection = new pg.Client({ connectionString: bench.environment.DATABASE_URL });
  connections.push(connection);
  await connection.connect();
  await connection.query('begin');
  return connection;
}

function here(): Promise<ChangePosition> {
  return currentChangePosition(bench.process().em);
}

async function behind(position: ChangePosition, scope: ChangeScope = { conferenceId: bench.conferenceId }) {
  const { changes, position: next } = await findPurchaseOrderChanges(bench.process().em, scope, position);
  return { ids: changes.map(({ purchaseOrderId }) => purchaseOrderId), next, changes };
}

describe('a change is told once, and none is left out', () => {
  test('when transactions are committed in another order than they began', async () => {
    const [first, second] = [await bench.order(), await bench.order()];
    const [early, late] = [await begin(), await begin()];
    const start = await here();
    await early.query("update purchase_order set notes = 'began first' where id = $1", [first]);
    await late.query("update purchase_order set notes = 'began second' where id = $1", [second]);
    expect((await behind(start)).ids).toEqual([]);

    await late.query('commit');
    const told = await behind(start);
    expect(told.ids).toEqual([second]);
    // A client that resumes here knows the later number already; the earlier one must not be lost.
    await early.query('commit');
    const resumed = await behind(told.next);
    expect(resumed.ids).toEqual([first]);
    expect((await behind(resumed.next)).ids).toEqual([]);
  });

  test('while another transaction stays open for long', async () => {
    const id = await bench.order();
    const open = await begin();
    await open.query('select pg_current_xact_id()');
    let position = await here();
    for (const notes of ['one', 'two', 'three']) {
      await bench.sql('update purchase_order set notes = ? where id = ?', [notes, id]);
      const told = await behind(position, { purchaseOrderId: id });
      expect(told.ids).toEqual([id]);
      position = told.next;
    }
    expect((await behind(position, { purchaseOrderId: id })).ids).toEqual([]);
    await open.query('rollback');
  });

  test('page by page, also of what changes between the pages', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.push(await bench.order());
    const start = await here();
    await bench.sql(
      `insert into purchase_order (id, reference, conference_id, status, organization_name, contact_email, contact_name,
         billing_address, notes, buyer_reference, currency_code, total_minor, created_at, updated_at)
       select 'po_many' || lpad(number::text, 3, '0'), 'PO-MNY' || lpad(number::text, 3, '0'), conference_id, status,
         organization_name, contact_email, contact_name, billing_address, notes, buyer_reference, currency_code,
         total_minor, created_at, updated_at
       from purchase_order original, generate_series(1, 150) number
       where original.id = ?`,
      [ids[0]],
    );
    const first = await behind(start);
    expect(first.ids).toHaveLength(100);
    await bench.sql("update purchase_order set notes = 'again' where id in ('po_many001', 'po_many150')");
    const second = await behind(first.next);
    expect(second.ids).toHaveLength(50);
    expect(new Set([...first.ids, ...second.ids]).size).toBe(150);
    expect((await behind(second.next)).ids).toEqual(['po_many001', 'po_many150']);

    const resumed = await behind(first.changes[41]?.position ?? start);
    expect(resumed.ids).toEqual([...first.ids.slice(42), ...second.ids.slice(0, 42)]);
  });

  test('of its conference, or of itself', async () => {
    const [id, other] = [await bench.order(), await bench.order()];
    const start = await here();
    await bench.sql("update purchase_order set notes = 'x' where id in (?)", [[id, other]]);
    expect((await behind(start)).ids).toEqual([id, other].toSorted());
    expect((await behind(start, { purchaseOrderId: id })).ids).toEqual([id]);
    expect((await behind(start, { conferenceId: 'conf_other' })).ids).toEqual([]);
  });
});

describe('a cursor', () => {
  test('stands for its position', async () => {
    const position = await here();
    const paged = { ...position, page: { until: position.since, lastId: 'po_1' } };
    for (const each of [position, paged]) {
      expect(await readChangeCursor(bench.process().em, writeChangeCursor(each))).toEqual(each);
    }
  });

  test.each([
    ['of nothing', ''],
    ['of no JSON', 'bm9uc2Vuc2U'],
    ['of another version', [2, 0, '5:5:']],
    ['of no snapshot', [1, 0, 'five']],
    ['of a snapshot that ends before it begins', [1, 0, '9:5:']],
    ['of a snapshot out of order', [1, 0, '5:9:7,6']],
    ['of a snapshot with what is outside of it', [1, 0, '5:9:9']],
    ['of a snapshot of nothing', [1, 0, '0:0:']],
    ['of a page without an end', [1, 0, '5:5:', { lastId: 'po_1' }]],
    ['of a page that ends nowhere', [1, 0, '5:5:', { until: '5:5:', lastId: "'; drop table invoice; --" }]],
  ])('%s is none of ours', async (_, content) => {
    const now = Math.floor(Date.now() / 1000);
    const cursor =
      typeof content === 'string' ? content : Buffer.from(JSON.stringify(content.with(1, now))).toString('base64url');
    expect(await readChangeCursor(bench.process().em, cursor)).toBeUndefined();
  });

  test('of a time that no calendar has is none of ours', async () => {
    const cursor = writeChangeCursor({ since: '5:5:', takenAt: Number.MAX_SAFE_INTEGER });
    expect(await readChangeCursor(bench.process().em, cursor)).toBeUndefined();
  });

  test('of another database, which has come further, cannot be used', async () => {
    const { takenAt } = await here();
    const cursor = writeChangeCursor({ since: '900000000000:900000000000:', takenAt });
    expect(await readChangeCursor(bench.process().em, cursor)).toBeUndefined();
  });

  test('is good for seven days, for which every change is kept', async () => {
    const position = await here();
    const aged = (days: number) => writeChangeCursor({ ...position, takenAt: position.takenAt - days * 86_400 });
    expect(await readChangeCursor(bench.process().em, aged(6.9))).toBeDefined();
    expect(await readChangeCursor(bench.process().em, aged(7.1))).toBeUndefined();
    expect(await readChangeCursor(bench.process().em, aged(-1))).toBeUndefined();
  });
});

test('changes are forgotten after eight days, a thousand at a time', async () => {
  await bench.sql('delete from purchase_order_change');
  const age = (days: number, count: number) =>
    bench.sql(
      `insert into purchase_order_change (purchase_order_id, xid, conference_id, changed_at)
       select 'po_old' || number, '${days}', 'conf_1', ? from generate_series(1, ${count}) number`,
      [new Date(Date.now() - days * DAY_MS)],
    );
  await age(9, 2100);
  await age(7, 3);
  let forgotten = 0;
  const statements = await bench.statementsOf(async () => {
    forgotten = await forgetChanges(bench.process());
  });
  expect(forgotten).toBe(2100);
  expect(statements).toHaveLength(3);
  expect(await bench.sql('select distinct xid::text from purchase_order_change')).toEqual([{ xid: '7' }]);
});

test('whoever forgets changes looks at the old ones alone', async () => {
  await bench.sql(`insert into purchase_order_change (purchase_order_id, xid, conference_id, changed_at)
    select 'po_new' || number, '8', 'conf_1', now() from generate_series(1, 5000) number`);
  await bench.sql('vacuum analyze purchase_order_change');
  const process = bench.process();
  const { rows } = await readings(process.em, 'purchase_order_change', (em) => forgetChanges({ ...process, em }));
  expect(rows).toBe(0);
});
