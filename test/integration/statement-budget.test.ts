import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordPayment } from '../../src/application/purchase-orders/record-payment.js';
import { listPurchaseOrders } from '../../src/application/queries/list-purchase-orders.js';
import { createQboInvoice } from '../../src/application/quickbooks/create-qbo-invoice.js';
import { syncQboInvoiceStatus } from '../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { storeWebhookEvents } from '../../src/application/webhooks/store-webhook-events.js';
import { startWorkbench, type Workbench } from '../support/workbench.js';

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

  test('createPurchaseOrder costs 6 statements', async () => {
    const statements = await bench.statementsOf(() => bench.order({ organizationName: 'Statements Ltd' }));
    expect(statements).toHaveLength(6);
  });

  test('recordPayment costs 9 statements', async () => {
    const purchaseOrderId = await bench.order({ organizationName: 'Payer Ltd' });
    const statements = await bench.statementsOf(() =>
      recordPayment(bench.process(), { purchaseOrderId, amount: '10.00', method: 'WIRE' }),
    );
    expect(statements).toHaveLength(9);
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

  test('a page of purchase orders with all their sums costs one statement', async () => {
    const statements = await bench.statementsOf(() => listPurchaseOrders(bench.process().em, { first: 20 }));
    expect(statements).toHaveLength(1);
  });
});
