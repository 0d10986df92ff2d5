import type { FilterQuery } from '@mikro-orm/core';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { OPEN_STATES } from '../operations/provider-operations.js';
import { cancelPurchaseOrder } from '../purchase-orders/cancel-purchase-order.js';
import { createQboInvoice } from './create-qbo-invoice.js';
import type { QboContext } from './qbo-context.js';
import { resumeCustomer } from './resume-customer.js';
import { resumeEmail } from './settle-email.js';

/** More would keep one run busy for minutes when QuickBooks is slow; the next run takes the rest. */
const BATCH = 20;

/**
 * Goes on with operations whose process died or whose answer was lost, until their outcome is known. One that throws does
 * not keep the others waiting. Returns how many it looked at.
 */
export async function resumeOperations(context: QboContext): Promise<number> {
  const errors: unknown[] = [];
  const { CREATE_CUSTOMER, ...others } = OperationKind;
  let count = await resumeAll(context, Object.values(others), errors);
  // An invoice that goes on settles its customer, too: these are the customers that are left.
  count += await resumeAll(context, [CREATE_CUSTOMER], errors);
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} operations could not be resumed`);
  return count;
}

async function resumeAll(context: QboContext, kinds: OperationKind[], errors: unknown[]): Promise<number> {
  const abandoned = await context.em
    .fork()
    .find(ProviderOperation, abandonedOf(context, kinds), { orderBy: { leaseUntil: 'asc' }, limit: BATCH });
  for (const operation of abandoned) {
    await resume(context, operation).catch(async (error: unknown) => {
      errors.push(error);
      await leaveForLater(context, operation);
    });
  }
  return abandoned.length;
}

function abandonedOf({ clock, allowsSimulators }: QboContext, kinds: OperationKind[]): FilterQuery<ProviderOperation> {
  const now = clock.now();
  return {
    kind: { $in: kinds },
    // Others cannot go on anyway, and must not keep these waiting.
    qboConnection: { status: QboConnectionStatus.CONNECTED, ...(!allowsSimulators && { simulated: false }) },
    state: { $in: OPEN_STATES },
    leaseUntil: { $lte: now },
    $or: [{ resumeAt: null }, { resumeAt: { $lte: now } }],
  };
}

async function resume(context: QboContext, operation: ProviderOperation): Promise<void> {
  switch (operation.kind) {
    case OperationKind.CREATE_INVOICE:
      await createQboInvoice(context, { purchaseOrderId: operation.subject }, operation.id);
      return;
    case OperationKind.CREATE_CUSTOMER:
      return resumeCustomer(context, operation);
    case OperationKind.SEND_INVOICE:
      return resumeEmail(context, operation);
    case OperationKind.VOID_INVOICE: {
      const invoice = await context.em.fork().findOneOrFail(Invoice, operation.subject);
      await cancelPurchaseOrder(context, { purchaseOrderId: invoice.purchaseOrder.id }, operation.id);
    }
  }
}

/** Those that always throw must not stay at the head of the queue. */
async function leaveForLater({ em, clock, waits }: QboContext, { id }: ProviderOperation): Promise<void> {
  const resumeAt = new Date(clock.now().getTime() + waits.operationLeaseMs);
  await em.fork().nativeUpdate(ProviderOperation, id, { resumeAt });
}
