import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { formatAmount } from '../../domain/money.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import type { ProviderTrace } from '../ports/provider.js';
import { refreshStatus } from '../purchase-orders/purchase-order-ledger.js';

/** An order that has an invoice is no draft any more. Needs the order's lock. */
export async function markInvoiced(
  tx: EntityManager,
  context: UseCaseContext,
  order: PurchaseOrder,
  { invoice, trace }: { readonly invoice: Invoice; readonly trace: ProviderTrace },
): Promise<void> {
  const before = order.status;
  const now = context.clock.now();
  invoice.updatedAt = now;
  order.sentAt ??= now;
  await refreshStatus(tx, order, now);
  audit(tx, context, {
    action: 'invoice.created',
    subject: order.id,
    before: { status: before },
    after: {
      status: order.status,
      provider: invoice.provider,
      invoice: invoice.externalId,
      total: formatAmount(invoice.totalMinor, invoice.currencyCode),
    },
    trace,
  });
}
