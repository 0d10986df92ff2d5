import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { UseCaseContext } from '../../../src/application/context.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { reconcileQboConnection } from '../../../src/application/quickbooks/reconcile-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { ConferenceRole, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
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

async function reconcile(by: Partial<UseCaseContext> = {}) {
  return reconcileQboConnection({ ...bench.process(), ...by }, { conferenceId: bench.conferenceId });
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

describe('a company that also serves the conference of somebody else', () => {
  const roles = () => new Map([[bench.conferenceId, ConferenceRole.ORGANISER]]);
  const organiser = () => ({
    actor: { id: 'key_o', name: 'olga@example.org', kind: ActorKind.API_KEY, grants: { ...NO_GRANTS, roles: roles() } },
  });
  const eventsOf = (subject: string) =>
    bench.sql('select action, actor_id, actor from audit_event where subject = ? order by id', [subject]);

  test('is reconciled as a whole, in its own name, and the other conference’s invoices are not counted', async () => {
    const other = await createConference(bench.process(), {
      name: 'Other',
      slug: 'other',
      currencyCode: 'USD',
      timezone: 'UTC',
    });
    const { accessToken, refreshToken } = await bench.quickbooks.post('/tokens', { realmId: bench.realmId });
    const tokens = { environment: 'SANDBOX', realmId: bench.realmId, accessToken, refreshToken };
    await configureQboConnection(bench.process(), { conferenceId: String(other.id), ...tokens });
    const [own, foreign] = [await bench.invoicedOrder(), await bench.invoicedOrder({ conferenceId: other.id })];
    for (const { externalId } of [own, foreign]) await bench.quickbooks.pay(externalId, '100.00');

    const outcome = await reconcile(organiser());

    expect(outcome).toMatchObject({ failures: [], invoicesChecked: 401, invoicesChanged: 1 });
    for (const { id } of [own, foreign]) {
      expect((await eventsOf(id)).at(-1)).toEqual({
        action: 'payments.booked_from_provider',
        actor_id: 'system',
        actor: 'quickbooks',
      });
      expect(await bench.sql('select recorded_by from payment where purchase_order_id = ?', [id])).toEqual([
        { recorded_by: 'quickbooks' },
      ]);
    }
    const [{ id: connection }] = await bench.sql('select id from qbo_connection');
    expect((await eventsOf(connection)).at(-1)).toEqual({
      action: 'qbo_connection.reconciliation_requested',
      actor_id: 'key_o',
      actor: 'olga@example.org',
    });
  });

  test('so is what is found when a single order is asked about', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    await bench.quickbooks.pay(externalId, '100.00');

    await syncQboInvoiceStatus({ ...bench.process(), ...organiser() }, { purchaseOrderId: id });

    expect((await eventsOf(id)).at(-1)).toMatchObject({ action: 'payments.booked_from_provider', actor_id: 'system' });
  });
});
