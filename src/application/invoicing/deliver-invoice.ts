import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { OperatingContext } from '../context.js';
import {
  beginAttempt,
  claimOperation,
  findOpenOperation,
  isLeased,
  isOpen,
  OPEN_STATES,
  type OperationConnection,
} from '../operations/provider-operations.js';
import { type Failure, type Outcome, refused } from '../outcome.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { type BegunEmail, type EmailingProvider, whyNotEmailed } from './email-operations.js';

export interface DeliveringProvider<F> extends EmailingProvider<F> {
  connectionOf(invoice: Invoice): string;
  /** Whether two texts of e-mails mean the same e-mail. */
  isSame(left: string, right: string): boolean;
  /** Sends, and records what became of it. */
  send(invoice: Invoice, begun: BegunEmail): Promise<Outcome<F>>;
  /** Finds out what became of an e-mail without an answer. `closed`: nothing more comes of it. */
  settle(invoice: Invoice, unsettled: UnsettledEmail): Promise<Outcome<F> | 'closed'>;
}

export interface UnsettledEmail {
  readonly operation: ProviderOperation;
  /** The text of the e-mail that is wanted now. */
  readonly wanted: string;
}

/** Others may send at the same time; more than a few rounds means that somebody does so without end. */
const MAX_ROUNDS = 3;

/** Has the invoice e-mailed. An earlier e-mail whose outcome is unknown is settled first. */
export async function deliverInvoice<F>(
  context: OperatingContext,
  provider: DeliveringProvider<F>,
  invoice: Invoice,
  wanted: string,
): Promise<Outcome<F | DeliveryFailure>> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const claim = await inTransaction(context.em, (tx) => claimEmail(tx, context, provider, { invoice, wanted }));
    switch (claim.status) {
      case 'refused':
        return refused(claim.failure);
      case 'begun':
        return provider.send(invoice, claim.begun);
      case 'unsettled': {
        const settled = await provider.settle(invoice, { operation: claim.operation, wanted });
        if (settled !== 'closed') return settled;
      }
    }
  }
  return refused(BEING_EMAILED);
}

export type DeliveryFailure = Failure<'CANCELLED' | 'IN_PROGRESS' | 'OUTCOME_UNKNOWN'>;

function inProgress(why: string): DeliveryFailure {
  return {
    code: 'IN_PROGRESS',
    message: `This invoice ${why} right now; ask again in a few seconds.`,
    path: ['purchaseOrderId'],
  };
}

const BEING_EMAILED = inProgress('is being e-mailed');

const JUST_SENT: DeliveryFailure = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'It is not known whether an e-mail to this address went out some minutes ago. Ask again ten minutes after that one.',
  path: ['purchaseOrderId'],
};

type EmailClaim<F> =
  | { readonly status: 'begun'; readonly begun: BegunEmail }
  | { readonly status: 'unsettled'; readonly operation: ProviderOperation }
  | { readonly status: 'refused'; readonly failure: F | DeliveryFailure };

async function claimEmail<F>(
  tx: EntityManager,
  context: OperatingContext,
  provider: DeliveringProvider<F>,
  { invoice, wanted }: { readonly invoice: Invoice; readonly wanted: string },
): Promise<EmailClaim<F>> {
  const order = await lockExistingPurchaseOrder(tx, invoice.purchaseOrder.id);
  const problem = await whyNotEmailed(tx, provider, order, invoice.id);
  if (problem) return { status: 'refused', failure: problem };
  const voiding = await findOpenOperation(tx, OperationKind.VOID_INVOICE, invoice.id);
  if (voiding) return { status: 'refused', failure: inProgress('is being voided') };
  const { open, givenUp } = await findUnansweredEmails(tx, context, invoice.id);
  if (open && isLeased(context, open)) return { status: 'refused', failure: BEING_EMAILED };
  // Also while one to another address is open: that one is not given up in vain.
  if (givenUp.some(({ body }) => provider.isSame(String(body), wanted))) {
    return { status: 'refused', failure: JUST_SENT };
  }
  if (open) return { status: 'unsettled', operation: open };
  const connection: OperationConnection = { provider: provider.provider, id: provider.connectionOf(invoice) };
  const subject = { kind: OperationKind.SEND_INVOICE, subject: invoice.id, body: wanted };
  const claim = await claimOperation(tx, context, { ...subject, connection });
  if (claim.status === 'busy') return { status: 'refused', failure: BEING_EMAILED };
  await provider.onBegun?.(tx, invoice.id);
  return { status: 'begun', begun: { attempt: beginAttempt(context, claim.operation, wanted), body: wanted } };
}

/** The e-mail that is not settled, and those that were given up for the sake of another address a moment ago. */
async function findUnansweredEmails(tx: EntityManager, { clock, waits }: OperatingContext, invoiceId: string) {
  const since = new Date(clock.now().getTime() - waits.emailRepeatMs);
  const unanswered = await tx.find(ProviderOperation, {
    kind: OperationKind.SEND_INVOICE,
    subject: invoiceId,
    $or: [{ state: { $in: OPEN_STATES } }, { state: OperationState.REFUSED, lastSentAt: { $gt: since } }],
  });
  return { open: unanswered.find(isOpen), givenUp: unanswered.filter((operation) => !isOpen(operation)) };
}
