import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type QboConnection, QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { beginReading } from '../invoicing/reading-order.js';
import { messageOf } from '../outcome.js';
import type { Found, ProviderPayment } from '../ports/accounting.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { findOwnInvoices, invoicesOfPayments } from '../quickbooks/concerned-invoices.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { readPayments } from '../quickbooks/read-payments.js';
import { notUnderstood, seenPayments } from '../quickbooks/seen-objects.js';
import { type InvoiceSync, syncInvoices } from '../quickbooks/sync-invoices.js';
import { tellsNothingNew } from './event-echo.js';
import type { Verdict } from './event-states.js';
import {
  type ChangedObject,
  failed,
  isInvoiceBeingCreated,
  mustBeRenewed,
  untilReconnected,
  withoutInvoice,
} from './event-verdicts.js';

/**
 * Brings what is booked into line with payments and invoices that changed: the payments are read in one query, then the
 * invoices that they pay or paid together with those that changed themselves. Throws when the reason may be one of them.
 */
export async function followChanges(
  context: QboContext,
  connection: QboConnection,
  objects: readonly ChangedObject[],
): Promise<Map<ChangedObject, Verdict>> {
  if (connection.status === QboConnectionStatus.RECONNECT_REQUIRED) {
    const verdict = untilReconnected(context, mustBeRenewed('QBO'));
    return new Map(objects.map((object) => [object, verdict]));
  }
  const followed = await follow(context, connection, objects);
  return new Map(objects.map((object) => [object, verdictOf(context, object, followed)]));
}

/** What is known after the reading. */
interface Followed {
  readonly payments: ProviderResult<Found<ProviderPayment>>;
  /** QuickBooks' ids of the invoices that a change may affect. */
  readonly concerned: ReadonlyMap<ChangedObject, readonly string[]>;
  /** Ours among them, by QuickBooks' id. */
  readonly invoices: ReadonlyMap<string, Invoice>;
  readonly results: ReadonlyMap<string, InvoiceSync>;
  /** An invoice that is not ours yet may be so in a moment. */
  readonly mayAppear: boolean;
}

async function follow(
  context: QboContext,
  connection: QboConnection,
  objects: readonly ChangedObject[],
): Promise<Followed> {
  // Asked before looking for the invoices: asked afterwards, a creation could be recorded in between.
  const mayAppear = await isInvoiceBeingCreated(context, { provider: 'QBO', id: connection.id });
  const begun = await beginReading(context.em);
  const changedPayments = objects.filter(({ entity }) => entity === 'payment');
  const paymentIds = changedPayments.map(({ externalId }) => externalId);
  const payments = await askForPayments(context, connection, changedPayments);
  const read = payments.ok ? payments.value.objects : [];
  const byPayment = await invoicesOfPayments(context.em, connection, paymentIds, read);
  const concerned = new Map(objects.map((object) => [object, invoicesOf(object, byPayment)]));
  const invoices = await findOwnInvoices(context.em, connection, [...concerned.values()].flat());
  const pending = [...invoices.values()].filter((invoice) => needsReading(invoice, concerned));
  const results = await syncInvoices(context, connection.id, pending, {
    changedPaymentIds: new Set(paymentIds),
    ...(payments.ok && { seen: seenPayments(begun, payments.value) }),
  });
  return { payments, concerned, invoices, results, mayAppear };
}

async function askForPayments(
  context: QboContext,
  connection: QboConnection,
  changed: readonly ChangedObject[],
): Promise<ProviderResult<Found<ProviderPayment>>> {
  const ids = changed.map(({ externalId }) => externalId);
  const deleted = new Set(changed.filter(isDeleted).map(({ externalId }) => externalId));
  const read = await readPayments(context, connection.id, ids, (id) => !deleted.has(id));
  // One bad id can have a whole query refused.
  if (!read.ok && read.failure.kind === 'rejected') throw new Error(read.failure.message);
  return read;
}

function isDeleted({ events }: ChangedObject): boolean {
  return events.some(({ operation }) => operation === 'deleted');
}

function invoicesOf(
  { entity, externalId }: ChangedObject,
  byPayment: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return entity === 'invoice' ? [externalId] : (byPayment.get(externalId) ?? []);
}

function needsReading(invoice: Invoice, concerned: ReadonlyMap<ChangedObject, readonly string[]>): boolean {
  return [...concerned].some(([object, ids]) => ids.includes(String(invoice.externalId)) && !isKnown(object, invoice));
}

function isKnown({ entity, events }: ChangedObject, invoice: Invoice): boolean {
  return entity === 'invoice' && events.every((event) => tellsNothingNew(event, invoice));
}

function verdictOf(context: QboContext, object: ChangedObject, followed: Followed): Verdict {
  const failure = object.entity === 'payment' ? paymentFailure(object.externalId, followed.payments) : undefined;
  if (failure) return failed(context, failure);
  const ids = followed.concerned.get(object) ?? [];
  const own = ids.flatMap((id) => followed.invoices.get(id) ?? []);
  if (own.length === 0) return withoutInvoice(context, ids.length > 0 && followed.mayAppear);
  for (const invoice of own) {
    const result = followed.results.get(invoice.id);
    if (!result || isKnown(object, invoice)) continue;
    if ('failure' in result) return failed(context, result.failure);
    if ('error' in result) return { state: 'FAILED', reason: messageOf(result.error) };
    if (result.mayLag && isPatient(object)) return { state: 'FAILED', reason: UNEXPLAINED };
  }
  return { state: WebhookEventState.DONE };
}

const UNEXPLAINED = 'The payments that QuickBooks shows do not explain the balance of the invoice yet.';

/** More repetitions than the time in which payments may lag has room for. */
const MAX_REPETITIONS = 8;

/** An event whose invoice stays unexplained is done in the end: `attention` of the purchase order tells about it. */
function isPatient({ events }: ChangedObject): boolean {
  return events.some(({ attempts }) => attempts < MAX_REPETITIONS);
}

function paymentFailure(id: string, payments: Followed['payments']): ProviderFailure | undefined {
  if (!payments.ok) return payments.failure;
  return payments.value.unreadableIds.includes(id) ? notUnderstood('payment', id).failure : undefined;
}
