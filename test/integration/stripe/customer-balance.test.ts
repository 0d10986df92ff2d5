import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { syncStripeInvoiceStatus } from '../../../src/application/stripe/sync-stripe-invoice-status.js';
import type { Data } from '../../support/graphql-client.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { attention, balance } from '../ledger/ledger-bench.js';
import { billed } from './stripe-orders.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

afterAll(() => bench.stop());

/** Invoices an order of a customer who has this balance in Stripe: credit is negative. */
async function invoicedWith(customerBalance: number) {
  const organizationName = `Balance ${customerBalance} Ltd`;
  const former = await bench.stripeInvoicedOrder({ organizationName });
  const { customer } = (await billed(bench, former.id))[0] as Data;
  await bench.stripe.api('POST', `/v1/customers/${customer}`, { balance: `${customerBalance}` });
  const id = await bench.order({ organizationName });
  const outcome = await createStripeInvoice(bench.process(), { purchaseOrderId: id });
  const [{ id: externalId }] = (await billed(bench, id)) as [Data];
  return { id, externalId, outcome };
}

async function sync(purchaseOrderId: string): Promise<void> {
  const { failures } = await syncStripeInvoiceStatus(bench.process(), { purchaseOrderId });
  expect(failures).toEqual([]);
}

async function stored(id: string): Promise<Data> {
  const [row] = await bench.sql(
    'select status, balance_minor::int as balance, matches_purchase_order as matches from invoice where purchase_order_id = ?',
    [id],
  );
  return row;
}

const cancel = (purchaseOrderId: string) => cancelPurchaseOrder(bench.process(), { purchaseOrderId });

describe("a customer's balance in Stripe", () => {
  test('that lowers what the invoice asks for is told at once and flagged, and the invoice can be voided', async () => {
    const { id, outcome } = await invoicedWith(-10_000);
    const credit =
      "100.00 USD of the customer's balance in Stripe was used up for it, so that it asks for 1375.00 USD. " +
      "Void it in Stripe, settle the customer's balance there, and invoice anew.";
    expect(outcome).toMatchObject({
      id,
      failures: [{ code: 'STRIPE_TOTAL_DIFFERS', message: expect.stringContaining(credit) }],
    });
    expect(await stored(id)).toEqual({ status: 'OPEN', balance: 137_500, matches: false });
    await sync(id);
    expect(await attention(bench, id)).toEqual([
      `TOTAL_DIFFERS The invoice is over 1475.00 USD, the purchase order over 1475.00 USD, but ${credit}`,
    ]);
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await stored(id)).toMatchObject({ status: 'VOIDED' });
  });

  test('that raises it is, too, and money that came in for it forbids a void', async () => {
    const { id, externalId, outcome } = await invoicedWith(5_000);
    const debt = '50.00 USD that the customer owes in Stripe was added to it, so that it asks for 1525.00 USD. ';
    expect(outcome.failures).toMatchObject([{ message: expect.stringContaining(debt) }]);
    expect(await stored(id)).toEqual({ status: 'OPEN', balance: 152_500, matches: false });
    await bench.stripe.pay(externalId, 2_000);
    await sync(id);
    expect(await stored(id)).toMatchObject({ status: 'PARTIALLY_PAID', balance: 150_500 });
    expect(await balance(bench, id)).toBe('PARTIALLY_PAID paid 2000 credited 0 due 145500');
    expect(await attention(bench, id)).toEqual([expect.stringMatching(/^TOTAL_DIFFERS /)]);
    expect(await cancel(id)).toMatchObject({ failures: [{ code: 'HAS_PAYMENTS' }] });
  });

  test('that pays all of it is no money: a credit note over all of it in Stripe gives it back, as a void does', async () => {
    const { id, externalId, outcome } = await invoicedWith(-200_000);
    const paid = 'so that it asks for 0.00 USD. Give that back in Stripe by a credit note over all of it';
    expect(outcome.failures).toMatchObject([{ message: expect.stringContaining(paid) }]);
    expect(await stored(id)).toEqual({ status: 'PAID', balance: 0, matches: false });
    await sync(id);
    expect(await balance(bench, id)).toBe('SENT paid 0 credited 0 due 147500');
    expect(await attention(bench, id)).toEqual([expect.stringMatching(/^TOTAL_DIFFERS /)]);
    expect(await cancel(id)).toMatchObject({
      failures: [{ code: 'INVOICED', message: expect.stringContaining(paid) }],
    });
    await bench.stripe.api('POST', '/v1/credit_notes', {
      invoice: externalId,
      amount: '147500',
      credit_amount: '147500',
    });
    await sync(id);
    expect(await stored(id)).toEqual({ status: 'VOIDED', balance: 0, matches: true });
    expect(await attention(bench, id)).toEqual([]);
    expect(await cancel(id)).toEqual({ id, failures: [] });
  });
});
