import { WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { UseCaseContext } from '../context.js';
import type { ReceivedEvent } from '../ports/webhook-source.js';
import { prepared } from '../queries/prepared.js';

export interface StoreWebhookContext extends Pick<UseCaseContext, 'em' | 'clock' | 'ids'> {
  readonly wake: (provider: string, companyId: string) => void;
}

/** What became of the events of one delivery. */
export interface Receipt {
  readonly stored: number;
  readonly duplicates: number;
}

/** Stores the verified events of one delivery; see `storeDeliveries`. */
export async function storeWebhookEvents(
  context: StoreWebhookContext,
  provider: string,
  events: readonly ReceivedEvent[],
): Promise<Receipt> {
  const [receipt = NOTHING] = await storeDeliveries(context, provider, [events]);
  return receipt;
}

const NOTHING: Receipt = { stored: 0, duplicates: 0 };

/**
 * Stores the verified events of several deliveries in one statement; one that is stored already is left alone. Once this
 * returns, the events cannot be lost. The wake-ups that follow may be: a periodic job finds what they would have found.
 */
export async function storeDeliveries(
  context: StoreWebhookContext,
  provider: string,
  deliveries: readonly (readonly ReceivedEvent[])[],
): Promise<Receipt[]> {
  const rowsOf = deliveries.map((events) => events.map((event) => toRow(context, provider, event)));
  const rows = rowsOf.flat();
  if (rows.length === 0) return deliveries.map(() => NOTHING);
  // PostgreSQL reads the payload `null`, a bad element of a list, as a missing one: hence the coalesce.
  const stored = await context.em.execute<{ id: string; company_id: string; state: string }[]>(
    prepared(`insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, occurred_at, payload,
                                state, attempts, next_attempt_at, last_error, received_at, processed_at,
                                arrival_number)
     select id, provider, event_id, company_id, entity, entity_id, operation, occurred_at, coalesce(payload, 'null'),
            state, 0, received_at, last_error, received_at, processed_at,
            nextval('invoice_reading')
     from jsonb_populate_recordset(null::webhook_event, ?::jsonb)
     on conflict (provider, company_id, event_id) do nothing returning id, company_id, state`),
    [JSON.stringify(rows, withoutNul)],
  );
  const pending = stored.filter((row) => row.state === WebhookEventState.RECEIVED).map((row) => row.company_id);
  for (const companyId of new Set(pending)) context.wake(provider, companyId);
  const storedIds = new Set(stored.map(({ id }) => id));
  return rowsOf.map((own) => {
    const count = own.filter(({ id }) => storedIds.has(id)).length;
    return { stored: count, duplicates: own.length - count };
  });
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
