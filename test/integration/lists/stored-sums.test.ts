import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PurchaseOrder } from '../../../src/domain/purchase-order/purchase-order.entity.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

afterAll(() => bench.stop());

/** Amounts of bookings; a number that is none takes back an earlier booking, if there is one left. */
const booking = fc.record({
  table: fc.constantFrom('payment' as const, 'credit_note' as const),
  order: fc.nat({ max: 1 }),
  amount: fc.oneof(fc.bigInt({ min: 1n, max: 999_999_999_999_999n }), fc.constant(null)),
  pick: fc.nat(),
});

const COLUMNS = {
  payment: {
    names: 'method, source, reference, paid_on, note, recorded_by',
    values: "'WIRE', 'MANUAL', '', '2026-11-02', '', 'test'",
    key: 'payment_id',
    sum: 'paid_minor',
  },
  credit_note: {
    names: 'source, reason, issued_by',
    values: "'MANUAL', 'Goodwill', 'test'",
    key: 'credit_note_id',
    sum: 'credited_minor',
  },
};

test('the stored sums are those of the rows after any history of bookings and reversals, whoever writes them', async () => {
  let histories = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(booking, { minLength: 1, maxLength: 25 }), async (bookings) => {
      histories += 1;
      const orders = [await bench.order(), await bench.order()];
      const standing: { id: string; table: keyof typeof COLUMNS; order: number; amount: bigint }[] = [];
      for (const [index, { table, order, amount, pick }] of bookings.entries()) {
        const { names, values, key } = COLUMNS[table];
        const id = `${table}_${histories}_${index}`;
        if (amount !== null) {
          await bench.sql(
            `insert into ${table} (id, purchase_order_id, amount_minor, created_at, ${names})
             values (?, ?, ?::bigint, now(), ${values})`,
            [id, orders[order], `${amount}`],
          );
          standing.push({ id, table, order, amount });
          continue;
        }
        const candidates = standing.filter((each) => each.table === table);
        const reversed = candidates[pick % Math.max(1, candidates.length)];
        if (!reversed) continue;
        await bench.sql(
          `insert into ${table}_reversal (id, ${key}, reason, reversed_by, created_at) values (?, ?, 'Mistake', 'test', now())`,
          [id, reversed.id],
        );
        standing.splice(standing.indexOf(reversed), 1);
      }
      const sumOf = (table: string, order: number) =>
        standing
          .filter((each) => each.table === table && each.order === order)
          .reduce((sum, { amount }) => sum + amount, 0n);
      for (const [order, id] of orders.entries()) {
        const [row] = await bench.sql(
          `select paid_minor::text, credited_minor::text, balance_minor::text, total_minor::text
           from purchase_order where id = ?`,
          [id],
        );
        const paid = sumOf('payment', order);
        const credited = sumOf('credit_note', order);
        expect(row).toEqual({
          paid_minor: `${paid}`,
          credited_minor: `${credited}`,
          balance_minor: `${BigInt(row.total_minor) - paid - credited}`,
          total_minor: '147500',
        });
      }
    }),
    { numRuns: 25 },
  );
});

test('several rows of one statement, and those of a transaction that is undone, count as they are', async () => {
  const id = await bench.order();
  const insert = `insert into payment (id, purchase_order_id, amount_minor, created_at, ${COLUMNS.payment.names})
    select 'several_' || n, '${id}', n, now(), ${COLUMNS.payment.values} from generate_series`;
  await bench.sql(`${insert}(1, 4) n`);
  await bench.orm.em
    .fork()
    .transactional(async (tx) => {
      await tx.execute(`${insert}(5, 9) n`);
      throw new Error('undone');
    })
    .catch(() => undefined);
  expect(await bench.sql('select paid_minor::int as paid from purchase_order where id = ?', [id])).toEqual([
    { paid: 10 },
  ]);
});

test('an entity that was read before a booking does not write the former sums back', async () => {
  const id = await bench.order();
  const em = bench.orm.em.fork();
  const order = await em.findOneOrFail(PurchaseOrder, id);
  await bench.sql(`insert into payment (id, purchase_order_id, amount_minor, created_at, ${COLUMNS.payment.names})
    values ('late', '${id}', 500, now(), ${COLUMNS.payment.values})`);
  order.notes = 'Changed';
  await em.flush();
  const rows = await bench.sql(
    'select notes, paid_minor::int as paid, balance_minor::int as balance from purchase_order where id = ?',
    [id],
  );
  expect(rows).toEqual([{ notes: 'Changed', paid: 500, balance: 147_000 }]);
});

test('an order is stored as invoiced as long as it has a live invoice, whoever writes that', async () => {
  const [id, other] = [await bench.order(), await bench.order()];
  const invoiced = async () => {
    const rows = await bench.sql('select id from purchase_order where is_invoiced and id in (?, ?)', [id, other]);
    return rows.map((row: { id: string }) => row.id);
  };
  const insert = (invoice: string, status: string) =>
    bench.sql(`insert into invoice (id, purchase_order_id, provider, company_id, status, external_id, currency_code,
        total_minor, balance_minor, created_at, updated_at)
      values ('${invoice}', '${id}', 'QBO', '1', '${status}', '${invoice}', 'USD', 1, 1, now(), now())`);
  const become = (invoice: string, status: string) =>
    bench.sql(`update invoice set status = '${status}' where id = '${invoice}'`);

  expect(await invoiced()).toEqual([]);
  await insert('inv_first', 'CREATING');
  expect(await invoiced()).toEqual([id]);
  await become('inv_first', 'PAID');
  expect(await invoiced()).toEqual([id]);
  await become('inv_first', 'VOIDED');
  expect(await invoiced()).toEqual([]);
  await insert('inv_second', 'UNKNOWN');
  await become('inv_first', 'DELETED');
  expect(await invoiced()).toEqual([id]);
  await bench.sql("delete from invoice where id = 'inv_second'");
  expect(await invoiced()).toEqual([]);
});
