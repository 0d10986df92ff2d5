import { z } from 'zod';
import { ALL_GRANTS } from '../../domain/access/grants.js';
import { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import { BulkInvoicingItem, BulkInvoicingItemState } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import type { UseCaseContext } from '../context.js';
import { refused } from '../outcome.js';
import type { ProviderResult } from '../ports/provider.js';
import { claimQboInvoice } from '../quickbooks/claim-qbo-invoice.js';
import { carryOutInvoice } from '../quickbooks/create-qbo-invoice.js';
import { prepareInvoice } from '../quickbooks/prepare-invoice.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { abandonInvoice } from '../quickbooks/settle-invoice.js';
import { inTransaction } from '../transaction.js';
import { beginEnvelope, type PreparedMember, type SettledMember, sendEnvelope } from './envelope.js';
import { recordInvoicedItems, recordItem, type WorkedItem } from './item-result.js';

/** QuickBooks refuses more in one request. */
const MAX_MEMBERS = 30;

/** QuickBooks refused a very large batch with 413, and nobody says from where on; thirty usual invoices are a tenth. */
const MAX_ENVELOPE_LENGTH = 500_000;

/**
 * Works off what is due of a bulk, company by company, in envelopes. Every result is written down as soon as it is known, so
 * that the next turn, whenever this one ends, goes on with what is left. Returns when that is; undefined: never, it is done.
 */
export async function workOffBulkInvoicing(context: QboContext, id: string): Promise<Date | undefined> {
  const bulk = await context.em.fork().findOne(BulkInvoicing, id);
  if (!bulk || bulk.finishedAt) return undefined;
  // Whether they may was decided when they asked.
  const actor = { id: bulk.actorId, name: bulk.actorName, kind: bulk.actorKind, grants: ALL_GRANTS };
  const own = { ...context, actor };
  await recordInvoicedItems(own, id);
  const errors: unknown[] = [];
  for (const items of await dueItems(own, bulk)) {
    await workOffTogether(own, items).catch((error: unknown) => errors.push(error));
  }
  const nextTurn = await finish(own, id);
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} parts of bulk ${id} were not worked off`);
  return nextTurn;
}

/** The bulks that have something to do now, also when nobody was woken for it. */
export async function dueBulkInvoicings({ em, clock }: Pick<UseCaseContext, 'em' | 'clock'>): Promise<string[]> {
  const rows = await em.fork().execute<{ id: string }[]>(
    `select id from bulk_invoicing bulk where finished_at is null and (
       not exists (select from bulk_invoicing_item where bulk_invoicing_id = bulk.id and state = 'PENDING')
       or exists (select from bulk_invoicing_item where bulk_invoicing_id = bulk.id and state = 'PENDING'
                  and (resume_at is null or resume_at <= ?)))
     order by created_at`,
    [clock.now()],
  );
  return rows.map(({ id }) => id);
}

const itemRows = z.array(
  z.object({
    id: z.string(),
    purchase_order_id: z.string(),
    attempts: z.int(),
    qbo_connection_id: z.string().nullable(),
  }),
);

/** The items that are due, as many at a time as one request takes, of one company each. */
async function dueItems({ em, clock, waits }: QboContext, bulk: BulkInvoicing): Promise<WorkedItem[][]> {
  const rows = await em.fork().execute(
    `select item.id, item.purchase_order_id, item.attempts, conference.qbo_connection_id
     from bulk_invoicing_item item
     join purchase_order on purchase_order.id = item.purchase_order_id
     join conference on conference.id = purchase_order.conference_id
     where item.bulk_invoicing_id = ? and item.state = 'PENDING' and (item.resume_at is null or item.resume_at <= ?)
     order by item.position`,
    [bulk.id, clock.now()],
  );
  const triedUntil = new Date(bulk.createdAt.getTime() + waits.bulkPatienceMs);
  const byCompany = Map.groupBy(itemRows.parse(rows), ({ qbo_connection_id }) => qbo_connection_id);
  return [...byCompany.values()].flatMap((ofCompany) =>
    chunks(
      ofCompany.map(({ id, purchase_order_id, attempts }) => ({
        id,
        purchaseOrderId: purchase_order_id,
        attempts,
        triedUntil,
      })),
    ),
  );
}

function chunks<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / MAX_MEMBERS);
  return Array.from({ length: count }, (_, index) => all.slice(index * MAX_MEMBERS, (index + 1) * MAX_MEMBERS));
}

/** An item whose invoice is worded and ours to create. */
interface PreparedItem extends PreparedMember {
  readonly item: WorkedItem;
}

async function workOffTogether(context: QboContext, items: readonly WorkedItem[]): Promise<void> {
  const prepared: PreparedItem[] = [];
  for (const item of items) {
    const ready = await prepareItem(context, item);
    if (ready) prepared.push(ready);
  }
  for (const together of envelopesOf(prepared)) await sendTogether(context, together);
}

/** Undefined: its result is written down, or it was put off. */
async function prepareItem(context: QboContext, item: WorkedItem): Promise<PreparedItem | undefined> {
  const claim = await claimItem(context, item);
  if (!claim) return undefined;
  if ('answer' in claim) {
    await recordItem(context, item, claim.answer);
    return undefined;
  }
  const { claimed } = claim;
  // What was sent before is gone on with alone: only its own request id tells QuickBooks that it is the same.
  if (claimed.operation.attempts > 0) {
    await recordItem(context, item, await carryOutInvoice(context, claimed));
    return undefined;
  }
  const prepared = await prepareInvoice(context, claimed);
  if ('body' in prepared) return { item, claimed, body: prepared.body };
  await recordItem(context, item, await abandonInvoice(context, claimed, prepared));
  return undefined;
}

/** Another turn wrote a result down meanwhile: the claim is undone. */
class HasResult extends Error {}

/** As a single creation does, and writes down that it is for this item. Undefined: the item has its result. */
async function claimItem(context: QboContext, { id, purchaseOrderId }: WorkedItem) {
  try {
    return await inTransaction(context.em, async (tx) => {
      const request = { mutation: 'createQboInvoices', key: undefined, input: {}, purchaseOrderId };
      const claim = await claimQboInvoice(tx, context, request);
      if ('answer' in claim) return claim;
      const pending = { id, state: BulkInvoicingItemState.PENDING };
      const count = await tx.nativeUpdate(BulkInvoicingItem, pending, { invoice: claim.claimed.invoiceId });
      if (count === 0) throw new HasResult();
      return claim;
    });
  } catch (error) {
    if (error instanceof HasResult) return undefined;
    throw error;
  }
}

/** Of one company each, and none too long. */
function envelopesOf(prepared: readonly PreparedItem[]): PreparedItem[][] {
  const byCompany = Map.groupBy(prepared, ({ claimed }) => claimed.connection.id);
  return [...byCompany.values()].flatMap((items) => {
    const envelopes: PreparedItem[][] = [];
    let length = 0;
    for (const item of items) {
      length += item.body.length;
      const last = envelopes.at(-1);
      if (last && length <= MAX_ENVELOPE_LENGTH) last.push(item);
      else {
        envelopes.push([item]);
        length = item.body.length;
      }
    }
    return envelopes;
  });
}

async function sendTogether(context: QboContext, prepared: readonly PreparedItem[]): Promise<void> {
  const itemOf = (operationId: string) => {
    const found = prepared.find(({ claimed }) => claimed.operation.id === operationId);
    if (!found) throw new Error(`operation ${operationId} is not in this envelope`);
    return found.item;
  };
  const { envelope, leftOut } = await beginEnvelope(context, prepared);
  for (const { claimed, reason } of leftOut) {
    const outcome = reason.isFinal ? await abandonInvoice(context, claimed, reason) : refused(reason.failure);
    await recordItem(context, itemOf(claimed.operation.id), outcome);
  }
  if (!envelope) return;
  const alone: WorkedItem[] = [];
  await sendEnvelope(context, envelope, async (settled) => {
    const item = itemOf(settled.member.attempt.operationId);
    if (isEnvelopeItself(settled)) alone.push(item);
    else await recordItem(context, item, settled.outcome, retryAtOf(settled.result));
  });
  for (const item of alone) await createAlone(context, item);
}

/** An envelope that QuickBooks will not have (too large, say) may hold invoices that it takes one by one. */
function isEnvelopeItself({ result, isOfWhole }: SettledMember): boolean {
  return isOfWhole && !result.ok && result.failure.kind === 'rejected' && result.failure.reason === 'validation';
}

function retryAtOf(result: ProviderResult<unknown>): Date | undefined {
  return !result.ok && result.failure.kind === 'unavailable' ? result.failure.retryAt : undefined;
}

async function createAlone(context: QboContext, item: WorkedItem): Promise<void> {
  const claim = await claimItem(context, item);
  if (!claim) return;
  const outcome = 'answer' in claim ? claim.answer : await carryOutInvoice(context, claim.claimed);
  await recordItem(context, item, outcome);
}

/** Returns when the next item is due; undefined: every one has its result. */
async function finish({ em, clock }: QboContext, id: string): Promise<Date | undefined> {
  const now = clock.now();
  const [row] = await em.fork().execute<{ next: Date | string | null }[]>(
    `select min(coalesce(resume_at, ?)) as next
     from bulk_invoicing_item where bulk_invoicing_id = ? and state = 'PENDING'`,
    [now, id],
  );
  if (row?.next != null) return new Date(row.next);
  await em.fork().nativeUpdate(BulkInvoicing, { id, finishedAt: null }, { finishedAt: now });
  return undefined;
}
