import { setTimeout as delay } from 'node:timers/promises';
import { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import { recording } from '../transaction.js';
import type { Changed, Watching } from './watch-purchase-orders.js';

/**
 * That there may be something to tell of a bulk: at once, whenever it changed, and no more once it was told that it is
 * finished. Nothing has to be told that was missed: what a bulk is now says it all.
 */
export async function* watchBulkInvoicing(
  { feed, forkEntityManager, waits, ready, closed }: Watching,
  id: string,
): AsyncGenerator<Changed> {
  const alarm = feed.watch(id, closed);
  while (!closed.aborted) {
    const bulk = await recording(waits, () => forkEntityManager().findOne(BulkInvoicing, id));
    await ready();
    if (closed.aborted || !bulk) return;
    yield { at: bulk.finishedAt ?? bulk.createdAt, isNews: false };
    if (bulk.finishedAt) return;
    await delay(waits.changesApartMs, undefined, { signal: closed }).catch(() => undefined);
    await alarm.rung();
  }
}
