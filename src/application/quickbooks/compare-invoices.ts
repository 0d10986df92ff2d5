import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus, InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { companyIdOf, type QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { Found, ProviderInvoice } from '../ports/accounting.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import { type BookedAmounts, bookedAmounts, unexplainedBy } from './applied-amounts.js';
import type { QboContext } from './qbo-context.js';

/**
 * The invoices whose money can still change: live ones with an open balance, and paid ones of which we heard within
 * `settledAfterMs` before that moment. Looking at all the others, too, would cost more with every year.
 */
export async function watchedInvoices(
  { em, waits }: QboContext,
  qboConnection: QboConnection,
  moment: Date,
): Promise<Invoice[]> {
  const settledSince = new Date(moment.getTime() - waits.settledAfterMs);
  return em.fork().find(Invoice, {
    qboConnection,
    externalId: { $ne: null },
    $or: [
      { status: { $nin: [InvoiceStatus.PAID, InvoiceStatus.VOIDED, InvoiceStatus.DELETED] } },
      { status: InvoiceStatus.PAID, lastSyncedAt: { $gte: settledSince } },
    ],
  });
}

export interface InvoicesComparison {
  /** Those that are not as we have them; the unreadable ones may be. */
  readonly changed: Found<ProviderInvoice>;
  readonly deletedIds: readonly string[];
}

/**
 * Looks at invoices, 500 in a read, and tells which ones changed. A payment that is added, removed or changes its amount
 * changes the balance of its invoice; its date alone shows only where payments are asked for.
 */
export async function compareInvoices(
  { accounting, em }: QboContext,
  connection: QboConnection,
  invoices: readonly Invoice[],
): Promise<ProviderResult<InvoicesComparison>> {
  const ids = invoices.map(({ externalId }) => String(externalId));
  const read = await accounting.readInvoices(connection.id, ids);
  if (!read.ok) return read;
  const { objects, unreadableIds } = read.value;
  const stored = new Map(invoices.map((invoice) => [String(invoice.externalId), invoice]));
  const present = new Set([...objects.map(({ externalId }) => externalId), ...unreadableIds]);
  const booked = await bookedAmounts(em, companyIdOf(connection), ids);
  const changed = objects.filter((answer) => {
    const invoice = stored.get(answer.externalId);
    return !invoice || isChanged(invoice, answer) || !isBooked(invoice, answer, booked.get(answer.externalId));
  });
  const deletedIds = ids.filter((id) => !present.has(id));
  return succeeded({ changed: { objects: changed, unreadableIds }, deletedIds }, read.trace, read.asOf);
}

/**
 * Answers to our own writes also tell of payments, of which only a reading books anything. A payment that was replaced by
 * another one of the same amount leaves the balance as it is.
 */
function isBooked(stored: Invoice, answer: ProviderInvoice, booked: BookedAmounts = new Map()): boolean {
  const isListed = [...booked.keys()].every((id) => answer.paymentIds.includes(id));
  return isListed && unexplainedBy([...booked.values()], answer) === stored.unexplainedMinor;
}

/** The version counter alone does not tell: e-mailing an invoice leaves it as it is. */
function isChanged(stored: Invoice, answer: ProviderInvoice): boolean {
  return (
    stored.syncToken !== answer.syncToken ||
    stored.totalMinor !== answer.total ||
    stored.balanceMinor !== answer.balance ||
    stored.currencyCode !== answer.currency ||
    stored.emailStatus !== EmailStatus[answer.emailStatus]
  );
}
