import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { ClientIdempotencyKey } from '../../domain/operation/client-idempotency-key.entity.js';
import { OperationState } from '../../domain/operation/provider-operation.entity.js';
import { type Attempt, latestAttempt, lockUntouched } from '../operations/provider-operations.js';
import { openFailure, postponeOperation, settleAttempt } from '../operations/settle-attempt.js';
import { refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction, recordInTransaction } from '../transaction.js';
import { announceChanges } from './announce-changes.js';
import type { ClaimedInvoice } from './claim-qbo-invoice.js';
import { markSettingsStale } from './company-settings.js';
import type { CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import { forgetCustomer } from './customer-link.js';
import type { PreparationFailure } from './prepare-invoice.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure } from './qbo-failure.js';
import { recordCreatedInvoice } from './record-invoice.js';
import { syncInvoice } from './sync-invoices.js';

/** Gives the claim up, or leaves it for the background, when nothing came of the invoice itself. */
export async function abandonInvoice(
  context: QboContext,
  { order, operation, invoiceId }: ClaimedInvoice,
  { failure, isFinal }: PreparationFailure,
): Promise<CreateQboInvoiceOutcome> {
  await inTransaction(context.em, async (tx) => {
    await lockExistingPurchaseOrder(tx, order.id);
    // Another process may have taken over and be sending: then the claim is not ours to give up.
    const current = await lockUntouched(tx, latestAttempt(operation));
    if (!current) return;
    const now = context.clock.now();
    Object.assign(current, { lastError: failure.message, leaseUntil: now, updatedAt: now });
    // A customer of unknown outcome asked to be gone on with itself, ever later, and its invoice goes along.
    if (failure.code === 'IN_PROGRESS') context.jobs.resumeOperationsIn(context.waits.resumeMs);
    if (!isFinal) return;
    current.state = OperationState.REFUSED;
    await releaseClaim(tx, invoiceId);
  });
  return refused(failure);
}

/** No invoice came into being: its row goes, and the client's key may be used again. */
async function releaseClaim(tx: EntityManager, invoiceId: string): Promise<void> {
  await tx.flush();
  await tx.nativeDelete(Invoice, invoiceId);
  await tx.nativeDelete(ClientIdempotencyKey, { resultId: invoiceId });
}

export interface SentInvoice {
  readonly attempt: Attempt;
  readonly result: ProviderResult<ProviderInvoice>;
  readonly body: string;
  /** The result is not the answer to the sending: the invoice was found in QuickBooks. */
  readonly isAdopted?: boolean;
  /** See `SettledAttempt`. */
  readonly isProven?: boolean;
  readonly didNothing?: boolean;
}

/** Records what came of the sending, and says so. */
export async function settleInvoice(
  context: QboContext,
  claimed: ClaimedInvoice,
  { attempt, result, body, isAdopted = false, isProven = false, didNothing }: SentInvoice,
): Promise<CreateQboInvoiceOutcome> {
  const { invoiceId, connection, order } = claimed;
  // A replayed answer is as old as the first attempt, one that was found may have been paid, and automatic credits apply
  // at once: look at it as it is now.
  const mayHaveMoved = result.ok && (isAdopted || attempt.number > 1 || result.value.paymentIds.length > 0);
  const outcome = await recordInTransaction(context, async (tx): Promise<CreateQboInvoiceOutcome> => {
    const locked = await lockExistingPurchaseOrder(tx, order.id);
    const settlement = await settleAttempt(tx, context, { attempt, result, isProven, didNothing });
    // Looking may fail, or this process die before: then the event is what is left of the intention.
    const { operationId: eventId } = attempt;
    const announced = mayHaveMoved
      ? [{ eventId, entity: 'invoice', externalId: result.value.externalId } as const]
      : [];
    await announceChanges(tx, context, connection, announced);
    if (result.ok) return recordCreatedInvoice(tx, context, locked, invoiceId, { answer: result.value, body });
    if (settlement === 'refused') await releaseClaim(tx, invoiceId);
    if (settlement === 'unknown') await tx.nativeUpdate(Invoice, invoiceId, { status: InvoiceStatus.UNKNOWN });
    return refused(describeProviderFailure(openFailure(result.failure, settlement)));
  });
  if (!result.ok && result.failure.kind === 'rejected') {
    await markSettingsStale(context, connection.id);
    if (result.failure.reason === 'bad_reference') await forgetCustomer(context.em, connection, order);
  }
  if (mayHaveMoved && outcome.id === order.id) await syncInvoice(context, invoiceId);
  return outcome;
}

/** Looking for the invoice told nothing: it stays unknown, and the background looks again, ever less often. */
export async function postponeInvoice(
  context: QboContext,
  { operation, invoiceId, order }: ClaimedInvoice,
  failure: ProviderFailure,
): Promise<CreateQboInvoiceOutcome> {
  await recordInTransaction(context, async (tx) => {
    await lockExistingPurchaseOrder(tx, order.id);
    await postponeOperation(tx, context, latestAttempt(operation), { lastError: failure.message });
    // Of a process that died while sending nobody said so yet.
    const { UNKNOWN, CREATING } = InvoiceStatus;
    const updatedAt = context.clock.now();
    await tx.nativeUpdate(Invoice, { id: invoiceId, status: CREATING }, { status: UNKNOWN, updatedAt });
  });
  return refused(describeProviderFailure({ kind: 'unknown', message: failure.message, trace: failure.trace }));
}
