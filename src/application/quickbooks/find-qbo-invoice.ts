import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider, InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { findLiveInvoice } from '../invoicing/live-invoice.js';
import type { QboFailure } from './qbo-failure.js';

export type FindInvoiceCode = 'NOT_FOUND' | 'NO_QBO_INVOICE' | 'IN_PROGRESS' | 'OUTCOME_UNKNOWN';

/** The purchase order's live invoice in QuickBooks, or why there is none to work with. */
export async function findQboInvoice(
  em: EntityManager,
  purchaseOrderId: string,
): Promise<{ order: PurchaseOrder; invoice: Invoice } | { failure: QboFailure<FindInvoiceCode> }> {
  const path = ['purchaseOrderId'];
  const order = await em.findOne(PurchaseOrder, purchaseOrderId);
  if (!order) return { failure: { code: 'NOT_FOUND', message: 'There is no purchase order with this id.', path } };
  const invoice = await findLiveInvoice(em, order.id);
  if (invoice?.provider !== InvoiceProvider.QBO) {
    const message = 'This purchase order has no invoice in QuickBooks: create one with createQboInvoice.';
    return { failure: { code: 'NO_QBO_INVOICE', message, path } };
  }
  if (invoice.externalId !== null) return { order, invoice };
  const isUnknown = invoice.status === InvoiceStatus.UNKNOWN;
  const message = 'The invoice is still being created; ask again, or call createQboInvoice to go on with it.';
  return { failure: { code: isUnknown ? 'OUTCOME_UNKNOWN' : 'IN_PROGRESS', message, path } };
}
