import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus, InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import { beginReading, isOvertaken } from '../invoicing/reading-order.js';
import { type Attempt } from '../operations/provider-operations.js';
import { openFailure, settleAttempt } from '../operations/settle-attempt.js';
import { done, type Outcome, refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { recordInTransaction } from '../transaction.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { applyReading } from './record-invoice.js';

export type EmailOutcome = Outcome<QboFailure<ProviderCode | 'NO_QBO_INVOICE'>>;

export const INVOICE_GONE: QboFailure<'NO_QBO_INVOICE'> = {
  code: 'NO_QBO_INVOICE',
  message: 'The invoice of this purchase order was voided or deleted in QuickBooks: create one with createQboInvoice.',
  path: ['purchaseOrderId'],
};

/** Why an invoice must not be e-mailed, if there is a reason. Ask again under the order's lock before sending. */
export async function whyNotEmailed(
  em: EntityManager,
  order: PurchaseOrder,
  invoiceId: string,
): Promise<QboFailure<'CANCELLED' | 'NO_QBO_INVOICE'> | undefined> {
  if (order.cancelledAt) {
    return { code: 'CANCELLED', message: 'This purchase order is cancelled.', path: ['purchaseOrderId'] };
  }
  const gone = await em.count(Invoice, {
    id: invoiceId,
    status: { $in: [InvoiceStatus.VOIDED, InvoiceStatus.DELETED] },
  });
  return gone === 0 ? undefined : INVOICE_GONE;
}

export function isSameAddress(left: string | null | undefined, right: string): boolean {
  return left?.toLowerCase() === right.toLowerCase();
}

export interface BegunEmail {
  readonly attempt: Attempt;
  readonly email: string;
}

/** Has QuickBooks e-mail the invoice and records what became of it. The attempt is committed already. */
export async function emailInvoice(
  context: QboContext,
  invoice: Invoice,
  { attempt, email }: BegunEmail,
): Promise<EmailOutcome> {
  const connectionId = String(invoice.qboConnection?.id);
  const externalId = String(invoice.externalId);
  const begun = await beginReading(context.em);
  const result = await context.accounting.sendInvoice(connectionId, externalId, email, attempt.operationId);
  // An answer that QuickBooks replays is as old as the first sending.
  return recordEmail(context, invoice, { attempt, email, result, begun, isCurrent: attempt.number === 1 });
}

export interface AnsweredEmail extends BegunEmail {
  readonly result: ProviderResult<ProviderInvoice>;
  /** See `beginReading`. */
  readonly begun: bigint;
  /** The result describes the invoice as it was after `begun`. */
  readonly isCurrent: boolean;
}

export async function recordEmail(
  context: QboContext,
  { id, purchaseOrder }: Invoice,
  { attempt, email, result, begun, isCurrent }: AnsweredEmail,
): Promise<EmailOutcome> {
  return recordInTransaction(context, async (tx): Promise<EmailOutcome> => {
    const order = await lockExistingPurchaseOrder(tx, purchaseOrder.id);
    const settlement = await settleAttempt(tx, context, { attempt, result });
    if (!result.ok) return refused(describeProviderFailure(openFailure(result.failure, settlement)));
    if (settlement === 'superseded') return done(order.id);
    const invoice = await tx.findOneOrFail(Invoice, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    // A reading recorded meanwhile is newer than this answer, of which then only the e-mail counts.
    const isNewest = isCurrent && !isOvertaken(invoice, begun);
    if (isNewest) await applyReading(tx, context, { order, invoice, answer: result.value });
    else invoice.emailStatus = EmailStatus[result.value.emailStatus];
    audit(tx, context, { action: 'invoice.emailed', subject: order.id, after: { invoice: invoice.externalId, email } });
    return done(order.id);
  });
}
