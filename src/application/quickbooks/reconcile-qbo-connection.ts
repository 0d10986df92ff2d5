import { ConferenceRole } from '../../domain/access/grants.js';
import { findConference } from '../conferences/find-conference.js';
import { beginReading } from '../invoicing/reading-order.js';
import { watchedInvoices } from './compare-invoices.js';
import { compareHeld, toFound } from './find-changes.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { recordChanges } from './record-changes.js';
import { type ConnectionCode, checkConnection } from './usable-connection.js';

export type ReconcileQboConnectionCode = ProviderCode | ConnectionCode | 'NOT_FOUND' | 'INVOICES_FAILED';

export interface ReconcileQboConnectionOutcome {
  /** The conference's; null when nothing was done. */
  readonly id: string | null;
  readonly failures: readonly QboFailure<ReconcileQboConnectionCode>[];
  /** Null when nothing was done. */
  readonly invoicesChecked: number | null;
  readonly invoicesChanged: number | null;
}

/**
 * Looks at every invoice of the company whose money can still change and at every payment of which a rest is applied to
 * nothing, 500 in a read, and records those that are not as we have them. It needs neither webhooks nor sweeps, so it can
 * be used when nobody knows what they missed.
 */
export async function reconcileQboConnection(
  context: QboContext,
  { conferenceId }: { readonly conferenceId: string },
): Promise<ReconcileQboConnectionOutcome> {
  const { em, actor } = context;
  const conference = await findConference(em, actor, { id: conferenceId, needed: ConferenceRole.ORGANISER });
  if (!conference) {
    return refused({ code: 'NOT_FOUND', message: 'There is no conference with this id.', path: ['conferenceId'] });
  }
  const usable = checkConnection(context, await conference.qboConnection?.loadOrFail());
  if ('failure' in usable) return refused(usable.failure);
  const { connection } = usable;
  const begun = await beginReading(context.em);
  const watched = await watchedInvoices(context, connection, context.clock.now());
  const compared = await compareHeld(context, connection, watched);
  if (!compared.ok) return refused(describeProviderFailure(compared.failure));
  const recorded = await recordChanges(context, connection, toFound(begun, compared, compared.value));
  return {
    id: conferenceId,
    failures: [
      ...(recorded.failure ? [describeProviderFailure(recorded.failure)] : []),
      ...(recorded.handedOver > 0 ? [handedOver(recorded.handedOver)] : []),
    ],
    invoicesChecked: watched.length,
    invoicesChanged: recorded.changed.length,
  };
}

function refused(failure: QboFailure<ReconcileQboConnectionCode>): ReconcileQboConnectionOutcome {
  return { id: null, failures: [failure], invoicesChecked: null, invoicesChanged: null };
}

function handedOver(count: number): QboFailure<'INVOICES_FAILED'> {
  const message = `${count} invoice(s) or their payments cannot be recorded as they are. They are tried again as webhook events, whose last error says why.`;
  return { code: 'INVOICES_FAILED', message, path: [] };
}
