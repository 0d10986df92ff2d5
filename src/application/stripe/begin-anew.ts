import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { claimOperation, closeAsRenewed, latestAttempt, lockUntouched } from '../operations/provider-operations.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import type { ClaimedStripeInvoice } from './claim-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';

/**
 * Closes an operation of which nothing is left in Stripe and begins the next generation for the same invoice, with new
 * idempotency keys. Undefined when somebody else went on with it since the attempt.
 */
export async function beginAnew(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  attempt = latestAttempt(claimed.operation),
): Promise<ClaimedStripeInvoice | undefined> {
  const { order, operation, invoiceId, connection } = claimed;
  return inTransaction(context.em, async (tx) => {
    await lockExistingPurchaseOrder(tx, order.id);
    const current = await lockUntouched(tx, attempt);
    if (!current) return undefined;
    const now = context.clock.now();
    closeAsRenewed(current, 'Nothing of it was found in Stripe, or only a draft, which was deleted.', now);
    await tx.flush();
    await tx.nativeUpdate(Invoice, invoiceId, { status: InvoiceStatus.CREATING, externalId: null, updatedAt: now });
    const { kind, subject } = operation;
    const through = { provider: 'STRIPE', id: connection.id } as const;
    const next = await claimOperation(tx, context, { kind, subject, connection: through, body: null });
    return next.status === 'claimed' ? { ...claimed, operation: next.operation, draftId: undefined } : undefined;
  });
}
