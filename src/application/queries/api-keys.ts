import type { EntityManager } from '@mikro-orm/postgresql';
import { ApiKeyKind } from '../../domain/access/api-key.entity.js';
import { ConferenceRole } from '../../domain/access/grants.js';
import { manageableApiKeys, manageableRoles } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { CREATED_AT, type Fragment, keysetClauses, whereClause } from './keyset.js';
import { type Page, type PageRequest, readPageRequest, toPage } from './page.js';

export interface ApiKeyRoleView {
  readonly conferenceId: string;
  readonly role: ConferenceRole;
  readonly endedAt: Date | null;
}

/** What can be told of a key: everything but the key. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly kind: ApiKeyKind;
  readonly purchaseOrderId: string | null;
  /** Those that the actor manages. */
  readonly roles: readonly ApiKeyRoleView[];
  readonly createdBy: string;
  readonly createdById: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** One page of the keys that the actor manages, newest first, in one statement. */
export async function listApiKeys(em: EntityManager, actor: Actor, request: PageRequest): Promise<Page<ApiKeyView>> {
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(CREATED_AT, 'DESC', window);
  const keys = await select(em, actor, conditions, orderAndLimit);
  return toPage(keys, window, (key) => [key.createdAt.toISOString(), key.id]);
}

export async function countApiKeys(em: EntityManager, actor: Actor): Promise<number> {
  const { sql, params } = whereClause([manageableApiKeys(actor)]);
  const [row] = await em.execute<{ count: number }[]>(`select count(*)::int as count from api_key ${sql}`, [...params]);
  return row?.count ?? 0;
}

/** Of the keys with these ids those that the actor manages. */
export async function findApiKeys(em: EntityManager, actor: Actor, ids: readonly string[]): Promise<ApiKeyView[]> {
  return select(em, actor, [{ sql: 'id in (?)', params: [ids] }]);
}

const LOCKED: Fragment = { sql: 'for no key update', params: [] };

/** The key with this id, locked, if the actor manages it. */
export async function lockApiKey(em: EntityManager, actor: Actor, id: string): Promise<ApiKeyView | undefined> {
  const [key] = await select(em, actor, [{ sql: 'id = ?', params: [id] }], LOCKED);
  return key;
}

/** Of the keys that were made with this one, and with those, the ones that the actor manages, locked. */
export async function lockDescendantsOfKey(em: EntityManager, actor: Actor, id: string): Promise<ApiKeyView[]> {
  const descendants = `id in (
    with recursive descendant as (
      select id from api_key where created_by_id = ?
      union select api_key.id from api_key join descendant on created_by_id = descendant.id)
    select id from descendant)`;
  return select(em, actor, [{ sql: descendants, params: [id] }], LOCKED);
}

async function select(
  em: EntityManager,
  actor: Actor,
  conditions: readonly Fragment[],
  rest?: Fragment,
): Promise<ApiKeyView[]> {
  const { sql, params } = whereClause([manageableApiKeys(actor), ...conditions], rest);
  const ofKey = { sql: 'api_key_id = api_key.id', params: [] };
  const shown = whereClause([ofKey, manageableRoles(actor)]);
  const rows = await em.execute<Row[]>(
    `select id, name, prefix, kind, purchase_order_id, created_by, created_by_id, created_at, expires_at, revoked_at, last_used_at,
            (select json_agg(json_build_object('conferenceId', conference_id, 'role', role, 'endedAt', ended_at)
               order by conference_id)
             from api_key_role ${shown.sql}) as roles
     from api_key ${sql}`,
    [...shown.params, ...params],
  );
  return rows.map(toView);
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly kind: ApiKeyKind;
  readonly purchase_order_id: string | null;
  readonly created_by: string;
  readonly created_by_id: string;
  readonly created_at: Date | string;
  readonly expires_at: Date | string | null;
  readonly revoked_at: Date | string | null;
  readonly last_used_at: Date | string | null;
  readonly roles: readonly (Omit<ApiKeyRoleView, 'endedAt'> & { readonly endedAt: string | null })[] | null;
}

function toView(row: Row): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    kind: row.kind,
    purchaseOrderId: row.purchase_order_id,
    roles: (row.roles ?? []).map((role) => ({ ...role, endedAt: toDate(role.endedAt) })),
    createdBy: row.created_by,
    createdById: row.created_by_id,
    createdAt: new Date(row.created_at),
    expiresAt: toDate(row.expires_at),
    revokedAt: toDate(row.revoked_at),
    lastUsedAt: toDate(row.last_used_at),
  };
}

function toDate(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value);
}
