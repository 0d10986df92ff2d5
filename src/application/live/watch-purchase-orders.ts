import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ChangeFeed } from '../ports/change-feed.js';
import {
  type ChangePosition,
  type ChangeScope,
  findPurchaseOrderChanges,
  writeChangeCursor,
} from '../queries/purchase-order-changes.js';
import { recording } from '../transaction.js';
import type { Waits } from '../waits.js';

/** That something changed. What it is now is for the reader to read. */
export interface Changed {
  readonly at: Date;
  /** It just happened; false: it was missed, or nobody knows when it was, and is told belatedly. */
  readonly isNews: boolean;
}

export interface PurchaseOrderChanged extends Changed {
  readonly purchaseOrderId: string;
  /** From here on somebody who was told of this has to be told more. */
  readonly cursor: string;
}

export interface Watching {
  readonly feed: ChangeFeed;
  readonly forkEntityManager: () => EntityManager;
  readonly waits: Pick<Waits, 'recordingRetryMs' | 'changesApartMs'>;
  /** Resolves when the reader can take more. */
  readonly ready: () => Promise<void>;
  /** Aborts when the reader is gone. */
  readonly closed: AbortSignal;
}

/**
 * What changes behind a position, until the reader is gone. The alarm only says when to look: what changed is read from
 * the table, so that nothing is lost with a notification, and nothing is kept for a reader who is slow. However often a
 * purchase order changed between two looks, it is told once.
 */
export async function* watchPurchaseOrders(
  { feed, forkEntityManager, waits, ready, closed }: Watching,
  scope: ChangeScope,
  from: ChangePosition,
): AsyncGenerator<PurchaseOrderChanged> {
  const alarm = feed.watch('conferenceId' in scope ? scope.conferenceId : scope.purchaseOrderId, closed);
  let position = from;
  let isNews = false;
  while (!closed.aborted) {
    const page = await recording(waits, () => findPurchaseOrderChanges(forkEntityManager(), scope, position));
    for (const { purchaseOrderId, at, position: told } of page.changes) {
      await ready();
      if (closed.aborted) return;
      yield { purchaseOrderId, at, cursor: writeChangeCursor(told), isNews };
    }
    position = page.position;
    if (page.hasMore) continue;
    await delay(waits.changesApartMs, undefined, { signal: closed }).catch(() => undefined);
    await alarm.rung();
    await ready();
    isNews = true;
  }
}
