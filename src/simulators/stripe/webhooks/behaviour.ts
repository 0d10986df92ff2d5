import { z } from 'zod';
import { Behaviours } from '../../common/behaviours.js';

/** What can be changed about deliveries while the simulator runs. With an account it is about that account alone. */
export const webhookSwitchesSchema = z.strictObject({
  accountId: z.string().optional(),
  /** Events collect and nothing is sent. */
  paused: z.boolean().optional(),
  /** Every delivery is sent twice. */
  duplicate: z.boolean().optional(),
  /** Events that were collected are sent in reverse order. */
  reorder: z.boolean().optional(),
  /** How long events collect before they are sent. */
  delayMs: z.int().min(0).optional(),
  /** Loses this many of the next events. */
  drop: z.int().min(0).optional(),
  /** The waits before repeated attempts: the provider's schedule over three days, compressed. */
  retryMs: z.array(z.int().min(0)).optional(),
});
export type WebhookSwitches = z.output<typeof webhookSwitchesSchema>;

export interface Behaviour {
  readonly paused: boolean;
  readonly duplicate: boolean;
  readonly reorder: boolean;
  readonly delayMs: number;
  readonly drop: number;
  readonly retryMs: readonly number[];
}

const defaults: Behaviour = {
  paused: false,
  duplicate: false,
  reorder: false,
  delayMs: 20,
  drop: 0,
  retryMs: [100, 200, 500, 1000, 2000, 5000],
};

export function newBehaviours(): Behaviours<Behaviour> {
  return new Behaviours(defaults);
}
