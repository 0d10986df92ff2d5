import { whyNotInvoiceable } from '../invoicing/claim-invoice.js';
import {
  type Attempt,
  beginAttempt,
  isReplayable,
  latestAttempt,
  lockUntouched,
  mayBeUnderWay,
} from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import { failed, type ProviderFailure, succeeded } from '../ports/provider.js';
import { lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { type ClaimedInvoice, claimQboInvoice } from './claim-qbo-invoice.js';
import type { CreateQboInvoiceCode, CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import { lookUpInvoice } from './look-up-invoice.js';
import { type PreparationFailure, prepareInvoice } from './prepare-invoice.js';
import type { QboContext } from './qbo-context.js';
import type { QboFailure } from './qbo-failure.js';
import { resolveRefusal } from './resolve-refusal.js';
import { abandonInvoice, postponeInvoice, settleInvoice } from './settle-invoice.js';

export interface CreateQboInvoiceInput {
  readonly purchaseOrderId: string;
  readonly idempotencyKey?: string | null;
}

/**
 * Creates the purchase order's invoice in QuickBooks, with every line, and marks a draft as sent. Claim, call, record:
 * whatever happens in between, calling it again continues the same invoice and never makes a second one. `id` of the
 * outcome is the purchase order's; with `QBO_TOTAL_DIFFERS` the invoice exists although something about it is wrong.
 *
 * @param continuing the operation to go on with: when it was settled meanwhile, nothing is done
 */
export async function createQboInvoice(
  context: QboContext,
  { idempotencyKey, ...input }: CreateQboInvoiceInput,
  continuing?: string,
): Promise<CreateQboInvoiceOutcome> {
  const request = { mutation: 'createQboInvoice', key: idempotencyKey ?? undefined, input };
  const claim = await inTransaction(context.em, (tx) =>
    claimQboInvoice(tx, context, { ...input, ...request, continuing }),
  );
  if ('answer' in claim) return claim.answer;
  return carryOut(context, claim.claimed);
}

/**
 * What was sent so long ago that QuickBooks may have forgotten it is looked for before it is sent again; so is, however
 * young, what must not be invoiced any more.
 */
async function carryOut(context: QboContext, claimed: ClaimedInvoice): Promise<CreateQboInvoiceOutcome> {
  const { operation, obstacle } = claimed;
  if (operation.body === null || (isReplayable(context, operation) && !obstacle)) return send(context, claimed);
  return lookFirst(context, claimed, operation.body);
}

async function lookFirst(context: QboContext, claimed: ClaimedInvoice, body: string): Promise<CreateQboInvoiceOutcome> {
  const { operation, obstacle } = claimed;
  const mayAppear = mayBeUnderWay(context, operation.lastSentAt);
  const sent = { attempt: latestAttempt(operation), body };
  const lookUp = await lookUpInvoice(context, claimed, { body });
  switch (lookUp.status) {
    case 'found':
      return settleInvoice(context, claimed, { ...sent, result: succeeded(lookUp.invoice), isAdopted: true });
    case 'foreign':
      if (mayAppear) return postponeInvoice(context, claimed, lookUp.failure);
      return settleInvoice(context, claimed, { ...sent, result: failed(lookUp.failure), isProven: true });
    case 'nothing':
      if (!obstacle) return send(context, claimed);
      if (mayAppear) return postponeInvoice(context, claimed, notSentAgain(obstacle));
      return abandonInvoice(context, claimed, { failure: obstacle, isFinal: true });
    case 'doubtful':
    case 'failed':
      return postponeInvoice(context, claimed, lookUp.failure);
  }
}

async function send(context: QboContext, claimed: ClaimedInvoice): Promise<CreateQboInvoiceOutcome> {
  const prepared = await prepareInvoice(context, claimed);
  if ('failure' in prepared) return abandonInvoice(context, claimed, prepared);
  const begun = await begin(context, claimed, prepared.body);
  if ('failure' in begun) return begun.isFinal ? abandonInvoice(context, claimed, begun) : refused(begun.failure);
  const { attempt, body } = begun;
  const result = await context.accounting.createInvoice(claimed.connection.id, body, attempt.operationId);
  return settleInvoice(context, claimed, await resolveRefusal(context, claimed, { attempt, body, result }));
}

type Begun = { readonly attempt: Attempt; readonly body: string } | PreparationFailure;

/**
 * Commits that the body is about to be sent. While this process was preparing, another one may have taken over, and
 * money may have arrived: then nothing is sent.
 */
async function begin(context: QboContext, { order, operation }: ClaimedInvoice, body: string): Promise<Begun> {
  return inTransaction(context.em, async (tx): Promise<Begun> => {
    const locked = await lockPurchaseOrder(tx, order.id);
    const current = await lockUntouched(tx, latestAttempt(operation));
    if (!current) return OVERTAKEN;
    const obstacle = locked && whyNotInvoiceable(locked);
    // What was sent before is looked for when the next one goes on with it.
    if (obstacle) return current.attempts === 0 ? { failure: obstacle, isFinal: true } : OVERTAKEN;
    const stored = current.body ?? body;
    return { attempt: beginAttempt(context, current, stored), body: stored };
  });
}

const OVERTAKEN: PreparationFailure = {
  failure: {
    code: 'IN_PROGRESS',
    message: 'Another request went on with this invoice meanwhile; ask again to see what came of it.',
    path: ['purchaseOrderId'],
  },
  isFinal: false,
};

/** Nothing is sent any more, but what was sent may still be carried out. */
function notSentAgain({ message }: QboFailure<CreateQboInvoiceCode>): ProviderFailure {
  return { kind: 'unknown', message: `It is not sent again: ${message}`, trace: {} };
}
