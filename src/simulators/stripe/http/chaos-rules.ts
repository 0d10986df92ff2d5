import { z } from 'zod';
import { chaosShape, type Roll } from '../../common/chaos.js';
import { type FaultRule, faultKinds, faultRuleSchema } from './fault-rules.js';

/** The edge refuses before anything is done, so this never follows a commit. */
const ALWAYS_BEFORE = '429';

/** A refusal is no mishap, but another story. */
const mishaps = faultKinds.filter((kind) => kind !== 'error');

export const chaosOrder = z.strictObject({
  accountId: z.string(),
  ...chaosShape,
  kinds: z.array(z.enum(faultKinds)).min(1).default(mishaps),
});
export type ChaosOrder = Readonly<z.output<typeof chaosOrder>>;

export function drawFault({ kinds, ms }: ChaosOrder, roll: Roll): FaultRule | undefined {
  const kind = kinds[Math.trunc(roll(1) * kinds.length)];
  if (kind === undefined) return undefined;
  const when = kind === ALWAYS_BEFORE || roll(2) < 0.5 ? 'before' : 'after';
  const status = kind === 'status' ? { status: 503 } : {};
  return faultRuleSchema.parse({ kind, when, ms: 1 + Math.trunc(roll(3) * ms), ...status });
}
