import { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { isOpen } from '../operations/provider-operations.js';
import { failed, isNotFound, type ProviderResult, succeeded } from '../ports/provider.js';
import type { StripeContext } from './stripe-context.js';

/** Whether an invoice that is recorded nowhere was made by one of our operations through this connection. */
export type Orphanhood =
  | 'not ours'
  /** The operation may still record it. */
  | 'unsettled'
  /** The operation is over, so that nobody will record it. */
  | 'orphan';

export async function orphanhoodOf(
  { em }: StripeContext,
  connectionId: string,
  operationId: string | undefined,
): Promise<Orphanhood> {
  if (operationId === undefined) return 'not ours';
  const operation = await em.fork().findOne(ProviderOperation, { id: operationId, stripeConnection: connectionId });
  if (!operation) return 'not ours';
  return isOpen(operation) ? 'unsettled' : 'orphan';
}

/**
 * Deletes the draft of a sender that came too late. One that somebody finalised in the meantime asks for money that nobody
 * here wants: that is for a person to void.
 */
export async function discardOrphan(
  { billing }: StripeContext,
  connectionId: string,
  externalId: string,
): Promise<ProviderResult<void>> {
  const deleted = await billing.deleteDraft(connectionId, externalId);
  if (deleted.ok || isNotFound(deleted.failure)) return succeeded(undefined);
  const { failure } = deleted;
  if (failure.kind !== 'rejected' || failure.reason !== 'stale') return failed(failure);
  const read = await billing.readInvoice(connectionId, externalId);
  if (!read.ok) return failed(read.failure);
  if (read.value.invoice.status === 'VOID') return succeeded(undefined);
  const message = `Stripe invoice ${externalId} was finalised after it was given up here, and no purchase order stands behind it. Void it in Stripe, or refund it if it is paid.`;
  return failed({ ...failure, message });
}
