import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import { type MinorUnits, minorUnits } from '../../domain/money.js';
import type { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { type Fragment, whereClause } from './keyset.js';
import { type OrderRelation, type OrderRelations, readRelation, relationColumns } from './purchase-order-relations.js';

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

const COLUMNS = `id, conference_id as "conferenceId", reference, status, organization_name as "organizationName",
  contact_email as "contactEmail", contact_name as "contactName", billing_address as "billingAddress", notes,
  buyer_reference as "buyerReference", currency_code as "currencyCode", due_date as "dueDate",
  total_minor::text as "totalMinor", paid_minor::text as "paidMinor", credited_minor::text as "creditedMinor",
  balance_minor::text as "balanceMinor", cancelled_at as "cancelledAt", created_at as "createdAt",
  updated_at as "updatedAt"`;

/** A row of these columns: amounts are texts, because a JSON number may lose digits, and times are RFC 3339. */
type ViewJson = {
  readonly [Name in keyof PurchaseOrderView]: PurchaseOrderView[Name] extends MinorUnits | Date
    ? string
    : PurchaseOrderView[Name] extends Date | null
      ? string | null
      : PurchaseOrderView[Name];
};

export interface PurchaseOrderSource {
  /** A `from` item with the name and the columns of `purchase_order`. */
  readonly source?: Fragment;
  /** What stands behind it. */
  readonly rest: Fragment;
  readonly relations?: ReadonlySet<OrderRelation>;
  /** An SQL expression whose text is wanted beside each. */
  readonly key?: string;
}

const TABLE: Fragment = { sql: 'purchase_order', params: [] };

/**
 * Purchase orders with exactly the relations that are asked for, in one statement that lets PostgreSQL build the JSON of
 * each: reading entities, or a statement a relation, takes several times as long (ADR 0028).
 */
export async function readPurchaseOrders(
  em: EntityManager,
  { source = TABLE, rest, relations = new Set(), key = "''" }: PurchaseOrderSource,
): Promise<SeenPurchaseOrder[]> {
  const names = [...relations];
  const columns = names.length > 0 ? `${COLUMNS}, ${relationColumns(names)}` : COLUMNS;
  const rows = await em.execute<{ seen: ViewJson & Record<OrderRelation, unknown>; key: string }[]>(
    `select row_to_json((select seen from (select ${columns}) seen)) as seen, ${key} as key from ${source.sql} ${rest.sql}`,
    [...source.params, ...rest.params],
  );
  return rows.map(({ seen, key: value }) => ({
    view: toView(seen),
    relations: Object.fromEntries(names.map((name) => [name, readRelation(name, seen[name])])),
    key: value,
  }));
}

function toView(json: ViewJson): PurchaseOrderView {
  return {
    ...json,
    totalMinor: amountOf(json.totalMinor),
    paidMinor: amountOf(json.paidMinor),
    creditedMinor: amountOf(json.creditedMinor),
    balanceMinor: amountOf(json.balanceMinor),
    cancelledAt: json.cancelledAt === null ? null : new Date(json.cancelledAt),
    createdAt: new Date(json.createdAt),
    updatedAt: new Date(json.updatedAt),
  };
}

function amountOf(text: string): MinorUnits {
  return minorUnits(BigInt(text));
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
