import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type FaultRule, faultKinds, faultRuleSchema } from './fault-injection.js';
import type { CallKind } from './request-log.js';

type FaultKind = (typeof faultKinds)[number];

/** The gateway refuses before anything is done, so these never follow a commit. */
const ALWAYS_BEFORE: ReadonlySet<FaultKind> = new Set(['429', 'xml429', '401']);
/** At the token endpoint these would end the connection for good: no mishap, but another story. */
const NOT_FOR_TOKENS: ReadonlySet<FaultKind> = new Set(['429', 'xml429', '401', 'fault']);

export const chaosOrder = z.strictObject({
  realmId: z.string(),
  seed: z.union([z.string(), z.int()]).transform((seed) => `${seed}`),
  /** The share of calls that meet a fault. */
  rate: z.number().min(0).max(1),
  kinds: z
    .array(z.enum(faultKinds))
    .min(1)
    .default([...faultKinds]),
  maxFaults: z.int().min(0).optional(),
  /** The longest wait of a latency or a timeout. */
  ms: z.int().min(1).max(600_000).default(50),
});
export type ChaosOrder = Readonly<z.output<typeof chaosOrder>>;

interface Armed {
  readonly order: ChaosOrder;
  calls: number;
  struck: number;
}

/** Random faults that can be had again: what a call meets follows from the seed and from which call of the company it is. */
export class Chaos {
  private readonly armed = new Map<string, Armed>();

  arm(order: ChaosOrder): void {
    this.armed.set(order.realmId, { order, calls: 0, struck: 0 });
  }

  /** Has to be asked once for each call of the company, so that the next one gets its own number. */
  next(realmId: string | undefined, kind: CallKind): FaultRule | undefined {
    const armed = realmId === undefined ? undefined : this.armed.get(realmId);
    if (armed === undefined) return undefined;
    armed.calls += 1;
    if (armed.struck >= (armed.order.maxFaults ?? Number.POSITIVE_INFINITY)) return undefined;
    const rule = draw(armed.order, armed.calls, kind);
    if (rule !== undefined) armed.struck += 1;
    return rule;
  }

  list(realmId: string | undefined): object[] {
    const shown = [...this.armed.values()].filter(({ order }) => realmId === undefined || order.realmId === realmId);
    return shown.map(({ order, calls, struck }) => ({ ...order, calls, struck }));
  }

  clear(realmId: string | undefined): void {
    if (realmId === undefined) this.armed.clear();
    else this.armed.delete(realmId);
  }
}

function draw({ seed, rate, kinds, ms }: ChaosOrder, ordinal: number, callKind: CallKind): FaultRule | undefined {
  const dice = createHash('sha256').update(`${seed}/${ordinal}`).digest();
  const roll = (die: number) => dice.readUInt32BE(die * 4) / 2 ** 32;
  if (roll(0) >= rate) return undefined;
  const possible = kinds.filter((kind) => callKind !== 'token' || !NOT_FOR_TOKENS.has(kind));
  const kind = possible[Math.trunc(roll(1) * possible.length)];
  if (kind === undefined) return undefined;
  const when = ALWAYS_BEFORE.has(kind) || roll(2) < 0.5 ? 'before' : 'after';
  const status = kind === 'status' ? { status: 503 } : {};
  return faultRuleSchema.parse({ kind, when, ms: 1 + Math.trunc(roll(3) * ms), ...status });
}
