import type { EntityManager } from '@mikro-orm/postgresql';
import { Conference } from '../../domain/conference/conference.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { QboSweep } from '../../domain/quickbooks/qbo-sweep.entity.js';
import { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { CREATED_AT, keysetClauses, whereClause } from './keyset.js';
import { type Page, type PageRequest, readPageRequest, toPage } from './page.js';

export async function findConferences(em: EntityManager, ids: readonly string[]): Promise<Conference[]> {
  return em.find(Conference, { id: { $in: [...ids] } });
}

export async function findConferenceBySlug(em: EntityManager, slug: string): Promise<Conference | null> {
  return em.findOne(Conference, { slug });
}

/** Newest first. */
export async function listConferences(em: EntityManager, request: PageRequest): Promise<Page<Conference>> {
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(CREATED_AT, 'DESC', window);
  const { sql, params } = whereClause(conditions, orderAndLimit);
  const rows = await em.execute(`select * from conference ${sql}`, [...params]);
  const conferences = rows.map((row) => em.map(Conference, row));
  return toPage(conferences, window, (conference) => [conference.createdAt.toISOString(), conference.id]);
}

export async function countConferences(em: EntityManager): Promise<number> {
  return em.count(Conference);
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
