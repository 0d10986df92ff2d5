import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AccountingGateway, ProviderInvoice, ProviderPayment } from '../../../src/application/ports/accounting.js';
import { succeeded } from '../../../src/application/ports/provider.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import type { QboContext } from '../../../src/application/quickbooks/qbo-context.js';
import { sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { minorUnits } from '../../../src/domain/money.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { attention, balance, notify } from './ledger-bench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
});

afterAll(() => bench.stop());

async function statuses(orderId: string): Promise<string[]> {
  const rows = await bench.sql('select status from invoice where purchase_order_id = ? order by id', [orderId]);
  return rows.map(({ status }) => status);
}

/** QuickBooks as it looks when an invoice that it did not show for a while is there again, with this payment. */
function showingAgain(invoice: ProviderInvoice, payment: ProviderPayment) {
  const { accounting } = bench.context;
  const readInvoices: AccountingGateway['readInvoices'] = async (connection, ids) => {
    if (!ids.includes(invoice.externalId)) return accounting.readInvoices(connection, ids);
    const balance = minorUnits(invoice.total - payment.total);
    const objects = [{ ...invoice, balance, paymentIds: [payment.externalId] }];
    return succeeded({ objects, unreadableIds: [] }, {}, new Date());
  };
  const readPayments: AccountingGateway['readPayments'] = async () =>
    succeeded({ objects: [payment], unreadableIds: [] }, {}, new Date());
  return bench.with({ readInvoices, readPayments });
}

async function sweep(context: QboContext, invoice: ProviderInvoice, payment: ProviderPayment): Promise<void> {
  await bench.sql('delete from qbo_sweep');
  await bench.later(120_000);
  const [{ id }] = await bench.sql('select id from qbo_connection');
  const readChanges: AccountingGateway['readChanges'] = async () => {
    const shown = await context.accounting.readInvoices(id, [invoice.externalId]);
    if (!shown.ok) return shown;
    const none = { objects: [], unreadableIds: [] };
    const payments = { objects: [payment], unreadableIds: [] };
    const deleted = { deletedInvoices: [], deletedPayments: [] };
    const changes = { invoices: shown.value, payments, refundReceipts: none, ...deleted, mayBeIncomplete: false };
    return succeeded(changes, {}, new Date());
  };
  expect(await sweepQboConnection(bench.with({ readChanges }), id)).toMatchObject({ outcome: 'done' });
}

describe('an invoice that was taken for ended and is there again beside its successor', () => {
  test.each(['an event', 'a sweep'])(
    'does not become the live one, its money is booked, and a person is told, after %s',
    async (way) => {
      const order = await bench.invoicedOrder();
      const [{ id: connectionId }] = await bench.sql('select id from qbo_connection');
      const read = await bench.context.accounting.readInvoice(connectionId, order.externalId);
      if (!read.ok) throw new Error(read.failure.message);
      await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: order.externalId });
      await notify(bench, 'invoice', order.externalId);
      await createQboInvoice(bench.process(), { purchaseOrderId: order.id });
      expect(await statuses(order.id)).toEqual(['DELETED', 'OPEN']);

      const amount = minorUnits(10_000n);
      const payment: ProviderPayment = {
        externalId: `9${order.externalId}`,
        syncToken: '0',
        currency: read.value.currency,
        total: amount,
        unapplied: minorUnits(0n),
        paidOn: '2026-11-02',
        referenceNumber: undefined,
        voided: false,
        applications: [{ kind: 'invoice', externalId: order.externalId, amount }],
        changedAt: undefined,
      };
      const context = showingAgain(read.value, payment);
      if (way === 'an event') await notify(bench, 'invoice', order.externalId, { context });
      else await sweep(context, read.value, payment);

      expect(await statuses(order.id)).toEqual(['DELETED', 'OPEN']);
      expect(await balance(bench, order.id)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
      expect(await attention(bench, order.id)).toEqual([
        `SECOND_INVOICE QuickBooks invoice ${read.value.number}, which was voided or deleted before, asks for 1375.00 USD beside the live invoice. Void one of them in QuickBooks.`,
      ]);

      const [, { external_id: successor }] = await bench.sql(
        'select external_id from invoice where purchase_order_id = ? order by id',
        [order.id],
      );
      await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: successor });
      await notify(bench, 'invoice', successor);
      await notify(bench, 'invoice', order.externalId, { context });
      expect(await statuses(order.id)).toEqual(['PARTIALLY_PAID', 'VOIDED']);
      expect(await attention(bench, order.id)).toEqual([]);
    },
  );
});
