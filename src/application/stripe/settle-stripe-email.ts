import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { asRequester } from '../context.js';
import type { DeliveringProvider } from '../invoicing/deliver-invoice.js';
import {
  beginEmailAgain,
  closeEmail,
  postponeEmail,
  recordEmail,
  unanswered,
  whyNotEmailed,
} from '../invoicing/email-operations.js';
import {
  claimOperation,
  closeAsRenewed,
  isReplayable,
  latestAttempt,
  operationConnection,
} from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import {
  emailStripeInvoice,
  markSent,
  STRIPE_EMAILING as STRIPE,
  type StripeEmailFailure,
  type StripeEmailOutcome,
} from './email-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';
import { describeStripeFailure } from './stripe-failure.js';

/** How Stripe takes part in the delivery of an invoice: where to is the customer's address, so that the text is its id. */
export function stripeDelivery(context: StripeContext): DeliveringProvider<StripeEmailFailure> {
  return {
    ...STRIPE,
    connectionOf: ({ stripeConnection }) => String(stripeConnection?.id),
    isSame: (left, right) => left === right,
    send: (invoice, begun) => emailStripeInvoice(context, invoice, begun),
    settle: (invoice, { operation }) => settleStripeEmail(context, invoice, operation),
  };
}

/**
 * Finds out what became of an e-mail without an answer. While Stripe surely knows its key it is simply sent again; later
 * Stripe's events tell whether it went out. One that did not is repeated once, under a new key, because Stripe repeats
 * also its internal errors; after another while it is given up. `closed`: nothing more comes of it.
 */
async function settleStripeEmail(
  asked: StripeContext,
  invoice: Invoice,
  operation: ProviderOperation,
): Promise<StripeEmailOutcome | 'closed'> {
  const context = asRequester(asked, operation);
  if (isReplayable(context, operation)) return repeat(context, invoice, operation);
  const body = String(operation.body);
  const since = new Date(firstSentAt(operation).getTime() - context.waits.clockDifferenceMs);
  const sent = await context.billing.wasSent(operationConnection(operation).id, body, since);
  if (!sent.ok) return postponeEmail(context, STRIPE, operation, sent.failure);
  if (sent.value) {
    return recordEmail(context, STRIPE, invoice, {
      attempt: latestAttempt(operation),
      body,
      result: sent,
      take: markSent,
    });
  }
  const dueAt = mayBeSentAgainAt(context, operation);
  if (dueAt > context.clock.now()) return postponeEmail(context, STRIPE, operation, unanswered(STRIPE), dueAt);
  if (!isRepetition(operation)) return repeat(context, invoice, operation, renewed(context));
  return wasSentItself(operation) ? closeEmail(context, STRIPE, operation) : repeat(context, invoice, operation);
}

function firstSentAt({ firstSentAt, createdAt }: ProviderOperation): Date {
  return firstSentAt ?? createdAt;
}

/** Stripe may be at work on it until then, and its event may be late. */
function mayBeSentAgainAt({ waits }: StripeContext, { lastSentAt, createdAt }: ProviderOperation): Date {
  const waitMs = Math.max(waits.replayWindowMs, waits.emailRepeatMs);
  return new Date((lastSentAt ?? createdAt).getTime() + waitMs);
}

/** A repetition under a new key remembers when the e-mail was sent first, which was before there was this operation. */
function isRepetition(operation: ProviderOperation): boolean {
  return firstSentAt(operation) < operation.createdAt;
}

/** Attempts that never reached Stripe are not counted. */
function wasSentItself({ lastSentAt, createdAt }: ProviderOperation): boolean {
  return lastSentAt !== null && lastSentAt >= createdAt;
}

type Renewal = (tx: EntityManager, former: ProviderOperation) => Promise<ProviderOperation>;

function renewed(context: StripeContext): Renewal {
  return async (tx, former) => {
    const { kind, subject, body, attempts, firstSentAt, lastSentAt } = former;
    closeAsRenewed(former, 'It did not go out, and is sent again under a new key.', context.clock.now());
    await tx.flush();
    const claim = await claimOperation(tx, context, { kind, subject, connection: operationConnection(former), body });
    if (claim.status === 'busy') throw new Error(`operation ${former.id} was closed and another one is open`);
    return Object.assign(claim.operation, { attempts, firstSentAt, lastSentAt });
  };
}

async function repeat(
  context: StripeContext,
  invoice: Invoice,
  operation: ProviderOperation,
  renew?: Renewal,
): Promise<StripeEmailOutcome> {
  const begun = await beginEmailAgain(context, STRIPE, invoice, operation, renew);
  if (begun) return emailStripeInvoice(context, invoice, begun);
  const em = context.em.fork();
  const problem = await whyNotEmailed(em, STRIPE, await invoice.purchaseOrder.loadOrFail(), invoice.id);
  if (!problem) return refused(describeStripeFailure(unanswered(STRIPE)));
  await closeEmail(context, STRIPE, operation, problem.message);
  return refused(problem);
}

/** The same in the background. */
export async function resumeStripeEmail(context: StripeContext, operation: ProviderOperation): Promise<void> {
  const invoice = await context.em.fork().findOneOrFail(Invoice, operation.subject);
  await settleStripeEmail(context, invoice, operation);
}
