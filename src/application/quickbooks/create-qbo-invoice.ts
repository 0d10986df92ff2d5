import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { type Attempt, beginAttempt, isOpen, isReplayable } from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import { lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { type ClaimedInvoice, claimInvoice, whyNotInvoiceable } from './claim-invoice.js';
import type { CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import { type PreparationFailure, prepareInvoice } from './prepare-invoice.js';
import type { QboContext } from './qbo-context.js';
import type { QboFailure } from './qbo-failure.js';
import { abandonInvoice, settleInvoice } from './settle-invoice.js';

export interface CreateQboInvoiceInput {
  readonly purchaseOrderId: string;
  readonly idempotencyKey?: string | null;
}

/**
 * Creates the purchase order's invoice in QuickBooks, with every line, and marks a draft as sent. Claim, call, record:
 * whatever happens in between, calling it again continues the same invoice and never makes a second one. `id` of the
 * outcome is the purchase order's; with `QBO_TOTAL_DIFFERS` the invoice exists although something about it is wrong.
 */
export async function createQboInvoice(
  context: QboContext,
  { idempotencyKey, ...input }: CreateQboInvoiceInput,
): Promise<CreateQboInvoiceOutcome> {
  const request = { mutation: 'createQboInvoice', key: idempotencyKey ?? undefined, input };
  const claim = await inTransaction(context.em, (tx) => claimInvoice(tx, context, input.purchaseOrderId, request));
  if ('answer' in claim) return claim.answer;
  const { claimed } = claim;
  const prepared = await prepareInvoice(context, claimed);
  if ('failure' in prepared) return abandonInvoice(context, claimed, prepared);
  const begun = await begin(context, claimed, prepared.body);
  if ('failure' in begun) return begun.isFinal ? abandonInvoice(context, claimed, begun) : refused(begun.failure);
  const { attempt, body } = begun;
  const result = await context.accounting.createInvoice(claimed.connection.id, body, attempt.operationId);
  return settleInvoice(context, claimed, { attempt, body, result });
}

type Begun = { readonly attempt: Attempt; readonly body: string } | PreparationFailure;

/**
 * Commits that the body is about to be sent. While this process was preparing, another one may have taken over, and
 * money may have arrived: then nothing is sent.
 */
async function begin(
  context: QboContext,
  { order, operation, invoiceId }: ClaimedInvoice,
  body: string,
): Promise<Begun> {
  return inTransaction(context.em, async (tx): Promise<Begun> => {
    const locked = await lockPurchaseOrder(tx, order.id);
    const current = await tx.findOneOrFail(ProviderOperation, operation.id);
    const now = context.clock.now();
    if (!isOpen(current) || current.attempts !== operation.attempts) return { failure: OVERTAKEN, isFinal: false };
    const problem = current.attempts === 0 && locked ? whyNotInvoiceable(locked) : undefined;
    if (problem) return { failure: problem, isFinal: true };
    if (isReplayable(context, current)) {
      const stored = current.body ?? body;
      return { attempt: beginAttempt(context, current, stored), body: stored };
    }
    Object.assign(current, { state: OperationState.UNKNOWN, leaseUntil: now, updatedAt: now });
    // Of a process that died while sending nobody said so yet.
    await tx.nativeUpdate(Invoice, invoiceId, { status: InvoiceStatus.UNKNOWN, updatedAt: now });
    return { failure: STILL_UNKNOWN, isFinal: false };
  });
}

const OVERTAKEN: QboFailure<'IN_PROGRESS'> = {
  code: 'IN_PROGRESS',
  message: 'Another request went on with this invoice meanwhile; ask again to see what came of it.',
  path: ['purchaseOrderId'],
};

const STILL_UNKNOWN: QboFailure<'OUTCOME_UNKNOWN'> = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'It is not known whether QuickBooks made this invoice, and too much time has passed to ask again safely. Look for the reference of the purchase order in QuickBooks.',
  path: ['purchaseOrderId'],
};
