import { z } from 'zod';
import { chaosShape, type Roll } from '../../common/chaos.js';
import { type FaultRule, faultKinds, faultRuleSchema } from './fault-rules.js';

type FaultKind = (typeof faultKinds)[number];

/** The gateway refuses before anything is done, so these never follow a commit. */
const ALWAYS_BEFORE: ReadonlySet<FaultKind> = new Set(['429', 'xml429', '401']);
/** At the token endpoint these would end the connection for good: no mishap, but another story. */
const NOT_FOR_TOKENS: ReadonlySet<FaultKind> = new Set(['429', 'xml429', '401', 'fault']);

export const chaosOrder = z.strictObject({
  realmId: z.string(),
  ...chaosShape,
  kinds: z
    .array(z.enum(faultKinds))
    .min(1)
    .default([...faultKinds]),
});
export type ChaosOrder = Readonly<z.output<typeof chaosOrder>>;

export function drawFault({ kinds, ms }: ChaosOrder, roll: Roll, callKind: string): FaultRule | undefined {
  const possible = kinds.filter((kind) => callKind !== 'token' || !NOT_FOR_TOKENS.has(kind));
  const kind = possible[Math.trunc(roll(1) * possible.length)];
  if (kind === undefined) return undefined;
  const when = ALWAYS_BEFORE.has(kind) || roll(2) < 0.5 ? 'before' : 'after';
  const status = kind === 'status' ? { status: 503 } : {};
  return faultRuleSchema.parse({ kind, when, ms: 1 + Math.trunc(roll(3) * ms), ...status });
}
