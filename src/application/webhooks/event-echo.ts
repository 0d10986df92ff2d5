import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus } from '../../domain/invoice/invoice.status.js';
import { ZERO } from '../../domain/money.js';
import type { WebhookEvent } from '../../domain/webhook/webhook-event.entity.js';

/**
 * An event about an invoice that costs no read: it is about our own write, or our latest reading saw what it is about. Not
 * one that is repeated because that reading left something unexplained.
 */
export function tellsNothingNew(event: WebhookEvent, invoice: Invoice): boolean {
  if (event.attempts > 0 && invoice.unexplainedMinor !== ZERO) return false;
  return isOwnEcho(event, invoice) || wasSeen(event, invoice);
}

/**
 * QuickBooks announces our own writes, too. That an invoice of ours was created says nothing that its creation did not
 * tell; that it was e-mailed is worth a reading only as long as its payment page is not known.
 */
function isOwnEcho({ operation }: WebhookEvent, invoice: Invoice): boolean {
  if (operation === 'created') return true;
  return operation === 'emailed' && invoice.emailStatus === EmailStatus.SENT && invoice.payUrl !== null;
}

/**
 * The reading began when the event was here already, so it saw the change; or the provider's own time of the reading is
 * later than that of the change. An event without a number was stored before there were any, or is to be looked at anew.
 *
 * @param marginMs so long after its time a change may still not be shown
 */
export function wasSeen(
  { arrivalNumber, occurredAt }: WebhookEvent,
  { readingBegun, providerReadAt }: Invoice,
  marginMs = 0,
): boolean {
  if (arrivalNumber === null) return false;
  if (arrivalNumber < readingBegun) return true;
  if (occurredAt === null || providerReadAt === null) return false;
  return latestMoment(occurredAt) + marginMs < providerReadAt.getTime();
}

/** Stripe cuts the fraction of a second off, and Intuit rounds the times of older events, which can be half a second too early. */
function latestMoment(occurredAt: Date): number {
  const time = occurredAt.getTime();
  return time % 1000 === 0 ? time + 1000 : time;
}
