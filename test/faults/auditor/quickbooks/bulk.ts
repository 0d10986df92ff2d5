import { type Evidence, type Finding, finding, type Row } from '../evidence.js';
import { atProvider, type Ledger } from '../ledger.js';

/** Every bulk that was asked for is there, once, is finished, and tells the truth of each order. */
export async function auditBulks(ledger: Ledger, { sql, conferenceId, asked, told }: Evidence): Promise<Finding[]> {
  const items = await sql(
    `select item.*, bulk.finished_at, invoice.external_id
     from bulk_invoicing_item item
     join bulk_invoicing bulk on bulk.id = item.bulk_invoicing_id
     join purchase_order on purchase_order.id = item.purchase_order_id
     left join invoice on invoice.id = item.invoice_id
     where purchase_order.conference_id = $1 order by item.bulk_invoicing_id, item.position`,
    [conferenceId],
  );
  const bulks = new Set(items.map((item) => item.bulk_invoicing_id));
  const wanted = asked.filter(({ call }) => call === 'createQboInvoices').length;
  const promised = told.filter(({ call }) => call === 'createQboInvoices');
  return [
    ...(bulks.size > wanted ? [finding('duplicate', `${wanted} bulks were asked for, there are ${bulks.size}`)] : []),
    ...promised
      .filter(({ id }) => !bulks.has(id))
      .map(({ id }) => finding('loss', `bulk ${id} was confirmed and is not there`)),
    ...items.flatMap((item) => auditItem(item, ledger)),
  ];
}

function auditItem(item: Row, ledger: Ledger): Finding[] {
  const name = `item ${item.position} of ${item.bulk_invoicing_id}`;
  const order = ledger.orders.find(({ row }) => row.id === item.purchase_order_id);
  if (item.state === 'PENDING') return [finding('stuck', `${name} is pending: ${item.error_message}`)];
  if (item.finished_at === null) return [finding('stuck', `${name} has its result, and the bulk is not finished`)];
  const made = order && atProvider(order, 'QBO').invoices.some((invoice) => invoice.external_id !== null);
  if (item.state === 'SUCCEEDED' && (!made || item.external_id === null)) {
    return [finding('loss', `${name} succeeded, and there is no invoice`)];
  }
  if (item.state === 'FAILED' && item.error_code !== 'QBO_TOTAL_DIFFERS' && item.external_id !== null) {
    return [finding('loss', `${name} failed with ${item.error_code}, and its invoice ${item.external_id} was made`)];
  }
  return [];
}
