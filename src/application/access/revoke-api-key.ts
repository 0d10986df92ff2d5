import type { EntityManager } from '@mikro-orm/postgresql';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal } from '../outcome.js';
import { type ApiKeyView, lockApiKey, lockDescendantsOfKey } from '../queries/api-keys.js';
import { whereClause } from '../queries/keyset.js';
import { inTransaction } from '../transaction.js';
import { manageableRoles } from './permissions.js';

export type RevokeApiKeyCode = 'NOT_FOUND';

export interface RevokeApiKeyInput {
  readonly apiKeyId: string;
  /** Also the keys that were made with it, and with those. */
  readonly descendants?: boolean | null;
}

export interface RevokeApiKeyOutcome extends Outcome<Failure<RevokeApiKeyCode>> {
  /** How many keys were ended, or lost a role. */
  readonly ended: number;
}

/**
 * Ends a key for good, from the next request on; of a key with roles in conferences of others, too, the caller's part.
 * Doing it again changes nothing.
 */
export async function revokeApiKey(
  context: UseCaseContext,
  { apiKeyId, descendants }: RevokeApiKeyInput,
): Promise<RevokeApiKeyOutcome> {
  return inTransaction(context.em, async (tx) => {
    const key = await lockApiKey(tx, context.actor, apiKeyId);
    if (!key) return { ...refusal('NOT_FOUND', 'There is no API key with this id.', ['apiKeyId']), ended: 0 };
    const made = descendants ? await lockDescendantsOfKey(tx, context.actor, apiKeyId) : [];
    return { ...done(key.id), ended: await end(tx, context, [key, ...made]) };
  });
}

/** How many of these keys, which are locked, end, or lose a role. */
async function end(tx: EntityManager, context: UseCaseContext, keys: readonly ApiKeyView[]): Promise<number> {
  const ids = keys.map(({ id }) => id);
  const lost = await endRoles(tx, context, ids);
  const revoked = await revokeWithoutRoles(tx, context, ids);
  const changed = keys.filter(({ id }) => revoked.has(id) || lost.has(id));
  for (const { id, name, prefix } of changed) {
    const action = revoked.has(id) ? 'api_key.revoked' : 'api_key.roles_ended';
    const conferences = lost.has(id) && { conferences: lost.get(id) };
    audit(tx, context, { action, subject: id, after: { name, prefix, ...conferences } });
  }
  return changed.length;
}

/** Ends the roles that the actor manages. By the ids of keys, the conferences where they had one. */
async function endRoles(
  tx: EntityManager,
  { actor, clock }: UseCaseContext,
  keyIds: readonly string[],
): Promise<Map<string, string[]>> {
  const ofKeys = { sql: 'api_key_id in (?)', params: [keyIds] };
  const { sql, params } = whereClause([ofKeys, { sql: 'ended_at is null', params: [] }, manageableRoles(actor)]);
  const rows = await tx.execute<{ api_key_id: string; conferences: string[] }[]>(
    `with ended as (update api_key_role set ended_at = ? ${sql} returning api_key_id, conference_id)
     select api_key_id, json_agg(conference_id order by conference_id) as conferences from ended group by api_key_id`,
    [clock.now(), ...params],
  );
  return new Map(rows.map(({ api_key_id: id, conferences }) => [id, conferences]));
}

/** Revokes those that have no role any more. Others go on, in conferences that the actor does not manage. */
async function revokeWithoutRoles(
  tx: EntityManager,
  { clock }: UseCaseContext,
  keyIds: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.execute<{ id: string }[]>(
    `update api_key set revoked_at = ? where id in (?) and revoked_at is null
       and not exists (select from api_key_role where api_key_id = api_key.id and ended_at is null) returning id`,
    [clock.now(), keyIds],
  );
  return new Set(rows.map(({ id }) => id));
}
