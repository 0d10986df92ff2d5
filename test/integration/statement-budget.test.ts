import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findActorByKey } from '../../src/application/access/api-keys.js';
import { createApiKey } from '../../src/application/access/create-api-key.js';
import { createConference } from '../../src/application/conferences/create-conference.js';
import { cancelPurchaseOrder } from '../../src/application/purchase-orders/cancel-purchase-order.js';
import { issueCreditNote } from '../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../src/application/purchase-orders/reverse-payment.js';
import { listPurchaseOrders } from '../../src/application/queries/list-purchase-orders.js';
import { listWebhookEvents } from '../../src/application/queries/webhook-events.js';
import { configureQboConnection } from '../../src/application/quickbooks/configure-qbo-connection.js';
import { createQboInvoice } from '../../src/application/quickbooks/create-qbo-invoice.js';
import { sendQboInvoice } from '../../src/application/quickbooks/send-qbo-invoice.js';
import { sweepQboConnection } from '../../src/application/quickbooks/sweep-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { processQboEvents } from '../../src/application/webhooks/process-qbo-events.js';
import { replayWebhookEvents } from '../../src/application/webhooks/replay-webhook-events.js';
import { storeWebhookEvents } from '../../src/application/webhooks/store-webhook-events.js';
import { startTestGraphQL, type TestGraphQLServer } from '../support/graphql-server.js';
import { idOf, startWorkbench, type Workbench } from '../support/workbench.js';

/** SQL statements and QuickBooks calls per operation. More of them is a decision, not an accident. */
describe('the budget of statements and calls', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await startWorkbench();
    // The first invoice of a company also reads its settings.
    await createQboInvoice(bench.process(), { purchaseOrderId: await bench.order({ organizationName: 'Known Ltd' }) });
  });

  afterAll(() => bench.stop());

  async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
    await bench.quickbooks.delete('/requests');
    await work();
    const requests = await bench.quickbooks.requests();
    return requests.map(({ kind, method, path }) => `${kind} ${method} ${path.replace(/^.*\d{16}/, '')}`);
  }

  async function announce(changes: readonly { entity: string; entityId: string }[]): Promise<string[]> {
    const { em, clock, ids } = bench.process();
    const events = changes.map((change) => ({
      ...change,
      eventId: randomUUID(),
      companyId: bench.realmId,
      operation: 'updated',
      occurredAt: undefined,
      payload: {},
    }));
    await storeWebhookEvents({ em, clock, ids, wake: () => undefined }, 'QBO', events);
    const eventIds = events.map(({ eventId }) => eventId);
    const rows = await bench.sql('select id from webhook_event where event_id in (?)', [eventIds]);
    return rows.map(({ id }) => id);
  }

  test('createPurchaseOrder costs 6 statements', async () => {
    const statements = await bench.statementsOf(() => bench.order({ organizationName: 'Statements Ltd' }));
    expect(statements).toHaveLength(6);
  });

  const onOrder = {
    recordPayment: (id: string) =>
      recordPayment(bench.process(), { purchaseOrderId: id, amount: '10.00', method: 'WIRE' }),
    issueCreditNote: (id: string) =>
      issueCreditNote(bench.process(), { purchaseOrderId: id, amount: '10.00', reason: 'Courtesy' }),
    cancelPurchaseOrder: (id: string) => cancelPurchaseOrder(bench.process(), { purchaseOrderId: id }),
  };

  test.each([
    ['recordPayment', 9],
    ['issueCreditNote', 9],
    ['cancelPurchaseOrder', 9],
  ] as const)('%s, of an order without an invoice, costs %i statements', async (name, count) => {
    const id = await bench.order({ organizationName: 'Payer Ltd' });
    const statements = await bench.statementsOf(async () => idOf(await onOrder[name](id)));
    expect(statements).toHaveLength(count);
  });

  test('reversePayment costs 10 statements', async () => {
    const purchaseOrderId = await bench.order({ organizationName: 'Payer Ltd' });
    const payment = { purchaseOrderId, amount: '10.00', method: 'WIRE' };
    const paymentId = idOf(await recordPayment(bench.process(), payment));
    const statements = await bench.statementsOf(async () =>
      idOf(await reversePayment(bench.process(), { paymentId, reason: 'Mistyped' })),
    );
    expect(statements).toHaveLength(10);
  });

  test('invoicing a known customer costs one write, no read and 35 statements', async () => {
    const purchaseOrderId = await bench.order({ organizationName: 'Known Ltd' });
    let calls: string[] = [];
    const statements = await bench.statementsOf(async () => {
      calls = await callsOf(() => createQboInvoice(bench.process(), { purchaseOrderId }));
    });
    expect(calls).toEqual(['write POST /invoice']);
    expect(statements).toHaveLength(35);
  });

  test('a new customer costs one read and one write more', async () => {
    const purchaseOrderId = await bench.order({ organizationName: 'New Ltd' });
    const calls = await callsOf(() => createQboInvoice(bench.process(), { purchaseOrderId }));
    expect(calls).toEqual(['read GET /query', 'write POST /customer', 'write POST /invoice']);
  });

  test('having QuickBooks e-mail an invoice costs one call and 25 statements', async () => {
    const { id: purchaseOrderId, externalId } = await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    let calls: string[] = [];
    const statements = await bench.statementsOf(async () => {
      calls = await callsOf(() => sendQboInvoice(bench.process(), { purchaseOrderId }));
    });
    expect(calls).toEqual([`write POST /invoice/${externalId}/send`]);
    expect(statements).toHaveLength(25);
  });

  test('reading an unpaid invoice costs one call and changes nothing but the time of the reading and of the call', async () => {
    const { id: purchaseOrderId, externalId } = await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    let calls: string[] = [];
    const statements = await bench.statementsOf(async () => {
      calls = await callsOf(() => syncQboInvoiceStatus(bench.process(), { purchaseOrderId }));
    });
    expect(calls).toEqual([`read GET /invoice/${externalId}`]);
    expect(statements.filter((statement) => /^(insert|update|delete)/.test(statement))).toEqual([
      expect.stringMatching(/^insert into qbo_throttle/),
      expect.stringMatching(/^update "invoice" set/),
    ]);
  });

  test('reading an invoice with three payments costs two calls', async () => {
    const { id: purchaseOrderId, externalId } = await bench.invoicedOrder({ organizationName: 'Known Ltd' });
    for (const amount of ['1.00', '2.00', '3.00']) await bench.quickbooks.pay(externalId, amount);

    const calls = await callsOf(() => syncQboInvoiceStatus(bench.process(), { purchaseOrderId }));

    expect(calls).toEqual([`read GET /invoice/${externalId}`, 'read GET /query']);
  });

  test('a sweep in which nothing changed costs one call and 7 statements', async () => {
    await bench.sql('delete from qbo_sweep');
    const [{ id }] = await bench.sql('select id from qbo_connection');
    bench.clock.advance(120_000);
    await bench.quickbooks.post('/clock', { advanceSeconds: 600 });
    await sweepQboConnection(bench.process(), id);
    await bench.sql('update qbo_sweep set next_sweep_at = last_run_at');
    await bench.quickbooks.post('/clock', { advanceSeconds: 600 });
    let calls: string[] = [];
    const statements = await bench.statementsOf(async () => {
      calls = await callsOf(() => sweepQboConnection(bench.process(), id));
    });
    expect(calls).toEqual(['read GET /cdc']);
    expect(statements).toHaveLength(7);
  });

  test('storing a hundred webhook events costs one statement', async () => {
    const { em, clock, ids } = bench.process();
    const events = Array.from({ length: 100 }, (_, index) => ({
      eventId: `event-${index}`,
      companyId: '1',
      entity: 'invoice',
      entityId: String(index),
      operation: 'updated',
      occurredAt: undefined,
      payload: {},
    }));
    const statements = await bench.statementsOf(() =>
      storeWebhookEvents({ em, clock, ids, wake: () => undefined }, 'QBO', events),
    );
    expect(statements).toHaveLength(1);
  });

  test('the state of events costs one statement to take them, however many, and one to settle those of an object', async () => {
    await announce([
      { entity: 'customer', entityId: '1' },
      { entity: 'customer', entityId: '2' },
      { entity: 'customer', entityId: '2' },
    ]);
    const statements = await bench.statementsOf(() => processQboEvents(bench.process(), bench.realmId));
    const ofStates = statements.filter((statement) => statement.includes('webhook_event'));
    expect(ofStates.map((statement) => statement.slice(0, 12))).toEqual([
      'with waiting',
      'update "webh',
      'update "webh',
    ]);
  });

  test('replaying three events costs 5 statements', async () => {
    const ids = await announce([
      { entity: 'customer', entityId: '3' },
      { entity: 'customer', entityId: '4' },
      { entity: 'customer', entityId: '5' },
    ]);
    const statements = await bench.statementsOf(() => replayWebhookEvents(bench.process(), { ids }));
    expect(statements).toHaveLength(5);
  });

  test('a page of webhook events costs one statement', async () => {
    const statements = await bench.statementsOf(() => listWebhookEvents(bench.process().em, { first: 20 }));
    expect(statements).toHaveLength(1);
  });

  test('a page of purchase orders with all their sums costs one statement', async () => {
    const statements = await bench.statementsOf(() =>
      listPurchaseOrders(bench.process().em, bench.context.actor, { first: 20 }),
    );
    expect(statements).toHaveLength(1);
  });

  test('to know a key, with all its roles, costs one statement', async () => {
    const roles = [{ conferenceId: bench.conferenceId, role: 'VIEWER' }];
    const { secret } = await createApiKey(bench.process(), { name: 'counted', roles });
    await bench.sql("update api_key set last_used_at = now() where name = 'counted'");
    const statements = await bench.statementsOf(async () => {
      const actor = await findActorByKey(bench.process(), String(secret));
      expect(actor?.grants.roles).toEqual(new Map([[bench.conferenceId, 'VIEWER']]));
    });
    expect(statements).toHaveLength(1);
  });

  describe('whatever the size of the page', () => {
    let server: TestGraphQLServer;

    beforeAll(async () => {
      server = await startTestGraphQL({
        findActor: async () => bench.context.actor,
        forkEntityManager: () => bench.orm.em.fork(),
      });
      for (const number of [1, 2, 3]) {
        const slug = `listed-${number}`;
        const named = { name: slug, slug, currencyCode: 'USD', timezone: 'UTC' };
        const conferenceId = idOf(await createConference(bench.process(), named));
        const { accessToken, refreshToken } = await bench.quickbooks.post('/tokens', { realmId: bench.realmId });
        const tokens = { environment: 'SANDBOX', realmId: bench.realmId, accessToken, refreshToken };
        idOf(await configureQboConnection(bench.process(), { conferenceId, ...tokens }));
        const roles = [{ conferenceId, role: 'VIEWER' }];
        idOf(await createApiKey(bench.process(), { name: slug, roles }));
        const purchaseOrderId = await bench.order({ conferenceId });
        idOf(await createApiKey(bench.process(), { name: `portal ${number}`, purchaseOrderId }));
      }
    });

    afterAll(() => server.stop());

    test.each([
      ['apiKeys', 'id roles { role conference { slug } } purchaseOrder { reference }', 4],
      ['conferences', 'slug qboConnection { realmId lastSweptAt usage { reads } } stripeConnection { accountId }', 6],
    ])('%s { %s } cost %i statements', async (list, fields, count) => {
      for (const first of [2, 4]) {
        const statements = await bench.statementsOf(async () => {
          const answer = await server.client.query(`{ ${list}(first: ${first}) { totalCount nodes { ${fields} } } }`);
          expect(answer[list].nodes).toHaveLength(first);
        });
        expect(statements).toHaveLength(count);
      }
    });
  });
});
