import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import {
  type Attempt,
  beginAttempt,
  claimOperation,
  findOpenOperation,
  isOpen,
  OPEN_STATES,
} from '../operations/provider-operations.js';
import { type Outcome, refused } from '../outcome.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { emailAddress, validate } from '../validation.js';
import { emailInvoice, isSameAddress, whyNotEmailed } from './email-invoice.js';
import { type FindInvoiceCode, findQboInvoice } from './find-qbo-invoice.js';
import type { QboContext } from './qbo-context.js';
import type { ProviderCode, QboFailure } from './qbo-failure.js';
import { settleEmail } from './settle-email.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type SendQboInvoiceCode = ProviderCode | ConnectionCode | FindInvoiceCode | 'CANCELLED' | 'INVALID';
export type SendQboInvoiceOutcome = Outcome<QboFailure<SendQboInvoiceCode>>;

export interface SendQboInvoiceInput {
  readonly purchaseOrderId: string;
  /** Defaults to the contact's address. */
  readonly email?: string | null;
}

/**
 * Has QuickBooks e-mail the invoice. Can be repeated, also to another address; a failure leaves the invoice as it is. An
 * earlier e-mail whose outcome is unknown is settled first, by looking whether it went out.
 */
export async function sendQboInvoice(context: QboContext, input: SendQboInvoiceInput): Promise<SendQboInvoiceOutcome> {
  const found = await findQboInvoice(context.em, input.purchaseOrderId);
  if ('failure' in found) return refused(found.failure);
  const { order, invoice } = found;
  const problem = await whyNotEmailed(context.em, order, invoice.id);
  if (problem) return refused(problem);
  const checked = validate(z.object({ email: emailAddress }), { email: input.email ?? order.contactEmail });
  if (!checked.ok) return refused(...checked.failures);
  const usable = await usableConnection(context, order, invoice);
  if ('failure' in usable) return refused(usable.failure);
  return deliver(context, invoice, checked.value.email);
}

/** Others may send at the same time; more than a few rounds means that somebody does so without end. */
const MAX_ROUNDS = 3;

async function deliver(context: QboContext, invoice: Invoice, email: string): Promise<SendQboInvoiceOutcome> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const claim = await inTransaction(context.em, (tx) => claimEmail(tx, context, invoice, email));
    switch (claim.status) {
      case 'refused':
        return refused(claim.failure);
      case 'begun':
        return emailInvoice(context, invoice, { attempt: claim.attempt, email });
      case 'unsettled': {
        const settled = await settleEmail(context, invoice, { operation: claim.operation, wanted: email });
        if (settled !== 'closed') return settled;
      }
    }
  }
  return refused(BEING_EMAILED);
}

function inProgress(why: string): QboFailure<'IN_PROGRESS'> {
  return {
    code: 'IN_PROGRESS',
    message: `This invoice ${why} right now; ask again in a few seconds.`,
    path: ['purchaseOrderId'],
  };
}

const BEING_EMAILED = inProgress('is being e-mailed');

const JUST_SENT: QboFailure<'OUTCOME_UNKNOWN'> = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'It is not known whether an e-mail to this address went out some minutes ago. Ask again ten minutes after that one.',
  path: ['purchaseOrderId'],
};

type EmailClaim =
  | { readonly status: 'begun'; readonly attempt: Attempt }
  | { readonly status: 'unsettled'; readonly operation: ProviderOperation }
  | { readonly status: 'refused'; readonly failure: QboFailure<SendQboInvoiceCode> };

async function claimEmail(
  tx: EntityManager,
  context: QboContext,
  invoice: Invoice,
  email: string,
): Promise<EmailClaim> {
  const order = await lockExistingPurchaseOrder(tx, invoice.purchaseOrder.id);
  const gone = await whyNotEmailed(tx, order, invoice.id);
  if (gone) return { status: 'refused', failure: gone };
  const voiding = await findOpenOperation(tx, OperationKind.VOID_INVOICE, invoice.id);
  if (voiding) return { status: 'refused', failure: inProgress('is being voided') };
  const { open, givenUp } = await findUnansweredEmails(tx, context, invoice.id);
  if (open && open.leaseUntil > context.clock.now()) return { status: 'refused', failure: BEING_EMAILED };
  // Also while one to another address is open: that one is not given up in vain.
  if (givenUp.some(({ body }) => isSameAddress(body, email))) return { status: 'refused', failure: JUST_SENT };
  if (open) return { status: 'unsettled', operation: open };
  const subject = { kind: OperationKind.SEND_INVOICE, subject: invoice.id, body: email };
  const claim = await claimOperation(tx, context, {
    ...subject,
    connection: { provider: 'QBO', id: String(invoice.qboConnection?.id) },
  });
  if (claim.status === 'busy') return { status: 'refused', failure: BEING_EMAILED };
  return { status: 'begun', attempt: beginAttempt(context, claim.operation, email) };
}

/** The e-mail that is not settled, and those that were given up for the sake of another address a moment ago. */
async function findUnansweredEmails(tx: EntityManager, { clock, waits }: QboContext, invoiceId: string) {
  const since = new Date(clock.now().getTime() - waits.emailRepeatMs);
  const unanswered = await tx.find(ProviderOperation, {
    kind: OperationKind.SEND_INVOICE,
    subject: invoiceId,
    $or: [{ state: { $in: OPEN_STATES } }, { state: OperationState.REFUSED, lastSentAt: { $gt: since } }],
  });
  return { open: unanswered.find(isOpen), givenUp: unanswered.filter((operation) => !isOpen(operation)) };
}
