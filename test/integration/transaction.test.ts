import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createQboInvoice } from '../../src/application/quickbooks/create-qbo-invoice.js';
import type { QboContext } from '../../src/application/quickbooks/qbo-context.js';
import { inTransaction, recordInTransaction } from '../../src/application/transaction.js';
import { startWorkbench, type Workbench } from '../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
  await bench.sql('create table tally (n int not null)');
});

afterAll(() => bench.stop());

const raise = (code: string) => `do $$ begin raise exception 'injected' using errcode = '${code}'; end $$`;
const TERMINATE = 'select pg_terminate_backend(pg_backend_pid())';

/** Counts in the database, then fails with this statement as often as said. */
function failing(statement: string, times: number) {
  const runs = { count: 0 };
  const work = async (tx: QboContext['em']) => {
    runs.count += 1;
    await tx.execute('insert into tally values (1)');
    if (runs.count <= times) await tx.execute(statement);
    return runs.count;
  };
  return { runs, work };
}

async function tally(): Promise<number> {
  const [{ count }] = await bench.sql('select count(*)::int as count from tally');
  await bench.sql('delete from tally');
  return count;
}

describe('a transaction', () => {
  test.each([
    ['the victim of a deadlock', '40P01'],
    ['not serialisable', '40001'],
  ])('that is %s is repeated as a whole', async (_what, code) => {
    const { work } = failing(raise(code), 4);
    expect(await inTransaction(bench.process().em, work)).toBe(5);
    expect(await tally()).toBe(1);
  });

  test('that keeps failing so is given up', async () => {
    const { work, runs } = failing(raise('40001'), 99);
    await expect(inTransaction(bench.process().em, work)).rejects.toThrow('injected');
    expect(runs.count).toBe(5);
    expect(await tally()).toBe(0);
  });

  test.each([
    ['for any other reason', raise('23505')],
    ['because the connection is lost: whether it was committed is open', TERMINATE],
  ])('that fails %s is not repeated', async (_why, statement) => {
    const { work, runs } = failing(statement, 1);
    await expect(inTransaction(bench.process().em, work)).rejects.toThrow();
    expect(runs.count).toBe(1);
    expect(await tally()).toBe(0);
  });
});

test('twenty transactions whose connections are cut leave no connection behind that is never used again', async () => {
  const { em } = bench.process();
  const cut = Array.from({ length: 20 }, () => em.fork().transactional((tx) => tx.execute(TERMINATE)));
  const outcomes = await Promise.allSettled(cut);
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  const [row] = await bench.sql('select 1 as one');
  expect(row).toEqual({ one: 1 });
});

describe('the recording of what a remote call did', () => {
  test('is repeated when the connection is lost', async () => {
    const { work } = failing(TERMINATE, 2);
    expect(await recordInTransaction(bench.process(), work)).toBe(3);
    expect(await tally()).toBe(1);
  });

  test('is not repeated for a bug', async () => {
    const { work, runs } = failing(raise('23505'), 1);
    await expect(recordInTransaction(bench.process(), work)).rejects.toThrow('injected');
    expect(runs.count).toBe(1);
  });

  test('is left to the background after a few attempts', async () => {
    const waits = { ...bench.context.waits, recordingRetryMs: 1 };
    const { work, runs } = failing(TERMINATE, 99);
    await expect(recordInTransaction({ ...bench.process(), waits }, work)).rejects.toThrow();
    expect(runs.count).toBe(5);
  });

  test('that was committed before the connection was lost is told right and done once', async () => {
    const purchaseOrderId = await bench.order();
    const { accounting } = bench.context;
    let losing = false;
    const createInvoice = async (connection: string, body: string, key: string) => {
      const answer = await accounting.createInvoice(connection, body, key);
      losing = true;
      return answer;
    };
    const context = bench.with({ createInvoice });
    const fork: typeof context.em.fork = (...options) => {
      const forked = context.em.fork(...options);
      if (!losing) return forked;
      losing = false;
      const transactional: typeof forked.transactional = async (...work) => {
        await forked.transactional(...work);
        throw new Error('Connection terminated unexpectedly');
      };
      return replaced(forked, 'transactional', transactional);
    };
    const outcome = await createQboInvoice({ ...context, em: replaced(context.em, 'fork', fork) }, { purchaseOrderId });
    expect(outcome).toEqual({ id: purchaseOrderId, failures: [] });
    const rows = await bench.sql('select status from invoice where purchase_order_id = ?', [purchaseOrderId]);
    expect(rows).toEqual([{ status: 'OPEN' }]);
    const audits = await bench.sql("select 1 from audit_event where subject = ? and action = 'invoice.created'", [
      purchaseOrderId,
    ]);
    expect(audits).toHaveLength(1);
  });

  function replaced<T extends object>(target: T, name: keyof T, value: unknown): T {
    return new Proxy(target, {
      get: (object, key) => {
        const own: unknown = key === name ? value : Reflect.get(object, key, object);
        return typeof own === 'function' ? own.bind(object) : own;
      },
    });
  }
});
