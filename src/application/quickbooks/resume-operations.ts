import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { createQboInvoice } from './create-qbo-invoice.js';
import type { QboContext } from './qbo-context.js';

/** More would keep one run busy for minutes when QuickBooks is slow; the next run takes the rest. */
const BATCH = 20;

/**
 * Goes on with invoices whose process died or whose answer was lost: those that were never sent, and the others while
 * QuickBooks surely remembers their idempotency keys. Later a dead process's invoice is only marked as unknown. One that
 * throws does not keep the others waiting. Returns how many it looked at.
 */
export async function resumeOperations(context: QboContext): Promise<number> {
  const now = context.clock.now();
  const abandoned = await context.em.fork().find(
    ProviderOperation,
    {
      kind: OperationKind.CREATE_INVOICE,
      // Others cannot go on anyway, and must not keep these waiting.
      connection: {
        status: QboConnectionStatus.CONNECTED,
        ...(!context.allowsSimulators && { simulated: false }),
      },
      state: { $in: [OperationState.CLAIMED, OperationState.IN_FLIGHT, OperationState.UNKNOWN] },
      leaseUntil: { $lte: now },
      $or: [
        { firstSentAt: null },
        { firstSentAt: { $gt: new Date(now.getTime() - context.waits.replayWindowMs) } },
        { state: OperationState.IN_FLIGHT },
      ],
    },
    { orderBy: { leaseUntil: 'asc' }, limit: BATCH },
  );
  const errors: unknown[] = [];
  for (const { subject } of abandoned) {
    await createQboInvoice(context, { purchaseOrderId: subject }).catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} operations could not be resumed`);
  return abandoned.length;
}
