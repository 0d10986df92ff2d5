import type { EntityManager } from '@mikro-orm/postgresql';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal } from '../outcome.js';
import { type ApiKeyView, findApiKeys, findDescendantsOfKey } from '../queries/api-keys.js';
import { inTransaction } from '../transaction.js';

export type RevokeApiKeyCode = 'NOT_FOUND';

export interface RevokeApiKeyInput {
  readonly apiKeyId: string;
  /** Also the keys that were made with it, and with those. */
  readonly descendants?: boolean | null;
}

export interface RevokeApiKeyOutcome extends Outcome<Failure<RevokeApiKeyCode>> {
  /** How many keys were ended. */
  readonly ended: number;
}

/** Ends a key for good, from the next request on. Revoking it again changes nothing. */
export async function revokeApiKey(
  context: UseCaseContext,
  { apiKeyId, descendants }: RevokeApiKeyInput,
): Promise<RevokeApiKeyOutcome> {
  return inTransaction(context.em, async (tx) => {
    const [key] = await findApiKeys(tx, context.actor, [apiKeyId]);
    if (!key) return { ...refusal('NOT_FOUND', 'There is no API key with this id.', ['apiKeyId']), ended: 0 };
    const made = descendants ? await findDescendantsOfKey(tx, context.actor, apiKeyId) : [];
    return { ...done(key.id), ended: await end(tx, context, [key, ...made]) };
  });
}

async function end(tx: EntityManager, context: UseCaseContext, keys: readonly ApiKeyView[]): Promise<number> {
  const revoked = await tx.execute<{ id: string }[]>(
    'update api_key set revoked_at = ? where id in (?) and revoked_at is null returning id',
    [context.clock.now(), keys.map(({ id }) => id)],
  );
  const ended = keys.filter(({ id }) => revoked.some((row) => row.id === id));
  for (const { id, name, prefix } of ended) {
    audit(tx, context, { action: 'api_key.revoked', subject: id, after: { name, prefix } });
  }
  return ended.length;
}
