import type { EntityManager } from '@mikro-orm/postgresql';
import { BulkInvoicingItem, BulkInvoicingItemState } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { OperationKind } from '../../domain/operation/provider-operation.entity.js';
import type { UseCaseContext } from '../context.js';
import { releaseClaim } from '../invoicing/end-claim.js';
import { closeAsRefused, findOpenOperation, isLeased } from '../operations/provider-operations.js';
import { type Outcome, refused } from '../outcome.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import type { CreateQboInvoiceCode } from '../quickbooks/create-qbo-invoice.outcome.js';
import type { QboFailure } from '../quickbooks/qbo-failure.js';
import { differences } from '../quickbooks/record-invoice.js';
import { recordInTransaction, recording } from '../transaction.js';

/** What a single creation says, and what only concerns work in the background. */
export type BulkInvoicingItemCode = CreateQboInvoiceCode | 'FORBIDDEN' | 'INTERNAL_SERVER_ERROR';

type ItemFailure = QboFailure<BulkInvoicingItemCode>;

/** After these it is tried again: nothing is decided yet. */
const PASSING: readonly BulkInvoicingItemCode[] = [
  'IN_PROGRESS',
  'IDEMPOTENCY_IN_PROGRESS',
  'OUTCOME_UNKNOWN',
  'QBO_UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
];

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
  outcome: Outcome<ItemFailure>,
  notBefore?: Date,
): Promise<void> {
  const [failure] = outcome.failures;
  if (!failure || outcome.id !== null) {
    await recording(context.waits, () => write(context.em.fork(), item, resultOf(failure)));
    return;
  }
  if (!PASSING.includes(failure.code)) return end(context, item, failure, notBefore);
  if (context.clock.now() < item.triedUntil) return putOff(context, item, failure, notBefore);
  return end(context, item, { ...failure, message: `It is not tried any more. ${failure.message}` }, notBefore);
}

/** Nobody foresaw what went wrong with it. It is tried again once whatever was claimed for it is leased no more. */
export async function recordUnforeseen(context: UseCaseContext, item: WorkedItem): Promise<void> {
  const waitMs = Math.max(context.waits.operationLeaseMs, backOffMs(context, item));
  await recordItem(context, item, refused(UNFORESEEN), new Date(context.clock.now().getTime() + waitMs));
}

const UNFORESEEN: ItemFailure = {
  code: 'INTERNAL_SERVER_ERROR',
  message: 'Something went wrong in this server; its log says what.',
};

/** Items of a bulk whose invoice was made meanwhile by somebody who went on with it. */
export async function recordInvoicedItems(context: UseCaseContext, bulkInvoicingId: string): Promise<void> {
  const em = context.em.fork();
  const pending = { bulkInvoicing: bulkInvoicingId, state: BulkInvoicingItemState.PENDING };
  const items = await em.find(
    BulkInvoicingItem,
    { ...pending, invoice: { externalId: { $ne: null } } },
    { populate: ['invoice', 'purchaseOrder'], orderBy: { position: 'asc' } },
  );
  for (const item of items) await write(em, item, invoicedResult(item));
}

/** The item failed, unless an invoice was sent for it that may have been made: then it waits until that is known. */
async function end(
  context: UseCaseContext,
  item: WorkedItem,
  failure: ItemFailure,
  notBefore: Date | undefined,
): Promise<void> {
  const isEnded = await recordInTransaction(context, (tx) => endUnsent(tx, context, item, failure));
  if (!isEnded) await putOff(context, item, unsettled(failure), notBefore);
}

/**
 * Gives up what was claimed for the item as well, so that nothing is sent after it failed. False: it was sent, or somebody is
 * at work on it.
 */
async function endUnsent(
  tx: EntityManager,
  context: UseCaseContext,
  { id, purchaseOrderId }: WorkedItem,
  failure: ItemFailure,
): Promise<boolean> {
  await lockExistingPurchaseOrder(tx, purchaseOrderId);
  const item = await tx.findOneOrFail(BulkInvoicingItem, id, { populate: ['invoice', 'purchaseOrder'] });
  const invoice = item.invoice?.getEntity();
  if (invoice && invoice.externalId !== null) {
    await write(tx, item, invoicedResult(item));
    return true;
  }
  const operation = invoice && (await findOpenOperation(tx, OperationKind.CREATE_INVOICE, purchaseOrderId));
  // After what nobody foresaw the lease may be this turn's own.
  const isOthers = operation && isLeased(context, operation) && failure.code !== UNFORESEEN.code;
  if (isOthers || (operation && operation.attempts > 0)) return false;
  if (operation) {
    closeAsRefused(operation, failure.message, context.clock.now());
    await releaseClaim(tx, { invoiceId: invoice.id, operation });
  }
  await write(tx, item, resultOf(failure));
  return true;
}

function unsettled({ message }: ItemFailure): ItemFailure {
  return {
    code: 'OUTCOME_UNKNOWN',
    message: `Its invoice was sent, or another request is at work on it: what comes of that is not known yet. ${message}`,
  };
}

function invoicedResult({ invoice, purchaseOrder }: BulkInvoicingItem) {
  const [failure] = invoice ? differences(purchaseOrder.getEntity(), invoice.getEntity()) : [];
  return resultOf(failure);
}

function resultOf(failure: ItemFailure | undefined) {
  return failure
    ? { state: BulkInvoicingItemState.FAILED, ...errorOf(failure) }
    : { state: BulkInvoicingItemState.SUCCEEDED, ...NO_ERROR };
}

async function putOff(
  context: UseCaseContext,
  item: WorkedItem,
  failure: ItemFailure,
  notBefore: Date | undefined,
): Promise<void> {
  const resumeAt = notBefore ?? new Date(context.clock.now().getTime() + backOffMs(context, item));
  const fields = { resumeAt, attempts: item.attempts + 1, ...errorOf(failure) };
  await recording(context.waits, () => write(context.em.fork(), item, fields));
}

function backOffMs({ waits }: UseCaseContext, { attempts }: WorkedItem): number {
  return Math.min(waits.lookUpBackOffMs * 2 ** attempts, waits.lookUpBackOffMaxMs);
}

const NO_ERROR = { errorCode: null, errorMessage: null, faultCode: null, intuitTid: null };

function errorOf({ code, message, faultCode, intuitTid }: ItemFailure) {
  return { errorCode: code, errorMessage: message, faultCode: faultCode ?? null, intuitTid: intuitTid ?? null };
}

/** A result stays what it is. */
async function write(
  em: EntityManager,
  { id }: Pick<WorkedItem, 'id'>,
  fields: Partial<Omit<BulkInvoicingItem, 'invoice' | 'purchaseOrder' | 'bulkInvoicing'>>,
): Promise<void> {
  await em.nativeUpdate(BulkInvoicingItem, { id, state: BulkInvoicingItemState.PENDING }, fields);
}
