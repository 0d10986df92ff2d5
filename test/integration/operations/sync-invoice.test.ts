import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AccountingGateway, ProviderInvoice, ProviderPayment } from '../../../src/application/ports/accounting.js';
import { succeeded } from '../../../src/application/ports/provider.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { syncInvoice } from '../../../src/application/quickbooks/sync-invoices.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits } from '../../../src/domain/money.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

afterAll(() => bench.stop());

type Applications = ProviderPayment['applications'];

function payment(applications: Applications, total: bigint, currency = 'USD', unapplied = 0n): ProviderPayment {
  const facts = { externalId: '900', syncToken: '0', paidOn: '2026-11-02', referenceNumber: undefined, voided: false };
  const amounts = { total: minorUnits(total), unapplied: minorUnits(unapplied) };
  return { ...facts, ...amounts, currency: currency as CurrencyCode, applications };
}

function applied(kind: 'invoice' | 'credit' | 'other', externalId: string, amount: bigint): Applications[number] {
  return { kind, externalId, amount: minorUnits(amount) };
}

/** As if this one payment were all that the invoice is linked with. */
async function syncWith(invoiceId: string, externalId: string, reported: ProviderPayment): Promise<void> {
  const read = await bench.context.accounting.readInvoice(await connectionId(), externalId);
  if (!read.ok) throw new Error(read.failure.message);
  const invoice: ProviderInvoice = { ...read.value, paymentIds: [reported.externalId] };
  const context = bench.with({
    readInvoices: async () => succeeded({ objects: [invoice], unreadableIds: [] }),
    readPayments: async () => succeeded({ objects: [reported], unreadableIds: [] }),
  });
  expect(await syncInvoice(context, invoiceId)).toBeUndefined();
}

async function connectionId(): Promise<string> {
  return (await bench.sql('select id from qbo_connection'))[0].id;
}

async function standing(orderId: string): Promise<string[]> {
  const rows = await bench.sql(
    `select amount_minor::text as amount from payment
     where purchase_order_id = ? and not exists (select from payment_reversal where payment_id = payment.id) order by id`,
    [orderId],
  );
  return rows.map(({ amount }) => amount);
}

describe('an older reading', () => {
  test('never overwrites a newer one that another process recorded meanwhile', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    const { accounting } = bench.context;
    let readings = 0;
    const readInvoices: AccountingGateway['readInvoices'] = async (...call) => {
      const answer = await accounting.readInvoices(...call);
      readings += 1;
      if (readings === 1) {
        // While the first reading is under way, the payment arrives and another process books it.
        await bench.quickbooks.pay(externalId, '1475.00');
        expect(await syncInvoice(bench.process(), invoiceId)).toBeUndefined();
      }
      return answer;
    };
    expect(await syncInvoice(bench.with({ readInvoices }), invoiceId)).toBeUndefined();
    expect(readings).toBe(2);
    expect(await standing(id)).toEqual(['147500']);
    const [invoice] = await bench.sql('select status, balance_minor from invoice where id = ?', [invoiceId]);
    expect(invoice).toEqual({ status: 'PAID', balance_minor: '0' });
    const [order] = await bench.sql('select status from purchase_order where id = ?', [id]);
    expect(order).toEqual({ status: 'PAID' });
    expect(await bench.sql('select 1 from payment where purchase_order_id = ?', [id])).toHaveLength(1);
  });

  test('is given up after a few rounds, with nothing changed, when the invoice never rests', async () => {
    const { invoiceId } = await bench.invoicedOrder();
    const { accounting } = bench.context;
    let readings = 0;
    const readInvoices: AccountingGateway['readInvoices'] = async (...call) => {
      readings += 1;
      await bench.sql("update invoice set reading_recorded = nextval('invoice_reading') where id = ?", [invoiceId]);
      return accounting.readInvoices(...call);
    };
    const failure = await syncInvoice(bench.with({ readInvoices }), invoiceId);
    expect(failure).toMatchObject({ kind: 'unavailable' });
    expect(readings).toBe(5);
  });
});

describe('W-Q10: only money counts', () => {
  test('a payment of nothing that applies a journal entry books nothing', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    const applications = [applied('invoice', externalId, 147500n), applied('other', '77', 147500n)];
    await syncWith(invoiceId, externalId, payment(applications, 0n));
    expect(await standing(id)).toEqual([]);
  });

  test('a payment that applies more than it brought books what it brought', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    const applications = [
      applied('invoice', externalId, 147500n),
      applied('credit', '78', 20000n),
      applied('other', '79', 7500n),
    ];
    await syncWith(invoiceId, externalId, payment(applications, 120000n));
    expect(await standing(id)).toEqual(['120000']);
  });

  test('a payment with money left over books what it applied', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    await syncWith(invoiceId, externalId, payment([applied('invoice', externalId, 100000n)], 500000n, 'USD', 400000n));
    expect(await standing(id)).toEqual(['100000']);
  });

  test('a payment for other invoices books nothing here', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    await syncWith(invoiceId, externalId, payment([applied('invoice', '424242', 100000n)], 100000n));
    expect(await standing(id)).toEqual([]);
  });

  test('a payment in another currency than its invoice books nothing and says so', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    const euros = payment([applied('invoice', externalId, 147500n)], 147500n, 'EUR');
    await expect(syncWith(invoiceId, externalId, euros)).rejects.toThrow('is in EUR, its invoice in USD');
    expect(await standing(id)).toEqual([]);
  });
});

describe('an invoice whose lines are not those that were sent', () => {
  test('stays flagged by later readings until the lines are right', async () => {
    const purchaseOrderId = await bench.order();
    const { accounting } = bench.context;
    const createInvoice = async (connection: string, body: string, key: string) => {
      const result = await accounting.createInvoice(connection, body, key);
      if (!result.ok) return result;
      const [first, ...others] = result.value.lines;
      const lines = [{ amount: minorUnits(0n), description: 'dropped' }, ...(first ? [first] : []), ...others];
      return { ...result, value: { ...result.value, lines } };
    };
    const outcome = await createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: purchaseOrderId, failures: [{ code: 'QBO_TOTAL_DIFFERS' }] });
    const invoiceRow = async (): Promise<Data> =>
      (
        await bench.sql('select id, matches_purchase_order as matches from invoice where purchase_order_id = ?', [
          purchaseOrderId,
        ])
      )[0];
    const { id } = await invoiceRow();

    const readInvoices: AccountingGateway['readInvoices'] = async (...call) => {
      const result = await accounting.readInvoices(...call);
      if (!result.ok) return result;
      const objects = result.value.objects.map((invoice) => ({ ...invoice, lines: invoice.lines.slice(1) }));
      return { ...result, value: { ...result.value, objects } };
    };
    expect(await syncInvoice(bench.with({ readInvoices }), id)).toBeUndefined();
    expect(await invoiceRow()).toEqual({ id, matches: false });

    expect(await syncInvoice(bench.process(), id)).toBeUndefined();
    expect(await invoiceRow()).toEqual({ id, matches: true });
  });
});

describe('an invoice that QuickBooks says it cannot find', () => {
  test('keeps its payments as long as a query still finds it', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    await bench.quickbooks.pay(externalId, '1475.00');
    await syncInvoice(bench.process(), invoiceId);
    await bench.quickbooks.post('/faults', {
      kind: 'fault',
      code: '610',
      match: { method: 'GET', path: `/invoice/${externalId}` },
    });

    expect(await syncInvoice(bench.process(), invoiceId)).toMatchObject({ kind: 'unavailable' });

    expect(await standing(id)).toEqual(['147500']);
    const [invoice] = await bench.sql('select status from invoice where id = ?', [invoiceId]);
    expect(invoice).toEqual({ status: 'PAID' });
  });

  test('is deleted when a query does not find it either, which the audit trail tells', async () => {
    const { id, invoiceId, externalId } = await bench.invoicedOrder();
    await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: externalId });

    expect(await syncInvoice(bench.process(), invoiceId)).toBeUndefined();

    const [invoice] = await bench.sql('select status from invoice where id = ?', [invoiceId]);
    expect(invoice).toEqual({ status: 'DELETED' });
    const [trace] = await bench.sql(
      "select before, after from audit_event where subject = ? and action = 'invoice.changed_at_provider'",
      [id],
    );
    expect(trace).toEqual({
      before: { status: 'OPEN', total: '1475.00 USD' },
      after: { invoice: externalId, status: 'DELETED', total: '1475.00 USD' },
    });
  });
});
