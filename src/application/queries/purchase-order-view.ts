import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import type { MinorUnits } from '../../domain/money.js';
import type { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { amount, instant, nullable, plain, record } from './json-record.js';
import { type Fragment, whereClause } from './keyset.js';
import { prepared } from './prepared.js';
import { type OrderRelation, type OrderRelations, relationFields } from './purchase-order-relations.js';

/** A purchase order with its sums, as the API shows it. */
export interface PurchaseOrderView {
  readonly id: string;
  readonly conferenceId: string;
  readonly reference: string;
  readonly status: PurchaseOrderStatus;
  readonly organizationName: string;
  readonly contactEmail: string;
  readonly contactName: string;
  readonly billingAddress: string;
  readonly notes: string;
  readonly buyerReference: string;
  readonly currencyCode: CurrencyCode;
  /** Calendar day, `YYYY-MM-DD`. */
  readonly dueDate: string | null;
  readonly totalMinor: MinorUnits;
  readonly paidMinor: MinorUnits;
  readonly creditedMinor: MinorUnits;
  readonly balanceMinor: MinorUnits;
  readonly cancelledAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One that was read together with some of what it refers to. */
export interface SeenPurchaseOrder {
  readonly view: PurchaseOrderView;
  readonly relations: Partial<OrderRelations>;
  /** The value of the key that was asked for. */
  readonly key: string;
}

const VIEW = record<PurchaseOrderView>({
  id: plain('id'),
  conferenceId: plain('conference_id'),
  reference: plain('reference'),
  status: plain('status'),
  organizationName: plain('organization_name'),
  contactEmail: plain('contact_email'),
  contactName: plain('contact_name'),
  billingAddress: plain('billing_address'),
  notes: plain('notes'),
  buyerReference: plain('buyer_reference'),
  currencyCode: plain('currency_code'),
  dueDate: plain('due_date'),
  totalMinor: amount('total_minor'),
  paidMinor: amount('paid_minor'),
  creditedMinor: amount('credited_minor'),
  balanceMinor: amount('balance_minor'),
  cancelledAt: nullable(instant('cancelled_at')),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
});

export interface PurchaseOrderSource {
  /** A `from` item with the name and the columns of `purchase_order`. */
  readonly source?: Fragment;
  /** What stands behind it. */
  readonly rest: Fragment;
  readonly relations?: ReadonlySet<OrderRelation>;
  /** An SQL expression whose text is wanted beside each. */
  readonly key?: string;
  /** Whether its statement is worth preparing; see `prepared`. */
  readonly isHot?: boolean;
}

const TABLE: Fragment = { sql: 'purchase_order', params: [] };

/**
 * Purchase orders with exactly the relations that are asked for, in one statement that lets PostgreSQL build the JSON of
 * each: reading entities, or a statement a relation, takes several times as long (ADR 0028).
 */
export async function readPurchaseOrders(
  em: EntityManager,
  { source = TABLE, rest, relations = new Set(), key = "''", isHot = false }: PurchaseOrderSource,
): Promise<SeenPurchaseOrder[]> {
  const related = record<Partial<OrderRelations>>(relationFields(relations));
  const sql = `select ${VIEW.sql} as view, ${related.sql} as related, ${key} as key from ${source.sql} ${rest.sql}`;
  const rows = await em.execute<{ view: unknown; related: unknown; key: string }[]>(isHot ? prepared(sql) : sql, [
    ...source.params,
    ...rest.params,
  ]);
  return rows.map((row) => ({
    view: VIEW.read(row.view as never),
    relations: related.read(row.related as never),
    key: row.key,
  }));
}

/** The purchase orders with these ids, in no particular order; unknown and invisible ones are missing. One statement. */
export async function findPurchaseOrders(
  em: EntityManager,
  actor: Actor,
  ids: readonly string[],
): Promise<PurchaseOrderView[]> {
  const rest = whereClause([{ sql: 'id in (?)', params: [ids] }, visiblePurchaseOrders(actor)]);
  return (await readPurchaseOrders(em, { rest })).map(({ view }) => view);
}

/** By its id or its reference, with what is asked for. Undefined: there is none, or none that the actor sees. */
export async function findPurchaseOrder(
  em: EntityManager,
  actor: Actor,
  by: { readonly id: string } | { readonly reference: string },
  relations?: ReadonlySet<OrderRelation>,
): Promise<SeenPurchaseOrder | undefined> {
  const condition = 'id' in by ? { sql: 'id = ?', params: [by.id] } : { sql: 'reference = ?', params: [by.reference] };
  const rest = whereClause([condition, visiblePurchaseOrders(actor)]);
  const [order] = await readPurchaseOrders(em, { rest, ...(relations && { relations }) });
  return order;
}
