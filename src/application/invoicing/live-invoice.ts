import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';

/** The invoice that the buyer may pay now, or that may be coming into being; at most one by a unique index. */
export async function findLiveInvoice(em: EntityManager, purchaseOrderId: string): Promise<Invoice | null> {
  return em.findOne(Invoice, {
    purchaseOrder: purchaseOrderId,
    status: { $nin: [InvoiceStatus.VOIDED, InvoiceStatus.DELETED] },
  });
}

/** How to call an invoice in a message to a person. */
export function describeInvoice(invoice: Invoice): string {
  const { provider, externalId, number } = invoice;
  if (externalId === null) return `an invoice that is being created in ${PROVIDER_NAMES[provider]}`;
  return `${PROVIDER_NAMES[provider]} invoice ${number ?? externalId}`;
}
