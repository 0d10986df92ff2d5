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
  const total = "'total_minor', 10000";
  await insertLike(bench, 'purchase_order', { template: template.id, given }, [
    `'id', given ->> 'orderId', 'reference', 'PO-' || lpad(given ->> 'externalId', 6, '0'), ${total}`,
  ]);
  await insertLike(bench, 'invoice', { template: template.invoiceId, given }, [
    "'id', given ->> 'invoiceId', 'purchase_order_id', given ->> 'orderId', 'external_id', given ->> 'externalId'",
    `${total}, 'balance_minor', 10000`,
  ]);
  await bench.quickbooks.delete('/requests');
  return rows;
}

/** Rows like the template, but for what is said of each in `changes`. What the database computes it computes of each. */
async function insertLike(
  { sql }: Workbench,
  table: string,
  { template, given }: { readonly template: string; readonly given: string },
  changes: readonly string[],
): Promise<void> {
  const [stored] = await sql(
    `select string_agg(quote_ident(column_name), ', ') as columns from information_schema.columns
     where table_schema = 'public' and table_name = ? and is_generated = 'NEVER'`,
    [table],
  );
  await sql(
    `insert into ${table} (${stored?.columns})
     select ${stored?.columns} from jsonb_array_elements(?::jsonb) given, lateral (
       select (jsonb_populate_record(original, jsonb_build_object(${changes.join(', ')}))).*
       from ${table} original where id = ?) as copy`,
    [given, template],
  );
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
