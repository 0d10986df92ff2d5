import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What every order of random faults has besides its kinds and whose calls it is about. */
export const chaosShape = {
  seed: z.union([z.string(), z.int()]).transform((seed) => `${seed}`),
  /** The share of calls that meet a fault. */
  rate: z.number().min(0).max(1),
  maxFaults: z.int().min(0).optional(),
  /** The longest wait of a latency or a timeout. */
  ms: z.int().min(1).max(600_000).default(50),
};

interface AnyOrder {
  readonly seed: string;
  readonly rate: number;
  readonly maxFaults?: number | undefined;
}

/** One die of several: from 0 up to, but not including, 1. */
export type Roll = (die: number) => number;

interface Armed<Order> {
  readonly order: Order;
  calls: number;
  struck: number;
}

/** Random faults that can be had again: what a call meets follows from the seed and from which call of its owner it is. */
export class Chaos<Order extends AnyOrder, Rule> {
  private readonly armed = new Map<string, Armed<Order>>();

  /** `draw` makes the rule with dice from the second on: the first decided that there is one. */
  constructor(
    private readonly ownerOf: (order: Order) => string,
    private readonly draw: (order: Order, roll: Roll, callKind: string) => Rule | undefined,
  ) {}

  arm(order: Order): void {
    this.armed.set(this.ownerOf(order), { order, calls: 0, struck: 0 });
  }

  /** Has to be asked once for each call of the owner, so that the next one gets its own number. */
  next(owner: string | undefined, callKind: string): Rule | undefined {
    const armed = owner === undefined ? undefined : this.armed.get(owner);
    if (armed === undefined) return undefined;
    armed.calls += 1;
    if (armed.struck >= (armed.order.maxFaults ?? Number.POSITIVE_INFINITY)) return undefined;
    const roll = dice(armed.order.seed, armed.calls);
    const rule = roll(0) < armed.order.rate ? this.draw(armed.order, roll, callKind) : undefined;
    if (rule !== undefined) armed.struck += 1;
    return rule;
  }

  list(owner: string | undefined): object[] {
    const shown = [...this.armed].filter(([each]) => owner === undefined || each === owner);
    return shown.map(([, { order, calls, struck }]) => ({ ...order, calls, struck }));
  }

  clear(owner: string | undefined): void {
    if (owner === undefined) this.armed.clear();
    else this.armed.delete(owner);
  }
}

function dice(seed: string, ordinal: number): Roll {
  const thrown = createHash('sha256').update(`${seed}/${ordinal}`).digest();
  return (die) => thrown.readUInt32BE(die * 4) / 2 ** 32;
}
