import { eventually } from '../../support/eventually.js';
import type { QuickBooksStage } from './quickbooks-stage.js';

const TIMEOUT_MS = 300_000;

/** Invoices the orders in one go and waits until each is invoiced. */
export async function invoiceInBulk({ graphql }: QuickBooksStage, purchaseOrderIds: readonly string[]): Promise<void> {
  const selection = 'bulkInvoicing { id }';
  const begun = await graphql.mutate('createQboInvoices', { purchaseOrderIds }, selection);
  if (begun.userErrors.length > 0) throw new Error(`no bulk was begun: ${JSON.stringify(begun.userErrors)}`);
  const progress = 'query ($id: ID!) { bulk: bulkInvoicing(id: $id) { pending succeeded failed } }';
  const { bulk } = await eventually(
    () => graphql.query(progress, begun.bulkInvoicing),
    (seen) => seen.bulk.pending === 0,
    TIMEOUT_MS,
  );
  if (bulk.succeeded !== purchaseOrderIds.length) throw new Error(`not all were invoiced: ${JSON.stringify(bulk)}`);
}
