import { z } from 'zod';
import { ALL_GRANTS, ConferenceRole, NO_GRANTS } from '../../domain/access/grants.js';
import { ActorKind } from '../../domain/audit/actor.js';
import { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import { BulkInvoicingItem, BulkInvoicingItemState } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { findGrantsOfKeys } from '../access/api-keys.js';
import { hasRoleIn } from '../access/permissions.js';
import type { UseCaseContext } from '../context.js';
import { refused } from '../outcome.js';
import type { ProviderResult } from '../ports/provider.js';
import { claimQboInvoice } from '../quickbooks/claim-qbo-invoice.js';
import { carryOutInvoice } from '../quickbooks/create-qbo-invoice.js';
import type { CreateQboInvoiceOutcome } from '../quickbooks/create-qbo-invoice.outcome.js';
import { prepareInvoice } from '../quickbooks/prepare-invoice.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { abandonInvoice } from '../quickbooks/settle-invoice.js';
import { inTransaction } from '../transaction.js';
import { beginEnvelope, type PreparedMember, type SettledMember, sendEnvelope } from './envelope.js';
import { recordInvoicedItems, recordItem, recordUnforeseen, type WorkedItem } from './item-result.js';

/** QuickBooks refuses more in one request. */
const MAX_MEMBERS = 30;

/** QuickBooks refused a very large batch with 413, and nobody says from where on; thirty usual invoices are a tenth. */
const MAX_ENVELOPE_BYTES = 500_000;

/** Gets what nobody foresaw: the items concerned are put off, and the others go on. */
export type OnUnforeseen = (error: unknown) => void;

/**
 * One turn of a bulk: works off what is due of it next, in one envelope as a rule, so that nobody waits long for a worker.
 * Every result is written down as soon as it is known, so that the next turn, whenever this one ends, goes on with what is
 * left. Returns when that is due; undefined: never, the bulk is finished.
 */
export async function workOffBulkInvoicing(
  context: QboContext,
  id: string,
  onUnforeseen: OnUnforeseen,
): Promise<Date | undefined> {
  const bulk = await context.em.fork().findOne(BulkInvoicing, id);
  if (!bulk || bulk.finishedAt) return undefined;
  const own = { ...context, actor: await requesterOf(context, bulk) };
  await recordInvoicedItems(own, id);
  await workOffTogether(own, await nextItems(own, bulk), onUnforeseen);
  return finish(own, id);
}

/** Who asked, with what they may do now. What a token granted is not written down anywhere: it counts as of the request. */
async function requesterOf(context: QboContext, { actorId: id, actorName: name, actorKind: kind }: BulkInvoicing) {
  if (kind !== ActorKind.API_KEY) return { id, name, kind, grants: ALL_GRANTS };
  const grants = (await findGrantsOfKeys(context, [id])).get(id) ?? NO_GRANTS;
  return { id, name, kind, grants };
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
    conference_id: z.string(),
    qbo_connection_id: z.string().nullable(),
  }),
);

interface DueItem extends WorkedItem {
  readonly conferenceId: string;
}

/** The first items that are due, of one company, and as many as one request takes. What was put off comes after the rest. */
async function nextItems({ em, clock, waits }: QboContext, bulk: BulkInvoicing): Promise<DueItem[]> {
  const due = itemRows.parse(
    await em.fork().execute(
      `select item.id, item.purchase_order_id, item.attempts, conference_id, conference.qbo_connection_id
       from bulk_invoicing_item item
       join purchase_order on purchase_order.id = item.purchase_order_id
       join conference on conference.id = purchase_order.conference_id
       where item.bulk_invoicing_id = ? and item.state = 'PENDING' and (item.resume_at is null or item.resume_at <= ?)
       order by item.resume_at nulls first, item.position`,
      [bulk.id, clock.now()],
    ),
  );
  const triedUntil = new Date(bulk.createdAt.getTime() + waits.bulkPatienceMs);
  return due
    .filter(({ qbo_connection_id }) => qbo_connection_id === due[0]?.qbo_connection_id)
    .slice(0, MAX_MEMBERS)
    .map(({ id, purchase_order_id, attempts, conference_id }) => ({
      id,
      purchaseOrderId: purchase_order_id,
      attempts,
      conferenceId: conference_id,
      triedUntil,
    }));
}

/** An item whose invoice is worded and ours to create. */
interface PreparedItem extends PreparedMember {
  readonly item: WorkedItem;
}

async function workOffTogether(
  context: QboContext,
  items: readonly DueItem[],
  onUnforeseen: OnUnforeseen,
): Promise<void> {
  const putOff = (concerned: readonly WorkedItem[]) => async (error: unknown) => {
    onUnforeseen(error);
    for (const item of concerned) await recordUnforeseen(context, item);
  };
  const prepared: PreparedItem[] = [];
  for (const item of items) {
    const ready = await prepareItem(context, item).catch(putOff([item]));
    if (ready) prepared.push(ready);
  }
  for (const together of envelopesOf(prepared)) {
    const open = new Set<WorkedItem>(together.map(({ item }) => item));
    await sendTogether(context, together, open).catch((error) => putOff([...open])(error));
  }
}

/** Undefined: its result is written down, or it was put off. */
async function prepareItem(context: QboContext, item: DueItem): Promise<PreparedItem | undefined> {
  if (!hasRoleIn(context.actor, item.conferenceId, ConferenceRole.FINANCE)) {
    await recordItem(context, item, refused(FORBIDDEN));
    return undefined;
  }
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

const FORBIDDEN = {
  code: 'FORBIDDEN',
  message: 'Whoever asked for this may not invoice it any more: the API key was revoked, has expired or lost its role.',
} as const;

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
    let bytes = 0;
    for (const item of items) {
      const own = Buffer.byteLength(item.body);
      bytes += own;
      const last = envelopes.at(-1);
      if (last && bytes <= MAX_ENVELOPE_BYTES) last.push(item);
      else {
        envelopes.push([item]);
        bytes = own;
      }
    }
    return envelopes;
  });
}

/** Takes those out of `open` whose result is written down. */
async function sendTogether(
  context: QboContext,
  prepared: readonly PreparedItem[],
  open: Set<WorkedItem>,
): Promise<void> {
  const itemOf = (operationId: string) => {
    const found = prepared.find(({ claimed }) => claimed.operation.id === operationId);
    if (!found) throw new Error(`operation ${operationId} is not in this envelope`);
    return found.item;
  };
  const record = async (item: WorkedItem, outcome: CreateQboInvoiceOutcome, notBefore?: Date) => {
    await recordItem(context, item, outcome, notBefore);
    open.delete(item);
  };
  const { envelope, leftOut } = await beginEnvelope(context, prepared);
  for (const { claimed, reason } of leftOut) {
    const outcome = reason.isFinal ? await abandonInvoice(context, claimed, reason) : refused(reason.failure);
    await record(itemOf(claimed.operation.id), outcome);
  }
  if (!envelope) return;
  const alone: WorkedItem[] = [];
  await sendEnvelope(context, envelope, async (settled) => {
    const item = itemOf(settled.member.attempt.operationId);
    if (isEnvelopeItself(settled)) alone.push(item);
    else await record(item, settled.outcome, retryAtOf(settled.result));
  });
  for (const item of alone) {
    await createAlone(context, item);
    open.delete(item);
  }
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
