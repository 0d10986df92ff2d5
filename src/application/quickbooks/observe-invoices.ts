import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderResult } from '../ports/provider.js';
import { appliedAmount, type BookedAmounts, bookedAmounts, explainsBalance } from './applied-amounts.js';
import type { Reading } from './book-reading.js';
import { PaymentCollection } from './payment-collection.js';
import type { QboContext } from './qbo-context.js';
import { beginReading } from './reading-order.js';
import { byId, type FailedReading, type KnownChanges, notUnderstood, type SeenObjects } from './seen-objects.js';

/** An invoice as QuickBooks shows it; undefined when it was deleted. */
interface Snapshot {
  readonly invoice: ProviderInvoice | undefined;
  readonly asOf: Date | undefined;
}

export type Observed<T> = { readonly ok: true; readonly value: T } | FailedReading;
type Snapshots = ReadonlyMap<string, Observed<Snapshot>>;

/**
 * Reads invoices and of their payments only those that have to be read, each kind in pages. A booked payment of which no
 * change is known is left alone as long as the sums agree: if they do not, all payments of that invoice are read. Returns
 * by QuickBooks' ids a reading, or why there is none.
 */
export async function observeInvoices(
  context: QboContext,
  connectionId: string,
  invoices: readonly Invoice[],
  known?: KnownChanges,
): Promise<Map<string, Observed<Reading>>> {
  const begun = known?.seen?.begun ?? (await beginReading(context.em));
  const ids = invoices.map((invoice) => String(invoice.externalId));
  const snapshots = await takeSnapshots(context, connectionId, ids, known?.seen);
  const found = foundIn(snapshots);
  const trusted = known ? await trustBookings(context, invoices, found, known) : new Map<string, BookedAmounts>();
  const payments = new PaymentCollection(context, connectionId, known?.seen);
  await payments.read(found.flatMap((invoice) => untrusted(invoice, trusted, payments)));
  if (known) {
    const doubtful = found.filter((invoice) => !isExplained(invoice, trusted, payments));
    for (const { externalId } of doubtful) trusted.delete(externalId);
    await payments.read(doubtful.flatMap((invoice) => invoice.paymentIds));
  }
  return new Map(
    [...snapshots].map(([id, snapshot]) => [
      id,
      snapshot.ok ? toReading(begun, snapshot.value, trusted.get(id), payments) : snapshot,
    ]),
  );
}

async function takeSnapshots(
  context: QboContext,
  connectionId: string,
  ids: readonly string[],
  seen: SeenObjects | undefined,
): Promise<Snapshots> {
  const isSeen = (id: string) =>
    seen?.invoices.has(id) || seen?.deletedInvoiceIds.has(id) || seen?.unreadableInvoiceIds.has(id);
  const unseen = ids.filter((id) => !isSeen(id));
  const read = await readSnapshots(context, connectionId, unseen);
  const asOf = seen?.asOf;
  const snapshot = (id: string): Observed<Snapshot> =>
    seen?.unreadableInvoiceIds.has(id) ? notUnderstood('invoice', id) : observed(seen?.invoices.get(id), asOf);
  return new Map(ids.map((id) => [id, read.get(id) ?? snapshot(id)]));
}

function observed(invoice: ProviderInvoice | undefined, asOf: Date | undefined): Observed<Snapshot> {
  return { ok: true, value: { invoice, asOf } };
}

/** A single invoice is read as such: QuickBooks then tells a deleted one from a failed search. */
async function readSnapshots(
  { accounting }: QboContext,
  connectionId: string,
  ids: readonly string[],
): Promise<Snapshots> {
  const [only] = ids;
  if (only === undefined) return new Map();
  if (ids.length === 1) return new Map([[only, toSnapshot(await accounting.readInvoice(connectionId, only))]]);
  const read = await accounting.readInvoices(connectionId, ids);
  if (!read.ok) return new Map(ids.map((id) => [id, { ...read, isUnreadable: false }]));
  const found = byId(read.value);
  const unreadable = new Set(read.value.unreadableIds);
  const snapshot = (id: string) =>
    unreadable.has(id) ? notUnderstood('invoice', id) : observed(found.get(id), read.asOf);
  return new Map(ids.map((id) => [id, snapshot(id)]));
}

function toSnapshot(read: ProviderResult<ProviderInvoice>): Observed<Snapshot> {
  if (read.ok) return observed(read.value, read.asOf);
  const isDeleted = read.failure.kind === 'rejected' && read.failure.reason === 'not_found';
  return isDeleted ? observed(undefined, undefined) : { ...read, isUnreadable: false };
}

function foundIn(snapshots: Snapshots): ProviderInvoice[] {
  return [...snapshots.values()].flatMap((snapshot) =>
    snapshot.ok && snapshot.value.invoice ? [snapshot.value.invoice] : [],
  );
}

/** By invoice: the linked payments that are booked and not known to have changed, with what is booked of them. */
async function trustBookings(
  { em }: QboContext,
  [first]: readonly Invoice[],
  found: readonly ProviderInvoice[],
  { changedPaymentIds }: KnownChanges,
): Promise<Map<string, BookedAmounts>> {
  if (!first) return new Map();
  const ids = found.map((invoice) => invoice.externalId);
  const booked = await bookedAmounts(em, first.companyId, ids);
  return new Map(
    found.map(({ externalId, paymentIds }) => {
      const linked = new Set(paymentIds);
      const amounts = [...(booked.get(externalId) ?? [])];
      return [externalId, new Map(amounts.filter(([id]) => linked.has(id) && !changedPaymentIds.has(id)))];
    }),
  );
}

function untrusted(
  { externalId, paymentIds }: ProviderInvoice,
  trusted: ReadonlyMap<string, BookedAmounts>,
  payments: PaymentCollection,
): string[] {
  return paymentIds.filter((id) => !trusted.get(externalId)?.has(id) && !payments.get(id));
}

function isExplained(
  invoice: ProviderInvoice,
  trusted: ReadonlyMap<string, BookedAmounts>,
  payments: PaymentCollection,
): boolean {
  const { externalId, paymentIds } = invoice;
  const booked = trusted.get(externalId) ?? new Map();
  const read = paymentIds.flatMap((id) => (booked.has(id) ? [] : (payments.get(id) ?? [])));
  const amounts = [...booked.values(), ...read.map((payment) => appliedAmount(payment, externalId))];
  return explainsBalance(amounts, invoice);
}

function toReading(
  begun: bigint,
  { invoice, asOf }: Snapshot,
  trusted: BookedAmounts | undefined,
  payments: PaymentCollection,
): Observed<Reading> {
  const asBooked = new Set(trusted?.keys());
  const read = (invoice?.paymentIds ?? []).filter((id) => !asBooked.has(id));
  const failure = payments.failureOf(read);
  if (failure) return failure;
  const found = read.flatMap((id) => payments.get(id) ?? []);
  return { ok: true, value: { invoice, payments: found, asBooked, begun, asOf } };
}
