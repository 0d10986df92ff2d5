import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus } from '../../domain/invoice/invoice.status.js';
import { OperationKind, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { audit } from '../audit.js';
import {
  type Attempt,
  beginAttempt,
  claimInPlaceOf,
  claimOperation,
  isReplayable,
  openFailure,
  settleAttempt,
} from '../operations/provider-operations.js';
import { done, type Outcome, refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { emailAddress, validate } from '../validation.js';
import { type FindInvoiceCode, findQboInvoice } from './find-qbo-invoice.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { beginReading, isOvertaken } from './reading-order.js';
import { applyReading } from './record-invoice.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type SendQboInvoiceCode = ProviderCode | ConnectionCode | FindInvoiceCode | 'CANCELLED' | 'INVALID';
export type SendQboInvoiceOutcome = Outcome<QboFailure<SendQboInvoiceCode>>;

export interface SendQboInvoiceInput {
  readonly purchaseOrderId: string;
  /** Defaults to the contact's address. */
  readonly email?: string | null;
}

/** Has QuickBooks e-mail the invoice. Can be repeated, also to another address; a failure leaves the invoice as it is. */
export async function sendQboInvoice(context: QboContext, input: SendQboInvoiceInput): Promise<SendQboInvoiceOutcome> {
  const found = await findQboInvoice(context.em, input.purchaseOrderId);
  if ('failure' in found) return refused(found.failure);
  const { order, invoice } = found;
  if (order.cancelledAt) {
    return refused({ code: 'CANCELLED', message: 'This purchase order is cancelled.', path: ['purchaseOrderId'] });
  }
  const checked = validate(z.object({ email: emailAddress }), { email: input.email ?? order.contactEmail });
  if (!checked.ok) return refused(...checked.failures);
  const usable = await usableConnection(context, order, invoice);
  if ('failure' in usable) return refused(usable.failure);
  const started = await inTransaction(context.em, (tx) => begin(tx, context, invoice, checked.value.email));
  if (started === 'busy') return refused(IN_PROGRESS);
  const { attempt, email } = started;
  const { accounting } = context;
  const begun = await beginReading(context.em);
  const result = await accounting.sendInvoice(
    usable.connection.id,
    String(invoice.externalId),
    email,
    attempt.operationId,
  );
  return record(context, invoice, { attempt, email, result, begun });
}

const IN_PROGRESS: QboFailure<'IN_PROGRESS'> = {
  code: 'IN_PROGRESS',
  message: 'This invoice is being e-mailed right now; ask again in a few seconds.',
  path: ['purchaseOrderId'],
};

/**
 * An e-mail whose outcome is unknown is asked for again as it was, so that it is not sent twice; but not much later, and
 * not when it is to go to another address now.
 */
async function begin(
  tx: EntityManager,
  context: QboContext,
  invoice: Invoice,
  email: string,
): Promise<{ attempt: Attempt; email: string } | 'busy'> {
  await lockExistingPurchaseOrder(tx, invoice.purchaseOrder.id);
  const request = {
    kind: OperationKind.SEND_INVOICE,
    subject: invoice.id,
    connectionId: String(invoice.qboConnection?.id),
    body: email,
  };
  const claim = await claimOperation(tx, context, request);
  if (claim.status === 'busy') return 'busy';
  const { operation } = claim;
  if (isReplayable(context, operation) && operation.body === email) return attemptOf(context, operation, email);
  const next = await claimInPlaceOf(tx, context, operation, request);
  return next.status === 'busy' ? 'busy' : attemptOf(context, next.operation, email);
}

function attemptOf(context: QboContext, operation: ProviderOperation, email: string) {
  return { attempt: beginAttempt(context, operation, email), email };
}

interface SentEmail {
  readonly attempt: Attempt;
  readonly email: string;
  readonly result: ProviderResult<ProviderInvoice>;
  /** See `beginReading`. */
  readonly begun: bigint;
}

async function record(
  context: QboContext,
  { id, purchaseOrder }: Invoice,
  { attempt, email, result, begun }: SentEmail,
): Promise<SendQboInvoiceOutcome> {
  return inTransaction(context.em, async (tx): Promise<SendQboInvoiceOutcome> => {
    const order = await lockExistingPurchaseOrder(tx, purchaseOrder.id);
    const settlement = await settleAttempt(tx, attempt, result, context.clock.now());
    if (!result.ok) return refused(describeProviderFailure(openFailure(result.failure, settlement)));
    const invoice = await tx.findOneOrFail(Invoice, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    // A reading recorded meanwhile is newer than this answer, and an answer that QuickBooks replays is as old as the
    // first sending: of those only the e-mail counts.
    const isNewest = !isOvertaken(invoice, begun) && attempt.number === 1;
    if (isNewest) await applyReading(tx, context, { order, invoice, answer: result.value });
    else invoice.emailStatus = EmailStatus[result.value.emailStatus];
    audit(tx, context, { action: 'invoice.emailed', subject: order.id, after: { invoice: invoice.externalId, email } });
    return done(order.id);
  });
}
