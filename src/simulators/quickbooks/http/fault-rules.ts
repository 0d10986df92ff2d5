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

/** What only the items of a batch can meet: their answer is left out, or given twice. */
const itemFaultKinds = ['omit', 'repeat'] as const;

export const faultRuleSchema = z.strictObject({
  match: z.strictObject({ ...callPattern, realmId: z.string().optional() }).default({}),
  kind: z.enum([...faultKinds, ...itemFaultKinds]),
  ...faultRuleShape,
  detail: z.string().optional(),
  /**
   * Of a batch, counted from 1: `before` keeps only these items from being carried out, and `fault`, `omit` and `repeat`
   * strike their answers instead of the whole.
   */
  items: z.array(z.int().min(1)).min(1).optional(),
});

/** Whether the rule is about the answers of some items, and leaves the call itself alone. */
export function isAboutItems({ kind, items }: FaultRule): boolean {
  return items !== undefined && (kind === 'fault' || kind === 'omit' || kind === 'repeat');
}

export type FaultRule = Readonly<z.output<typeof faultRuleSchema>>;
