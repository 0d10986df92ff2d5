import { z } from 'zod';
import { Behaviours } from '../../common/behaviours.js';

/** What can be changed about deliveries while the simulator runs. With a realm it is about that company alone. */
export const webhookSwitchesSchema = z
  .strictObject({
    realmId: z.string().optional(),
    url: z.url().optional(),
    verifierToken: z.string().min(1).optional(),
    /** Events collect and nothing is sent. */
    paused: z.boolean().optional(),
    /** Every delivery is sent twice. */
    duplicate: z.boolean().optional(),
    /** Events of one delivery arrive in reverse order. */
    reorder: z.boolean().optional(),
    /** One event a delivery. */
    split: z.boolean().optional(),
    /** One delivery may hold events of several companies. */
    mixed: z.boolean().optional(),
    /** How long events collect before they are sent. */
    delayMs: z.int().min(0).optional(),
    format: z.enum(['cloudevents', 'legacy']).optional(),
    /** Sources disagree on how a void is spelt in an event's type. */
    voidType: z.enum(['void', 'voided']).optional(),
    /** Loses this many of the next events. */
    drop: z.int().min(0).optional(),
    /** The waits before repeated attempts: the provider's schedule of seconds to hours, compressed. */
    retryMs: z.array(z.int().min(0)).optional(),
  })
  .refine(
    ({ realmId, url, verifierToken }) => realmId === undefined || (url === undefined && verifierToken === undefined),
    'url and verifierToken are the same for all companies',
  );
export type WebhookSwitches = z.output<typeof webhookSwitchesSchema>;

export interface Behaviour {
  readonly paused: boolean;
  readonly duplicate: boolean;
  readonly reorder: boolean;
  readonly split: boolean;
  readonly mixed: boolean;
  readonly delayMs: number;
  readonly format: 'cloudevents' | 'legacy';
  readonly voidType: 'void' | 'voided';
  readonly drop: number;
  readonly retryMs: readonly number[];
}

const defaults: Behaviour = {
  paused: false,
  duplicate: false,
  reorder: false,
  split: false,
  mixed: true,
  delayMs: 50,
  format: 'cloudevents',
  voidType: 'void',
  drop: 0,
  retryMs: [100, 200, 500, 1000, 2000, 5000],
};

/** A company that was given switches of its own stays out of the others' deliveries unless one of them says otherwise. */
export function newBehaviours(): Behaviours<Behaviour> {
  return new Behaviours(defaults, { mixed: false });
}
