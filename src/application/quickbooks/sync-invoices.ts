import { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { ProviderFailure } from '../ports/provider.js';
import { announceChanges, qboInbox } from '../webhooks/announce-changes.js';
import { type Reading, recordReading } from './book-reading.js';
import { type Observed, observeInvoices } from './observe-invoices.js';
import type { QboContext } from './qbo-context.js';
import type { KnownChanges } from './seen-objects.js';

/** Each repetition means that another process recorded meanwhile; more than a few is a storm. */
const MAX_READINGS = 5;

export type InvoiceSync =
  /** `mayLag`: it was recorded, and it or its payments may be shown differently in a moment. */
  | { readonly status: 'changed' | 'unchanged'; readonly mayLag: boolean }
  /** `unreadable`: it is this invoice's or its payments' own fault. */
  | { readonly status: 'failed' | 'unreadable'; readonly failure: ProviderFailure }
  /** What was thrown: the invoice or one of its payments is such that it cannot be booked, or it is a bug. */
  | { readonly status: 'thrown'; readonly error: unknown };

/**
 * Reads invoices of one company and their payments from QuickBooks and books the difference to what is booked: new
 * payments, changed ones (reversed and booked anew) and vanished ones (reversed). Each invoice is recorded by itself, so
 * that one that fails does not keep the others from being right; running it again changes nothing. By our ids.
 */
export async function syncInvoices(
  context: QboContext,
  connectionId: string,
  invoices: readonly Invoice[],
  known?: KnownChanges,
): Promise<Map<string, InvoiceSync>> {
  const results = new Map<string, InvoiceSync>();
  let pending = invoices;
  let knowledge = known;
  for (let reading = 1; reading <= MAX_READINGS && pending.length > 0; reading++) {
    const observed = await observeInvoices(context, connectionId, pending, knowledge);
    const overtaken: Invoice[] = [];
    for (const invoice of pending) {
      const outcome = await record(context, invoice, observed.get(String(invoice.externalId)));
      if (outcome.status === 'overtaken') overtaken.push(invoice);
      else results.set(invoice.id, outcome);
    }
    pending = overtaken;
    // What was seen before the recording that overtook it may be older than that.
    knowledge = known && { changedPaymentIds: known.changedPaymentIds };
  }
  const message = 'The invoice kept changing while it was read.';
  for (const { id } of pending) {
    results.set(id, { status: 'failed', failure: { kind: 'unavailable', message, trace: {} } });
  }
  return results;
}

async function record(
  context: QboContext,
  invoice: Invoice,
  observed: Observed<Reading> | undefined,
): Promise<InvoiceSync | { readonly status: 'overtaken' }> {
  if (!observed) throw new Error(`invoice ${invoice.id} was not read`);
  if (!observed.ok) return { status: observed.isUnreadable ? 'unreadable' : 'failed', failure: observed.failure };
  try {
    const status = await recordReading(context, invoice, observed.value);
    return status === 'overtaken' ? { status } : { status, mayLag: observed.value.mayLag };
  } catch (error) {
    return { status: 'thrown', error };
  }
}

/**
 * One invoice with all its payments, whatever is known. Undefined means success; reads that fail change nothing. Where
 * payments may be shown later than their invoice an event is left behind, which looks again.
 */
export async function syncInvoice(context: QboContext, invoiceId: string): Promise<ProviderFailure | undefined> {
  const invoice = await context.em.fork().findOneOrFail(Invoice, invoiceId);
  const { externalId, qboConnection } = invoice;
  if (externalId === null || qboConnection === null) throw new Error(`invoice ${invoice.id} is not in QuickBooks yet`);
  const result = (await syncInvoices(context, qboConnection.id, [invoice])).get(invoice.id);
  if (result?.status === 'thrown') throw result.error;
  if (result && 'mayLag' in result && result.mayLag) {
    const eventId = `lag-${invoice.id}-${context.clock.now().getTime()}`;
    const connection = await qboConnection.loadOrFail();
    await announceChanges(context.em.fork(), context, qboInbox(connection), [
      { eventId, entity: 'invoice', externalId },
    ]);
  }
  return result && 'failure' in result ? result.failure : undefined;
}
