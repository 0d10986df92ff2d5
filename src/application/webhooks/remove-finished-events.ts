import type { UseCaseContext } from '../context.js';

/** Short enough a statement to be in nobody's way. */
const BATCH = 1000;

/**
 * Deletes what was done or ignored long ago; what waits or is dead stays. Returns how many events are gone.
 * Rows that somebody has locked, because they are being replayed, are passed over.
 */
export async function removeFinishedEvents({
  em,
  clock,
  waits,
}: Pick<UseCaseContext, 'em' | 'clock' | 'waits'>): Promise<number> {
  const before = new Date(clock.now().getTime() - waits.finishedEventsKeptMs);
  let removed = 0;
  for (;;) {
    const batch = await em.execute(
      `delete from webhook_event where id in (
         select id from webhook_event where state in ('DONE', 'IGNORED') and processed_at < ?
         order by processed_at limit ${BATCH} for update skip locked
       ) returning id`,
      [before],
    );
    removed += batch.length;
    if (batch.length < BATCH) return removed;
  }
}
