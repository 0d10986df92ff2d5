import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ClientIdempotencyKey } from '../domain/operation/client-idempotency-key.entity.js';
import type { UseCaseContext } from './context.js';
import { done, type Failure, type Outcome, refusal } from './outcome.js';

/** A client's name for one request: the same key with the same input never creates a second thing. */
export interface IdempotentRequest {
  readonly mutation: string;
  readonly key: string | undefined;
  readonly input: unknown;
}

export type IdempotencyCode = 'IDEMPOTENCY_KEY_REUSED' | 'INVALID';

/**
 * Does `work` unless an earlier request with the client's key did, whose result is returned instead. A second request waits
 * at the unique constraint until the first has ended, and does the work itself when that one created nothing. A crash
 * undoes the claim of the key together with the work.
 *
 * The caller first finds, in the same transaction, what the request is about: who may not change it any more is not told
 * the result either.
 */
export async function once<F extends Failure<string>>(
  tx: EntityManager,
  context: UseCaseContext,
  request: IdempotentRequest,
  work: () => Promise<Outcome<F>>,
): Promise<Outcome<F | Failure<IdempotencyCode>>> {
  const earlier = await claimKey(tx, context, request, context.ids.next('idem'));
  if (earlier) return earlier.resultId === null ? earlier.refusal : done(earlier.resultId);
  const outcome = await work();
  if (outcome.id === null) await releaseKey(tx, context, request);
  else await pointKey(tx, context, request, outcome.id);
  return outcome;
}

type EarlierUse =
  | { readonly resultId: string; readonly refusal?: never }
  | { readonly resultId: null; readonly refusal: Outcome<Failure<IdempotencyCode>> };

/**
 * Inserts the key with what it is going to create. Returns what an earlier request with the same key created, a refusal
 * when that request was a different one, or undefined when the key is now ours (or none was given).
 */
export async function claimKey(
  tx: EntityManager,
  { actor, clock, ids }: UseCaseContext,
  request: IdempotentRequest,
  resultId: string,
): Promise<EarlierUse | undefined> {
  const { mutation, key, input } = request;
  if (key === undefined) return undefined;
  const problem = problemOfKey(key);
  if (problem) return { resultId: null, refusal: refusal('INVALID', problem, ['idempotencyKey']) };
  const hash = hashInput(input);
  const inserted = await tx.execute(
    `insert into client_idempotency_key (id, actor, mutation, key, input_hash, result_id, created_at)
     values (?, ?, ?, ?, ?, ?, ?) on conflict (actor, mutation, key) do nothing returning id`,
    [ids.next('idem'), actor.id, mutation, key, hash, resultId, clock.now()],
  );
  if (inserted.length > 0) return undefined;
  const earlier = await tx.findOneOrFail(ClientIdempotencyKey, { actor: actor.id, mutation, key });
  if (earlier.inputHash !== hash) return { resultId: null, refusal: reusedKey() };
  return { resultId: earlier.resultId };
}

/** Frees a key whose request created nothing, so that the client may correct its input and repeat. */
export async function releaseKey(
  tx: EntityManager,
  { actor }: UseCaseContext,
  { mutation, key }: IdempotentRequest,
): Promise<void> {
  if (key !== undefined) await tx.nativeDelete(ClientIdempotencyKey, { actor: actor.id, mutation, key });
}

async function pointKey(
  tx: EntityManager,
  { actor }: UseCaseContext,
  { mutation, key }: IdempotentRequest,
  resultId: string,
): Promise<void> {
  if (key !== undefined) await tx.nativeUpdate(ClientIdempotencyKey, { actor: actor.id, mutation, key }, { resultId });
}

function reusedKey(): Outcome<Failure<IdempotencyCode>> {
  return refusal(
    'IDEMPOTENCY_KEY_REUSED',
    'This idempotency key was used for a different request. Use a new key for new input.',
    ['idempotencyKey'],
  );
}

function problemOfKey(key: string): string | undefined {
  // Characters as PostgreSQL counts them, which also cannot store NUL or half a surrogate pair.
  const { length } = [...key];
  if (length < 8 || length > 255) return `An idempotency key has 8 to 255 characters; this one has ${length}.`;
  if (key.includes('\0') || !key.isWellFormed()) return 'An idempotency key must be valid text without NUL characters.';
  return undefined;
}

function hashInput(input: unknown): string {
  return createHash('sha256').update(canonicalJson(input)).digest('hex');
}

/** JSON with sorted keys and without nulls, so that the spellings of one input hash alike. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const given = Object.entries(inner).filter(([, field]) => field !== null);
    return Object.fromEntries(given.sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

export async function removeExpiredIdempotencyKeys({
  em,
  clock,
  waits,
}: Pick<UseCaseContext, 'em' | 'clock' | 'waits'>): Promise<void> {
  const before = new Date(clock.now().getTime() - waits.idempotencyKeptMs);
  await em.nativeDelete(ClientIdempotencyKey, { createdAt: { $lt: before } });
}
