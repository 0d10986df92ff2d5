import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoicedOrder } from '../quickbooks/steps.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.stop());

/** Has the worker look for companies to sweep, now instead of at the next full minute. */
async function sweepNow(): Promise<void> {
  await app.sql("update qbo_connection set created_at = created_at - interval '2 days'");
  await app.sql("update qbo_sweep set next_sweep_at = now() - interval '1 second'");
  await app.sql("select graphile_worker.add_job('wake_due_sweeps')");
}

async function sweptAt(): Promise<Data> {
  const { conference } = await app.graphql.query(
    `{ conference(slug: "demo") { qboConnection { lastSweptAt nextSweepAt } } }`,
  );
  return conference.qboConnection;
}

async function reconcile(conferenceId: string): Promise<Data> {
  const selection = 'conference { slug } invoicesChecked invoicesChanged';
  return app.graphql.mutate('reconcileQboConnection', { conferenceId }, selection);
}

describe('a webhook that never comes', () => {
  test('is made up for by the sweep, which says when it was and shows in the metrics', async () => {
    const order = await createInvoicedOrder(app);
    expect(await sweptAt()).toEqual({ lastSweptAt: null, nextSweepAt: null });
    await app.quickbooks.post('/webhooks', { drop: 100 });
    await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    await app.quickbooks.post('/clock', { advanceSeconds: 600 });
    await sweepNow();
    const paid = await eventually(
      () => readOrder(app, order.id),
      ({ status }) => status === 'PAID',
    );
    expect(paid).toMatchObject({ totalPaid: { amount: '1475.00' }, payments: { nodes: [{ source: 'QBO' }] } });
    const { lastSweptAt, nextSweepAt } = await eventually(sweptAt, (swept) => swept.lastSweptAt !== null);
    const waitMs = new Date(nextSweepAt).getTime() - new Date(lastSweptAt).getTime();
    expect(Math.round(waitMs / 60_000)).toBe(15);
    const metrics = await (await fetch(`${app.app.url}/metrics`)).text();
    expect(metrics).toMatch(/quickbooks_sweeps_total\{outcome="done"\} 1\n/);
    expect(metrics).toMatch(/quickbooks_webhook_gaps_total 1\n/);
    expect(await app.sql("select 1 from webhook_event where entity = 'payment'")).toEqual([]);
  });
});

describe('reconcileQboConnection', () => {
  test('books what nobody told, and says how much it looked at', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.post('/webhooks', { drop: 100 });
    await app.quickbooks.pay(order.qboInvoiceId, '475.00');
    const first = await reconcile(app.conferenceId);
    expect(first).toMatchObject({ conference: { slug: 'demo' }, invoicesChanged: 1, userErrors: [] });
    expect(first.invoicesChecked).toBeGreaterThanOrEqual(1);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PARTIALLY_PAID', totalPaid: { amount: '475.00' } });
    expect(await reconcile(app.conferenceId)).toEqual({ ...first, invoicesChanged: 0 });
  });

  test('of a conference that is not connected is refused', async () => {
    const input = { name: 'Lonely', slug: 'lonely', currencyCode: 'USD' };
    const { conference } = await app.graphql.mutate('createConference', input, 'conference { id }');
    expect(await reconcile(conference.id)).toMatchObject({
      conference: null,
      invoicesChecked: null,
      invoicesChanged: null,
      userErrors: [{ code: 'QBO_NOT_CONFIGURED' }],
    });
    expect((await reconcile('conf_nothing')).userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['conferenceId'] }]);
  });
});
