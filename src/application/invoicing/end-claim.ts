import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { ClientIdempotencyKey } from '../../domain/operation/client-idempotency-key.entity.js';
import { OperationState } from '../../domain/operation/provider-operation.entity.js';
import type { UseCaseContext } from '../context.js';
import { latestAttempt, lockUntouched } from '../operations/provider-operations.js';
import { deferOperation, postponeOperation } from '../operations/settle-attempt.js';
import type { JobQueue } from '../ports/jobs.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction, recordInTransaction } from '../transaction.js';
import type { ClaimedInvoice } from './claim-invoice.js';

/** Why an invoice is not sent. */
export interface PreparationFailure<F> {
  readonly failure: F;
  /** Nothing was sent and nothing will be: the claim can be given up. Otherwise the background goes on with it. */
  readonly isFinal: boolean;
}

export interface Abandonment {
  readonly reason: string;
  /** See `PreparationFailure`. */
  readonly isFinal: boolean;
  /** How the background goes on with it: soon, or ever later. Undefined: something else wakes it. */
  readonly pace?: 'soon' | 'ever later' | undefined;
}

/** Gives the claim up, or leaves it for the background, when nothing came of the invoice itself. */
export async function abandonClaim(
  context: UseCaseContext & { readonly jobs: JobQueue },
  claimed: ClaimedInvoice<unknown>,
  { reason, isFinal, pace }: Abandonment,
): Promise<void> {
  const { order, operation } = claimed;
  await inTransaction(context.em, async (tx) => {
    await lockExistingPurchaseOrder(tx, order.id);
    // Another process may have taken over and be sending: then the claim is not ours to give up.
    const current = await lockUntouched(tx, latestAttempt(operation));
    if (!current) return;
    const now = context.clock.now();
    Object.assign(current, { lastError: reason, leaseUntil: now, updatedAt: now });
    if (pace === 'ever later') deferOperation(context, current);
    if (pace === 'soon') context.jobs.resumeOperationsIn(context.waits.resumeMs);
    if (!isFinal) return;
    current.state = OperationState.REFUSED;
    await releaseClaim(tx, claimed);
  });
}

/**
 * No invoice came into being: its row goes, and the client's key may be used again. Unless a later generation of the
 * operation stands for them now.
 */
export async function releaseClaim(
  tx: EntityManager,
  { invoiceId, operation: { kind, subject, generation } }: Pick<ClaimedInvoice<unknown>, 'invoiceId' | 'operation'>,
): Promise<void> {
  await tx.flush();
  const deleted = await tx.execute<{ id: string }[]>(
    `delete from invoice where id = ? and not exists (
       select from provider_operation where kind = ? and subject = ? and generation > ?)
     returning id`,
    [invoiceId, kind, subject, generation],
  );
  if (deleted.length > 0) await tx.nativeDelete(ClientIdempotencyKey, { resultId: invoiceId });
}

/** Looking for the invoice told nothing: it stays unknown, and the background looks again, ever less often. */
export async function postponeClaim(
  context: UseCaseContext,
  { operation, invoiceId, order }: ClaimedInvoice<unknown>,
  lastError: string,
): Promise<void> {
  await recordInTransaction(context, async (tx) => {
    await lockExistingPurchaseOrder(tx, order.id);
    await postponeOperation(tx, context, latestAttempt(operation), { lastError });
    // Of a process that died while sending nobody said so yet.
    const { UNKNOWN, CREATING } = InvoiceStatus;
    const updatedAt = context.clock.now();
    await tx.nativeUpdate(Invoice, { id: invoiceId, status: CREATING }, { status: UNKNOWN, updatedAt });
  });
}
