import type { UseCaseContext } from '../context.js';
import {
  type Attempt,
  beginAttempt,
  isBoundToEnvelope,
  latestAttempt,
  lockUntouched,
} from '../operations/provider-operations.js';
import type { ProviderFailure } from '../ports/provider.js';
import { lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { type ClaimedInvoice, type ClaimFailure, whyNotInvoiceable } from './claim-invoice.js';
import type { PreparationFailure } from './end-claim.js';

export type Begun = { readonly attempt: Attempt; readonly body: string } | PreparationFailure<ClaimFailure>;

/**
 * Commits that the body is about to be sent. While this process was preparing, another one may have taken over, and
 * money may have arrived: then nothing is sent.
 */
export async function beginSending(
  context: UseCaseContext,
  { order, operation }: ClaimedInvoice<unknown>,
  body: string,
): Promise<Begun> {
  return inTransaction(context.em, async (tx): Promise<Begun> => {
    const locked = await lockPurchaseOrder(tx, context, order.id);
    const current = await lockUntouched(tx, latestAttempt(operation));
    if (!current || isBoundToEnvelope(context, current)) return OVERTAKEN;
    const obstacle = locked && whyNotInvoiceable(locked);
    // What was sent before is looked for when the next one goes on with it.
    if (obstacle) return current.attempts === 0 ? { failure: obstacle, isFinal: true } : OVERTAKEN;
    // Nothing came of its envelope: from here on its own key protects it.
    Object.assign(current, { envelope: null, envelopeItem: null });
    const stored = current.body ?? body;
    return { attempt: beginAttempt(context, current, stored), body: stored };
  });
}

export const OVERTAKEN: PreparationFailure<ClaimFailure> = {
  failure: {
    code: 'IN_PROGRESS',
    message: 'Another request went on with this invoice meanwhile; ask again to see what came of it.',
    path: ['purchaseOrderId'],
  },
  isFinal: false,
};

export const IN_ENVELOPE = {
  message: 'it was sent together with others, and QuickBooks may still be at work on that.',
};

/** Nothing is sent any more, or not now, but what was sent may still be carried out. */
export function notSentAgain({ message }: { readonly message: string }): ProviderFailure {
  return { kind: 'unknown', message: `It is not sent again: ${message}`, trace: {} };
}
