import type { Data } from './graphql-client.js';
import type { Workbench } from './workbench.js';

/** The most that one batch of QuickBooks takes. */
const BATCH = 30;

export interface OutstandingInvoice {
  readonly orderId: string;
  readonly invoiceId: string;
  readonly externalId: string;
}

/**
 * Many invoices over 100.00 USD, in QuickBooks and on our side, as if they had been created one by one, which would take
 * minutes. They count neither as calls of ours nor as changes that somebody still has to be told.
 */
export async function outstandingInvoices(bench: Workbench, count: number): Promise<OutstandingInvoice[]> {
  const template = await bench.invoicedOrder();
  const externalIds = await createInQuickBooks(bench, count);
  const rows = externalIds.map((externalId) => ({
    orderId: `po_${externalId}`,
    invoiceId: `inv_${externalId}`,
    externalId,
  }));
  const given = JSON.stringify(rows);
  await bench.sql(
    `insert into purchase_order
     select (jsonb_populate_record(purchase_order, jsonb_build_object(
       'id', given ->> 'orderId', 'reference', 'PO-' || lpad(given ->> 'externalId', 6, '0'), 'total_minor', 10000))).*
     from purchase_order, jsonb_array_elements(?::jsonb) given where purchase_order.id = ?`,
    [given, template.id],
  );
  await bench.sql(
    `insert into invoice
     select (jsonb_populate_record(invoice, jsonb_build_object(
       'id', given ->> 'invoiceId', 'purchase_order_id', given ->> 'orderId', 'external_id', given ->> 'externalId',
       'total_minor', 10000, 'balance_minor', 10000))).*
     from invoice, jsonb_array_elements(?::jsonb) given where invoice.id = ?`,
    [given, template.invoiceId],
  );
  await bench.quickbooks.delete('/requests');
  return rows;
}

async function createInQuickBooks({ quickbooks, realmId }: Workbench, count: number): Promise<string[]> {
  const { accessToken } = await quickbooks.post('/tokens', { realmId });
  const { invoices } = await quickbooks.get(`/books?realmId=${realmId}`);
  const line = { DetailType: 'SalesItemLineDetail', Amount: 100, SalesItemLineDetail: { ItemRef: { value: '1' } } };
  const { CustomerRef, CurrencyRef } = invoices.at(-1);
  const Invoice = { CustomerRef, CurrencyRef, Line: [line] };
  const ids: string[] = [];
  while (ids.length < count) {
    const size = Math.min(BATCH, count - ids.length);
    const items = Array.from({ length: size }, (_, index) => ({ bId: `b${index}`, operation: 'create', Invoice }));
    const response = await fetch(`${quickbooks.simulator.baseUrl}/v3/company/${realmId}/batch`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        authorization: `Bearer ${accessToken}`,
      },
      body: JSON.stringify({ BatchItemRequest: items }),
    });
    const { BatchItemResponse } = (await response.json()) as Data;
    ids.push(
      ...BatchItemResponse.map((item: Data) => {
        if (!item.Invoice) throw new Error(JSON.stringify(item));
        return item.Invoice.Id;
      }),
    );
  }
  return ids;
}
