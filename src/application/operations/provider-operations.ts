import { LockMode, ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import {
  type OperationKind,
  OperationState,
  ProviderOperation,
} from '../../domain/operation/provider-operation.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { UseCaseContext } from '../context.js';
import type { JobQueue } from '../ports/jobs.js';
import type { ProviderFailure, ProviderResult, RejectionReason } from '../ports/provider.js';

export const OPEN_STATES = [OperationState.CLAIMED, OperationState.IN_FLIGHT, OperationState.UNKNOWN];

export type OperationClaim =
  /** Ours to carry out. A resumed one may have been sent before. */
  | { readonly status: 'claimed'; readonly operation: ProviderOperation }
  /** Somebody is at work on it right now. */
  | { readonly status: 'busy'; readonly isUnknown: boolean };

export interface OperationRequest {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly connectionId: string;
  /** The exact text to send, when it is known already. */
  readonly body: string | null;
}

/**
 * Writes down the intent to change something at a provider, or takes over an operation of the same kind and subject that
 * nobody is at work on, also before the background would. Call it in the transaction that checks the rules.
 */
export async function claimOperation(
  tx: EntityManager,
  { clock, ids, waits }: UseCaseContext,
  request: OperationRequest,
): Promise<OperationClaim> {
  const now = clock.now();
  const leaseUntil = new Date(now.getTime() + waits.operationLeaseMs);
  const { kind, subject, connectionId, body } = request;
  const open = await findOpenOperation(tx, kind, subject);
  if (open && open.leaseUntil > now) return { status: 'busy', isUnknown: open.state === OperationState.UNKNOWN };
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

/** The operation of this kind and subject that is not settled, locked; there is one at most by a unique index. */
export async function findOpenOperation(
  tx: EntityManager,
  kind: OperationKind,
  subject: string,
): Promise<ProviderOperation | null> {
  const open = { kind, subject, state: { $in: OPEN_STATES } };
  return tx.findOne(ProviderOperation, open, { lockMode: LockMode.PESSIMISTIC_WRITE });
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

async function lockOperation(tx: EntityManager, { operationId }: Attempt): Promise<ProviderOperation> {
  return tx.findOneOrFail(ProviderOperation, operationId, { lockMode: LockMode.PESSIMISTIC_WRITE });
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

type SettlingContext = Pick<UseCaseContext, 'clock' | 'waits'> & { readonly jobs: JobQueue };

export interface SettledAttempt {
  readonly attempt: Attempt;
  readonly result: ProviderResult<unknown>;
  /** Looking for it showed that nothing was done: a rejection counts, whatever its reason and whatever was sent before. */
  readonly isProven?: boolean | undefined;
}

/**
 * Records what became of an attempt. A success always counts. A failure counts only while no later attempt was begun;
 * after an earlier sending with unknown outcome only the provider's own rejection proves that nothing was done. An
 * unknown outcome is settled in the background soon. May be repeated: it then tells the same.
 */
export async function settleAttempt(
  tx: EntityManager,
  context: SettlingContext,
  settled: SettledAttempt,
): Promise<Settlement> {
  const { attempt, result } = settled;
  const operation = await lockOperation(tx, attempt);
  const isOvertaken = !result.ok && operation.attempts !== attempt.number;
  if (isOvertaken) return 'superseded';
  if (!isOpen(operation)) {
    return !result.ok && operation.state === OperationState.REFUSED ? 'refused' : 'superseded';
  }
  const now = context.clock.now();
  operation.state = nextState(settled);
  operation.lastSentAt = lastSentAt(operation, settled);
  operation.leaseUntil = now;
  operation.resumeAt = pausedUntil(result);
  operation.updatedAt = now;
  operation.lookUps = 0;
  operation.lastError = result.ok ? null : result.failure.message;
  operation.rejection = !result.ok && result.failure.kind === 'rejected' ? result.failure.reason : null;
  operation.intuitTid = (result.ok ? result.trace : result.failure.trace).requestId ?? operation.intuitTid;
  if (operation.state === OperationState.UNKNOWN) {
    const { resumeMs, resumeMaxMs } = context.waits;
    context.jobs.resumeOperationsIn(Math.min(resumeMs * 2 ** (operation.attempts - 1), resumeMaxMs));
  }
  return settlementOf(operation.state);
}

/**
 * Its outcome could not be found out now: it stays unknown, and the background looks at it again ever less often. Who
 * asks before its turn does not put the background off.
 */
export async function postponeOperation(
  tx: EntityManager,
  { clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>,
  attempt: Attempt,
  { lastError, notAfter }: { readonly lastError: string; readonly notAfter?: Date },
): Promise<void> {
  const operation = await lockUntouched(tx, attempt);
  if (!operation) return;
  const now = clock.now();
  operation.state = OperationState.UNKNOWN;
  operation.leaseUntil = now;
  operation.lastError = lastError;
  operation.updatedAt = now;
  if (operation.resumeAt && operation.resumeAt > now) return;
  const backOffMs = Math.min(waits.lookUpBackOffMs * 2 ** operation.lookUps, waits.lookUpBackOffMaxMs);
  operation.resumeAt = earlier(new Date(now.getTime() + backOffMs), notAfter);
  operation.lookUps += 1;
}

function earlier(left: Date, right: Date | undefined): Date {
  return right && right < left ? right : left;
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

/** What to tell of a failed attempt: unless it was settled as refused, whether anything was done is open. */
export function openFailure(failure: ProviderFailure, settlement: Settlement): ProviderFailure {
  return settlement === 'refused' ? failure : { ...failure, kind: 'unknown' };
}

function nextState({ result, attempt, isProven = false }: SettledAttempt): OperationState {
  if (result.ok) return OperationState.DONE;
  const { failure } = result;
  if (failure.kind === 'unknown') return OperationState.UNKNOWN;
  if (attempt.number === 1) return OperationState.REFUSED;
  return isProven || provesNothingDone(failure) ? OperationState.REFUSED : OperationState.UNKNOWN;
}

/** What certainly never reached the provider was not sent, and of what was refused for good nothing came. */
function lastSentAt({ state, lastSentAt }: ProviderOperation, { attempt, result }: SettledAttempt): Date | null {
  if (state === OperationState.REFUSED) return null;
  const isUnsent =
    !result.ok && (result.failure.kind === 'unavailable' || result.failure.kind === 'reconnect_required');
  return isUnsent ? attempt.sentBefore : lastSentAt;
}

function pausedUntil(result: ProviderResult<unknown>): Date | null {
  return !result.ok && result.failure.kind === 'unavailable' ? (result.failure.retryAt ?? null) : null;
}

/** A name or number that is taken may be taken by what the earlier sending made. */
const TAKEN: readonly RejectionReason[] = ['duplicate_number', 'duplicate_name'];
/** Whether anybody may write at all is checked before anyone looks whether the request is a repetition. */
const NO_WRITING: readonly RejectionReason[] = ['subscription', 'permission'];

/** Whether the refusal of a repetition means that the first sending did nothing either. An unexplained one does not. */
function provesNothingDone(failure: ProviderFailure): boolean {
  if (failure.kind !== 'rejected' || failure.code === undefined) return false;
  return !TAKEN.includes(failure.reason) && !NO_WRITING.includes(failure.reason);
}

function settlementOf(state: OperationState): Settlement {
  if (state === OperationState.DONE) return 'done';
  return state === OperationState.REFUSED ? 'refused' : 'unknown';
}
