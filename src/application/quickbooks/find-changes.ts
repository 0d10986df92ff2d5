import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { beginReading } from '../invoicing/reading-order.js';
import type { DeletedObject, Found, ProviderChanges } from '../ports/accounting.js';
import { type ProviderFailure, type ProviderResult, type ProviderTrace, succeeded } from '../ports/provider.js';
import { compareInvoices, watchedInvoices } from './compare-invoices.js';
import { compareRests } from './compare-rests.js';
import type { QboContext } from './qbo-context.js';
import type { FoundChanges } from './record-changes.js';
import { byId } from './seen-objects.js';

export type ChangesResult =
  | { readonly ok: true; readonly value: FoundChanges }
  | { readonly ok: false; readonly failure: ProviderFailure };

/**
 * Everything that changed in a company since then. Change data capture tells it in one read, unless it was too long ago
 * or too much; queries tell the same with a read for each thousand objects. Deletions, which leave nothing that a query
 * could find, show when the invoices that we watch are looked at.
 */
export async function findChanges(context: QboContext, connection: QboConnection, since: Date): Promise<ChangesResult> {
  const begun = await beginReading(context.em);
  const isInReach = context.clock.now().getTime() - since.getTime() < context.waits.changeDataReachMs;
  if (isInReach) {
    const read = await context.accounting.readChanges(connection.id, since);
    if (!read.ok) return read;
    if (!read.value.mayBeIncomplete) return { ok: true, value: toFound(begun, read, read.value) };
  }
  return queryChanges(context, connection, since, begun);
}

async function queryChanges(
  context: QboContext,
  connection: QboConnection,
  since: Date,
  begun: bigint,
): Promise<ChangesResult> {
  const { accounting } = context;
  const invoices = await accounting.findChangedInvoices(connection.id, since);
  if (!invoices.ok) return invoices;
  const payments = await accounting.findChangedPayments(connection.id, since);
  if (!payments.ok) return payments;
  const refundReceipts = await accounting.findChangedRefundReceipts(connection.id, since);
  if (!refundReceipts.ok) return refundReceipts;
  const found = new Set([
    ...invoices.value.objects.map(({ externalId }) => externalId),
    ...invoices.value.unreadableIds,
  ]);
  const watched = await watchedInvoices(context, connection, since);
  const rest = watched.filter(({ externalId }) => !found.has(String(externalId)));
  const compared = await compareHeld(context, connection, rest);
  if (!compared.ok) return compared;
  const asOf = earliest([invoices.asOf, payments.asOf, refundReceipts.asOf, compared.asOf]);
  const changes = {
    ...compared.value,
    invoices: joined(invoices.value, compared.value.invoices),
    payments: joined(payments.value, compared.value.payments),
    refundReceipts: refundReceipts.value,
  };
  return { ok: true, value: toFound(begun, { asOf, trace: invoices.trace }, changes) };
}

type Changes = Omit<ProviderChanges, 'mayBeIncomplete'>;

/**
 * Compares invoices, and the rests of payments, with what we hold of them. In the words of change data capture, which
 * alone knows when something was deleted.
 */
export async function compareHeld(
  context: QboContext,
  connection: QboConnection,
  held: readonly Invoice[],
): Promise<ProviderResult<Changes>> {
  const invoices = await compareInvoices(context, connection, held);
  if (!invoices.ok) return invoices;
  const rests = await compareRests(context, connection);
  if (!rests.ok) return rests;
  const changes = {
    invoices: invoices.value.changed,
    payments: rests.value.changed,
    refundReceipts: { objects: [], unreadableIds: [] },
    deletedInvoices: invoices.value.deletedIds.map(atUnknownTime),
    deletedPayments: rests.value.deletedIds.map(atUnknownTime),
  };
  return succeeded(changes, invoices.trace, invoices.asOf);
}

function atUnknownTime(externalId: string): DeletedObject {
  return { externalId, changedAt: undefined };
}

function joined<T>(left: Found<T>, right: Found<T>): Found<T> {
  return {
    objects: [...left.objects, ...right.objects],
    unreadableIds: [...left.unreadableIds, ...right.unreadableIds],
  };
}

export function toFound(
  begun: bigint,
  { asOf, trace }: { readonly asOf?: Date | undefined; readonly trace: ProviderTrace },
  { invoices, payments, refundReceipts, deletedInvoices, deletedPayments }: Changes,
): FoundChanges {
  return {
    begun,
    asOf,
    trace,
    invoices: byId(invoices),
    unreadableInvoiceIds: new Set(invoices.unreadableIds),
    deletedInvoiceIds: idsOf(deletedInvoices),
    payments: byId(payments),
    unreadablePaymentIds: new Set(payments.unreadableIds),
    deletedPaymentIds: idsOf(deletedPayments),
    refundReceipts,
    changedAt: new Map([
      ...timesOf('invoice', [...invoices.objects, ...deletedInvoices]),
      ...timesOf('payment', [...payments.objects, ...deletedPayments]),
    ]),
  };
}

function idsOf(deleted: readonly DeletedObject[]): Set<string> {
  return new Set(deleted.map(({ externalId }) => externalId));
}

function timesOf(
  kind: 'invoice' | 'payment',
  objects: readonly { readonly externalId: string; readonly changedAt?: Date | undefined }[],
): [string, Date][] {
  return objects.flatMap(({ externalId, changedAt }) => (changedAt ? [[`${kind} ${externalId}`, changedAt]] : []));
}

function earliest(times: readonly (Date | undefined)[]): Date | undefined {
  return times.filter((time) => time !== undefined).toSorted((left, right) => left.getTime() - right.getTime())[0];
}
