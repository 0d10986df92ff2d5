import { z } from 'zod';
import { formatAmount } from '../../domain/money.js';
import { Payment, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { requiredLine, validate } from '../validation.js';
import { lockPurchaseOrder, refreshStatus } from './purchase-order-ledger.js';

export type ReversePaymentCode = 'NOT_FOUND' | 'ALREADY_REVERSED' | 'INVALID';

const schema = z.object({ reason: requiredLine('The reason', 1000) });

/** Takes a manually recorded payment back with a reversal row. A provider's payment is reversed at the provider. */
export async function reversePayment(
  context: UseCaseContext,
  { paymentId, reason }: { readonly paymentId: string; readonly reason: string },
): Promise<Outcome<Failure<ReversePaymentCode>>> {
  const checked = validate(schema, { reason });
  if (!checked.ok) return refused(...checked.failures);
  return inTransaction(context.em, async (tx) => {
    const payment = await tx.findOne(Payment, paymentId);
    const locked = payment && (await lockPurchaseOrder(tx, context, payment.purchaseOrder.id));
    if (!payment || !locked) return refusal('NOT_FOUND', 'There is no payment with this id.', ['paymentId']);
    if (payment.source !== PaymentSource.MANUAL) {
      return refusal('INVALID', 'Void this payment at its provider: the reversal then appears here by itself.', [
        'paymentId',
      ]);
    }
    if (await tx.findOne(PaymentReversal, { payment })) {
      return refusal('ALREADY_REVERSED', 'This payment is reversed already.', ['paymentId']);
    }
    const { order } = locked;
    const before = order.status;
    const now = context.clock.now();
    const fields = { reason: checked.value.reason, reversedBy: context.actor.name, createdAt: now };
    tx.create(PaymentReversal, { id: context.ids.next('rev'), payment, ...fields });
    await refreshStatus(tx, order, now);
    audit(tx, context, {
      action: 'payment.reversed',
      subject: order.id,
      before: { status: before },
      after: {
        status: order.status,
        payment: payment.id,
        amount: formatAmount(payment.amountMinor, order.currencyCode),
        reason: checked.value.reason,
      },
    });
    return done(payment.id);
  });
}
