import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { isBeingMade } from '../../domain/invoice/invoice.status.js';
import {
  OperationState,
  type ProviderOperation,
  VoidPurpose,
} from '../../domain/operation/provider-operation.entity.js';
import { audit } from '../audit.js';
import { closeAsRefused, isOpen, lockOperation, renewLease } from '../operations/provider-operations.js';
import { postponeOperation } from '../operations/settle-attempt.js';
import { done, type Failure, type Outcome, refused } from '../outcome.js';
import {
  type LockedPurchaseOrder,
  lockExistingPurchaseOrder,
  lockPurchaseOrder,
} from '../purchase-orders/purchase-order-ledger.js';
import { recordInTransaction } from '../transaction.js';
import { whyNotInvoiceable } from './claim-invoice.js';
import { closeVoids } from './close-voids.js';
import type { InvoicingContext } from './invoicing-context.js';
import { findLiveInvoice } from './live-invoice.js';
import { BEING_SWITCHED, findOpenSwitchAndVoid } from './open-switch.js';
import type { CreateFailure, SwitchTarget } from './switch-target.js';
import type { ClaimedVoid } from './void-invoice.js';
import { claimVoidOf, type VoidFailure } from './void-live-invoice.js';
import { whyNotVoidable } from './why-not-voidable.js';

export type SwitchFailure = CreateFailure | VoidFailure | Failure<CreateFailure['code'] | VoidFailure['code']>;

/** What is to be done next, by what is there. */
export type SwitchStep =
  /** Nothing was voided yet: look whether the target can invoice the order at all. */
  | { readonly kind: 'check' }
  | { readonly kind: 'void'; readonly claimed: ClaimedVoid }
  | { readonly kind: 'create' }
  | { readonly kind: 'over'; readonly outcome: Outcome<SwitchFailure> };

export interface RunningSwitch {
  readonly operationId: string;
  readonly purchaseOrderId: string;
  readonly isChecked: boolean;
}

/** Decides under the purchase order's lock how a switch goes on, and ends it when there is nothing left to do. */
export async function nextStep(
  tx: EntityManager,
  context: InvoicingContext,
  target: SwitchTarget,
  running: RunningSwitch,
): Promise<SwitchStep> {
  const locked = await lockPurchaseOrder(tx, context, running.purchaseOrderId);
  if (!locked) throw new Error(`purchase order ${running.purchaseOrderId} does not exist`);
  const operation = await lockOperation(tx, running);
  const live = await findLiveInvoice(tx, running.purchaseOrderId);
  const isThere = live?.provider === target.provider && !isBeingMade(live.status);
  if (!isOpen(operation)) return over(isThere ? reached(target, locked, live) : refused(BEING_SWITCHED));
  renewLease(context, operation);
  if (isThere) {
    Object.assign(operation, { state: OperationState.DONE, leaseUntil: context.clock.now(), lastError: null });
    const after = { provider: live.provider, invoice: live.externalId };
    audit(tx, context, { action: 'invoice.switched', subject: locked.order.id, after });
    return over(reached(target, locked, live));
  }
  if (live && live.provider !== target.provider) return stepFrom(tx, context, { running, locked, operation, live });
  const obstacle = live ? undefined : whyNotInvoiceable(locked);
  return obstacle ? giveUp(tx, context, operation, obstacle) : { kind: 'create' };
}

function over(outcome: Outcome<SwitchFailure>): SwitchStep {
  return { kind: 'over', outcome };
}

function reached(target: SwitchTarget, { order }: LockedPurchaseOrder, invoice: Invoice): Outcome<SwitchFailure> {
  return { ...done(order.id), failures: target.differences(order, invoice) };
}

interface AtTheOther {
  readonly running: RunningSwitch;
  readonly locked: LockedPurchaseOrder;
  readonly operation: ProviderOperation;
  readonly live: Invoice;
}

/** The invoice is where it was. What was begun with it is brought to its end before anything else is decided. */
async function stepFrom(
  tx: EntityManager,
  context: InvoicingContext,
  { running, locked, operation, live }: AtTheOther,
): Promise<SwitchStep> {
  const { voiding } = await findOpenSwitchAndVoid(tx, live);
  if (!voiding) {
    const problem = whyNotInvoiceable(locked) ?? whyNotVoidable(live, 'HAS_PAYMENTS_OR_CREDITS');
    if (problem) return giveUp(tx, context, operation, problem);
    if (!running.isChecked) return { kind: 'check' };
  }
  const purpose = VoidPurpose.SWITCH;
  const claim = await claimVoidOf(tx, context, { order: locked.order, invoice: live, purpose });
  if ('failure' in claim) {
    if (!voiding) return giveUp(tx, context, operation, claim.failure);
    await postpone(tx, context, operation, claim.failure);
    return over(refused(claim.failure));
  }
  const after = { invoice: live.externalId };
  if (!voiding) audit(tx, context, { action: 'invoice.void_requested', subject: locked.order.id, after });
  return { kind: 'void', claimed: claim.claimed };
}

/** The background may have to give up, whom nobody waits for: the audit trail then is what says why. */
async function giveUp(
  tx: EntityManager,
  context: InvoicingContext,
  operation: ProviderOperation,
  failure: SwitchFailure,
): Promise<SwitchStep> {
  const { code, message } = failure;
  closeAsRefused(operation, message, context.clock.now());
  audit(tx, context, { action: 'invoice.switch_given_up', subject: operation.subject, after: { code, message } });
  await closeVoids(tx, context, operation.subject);
  return over(refused(failure));
}

async function postpone(
  tx: EntityManager,
  context: InvoicingContext,
  { id, attempts, lastSentAt }: ProviderOperation,
  { message }: SwitchFailure,
): Promise<void> {
  const attempt = { operationId: id, number: attempts, sentBefore: lastSentAt };
  await postponeOperation(tx, context, attempt, { lastError: message });
}

export interface FailedStep extends Omit<RunningSwitch, 'isChecked'> {
  readonly kind: SwitchStep['kind'];
  readonly failure: SwitchFailure;
}

/** While one of these is the answer to a void, it may still be carried out. */
const OPEN_ENDS: readonly string[] = ['IN_PROGRESS', 'OUTCOME_UNKNOWN'];
/** The order has no invoice any more: what may pass by itself is waited for. */
const PASSING: readonly string[] = [...OPEN_ENDS, 'QBO_UNAVAILABLE', 'STRIPE_UNAVAILABLE', 'RECONNECT_REQUIRED'];

const GOING_ON: Record<SwitchStep['kind'], readonly string[]> = {
  check: [],
  void: OPEN_ENDS,
  create: PASSING,
  over: [],
};

/** A step failed: either the background goes on with the switch, or it is over. */
export async function afterFailedStep(
  context: InvoicingContext,
  { operationId, purchaseOrderId, kind, failure }: FailedStep,
): Promise<Outcome<SwitchFailure>> {
  return recordInTransaction(context, async (tx) => {
    await lockExistingPurchaseOrder(tx, purchaseOrderId);
    const operation = await lockOperation(tx, { operationId });
    if (!isOpen(operation)) return refused(failure);
    if (GOING_ON[kind].includes(failure.code)) await postpone(tx, context, operation, failure);
    else await giveUp(tx, context, operation, failure);
    return refused(failure);
  });
}
