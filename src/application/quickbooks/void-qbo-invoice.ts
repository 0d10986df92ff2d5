import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { ZERO } from '../../domain/money.js';
import { OperationKind, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import {
  type Attempt,
  beginAttempt,
  claimOperation,
  closeAsRefused,
  isReplayable,
  latestAttempt,
  lockUntouched,
} from '../operations/provider-operations.js';
import { openFailure, postponeOperation, settleAttempt } from '../operations/settle-attempt.js';
import { type Outcome, refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import { failed, type ProviderFailure, type ProviderResult } from '../ports/provider.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction, recordInTransaction } from '../transaction.js';
import { connectionOf } from './operation-connection.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { applyReading } from './record-invoice.js';
import { syncInvoice } from './sync-invoices.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type VoidCode = ProviderCode | ConnectionCode | 'IN_PROGRESS';

export interface ClaimedVoid {
  readonly invoice: Invoice;
  readonly operation: ProviderOperation;
}

/** Writes down, under the purchase order's lock, that its invoice is to be voided, or takes over an abandoned attempt. */
export async function claimVoid(
  tx: EntityManager,
  context: QboContext,
  order: PurchaseOrder,
  invoice: Invoice,
): Promise<{ claimed: ClaimedVoid } | { failure: QboFailure<VoidCode> }> {
  const usable = await usableConnection(context, order, invoice);
  if ('failure' in usable) return usable;
  const claim = await claimOperation(tx, context, {
    kind: OperationKind.VOID_INVOICE,
    subject: invoice.id,
    connection: { provider: 'QBO', id: usable.connection.id },
    body: context.accounting.prepareVoid(String(invoice.externalId), String(invoice.syncToken)),
  });
  if (claim.status === 'busy') return { failure: claim.isUnknown ? BEING_SETTLED : BEING_VOIDED };
  return { claimed: { invoice, operation: claim.operation } };
}

const BEING_VOIDED: QboFailure<'IN_PROGRESS'> = {
  code: 'IN_PROGRESS',
  message: 'The invoice is being voided right now; ask again in a few seconds.',
  path: ['purchaseOrderId'],
};

const BEING_SETTLED: QboFailure<'OUTCOME_UNKNOWN'> = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'It is not known yet whether QuickBooks voided the invoice. This is being settled right now; ask again in a few seconds.',
  path: ['purchaseOrderId'],
};

/** What follows from the void, in the same transaction. May run twice. */
export type OnVoided<F> = (tx: EntityManager, locked: LockedPurchaseOrder) => Promise<Outcome<F>>;

/**
 * Voids the invoice in QuickBooks. QuickBooks refuses it when the invoice changed since we saw it, so money that arrived
 * meanwhile is never voided away. `changed`: the invoice was read anew, and the rules have to be checked again.
 */
export async function voidQboInvoice<F>(
  context: QboContext,
  claimed: ClaimedVoid,
  onVoided: OnVoided<F>,
): Promise<Outcome<F | QboFailure<ProviderCode>> | 'changed'> {
  const wasSent = claimed.operation.attempts > 0;
  const looked = wasSent ? await lookFirst(context, claimed) : 'unpaid';
  if (looked !== 'unpaid') return looked;
  const begun = await begin(context, claimed);
  if (!begun) return 'changed';
  const { attempt, body } = begun;
  const { id: connectionId } = connectionOf(claimed.operation);
  const answer = await context.accounting.voidInvoice(connectionId, body, attempt.operationId);
  const result = confirmed(answer);
  if (result.ok) return record(context, claimed, { attempt, result, onVoided });
  if (result.failure.kind === 'rejected') return afterRejection(context, claimed, { attempt, result });
  return refused(describeProviderFailure(await settle(context, attempt, result)));
}

/** The invoice as a sending of unknown outcome left it. */
async function lookFirst(
  context: QboContext,
  { invoice, operation }: ClaimedVoid,
): Promise<'unpaid' | 'changed' | Outcome<QboFailure<ProviderCode>>> {
  const failure = await syncInvoice(context, invoice.id);
  if (failure) return postpone(context, latestAttempt(operation), failure);
  const status = await statusOf(context, invoice);
  if (status === InvoiceStatus.OPEN) return 'unpaid';
  if (!isGone(status)) await close(context, operation);
  return 'changed';
}

async function statusOf({ em }: QboContext, { id }: Invoice): Promise<InvoiceStatus> {
  return (await em.fork().findOneOrFail(Invoice, id)).status;
}

function isGone(status: InvoiceStatus): boolean {
  return status === InvoiceStatus.VOIDED || status === InvoiceStatus.DELETED;
}

async function postpone(
  context: QboContext,
  attempt: Attempt,
  { message, trace }: ProviderFailure,
): Promise<Outcome<QboFailure<ProviderCode>>> {
  await recordInTransaction(context, (tx) => postponeOperation(tx, context, attempt, { lastError: message }));
  return refused(describeProviderFailure({ kind: 'unknown', message, trace }));
}

async function close(context: QboContext, seen: ProviderOperation): Promise<void> {
  await inTransaction(context.em, async (tx) => {
    const operation = await lockUntouched(tx, latestAttempt(seen));
    if (operation) closeAsRefused(operation, 'The invoice has payments or credits.', context.clock.now());
  });
}

/** Commits that the void is about to be sent, unless money came in or another process went on with it meanwhile. */
async function begin(
  context: QboContext,
  { invoice, operation }: ClaimedVoid,
): Promise<{ readonly attempt: Attempt; readonly body: string } | undefined> {
  return inTransaction(context.em, async (tx) => {
    const locked = await lockPurchaseOrder(tx, invoice.purchaseOrder.id);
    const current = await lockUntouched(tx, latestAttempt(operation));
    if (!current) return undefined;
    if (locked && locked.ledger.paid > ZERO) {
      // What was sent before found the invoice as it is, so it did nothing; and nothing is sent any more.
      closeAsRefused(current, 'Money was received for the purchase order.', context.clock.now());
      return undefined;
    }
    const sendable = isReplayable(context, current) ? current : await renew(tx, context, current);
    const body = String(sendable.body);
    return { attempt: beginAttempt(context, sendable, body), body };
  });
}

/**
 * To a request id that it knows QuickBooks may answer the same for ever. A new one is safe although the former request may
 * still be at work: its sync token lets only one of them void the invoice.
 */
async function renew(tx: EntityManager, context: QboContext, former: ProviderOperation): Promise<ProviderOperation> {
  const { kind, subject } = former;
  const { externalId, syncToken } = await tx.findOneOrFail(Invoice, subject);
  closeAsRefused(former, 'It was not voided, and is tried again under a new request id.', context.clock.now());
  await tx.flush();
  const body = context.accounting.prepareVoid(String(externalId), String(syncToken));
  const connection = { provider: 'QBO', id: connectionOf(former).id } as const;
  const claim = await claimOperation(tx, context, { kind, subject, connection, body });
  if (claim.status === 'busy') throw new Error(`operation ${former.id} was closed and another one is open`);
  // What was sent before may still void it, so that nothing came of this one alone is no refusal.
  return Object.assign(claim.operation, { attempts: former.attempts, lastSentAt: former.lastSentAt });
}

/** QuickBooks answers a void with the voided invoice. Anything else is not the success it claims to be. */
function confirmed(answer: ProviderResult<ProviderInvoice>): ProviderResult<ProviderInvoice> {
  if (!answer.ok || answer.value.voided) return answer;
  return failed({
    kind: 'unknown',
    message: 'QuickBooks answered with an invoice that is not voided.',
    trace: answer.trace,
  });
}

interface AnsweredVoid {
  readonly attempt: Attempt;
  readonly result: Extract<ProviderResult<ProviderInvoice>, { ok: true }>;
}

async function record<F>(
  context: QboContext,
  { invoice: { id, purchaseOrder } }: ClaimedVoid,
  { attempt, result, onVoided }: AnsweredVoid & { readonly onVoided: OnVoided<F> },
): Promise<Outcome<F>> {
  return recordInTransaction(context, async (tx) => {
    const locked = await lockPurchaseOrder(tx, purchaseOrder.id);
    if (!locked) throw new Error(`purchase order ${purchaseOrder.id} does not exist`);
    await settleAttempt(tx, context, { attempt, result });
    const invoice = await tx.findOneOrFail(Invoice, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    // A reading can have told before this answer did.
    if (!isGone(invoice.status)) {
      await applyReading(tx, context, { order: locked.order, invoice, answer: result.value });
      const after = { invoice: invoice.externalId };
      audit(tx, context, { action: 'invoice.voided', subject: locked.order.id, after });
    }
    // What follows asks the database which invoice is live.
    await tx.flush();
    return onVoided(tx, locked);
  });
}

interface RejectedVoid {
  readonly attempt: Attempt;
  readonly result: { readonly ok: false; readonly failure: ProviderFailure };
}

/** The reason lies in what the invoice is now: changed, paid, voided or deleted by a bookkeeper, or in a closed period. */
async function afterRejection(
  context: QboContext,
  { invoice }: ClaimedVoid,
  { attempt, result }: RejectedVoid,
): Promise<Outcome<QboFailure<ProviderCode>> | 'changed'> {
  const isStale = result.failure.kind === 'rejected' && result.failure.reason === 'stale';
  const unread = await syncInvoice(context, invoice.id);
  // An earlier sending may have been what changed it.
  if (unread && attempt.number > 1) return postpone(context, attempt, unread);
  const status = await statusOf(context, invoice);
  // The operation is closed together with what follows from it.
  if (!unread && isGone(status)) return 'changed';
  const failure = await settle(context, attempt, result);
  if (unread) return refused(describeProviderFailure(isStale ? unread : failure));
  return isStale || status !== InvoiceStatus.OPEN ? 'changed' : refused(describeProviderFailure(failure));
}

async function settle(context: QboContext, attempt: Attempt, result: RejectedVoid['result']): Promise<ProviderFailure> {
  const settlement = await recordInTransaction(context, (tx) => settleAttempt(tx, context, { attempt, result }));
  return openFailure(result.failure, settlement);
}
