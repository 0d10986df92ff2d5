import type { UseCaseContext } from '../context.js';

/** Short enough a statement to be in nobody's way. */
const BATCH = 1000;

/** Deletes what nobody can resume from any more. Returns how many changes are gone. */
export async function forgetChanges({
  em,
  clock,
  waits,
}: Pick<UseCaseContext, 'em' | 'clock' | 'waits'>): Promise<number> {
  const before = new Date(clock.now().getTime() - waits.changesKeptMs);
  let forgotten = 0;
  for (;;) {
    const batch = await em.execute(
      `delete from purchase_order_change where (purchase_order_id, xid) in (
         select purchase_order_id, xid from purchase_order_change where changed_at < ? limit ${BATCH}
       ) returning 1`,
      [before],
    );
    forgotten += batch.length;
    if (batch.length < BATCH) return forgotten;
  }
}
