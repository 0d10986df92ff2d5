import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  AccountingGateway,
  ProviderChanges,
  ProviderInvoice,
  ProviderPayment,
} from '../../../src/application/ports/accounting.js';
import { succeeded } from '../../../src/application/ports/provider.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { reconcileQboConnection } from '../../../src/application/quickbooks/reconcile-qbo-connection.js';
import { sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { minorUnits } from '../../../src/domain/money.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { attention, balance, money, notify, paymentOf, type Shown, showingAgain } from './ledger-bench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench({ timeoutMs: 20_000 });
});

afterAll(() => bench.stop());

async function statuses(orderId: string): Promise<string[]> {
  const rows = await bench.sql('select status from invoice where purchase_order_id = ? order by id', [orderId]);
  return rows.map(({ status }) => status);
}

/** What change data capture tells of a payment, and of nothing else unless it is given. */
async function sweep(shown: Partial<Shown>, payment: ProviderPayment, told: Partial<ProviderChanges> = {}) {
  await bench.sql('delete from qbo_sweep');
  await bench.later(120_000);
  const [{ id }] = await bench.sql('select id from qbo_connection');
  const none = { objects: [], unreadableIds: [] };
  const changes = {
    invoices: none,
    payments: { objects: [payment], unreadableIds: [] },
    refundReceipts: none,
    deletedInvoices: [],
    deletedPayments: [],
    mayBeIncomplete: false,
    ...told,
  };
  const readChanges: AccountingGateway['readChanges'] = async () => succeeded(changes, {}, new Date());
  expect(await sweepQboConnection(bench.with({ ...shown, readChanges }), id)).toMatchObject({ outcome: 'done' });
}

/** An invoice that QuickBooks deleted, and its order, which has a successor. */
async function endedInvoice(): Promise<{ orderId: string; invoice: ProviderInvoice; successor: string }> {
  const order = await bench.invoicedOrder();
  const [{ id: connectionId }] = await bench.sql('select id from qbo_connection');
  const read = await bench.context.accounting.readInvoice(connectionId, order.externalId);
  if (!read.ok) throw new Error(read.failure.message);
  await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: order.externalId });
  await notify(bench, 'invoice', order.externalId);
  await createQboInvoice(bench.process(), { purchaseOrderId: order.id });
  expect(await statuses(order.id)).toEqual(['DELETED', 'OPEN']);
  const rows = await bench.sql('select external_id from invoice where purchase_order_id = ? order by id', [order.id]);
  return { orderId: order.id, invoice: read.value, successor: rows[1]?.external_id };
}

async function told(shown: Shown, { externalId }: ProviderInvoice): Promise<Partial<ProviderChanges>> {
  const [{ id }] = await bench.sql('select id from qbo_connection');
  const read = await shown.readInvoices(id, [externalId]);
  if (!read.ok) throw new Error(read.failure.message);
  return { invoices: read.value };
}

const WAYS: [string, (shown: Shown, payment: ProviderPayment) => Promise<unknown>][] = [
  ['a sweep', sweep],
  ['a reconciliation', (shown) => reconcileQboConnection(bench.with(shown), { conferenceId: bench.conferenceId })],
];

const secondInvoice = ({ number }: ProviderInvoice, rest: string) =>
  `SECOND_INVOICE QuickBooks invoice ${number}, which was voided or deleted before, asks for ${rest} USD beside the live invoice. Void one of them.`;

describe('an invoice that was taken for ended and is there again beside its successor', () => {
  test.each(['an event', 'a sweep'])(
    'does not become the live one, its money is booked, and a person is told, after %s',
    async (way) => {
      const { orderId, invoice, successor } = await endedInvoice();
      const payment = paymentOf(invoice, '9');
      const shown = showingAgain(bench, invoice, payment);
      const context = bench.with(shown);
      if (way === 'an event') await notify(bench, 'invoice', invoice.externalId, { context });
      else await sweep(shown, payment, await told(shown, invoice));

      expect(await statuses(orderId)).toEqual(['DELETED', 'OPEN']);
      expect(await balance(bench, orderId)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
      expect(await attention(bench, orderId)).toEqual([secondInvoice(invoice, '1375.00')]);

      await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: successor });
      await notify(bench, 'invoice', successor);
      await notify(bench, 'invoice', invoice.externalId, { context });
      expect(await statuses(orderId)).toEqual(['PARTIALLY_PAID', 'VOIDED']);
      expect(await attention(bench, orderId)).toEqual([]);
    },
  );

  describe.each(WAYS)('and of which nothing but a change of its payment is found by %s', (_way, learn) => {
    test('keeps what is booked on it when the rest of the payment changes', async () => {
      const { orderId, invoice } = await endedInvoice();
      const before = paymentOf(invoice, '8', { total: minorUnits(30_000n), unapplied: minorUnits(20_000n) });
      await notify(bench, 'invoice', invoice.externalId, { context: bench.with(showingAgain(bench, invoice, before)) });

      const after = { ...before, syncToken: '1', total: minorUnits(15_000n), unapplied: minorUnits(5_000n) };
      await learn(showingAgain(bench, invoice, after), after);

      expect(await balance(bench, orderId)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
      expect(await money(bench, orderId)).toEqual([expect.stringMatching(/^8\d+\/1 10000 /)]);
      expect(await attention(bench, orderId)).toEqual([
        secondInvoice(invoice, '1375.00'),
        `UNAPPLIED_CREDIT 50.00 USD of payment ${after.externalId} is applied to no invoice in QuickBooks.`,
      ]);
    });

    test('keeps what is booked of its other payments when one is taken off it', async () => {
      const { orderId, invoice } = await endedInvoice();
      const before = paymentOf(invoice, '7', { total: minorUnits(30_000n), unapplied: minorUnits(20_000n) });
      const other = paymentOf(invoice, '6');
      await notify(bench, 'invoice', invoice.externalId, {
        context: bench.with(showingAgain(bench, invoice, before, other)),
      });

      const after = { ...before, syncToken: '1', unapplied: minorUnits(30_000n), applications: [] };
      await learn(showingAgain(bench, invoice, after, other), after);

      expect(await balance(bench, orderId)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
      expect(await attention(bench, orderId)).toContain(secondInvoice(invoice, '1375.00'));
    });
  });

  test('is read when a sweep tells both that it is deleted and that a payment is applied to it', async () => {
    const { orderId, invoice } = await endedInvoice();
    const payment = paymentOf(invoice, '5');
    const deletedInvoices = [{ externalId: invoice.externalId, changedAt: undefined }];
    await sweep(showingAgain(bench, invoice, payment), payment, { deletedInvoices });
    expect(await balance(bench, orderId)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
  });

  test('is forgotten when a sweep tells that it is deleted again', async () => {
    const { orderId, invoice } = await endedInvoice();
    await notify(bench, 'invoice', invoice.externalId, { context: bench.with(showingAgain(bench, invoice)) });
    expect(await attention(bench, orderId)).toEqual([secondInvoice(invoice, '1475.00')]);
    const foreign = paymentOf(invoice, '4', { applications: [] });
    await sweep({}, foreign, {
      deletedInvoices: [{ externalId: invoice.externalId, changedAt: undefined }],
    });
    expect(await attention(bench, orderId)).toEqual([]);
  });
});
