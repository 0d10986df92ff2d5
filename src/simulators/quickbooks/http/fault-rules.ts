import { z } from 'zod';
import { callPattern, faultRuleShape } from '../../common/fault-injection.js';

export const faultKinds = [
  'status',
  'fault',
  'reset',
  'truncate',
  'html502',
  'xml429',
  '429',
  'timeout',
  'latency',
  '401',
  'empty',
  'garbage',
] as const;

export const faultRuleSchema = z.strictObject({
  match: z.strictObject({ ...callPattern, realmId: z.string().optional() }).default({}),
  kind: z.enum(faultKinds),
  ...faultRuleShape,
  detail: z.string().optional(),
});

export type FaultRule = Readonly<z.output<typeof faultRuleSchema>>;
