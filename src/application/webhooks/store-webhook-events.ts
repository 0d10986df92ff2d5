import { WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { UseCaseContext } from '../context.js';
import type { ReceivedEvent } from '../ports/webhook-source.js';
import { prepared } from '../queries/prepared.js';

export interface StoreWebhookContext extends Pick<UseCaseContext, 'em' | 'clock' | 'ids'> {
  readonly wake: (provider: string, companyId: string) => void;
}

/**
 * Stores verified events in one statement; one that is stored already is left alone. Once this returns, the events
 * cannot be lost. The wake-ups that follow may be: a periodic job finds what they would have found.
 */
export async function storeWebhookEvents(
  context: StoreWebhookContext,
  provider: string,
  events: readonly ReceivedEvent[],
): Promise<{ stored: number; duplicates: number }> {
  if (events.length === 0) return { stored: 0, duplicates: 0 };
  const rows = events.map((event) => toRow(context, provider, event));
  // PostgreSQL reads the payload `null`, a bad element of a list, as a missing one: hence the coalesce.
  const stored = await context.em.execute<{ company_id: string; state: string }[]>(
    prepared(`insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, occurred_at, payload,
                                state, attempts, next_attempt_at, last_error, received_at, processed_at,
                                arrival_number)
     select id, provider, event_id, company_id, entity, entity_id, operation, occurred_at, coalesce(payload, 'null'),
            state, 0, received_at, last_error, received_at, processed_at,
            nextval('invoice_reading')
     from jsonb_populate_recordset(null::webhook_event, ?::jsonb)
     on conflict (provider, company_id, event_id) do nothing returning company_id, state`),
    [JSON.stringify(rows, withoutNul)],
  );
  const pending = stored.filter((row) => row.state === WebhookEventState.RECEIVED).map((row) => row.company_id);
  for (const companyId of new Set(pending)) context.wake(provider, companyId);
  return { stored: stored.length, duplicates: events.length - stored.length };
}

/** PostgreSQL's text and jsonb cannot hold the character U+0000. */
function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '') : value;
}

function toRow({ clock, ids }: StoreWebhookContext, provider: string, event: ReceivedEvent) {
  const receivedAt = clock.now().toISOString();
  const isReadable = event.unreadable === undefined;
  return {
    id: ids.next('evt'),
    provider,
    event_id: event.eventId,
    company_id: event.companyId,
    entity: event.entity,
    entity_id: event.entityId,
    operation: event.operation,
    occurred_at: event.occurredAt?.toISOString() ?? null,
    payload: event.payload,
    state: isReadable ? WebhookEventState.RECEIVED : WebhookEventState.IGNORED,
    last_error: event.unreadable ?? null,
    received_at: receivedAt,
    processed_at: isReadable ? null : receivedAt,
  };
}
