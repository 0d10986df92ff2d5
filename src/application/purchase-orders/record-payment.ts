import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { calendarDay } from '../../domain/clock.js';
import { formatAmount } from '../../domain/money.js';
import { Payment, PaymentMethod, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { type IdempotencyCode, once } from '../idempotency.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { amountIn, optionalDay, optionalLine, optionalText, validate } from '../validation.js';
import { lockPurchaseOrder, refreshStatus } from './purchase-order-ledger.js';

export type RecordPaymentCode = 'NOT_FOUND' | 'CANCELLED' | 'INVALID' | IdempotencyCode;

/** `QBO` and `STRIPE` are set by the provider's own payments only. */
const MANUAL_METHODS = [
  PaymentMethod.WIRE,
  PaymentMethod.ACH,
  PaymentMethod.CHECK,
  PaymentMethod.CARD,
  PaymentMethod.OTHER,
] as const;

function inputSchema(order: PurchaseOrder, today: string) {
  return z.object({
    amount: amountIn(order.currencyCode, 'more than zero'),
    method: z.enum(MANUAL_METHODS, {
      error: `The method must be one of ${MANUAL_METHODS.join(', ')}: QBO and STRIPE payments are booked by the provider.`,
    }),
    reference: optionalLine('The reference', 200),
    paidOn: optionalDay.refine((day) => day === null || day <= today, { error: 'The payment day is in the future.' }),
    note: optionalText('The note', 1000),
  });
}

export interface RecordPaymentInput {
  readonly purchaseOrderId: string;
  readonly amount: string;
  readonly method: string;
  readonly reference?: string | null;
  readonly paidOn?: string | null;
  readonly note?: string | null;
  readonly idempotencyKey?: string | null;
}

/**
 * Books money that arrived outside the providers. `amount` is a decimal text in the purchase order's currency; `paidOn`
 * defaults to today in the conference's time zone. More than the balance is accepted: the order becomes OVERPAID.
 */
export async function recordPayment(
  context: UseCaseContext,
  { idempotencyKey, ...input }: RecordPaymentInput,
): Promise<Outcome<Failure<RecordPaymentCode>>> {
  const request = { mutation: 'recordPayment', key: idempotencyKey ?? undefined, input };
  const path = ['purchaseOrderId'];
  return inTransaction<Outcome<Failure<RecordPaymentCode>>>(context.em, async (tx) => {
    const locked = await lockPurchaseOrder(tx, context, input.purchaseOrderId);
    if (!locked) return refusal('NOT_FOUND', 'There is no purchase order with this id.', path);
    const { order } = locked;
    return once<Failure<RecordPaymentCode>>(tx, context, request, async () => {
      if (order.cancelledAt) {
        return refusal('CANCELLED', 'This purchase order is cancelled; record the money where it belongs.', path);
      }
      const { timezone } = await order.conference.loadOrFail();
      const today = calendarDay(context.clock.now(), timezone);
      const checked = validate(inputSchema(order, today), input);
      if (!checked.ok) return refused(...checked.failures);
      return book(tx, context, order, { ...checked.value, paidOn: checked.value.paidOn ?? today });
    });
  });
}

async function book(
  tx: EntityManager,
  context: UseCaseContext,
  order: PurchaseOrder,
  { amount, ...fields }: z.output<ReturnType<typeof inputSchema>> & { paidOn: string },
): Promise<Outcome<never>> {
  const before = order.status;
  const payment = tx.create(Payment, {
    id: context.ids.next('pay'),
    purchaseOrder: order,
    amountMinor: amount,
    source: PaymentSource.MANUAL,
    ...fields,
    recordedBy: context.actor.name,
    createdAt: context.clock.now(),
  });
  await refreshStatus(tx, order, context.clock.now());
  audit(tx, context, {
    action: 'payment.recorded',
    subject: order.id,
    before: { status: before },
    after: { status: order.status, payment: payment.id, amount: formatAmount(amount, order.currencyCode) },
  });
  return done(payment.id);
}
