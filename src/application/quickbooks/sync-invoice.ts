import { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { ProviderPayment } from '../ports/accounting.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { type Reading, recordReading } from './book-reading.js';
import type { QboContext } from './qbo-context.js';
import { paymentsToFollow } from './seen-payments.js';

/** Each repetition means that another process recorded a newer reading meanwhile; more than a few is a storm. */
const MAX_READINGS = 5;

/**
 * Reads an invoice and its payments from QuickBooks and books the difference to what is booked: new payments, changed
 * ones (reversed and booked anew) and vanished ones (reversed). Running it again changes nothing. Undefined means
 * success; reads that fail change nothing.
 */
export async function syncInvoice(context: QboContext, invoiceId: string): Promise<ProviderFailure | undefined> {
  for (let reading = 1; reading <= MAX_READINGS; reading++) {
    const invoice = await context.em.fork().findOneOrFail(Invoice, invoiceId);
    const read = await readProvider(context, invoice);
    if (!read.ok) return read.failure;
    if (await recordReading(context, invoice, read.value)) return undefined;
  }
  return { kind: 'unavailable', message: 'The invoice kept changing while it was read.', trace: {} };
}

async function readProvider(context: QboContext, invoice: Invoice): Promise<ProviderResult<Reading>> {
  const { externalId, qboConnection } = invoice;
  if (externalId === null || qboConnection === null) throw new Error(`invoice ${invoice.id} is not in QuickBooks yet`);
  const read = await context.accounting.readInvoice(qboConnection.id, externalId);
  const isDeleted = !read.ok && read.failure.kind === 'rejected' && read.failure.reason === 'not_found';
  if (!read.ok && !isDeleted) return read;
  const listed = read.ok ? read.value.paymentIds : [];
  const followed = await paymentsToFollow(context.em.fork(), invoice);
  const payments = await readPayments(context, qboConnection.id, [...listed, ...followed]);
  if (!payments.ok) return payments;
  const found = new Set(payments.value.map((payment) => payment.externalId));
  // One that the invoice lists exists, even if the query did not show it.
  const deletedPaymentIds = followed.filter((id) => !found.has(id) && !listed.includes(id));
  const value = { invoice: read.ok ? read.value : undefined, payments: payments.value, deletedPaymentIds };
  return { ...payments, value };
}

async function readPayments(
  context: QboContext,
  connectionId: string,
  paymentIds: readonly string[],
): Promise<ProviderResult<readonly ProviderPayment[]>> {
  if (paymentIds.length === 0) return { ok: true, value: [], trace: {} };
  return context.accounting.readPayments(connectionId, paymentIds);
}
