import type { EntityManager } from '@mikro-orm/postgresql';
import { Conference } from '../../domain/conference/conference.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { QboSweep } from '../../domain/quickbooks/qbo-sweep.entity.js';
import { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { visibleConferences } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { CREATED_AT, type Fragment, keysetClauses, whereClause } from './keyset.js';
import { type Page, type PageRequest, readPageRequest, toPage } from './page.js';

/** Of the conferences with these ids those that the actor sees. */
export async function findConferences(em: EntityManager, actor: Actor, ids: readonly string[]): Promise<Conference[]> {
  return select(em, actor, [{ sql: 'id in (?)', params: [ids] }]);
}

/** Undefined: there is none, or none that the actor sees. */
export async function findConferenceBySlug(
  em: EntityManager,
  actor: Actor,
  slug: string,
): Promise<Conference | undefined> {
  const [conference] = await select(em, actor, [{ sql: 'slug = ?', params: [slug] }]);
  return conference;
}

/** Those that the actor sees, newest first. */
export async function listConferences(
  em: EntityManager,
  actor: Actor,
  request: PageRequest,
): Promise<Page<Conference>> {
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(CREATED_AT, 'DESC', window);
  const conferences = await select(em, actor, conditions, orderAndLimit);
  return toPage(conferences, window, (conference) => [conference.createdAt.toISOString(), conference.id]);
}

export async function countConferences(em: EntityManager, actor: Actor): Promise<number> {
  const { sql, params } = whereClause([visibleConferences(actor)]);
  const [row] = await em.execute<{ count: number }[]>(`select count(*)::int as count from conference ${sql}`, [
    ...params,
  ]);
  return row?.count ?? 0;
}

async function select(
  em: EntityManager,
  actor: Actor,
  conditions: readonly Fragment[],
  orderAndLimit?: Fragment,
): Promise<Conference[]> {
  const { sql, params } = whereClause([visibleConferences(actor), ...conditions], orderAndLimit);
  const rows = await em.execute(`select * from conference ${sql}`, [...params]);
  return rows.map((row) => em.map(Conference, row));
}

/** How the companies of these connections were looked after besides webhooks. */
export async function findQboSweeps(em: EntityManager, connectionIds: readonly string[]): Promise<QboSweep[]> {
  return em.find(QboSweep, { connection: { $in: [...connectionIds] } });
}

export interface QboUsageView {
  readonly id: string;
  /** `YYYY-MM`. */
  readonly month: string;
  readonly reads: number;
  readonly writes: number;
}

/** What connections used of the present month. */
export async function findQboUsage(em: EntityManager, connectionIds: readonly string[]): Promise<QboUsageView[]> {
  return em.execute(
    `select connection.id, to_char(now() at time zone 'UTC', 'YYYY-MM') as month,
            coalesce(reads, 0) as reads, coalesce(writes, 0) as writes
     from qbo_connection connection
     left join qbo_usage on connection_id = connection.id
       and month = date_trunc('month', now() at time zone 'UTC')::date
     where connection.id in (?)`,
    [connectionIds],
  );
}

export async function findQboConnections(em: EntityManager, ids: readonly string[]): Promise<QboConnection[]> {
  return em.find(QboConnection, { id: { $in: [...ids] } });
}

/** The Stripe accounts of these conferences; one at most each. */
export async function findStripeConnections(
  em: EntityManager,
  conferenceIds: readonly string[],
): Promise<StripeConnection[]> {
  return em.find(StripeConnection, { conference: { $in: [...conferenceIds] } });
}
