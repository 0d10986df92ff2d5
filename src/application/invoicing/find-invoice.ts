import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import {
  type InvoiceProvider,
  InvoiceStatus,
  isBeingMade,
  PROVIDER_NAMES,
} from '../../domain/invoice/invoice.status.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { UseCaseContext } from '../context.js';
import type { Failure } from '../outcome.js';
import { changeableBy } from '../purchase-orders/purchase-order-ledger.js';
import { findLiveInvoice } from './live-invoice.js';

/** Why a purchase order has no invoice at a provider to work with. */
export type FindInvoiceCode<Provider extends `${InvoiceProvider}`> =
  | 'NOT_FOUND'
  | `NO_${Provider}_INVOICE`
  | 'IN_PROGRESS'
  | 'OUTCOME_UNKNOWN';

const CREATING_MUTATIONS: Record<`${InvoiceProvider}`, string> = {
  QBO: 'createQboInvoice',
  STRIPE: 'createStripeInvoice',
};

/** The purchase order's live invoice at this provider, or why there is none to work with. */
export async function findInvoiceAt<Provider extends `${InvoiceProvider}`>(
  { em, actor }: Pick<UseCaseContext, 'em' | 'actor'>,
  provider: Provider,
  purchaseOrderId: string,
): Promise<{ order: PurchaseOrder; invoice: Invoice } | { failure: Failure<FindInvoiceCode<Provider>> }> {
  const path = ['purchaseOrderId'];
  const order = changeableBy(actor, await em.findOne(PurchaseOrder, purchaseOrderId));
  if (!order) return { failure: { code: 'NOT_FOUND', message: 'There is no purchase order with this id.', path } };
  const invoice = await findLiveInvoice(em, order.id);
  const mutation = CREATING_MUTATIONS[provider];
  if (invoice?.provider !== provider) {
    const message = `This purchase order has no invoice in ${PROVIDER_NAMES[provider]}: create one with ${mutation}.`;
    return { failure: { code: `NO_${provider}_INVOICE`, message, path } };
  }
  if (!isBeingMade(invoice.status)) return { order, invoice };
  const isUnknown = invoice.status === InvoiceStatus.UNKNOWN;
  const message = `The invoice is still being created; ask again, or call ${mutation} to go on with it.`;
  return { failure: { code: isUnknown ? 'OUTCOME_UNKNOWN' : 'IN_PROGRESS', message, path } };
}

/** What to say of an invoice that is no more. */
export function invoiceGone<Provider extends `${InvoiceProvider}`>(
  provider: Provider,
): Failure<`NO_${Provider}_INVOICE`> {
  const message = `The invoice of this purchase order was voided or deleted in ${PROVIDER_NAMES[provider]}: create one with ${CREATING_MUTATIONS[provider]}.`;
  return { code: `NO_${provider}_INVOICE`, message, path: ['purchaseOrderId'] };
}
