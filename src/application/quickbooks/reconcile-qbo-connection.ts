import { ConferenceRole } from '../../domain/access/grants.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import { audit } from '../audit.js';
import { findConference } from '../conferences/find-conference.js';
import { beginReading } from '../invoicing/reading-order.js';
import { whereClause } from '../queries/keyset.js';
import { inTransaction } from '../transaction.js';
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
  /** Of the conferences that the caller sees; null when nothing was done. */
  readonly invoicesChecked: number | null;
  readonly invoicesChanged: number | null;
}

/**
 * Looks at every invoice of the company whose money can still change and at every payment of which a rest is applied to
 * nothing, 500 in a read, and records those that are not as we have them. It needs neither webhooks nor sweeps, so it can
 * be used when nobody knows what they missed. The company may serve conferences of others: what is found is booked there,
 * too, in QuickBooks' name, and not counted.
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
  await inTransaction(em, async (tx) =>
    audit(tx, context, {
      action: 'qbo_connection.reconciliation_requested',
      subject: connection.id,
      after: { conference: conferenceId },
    }),
  );
  const begun = await beginReading(em);
  const watched = await watchedInvoices(context, connection, context.clock.now());
  const compared = await compareHeld(context, connection, watched);
  if (!compared.ok) return refused(describeProviderFailure(compared.failure));
  const recorded = await recordChanges(context, connection, toFound(begun, compared, compared.value));
  const changed = recorded.changed.map(({ invoice }) => invoice);
  const seen = await visibleOf(context, [...watched, ...changed]);
  return {
    id: conferenceId,
    failures: [
      ...(recorded.failure ? [describeProviderFailure(recorded.failure)] : []),
      ...(recorded.handedOver > 0 ? [HANDED_OVER] : []),
    ],
    invoicesChecked: watched.filter(({ id }) => seen.has(id)).length,
    invoicesChanged: changed.filter(({ id }) => seen.has(id)).length,
  };
}

/** The ids of those whose purchase orders the caller sees. */
async function visibleOf({ em, actor }: QboContext, invoices: readonly Invoice[]): Promise<ReadonlySet<string>> {
  const ids = invoices.map(({ id }) => id);
  const visible = visiblePurchaseOrders(actor);
  if (!visible || ids.length === 0) return new Set(ids);
  const { sql, params } = whereClause([visible]);
  const rows = await em.execute<{ id: string }[]>(
    `select id from invoice where id in (?) and purchase_order_id in (select id from purchase_order ${sql})`,
    [ids, ...params],
  );
  return new Set(rows.map(({ id }) => id));
}

function refused(failure: QboFailure<ReconcileQboConnectionCode>): ReconcileQboConnectionOutcome {
  return { id: null, failures: [failure], invoicesChecked: null, invoicesChanged: null };
}

/** How many, and whose, is not for everybody who may ask. */
const HANDED_OVER: QboFailure<'INVOICES_FAILED'> = {
  code: 'INVOICES_FAILED',
  message:
    'Some invoices of the company or their payments cannot be recorded as they are. They are tried again as webhook events, whose last error says why.',
  path: [],
};
