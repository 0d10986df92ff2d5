import type { BillingInvoiceReading, BillingPayment } from '../../application/ports/billing.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { type MinorUnits, subtract, ZERO } from '../../domain/money.js';
import type { StripeSession } from './client.js';
import { UNREADABLE } from './failures.js';
import { type FoundInvoice, readInvoiceCall } from './invoices.js';
import {
  type Credited,
  creditNotesListing,
  disputedChargeOf,
  disputesListing,
  dividedIntentOf,
  type GivenBack,
  type InvoicePaymentDocument,
  invoicePaymentsListing,
  isFromOutside,
  lessOutside,
  paidInvoicesListing,
  toBillingPayment,
  toCredited,
} from './payments.js';

/** The invoice first: what happens while the rest is read is told by an event of its own. */
export async function readInvoice(
  session: StripeSession,
  externalId: string,
): Promise<ProviderResult<BillingInvoiceReading>> {
  const found = await session.call(readInvoiceCall(externalId));
  if (!found.ok) return found;
  const { invoice, hasCredits } = found.value;
  const payments = await readPayments(session, found.value);
  if (!payments.ok) return payments;
  const credited = hasCredits ? await readCredits(session, externalId) : succeeded({ credits: [], outside: ZERO });
  if (!credited.ok) return credited;
  const { credits, outside } = credited.value;
  return succeeded({ invoice, payments: lessOutside(payments.value, outside), credits }, found.trace, found.asOf);
}

async function readPayments(session: StripeSession, found: FoundInvoice): Promise<ProviderResult<BillingPayment[]>> {
  const listed = await session.list(invoicePaymentsListing(found.invoice.externalId));
  if (!listed.ok) return listed;
  const payments: BillingPayment[] = [];
  let unlisted = found.paidOutside;
  for (const document of listed.value.toReversed()) {
    const givenBack = await readGivenBack(session, document);
    if (!givenBack.ok) return givenBack;
    const payment = toBillingPayment(document, givenBack.value);
    if (!payment) return failed(unreadable(listed.trace));
    payments.push(payment);
    if (isFromOutside(document)) unlisted = subtract(unlisted, payment.amount);
  }
  return succeeded(unlisted > ZERO ? [...payments, paymentFromOutside(found, unlisted)] : payments);
}

/** An invoice that somebody marked as paid outside of Stripe says how much, and need not have a payment for it. */
function paymentFromOutside({ invoice, paidAt }: FoundInvoice, amount: MinorUnits): BillingPayment {
  return {
    externalId: `${invoice.externalId}:outside`,
    paymentIntentId: undefined,
    status: 'PAID',
    amount,
    refunded: ZERO,
    isDisputed: false,
    paidAt: paidAt ?? invoice.createdAt,
  };
}

async function readGivenBack(
  session: StripeSession,
  document: InvoicePaymentDocument,
): Promise<ProviderResult<GivenBack>> {
  const chargeId = disputedChargeOf(document);
  const disputes = chargeId === undefined ? succeeded([]) : await session.list(disputesListing(chargeId));
  if (!disputes.ok) return disputes;
  const intentId = dividedIntentOf(document, disputes.value);
  const links = intentId === undefined ? succeeded([]) : await session.list(paidInvoicesListing(intentId));
  if (!links.ok) return links;
  return succeeded({ disputes: disputes.value, links: links.value });
}

async function readCredits(session: StripeSession, externalId: string): Promise<ProviderResult<Credited>> {
  const listed = await session.list(creditNotesListing(externalId));
  if (!listed.ok) return listed;
  const credited = toCredited(listed.value);
  return credited ? succeeded(credited) : failed(unreadable(listed.trace));
}

function unreadable(trace: ProviderFailure['trace']): ProviderFailure {
  return { kind: 'unavailable', message: UNREADABLE, trace };
}
