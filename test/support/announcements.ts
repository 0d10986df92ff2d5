import { randomUUID } from 'node:crypto';
import { storeWebhookEvents } from '../../src/application/webhooks/store-webhook-events.js';
import { randomIds } from '../../src/domain/ids.js';
import type { Data } from './graphql-client.js';
import type { Workbench } from './workbench.js';

/** Stores an event as the webhook route does, without waking anybody, and returns its id. */
export async function announce(
  bench: Workbench,
  entity: string,
  entityId: string,
  { operation = 'updated', occurredAt }: { operation?: string; occurredAt?: Date } = {},
): Promise<string> {
  const eventId = randomUUID();
  const context = { em: bench.orm.em.fork(), clock: bench.clock, ids: randomIds, wake: () => undefined };
  const companyId = bench.realmId;
  await storeWebhookEvents(context, 'QBO', [
    { eventId, companyId, entity, entityId, operation, occurredAt, payload: {} },
  ]);
  return eventId;
}

export async function stateOf(bench: Workbench, eventId: string): Promise<string> {
  return (await bench.sql('select state from webhook_event where event_id = ?', [eventId]))[0].state;
}

/** What QuickBooks was asked since the log was last emptied: `invoice/155`, `cdc`, `query Invoice`. */
export async function readsOf({ quickbooks }: Workbench): Promise<string[]> {
  const calls = await quickbooks.requests('?kind=read');
  return calls.map(({ path, query, body }: Data) =>
    path.endsWith('/query')
      ? `query ${/from (\w+)/i.exec(query.query ?? body)?.[1]}`
      : path.split('/').slice(4).join('/'),
  );
}
