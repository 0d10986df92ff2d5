import type { EntityManager } from '@mikro-orm/postgresql';
import { BulkInvoicingItem, BulkInvoicingItemState } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { isBeingMade } from '../../domain/invoice/invoice.status.js';
import { OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { whyNotInvoiceable } from '../invoicing/claim-invoice.js';
import {
  type Attempt,
  isLeased,
  isOpen,
  isReplayable,
  latestAttempt,
  lockOperation,
  lockUntouched,
  renewLease,
} from '../operations/provider-operations.js';
import { postponeOperation } from '../operations/settle-attempt.js';
import { type LockedPurchaseOrder, lockPurchaseOrders } from '../purchase-orders/purchase-order-ledger.js';
import { claimQboInvoice } from '../quickbooks/claim-qbo-invoice.js';
import { carryOutInvoice } from '../quickbooks/create-qbo-invoice.js';
import { connectionOf } from '../quickbooks/operation-connection.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { inTransaction } from '../transaction.js';
import { beginSendingTogether, countOpenMembers, type Envelope, lockOperations, sendEnvelope } from './envelope.js';

/**
 * Goes on with an envelope whose process died or whose answer was lost. As long as QuickBooks surely knows its request id
 * and nothing is known of any member, the whole is sent again, byte for byte. Otherwise each open member is looked for; one
 * that is not there is sent alone once no sending of the envelope can be at work any more.
 */
export async function resumeEnvelope(context: QboContext, { id }: ProviderOperation): Promise<void> {
  const resumed = await inTransaction(context.em, (tx) => takeOver(tx, context, id));
  if (!resumed) return;
  if (resumed.envelope) await sendEnvelope(context, resumed.envelope, async () => undefined);
  else await lookForMembers(context, resumed);
  await wakeBulks(context, resumed.members);
}

interface Resumed {
  readonly attempt: Attempt;
  readonly members: readonly ProviderOperation[];
  /** To be sent again; undefined: its members are to be looked for. */
  readonly envelope?: Envelope;
}

/** Undefined: somebody else is at work on it, or it is settled. */
async function takeOver(tx: EntityManager, context: QboContext, id: string): Promise<Resumed | undefined> {
  const known = await tx.find(ProviderOperation, { envelope: id });
  const orderIds = known.map(({ subject }) => subject);
  // Orders are locked before operations, here as everywhere.
  const orders = await lockPurchaseOrders(tx, orderIds);
  const operation = await lockOperation(tx, { operationId: id });
  if (!isOpen(operation) || isLeased(context, operation)) return undefined;
  const memberIds = known.map((member) => member.id);
  const locked = await lockOperations(tx, memberIds);
  // One that left was proven to be absent, and goes its own way.
  const members = [...locked.values()].filter(({ envelope }) => envelope?.id === id);
  const envelope = await sendAgain(tx, context, { operation, members, orders });
  if (envelope) return { attempt: envelope.attempt, members, envelope };
  renewLease(context, operation);
  return { attempt: latestAttempt(operation), members };
}

interface Replay {
  readonly operation: ProviderOperation;
  readonly members: readonly ProviderOperation[];
  readonly orders: ReadonlyMap<string, LockedPurchaseOrder>;
}

/** Undefined: it must not be sent as it is stored. */
async function sendAgain(tx: EntityManager, context: QboContext, replay: Replay): Promise<Envelope | undefined> {
  const { operation, members } = replay;
  const { body } = operation;
  if (body === null || !isReplayable(context, operation) || !areAllOpen(context, body, members)) return undefined;
  const wanted = await findWanted(tx, replay);
  return wanted.length < members.length
    ? undefined
    : beginSendingTogether(context, { operation, body, members: wanted });
}

/**
 * Of the items in the text, and not of fewer. What was refused would be tried anew although its claim is gone, what was
 * made must not depend on the memory of a provider, and what left the envelope is sent alone.
 */
function areAllOpen({ accounting }: QboContext, body: string, members: readonly ProviderOperation[]): boolean {
  const open = new Set(members.filter(isOpen).map(({ envelopeItem }) => envelopeItem));
  return open.size === members.length && new Set(accounting.envelopeItems(body)).symmetricDifference(open).size === 0;
}

/** Those that may still be invoiced. */
async function findWanted(tx: EntityManager, { operation, members, orders }: Replay) {
  const connection = await connectionOf(operation).loadOrFail();
  const purchaseOrder = { $in: members.map(({ subject }) => subject) };
  const invoices = (await tx.find(Invoice, { purchaseOrder })).filter(({ status }) => isBeingMade(status));
  return members.flatMap((current) => {
    const { subject, body, envelopeItem: item } = current;
    const locked = orders.get(subject);
    const invoice = invoices.find((each) => each.purchaseOrder.id === subject);
    if (!locked || !invoice || whyNotInvoiceable(locked) || body === null || item === null) return [];
    const claimed = { order: locked.order, connection, operation: current, invoiceId: invoice.id, draftId: undefined };
    return [{ claimed, body, item, current }];
  });
}

async function lookForMembers(context: QboContext, { attempt, members }: Resumed): Promise<void> {
  const errors: unknown[] = [];
  for (const { id, subject } of members.filter(isOpen)) {
    try {
      const request = { mutation: 'createQboInvoices', key: undefined, input: {}, purchaseOrderId: subject };
      const claim = await inTransaction(context.em, (tx) =>
        claimQboInvoice(tx, context, { ...request, continuing: id, envelopeId: attempt.operationId }),
      );
      if ('claimed' in claim) await carryOutInvoice(context, claim.claimed);
    } catch (error) {
      errors.push(error);
    }
  }
  await inTransaction(context.em, (tx) => closeOrPostpone(tx, context, attempt));
  if (errors.length > 0)
    throw new AggregateError(errors, `${errors.length} members of an envelope were not looked for`);
}

async function closeOrPostpone(tx: EntityManager, context: QboContext, attempt: Attempt): Promise<void> {
  const operation = await lockUntouched(tx, attempt);
  if (!operation) return;
  const open = await countOpenMembers(tx, operation.id);
  const now = context.clock.now();
  if (open === 0) {
    Object.assign(operation, { state: OperationState.DONE, lastError: null, leaseUntil: now, updatedAt: now });
    return;
  }
  const lastError = `What became of ${open} of its invoices is not known yet.`;
  const end = absenceCountsFrom(context, operation);
  await postponeOperation(tx, context, attempt, { lastError, ...(end > now && { notAfter: end }) });
}

/** From then on what is not found is not there. */
function absenceCountsFrom({ waits }: QboContext, { firstSentAt, lastSentAt }: ProviderOperation): Date {
  const sentAt = Math.max(firstSentAt?.getTime() ?? 0, lastSentAt?.getTime() ?? 0);
  return new Date(sentAt + waits.replayWindowMs);
}

/** The items that wait for these operations can be told what came of them. */
async function wakeBulks({ em, jobs }: QboContext, members: readonly ProviderOperation[]): Promise<void> {
  const waiting = {
    purchaseOrder: { $in: members.map(({ subject }) => subject) },
    state: BulkInvoicingItemState.PENDING,
  };
  const items = await em.fork().find(BulkInvoicingItem, waiting, { fields: ['bulkInvoicing'] });
  if (items.length === 0) return;
  await em.fork().nativeUpdate(BulkInvoicingItem, waiting, { resumeAt: null });
  for (const id of new Set(items.map(({ bulkInvoicing }) => bulkInvoicing.id))) jobs.wakeBulkInvoicing(id);
}
