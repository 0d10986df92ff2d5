import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import { type MinorUnits, minorUnits } from '../../domain/money.js';
import type { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { LEDGER_COLUMNS } from '../purchase-orders/ledger-sql.js';
import { whereClause } from './keyset.js';

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
  readonly cancelledAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const SELECT_PURCHASE_ORDER = `
  select id, conference_id, reference, status, organization_name, contact_email, contact_name, billing_address, notes,
         buyer_reference, currency_code, due_date::text, total_minor::text, cancelled_at, created_at, updated_at,
         ${LEDGER_COLUMNS}
  from purchase_order`;

interface Row {
  readonly [column: string]: string;
}

export function toPurchaseOrderView(row: unknown): PurchaseOrderView {
  // The columns are those of SELECT_PURCHASE_ORDER; checking every row again would cost more than reading it.
  const columns = row as Row & { due_date: string | null; cancelled_at: string | null };
  return {
    id: String(columns.id),
    conferenceId: String(columns.conference_id),
    reference: String(columns.reference),
    status: columns.status as PurchaseOrderStatus,
    organizationName: String(columns.organization_name),
    contactEmail: String(columns.contact_email),
    contactName: String(columns.contact_name),
    billingAddress: String(columns.billing_address),
    notes: String(columns.notes),
    buyerReference: String(columns.buyer_reference),
    currencyCode: columns.currency_code as CurrencyCode,
    dueDate: columns.due_date,
    totalMinor: minorUnits(BigInt(String(columns.total_minor))),
    paidMinor: minorUnits(BigInt(String(columns.paid_minor))),
    creditedMinor: minorUnits(BigInt(String(columns.credited_minor))),
    cancelledAt: columns.cancelled_at === null ? null : new Date(columns.cancelled_at),
    createdAt: new Date(String(columns.created_at)),
    updatedAt: new Date(String(columns.updated_at)),
  };
}

/** The purchase orders with these ids, in no particular order; unknown and invisible ones are missing. One statement. */
export async function findPurchaseOrders(
  em: EntityManager,
  actor: Actor,
  ids: readonly string[],
): Promise<PurchaseOrderView[]> {
  const { sql, params } = whereClause([{ sql: 'id in (?)', params: [ids] }, visiblePurchaseOrders(actor)]);
  const rows = await em.execute(`${SELECT_PURCHASE_ORDER} ${sql}`, [...params]);
  return rows.map(toPurchaseOrderView);
}

/** Undefined: there is none, or none that the actor sees. */
export async function findPurchaseOrderByReference(
  em: EntityManager,
  actor: Actor,
  reference: string,
): Promise<PurchaseOrderView | undefined> {
  const { sql, params } = whereClause([{ sql: 'reference = ?', params: [reference] }, visiblePurchaseOrders(actor)]);
  const [row] = await em.execute(`${SELECT_PURCHASE_ORDER} ${sql}`, [...params]);
  return row && toPurchaseOrderView(row);
}
