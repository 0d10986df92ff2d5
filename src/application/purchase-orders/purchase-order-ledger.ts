import { type FilterQuery, LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { ConferenceRole } from '../../domain/access/grants.js';
import { minorUnits } from '../../domain/money.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { deriveStatus, type Ledger } from '../../domain/purchase-order/purchase-order.status.js';
import { filterBy, requireRoleIn, seesPurchaseOrder, visiblePurchaseOrders } from '../access/permissions.js';
import type { UseCaseContext } from '../context.js';
import { LEDGER_COLUMNS } from './ledger-sql.js';

/** A purchase order whose row is locked until the transaction ends, with the sums of its rows read under that lock. */
export interface LockedPurchaseOrder {
  readonly order: PurchaseOrder;
  readonly ledger: Ledger;
}

/**
 * Every change to a purchase order or its money begins here: two of them never interleave, and nobody changes what is not
 * theirs, or waits for it. Undefined: there is none, or none that the actor sees. Throws `AccessDenied` when it may only look.
 */
export async function lockPurchaseOrder(
  tx: EntityManager,
  { actor }: Pick<UseCaseContext, 'actor'>,
  id: string,
): Promise<LockedPurchaseOrder | undefined> {
  const visible = filterBy(visiblePurchaseOrders(actor));
  const order = changeableBy(actor, await lockRow(tx, { id, ...visible }));
  return order ? { order, ledger: await readLedger(tx, id) } : undefined;
}

/** Several at once, for the background, in an order that is the same for everybody. Those that do not exist are missing. */
export async function lockPurchaseOrders(
  tx: EntityManager,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedPurchaseOrder>> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } } as const;
  const orders = await tx.find(PurchaseOrder, { id: { $in: [...ids] } }, lock);
  const ledgers = await readLedgers(
    tx,
    orders.map(({ id }) => id),
  );
  return new Map(
    orders.map((order) => {
      const ledger = ledgers.get(order.id);
      if (!ledger) throw new Error(`the sums of purchase order ${order.id} are missing`);
      return [order.id, { order, ledger }];
    }),
  );
}

/** The order, or undefined if the actor does not see it. Throws `AccessDenied` when it may only look. */
export function changeableBy(actor: UseCaseContext['actor'], order: PurchaseOrder | null): PurchaseOrder | undefined {
  const conferenceId = order?.conference.id;
  if (!order || conferenceId === undefined || !seesPurchaseOrder(actor, { id: order.id, conferenceId }))
    return undefined;
  requireRoleIn(actor, conferenceId, ConferenceRole.FINANCE);
  return order;
}

async function lockRow(tx: EntityManager, which: FilterQuery<PurchaseOrder>): Promise<PurchaseOrder | null> {
  return tx.findOne(PurchaseOrder, which, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/**
 * The lock alone, for callers that hold a row which refers to the purchase order: it exists, because nothing ever
 * deletes one.
 */
export async function lockExistingPurchaseOrder(tx: EntityManager, id: string): Promise<PurchaseOrder> {
  const order = await lockRow(tx, { id });
  if (!order) throw new Error(`purchase order ${id} does not exist`);
  return order;
}

const sums = z.object({ paid_minor: z.coerce.bigint(), credited_minor: z.coerce.bigint() });

async function readLedger(tx: EntityManager, purchaseOrderId: string): Promise<Ledger> {
  const [row] = await tx.execute(`select ${LEDGER_COLUMNS} from purchase_order where id = ?`, [purchaseOrderId]);
  return toLedger(row);
}

async function readLedgers(tx: EntityManager, ids: readonly string[]): Promise<ReadonlyMap<string, Ledger>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.execute<{ id: string }[]>(`select id, ${LEDGER_COLUMNS} from purchase_order where id in (?)`, [
    ids,
  ]);
  return new Map(rows.map((row) => [row.id, toLedger(row)]));
}

function toLedger(row: unknown): Ledger {
  const { paid_minor, credited_minor } = sums.parse(row);
  return { paid: minorUnits(paid_minor), credited: minorUnits(credited_minor) };
}

/** Flushes the caller's new rows and sets the status that follows from all of them. Needs the order's lock. */
export async function refreshStatus(tx: EntityManager, order: PurchaseOrder, now: Date): Promise<Ledger> {
  await tx.flush();
  const ledger = await readLedger(tx, order.id);
  order.status = deriveStatus(order, ledger);
  order.updatedAt = now;
  await tx.flush();
  return ledger;
}
