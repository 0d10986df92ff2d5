import { createHash, randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ApiKey, ApiKeyKind } from '../../domain/access/api-key.entity.js';
import { ALL_GRANTS, type ConferenceRole, type Grants, NO_GRANTS } from '../../domain/access/grants.js';
import { ActorKind } from '../../domain/audit/actor.js';
import type { Actor, UseCaseContext } from '../context.js';
import { prepared } from '../queries/prepared.js';

/** The name of the key that `BOOTSTRAP_API_KEY` configures. */
export const BOOTSTRAP_NAME = 'bootstrap';

/** `ci_` tells secret scanners what they found; 256 random bits make guessing hopeless. */
export function generateApiKey(): string {
  return `ci_${randomBytes(32).toString('base64url')}`;
}

/** How a key is stored. */
export function storedForm(key: string): Pick<ApiKey, 'keyHash' | 'prefix'> {
  return { keyHash: hashOf(key), prefix: prefixOf(key) };
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** `ci_` and eight more characters. Of a short key that an operator chose at most a quarter is shown. */
function prefixOf(key: string): string {
  return key.slice(0, Math.min(11, Math.floor(key.length / 4)));
}

const VALID_KEYS = `select id, name, kind, purchase_order_id, expires_at, last_used_at,
         (select json_object_agg(conference_id, role) from api_key_role
          where api_key_id = api_key.id and ended_at is null) as roles
  from api_key where revoked_at is null and (expires_at is null or expires_at > ?)`;

/**
 * Who bears this key; undefined for one that is unknown, revoked or expired. Looked up by hash, so timing tells nothing of
 * the key. Asked anew for each request and stream, so that what is revoked ends at once.
 */
export async function findActorByKey(
  { em, clock }: Pick<UseCaseContext, 'em' | 'clock'>,
  key: string,
): Promise<Actor | undefined> {
  const now = clock.now();
  const [row] = await em.execute<KeyRow[]>(prepared(`${VALID_KEYS} and key_hash = ?`), [now, hashOf(key)]);
  if (!row) return undefined;
  noteUse(em, row, now);
  const { id, name, expires_at: end } = row;
  const expiresAt = end === null ? {} : { expiresAt: new Date(end) };
  return { id, name, kind: ActorKind.API_KEY, grants: grantsOf(row), ...expiresAt };
}

/** What the keys with these ids grant now; those that are revoked or expired are left out. */
export async function findGrantsOfKeys(
  { em, clock }: Pick<UseCaseContext, 'em' | 'clock'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Grants>> {
  const rows = await em.execute<KeyRow[]>(`${VALID_KEYS} and id in (?)`, [clock.now(), ids]);
  return new Map(rows.map((row) => [row.id, grantsOf(row)]));
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly kind: ApiKeyKind;
  readonly purchase_order_id: string | null;
  readonly expires_at: Date | string | null;
  readonly last_used_at: Date | string | null;
  readonly roles: Readonly<Record<string, ConferenceRole>> | null;
}

function grantsOf({ kind, purchase_order_id: purchaseOrderId, roles }: KeyRow): Grants {
  if (kind === ApiKeyKind.ADMINISTRATOR) return ALL_GRANTS;
  return { ...NO_GRANTS, purchaseOrderId, roles: new Map(Object.entries(roles ?? {})) };
}

/** People want to know whether a key is in use, not when exactly. */
const USE_NOTED_EVERY_MS = 60_000;

/** Nobody waits for it, and nothing fails with it: not for the row's lock either, which many requests want at once. */
function noteUse(em: EntityManager, { id, last_used_at }: KeyRow, now: Date): void {
  const before = new Date(now.getTime() - USE_NOTED_EVERY_MS);
  if (last_used_at !== null && new Date(last_used_at) > before) return;
  em.execute(
    `update api_key set last_used_at = ? where id = (
       select id from api_key where id = ? and (last_used_at is null or last_used_at <= ?) for update skip locked)`,
    [now, id, before],
  ).catch(() => undefined);
}

/** Whether anybody can enter with a key and then make others. */
export async function hasAdministratorKey({ em, clock }: Pick<UseCaseContext, 'em' | 'clock'>): Promise<boolean> {
  const lives = { revokedAt: null, $or: [{ expiresAt: null }, { expiresAt: { $gt: clock.now() } }] };
  return (await em.count(ApiKey, { kind: ApiKeyKind.ADMINISTRATOR, ...lives })) > 0;
}

/**
 * Makes sure that this administrator's key is valid under this name; a former key of the name stops working. False: it
 * does not, because it was revoked, or is the key of somebody else.
 */
export async function ensureApiKey(
  { em, clock, ids }: Pick<UseCaseContext, 'em' | 'clock' | 'ids'>,
  name: string,
  key: string,
): Promise<boolean> {
  const { keyHash, prefix } = storedForm(key);
  const kind = ApiKeyKind.ADMINISTRATOR;
  // Processes that start together do this at the same time.
  await em.execute(
    `insert into api_key (id, name, key_hash, prefix, kind, created_by, created_by_id, created_at)
     values (?, ?, ?, ?, ?, 'system', 'system', ?) on conflict do nothing`,
    [ids.next('key'), name, keyHash, prefix, kind, clock.now()],
  );
  await em.execute(
    `update api_key set key_hash = ?, prefix = ? where name = ? and revoked_at is null and kind = ? and created_by_id = 'system'
       and not exists (select from api_key known where known.key_hash = ?)`,
    [keyHash, prefix, name, kind, keyHash],
  );
  const actor = await findActorByKey({ em, clock }, key);
  return actor?.grants.isAdministrator === true;
}
