import { messageOf } from '../outcome.js';
import type { Verdict } from './event-states.js';
import type { ChangedObject } from './event-verdicts.js';

type Follow = (objects: readonly ChangedObject[]) => Promise<ReadonlyMap<ChangedObject, Verdict>>;

/** What cannot be followed together is tried in halves, until the one that is to blame stands alone and has failed. */
export async function followTogether(
  follow: Follow,
  objects: readonly ChangedObject[],
): Promise<ReadonlyMap<ChangedObject, Verdict>> {
  try {
    return await follow(objects);
  } catch (error) {
    const [first, ...others] = objects;
    if (!first) throw error;
    if (others.length === 0) return new Map([[first, { state: 'FAILED', reason: messageOf(error) }]]);
    const middle = Math.ceil(objects.length / 2);
    const lower = await followTogether(follow, objects.slice(0, middle));
    const upper = await followTogether(follow, objects.slice(middle));
    return new Map([...lower, ...upper]);
  }
}
