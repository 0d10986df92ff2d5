import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type InvoiceProvider, isEnded, isUnpaid, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { ZERO } from '../../domain/money.js';
import {
  OperationKind,
  type ProviderOperation,
  type VoidPurpose,
} from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { OperatingContext } from '../context.js';
import {
  type Attempt,
  beginAttempt,
  claimOperation,
  closeAsRefused,
  closeAsRenewed,
  isReplayable,
  latestAttempt,
  lockUntouched,
  operationConnection,
} from '../operations/provider-operations.js';
import { openFailure, postponeOperation, settleAttempt } from '../operations/settle-attempt.js';
import { type Failure, type Outcome, refused } from '../outcome.js';
import { failed, type ProviderFailure, type ProviderResult, type ProviderSuccess } from '../ports/provider.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction, recordInTransaction } from '../transaction.js';

/** How one provider takes part in a void. */
export interface VoidingProvider<Answer, F> {
  readonly provider: `${InvoiceProvider}`;
  /** Whether it refuses to void what changed since we saw it. Otherwise the invoice is read right before. */
  readonly checksVersion: boolean;
  /** The connection of the invoice, or why it cannot be used. */
  usable(
    order: PurchaseOrder,
    invoice: Invoice,
  ): Promise<{ readonly connection: { readonly id: string } } | { readonly failure: F }>;
  /** The exact text to send. */
  prepare(invoice: Invoice): string;
  send(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<Answer>>;
  isVoid(answer: Answer): boolean;
  /** Takes over what the provider answered. Needs the locks of the order and the invoice. */
  apply(tx: EntityManager, voided: VoidedInvoice<Answer>): Promise<void>;
  /** Reads the invoice and books what changed; the failure, if it could not be read. */
  sync(invoiceId: string): Promise<ProviderFailure | undefined>;
  describe(failure: ProviderFailure): F;
}

export interface VoidedInvoice<Answer> {
  readonly order: PurchaseOrder;
  readonly invoice: Invoice;
  readonly answer: Answer;
}

export interface ClaimedVoid {
  readonly invoice: Invoice;
  readonly operation: ProviderOperation;
}

/** An invoice that is to be voided, and what for. */
export interface WantedVoid {
  readonly order: PurchaseOrder;
  readonly invoice: Invoice;
  readonly purpose: VoidPurpose;
}

/**
 * Writes down, under the purchase order's lock, that its invoice is to be voided, or takes over an abandoned attempt,
 * whatever that was for.
 */
export async function claimVoid<Answer, F>(
  tx: EntityManager,
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  { order, invoice, purpose }: WantedVoid,
): Promise<{ readonly claimed: ClaimedVoid } | { readonly failure: F | BusyFailure }> {
  const usable = await provider.usable(order, invoice);
  if ('failure' in usable) return usable;
  const claim = await claimOperation(tx, context, {
    kind: OperationKind.VOID_INVOICE,
    subject: invoice.id,
    connection: { provider: provider.provider, id: usable.connection.id },
    body: provider.prepare(invoice),
  });
  if (claim.status === 'busy') return { failure: claim.isUnknown ? beingSettled(invoice) : BEING_VOIDED };
  return { claimed: { invoice, operation: Object.assign(claim.operation, { purpose }) } };
}

type BusyFailure = Failure<'IN_PROGRESS' | 'OUTCOME_UNKNOWN'>;

const BEING_VOIDED: BusyFailure = {
  code: 'IN_PROGRESS',
  message: 'The invoice is being voided right now; ask again in a few seconds.',
  path: ['purchaseOrderId'],
};

function beingSettled({ provider }: Invoice): BusyFailure {
  const message = `It is not known yet whether ${PROVIDER_NAMES[provider]} voided the invoice. This is being settled right now; ask again in a few seconds.`;
  return { code: 'OUTCOME_UNKNOWN', message, path: ['purchaseOrderId'] };
}

/** What follows from the void, in the same transaction. May run twice. */
export type OnVoided<F> = (tx: EntityManager, locked: LockedPurchaseOrder) => Promise<Outcome<F>>;

/**
 * Voids the invoice at its provider, unless money arrived meanwhile. `changed`: the invoice was read anew, and the rules
 * have to be checked again.
 */
export async function voidInvoice<Answer, F, G>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  claimed: ClaimedVoid,
  onVoided: OnVoided<G>,
): Promise<Outcome<F | G> | 'changed'> {
  const wasSent = claimed.operation.attempts > 0;
  const looked = wasSent || !provider.checksVersion ? await lookFirst(context, provider, claimed) : 'unpaid';
  if (looked !== 'unpaid') return looked;
  const begun = await begin(context, provider, claimed);
  if (!begun) return 'changed';
  const { attempt, body } = begun;
  const answer = await provider.send(operationConnection(claimed.operation).id, body, attempt.operationId);
  const result = confirmed(provider, answer);
  if (result.ok) return record(context, provider, claimed, { attempt, result, onVoided });
  if (result.failure.kind === 'rejected') return afterRejection(context, provider, claimed, { attempt, result });
  return refused(provider.describe(await settle(context, attempt, result)));
}

/** The invoice as it is now, also after a sending of unknown outcome. */
async function lookFirst<Answer, F>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  { invoice, operation }: ClaimedVoid,
): Promise<'unpaid' | 'changed' | Outcome<F>> {
  const failure = await provider.sync(invoice.id);
  if (failure) return notRead(context, provider, operation, failure);
  const current = await reload(context, invoice);
  if (isUnpaid(current)) return 'unpaid';
  // The operation of what is gone is closed together with what follows from it.
  if (!isEnded(current.status)) await close(context, operation);
  return 'changed';
}

/** Nothing came of a void that was never sent; of another nobody knows. */
async function notRead<Answer, F>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  operation: ProviderOperation,
  failure: ProviderFailure,
): Promise<Outcome<F>> {
  if (operation.attempts > 0) return postpone(context, provider, latestAttempt(operation), failure);
  await close(context, operation, failure.message);
  return refused(provider.describe(failure.kind === 'unknown' ? { ...failure, kind: 'unavailable' } : failure));
}

function reload({ em }: OperatingContext, { id }: Invoice): Promise<Invoice> {
  return em.fork().findOneOrFail(Invoice, id);
}

async function postpone<Answer, F>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  attempt: Attempt,
  { message, trace }: ProviderFailure,
): Promise<Outcome<F>> {
  await recordInTransaction(context, (tx) => postponeOperation(tx, context, attempt, { lastError: message }));
  return refused(provider.describe({ kind: 'unknown', message, trace }));
}

async function close(
  context: OperatingContext,
  seen: ProviderOperation,
  why = 'The invoice has payments or credits.',
): Promise<void> {
  await inTransaction(context.em, async (tx) => {
    const operation = await lockUntouched(tx, latestAttempt(seen));
    if (operation) closeAsRefused(operation, why, context.clock.now());
  });
}

/** Commits that the void is about to be sent, unless money came in or another process went on with it meanwhile. */
async function begin<Answer, F>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  { invoice, operation }: ClaimedVoid,
): Promise<{ readonly attempt: Attempt; readonly body: string } | undefined> {
  return inTransaction(context.em, async (tx) => {
    const locked = await lockPurchaseOrder(tx, context, invoice.purchaseOrder.id);
    const current = await lockUntouched(tx, latestAttempt(operation));
    if (!current) return undefined;
    const isPaid = locked !== undefined && locked.ledger.paid > ZERO;
    // What was sent before found the invoice as it is, so it did nothing; and nothing is sent any more.
    if (isPaid || !(await isStillUnpaid(tx, provider, invoice))) {
      closeAsRefused(current, 'Money was received for the purchase order.', context.clock.now());
      return undefined;
    }
    const sendable = isReplayable(context, current) ? current : await renew(tx, context, provider, current);
    const body = String(sendable.body);
    return { attempt: beginAttempt(context, sendable, body), body };
  });
}

/** Money may have been told of since the invoice was read. A provider that checks versions knows by itself. */
async function isStillUnpaid<Answer, F>(
  tx: EntityManager,
  { checksVersion }: VoidingProvider<Answer, F>,
  { id }: Invoice,
): Promise<boolean> {
  return checksVersion || isUnpaid(await tx.findOneOrFail(Invoice, id));
}

/**
 * To a key that it knows the provider may answer the same for ever. A new one is safe although the former request may still
 * be at work: an invoice is voided once only.
 */
async function renew<Answer, F>(
  tx: EntityManager,
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  former: ProviderOperation,
): Promise<ProviderOperation> {
  const { kind, subject, purpose, requestedBy, attempts, lastSentAt } = former;
  const body = provider.prepare(await tx.findOneOrFail(Invoice, subject));
  closeAsRenewed(former, 'It was not voided, and is tried again under a new request id.', context.clock.now());
  await tx.flush();
  const claim = await claimOperation(tx, context, { kind, subject, connection: operationConnection(former), body });
  if (claim.status === 'busy') throw new Error(`operation ${former.id} was closed and another one is open`);
  // What was sent before may still void it, so that nothing came of this one alone is no refusal.
  return Object.assign(claim.operation, { purpose, requestedBy, attempts, lastSentAt });
}

/** A void is answered with the voided invoice. Anything else is not the success it claims to be. */
function confirmed<Answer, F>(
  { provider, isVoid }: VoidingProvider<Answer, F>,
  answer: ProviderResult<Answer>,
): ProviderResult<Answer> {
  if (!answer.ok || isVoid(answer.value)) return answer;
  const message = `${PROVIDER_NAMES[provider]} answered with an invoice that is not voided.`;
  return failed({ kind: 'unknown', message, trace: answer.trace });
}

interface AnsweredVoid<Answer, G> {
  readonly attempt: Attempt;
  readonly result: ProviderSuccess<Answer>;
  readonly onVoided: OnVoided<G>;
}

async function record<Answer, F, G>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  { invoice: { id, purchaseOrder } }: ClaimedVoid,
  { attempt, result, onVoided }: AnsweredVoid<Answer, G>,
): Promise<Outcome<G>> {
  return recordInTransaction(context, async (tx) => {
    const locked = await lockPurchaseOrder(tx, context, purchaseOrder.id);
    if (!locked) throw new Error(`purchase order ${purchaseOrder.id} does not exist`);
    await settleAttempt(tx, context, { attempt, result });
    const invoice = await tx.findOneOrFail(Invoice, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    // A reading can have told before this answer did.
    if (!isEnded(invoice.status)) {
      await provider.apply(tx, { order: locked.order, invoice, answer: result.value });
      invoice.updatedAt = context.clock.now();
      const after = { invoice: invoice.externalId };
      audit(tx, context, { action: 'invoice.voided', subject: locked.order.id, after, trace: result.trace });
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
async function afterRejection<Answer, F>(
  context: OperatingContext,
  provider: VoidingProvider<Answer, F>,
  { invoice }: ClaimedVoid,
  { attempt, result }: RejectedVoid,
): Promise<Outcome<F> | 'changed'> {
  const isStale = result.failure.kind === 'rejected' && result.failure.reason === 'stale';
  const unread = await provider.sync(invoice.id);
  // An earlier sending may have been what changed it.
  if (unread && attempt.number > 1) return postpone(context, provider, attempt, unread);
  const current = await reload(context, invoice);
  // The operation is closed together with what follows from it.
  if (!unread && isEnded(current.status)) return 'changed';
  const failure = await settle(context, attempt, result);
  if (unread) return refused(provider.describe(isStale ? unread : failure));
  return isStale || !isUnpaid(current) ? 'changed' : refused(provider.describe(failure));
}

async function settle(
  context: OperatingContext,
  attempt: Attempt,
  result: RejectedVoid['result'],
): Promise<ProviderFailure> {
  const settlement = await recordInTransaction(context, (tx) => settleAttempt(tx, context, { attempt, result }));
  return openFailure(result.failure, settlement);
}
