import type { EntityManager } from '@mikro-orm/postgresql';
import type { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import type { UseCaseContext } from '../context.js';
import type { JobQueue } from '../ports/jobs.js';
import { storeWebhookEvents } from './store-webhook-events.js';

/** Events with such ids are our own: they do not prove that webhooks come in. */
export const OWN_EVENT_PREFIX = 'sweep-';

/** With such ids they name a draft that nobody wants. */
export const ORPHAN_PREFIX = 'orphan-';

export interface AnnouncedChange {
  /** Unique to the occasion: announcing it again with the same id does nothing. */
  readonly eventId: string;
  readonly entity: 'invoice' | 'refundreceipt';
  readonly externalId: string;
}

/** Whose inbox it is. */
export interface Inbox {
  readonly provider: `${InvoiceProvider}`;
  readonly companyId: string;
}

/**
 * Puts an object into the inbox, as if its provider had said that it changed: there it is tried later and later, and ends
 * as a dead letter, which people see. A reading of an invoice that begins afterwards and succeeds makes its event cost nothing.
 */
export async function announceChanges(
  em: EntityManager,
  { clock, ids, jobs }: Pick<UseCaseContext, 'clock' | 'ids'> & { readonly jobs: JobQueue },
  { provider, companyId }: Inbox,
  changes: readonly AnnouncedChange[],
): Promise<void> {
  const events = changes.map(({ eventId, entity, externalId }) => ({
    eventId: `${OWN_EVENT_PREFIX}${eventId}`,
    companyId,
    entity,
    entityId: externalId,
    operation: 'updated',
    occurredAt: undefined,
    payload: { source: 'conference-invoicing' },
  }));
  const wake = jobs.wakeWebhookWorker.bind(jobs);
  await storeWebhookEvents({ em, clock, ids, wake }, provider, events);
}

/** The inbox of a company in QuickBooks. */
export function qboInbox({ realmId }: { readonly realmId: string }): Inbox {
  return { provider: 'QBO', companyId: realmId };
}

/** The inbox of a conference's Stripe connection: another conference in the same account has one of its own. */
export function stripeInbox({ id }: { readonly id: string }): Inbox {
  return { provider: 'STRIPE', companyId: id };
}
