import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { formatAmount, subtract } from '../../domain/money.js';
import { CreditNote, CreditNoteSource } from '../../domain/purchase-order/credit-note.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { type IdempotencyCode, once } from '../idempotency.js';
import { describeInvoice, findLiveInvoice } from '../invoicing/live-invoice.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { amountIn, requiredLine, validate } from '../validation.js';
import { type LockedPurchaseOrder, lockPurchaseOrder, refreshStatus } from './purchase-order-ledger.js';

export type IssueCreditNoteCode = 'NOT_FOUND' | 'CANCELLED' | 'INVALID' | 'INVOICED' | IdempotencyCode;

export interface IssueCreditNoteInput {
  readonly purchaseOrderId: string;
  readonly amount: string;
  readonly reason: string;
  readonly idempotencyKey?: string | null;
}

/**
 * Lowers what a purchase order owes, all its credits together by at most its total. A credit on a paid one makes it
 * OVERPAID: money is owed back. Refused while it has a live invoice: the buyer would still be asked for the old amount.
 */
export async function issueCreditNote(
  context: UseCaseContext,
  { idempotencyKey, ...input }: IssueCreditNoteInput,
): Promise<Outcome<Failure<IssueCreditNoteCode>>> {
  const request = { mutation: 'issueCreditNote', key: idempotencyKey ?? undefined, input };
  return inTransaction<Outcome<Failure<IssueCreditNoteCode>>>(context.em, async (tx) => {
    const locked = await lockPurchaseOrder(tx, context, input.purchaseOrderId);
    if (!locked) return refusal('NOT_FOUND', 'There is no purchase order with this id.', ['purchaseOrderId']);
    return once<Failure<IssueCreditNoteCode>>(tx, context, request, async () => {
      const problem = await whyNotCreditable(tx, locked);
      if (problem) return problem;
      const checked = validate(inputSchema(locked), input);
      return checked.ok ? issue(tx, context, locked.order, checked.value) : refused(...checked.failures);
    });
  });
}

function inputSchema({ order, ledger }: LockedPurchaseOrder) {
  const uncredited = subtract(order.totalMinor, ledger.credited);
  return z.object({
    amount: amountIn(order.currencyCode, 'more than zero').refine((amount) => amount <= uncredited, {
      error: `At most ${formatAmount(uncredited, order.currencyCode)} ${order.currencyCode} of this purchase order is not credited yet.`,
    }),
    reason: requiredLine('The reason', 1000),
  });
}

async function whyNotCreditable(
  tx: EntityManager,
  { order }: LockedPurchaseOrder,
): Promise<Outcome<Failure<IssueCreditNoteCode>> | undefined> {
  const path = ['purchaseOrderId'];
  if (order.cancelledAt) return refusal('CANCELLED', 'This purchase order is cancelled.', path);
  const invoice = await findLiveInvoice(tx, order.id);
  if (!invoice) return undefined;
  return refusal('INVOICED', `There is ${describeInvoice(invoice)} for it: issue the credit there.`, path);
}

async function issue(
  tx: EntityManager,
  context: UseCaseContext,
  order: PurchaseOrder,
  { amount, reason }: z.output<ReturnType<typeof inputSchema>>,
): Promise<Outcome<never>> {
  const before = order.status;
  const note = tx.create(CreditNote, {
    id: context.ids.next('cn'),
    purchaseOrder: order,
    amountMinor: amount,
    source: CreditNoteSource.MANUAL,
    reason,
    issuedBy: context.actor.name,
    createdAt: context.clock.now(),
  });
  await refreshStatus(tx, order, context.clock.now());
  audit(tx, context, {
    action: 'credit_note.issued',
    subject: order.id,
    before: { status: before },
    after: { status: order.status, creditNote: note.id, amount: formatAmount(amount, order.currencyCode), reason },
  });
  return done(note.id);
}
