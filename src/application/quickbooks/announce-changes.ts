import type { EntityManager } from '@mikro-orm/postgresql';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { storeWebhookEvents } from '../webhooks/store-webhook-events.js';
import type { QboContext } from './qbo-context.js';

/** Events with such ids are our own: they do not prove that webhooks come in. */
export const OWN_EVENT_PREFIX = 'sweep-';

export interface AnnouncedChange {
  /** Unique to the occasion: announcing it again with the same id does nothing. */
  readonly eventId: string;
  readonly entity: 'invoice' | 'refundreceipt';
  readonly externalId: string;
}

/**
 * Puts an object into the inbox, as if QuickBooks had said that it changed: there it is tried later and later, and ends as
 * a dead letter, which people see. A reading of an invoice that begins afterwards and succeeds makes its event cost nothing.
 */
export async function announceChanges(
  em: EntityManager,
  { clock, ids, jobs }: QboContext,
  { realmId }: QboConnection,
  changes: readonly AnnouncedChange[],
): Promise<void> {
  const events = changes.map(({ eventId, entity, externalId }) => ({
    eventId: `${OWN_EVENT_PREFIX}${eventId}`,
    companyId: realmId,
    entity,
    entityId: externalId,
    operation: 'updated',
    occurredAt: undefined,
    payload: { source: 'conference-invoicing' },
  }));
  const wake = jobs.wakeWebhookWorker.bind(jobs);
  await storeWebhookEvents({ em, clock, ids, wake }, 'QBO', events);
}
