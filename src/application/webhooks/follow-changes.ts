import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { type QboConnection, QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { type WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { Found, ProviderPayment } from '../ports/accounting.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { invoicesOfPayments } from '../quickbooks/invoices-of-payments.js';
import { notUnderstood } from '../quickbooks/payment-collection.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { beginReading } from '../quickbooks/reading-order.js';
import { type InvoiceSync, syncInvoices } from '../quickbooks/sync-invoices.js';
import { tellsNothingNew } from './event-echo.js';
import type { Verdict } from './event-states.js';

/** Something that changed in QuickBooks, and the events that say so. */
export interface ChangedObject {
  readonly entity: string;
  readonly externalId: string;
  readonly events: readonly WebhookEvent[];
}

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
    const verdict = untilReconnected(context, 'The connection to QuickBooks must be renewed first.');
    return new Map(objects.map((object) => [object, verdict]));
  }
  // Asked before looking for the invoices: asked afterwards, a creation could be recorded in between.
  const mayAppear = await isInvoiceBeingCreated(context, connection);
  const begun = await beginReading(context.em);
  const paymentIds = idsOf(objects, 'payment');
  const payments = await readPayments(context, connection, paymentIds);
  const concerned = await concernedInvoices(context, connection, objects, payments);
  const invoices = await findInvoices(context, connection, [...concerned.values()].flat());
  const pending = [...invoices.values()].filter((invoice) => needsReading(invoice, concerned));
  const seenPayments = new Map(payments.ok ? payments.value.objects.map((each) => [each.externalId, each]) : []);
  const seen = {
    begun,
    asOf: undefined,
    invoices: new Map(),
    deletedInvoiceIds: new Set<string>(),
    payments: seenPayments,
  };
  const results = await syncInvoices(context, connection.id, pending, { changedPaymentIds: new Set(paymentIds), seen });
  return new Map(
    objects.map((object) => {
      const ids = concerned.get(object) ?? [];
      const own = ids.flatMap((id) => invoices.get(id) ?? []);
      const failure = object.entity === 'payment' ? failureOf(object.externalId, payments) : undefined;
      if (failure) return [object, failed(context, failure)];
      if (own.length > 0) return [object, verdictOf(context, object, own, results)];
      return [object, withoutInvoice(context, ids.length > 0 && mayAppear)];
    }),
  );
}

function idsOf(objects: readonly ChangedObject[], entity: string): string[] {
  return objects.filter((object) => object.entity === entity).map(({ externalId }) => externalId);
}

async function readPayments(
  { accounting }: QboContext,
  connection: QboConnection,
  ids: readonly string[],
): Promise<ProviderResult<Found<ProviderPayment>>> {
  const read = await accounting.readPayments(connection.id, ids);
  // One bad id can have a whole query refused.
  if (!read.ok && read.failure.kind === 'rejected') throw new Error(read.failure.message);
  return read;
}

function failureOf(paymentId: string, payments: ProviderResult<Found<ProviderPayment>>): ProviderFailure | undefined {
  if (!payments.ok) return payments.failure;
  return payments.value.unreadableIds.includes(paymentId) ? notUnderstood('payment', paymentId) : undefined;
}

/** QuickBooks' ids of the invoices that a change may affect. */
async function concernedInvoices(
  context: QboContext,
  connection: QboConnection,
  objects: readonly ChangedObject[],
  payments: ProviderResult<Found<ProviderPayment>>,
): Promise<Map<ChangedObject, readonly string[]>> {
  const read = payments.ok ? payments.value.objects : [];
  const byPayment = await invoicesOfPayments(context.em, connection, idsOf(objects, 'payment'), read);
  return new Map(
    objects.map((object) => [
      object,
      object.entity === 'invoice' ? [object.externalId] : (byPayment.get(object.externalId) ?? []),
    ]),
  );
}

async function findInvoices(
  { em }: QboContext,
  qboConnection: QboConnection,
  externalIds: readonly string[],
): Promise<Map<string, Invoice>> {
  if (externalIds.length === 0) return new Map();
  const invoices = await em.fork().find(Invoice, { qboConnection, externalId: { $in: [...new Set(externalIds)] } });
  return new Map(invoices.map((invoice) => [String(invoice.externalId), invoice]));
}

function needsReading(invoice: Invoice, concerned: ReadonlyMap<ChangedObject, readonly string[]>): boolean {
  return [...concerned].some(([object, ids]) => ids.includes(String(invoice.externalId)) && !isKnown(object, invoice));
}

function isKnown({ entity, events }: ChangedObject, invoice: Invoice): boolean {
  return entity === 'invoice' && events.every((event) => tellsNothingNew(event, invoice));
}

function verdictOf(
  context: QboContext,
  object: ChangedObject,
  invoices: readonly Invoice[],
  results: ReadonlyMap<string, InvoiceSync>,
): Verdict {
  for (const invoice of invoices) {
    const result = results.get(invoice.id);
    if (!result || isKnown(object, invoice)) continue;
    if (result.status === 'failed') return failed(context, result.failure);
    if (result.status === 'thrown') return { state: 'FAILED', reason: messageOf(result.error) };
  }
  return { state: WebhookEventState.DONE };
}

function withoutInvoice({ waits }: QboContext, mayAppear: boolean): Verdict {
  if (!mayAppear) return { state: WebhookEventState.IGNORED, reason: 'It concerns no invoice of a purchase order.' };
  return { state: 'POSTPONED', ms: waits.eventUntilRecordedMs, reason: 'An invoice is being created.' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(context: QboContext, failure: ProviderFailure): Verdict {
  if (failure.kind === 'reconnect_required') return untilReconnected(context, failure.message);
  return { state: 'FAILED', reason: failure.message };
}

function untilReconnected({ waits }: QboContext, reason: string): Verdict {
  return { state: 'POSTPONED', ms: waits.eventUntilReconnectedMs, reason };
}

/** Our own invoice's event can arrive before its creation is recorded. */
async function isInvoiceBeingCreated(context: QboContext, connection: QboConnection): Promise<boolean> {
  const since = new Date(context.clock.now().getTime() - context.waits.replayWindowMs);
  const open = await context.em.fork().count(ProviderOperation, {
    kind: OperationKind.CREATE_INVOICE,
    connection,
    state: { $in: [OperationState.IN_FLIGHT, OperationState.UNKNOWN] },
    updatedAt: { $gt: since },
  });
  return open > 0;
}
