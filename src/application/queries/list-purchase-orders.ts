import type { EntityManager } from '@mikro-orm/postgresql';
import type { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { CREATED_AT, type Fragment, keysetClauses, type SortKey, whereClause } from './keyset.js';
import { type Page, type PageRequest, readPageRequest, toPage } from './page.js';
import { type PurchaseOrderView, SELECT_PURCHASE_ORDER, toPurchaseOrderView } from './purchase-order-view.js';

export interface PurchaseOrderFilter {
  readonly statusIn?: readonly PurchaseOrderStatus[] | null;
  /** Part of the reference or of the organisation's name, in any case. */
  readonly search?: string | null;
}

export interface PurchaseOrderOrder {
  readonly field: 'CREATED_AT' | 'REFERENCE';
  readonly direction: 'ASC' | 'DESC';
}

export interface ListPurchaseOrders extends PageRequest {
  readonly conferenceId?: string | null;
  readonly filter?: PurchaseOrderFilter | null;
  readonly orderBy?: PurchaseOrderOrder | null;
}

const NEWEST_FIRST: PurchaseOrderOrder = { field: 'CREATED_AT', direction: 'DESC' };

const SORT_KEYS: Record<PurchaseOrderOrder['field'], SortKey & { textOf: (view: PurchaseOrderView) => string }> = {
  CREATED_AT: { ...CREATED_AT, textOf: (view) => view.createdAt.toISOString() },
  REFERENCE: { column: 'reference', cast: 'text', pattern: /^PO-[A-Z0-9]{6}$/, textOf: (view) => view.reference },
};

/** One page of the purchase orders that the actor sees, with their sums, in one statement. */
export async function listPurchaseOrders(
  em: EntityManager,
  actor: Actor,
  request: ListPurchaseOrders,
): Promise<Page<PurchaseOrderView>> {
  const { field, direction } = request.orderBy ?? NEWEST_FIRST;
  const key = SORT_KEYS[field];
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(key, direction, window);
  const { sql, params } = whereClause(
    [visiblePurchaseOrders(actor), ...filterConditions(request), ...conditions],
    orderAndLimit,
  );
  const rows = await em.execute(`${SELECT_PURCHASE_ORDER} ${sql}`, [...params]);
  return toPage(rows.map(toPurchaseOrderView), window, (view) => [key.textOf(view), view.id]);
}

/** How many purchase orders that the actor sees a filter finds on all pages together. */
export async function countPurchaseOrders(
  em: EntityManager,
  actor: Actor,
  request: ListPurchaseOrders,
): Promise<number> {
  const { sql, params } = whereClause([visiblePurchaseOrders(actor), ...filterConditions(request)]);
  const [row] = await em.execute<{ count: number }[]>(`select count(*)::int as count from purchase_order ${sql}`, [
    ...params,
  ]);
  return row?.count ?? 0;
}

function filterConditions({ conferenceId, filter }: ListPurchaseOrders): Fragment[] {
  const conditions: Fragment[] = [];
  if (conferenceId != null) conditions.push({ sql: 'conference_id = ?', params: [conferenceId] });
  if (filter?.statusIn != null) conditions.push(statusCondition(filter.statusIn));
  if (filter?.search) {
    const pattern = `%${filter.search.replace(/[\\%_]/g, '\\$&')}%`;
    conditions.push({ sql: '(reference ilike ? or organization_name ilike ?)', params: [pattern, pattern] });
  }
  return conditions;
}

function statusCondition(statuses: readonly PurchaseOrderStatus[]): Fragment {
  return statuses.length === 0 ? { sql: 'false', params: [] } : { sql: 'status in (?)', params: [statuses] };
}
