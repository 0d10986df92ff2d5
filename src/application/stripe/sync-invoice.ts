import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { isBeingMade } from '../../domain/invoice/invoice.status.js';
import { accountCompanyId, type StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { beginReading } from '../invoicing/reading-order.js';
import { isNotFound, type ProviderFailure, type ProviderResult, succeeded } from '../ports/provider.js';
import { recordStripeReading, type StripeReading, unexplainedOf } from './book-stripe-reading.js';
import type { StripeContext } from './stripe-context.js';

/** Each repetition means that another process recorded meanwhile; more than a few is a storm. */
const MAX_READINGS = 5;

/** Reads the invoice from Stripe and books what changed; the failure, if it could not be read. */
export async function syncStripeInvoice(
  context: StripeContext,
  invoiceId: string,
): Promise<ProviderFailure | undefined> {
  const populate = ['stripeConnection.conference'] as const;
  const invoice = await context.em.fork().findOneOrFail(Invoice, invoiceId, { populate });
  const connection = invoice.stripeConnection?.unwrap();
  if (!connection || invoice.externalId === null) throw new Error(`invoice ${invoiceId} is not in Stripe yet`);
  return syncWith(context, connection, invoice);
}

/**
 * Reads an invoice and books the difference to what is booked: new payments, those of which a part was given back (reversed
 * and booked anew) and those that are gone (reversed). Running it again changes nothing.
 *
 * @param connection with its conference, whose time zone tells on which day something was paid
 */
export async function syncWith(
  context: StripeContext,
  connection: StripeConnection,
  invoice: Invoice,
): Promise<ProviderFailure | undefined> {
  // Whoever makes it records it, and nothing can be paid on a draft.
  if (isBeingMade(invoice.status)) return undefined;
  // Another account does not know the invoice, which must not be taken for its deletion.
  if (invoice.companyId !== accountCompanyId(connection)) return otherAccount(connection);
  for (let reading = 1; reading <= MAX_READINGS; reading++) {
    const read = await readAll(context, connection.id, invoice);
    if (!read.ok) return read.failure;
    if (read.value.seen?.invoice.status === 'DRAFT') return undefined;
    const { timezone } = connection.conference.unwrap();
    if ((await recordStripeReading(context, invoice, timezone, read.value)) !== 'overtaken') return undefined;
  }
  return { kind: 'unavailable', message: 'The invoice kept changing while it was read.', trace: {} };
}

/**
 * A reading takes several calls. Where the payments do not explain the balance it is repeated, once and if that is news:
 * something may have come in between two calls.
 */
async function readAll(
  context: StripeContext,
  connectionId: string,
  invoice: Invoice,
): Promise<ProviderResult<StripeReading>> {
  const first = await readOnce(context, connectionId, invoice);
  if (!first.ok || !first.value.seen) return first;
  const unexplained = unexplainedOf(first.value.seen);
  const isExpected = unexplained === 0n || unexplained === invoice.unexplainedMinor;
  return isExpected ? first : readOnce(context, connectionId, invoice);
}

async function readOnce(
  { em, billing }: StripeContext,
  connectionId: string,
  { externalId }: Invoice,
): Promise<ProviderResult<StripeReading>> {
  const begun = await beginReading(em);
  const read = await billing.readInvoice(connectionId, String(externalId));
  if (read.ok) return succeeded({ seen: read.value, begun, asOf: read.asOf, trace: read.trace });
  if (!isNotFound(read.failure)) return read;
  return succeeded({ seen: undefined, begun, asOf: undefined, trace: read.failure.trace });
}

function otherAccount({ accountId }: StripeConnection): ProviderFailure {
  const message = `The invoice was made in another Stripe account than ${accountId}, or in its other mode.`;
  return { kind: 'rejected', reason: 'permission', code: undefined, message, trace: {} };
}
