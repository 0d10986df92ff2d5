import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type MinorUnits, ZERO } from '../../domain/money.js';
import { beginReading } from '../invoicing/reading-order.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderTrace } from '../ports/provider.js';
import { appliedAmount, type BookedAmounts, bookedAmounts, unexplainedBy } from './applied-amounts.js';
import type { Reading } from './book-reading.js';
import { PaymentCollection } from './payment-collection.js';
import type { QboContext } from './qbo-context.js';
import { byId, type FailedReading, type KnownChanges, notUnderstood, type SeenObjects } from './seen-objects.js';
import { type FollowedPayment, paymentsToFollow } from './seen-payments.js';

/** An invoice as QuickBooks shows it; undefined when it was deleted. */
interface Snapshot {
  readonly invoice: ProviderInvoice | undefined;
  readonly asOf: Date | undefined;
  readonly trace: ProviderTrace | undefined;
}

export type Observed<T> = { readonly ok: true; readonly value: T } | FailedReading;
type Snapshots = ReadonlyMap<string, Observed<Snapshot>>;

/**
 * Reads invoices and of their payments only those that have to be read, each kind in pages. A booked payment of which no
 * change is known is left alone as long as the sums agree: if they do not, all payments of that invoice are read, unless
 * that explained nothing before. Returns by QuickBooks' ids a reading, or why there is none.
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
  const followed = await followedPayments(context, invoices, snapshots, known);
  const unread = [...followed.values()].flat().filter((id) => !payments.get(id) && !wasAskedFor(id, known));
  await payments.read(
    found.flatMap((invoice) => untrusted(invoice, trusted, payments)),
    unread,
  );
  const recent = recentlyChanged(context, snapshots);
  if (known) {
    const lookedInto = new Map(invoices.map(({ externalId, unexplainedMinor }) => [externalId, unexplainedMinor]));
    const doubtful = found.filter((invoice) => {
      const { externalId } = invoice;
      const difference = unexplainedPart(invoice, trusted.get(externalId), payments);
      return difference !== ZERO && (recent.has(externalId) || difference !== lookedInto.get(externalId));
    });
    for (const { externalId } of doubtful) trusted.delete(externalId);
    await payments.read(doubtful.flatMap((invoice) => invoice.paymentIds));
  }
  return new Map(
    [...snapshots].map(([id, snapshot]) => [
      id,
      snapshot.ok
        ? toReading(payments, {
            ...snapshot.value,
            begun,
            trusted: trusted.get(id),
            followed: followed.get(id) ?? [],
            isRecent: recent.has(id),
          })
        : snapshot,
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
  const snapshot = (id: string): Observed<Snapshot> =>
    seen?.unreadableInvoiceIds.has(id) ? notUnderstood('invoice', id) : observed(seen?.invoices.get(id), seen);
  return new Map(ids.map((id) => [id, read.get(id) ?? snapshot(id)]));
}

function observed(
  invoice: ProviderInvoice | undefined,
  answer: { readonly asOf?: Date | undefined; readonly trace?: ProviderTrace | undefined } | undefined,
): Observed<Snapshot> {
  return { ok: true, value: { invoice, asOf: answer?.asOf, trace: answer?.trace } };
}

async function readSnapshots(
  { accounting }: QboContext,
  connectionId: string,
  ids: readonly string[],
): Promise<Snapshots> {
  if (ids.length === 0) return new Map();
  const read = await accounting.readInvoices(connectionId, ids);
  if (!read.ok) return new Map(ids.map((id) => [id, { ...read, isUnreadable: false }]));
  const found = byId(read.value);
  const unreadable = new Set(read.value.unreadableIds);
  const snapshot = (id: string) => (unreadable.has(id) ? notUnderstood('invoice', id) : observed(found.get(id), read));
  return new Map(ids.map((id) => [id, snapshot(id)]));
}

function foundIn(snapshots: Snapshots): ProviderInvoice[] {
  return [...snapshots.values()].flatMap((snapshot) =>
    snapshot.ok && snapshot.value.invoice ? [snapshot.value.invoice] : [],
  );
}

/** Ids of the invoices that changed so lately that their payments may still be shown as they were before. */
function recentlyChanged({ waits }: QboContext, snapshots: Snapshots): Set<string> {
  const isRecent = ({ invoice, asOf }: Snapshot) =>
    asOf && invoice?.changedAt && asOf.getTime() - invoice.changedAt.getTime() < waits.paymentLagMs;
  return new Set([...snapshots].flatMap(([id, each]) => (each.ok && isRecent(each.value) ? [id] : [])));
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

/**
 * By invoice: the payments that it lists no longer and that have to be read. One that is still booked there changed, so
 * it always is; one of which only a rest is left, when nothing or its change is known; one that was taken for deleted,
 * when it is told of.
 */
async function followedPayments(
  { em }: QboContext,
  [first]: readonly Invoice[],
  snapshots: Snapshots,
  known: KnownChanges | undefined,
): Promise<Map<string, string[]>> {
  if (!first) return new Map();
  const candidates = await paymentsToFollow(em, first.companyId, [...snapshots.keys()]);
  const isToRead = ({ invoice, payment, isStanding, hasRest }: FollowedPayment) => {
    const snapshot = snapshots.get(invoice);
    if (!snapshot?.ok || snapshot.value.invoice?.paymentIds.includes(payment)) return false;
    return isStanding || (known ? known.changedPaymentIds.has(payment) : hasRest);
  };
  const byInvoice = Map.groupBy(candidates.filter(isToRead), ({ invoice }) => invoice);
  return new Map([...byInvoice].map(([id, rows]) => [id, rows.map(({ payment }) => payment)]));
}

/** What was asked for and is not among what was seen does not exist any more. */
function wasAskedFor(paymentId: string, known: KnownChanges | undefined): boolean {
  return known?.seen !== undefined && known.changedPaymentIds.has(paymentId);
}

function untrusted(
  { externalId, paymentIds }: ProviderInvoice,
  trusted: ReadonlyMap<string, BookedAmounts>,
  payments: PaymentCollection,
): string[] {
  return paymentIds.filter((id) => !trusted.get(externalId)?.has(id) && !payments.get(id));
}

function unexplainedPart(
  invoice: ProviderInvoice,
  booked: BookedAmounts = new Map(),
  payments: PaymentCollection,
): MinorUnits {
  const { externalId, paymentIds } = invoice;
  const read = paymentIds.flatMap((id) => (booked.has(id) ? [] : (payments.get(id) ?? [])));
  const amounts = [...booked.values(), ...read.map((payment) => appliedAmount(payment, externalId))];
  return unexplainedBy(amounts, invoice);
}

const INCOMPLETE: FailedReading = {
  ok: false,
  isUnreadable: false,
  failure: { kind: 'unavailable', message: 'QuickBooks did not show a payment that its invoice lists.', trace: {} },
};

interface Observation extends Snapshot {
  readonly begun: bigint;
  readonly trusted: BookedAmounts | undefined;
  /** Ids of the payments that it lists no longer. */
  readonly followed: readonly string[];
  readonly isRecent: boolean;
}

function toReading(
  payments: PaymentCollection,
  { invoice, asOf, trace, begun, trusted, followed, isRecent }: Observation,
): Observed<Reading> {
  const asBooked = new Set(trusted?.keys());
  const listed = (invoice?.paymentIds ?? []).filter((id) => !asBooked.has(id));
  const failure = payments.failureOf([...listed, ...followed]);
  if (failure) return failure;
  // One that the invoice lists exists: an answer without it is no proof of anything.
  if (listed.some((id) => !payments.get(id))) return INCOMPLETE;
  const read = (ids: readonly string[]) => ids.flatMap((id) => payments.get(id) ?? []);
  const deletedPaymentIds = followed.filter((id) => !payments.get(id));
  const unexplained = invoice ? unexplainedPart(invoice, trusted, payments) : ZERO;
  const mayLag = isRecent && unexplained !== ZERO;
  const facts = { payments: read(listed), followedPayments: read(followed), deletedPaymentIds, asBooked };
  return { ok: true, value: { invoice, ...facts, unexplained, mayLag, begun, asOf, trace } };
}
