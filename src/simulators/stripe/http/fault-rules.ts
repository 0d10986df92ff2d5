import { z } from 'zod';
import { callPattern, faultRuleShape } from '../../common/fault-injection.js';

export const faultKinds = [
  'status',
  'error',
  'reset',
  'truncate',
  'html502',
  '429',
  'timeout',
  'latency',
  /** A 500 that is the result: it is kept for the idempotency key. */
  '500',
] as const;

export const faultRuleSchema = z.strictObject({
  match: z.strictObject({ ...callPattern, accountId: z.string().optional() }).default({}),
  kind: z.enum(faultKinds),
  ...faultRuleShape,
  type: z.enum(['invalid_request_error', 'api_error', 'card_error', 'idempotency_error']).optional(),
  param: z.string().optional(),
});

export type FaultRule = Readonly<z.output<typeof faultRuleSchema>>;
