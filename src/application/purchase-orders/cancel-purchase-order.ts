import type { EntityManager } from '@mikro-orm/postgresql';
import { formatAmount, ZERO } from '../../domain/money.js';
import { deriveStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { describeInvoice, findLiveInvoice } from './live-invoice.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from './purchase-order-ledger.js';

export type CancelPurchaseOrderCode = 'NOT_FOUND' | 'CANCELLED' | 'HAS_PAYMENTS' | 'INVOICED';

/** Cancels a purchase order for good. Refused while money was received for it or an invoice can still be paid. */
export async function cancelPurchaseOrder(
  context: UseCaseContext,
  { purchaseOrderId }: { readonly purchaseOrderId: string },
): Promise<Outcome<Failure<CancelPurchaseOrderCode>>> {
  return inTransaction(context.em, async (tx) => {
    const locked = await lockPurchaseOrder(tx, purchaseOrderId);
    if (!locked) return refusal('NOT_FOUND', 'There is no purchase order with this id.', ['purchaseOrderId']);
    const problem = await whyNotCancellable(tx, locked);
    if (problem) return problem;
    const { order, ledger } = locked;
    const before = order.status;
    const now = context.clock.now();
    // In one statement: the database refuses a cancellation time without the status, and the other way round.
    order.cancelledAt = now;
    order.status = deriveStatus(order, ledger);
    order.updatedAt = now;
    audit(tx, context, {
      action: 'purchase_order.cancelled',
      subject: order.id,
      before: { status: before },
      after: { status: order.status },
    });
    return done(order.id);
  });
}

async function whyNotCancellable(
  tx: EntityManager,
  { order, ledger }: LockedPurchaseOrder,
): Promise<Outcome<Failure<CancelPurchaseOrderCode>> | undefined> {
  const path = ['purchaseOrderId'];
  if (order.cancelledAt) return refusal('CANCELLED', 'This purchase order is cancelled already.', path);
  if (ledger.paid > ZERO) {
    const paid = `${formatAmount(ledger.paid, order.currencyCode)} ${order.currencyCode}`;
    return refusal('HAS_PAYMENTS', `${paid} was received for this purchase order. Reverse or refund it first.`, path);
  }
  const invoice = await findLiveInvoice(tx, order.id);
  if (!invoice) return undefined;
  return refusal('INVOICED', `There is ${describeInvoice(invoice)} for it. Void that invoice first.`, path);
}
