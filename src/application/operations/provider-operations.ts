import { LockMode, ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import {
  type OperationKind,
  OperationState,
  ProviderOperation,
} from '../../domain/operation/provider-operation.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { UseCaseContext } from '../context.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';

const OPEN_STATES = [OperationState.CLAIMED, OperationState.IN_FLIGHT, OperationState.UNKNOWN];

export type OperationClaim =
  /** Ours to carry out. A resumed one may have been sent before. */
  | { readonly status: 'claimed'; readonly operation: ProviderOperation }
  /** Another process is at work on it. */
  | { readonly status: 'busy' };

export interface OperationRequest {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly connectionId: string;
  /** The exact text to send, when it is known already. */
  readonly body: string | null;
}

/**
 * Writes down the intent to change something at a provider, or takes over an operation of the same kind and subject
 * whose lease has run out. Call it in the transaction that checks the rules.
 */
export async function claimOperation(
  tx: EntityManager,
  { clock, ids, waits }: UseCaseContext,
  request: OperationRequest,
): Promise<OperationClaim> {
  const now = clock.now();
  const leaseUntil = new Date(now.getTime() + waits.operationLeaseMs);
  const { kind, subject, connectionId, body } = request;
  const open = await tx.findOne(
    ProviderOperation,
    { kind, subject, state: { $in: OPEN_STATES } },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (open && open.leaseUntil > now) return { status: 'busy' };
  if (open) {
    Object.assign(open, { leaseUntil, updatedAt: now });
    return { status: 'claimed', operation: open };
  }
  const generation = (await tx.count(ProviderOperation, { kind, subject })) + 1;
  const connection = ref(QboConnection, connectionId);
  const fields = { kind, subject, generation, connection, body, leaseUntil };
  const state = OperationState.CLAIMED;
  const operation = tx.create(ProviderOperation, {
    id: ids.next('op'),
    ...fields,
    state,
    createdAt: now,
    updatedAt: now,
  });
  return { status: 'claimed', operation };
}

/** Gives up an open operation whose outcome nobody will learn, and claims the next generation in its place. */
export async function claimInPlaceOf(
  tx: EntityManager,
  context: UseCaseContext,
  operation: ProviderOperation,
  request: OperationRequest,
): Promise<OperationClaim> {
  const now = context.clock.now();
  Object.assign(operation, { state: OperationState.REFUSED, leaseUntil: now, updatedAt: now });
  await tx.flush();
  return claimOperation(tx, context, request);
}

/** One sending of an operation. Its number fences off an earlier sender that comes back late. */
export interface Attempt {
  readonly operationId: string;
  readonly number: number;
}

/** Records that the operation is about to be sent with this body. Commit it before sending. */
export function beginAttempt(
  { clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>,
  operation: ProviderOperation,
  body: string,
): Attempt {
  const now = clock.now();
  operation.body = body;
  operation.state = OperationState.IN_FLIGHT;
  operation.attempts += 1;
  operation.firstSentAt ??= now;
  operation.leaseUntil = new Date(now.getTime() + waits.operationLeaseMs);
  operation.updatedAt = now;
  return { operationId: operation.id, number: operation.attempts };
}

/** Not settled yet: it may still be sent, or may have been. */
export function isOpen(operation: ProviderOperation): boolean {
  return OPEN_STATES.includes(operation.state);
}

/** Whether the provider surely still remembers the operation's idempotency key; later it may take it for a new one. */
export function isReplayable(
  { clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>,
  { firstSentAt }: ProviderOperation,
): boolean {
  return !firstSentAt || clock.now().getTime() - firstSentAt.getTime() < waits.replayWindowMs;
}

export type Settlement = 'done' | 'refused' | 'unknown' | 'superseded';

/**
 * Records what became of an attempt. A success always counts. A failure counts only while no later attempt was begun;
 * after an earlier sending with unknown outcome only the provider's own rejection proves that nothing was done.
 */
export async function settleAttempt(
  tx: EntityManager,
  attempt: Attempt,
  result: ProviderResult<unknown>,
  now: Date,
): Promise<Settlement> {
  const operation = await tx.findOneOrFail(ProviderOperation, attempt.operationId, {
    lockMode: LockMode.PESSIMISTIC_WRITE,
  });
  const isOvertaken = !result.ok && operation.attempts !== attempt.number;
  if (!isOpen(operation) || isOvertaken) return 'superseded';
  operation.state = nextState(result, attempt);
  operation.leaseUntil = now;
  operation.updatedAt = now;
  operation.lastError = result.ok ? null : result.failure.message;
  operation.rejection = !result.ok && result.failure.kind === 'rejected' ? result.failure.reason : null;
  operation.intuitTid = (result.ok ? result.trace : result.failure.trace).requestId ?? operation.intuitTid;
  return settlementOf(operation.state);
}

/** What to tell of a failed attempt: unless it was settled as refused, whether anything was done is open. */
export function openFailure(failure: ProviderFailure, settlement: Settlement): ProviderFailure {
  return settlement === 'refused' ? failure : { ...failure, kind: 'unknown' };
}

function nextState(result: ProviderResult<unknown>, attempt: Attempt): OperationState {
  if (result.ok) return OperationState.DONE;
  const { failure } = result;
  if (failure.kind === 'unknown') return OperationState.UNKNOWN;
  if (attempt.number === 1) return OperationState.REFUSED;
  // A name or number that is taken may be taken by what the earlier sending made.
  const isProof =
    failure.kind === 'rejected' && failure.reason !== 'duplicate_number' && failure.reason !== 'duplicate_name';
  return isProof ? OperationState.REFUSED : OperationState.UNKNOWN;
}

function settlementOf(state: OperationState): Settlement {
  if (state === OperationState.DONE) return 'done';
  return state === OperationState.REFUSED ? 'refused' : 'unknown';
}
