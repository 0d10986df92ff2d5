import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { reconcileQboConnection } from '../../../src/application/quickbooks/reconcile-qbo-connection.js';
import { readsOf } from '../../support/announcements.js';
import { type OutstandingInvoice, outstandingInvoices } from '../../support/outstanding-invoices.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;
let outstanding: OutstandingInvoice[];

beforeAll(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
  // With the one that the others are modelled on they are 1,000.
  outstanding = await outstandingInvoices(bench, 999);
}, 120_000);

beforeEach(() => bench.quickbooks.delete('/requests'));

afterAll(() => bench.stop());

async function reconcile() {
  return reconcileQboConnection(bench.process(), { conferenceId: bench.conferenceId });
}

describe('1,000 outstanding invoices', () => {
  test('of which none changed cost two reads', async () => {
    expect(await reconcile()).toEqual({
      id: bench.conferenceId,
      failures: [],
      invoicesChecked: 1000,
      invoicesChanged: 0,
    });
    expect(await readsOf(bench)).toEqual(['query Invoice', 'query Invoice']);
  });

  test('of which 600 were paid cost two more, one for each 500 payments, and the next time none', async () => {
    const paid = outstanding.slice(0, 600);
    for (const { externalId } of paid) await bench.quickbooks.pay(externalId, '100.00');
    expect(await reconcile()).toMatchObject({ failures: [], invoicesChecked: 1000, invoicesChanged: 600 });
    expect(await readsOf(bench)).toEqual(['query Invoice', 'query Invoice', 'query Payment', 'query Payment']);
    const [booked] = await bench.sql('select count(*)::int as count, sum(amount_minor)::int as sum from payment');
    expect(booked).toEqual({ count: 600, sum: 6_000_000 });

    await bench.quickbooks.delete('/requests');
    expect(await reconcile()).toMatchObject({ invoicesChecked: 1000, invoicesChanged: 0 });
    expect(await readsOf(bench)).toEqual(['query Invoice', 'query Invoice']);
  }, 120_000);

  test('paid ones are left alone when nothing was heard of them for 120 days', async () => {
    await bench.sql("update invoice set last_synced_at = last_synced_at - interval '121 days' where status = 'PAID'");
    expect(await reconcile()).toMatchObject({ invoicesChecked: 400, invoicesChanged: 0 });
    expect(await readsOf(bench)).toEqual(['query Invoice']);
  });
});

describe('what stands in the way', () => {
  test('is told, and nothing is read or changed', async () => {
    expect(await reconcileQboConnection(bench.process(), { conferenceId: 'conf_nothing' })).toMatchObject({
      id: null,
      failures: [{ code: 'NOT_FOUND', path: ['conferenceId'] }],
    });
    await bench.sql("update qbo_connection set status = 'RECONNECT_REQUIRED'");
    expect(await reconcile()).toMatchObject({
      id: null,
      failures: [{ code: 'RECONNECT_REQUIRED' }],
      invoicesChecked: null,
    });
    await bench.sql("update qbo_connection set status = 'CONNECTED'");
    expect(await readsOf(bench)).toEqual([]);
  });

  test('an answer that does not come changes nothing', async () => {
    await bench.quickbooks.post('/faults', { kind: 'html502', times: 5, match: { path: '/query' } });
    expect(await reconcile()).toMatchObject({ id: null, failures: [{ code: 'QBO_UNAVAILABLE', statusCode: 502 }] });
    await bench.quickbooks.delete('/faults');
    expect(await bench.sql("select 1 from invoice where status in ('DELETED', 'VOIDED')")).toEqual([]);
  });
});
