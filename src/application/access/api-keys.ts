import { createHash, randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ApiKey } from '../../domain/access/api-key.entity.js';
import { ALL_GRANTS } from '../../domain/access/grants.js';
import { ActorKind } from '../../domain/audit/audit-event.entity.js';
import type { Actor, UseCaseContext } from '../context.js';

/** `ci_` tells secret scanners what they found; 256 random bits make guessing hopeless. */
export function generateApiKey(): string {
  return `ci_${randomBytes(32).toString('base64url')}`;
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Who bears this key; undefined for an unknown or revoked one. Looked up by hash, so timing tells nothing of the key. */
export async function findActorByKey(em: EntityManager, key: string): Promise<Actor | undefined> {
  const found = await em.findOne(ApiKey, { keyHash: hashOf(key), revokedAt: null });
  return found ? { id: found.id, name: found.name, kind: ActorKind.API_KEY, grants: ALL_GRANTS } : undefined;
}

export async function hasApiKey(em: EntityManager): Promise<boolean> {
  return (await em.count(ApiKey, { revokedAt: null })) > 0;
}

/** Makes sure that this key is valid under this name; a former key of the name stops working. */
export async function ensureApiKey(
  { em, clock, ids }: Pick<UseCaseContext, 'em' | 'clock' | 'ids'>,
  name: string,
  key: string,
): Promise<void> {
  await em.execute(
    `insert into api_key (id, name, key_hash, created_at) values (?, ?, ?, ?)
     on conflict (name) do update set key_hash = excluded.key_hash, revoked_at = null`,
    [ids.next('key'), name, hashOf(key), clock.now()],
  );
}
