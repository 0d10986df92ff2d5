import type { EntityManager } from '@mikro-orm/postgresql';
import { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import {
  BulkInvoicingItem,
  type BulkInvoicingItemState,
} from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { type Page, type PageRequest, PageRequestError, type Position, readPageRequest, toPage } from './page.js';

/** Those with these ids of which the actor sees every purchase order. Portals see none. */
export async function findBulkInvoicings(
  em: EntityManager,
  actor: Actor,
  ids: readonly string[],
): Promise<BulkInvoicing[]> {
  if (actor.grants.purchaseOrderId !== null) return [];
  const visible = visiblePurchaseOrders(actor) ?? { sql: 'true', params: [] };
  const rows = await em.execute(
    `select * from bulk_invoicing bulk where id in (?) and not exists (
       select from bulk_invoicing_item where bulk_invoicing_id = bulk.id
         and purchase_order_id not in (select id from purchase_order where ${visible.sql}))`,
    [ids, ...visible.params],
  );
  return rows.map((row) => em.map(BulkInvoicing, row));
}

/** The items of these, each in their order. There are 200 of one at most. */
export async function findBulkInvoicingItems(
  em: EntityManager,
  bulkInvoicingIds: readonly string[],
): Promise<BulkInvoicingItem[]> {
  return em.find(
    BulkInvoicingItem,
    { bulkInvoicing: { $in: [...bulkInvoicingIds] } },
    { orderBy: { position: 'asc' } },
  );
}

export interface ListBulkInvoicingItems extends PageRequest {
  readonly filter?: { readonly stateIn?: readonly BulkInvoicingItemState[] | null } | null;
}

/** A page of the items of one bulk. Cursors say a position, so that they stay good when an item changes its state. */
export function pageOfItems(
  items: readonly BulkInvoicingItem[],
  request: ListBulkInvoicingItems,
): Page<BulkInvoicingItem> {
  const window = readPageRequest(request);
  const after = placeOf(window.after) ?? NOWHERE;
  const before = placeOf(window.before);
  const between = itemsIn(items, request).filter(
    ({ position }) => position > after && (before === undefined || position < before),
  );
  const directed = window.isBackward ? between.toReversed() : between;
  return toPage(directed.slice(0, window.size + 1), window, ({ position, id }) => [`${position}`, id]);
}

/** Before the first one. */
const NOWHERE = 0n;

function placeOf(cursor: Position | undefined): bigint | undefined {
  if (!cursor) return undefined;
  if (!/^\d{1,3}$/.test(cursor[0])) throw new PageRequestError('This cursor belongs to another list.');
  return BigInt(cursor[0]);
}

/** Those that the filter finds. */
export function itemsIn(
  items: readonly BulkInvoicingItem[],
  { filter }: ListBulkInvoicingItems,
): readonly BulkInvoicingItem[] {
  const states = filter?.stateIn;
  return states ? items.filter(({ state }) => states.includes(state)) : items;
}
