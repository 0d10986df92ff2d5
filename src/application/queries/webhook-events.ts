import type { EntityManager } from '@mikro-orm/postgresql';
import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { CREATED_AT, type Fragment, keysetClauses, type SortKey, whereClause } from './keyset.js';
import { type Page, type PageRequest, readPageRequest, toPage } from './page.js';

/** An event without what the provider sent, which is long and of nobody's interest in a list. */
export type WebhookEventView = Omit<WebhookEvent, 'payload'>;

export interface WebhookEventFilter {
  readonly stateIn?: readonly WebhookEventState[] | null;
  readonly provider?: string | null;
  readonly realmId?: string | null;
  /** At this time or later. */
  readonly receivedAfter?: Date | null;
  /** Before this time. */
  readonly receivedBefore?: Date | null;
}

export interface ListWebhookEvents extends PageRequest {
  readonly filter?: WebhookEventFilter | null;
}

const RECEIVED_AT: SortKey = { ...CREATED_AT, column: 'received_at' };

const SELECT_EVENT = `
  select id, provider, event_id, company_id, entity, entity_id, operation, occurred_at, state, attempts, next_attempt_at,
         last_error, received_at, processed_at
  from webhook_event`;

/** One page of events, newest first, in one statement. */
export async function listWebhookEvents(
  em: EntityManager,
  request: ListWebhookEvents,
): Promise<Page<WebhookEventView>> {
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(RECEIVED_AT, 'DESC', window);
  const { sql, params } = whereClause([...filterConditions(request), ...conditions], orderAndLimit);
  const rows = await em.execute(`${SELECT_EVENT} ${sql}`, [...params]);
  const events = rows.map((row) => em.map(WebhookEvent, row));
  return toPage(events, window, (event) => [event.receivedAt.toISOString(), event.id]);
}

/** How many events a filter finds on all pages together. */
export async function countWebhookEvents(em: EntityManager, request: ListWebhookEvents): Promise<number> {
  const { sql, params } = whereClause(filterConditions(request));
  const [row] = await em.execute<{ count: number }[]>(`select count(*)::int as count from webhook_event ${sql}`, [
    ...params,
  ]);
  return row?.count ?? 0;
}

/** The events with these ids, in no particular order; unknown ids are missing. */
export async function findWebhookEvents(em: EntityManager, ids: readonly string[]): Promise<WebhookEventView[]> {
  const rows = await em.execute(`${SELECT_EVENT} where id in (?)`, [ids]);
  return rows.map((row) => em.map(WebhookEvent, row));
}

function filterConditions({ filter }: ListWebhookEvents): Fragment[] {
  const { stateIn, provider, realmId, receivedAfter, receivedBefore } = filter ?? {};
  const conditions: Fragment[] = [];
  if (stateIn != null) conditions.push(stateCondition(stateIn));
  if (provider != null) conditions.push({ sql: 'provider = ?', params: [provider] });
  if (realmId != null) conditions.push({ sql: 'company_id = ?', params: [realmId] });
  if (receivedAfter != null) conditions.push({ sql: 'received_at >= ?', params: [receivedAfter] });
  if (receivedBefore != null) conditions.push({ sql: 'received_at < ?', params: [receivedBefore] });
  return conditions;
}

/** What waits and what is settled is asked for apart, because each has an index that knows nothing of the other. */
function stateCondition(states: readonly WebhookEventState[]): Fragment {
  const groups = [states.filter(isWaiting), states.filter((state) => !isWaiting(state))];
  const given = groups.filter((group) => group.length > 0);
  if (given.length === 0) return { sql: 'false', params: [] };
  return { sql: `(${given.map(() => 'state in (?)').join(' or ')})`, params: given };
}

function isWaiting(state: WebhookEventState): boolean {
  return state === WebhookEventState.RECEIVED || state === WebhookEventState.PROCESSING;
}
