import { ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import { BulkInvoicingItem, BulkInvoicingItemState } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { OperatingContext } from '../context.js';
import { type IdempotencyCode, once } from '../idempotency.js';
import { done, type Failure, type Outcome, refused } from '../outcome.js';
import { changeableBy } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { validate } from '../validation.js';

export interface CreateQboInvoicesInput {
  readonly purchaseOrderIds: readonly string[];
  readonly idempotencyKey?: string | null;
}

export type CreateQboInvoicesCode = IdempotencyCode | 'INVALID' | 'NOT_FOUND';
export type CreateQboInvoicesOutcome = Outcome<Failure<CreateQboInvoicesCode>>;

/** Seven envelopes, which one company takes in some ten seconds. */
export const MAX_ORDERS = 200;

const PATH = 'purchaseOrderIds';

const input = z.object({
  purchaseOrderIds: z
    .array(z.string())
    .min(1, 'Give at least one purchase order.')
    .max(MAX_ORDERS, `At most ${MAX_ORDERS} purchase orders can be invoiced in one go.`)
    .check((context) => {
      const seen = new Set<string>();
      for (const [index, id] of context.value.entries()) {
        const message = 'This purchase order is named twice.';
        if (seen.has(id)) context.issues.push({ code: 'custom', message, path: [index], input: id });
        seen.add(id);
      }
    }),
});

/**
 * Stores that each of these purchase orders is to be invoiced in QuickBooks, and has the background do it: nothing remote
 * happens here. If one is unknown, or may not be invoiced by who asks, none is taken. `id` of the outcome is the bulk's.
 */
export async function createQboInvoices(
  context: OperatingContext,
  { idempotencyKey, ...given }: CreateQboInvoicesInput,
): Promise<CreateQboInvoicesOutcome> {
  const checked = validate(input, given);
  if (!checked.ok) return refused(...checked.failures);
  const request = { mutation: 'createQboInvoices', key: idempotencyKey ?? undefined, input: checked.value };
  const { purchaseOrderIds } = checked.value;
  const outcome = await inTransaction<CreateQboInvoicesOutcome>(context.em, async (tx) => {
    const missing = await findMissing(tx, context, purchaseOrderIds);
    if (missing.length > 0) return refused(...missing);
    return once<Failure<CreateQboInvoicesCode>>(tx, context, request, () => store(tx, context, purchaseOrderIds));
  });
  if (outcome.id !== null) context.jobs.wakeBulkInvoicing(outcome.id);
  return outcome;
}

/** Throws `AccessDenied` when the actor may only look at one of them. */
async function findMissing(
  tx: EntityManager,
  { actor }: OperatingContext,
  orderIds: readonly string[],
): Promise<Failure<'NOT_FOUND'>[]> {
  const orders = await tx.find(PurchaseOrder, { id: { $in: [...orderIds] } });
  const changeable = new Set(orders.filter((order) => changeableBy(actor, order)).map(({ id }) => id));
  return orderIds.flatMap((id, index) => (changeable.has(id) ? [] : [notFound(index)]));
}

async function store(
  tx: EntityManager,
  { actor, clock, ids }: OperatingContext,
  orderIds: readonly string[],
): Promise<CreateQboInvoicesOutcome> {
  const bulk = tx.create(BulkInvoicing, {
    id: ids.next('bulk'),
    actorId: actor.id,
    actorName: actor.name,
    actorKind: actor.kind,
    createdAt: clock.now(),
  });
  const positions = orderIds.map((id, index) => ({ id, position: index + 1 }));
  // Each row locks its order against deletion, in the order in which everybody locks several.
  for (const { id, position } of positions.toSorted((left, right) => (left.id < right.id ? -1 : 1))) {
    tx.create(BulkInvoicingItem, {
      id: ids.next('bitem'),
      bulkInvoicing: ref(bulk),
      purchaseOrder: ref(PurchaseOrder, id),
      position,
      state: BulkInvoicingItemState.PENDING,
    });
  }
  await tx.flush();
  return done(bulk.id);
}

function notFound(index: number): Failure<'NOT_FOUND'> {
  return { code: 'NOT_FOUND', message: 'There is no purchase order with this id.', path: [PATH, `${index}`] };
}
