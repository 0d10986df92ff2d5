import { LockMode, ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import {
  type OperationKind,
  OperationState,
  ProviderOperation,
} from '../../domain/operation/provider-operation.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { identityOf, type UseCaseContext } from '../context.js';

export const OPEN_STATES = [OperationState.CLAIMED, OperationState.IN_FLIGHT, OperationState.UNKNOWN];

export type OperationClaim =
  /** Ours to carry out. A resumed one may have been sent before. */
  | { readonly status: 'claimed'; readonly operation: ProviderOperation }
  /** Somebody is at work on it right now. */
  | { readonly status: 'busy'; readonly isUnknown: boolean };

/** The connection that an operation, or an invoice, goes through, by its id. */
export interface OperationConnection {
  readonly provider: `${InvoiceProvider}`;
  readonly id: string;
}

export interface OperationRequest {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly connection: OperationConnection;
  /** The exact text to send, when it is known already. */
  readonly body: string | null;
  /** The envelope that is gone on with: nobody else goes on with its members. */
  readonly envelopeId?: string | undefined;
}

/**
 * Writes down the intent to change something at a provider, or takes over an operation of the same kind and subject that
 * nobody is at work on, also before the background would. Call it in the transaction that checks the rules.
 */
export async function claimOperation(
  tx: EntityManager,
  { actor, clock, ids, waits }: UseCaseContext,
  request: OperationRequest,
): Promise<OperationClaim> {
  const now = clock.now();
  const leaseUntil = new Date(now.getTime() + waits.operationLeaseMs);
  const { kind, subject, connection, body, envelopeId } = request;
  const open = await findOpenOperation(tx, kind, subject);
  const isBusy = open && (open.leaseUntil > now || open.envelope?.id !== envelopeId);
  if (isBusy) return { status: 'busy', isUnknown: open.state === OperationState.UNKNOWN };
  if (open) {
    Object.assign(open, { leaseUntil, updatedAt: now });
    return { status: 'claimed', operation: open };
  }
  const generation = (await tx.count(ProviderOperation, { kind, subject })) + 1;
  const fields = { kind, subject, generation, ...connectionRefs(connection), body, leaseUntil };
  const state = OperationState.CLAIMED;
  const operation = tx.create(ProviderOperation, {
    id: ids.next('op'),
    ...fields,
    state,
    requestedBy: identityOf(actor),
    createdAt: now,
    updatedAt: now,
  });
  return { status: 'claimed', operation };
}

/** For the rows that belong to either provider. */
export function connectionRefs({ provider, id }: OperationConnection) {
  return provider === InvoiceProvider.QBO
    ? { qboConnection: ref(QboConnection, id) }
    : { stripeConnection: ref(StripeConnection, id) };
}

/** The connection that an operation goes through. */
export function operationConnection({ qboConnection, stripeConnection }: ProviderOperation): OperationConnection {
  return qboConnection
    ? { provider: InvoiceProvider.QBO, id: qboConnection.id }
    : { provider: InvoiceProvider.STRIPE, id: String(stripeConnection?.id) };
}

/** The operation of this kind and subject that is not settled, locked; there is one at most by a unique index. */
export async function findOpenOperation(
  tx: EntityManager,
  kind: OperationKind,
  subject: string,
): Promise<ProviderOperation | null> {
  const open = { kind, subject, state: { $in: OPEN_STATES } };
  return tx.findOne(ProviderOperation, open, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Whether a process is at work on the operation, so that nobody else may go on with it. */
export function isLeased({ clock }: Pick<UseCaseContext, 'clock'>, { leaseUntil }: ProviderOperation): boolean {
  return leaseUntil > clock.now();
}

/** Whoever is at work on several steps of an operation says so again with each of them. */
export function renewLease(
  { clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>,
  operation: ProviderOperation,
): void {
  const now = clock.now();
  Object.assign(operation, { leaseUntil: new Date(now.getTime() + waits.operationLeaseMs), updatedAt: now });
}

/** One sending of an operation. Its number fences off an earlier sender that comes back late. */
export interface Attempt {
  readonly operationId: string;
  readonly number: number;
  /** When it was last sent before this attempt. */
  readonly sentBefore: Date | null;
}

/** Records that the operation is about to be sent with this body. Commit it before sending. */
export function beginAttempt(
  { clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>,
  operation: ProviderOperation,
  body: string,
): Attempt {
  const now = clock.now();
  const sentBefore = operation.lastSentAt;
  operation.body = body;
  operation.state = OperationState.IN_FLIGHT;
  operation.attempts += 1;
  operation.firstSentAt ??= now;
  operation.lastSentAt = now;
  operation.leaseUntil = new Date(now.getTime() + waits.operationLeaseMs);
  operation.resumeAt = null;
  operation.updatedAt = now;
  return { operationId: operation.id, number: operation.attempts, sentBefore };
}

/** The attempt that was begun last, or that nothing was sent yet (number 0). */
export function latestAttempt({ id, attempts, lastSentAt }: ProviderOperation): Attempt {
  return { operationId: id, number: attempts, sentBefore: lastSentAt };
}

/** The operation, locked, unless somebody settled it or sent it again since this attempt. */
export async function lockUntouched(tx: EntityManager, attempt: Attempt): Promise<ProviderOperation | undefined> {
  const operation = await lockOperation(tx, attempt);
  return isOpen(operation) && operation.attempts === attempt.number ? operation : undefined;
}

/** The operation, locked, whatever became of it since. */
export async function lockOperation(
  tx: EntityManager,
  { operationId }: Pick<Attempt, 'operationId'>,
): Promise<ProviderOperation> {
  return tx.findOneOrFail(ProviderOperation, operationId, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Not settled yet: it may still be sent, or may have been. */
export function isOpen(operation: ProviderOperation): boolean {
  return OPEN_STATES.includes(operation.state);
}

/** Whether the provider surely still remembers the operation's idempotency key; later it may take it for a new one. */
export function isReplayable(
  context: Pick<UseCaseContext, 'clock' | 'waits'>,
  { firstSentAt }: ProviderOperation,
): boolean {
  return !firstSentAt || isRecent(context, firstSentAt);
}

/** Whether the provider may still be at work on what was sent last: that nothing is found then proves nothing. */
export function mayBeUnderWay(context: Pick<UseCaseContext, 'clock' | 'waits'>, lastSentAt: Date | null): boolean {
  return lastSentAt !== null && isRecent(context, lastSentAt);
}

/** Whether the provider may have forgotten the operation, and can no longer be at work on it. */
export function isOver(context: Pick<UseCaseContext, 'clock' | 'waits'>, operation: ProviderOperation): boolean {
  return !isReplayable(context, operation) && !mayBeUnderWay(context, operation.lastSentAt);
}

/** Whether the envelope in which it was sent may still be carried out: nothing else must be sent for it before. */
export function isBoundToEnvelope(
  context: Pick<UseCaseContext, 'clock' | 'waits'>,
  operation: ProviderOperation,
): boolean {
  return operation.envelope !== null && !isOver(context, operation);
}

function isRecent({ clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>, sentAt: Date): boolean {
  return clock.now().getTime() - sentAt.getTime() < waits.replayWindowMs;
}

/**
 * Whether an operation that was found unfinished a while ago still is. Ask under the lock of its purchase order: what
 * somebody settled meanwhile must not be begun anew by whoever only meant to go on with it.
 */
export async function isStillOpen(tx: EntityManager, operationId: string): Promise<boolean> {
  return (await tx.count(ProviderOperation, { id: operationId, state: { $in: OPEN_STATES } })) > 0;
}

/** Closes an operation of which certainly nothing came and nothing will be sent any more. */
export function closeAsRefused(operation: ProviderOperation, lastError: string, now: Date): void {
  Object.assign(operation, { state: OperationState.REFUSED, lastError, leaseUntil: now, updatedAt: now });
}

/**
 * Closes an operation whose place a new one may take. To a sender of the old one that fails late this counts as a later
 * attempt: its failure says nothing of what the new one does.
 */
export function closeAsRenewed(operation: ProviderOperation, lastError: string, now: Date): void {
  closeAsRefused(operation, lastError, now);
  operation.attempts += 1;
}
