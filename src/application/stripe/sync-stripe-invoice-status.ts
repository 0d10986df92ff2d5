import { type FindInvoiceCode, findInvoiceAt } from '../invoicing/find-invoice.js';
import { done, type Outcome, refused } from '../outcome.js';
import type { StripeContext } from './stripe-context.js';
import { describeStripeFailure, type StripeFailure, type StripeProviderCode } from './stripe-failure.js';
import { syncStripeInvoice } from './sync-invoice.js';
import { type StripeConnectionCode, usableStripeConnection } from './usable-stripe-connection.js';

export type SyncStripeInvoiceStatusCode = StripeProviderCode | StripeConnectionCode | FindInvoiceCode<'STRIPE'>;

export interface SyncStripeInvoiceStatus {
  readonly purchaseOrderId: string;
}

/** Reads the invoice and its payments from Stripe now and books what changed. Repeating it changes nothing. */
export async function syncStripeInvoiceStatus(
  context: StripeContext,
  { purchaseOrderId }: SyncStripeInvoiceStatus,
): Promise<Outcome<StripeFailure<SyncStripeInvoiceStatusCode>>> {
  const found = await findInvoiceAt(context, 'STRIPE', purchaseOrderId);
  if ('failure' in found) return refused(found.failure);
  const usable = await usableStripeConnection(context, found.order, found.invoice);
  if ('failure' in usable) return refused(usable.failure);
  const failure = await syncStripeInvoice(context, found.invoice.id);
  return failure ? refused(describeStripeFailure(failure)) : done(found.order.id);
}
