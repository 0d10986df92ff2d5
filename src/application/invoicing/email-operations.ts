import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type InvoiceProvider, InvoiceStatus, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { OperationKind, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { OperatingContext } from '../context.js';
import {
  type Attempt,
  beginAttempt,
  closeAsRefused,
  findOpenOperation,
  latestAttempt,
  lockUntouched,
} from '../operations/provider-operations.js';
import { openFailure, postponeOperation, settleAttempt } from '../operations/settle-attempt.js';
import { done, type Failure, type Outcome, refused } from '../outcome.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction, recordInTransaction } from '../transaction.js';

/** How one provider takes part in e-mailing an invoice. */
export interface EmailingProvider<F> {
  readonly provider: `${InvoiceProvider}`;
  /** What to say of an invoice that is no more. */
  readonly gone: F;
  describe(failure: ProviderFailure): F;
  /** Called in the transaction in which a sending is begun. */
  onBegun?(tx: EntityManager, invoiceId: string): Promise<void>;
  /** Called in the transaction in which it turns out that no e-mail went out. */
  onNotSent?(tx: EntityManager, invoiceId: string): Promise<void>;
}

/** Why an invoice must not be e-mailed, if there is a reason. Ask again under the order's lock before sending. */
export async function whyNotEmailed<F>(
  em: EntityManager,
  { gone }: EmailingProvider<F>,
  order: PurchaseOrder,
  invoiceId: string,
): Promise<F | Failure<'CANCELLED'> | undefined> {
  if (order.cancelledAt) {
    return { code: 'CANCELLED', message: 'This purchase order is cancelled.', path: ['purchaseOrderId'] };
  }
  const { VOIDED, DELETED } = InvoiceStatus;
  const count = await em.count(Invoice, { id: invoiceId, status: { $in: [VOIDED, DELETED] } });
  return count === 0 ? undefined : gone;
}

/** A sending that is committed: what is sent is up to its provider. */
export interface BegunEmail {
  readonly attempt: Attempt;
  /** Where to, or which invoice: what the operation stores as its text. */
  readonly body: string;
}

export interface AnsweredEmail<Answer> extends BegunEmail {
  readonly result: ProviderResult<Answer>;
  /** Takes over what the provider said of an invoice that was e-mailed. */
  readonly take: (tx: EntityManager, order: PurchaseOrder, invoice: Invoice, answer: Answer) => Promise<void>;
}

/** Records what became of an e-mail. */
export async function recordEmail<Answer, F>(
  context: OperatingContext,
  provider: EmailingProvider<F>,
  { id, purchaseOrder }: Invoice,
  { attempt, body, result, take }: AnsweredEmail<Answer>,
): Promise<Outcome<F>> {
  return recordInTransaction(context, async (tx): Promise<Outcome<F>> => {
    const order = await lockExistingPurchaseOrder(tx, purchaseOrder.id);
    const settlement = await settleAttempt(tx, context, { attempt, result });
    if (!result.ok) {
      if (settlement === 'refused') await provider.onNotSent?.(tx, id);
      return refused(provider.describe(openFailure(result.failure, settlement)));
    }
    if (settlement === 'superseded') return done(order.id);
    const invoice = await tx.findOneOrFail(Invoice, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    await take(tx, order, invoice, result.value);
    // Stripe e-mails the invoice to its customer, and nobody says where to.
    const after = { invoice: invoice.externalId, ...(body !== invoice.externalId && { email: body }) };
    audit(tx, context, { action: 'invoice.emailed', subject: order.id, after, trace: result.trace });
    return done(order.id);
  });
}

/** What to say of an e-mail that seems not to have gone out. */
export function unanswered({ provider }: EmailingProvider<unknown>): ProviderFailure {
  const message = `${PROVIDER_NAMES[provider]} did not answer, and the invoice does not say that it was e-mailed.`;
  return { kind: 'unknown', message, trace: {} };
}

/** It is not known yet whether it went out: the background looks again, by `notAfter` at the latest. */
export async function postponeEmail<F>(
  context: OperatingContext,
  provider: EmailingProvider<F>,
  operation: ProviderOperation,
  { message, trace }: ProviderFailure,
  notAfter?: Date,
): Promise<Outcome<F>> {
  await inTransaction(context.em, (tx) =>
    postponeOperation(tx, context, latestAttempt(operation), {
      lastError: message,
      ...(notAfter && { notAfter }),
    }),
  );
  return refused(provider.describe({ kind: 'unknown', message, trace }));
}

/** Nothing more comes of it. */
export async function closeEmail(
  context: OperatingContext,
  provider: EmailingProvider<unknown>,
  seen: ProviderOperation,
  lastError = unanswered(provider).message,
): Promise<'closed'> {
  await inTransaction(context.em, async (tx) => {
    const operation = await lockUntouched(tx, latestAttempt(seen));
    if (!operation) return;
    closeAsRefused(operation, lastError, context.clock.now());
    await provider.onNotSent?.(tx, operation.subject);
  });
  return 'closed';
}

/**
 * Commits that an unsettled e-mail is about to be sent again, unless its invoice must not be e-mailed any more or somebody
 * else went on with it.
 *
 * @param renew makes the operation to send under out of the one that was settled in no way; by default it is the same one
 */
export async function beginEmailAgain(
  context: OperatingContext,
  provider: EmailingProvider<unknown>,
  { id, purchaseOrder }: Invoice,
  seen: ProviderOperation,
  renew: (tx: EntityManager, former: ProviderOperation) => Promise<ProviderOperation> = async (_tx, former) => former,
): Promise<BegunEmail | undefined> {
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, purchaseOrder.id);
    if (await whyNotEmailed(tx, provider, order, id)) return undefined;
    const isBeingVoided = await findOpenOperation(tx, OperationKind.VOID_INVOICE, id);
    const former = isBeingVoided ? undefined : await lockUntouched(tx, latestAttempt(seen));
    if (!former) return undefined;
    const operation = await renew(tx, former);
    const body = String(operation.body);
    return { attempt: beginAttempt(context, operation, body), body };
  });
}
