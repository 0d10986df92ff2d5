import type { EntityManager } from '@mikro-orm/postgresql';
import { formatAmount, ZERO } from '../../domain/money.js';
import { VoidPurpose } from '../../domain/operation/provider-operation.entity.js';
import { deriveStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { audit } from '../audit.js';
import { closeVoids } from '../invoicing/close-voids.js';
import type { InvoicingContext } from '../invoicing/invoicing-context.js';
import { describeInvoice, findLiveInvoice } from '../invoicing/live-invoice.js';
import { BEING_SWITCHED, findOpenSwitchAndVoid } from '../invoicing/open-switch.js';
import type { ClaimedVoid } from '../invoicing/void-invoice.js';
import { claimVoidOf, type VoidCode, type VoidFailure, voidLiveInvoice } from '../invoicing/void-live-invoice.js';
import { whyNotVoidable } from '../invoicing/why-not-voidable.js';
import { closeAsRefused, isLeased, isStillOpen } from '../operations/provider-operations.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from './purchase-order-ledger.js';

export type CancelPurchaseOrderCode = VoidCode | 'NOT_FOUND' | 'CANCELLED' | 'HAS_PAYMENTS' | 'INVOICED';
export type CancelPurchaseOrderOutcome = Outcome<VoidFailure | Failure<CancelPurchaseOrderCode>>;

/** Each round means that the invoice was changed at its provider at the very moment; more than a few is a storm. */
const MAX_ROUNDS = 3;

/**
 * Cancels a purchase order for good, and first voids its invoice at the provider when that is unpaid. Refused while money
 * was received for it. Can be repeated: it goes on where an earlier call, or a process that died, left off.
 *
 * @param continuing the void to go on with: when it was settled meanwhile, nothing is done
 */
export async function cancelPurchaseOrder(
  context: InvoicingContext,
  { purchaseOrderId }: { readonly purchaseOrderId: string },
  continuing?: string,
): Promise<CancelPurchaseOrderOutcome> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const decision = await inTransaction(context.em, (tx) =>
      decide(tx, context, purchaseOrderId, round === 1 ? continuing : undefined),
    );
    if ('outcome' in decision) return decision.outcome;
    const outcome = await voidLiveInvoice(context, decision.claimed, (tx, locked) => finishVoided(tx, context, locked));
    if (outcome !== 'changed') return outcome;
  }
  return OVERTAKEN;
}

const PATH = ['purchaseOrderId'];

const OVERTAKEN: CancelPurchaseOrderOutcome = refusal(
  'IN_PROGRESS',
  'The invoice is being changed right now; ask again later.',
  PATH,
);

type Decision = { readonly outcome: CancelPurchaseOrderOutcome } | { readonly claimed: ClaimedVoid };

async function decide(
  tx: EntityManager,
  context: InvoicingContext,
  purchaseOrderId: string,
  continuing: string | undefined,
): Promise<Decision> {
  const locked = await lockPurchaseOrder(tx, context, purchaseOrderId);
  if (!locked) return { outcome: refusal('NOT_FOUND', 'There is no purchase order with this id.', PATH) };
  if (locked.order.cancelledAt) {
    return { outcome: refusal('CANCELLED', 'This purchase order is cancelled already.', PATH) };
  }
  if (continuing !== undefined && !(await isStillOpen(tx, continuing))) return { outcome: OVERTAKEN };
  const invoice = await findLiveInvoice(tx, purchaseOrderId);
  if (!invoice) return { outcome: await cancelWithoutInvoice(tx, context, locked) };
  // What an earlier call began is brought to its end before anything else is decided.
  const { voiding: begun, switching } = await findOpenSwitchAndVoid(tx, invoice);
  // A void within a switch is none of ours to go on with by ourselves.
  if (switching && (continuing !== undefined || isLeased(context, switching)))
    return { outcome: refused(BEING_SWITCHED) };
  const problem = begun ? undefined : (hasPayments(locked) ?? whyNotVoidable(invoice, 'INVOICED'));
  if (problem) return { outcome: refused(problem) };
  const claim = await claimVoidOf(tx, context, { order: locked.order, invoice, purpose: VoidPurpose.CANCEL });
  if ('failure' in claim) return { outcome: refused(claim.failure) };
  if (switching) closeAsRefused(switching, 'The purchase order is to be cancelled instead.', context.clock.now());
  const after = { invoice: invoice.externalId };
  if (!begun || switching) audit(tx, context, { action: 'invoice.void_requested', subject: purchaseOrderId, after });
  return claim;
}

async function cancelWithoutInvoice(
  tx: EntityManager,
  context: InvoicingContext,
  locked: LockedPurchaseOrder,
): Promise<CancelPurchaseOrderOutcome> {
  await closeVoids(tx, context, locked.order.id);
  return finish(tx, context, locked);
}

/** The answer to a void can come so late that the order has been invoiced anew: then this cancellation is over. */
async function finishVoided(
  tx: EntityManager,
  context: InvoicingContext,
  locked: LockedPurchaseOrder,
): Promise<CancelPurchaseOrderOutcome> {
  const newer = await findLiveInvoice(tx, locked.order.id);
  if (!newer) return finish(tx, context, locked);
  const message = `Its invoice was voided, but meanwhile there is ${describeInvoice(newer)} for it. Cancel it again to void that, too.`;
  return refusal('INVOICED', message, PATH);
}

/** No invoice can be paid any more: the order is cancelled, unless money came in before. */
function finish(tx: EntityManager, context: InvoicingContext, locked: LockedPurchaseOrder): CancelPurchaseOrderOutcome {
  const { order, ledger } = locked;
  if (order.cancelledAt) return done(order.id);
  const problem = hasPayments(locked);
  if (problem) return refused(problem);
  const before = order.status;
  const now = context.clock.now();
  // In one statement: the database refuses a cancellation time without the status, and the other way round.
  order.cancelledAt = now;
  order.status = deriveStatus(order, ledger);
  order.updatedAt = now;
  audit(tx, context, {
    action: 'purchase_order.cancelled',
    subject: order.id,
    before: { status: before },
    after: { status: order.status },
  });
  return done(order.id);
}

function hasPayments({ order, ledger }: LockedPurchaseOrder): Failure<'HAS_PAYMENTS'> | undefined {
  if (ledger.paid <= ZERO) return undefined;
  const paid = `${formatAmount(ledger.paid, order.currencyCode)} ${order.currencyCode}`;
  const message = `${paid} was received for this purchase order. Reverse or refund it first.`;
  return { code: 'HAS_PAYMENTS', message, path: PATH };
}
