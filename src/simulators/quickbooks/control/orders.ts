import { z } from 'zod';
import { isCalendarDay } from '../dates.js';
import { Decimal } from '../decimal.js';

// What the control API accepts.

const amount = z
  .unknown()
  .transform((value, context) => {
    const number = Decimal.from(value);
    if (number !== undefined && !number.isNegative) return number;
    context.issues.push({ code: 'custom', message: 'must be an amount, such as "12.50"', input: value });
    return z.NEVER;
  })
  .optional();
const realmId = z.string();
const day = z.string().refine(isCalendarDay, 'must be a day, such as 2026-11-21');
const lines = z.array(z.strictObject({ invoiceId: z.string(), amount })).min(1);
/** Counters arrive as exact decimals, like every number. */
export const wholeNumber = z
  .custom<Decimal>((value) => value instanceof Decimal, 'must be a number')
  .transform((value) => z.coerce.number().int().min(0).parse(`${value}`));

export const payOrder = z
  .strictObject({
    realmId,
    invoiceId: z.string().optional(),
    lines: lines.optional(),
    /** Default: the open balance. What is above the balances stays unapplied. */
    amount,
    paidOn: day.optional(),
    paymentRefNum: z.string().optional(),
  })
  .refine((order) => (order.invoiceId === undefined) !== (order.lines === undefined), 'give invoiceId or lines');
export type PayOrder = z.output<typeof payOrder>;

export const editPaymentOrder = z.strictObject({
  realmId,
  paymentId: z.string(),
  amount,
  paidOn: day.optional(),
  paymentRefNum: z.string().optional(),
  lines: lines.optional(),
});
export type EditPaymentOrder = z.output<typeof editPaymentOrder>;

export const paymentOrder = z.strictObject({ realmId, paymentId: z.string() });
export const unapplyOrder = z.strictObject({
  realmId,
  paymentId: z.string(),
  /** Without it the payment comes off all of them. */
  invoiceId: z.string().optional(),
});
export type UnapplyOrder = z.output<typeof unapplyOrder>;
export const movePaymentOrder = z.strictObject({
  realmId,
  paymentId: z.string(),
  /** Without it the money comes from all others. */
  fromInvoiceId: z.string().optional(),
  toInvoiceId: z.string(),
});
export type MovePaymentOrder = z.output<typeof movePaymentOrder>;
export const invoiceOrder = z.strictObject({ realmId, invoiceId: z.string() });
/** Everything besides the two ids is a field of the provider's Invoice. */
export const editInvoiceOrder = z.looseObject({ realmId, invoiceId: z.string() });
export const creditOrder = z.strictObject({ realmId, invoiceId: z.string(), amount: amount.unwrap() });

export const refundOrder = z
  .strictObject({
    realmId,
    customerId: z.string().optional(),
    invoiceId: z.string().optional(),
    amount: amount.unwrap(),
    note: z.string().optional(),
    txnDate: day.optional(),
  })
  .refine(
    (order) => (order.customerId === undefined) !== (order.invoiceId === undefined),
    'give customerId or invoiceId',
  );
export type RefundOrder = z.output<typeof refundOrder>;
export const editRefundOrder = z.strictObject({
  realmId,
  refundReceiptId: z.string(),
  amount,
  note: z.string().optional(),
  txnDate: day.optional(),
});
export type EditRefundOrder = z.output<typeof editRefundOrder>;
export const refundReceiptOrder = z.strictObject({ realmId, refundReceiptId: z.string() });

export const realmOrder = z.strictObject({ realmId });
export const tokenOrder = z.strictObject({
  realmId,
  /** Like connecting anew: the company's older tokens end. */
  replace: z.boolean().default(false),
});
/** With a realm only that company gets older. Tokens keep the simulator's time. */
export const clockOrder = z.strictObject({ realmId: realmId.optional(), advanceSeconds: wholeNumber });
export const optionalRealmOrder = z.strictObject({ realmId: realmId.optional() });
export const resetOrder = z.strictObject({
  /** Also ends every connection and sets the clock back to the machine's time. */
  tokens: z.boolean().default(false),
});
/** Without a realm it is the default of all companies. */
export const oauthOrder = z.strictObject({
  realmId: realmId.optional(),
  rotateEveryRefresh: z.boolean().optional(),
  punishConcurrentRefresh: z.boolean().optional(),
  concurrentWindowMs: wholeNumber.optional(),
  previousValidSeconds: wholeNumber.optional(),
});
