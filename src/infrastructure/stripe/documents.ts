import { z } from 'zod';

/** An object named by its id, or given whole where the request asked for that. */
export const reference = z.union([z.string().min(1), z.object({ id: z.string().min(1) }).transform(({ id }) => id)]);

/** Text that people and programs hang on objects. */
export const metadata = z.record(z.string(), z.string()).nullish();

/** A moment as Stripe writes it: whole seconds. */
export const instant = z.int().transform((seconds) => new Date(seconds * 1000));

/** An amount in Stripe's own units. */
export const units = z.int();

/** The second in which a moment falls, as Stripe writes it. */
export function unixSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}
