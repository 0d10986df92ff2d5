import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { reconcileQboConnection } from '../../../src/application/quickbooks/reconcile-qbo-connection.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(() => bench.quickbooks.delete('/faults'));

afterAll(() => bench.stop());

async function standing(id: string): Promise<Data> {
  const [order] = await bench.sql('select status from purchase_order where id = ?', [id]);
  const payments = await bench.sql(
    `select amount_minor from payment where purchase_order_id = ?
       and not exists (select from payment_reversal where payment_id = payment.id)`,
    [id],
  );
  return { order: order.status, payments: payments.map(({ amount_minor }) => amount_minor) };
}

test('a payment that only the answer to an e-mail told of is booked when invoices are compared', async () => {
  const { id, externalId } = await bench.invoicedOrder();
  const { Payment } = await bench.quickbooks.pay(externalId, '100.00');
  await sendQboInvoice(bench.process(), { purchaseOrderId: id });
  expect(await standing(id)).toEqual({ order: 'SENT', payments: [] });
  const { conferenceId } = bench;
  expect(await reconcileQboConnection(bench.process(), { conferenceId })).toMatchObject({ invoicesChanged: 1 });
  expect(await standing(id)).toEqual({
    order: 'PARTIALLY_PAID',
    payments: [String(Math.round(Number(Payment.TotalAmt) * 100))],
  });
});

test('an answer without a payment that the invoice lists takes nothing back', async () => {
  const { id, externalId } = await bench.invoicedOrder();
  await bench.quickbooks.pay(externalId, '100.00');
  await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id });
  const before = await standing(id);
  expect(before).toEqual({ order: 'PARTIALLY_PAID', payments: ['10000'] });
  const context = bench.with({
    readPayments: async () => ({ ok: true, value: { objects: [], unreadableIds: [] }, trace: {} }),
  });
  expect(await syncQboInvoiceStatus(context, { purchaseOrderId: id })).toMatchObject({
    failures: [{ code: 'QBO_UNAVAILABLE' }],
  });
  expect(await standing(id)).toEqual(before);
});

test('an invoice whose answer was lost and that was paid meanwhile is looked at, also when looking fails at first', async () => {
  const id = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
  await createQboInvoice(bench.process(), { purchaseOrderId: id });
  const { invoices } = await bench.books();
  await bench.quickbooks.pay(invoices.at(-1).Id, '100.00');
  const failure = { kind: 'unavailable', message: 'not now', trace: {} } as const;
  const context = bench.with({ readInvoices: async () => ({ ok: false, failure }) });
  expect(await createQboInvoice(context, { purchaseOrderId: id })).toEqual({ id, failures: [] });
  expect(await standing(id)).toEqual({ order: 'SENT', payments: [] });
  await processQboEvents(bench.process(), bench.realmId);
  expect(await standing(id)).toEqual({ order: 'PARTIALLY_PAID', payments: ['10000'] });
});
