import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { Found, ProviderRefundReceipt } from '../ports/accounting.js';
import type { ProviderFailure } from '../ports/provider.js';
import { type AnnouncedChange, announceChanges, qboInbox } from '../webhooks/announce-changes.js';
import { findOwnInvoices, invoicesOfPayments, invoicesPaidBy } from './concerned-invoices.js';
import { noteRefundReceipt } from './note-refund-receipt.js';
import type { QboContext } from './qbo-context.js';
import type { SeenObjects } from './seen-objects.js';
import { type InvoiceSync, syncInvoices } from './sync-invoices.js';

/** Changes that were found without anybody announcing them. */
export interface FoundChanges extends SeenObjects {
  readonly deletedPaymentIds: ReadonlySet<string>;
  readonly refundReceipts: Found<ProviderRefundReceipt>;
  /** When objects changed, by QuickBooks' clock, as far as it is known; by `invoice` or `payment` and id. */
  readonly changedAt: ReadonlyMap<string, Date>;
}

export interface RecordedChanges {
  /** The invoices that were not as recorded, with the latest known time of their change. */
  readonly changed: readonly { readonly invoice: Invoice; readonly changedAt: Date | undefined }[];
  /** Invoices and refund receipts that cannot be recorded as they are; they were given to the worker of events. */
  readonly handedOver: number;
  /** QuickBooks could not be asked about some: the rest was recorded. */
  readonly failure: ProviderFailure | undefined;
}

/** Records found changes as far as they concern our invoices, and notes refund receipts on the orders that they name. */
export async function recordChanges(
  context: QboContext,
  connection: QboConnection,
  found: FoundChanges,
): Promise<RecordedChanges> {
  const paymentIds = [...found.payments.keys(), ...found.deletedPaymentIds, ...found.unreadablePaymentIds];
  const byPayment = await invoicesOfPayments(context.em, connection, paymentIds, found.payments.values());
  const paymentsOf = invert(byPayment);
  const { deletedInvoiceIds } = found;
  const ids = [...found.invoices.keys(), ...found.unreadableInvoiceIds, ...deletedInvoiceIds, ...paymentsOf.keys()];
  const invoices = [...(await findOwnInvoices(context.em, connection, ids)).values()];
  // One to which a payment is still applied is read, whatever else says that it is gone: all its bookings are at stake.
  const paid = new Set([...found.payments.values()].flatMap(invoicesPaidBy));
  const seen = { ...found, deletedInvoiceIds: deletedInvoiceIds.difference(paid) };
  const known = { changedPaymentIds: new Set(paymentIds), seen };
  const results = await syncInvoices(context, connection.id, invoices, known);
  const poisonous = withStatus(invoices, results, 'unreadable', 'thrown');
  // What cannot be recorded would hold up everything after it if it were simply tried again.
  const handedOver = [
    ...poisonous.map(({ externalId }) => toAnnounce(found, 'invoice', String(externalId))),
    ...found.refundReceipts.unreadableIds.map((id) => toAnnounce(found, 'refundreceipt', id)),
  ];
  const lagging = invoices.filter(({ id }) => mayLag(results.get(id)));
  const again = lagging.map(({ externalId }) => toAnnounce(found, 'invoice', String(externalId)));
  await announceChanges(context.em.fork(), context, qboInbox(connection), [...handedOver, ...again]);
  const { trace } = found;
  for (const receipt of found.refundReceipts.objects) {
    await noteRefundReceipt(context, connection, { receipt, trace });
  }
  const changed = withStatus(invoices, results, 'changed');
  return {
    changed: changed.map((invoice) => ({ invoice, changedAt: latestChange(invoice, paymentsOf, found) })),
    handedOver: handedOver.length,
    failure: [...results.values()].flatMap((each) => (each.status === 'failed' ? [each.failure] : []))[0],
  };
}

function mayLag(result: InvoiceSync | undefined): boolean {
  return result !== undefined && 'mayLag' in result && result.mayLag;
}

function toAnnounce({ begun }: FoundChanges, entity: AnnouncedChange['entity'], externalId: string): AnnouncedChange {
  return { eventId: `${begun}-${entity}-${externalId}`, entity, externalId };
}

function withStatus(
  invoices: readonly Invoice[],
  results: ReadonlyMap<string, InvoiceSync>,
  ...statuses: InvoiceSync['status'][]
): Invoice[] {
  return invoices.filter(({ id }) => {
    const result = results.get(id);
    return result !== undefined && statuses.includes(result.status);
  });
}

function invert(byPayment: ReadonlyMap<string, readonly string[]>): Map<string, readonly string[]> {
  const pairs = [...byPayment].flatMap(([payment, invoices]) => invoices.map((invoice) => ({ payment, invoice })));
  const byInvoice = Map.groupBy(pairs, ({ invoice }) => invoice);
  return new Map([...byInvoice].map(([invoice, group]) => [invoice, group.map(({ payment }) => payment)]));
}

function latestChange(
  { externalId }: Invoice,
  paymentsOf: ReadonlyMap<string, readonly string[]>,
  { changedAt }: FoundChanges,
): Date | undefined {
  const id = String(externalId);
  const keys = [`invoice ${id}`, ...(paymentsOf.get(id) ?? []).map((payment) => `payment ${payment}`)];
  const times = keys.flatMap((key) => changedAt.get(key) ?? []);
  return times.toSorted((left, right) => right.getTime() - left.getTime())[0];
}
