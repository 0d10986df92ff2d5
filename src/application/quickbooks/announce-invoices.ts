import type { EntityManager } from '@mikro-orm/postgresql';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { storeWebhookEvents } from '../webhooks/store-webhook-events.js';
import type { QboContext } from './qbo-context.js';

/** Events with such ids are our own: they do not prove that webhooks come in. */
export const OWN_EVENT_PREFIX = 'sweep-';

export interface AnnouncedInvoice {
  /** Unique to the occasion: announcing it again with the same id does nothing. */
  readonly eventId: string;
  readonly externalId: string;
}

/**
 * Puts an invoice into the inbox, as if QuickBooks had said that it changed: there it is tried later and later, and ends
 * as a dead letter, which people see. A reading that begins afterwards and succeeds makes the event cost nothing.
 */
export async function announceInvoices(
  em: EntityManager,
  { clock, ids, jobs }: QboContext,
  { realmId }: QboConnection,
  invoices: readonly AnnouncedInvoice[],
): Promise<void> {
  const events = invoices.map(({ eventId, externalId }) => ({
    eventId: `${OWN_EVENT_PREFIX}${eventId}`,
    companyId: realmId,
    entity: 'invoice',
    entityId: externalId,
    operation: 'updated',
    occurredAt: undefined,
    payload: { source: 'conference-invoicing' },
  }));
  const wake = jobs.wakeWebhookWorker.bind(jobs);
  await storeWebhookEvents({ em, clock, ids, wake }, 'QBO', events);
}
