import { z } from 'zod';

// What the control API accepts. Amounts are in the provider's own smallest unit.

/** Not needed while there is only one account. */
const accountId = z.string().optional();
const amount = z.int().positive().optional();

export const payOrder = z.strictObject({
  accountId,
  invoiceId: z.string(),
  /** Default: all that is open. */
  amount,
  method: z.enum(['card', 'ach']).default('card'),
});
export const settleOrder = z.strictObject({
  accountId,
  paymentIntentId: z.string(),
  outcome: z.enum(['succeeded', 'failed']),
});
export const refundOrder = z.strictObject({ accountId, paymentIntentId: z.string(), amount });
export const refundRecordOrder = z.strictObject({ accountId, paymentRecordId: z.string(), amount });
export const failRefundOrder = z.strictObject({ accountId, refundId: z.string() });
export const disputeOrder = z.strictObject({ accountId, paymentIntentId: z.string(), amount });
export const closeDisputeOrder = z.strictObject({
  accountId,
  disputeId: z.string(),
  outcome: z.enum(['won', 'lost']),
});
/** What has been paid of it is refunded, unless it is said to become credit or to be given back by other means. */
export const creditNoteOrder = z.strictObject({
  accountId,
  invoiceId: z.string(),
  amount: z.int().positive(),
  paidPart: z.enum(['refund', 'credit', 'out_of_band']).default('refund'),
});
export const voidCreditNoteOrder = z.strictObject({ accountId, creditNoteId: z.string() });
export const invoiceOrder = z.strictObject({ accountId, invoiceId: z.string() });
export const clockOrder = z.strictObject({ accountId, advanceSeconds: z.int().min(0) });
export const accountOrder = z.strictObject({ accountId });
export const resetOrder = z.strictObject({
  /** Also sets the clocks back to the machine's time. */
  clocks: z.boolean().default(false),
});
