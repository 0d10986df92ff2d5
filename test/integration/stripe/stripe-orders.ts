import type { Data } from '../../support/graphql-client.js';
import type { StripeWorkbench } from '../../support/stripe-workbench.js';

/** The steps of a creation, as the simulator's faults name them; the orders of these tests have two lines. */
export const STEPS = [
  ['draft', 'POST /^.v1.invoices$/', 0],
  ['first item', 'POST /v1/invoiceitems', 0],
  ['last item', 'POST /v1/invoiceitems', 1],
  ['finalisation', 'POST /finalize', 0],
] as const;

/** The invoices that Stripe has for an order, drafts included. */
export async function billed({ stripe }: StripeWorkbench, purchaseOrderId: string): Promise<Data[]> {
  const { invoices } = await stripe.books();
  return invoices.filter((invoice: Data) => invoice.metadata.purchase_order_id === purchaseOrderId);
}

export function operations(bench: StripeWorkbench, subject: string): Promise<Data[]> {
  return bench.sql('select * from provider_operation where subject = ? order by generation', [subject]);
}

export function invoiceRows(bench: StripeWorkbench, id: string): Promise<Data[]> {
  return bench.sql('select * from invoice where purchase_order_id = ? order by id', [id]);
}

/** Everything a mutation can leave behind for an order, which must be nothing. */
export async function leftBehind(bench: StripeWorkbench, id: string): Promise<Data> {
  const open = await bench.sql(
    "select id from provider_operation where subject = ? and state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')",
    [id],
  );
  return { rows: await invoiceRows(bench, id), open, billed: await billed(bench, id) };
}

export const NOTHING = { rows: [], open: [], billed: [] };

/** What 1475.00 USD in two lines look like in Stripe. */
export const PAYABLE = {
  status: 'open',
  currency: 'usd',
  total: 147500,
  amount_remaining: 147500,
  lines: [
    { amount: 99800, quantity: 2, description: 'Conference ticket' },
    { amount: 47700, quantity: 1, description: 'Silver sponsorship' },
  ],
};
