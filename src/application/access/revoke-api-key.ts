import { ApiKey } from '../../domain/access/api-key.entity.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal } from '../outcome.js';
import { findApiKeys } from '../queries/api-keys.js';
import { inTransaction } from '../transaction.js';

export type RevokeApiKeyCode = 'NOT_FOUND';

/** Ends a key for good, from the next request on. Revoking it again changes nothing. */
export async function revokeApiKey(
  context: UseCaseContext,
  { apiKeyId }: { readonly apiKeyId: string },
): Promise<Outcome<Failure<RevokeApiKeyCode>>> {
  return inTransaction(context.em, async (tx) => {
    const [key] = await findApiKeys(tx, context.actor, [apiKeyId]);
    if (!key) return refusal('NOT_FOUND', 'There is no API key with this id.', ['apiKeyId']);
    const revoked = await tx.nativeUpdate(ApiKey, { id: key.id, revokedAt: null }, { revokedAt: context.clock.now() });
    if (revoked > 0) {
      audit(tx, context, { action: 'api_key.revoked', subject: key.id, after: { name: key.name, prefix: key.prefix } });
    }
    return done(key.id);
  });
}
