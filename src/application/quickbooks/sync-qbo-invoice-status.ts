import { type FindInvoiceCode, findInvoiceAt } from '../invoicing/find-invoice.js';
import { done, type Outcome, refused } from '../outcome.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { syncInvoice } from './sync-invoices.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type SyncQboInvoiceStatusCode = ProviderCode | ConnectionCode | FindInvoiceCode<'QBO'>;

/** Reads the invoice and its payments from QuickBooks now and books what changed. Repeating it changes nothing. */
export async function syncQboInvoiceStatus(
  context: QboContext,
  { purchaseOrderId }: { readonly purchaseOrderId: string },
): Promise<Outcome<QboFailure<SyncQboInvoiceStatusCode>>> {
  const found = await findInvoiceAt(context, 'QBO', purchaseOrderId);
  if ('failure' in found) return refused(found.failure);
  const usable = await usableConnection(context, found.order, found.invoice);
  if ('failure' in usable) return refused(usable.failure);
  const failure = await syncInvoice(context, found.invoice.id);
  return failure ? refused(describeProviderFailure(failure)) : done(found.order.id);
}
