import type { EntityManager } from '@mikro-orm/postgresql';
import { OperationState, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { UseCaseContext } from '../context.js';
import type { JobQueue } from '../ports/jobs.js';
import type { ProviderFailure, ProviderResult, RejectionReason } from '../ports/provider.js';
import { type Attempt, isOpen, isReplayable, lockOperation, lockUntouched } from './provider-operations.js';

export type Settlement = 'done' | 'refused' | 'unknown' | 'superseded';

type SettlingContext = Pick<UseCaseContext, 'clock' | 'waits'> & { readonly jobs: JobQueue };

export interface SettledAttempt {
  readonly attempt: Attempt;
  readonly result: ProviderResult<unknown>;
  /** Of a rejection: whether looking for it showed that earlier sendings did nothing either. Undefined: nobody looked. */
  readonly isProven?: boolean | undefined;
  /** The provider answered that this sending changed nothing; what an earlier one did is open. */
  readonly didNothing?: boolean | undefined;
}

/**
 * Records what became of an attempt. A success always counts. A failure counts only while no later attempt was begun;
 * after an earlier sending with unknown outcome only the provider's own rejection proves that nothing was done, or not even
 * that, where looking is possible. An unknown outcome is settled in the background. May be repeated: it then tells the same.
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
  operation.lastError = result.ok ? null : result.failure.message;
  operation.rejection = !result.ok && result.failure.kind === 'rejected' ? result.failure.reason : null;
  const { requestId } = result.ok ? result.trace : result.failure.trace;
  operation.providerRequestId = requestId ?? operation.providerRequestId;
  if (operation.state === OperationState.UNKNOWN) goOnLater(context, operation, settled);
  return settlementOf(operation.state);
}

/** A lost answer is asked for again within a minute; where that costs look-ups, or was refused, ever less often. */
function goOnLater(
  context: SettlingContext,
  operation: ProviderOperation,
  { result, didNothing = false }: SettledAttempt,
): void {
  const { resumeMs, resumeMaxMs } = context.waits;
  context.jobs.resumeOperationsIn(Math.min(resumeMs * 2 ** (operation.attempts - 1), resumeMaxMs));
  const isRefused = didNothing || (!result.ok && result.failure.kind === 'rejected');
  if (isRefused || !isReplayable(context, operation)) backOff(context, operation, { notBefore: operation.resumeAt });
}

/**
 * Its outcome could not be found out now: it stays unknown, and the background looks at it again ever less often. Who
 * asks before its turn does not put the background off.
 */
export async function postponeOperation(
  tx: EntityManager,
  context: Pick<UseCaseContext, 'clock' | 'waits'>,
  attempt: Attempt,
  { lastError, notAfter }: { readonly lastError: string; readonly notAfter?: Date },
): Promise<void> {
  const operation = await lockUntouched(tx, attempt);
  if (!operation) return;
  const now = context.clock.now();
  operation.state = OperationState.UNKNOWN;
  operation.leaseUntil = now;
  operation.lastError = lastError;
  operation.updatedAt = now;
  if (operation.resumeAt && operation.resumeAt > now) return;
  backOff(context, operation, { notAfter });
}

/** Nothing was sent yet, because something else must be done before, which cannot be done now: the background tries again later. */
export function deferOperation(
  { clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>,
  operation: ProviderOperation,
): void {
  operation.updatedAt = clock.now();
  backOff({ waits }, operation, {});
}

interface TurnBounds {
  readonly notBefore?: Date | null;
  readonly notAfter?: Date | undefined;
}

/** The background's next turn comes the later the more often it had one. Counts from the change just made to the row. */
function backOff(
  { waits }: Pick<UseCaseContext, 'waits'>,
  operation: ProviderOperation,
  { notBefore, notAfter }: TurnBounds,
): void {
  const backOffMs = Math.min(waits.lookUpBackOffMs * 2 ** operation.lookUps, waits.lookUpBackOffMaxMs);
  const turn = Math.max(operation.updatedAt.getTime() + backOffMs, notBefore?.getTime() ?? 0);
  operation.resumeAt = new Date(Math.min(turn, notAfter?.getTime() ?? turn));
  operation.lookUps += 1;
}

/** What to tell of a failed attempt: unless it was settled as refused, whether anything was done is open. */
export function openFailure(failure: ProviderFailure, settlement: Settlement): ProviderFailure {
  return settlement === 'refused' ? failure : { ...failure, kind: 'unknown' };
}

function nextState({ result, attempt, isProven }: SettledAttempt): OperationState {
  if (result.ok) return OperationState.DONE;
  const { failure } = result;
  if (failure.kind === 'unknown') return OperationState.UNKNOWN;
  if (attempt.number === 1) return OperationState.REFUSED;
  return (isProven ?? provesNothingDone(failure)) ? OperationState.REFUSED : OperationState.UNKNOWN;
}

/** What certainly never reached the provider was not sent, and of what was refused for good nothing came. */
function lastSentAt(
  { state, lastSentAt }: ProviderOperation,
  { attempt, result, didNothing = false }: SettledAttempt,
): Date | null {
  if (state === OperationState.REFUSED) return null;
  const isUnsent =
    !result.ok && (result.failure.kind === 'unavailable' || result.failure.kind === 'reconnect_required');
  return isUnsent || didNothing ? attempt.sentBefore : lastSentAt;
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
