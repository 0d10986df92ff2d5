import type { EntityManager } from '@mikro-orm/postgresql';
import { isCalendarDay } from '../../domain/clock.js';
import { DUE_DATE_OR_NEVER, REFERENCE_WITHIN } from '../../domain/purchase-order/purchase-order.entity.js';
import { visibleConferences, visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { CREATED_AT, type Fragment, isTimestamp, keysetClauses, type SortKey, whereClause } from './keyset.js';
import { type Page, type PageRequest, PageRequestError, readPageRequest, toPage } from './page.js';
import { filterConditions, type PurchaseOrderFilter } from './purchase-order-filter.js';
import type { OrderRelation } from './purchase-order-relations.js';
import { readPurchaseOrders, type SeenPurchaseOrder } from './purchase-order-view.js';

export interface PurchaseOrderOrder {
  readonly field: 'CREATED_AT' | 'UPDATED_AT' | 'REFERENCE' | 'ORGANIZATION_NAME' | 'DUE_DATE' | 'TOTAL' | 'BALANCE';
  readonly direction: 'ASC' | 'DESC';
}

export interface ListPurchaseOrders extends PageRequest {
  readonly conferenceId?: string | null;
  readonly filter?: PurchaseOrderFilter | null;
  readonly orderBy?: PurchaseOrderOrder | null;
}

const NEWEST_FIRST: PurchaseOrderOrder = { field: 'CREATED_AT', direction: 'DESC' };

/** A key, and how its value is written in a cursor. */
interface Ordering extends SortKey {
  readonly textOf: string;
}

const timeText = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const amounts = { cast: 'bigint', accepts: (text: string) => /^-?\d{1,18}$/.test(text) } as const;
const texts = { cast: 'text', accepts: (text: string) => text !== '' && !text.includes('\0') } as const;

const ORDERINGS: Record<PurchaseOrderOrder['field'], Ordering> = {
  CREATED_AT: { ...CREATED_AT, textOf: timeText('created_at') },
  UPDATED_AT: { column: 'updated_at', cast: 'timestamptz', accepts: isTimestamp, textOf: timeText('updated_at') },
  REFERENCE: { ...texts, column: REFERENCE_WITHIN, textOf: REFERENCE_WITHIN },
  ORGANIZATION_NAME: { ...texts, column: 'lower(organization_name)', textOf: 'lower(organization_name)' },
  DUE_DATE: {
    column: DUE_DATE_OR_NEVER,
    cast: 'date',
    accepts: (text) => text === 'infinity' || isCalendarDay(text),
    textOf: `${DUE_DATE_OR_NEVER}::text`,
  },
  TOTAL: { ...amounts, column: 'total_minor', textOf: 'total_minor::text' },
  BALANCE: { ...amounts, column: 'balance_minor', textOf: 'balance_minor::text' },
};

/** Shorter texts are found in no index of trigrams. */
const SHORTEST_INDEXED = 3;

/** So many are read and sorted in about the time that a page of each of fifty conferences takes. */
const FEW = 2_500;

/**
 * One page of the purchase orders that the actor sees, with their sums and what else is asked for, in one statement. Each
 * conference gives a page of its own from its index, of which the first ones are the page of all. Only a search over several
 * conferences first asks whether it finds few, which are then read at once: each conference would look through the index of
 * all searched texts.
 */
export async function listPurchaseOrders(
  em: EntityManager,
  actor: Actor,
  request: ListPurchaseOrders,
  relations: ReadonlySet<OrderRelation> = new Set(),
): Promise<Page<SeenPurchaseOrder>> {
  const { field, direction } = orderingOf(request);
  const ordering = { ...ORDERINGS[field], name: field };
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(ordering, direction, window);
  const candidates = (await findsFewEverywhere(em, actor, request))
    ? ofAllConferences(actor, request, conditions)
    : ofEachConference(actor, request, conditions, orderAndLimit);
  // The page before anything is read beside it.
  const source: Fragment = {
    sql: `(select purchase_order.* from ${candidates.sql} ${orderAndLimit.sql}) purchase_order`,
    params: [...candidates.params, ...orderAndLimit.params],
  };
  // What a filter looks for decides which plan is good.
  const isHot = request.filter == null;
  const orders = await readPurchaseOrders(em, { source, relations, rest: orderAndLimit, key: ordering.textOf, isHot });
  return toPage(orders, window, ({ key, view }) => [key, view.id, field]);
}

/** How many purchase orders that the actor sees a filter finds on all pages together. */
export async function countPurchaseOrders(
  em: EntityManager,
  actor: Actor,
  request: ListPurchaseOrders,
): Promise<number> {
  const { sql, params } = ofAllConferences(actor, request, []);
  const [row] = await em.execute<{ count: number }[]>(`select count(*)::int as count from ${sql}`, [...params]);
  return row?.count ?? 0;
}

async function findsFewEverywhere(em: EntityManager, actor: Actor, request: ListPurchaseOrders): Promise<boolean> {
  const search = request.filter?.search ?? '';
  const { isAdministrator, roles } = actor.grants;
  const ofSeveral = request.conferenceId == null && (isAdministrator || roles.size > 1);
  if (!ofSeveral || search.length < SHORTEST_INDEXED) return false;
  const limit = { sql: 'limit ?', params: [FEW + 1] };
  const { sql, params } = whereClause([visiblePurchaseOrders(actor), ...filterConditions({ search })], limit);
  const [row] = await em.execute<{ isFew: boolean }[]>(
    `select count(*) <= ${FEW} as "isFew" from (select from purchase_order ${sql}) as found`,
    [...params],
  );
  return row?.isFew ?? false;
}

/** Amounts of different currencies have no order. */
function orderingOf({ orderBy, filter }: ListPurchaseOrders): PurchaseOrderOrder {
  const { field, direction } = orderBy ?? NEWEST_FIRST;
  if ((field === 'TOTAL' || field === 'BALANCE') && filter?.currencyCode == null) {
    throw new PageRequestError(`To sort by ${field}, filter by "currencyCode": other currencies do not compare.`);
  }
  return { field, direction };
}

/** The conferences whose orders are listed. */
function scopeOf(actor: Actor, { conferenceId }: ListPurchaseOrders): Fragment {
  const asked = conferenceId == null ? undefined : { sql: 'id = ?', params: [conferenceId] };
  const { sql, params } = whereClause([asked, visibleConferences(actor)]);
  return { sql: `(select id as scope_id, timezone as scope_timezone from conference ${sql}) scope`, params };
}

function ofAllConferences(actor: Actor, request: ListPurchaseOrders, conditions: readonly Fragment[]): Fragment {
  const scope = scopeOf(actor, request);
  const { sql, params } = conditionsWithin(actor, request, conditions);
  return { sql: `${scope.sql} cross join purchase_order ${sql}`, params: [...scope.params, ...params] };
}

/** Of each conference those rows that are on its page. */
function ofEachConference(
  actor: Actor,
  request: ListPurchaseOrders,
  conditions: readonly Fragment[],
  orderAndLimit: Fragment,
): Fragment {
  const scope = scopeOf(actor, request);
  const { sql, params } = conditionsWithin(actor, request, conditions, orderAndLimit);
  return {
    sql: `${scope.sql} cross join lateral (select purchase_order.* from purchase_order ${sql}) purchase_order`,
    params: [...scope.params, ...params],
  };
}

function conditionsWithin(
  actor: Actor,
  { filter }: ListPurchaseOrders,
  conditions: readonly Fragment[],
  rest?: Fragment,
): Fragment {
  const ofScope = { sql: 'conference_id = scope_id', params: [] };
  return whereClause([ofScope, visiblePurchaseOrders(actor), ...filterConditions(filter ?? {}), ...conditions], rest);
}
