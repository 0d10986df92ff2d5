import { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { lockPurchaseOrder, refreshStatus } from './purchase-order-ledger.js';

export type SendPurchaseOrderCode = 'NOT_FOUND' | 'NOT_DRAFT' | 'ALREADY_PAID' | 'CANCELLED';

/** Marks a draft as sent. It e-mails nothing: that is what an invoice is for. */
export async function sendPurchaseOrder(
  context: UseCaseContext,
  { purchaseOrderId }: { readonly purchaseOrderId: string },
): Promise<Outcome<Failure<SendPurchaseOrderCode>>> {
  return inTransaction(context.em, async (tx) => {
    const locked = await lockPurchaseOrder(tx, context, purchaseOrderId);
    if (!locked) return refusal('NOT_FOUND', 'There is no purchase order with this id.', ['purchaseOrderId']);
    const { order } = locked;
    const before = order.status;
    const problem = whyNotSendable(before);
    if (problem) return problem;
    order.sentAt = context.clock.now();
    await refreshStatus(tx, order, context.clock.now());
    audit(tx, context, {
      action: 'purchase_order.sent',
      subject: order.id,
      before: { status: before },
      after: { status: order.status },
    });
    return done(order.id);
  });
}

function whyNotSendable(status: PurchaseOrderStatus): Outcome<Failure<SendPurchaseOrderCode>> | undefined {
  switch (status) {
    case PurchaseOrderStatus.DRAFT:
      return undefined;
    case PurchaseOrderStatus.CANCELLED:
      return refusal('CANCELLED', 'This purchase order is cancelled.', ['purchaseOrderId']);
    case PurchaseOrderStatus.PAID:
    case PurchaseOrderStatus.OVERPAID:
      return refusal('ALREADY_PAID', 'This purchase order is paid already.', ['purchaseOrderId']);
    case PurchaseOrderStatus.SENT:
    case PurchaseOrderStatus.PARTIALLY_PAID:
      return refusal('NOT_DRAFT', `Only a draft can be marked as sent; this one is ${status}.`, ['purchaseOrderId']);
  }
}
