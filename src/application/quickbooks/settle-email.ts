import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { beginReading } from '../invoicing/reading-order.js';
import {
  type Attempt,
  beginAttempt,
  closeAsRefused,
  findOpenOperation,
  latestAttempt,
  lockUntouched,
} from '../operations/provider-operations.js';
import { postponeOperation } from '../operations/settle-attempt.js';
import { refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import { isNotFound, type ProviderFailure } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import {
  type EmailOutcome,
  emailInvoice,
  INVOICE_GONE,
  isSameAddress,
  recordEmail,
  whyNotEmailed,
} from './email-invoice.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure } from './qbo-failure.js';

export interface UnsettledEmail {
  readonly operation: ProviderOperation;
  /** The address that an e-mail is wanted for now. */
  readonly wanted: string;
}

/**
 * Finds out by reading the invoice whether an e-mail went out of which no answer came. One that seems not to have gone
 * out is repeated once, after a while; after another while it is given up. `closed`: nothing more comes of it, and a new
 * one may be sent.
 */
export async function settleEmail(
  context: QboContext,
  invoice: Invoice,
  { operation, wanted }: UnsettledEmail,
): Promise<EmailOutcome | 'closed'> {
  const begun = await beginReading(context.em);
  const read = await context.accounting.readInvoice(String(invoice.qboConnection?.id), String(invoice.externalId));
  if (!read.ok) {
    const { failure } = read;
    return isNotFound(failure) ? giveUpGone(context, operation, DELETED) : postpone(context, operation, failure);
  }
  const email = String(operation.body);
  if (hasGoneOut(context, operation, read.value)) {
    const attempt = latestAttempt(operation);
    const outcome = await recordEmail(context, invoice, { attempt, email, result: read, begun, isCurrent: true });
    return isSameAddress(email, wanted) ? outcome : 'closed';
  }
  if (read.value.voided) return giveUpGone(context, operation, VOIDED);
  if (!isSameAddress(email, wanted)) return close(context, operation, NOT_SENT);
  const dueAt = mayBeSentAgainAt(context, operation);
  if (dueAt > context.clock.now()) return postpone(context, operation, UNANSWERED, dueAt);
  return wasRepeated(operation) ? close(context, operation, NOT_SENT) : repeat(context, invoice, operation);
}

const DELETED = 'The invoice was deleted in QuickBooks before it was known whether it had been e-mailed.';
const VOIDED = 'The invoice was voided before it was known whether it had been e-mailed.';
const NOT_SENT = 'QuickBooks did not answer, and the invoice does not say that it was e-mailed.';
const UNANSWERED: ProviderFailure = { kind: 'unknown', message: NOT_SENT, trace: {} };

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

async function postpone(
  context: QboContext,
  operation: ProviderOperation,
  failure: ProviderFailure,
  notAfter?: Date,
): Promise<EmailOutcome> {
  const lastError = failure.message;
  await inTransaction(context.em, (tx) =>
    postponeOperation(tx, context, latestAttempt(operation), { lastError, ...(notAfter && { notAfter }) }),
  );
  return refused(describeProviderFailure({ kind: 'unknown', message: failure.message, trace: failure.trace }));
}

async function close(context: QboContext, seen: ProviderOperation, lastError: string): Promise<'closed'> {
  await inTransaction(context.em, async (tx) => {
    const operation = await lockUntouched(tx, latestAttempt(seen));
    if (operation) closeAsRefused(operation, lastError, context.clock.now());
  });
  return 'closed';
}

async function giveUpGone(context: QboContext, operation: ProviderOperation, why: string): Promise<EmailOutcome> {
  await close(context, operation, why);
  return refused(INVOICE_GONE);
}

async function repeat(context: QboContext, invoice: Invoice, operation: ProviderOperation): Promise<EmailOutcome> {
  const attempt = await beginAgain(context, invoice, operation);
  if (!attempt) return refused(describeProviderFailure(UNANSWERED));
  return emailInvoice(context, invoice, { attempt, email: String(operation.body) });
}

async function beginAgain(
  context: QboContext,
  { purchaseOrder }: Invoice,
  seen: ProviderOperation,
): Promise<Attempt | undefined> {
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, purchaseOrder.id);
    if (await whyNotEmailed(tx, order, seen.subject)) return undefined;
    const isBeingVoided = await findOpenOperation(tx, OperationKind.VOID_INVOICE, seen.subject);
    const operation = isBeingVoided ? undefined : await lockUntouched(tx, latestAttempt(seen));
    return operation && beginAttempt(context, operation, String(operation.body));
  });
}

/** The same in the background. */
export async function resumeEmail(context: QboContext, operation: ProviderOperation): Promise<void> {
  const invoice = await context.em.fork().findOneOrFail(Invoice, operation.subject);
  await settleEmail(context, invoice, { operation, wanted: String(operation.body) });
}
