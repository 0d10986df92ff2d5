import DataLoader from 'dataloader';
import type { ReceivedEvent } from '../../application/ports/webhook-source.js';
import { isLostConnection, isQueryCanceled } from '../../application/transaction.js';
import type { Receipt } from '../../application/webhooks/store-webhook-events.js';

type Deliveries = readonly (readonly ReceivedEvent[])[];

/** A statement must not become so long that the first delivery waits noticeably for the last. */
const MOST_DELIVERIES = 100;

/**
 * Stores deliveries that arrive at the same moment in one statement: a busy inbox then pays for a transaction, which is
 * most of what an acknowledgement costs, once for several. Each waits until its own events are committed, and none fails
 * because of another.
 */
export function storeTogether(store: (deliveries: Deliveries) => Promise<Receipt[]>) {
  const loader = new DataLoader<readonly ReceivedEvent[], Receipt>((deliveries) => storeAll(store, deliveries), {
    cache: false,
    maxBatchSize: MOST_DELIVERIES,
    // Behind whatever else arrived: the event loop has then read every socket once.
    batchScheduleFn: (begin) => void setImmediate(begin),
  });
  return (events: readonly ReceivedEvent[]): Promise<Receipt> => loader.load(events);
}

async function storeAll(
  store: (deliveries: Deliveries) => Promise<Receipt[]>,
  deliveries: Deliveries,
): Promise<(Receipt | Error)[]> {
  try {
    return await store(deliveries);
  } catch (error) {
    if (deliveries.length === 1 || isOfDatabase(error)) throw error;
    const alone = await Promise.allSettled(deliveries.map((events) => storeAll(store, [events])));
    return alone.flatMap((each) => (each.status === 'fulfilled' ? each.value : asError(each.reason)));
  }
}

/** No delivery is at fault, so asking for each alone would only burden the database more. */
function isOfDatabase(error: unknown): boolean {
  return isLostConnection(error) || isQueryCanceled(error);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
