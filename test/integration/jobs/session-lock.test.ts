import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { withSessionLock } from '../../../src/infrastructure/jobs/session-lock.js';
import { eventually } from '../../support/eventually.js';
import { createOrder, ORDER, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

describe('the lock of a company', () => {
  let server: TestApp;

  beforeAll(async () => {
    server = await startTestApp();
  });

  afterAll(() => server.stop());

  async function openSession(): Promise<pg.Client> {
    const session = new pg.Client({ connectionString: server.databaseUrl });
    await session.connect();
    return session;
  }

  test('lets one session in at a time, and the next one when the work is done or has failed', async () => {
    const [first, second] = await Promise.all([openSession(), openSession()]);
    const done: string[] = [];
    const isLocked = await withSessionLock(first, 'qbo:1', async () => {
      expect(await withSessionLock(second, 'qbo:1', async () => void done.push('second'))).toBe(false);
      expect(await withSessionLock(second, 'qbo:2', async () => void done.push('another company'))).toBe(true);
      done.push('first');
    });
    expect(isLocked).toBe(true);
    await expect(withSessionLock(first, 'qbo:1', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await withSessionLock(second, 'qbo:1', async () => void done.push('second'))).toBe(true);
    expect(done).toEqual(['another company', 'first', 'second']);
    await Promise.all([first.end(), second.end()]);
  });

  test('ends with the session of a worker that died', async () => {
    const [dying, other] = await Promise.all([openSession(), openSession()]);
    await dying.query("select pg_try_advisory_lock(hashtextextended('qbo:3', 0))");
    expect(await withSessionLock(other, 'qbo:3', async () => undefined)).toBe(false);
    await dying.end();
    const isFree = await eventually(() => withSessionLock(other, 'qbo:3', async () => undefined), Boolean);
    expect(isFree).toBe(true);
    await other.end();
  });

  test('a job that a killed worker left locked keeps nobody from booking a payment at once', async () => {
    const { graphql, quickbooks } = server;
    const { realmId } = quickbooks;
    await server.sql(
      `select graphile_worker.add_job('process_qbo_events', json_build_object('companyId', $1::text),
                                      run_at := now() + interval '1 hour', job_key := 'QBO:' || $1::text)`,
      [realmId],
    );
    const locked = await server.sql(
      "update graphile_worker._private_jobs set locked_at = now(), locked_by = 'killed' where key = $1 returning id",
      [`QBO:${realmId}`],
    );
    expect(locked).toHaveLength(1);
    const order = await createOrder(server);
    const created = await graphql.mutate(
      'createQboInvoice',
      { purchaseOrderId: order.id },
      `purchaseOrder { ${ORDER} }`,
    );
    await quickbooks.pay(created.purchaseOrder.qboInvoiceId, '1475.00');
    const paid = await eventually(
      () => readOrder(server, order.id),
      ({ status }) => status === 'PAID',
      10_000,
    );
    expect(paid.totalPaid.amount).toBe('1475.00');
  });
});
