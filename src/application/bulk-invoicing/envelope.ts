import { LockMode, ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { asRequester, identityOf } from '../context.js';
import { OVERTAKEN } from '../invoicing/begin-sending.js';
import { whyNotInvoiceable } from '../invoicing/claim-invoice.js';
import {
  type Attempt,
  beginAttempt,
  connectionRefs,
  isLeased,
  isOpen,
  OPEN_STATES,
} from '../operations/provider-operations.js';
import { deferOperation, settleAttempt } from '../operations/settle-attempt.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../ports/provider.js';
import { lockPurchaseOrders } from '../purchase-orders/purchase-order-ledger.js';
import type { ClaimedInvoice } from '../quickbooks/claim-qbo-invoice.js';
import type { CreateQboInvoiceOutcome } from '../quickbooks/create-qbo-invoice.outcome.js';
import type { PreparationFailure } from '../quickbooks/prepare-invoice.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { resolveRefusal } from '../quickbooks/resolve-refusal.js';
import { settleInvoice } from '../quickbooks/settle-invoice.js';
import { inTransaction, recordInTransaction } from '../transaction.js';

/** An invoice that is ours to create, worded. */
export interface PreparedMember {
  readonly claimed: ClaimedInvoice;
  readonly body: string;
}

/** A member on its way: its own operation has an attempt of its own, which fences it as if it were sent alone. */
export interface SentMember extends PreparedMember {
  readonly item: string;
  readonly attempt: Attempt;
}

/** One request that carries several invoices, about to be sent. */
export interface Envelope {
  readonly operation: ProviderOperation;
  readonly attempt: Attempt;
  readonly body: string;
  readonly members: readonly SentMember[];
}

export interface LeftOut {
  readonly claimed: ClaimedInvoice;
  readonly reason: PreparationFailure;
}

/**
 * Commits that these invoices are about to be sent together: the text of the whole, and for each that it is in there. Those
 * with which another process went on meanwhile, or which must not be invoiced any more, are left out.
 */
export async function beginEnvelope(
  context: QboContext,
  prepared: readonly PreparedMember[],
): Promise<{ readonly envelope?: Envelope; readonly leftOut: readonly LeftOut[] }> {
  return inTransaction(context.em, async (tx) => {
    const { members, leftOut } = await sortOut(tx, prepared);
    const [first] = members;
    if (!first) return { leftOut };
    const operation = createOperation(tx, context, first.claimed.connection.id);
    for (const { current, item } of members) Object.assign(current, { envelope: ref(operation), envelopeItem: item });
    const body = context.accounting.prepareInvoices(members);
    return { envelope: beginSendingTogether(context, { operation, body, members }), leftOut };
  });
}

/** A member with its operation as it is now, locked. */
interface LockedMember extends PreparedMember {
  readonly item: string;
  readonly current: ProviderOperation;
}

async function sortOut(
  tx: EntityManager,
  prepared: readonly PreparedMember[],
): Promise<{ readonly members: readonly LockedMember[]; readonly leftOut: readonly LeftOut[] }> {
  const orderIds = prepared.map(({ claimed }) => claimed.order.id);
  const operationIds = prepared.map(({ claimed }) => claimed.operation.id);
  const orders = await lockPurchaseOrders(tx, orderIds);
  const operations = await lockOperations(tx, operationIds);
  const members: LockedMember[] = [];
  const leftOut: LeftOut[] = [];
  for (const { claimed, body } of prepared) {
    const current = operations.get(claimed.operation.id);
    const locked = orders.get(claimed.order.id);
    const obstacle = locked && whyNotInvoiceable(locked);
    if (!current || !isUnsent(current)) leftOut.push({ claimed, reason: OVERTAKEN });
    else if (obstacle) leftOut.push({ claimed, reason: { failure: obstacle, isFinal: true } });
    else members.push({ claimed, body, current, item: `${members.length + 1}` });
  }
  return { members, leftOut };
}

/** One that was sent before is protected by its own key alone. */
function isUnsent(operation: ProviderOperation): boolean {
  return isOpen(operation) && operation.attempts === 0 && !operation.envelope;
}

/** Writes down that the whole is about to be sent, and every member with it. */
export function beginSendingTogether(
  context: QboContext,
  { operation, body, members }: Pick<Envelope, 'operation' | 'body'> & { readonly members: readonly LockedMember[] },
): Envelope {
  const attempt = beginAttempt(context, operation, body);
  const sent = members.map(({ current, ...member }) => ({
    ...member,
    attempt: beginAttempt(context, current, member.body),
  }));
  return { operation, attempt, body, members: sent };
}

function createOperation(
  tx: EntityManager,
  { actor, clock, ids }: QboContext,
  connectionId: string,
): ProviderOperation {
  const now = clock.now();
  const id = ids.next('op');
  return tx.create(ProviderOperation, {
    id,
    kind: OperationKind.CREATE_INVOICES,
    subject: id,
    generation: 1,
    ...connectionRefs({ provider: 'QBO', id: connectionId }),
    state: OperationState.CLAIMED,
    requestedBy: identityOf(actor),
    leaseUntil: now,
    createdAt: now,
    updatedAt: now,
  });
}

/** Operations with these ids, locked. */
export async function lockOperations(
  tx: EntityManager,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ProviderOperation>> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' }, refresh: true } as const;
  const operations = await tx.find(ProviderOperation, { id: { $in: [...ids] } }, lock);
  return new Map(operations.map((operation) => [operation.id, operation]));
}

export interface SettledMember {
  readonly member: SentMember;
  /** What QuickBooks answered for it, or for the whole. */
  readonly result: ProviderResult<ProviderInvoice>;
  readonly isOfWhole: boolean;
  readonly outcome: CreateQboInvoiceOutcome;
}

/**
 * Sends the envelope and records what came of each member, in a transaction of its own. What cannot be recorded of one does
 * not keep the others from it. Undefined: this process was held up for so long that others may be at work on it.
 */
export async function sendEnvelope(
  context: QboContext,
  envelope: Envelope,
  onSettled: (settled: SettledMember) => Promise<void>,
): Promise<ProviderResult<unknown> | undefined> {
  const { operation, attempt, body, members } = envelope;
  // Its members' own keys do not protect them from this one, so nothing is sent once they may be looked for.
  if (!isLeased(context, operation)) return undefined;
  const items = members.map(({ item }) => item);
  const connectionId = String(operation.qboConnection?.id);
  const answer = await context.accounting.createInvoices(connectionId, body, operation.id, items);
  const errors: unknown[] = [];
  for (const { member, result } of sureOnesFirst(members, answer)) {
    try {
      const sent = await resolveRefusal(context, member.claimed, { ...member, result });
      await onSettled({
        member,
        result,
        isOfWhole: !answer.ok,
        outcome: await settleInvoice(asRequester(context, member.claimed.operation), member.claimed, sent),
      });
    } catch (error) {
      errors.push(error);
    }
  }
  await closeEnvelope(context, attempt, answer);
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} members of an envelope were not settled`);
  return answer;
}

/** What was made is written down before a refusal is looked into, which takes further calls. */
function sureOnesFirst(
  members: readonly SentMember[],
  answer: ProviderResult<ReadonlyMap<string, ProviderResult<ProviderInvoice>>>,
) {
  const results = members.map((member) => ({
    member,
    result: answer.ok ? (answer.value.get(member.item) ?? failed(UNANSWERED)) : answer,
  }));
  return [...results.filter(({ result }) => result.ok), ...results.filter(({ result }) => !result.ok)];
}

const UNANSWERED: ProviderFailure = {
  kind: 'unknown',
  message: 'QuickBooks did not say what became of this invoice.',
  trace: {},
};

/** The outcome of an envelope is known when those of all its members are. */
async function closeEnvelope(context: QboContext, attempt: Attempt, answer: ProviderResult<unknown>): Promise<void> {
  await recordInTransaction(context, async (tx) => {
    const open = await countOpenMembers(tx, attempt.operationId);
    if (open === 0) {
      const isRefused = !answer.ok && answer.failure.kind !== 'unknown';
      await settleAttempt(tx, context, { attempt, result: isRefused ? answer : succeeded(undefined), isProven: true });
      return;
    }
    const failure = openFailureOf(attempt, answer, open);
    const settlement = await settleAttempt(tx, context, { attempt, result: failed(failure), isProven: false });
    // Who has answered need not be asked again at once: the rest is looked for.
    if (settlement === 'unknown' && answer.ok)
      deferOperation(context, await tx.findOneOrFail(ProviderOperation, attempt.operationId));
  });
}

function openFailureOf(attempt: Attempt, answer: ProviderResult<unknown>, open: number): ProviderFailure {
  if (answer.ok) {
    return { kind: 'unknown', message: `What became of ${open} of its invoices is not known.`, trace: answer.trace };
  }
  const { failure } = answer;
  return attempt.number > 1 ? failure : { kind: 'unknown', message: failure.message, trace: failure.trace };
}

/** How many invoices of the envelope are not settled. */
export async function countOpenMembers(tx: EntityManager, envelopeId: string): Promise<number> {
  return tx.count(ProviderOperation, { envelope: envelopeId, state: { $in: OPEN_STATES } });
}
