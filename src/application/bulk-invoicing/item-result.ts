import type { EntityManager } from '@mikro-orm/postgresql';
import { BulkInvoicingItem, BulkInvoicingItemState } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import type { UseCaseContext } from '../context.js';
import type { CreateQboInvoiceCode, CreateQboInvoiceOutcome } from '../quickbooks/create-qbo-invoice.outcome.js';
import type { QboFailure } from '../quickbooks/qbo-failure.js';
import { differences } from '../quickbooks/record-invoice.js';
import { recording } from '../transaction.js';

/** After these it is tried again: nothing is decided yet. */
const PASSING: readonly CreateQboInvoiceCode[] = [
  'IN_PROGRESS',
  'IDEMPOTENCY_IN_PROGRESS',
  'OUTCOME_UNKNOWN',
  'QBO_UNAVAILABLE',
];

type ItemFailure = QboFailure<CreateQboInvoiceCode>;

/** What is known of an item while it is worked on. */
export interface WorkedItem {
  readonly id: string;
  readonly purchaseOrderId: string;
  readonly attempts: number;
  /** From then on it is not tried again any more. */
  readonly triedUntil: Date;
}

/** Writes down what came of an item; `notBefore`: when the provider can be asked again, if it said so. */
export async function recordItem(
  context: UseCaseContext,
  item: WorkedItem,
  outcome: CreateQboInvoiceOutcome,
  notBefore?: Date,
): Promise<void> {
  const [failure] = outcome.failures;
  if (!failure) {
    await write(context, item, { state: BulkInvoicingItemState.SUCCEEDED, ...NO_ERROR });
    return;
  }
  if (outcome.id !== null) {
    await write(context, item, { state: BulkInvoicingItemState.FAILED, ...errorOf(failure) });
    return;
  }
  if (PASSING.includes(failure.code)) return putOff(context, item, failure, notBefore);
  const own = await findOwnInvoice(context.em, item.id);
  // What was refused now says nothing of an invoice that was claimed for this item before, also when it is given up.
  if (own === 'unsettled') return putOff(context, item, unsettled(failure), notBefore);
  if (own) return recordItem(context, item, own);
  return fail(context, item, failure, notBefore);
}

/** Unless it was claimed just now, by a turn that did not see this one. */
async function fail(
  context: UseCaseContext,
  item: WorkedItem,
  failure: ItemFailure,
  notBefore: Date | undefined,
): Promise<void> {
  const fields = { state: BulkInvoicingItemState.FAILED, ...errorOf(failure) };
  const isClaimed = (await write(context, item, fields, { invoice: null })) === 0;
  if (isClaimed) await putOff(context, item, unsettled(failure), notBefore);
}

/** Items of a bulk whose invoice was made meanwhile by somebody who went on with it. */
export async function recordInvoicedItems(context: UseCaseContext, bulkInvoicingId: string): Promise<void> {
  const pending = { bulkInvoicing: bulkInvoicingId, state: BulkInvoicingItemState.PENDING };
  const items = await context.em
    .fork()
    .find(
      BulkInvoicingItem,
      { ...pending, invoice: { externalId: { $ne: null } } },
      { populate: ['invoice', 'purchaseOrder'], orderBy: { position: 'asc' } },
    );
  for (const item of items) {
    const made = { id: item.id, attempts: item.attempts, purchaseOrderId: item.purchaseOrder.id, triedUntil: NEVER };
    await recordItem(context, made, outcomeOf(item));
  }
}

const NEVER = new Date(8.64e15);

/** The invoice that was claimed for the item: what it came to, or that this is not settled yet. */
async function findOwnInvoice(
  em: EntityManager,
  itemId: string,
): Promise<CreateQboInvoiceOutcome | 'unsettled' | undefined> {
  const item = await em.fork().findOneOrFail(BulkInvoicingItem, itemId, { populate: ['invoice', 'purchaseOrder'] });
  if (!item.invoice) return undefined;
  return item.invoice.getEntity().externalId === null ? 'unsettled' : outcomeOf(item);
}

function unsettled({ message }: ItemFailure): ItemFailure {
  return { code: 'OUTCOME_UNKNOWN', message: `It is not known yet whether QuickBooks made its invoice. ${message}` };
}

function outcomeOf({ invoice, purchaseOrder }: BulkInvoicingItem): CreateQboInvoiceOutcome {
  const order = purchaseOrder.getEntity();
  return { id: order.id, failures: invoice ? differences(order, invoice.getEntity()) : [] };
}

async function putOff(
  context: UseCaseContext,
  item: WorkedItem,
  failure: ItemFailure,
  notBefore: Date | undefined,
): Promise<void> {
  const now = context.clock.now();
  if (now >= item.triedUntil) {
    await write(context, item, { state: BulkInvoicingItemState.FAILED, ...errorOf(failure) });
    return;
  }
  const { lookUpBackOffMs, lookUpBackOffMaxMs } = context.waits;
  const backOffMs = Math.min(lookUpBackOffMs * 2 ** item.attempts, lookUpBackOffMaxMs);
  const resumeAt = notBefore ?? new Date(now.getTime() + backOffMs);
  await write(context, item, { resumeAt, attempts: item.attempts + 1, ...errorOf(failure) });
}

const NO_ERROR = { errorCode: null, errorMessage: null, faultCode: null, intuitTid: null };

function errorOf({ code, message, faultCode, intuitTid }: ItemFailure) {
  return { errorCode: code, errorMessage: message, faultCode: faultCode ?? null, intuitTid: intuitTid ?? null };
}

/** A result stays what it is. Returns how many items were written. */
async function write(
  context: UseCaseContext,
  { id }: WorkedItem,
  fields: Partial<Omit<BulkInvoicingItem, 'invoice' | 'purchaseOrder' | 'bulkInvoicing'>>,
  only: { readonly invoice?: null } = {},
): Promise<number> {
  const pending = { id, state: BulkInvoicingItemState.PENDING, ...only };
  return recording(context.waits, () => context.em.fork().nativeUpdate(BulkInvoicingItem, pending, fields));
}
