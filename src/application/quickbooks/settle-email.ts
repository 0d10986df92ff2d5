import { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { asRequester } from '../context.js';
import type { DeliveringProvider, UnsettledEmail } from '../invoicing/deliver-invoice.js';
import { beginEmailAgain, closeEmail, postponeEmail, recordEmail, unanswered } from '../invoicing/email-operations.js';
import { beginReading } from '../invoicing/reading-order.js';
import { latestAttempt } from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import { isNotFound } from '../ports/provider.js';
import { type EmailFailure, type EmailOutcome, emailInvoice, QBO_EMAILING as QBO, taking } from './email-invoice.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure } from './qbo-failure.js';

/** How QuickBooks takes part in the delivery of an invoice: the text of an e-mail is its address. */
export function qboDelivery(context: QboContext): DeliveringProvider<EmailFailure> {
  return {
    ...QBO,
    connectionOf: ({ qboConnection }) => String(qboConnection?.id),
    isSame: isSameAddress,
    send: (invoice, begun) => emailInvoice(context, invoice, begun),
    settle: (invoice, unsettled) => settleEmail(context, invoice, unsettled),
  };
}

function isSameAddress(left: string | null | undefined, right: string): boolean {
  return left?.toLowerCase() === right.toLowerCase();
}

/**
 * Finds out by reading the invoice whether an e-mail went out of which no answer came. One that seems not to have gone
 * out is repeated once, after a while; after another while it is given up. `closed`: nothing more comes of it, and a new
 * one may be sent.
 */
async function settleEmail(
  asked: QboContext,
  invoice: Invoice,
  { operation, wanted }: UnsettledEmail,
): Promise<EmailOutcome | 'closed'> {
  const context = asRequester(asked, operation);
  const begun = await beginReading(context.em);
  const read = await context.accounting.readInvoice(String(invoice.qboConnection?.id), String(invoice.externalId));
  if (!read.ok) {
    const { failure } = read;
    return isNotFound(failure)
      ? giveUpGone(context, operation, DELETED)
      : postponeEmail(context, QBO, operation, failure);
  }
  const email = String(operation.body);
  if (hasGoneOut(context, operation, read.value)) {
    const take = taking(context, { begun, isCurrent: true });
    const sent = { attempt: latestAttempt(operation), body: email, result: read, take };
    const outcome = await recordEmail(context, QBO, invoice, sent);
    return isSameAddress(email, wanted) ? outcome : 'closed';
  }
  if (read.value.voided) return giveUpGone(context, operation, VOIDED);
  if (!isSameAddress(email, wanted)) return closeEmail(context, QBO, operation);
  const dueAt = mayBeSentAgainAt(context, operation);
  if (dueAt > context.clock.now()) return postponeEmail(context, QBO, operation, unanswered(QBO), dueAt);
  return wasRepeated(operation) ? closeEmail(context, QBO, operation) : repeat(context, invoice, operation);
}

const DELETED = 'The invoice was deleted in QuickBooks before it was known whether it had been e-mailed.';
const VOIDED = 'The invoice was voided before it was known whether it had been e-mailed.';

/** QuickBooks may be at work on it until then. */
function mayBeSentAgainAt({ waits }: QboContext, { lastSentAt, createdAt }: ProviderOperation): Date {
  return new Date((lastSentAt ?? createdAt).getTime() + waits.emailRepeatMs);
}

/** Attempts that never reached QuickBooks are not counted. */
function wasRepeated({ firstSentAt, lastSentAt }: ProviderOperation): boolean {
  return firstSentAt !== null && lastSentAt !== null && lastSentAt > firstSentAt;
}

/** The invoice tells its latest e-mail only: when and where to. */
function hasGoneOut(
  { waits }: QboContext,
  { body, firstSentAt }: ProviderOperation,
  { emailStatus, deliveredAt, email }: ProviderInvoice,
): boolean {
  if (emailStatus !== 'SENT' || !deliveredAt || !firstSentAt) return false;
  const isLater = deliveredAt.getTime() >= firstSentAt.getTime() - waits.clockDifferenceMs;
  return isLater && isSameAddress(email, String(body));
}

async function giveUpGone(context: QboContext, operation: ProviderOperation, why: string): Promise<EmailOutcome> {
  await closeEmail(context, QBO, operation, why);
  return refused(QBO.gone);
}

async function repeat(context: QboContext, invoice: Invoice, operation: ProviderOperation): Promise<EmailOutcome> {
  const begun = await beginEmailAgain(context, QBO, invoice, operation);
  return begun ? emailInvoice(context, invoice, begun) : refused(describeProviderFailure(unanswered(QBO)));
}

/** The same in the background. */
export async function resumeEmail(context: QboContext, operation: ProviderOperation): Promise<void> {
  const invoice = await context.em.fork().findOneOrFail(Invoice, operation.subject);
  await settleEmail(context, invoice, { operation, wanted: String(operation.body) });
}
