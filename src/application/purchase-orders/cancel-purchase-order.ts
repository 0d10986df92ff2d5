import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { formatAmount, subtract, ZERO } from '../../domain/money.js';
import { OperationKind } from '../../domain/operation/provider-operation.entity.js';
import { deriveStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { audit } from '../audit.js';
import { closeVoids } from '../invoicing/close-voids.js';
import { describeInvoice, findLiveInvoice } from '../invoicing/live-invoice.js';
import { findOpenOperation, isStillOpen } from '../operations/provider-operations.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import type { QboFailure } from '../quickbooks/qbo-failure.js';
import { type ClaimedVoid, claimVoid, type VoidCode, voidQboInvoice } from '../quickbooks/void-qbo-invoice.js';
import { inTransaction } from '../transaction.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from './purchase-order-ledger.js';

export type CancelPurchaseOrderCode = VoidCode | 'NOT_FOUND' | 'CANCELLED' | 'HAS_PAYMENTS' | 'INVOICED';
export type CancelPurchaseOrderOutcome = Outcome<QboFailure<CancelPurchaseOrderCode>>;

/** Each round means that the invoice was changed in QuickBooks at the very moment; more than a few is a storm. */
const MAX_ROUNDS = 3;

/**
 * Cancels a purchase order for good, and first voids its invoice in QuickBooks when that is unpaid. Refused while money
 * was received for it. Can be repeated: it goes on where an earlier call, or a process that died, left off.
 *
 * @param continuing the void to go on with: when it was settled meanwhile, nothing is done
 */
export async function cancelPurchaseOrder(
  context: QboContext,
  { purchaseOrderId }: { readonly purchaseOrderId: string },
  continuing?: string,
): Promise<CancelPurchaseOrderOutcome> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const decision = await inTransaction(context.em, (tx) =>
      decide(tx, context, purchaseOrderId, round === 1 ? continuing : undefined),
    );
    if ('outcome' in decision) return decision.outcome;
    const outcome = await voidQboInvoice(context, decision.claimed, (tx, locked) => finishVoided(tx, context, locked));
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
  context: QboContext,
  purchaseOrderId: string,
  continuing: string | undefined,
): Promise<Decision> {
  const locked = await lockPurchaseOrder(tx, purchaseOrderId);
  if (!locked) return { outcome: refusal('NOT_FOUND', 'There is no purchase order with this id.', PATH) };
  if (locked.order.cancelledAt) {
    return { outcome: refusal('CANCELLED', 'This purchase order is cancelled already.', PATH) };
  }
  if (continuing !== undefined && !(await isStillOpen(tx, continuing))) return { outcome: OVERTAKEN };
  const invoice = await findLiveInvoice(tx, purchaseOrderId);
  if (!invoice) return { outcome: await cancelWithoutInvoice(tx, context, locked) };
  // What an earlier call began is brought to its end before anything else is decided.
  const begun = await findOpenOperation(tx, OperationKind.VOID_INVOICE, invoice.id);
  const problem = begun ? undefined : (hasPayments(locked) ?? whyNotVoidable(invoice));
  if (problem) return { outcome: problem };
  const claim = await claimVoid(tx, context, locked.order, invoice);
  if ('failure' in claim) return { outcome: refused(claim.failure) };
  // The background may finish it in its own name.
  const after = { invoice: invoice.externalId };
  if (!begun) audit(tx, context, { action: 'invoice.void_requested', subject: purchaseOrderId, after });
  return claim;
}

async function cancelWithoutInvoice(
  tx: EntityManager,
  context: QboContext,
  locked: LockedPurchaseOrder,
): Promise<CancelPurchaseOrderOutcome> {
  await closeVoids(tx, context, locked.order.id);
  return finish(tx, context, locked);
}

/** The answer to a void can come so late that the order has been invoiced anew: then this cancellation is over. */
async function finishVoided(
  tx: EntityManager,
  context: QboContext,
  locked: LockedPurchaseOrder,
): Promise<CancelPurchaseOrderOutcome> {
  const newer = await findLiveInvoice(tx, locked.order.id);
  if (!newer) return finish(tx, context, locked);
  const message = `Its invoice was voided, but meanwhile there is ${describeInvoice(newer)} for it. Cancel it again to void that, too.`;
  return refusal('INVOICED', message, PATH);
}

/** No invoice can be paid any more: the order is cancelled, unless money came in before. */
function finish(tx: EntityManager, context: QboContext, locked: LockedPurchaseOrder): CancelPurchaseOrderOutcome {
  const { order, ledger } = locked;
  if (order.cancelledAt) return done(order.id);
  const problem = hasPayments(locked);
  if (problem) return problem;
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

type Problem = Outcome<Failure<CancelPurchaseOrderCode>>;

function hasPayments({ order, ledger }: LockedPurchaseOrder): Problem | undefined {
  if (ledger.paid <= ZERO) return undefined;
  const paid = `${formatAmount(ledger.paid, order.currencyCode)} ${order.currencyCode}`;
  return refusal('HAS_PAYMENTS', `${paid} was received for this purchase order. Reverse or refund it first.`, PATH);
}

function whyNotVoidable(invoice: Invoice): Problem | undefined {
  const { status, currencyCode, totalMinor, balanceMinor } = invoice;
  switch (status) {
    case InvoiceStatus.CREATING:
      return refusal('IN_PROGRESS', 'Its invoice is being created right now; ask again in a few seconds.', PATH);
    case InvoiceStatus.UNKNOWN: {
      const message =
        'It is not known yet whether QuickBooks made its invoice. This is being settled; ask again later.';
      return refusal('OUTCOME_UNKNOWN', message, PATH);
    }
    case InvoiceStatus.OPEN:
      return undefined;
    default: {
      const applied = `${formatAmount(subtract(totalMinor, balanceMinor), currencyCode)} ${currencyCode}`;
      const message = `${applied} of credit or payments is applied to ${describeInvoice(invoice)}. Unapply that in QuickBooks first.`;
      return refusal('INVOICED', message, PATH);
    }
  }
}
