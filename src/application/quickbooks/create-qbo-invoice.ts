import { asRequester } from '../context.js';
import { beginSending, IN_ENVELOPE, notSentAgain } from '../invoicing/begin-sending.js';
import { isBoundToEnvelope, isReplayable, latestAttempt, mayBeUnderWay } from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import { failed, succeeded } from '../ports/provider.js';
import { inTransaction } from '../transaction.js';
import { type ClaimedInvoice, claimQboInvoice } from './claim-qbo-invoice.js';
import type { CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import { lookUpInvoice } from './look-up-invoice.js';
import { prepareInvoice } from './prepare-invoice.js';
import type { QboContext } from './qbo-context.js';
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
  return carryOutInvoice(context, claim.claimed);
}

/**
 * What was sent so long ago that QuickBooks may have forgotten it is looked for before it is sent again; so is, however
 * young, what must not be invoiced any more, and what was sent in an envelope.
 */
export async function carryOutInvoice(asked: QboContext, claimed: ClaimedInvoice): Promise<CreateQboInvoiceOutcome> {
  const { operation, obstacle } = claimed;
  const context = asRequester(asked, operation);
  const isSure = operation.envelope === null && isReplayable(context, operation) && !obstacle;
  if (operation.body === null || isSure) return send(context, claimed);
  return lookFirst(context, claimed, operation.body);
}

async function lookFirst(context: QboContext, claimed: ClaimedInvoice, body: string): Promise<CreateQboInvoiceOutcome> {
  const { operation, obstacle } = claimed;
  const isBound = isBoundToEnvelope(context, operation);
  const mayAppear = isBound || mayBeUnderWay(context, operation.lastSentAt);
  const sent = { attempt: latestAttempt(operation), body };
  const lookUp = await lookUpInvoice(context, claimed, { body });
  switch (lookUp.status) {
    case 'found':
      return settleInvoice(context, claimed, {
        ...sent,
        result: succeeded(lookUp.invoice, lookUp.trace),
        isAdopted: true,
      });
    case 'foreign':
      if (mayAppear) return postponeInvoice(context, claimed, lookUp.failure);
      return settleInvoice(context, claimed, { ...sent, result: failed(lookUp.failure), isProven: true });
    case 'nothing':
      if (!obstacle && !isBound) return send(context, claimed);
      if (mayAppear || !obstacle) return postponeInvoice(context, claimed, notSentAgain(obstacle ?? IN_ENVELOPE));
      return abandonInvoice(context, claimed, { failure: obstacle, isFinal: true });
    case 'doubtful':
    case 'failed':
      return postponeInvoice(context, claimed, lookUp.failure);
  }
}

async function send(context: QboContext, claimed: ClaimedInvoice): Promise<CreateQboInvoiceOutcome> {
  const prepared = await prepareInvoice(context, claimed);
  if ('failure' in prepared) return abandonInvoice(context, claimed, prepared);
  const begun = await beginSending(context, claimed, prepared.body);
  if ('failure' in begun) return begun.isFinal ? abandonInvoice(context, claimed, begun) : refused(begun.failure);
  const { attempt, body } = begun;
  const result = await context.accounting.createInvoice(claimed.connection.id, body, attempt.operationId);
  return settleInvoice(context, claimed, await resolveRefusal(context, claimed, { attempt, body, result }));
}
