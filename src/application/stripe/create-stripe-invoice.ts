import { asRequester } from '../context.js';
import { beginSending, notSentAgain, OVERTAKEN } from '../invoicing/begin-sending.js';
import { type Attempt, isReplayable, latestAttempt, mayBeUnderWay } from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import { isNotFound, succeeded } from '../ports/provider.js';
import { inTransaction } from '../transaction.js';
import { beginAnew } from './begin-anew.js';
import { type ClaimedStripeInvoice, claimStripeInvoice } from './claim-stripe-invoice.js';
import type { CreateStripeInvoiceOutcome } from './create-stripe-invoice.outcome.js';
import { lookUpStripeInvoice } from './look-up-stripe-invoice.js';
import { prepareStripeInvoice } from './prepare-stripe-invoice.js';
import { resolveStripeRefusal } from './resolve-stripe-refusal.js';
import { type AnsweredSending, sendStripeDraft } from './send-stripe-draft.js';
import { abandonStripeInvoice, postponeStripeInvoice, settleStripeInvoice } from './settle-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';

export interface CreateStripeInvoiceInput {
  readonly purchaseOrderId: string;
  readonly idempotencyKey?: string | null;
}

/**
 * Creates the purchase order's invoice in Stripe, with every line, finalises it and marks a draft order as sent. Claim,
 * call, record: whatever happens in between, calling it again continues the same invoice and never makes a second one.
 * `id` of the outcome is the purchase order's; with `STRIPE_TOTAL_DIFFERS` the invoice exists although something about it
 * is wrong.
 *
 * @param continuing the operation to go on with: when it was settled meanwhile, nothing is done
 */
export async function createStripeInvoice(
  context: StripeContext,
  { idempotencyKey, ...input }: CreateStripeInvoiceInput,
  continuing?: string,
): Promise<CreateStripeInvoiceOutcome> {
  const request = { mutation: 'createStripeInvoice', key: idempotencyKey ?? undefined, input };
  const claim = await inTransaction(context.em, (tx) =>
    claimStripeInvoice(tx, context, { ...input, ...request, continuing }),
  );
  if ('answer' in claim) return claim.answer;
  return carryOut(context, claim.claimed);
}

async function carryOut(asked: StripeContext, claimed: ClaimedStripeInvoice): Promise<CreateStripeInvoiceOutcome> {
  const { operation, obstacle } = claimed;
  const context = asRequester(asked, operation);
  if (operation.body === null || (isReplayable(context, operation) && !obstacle)) return send(context, claimed);
  return lookFirst(context, claimed, operation.body);
}

async function send(context: StripeContext, claimed: ClaimedStripeInvoice): Promise<CreateStripeInvoiceOutcome> {
  const prepared = await prepareStripeInvoice(context, claimed);
  if ('failure' in prepared) return abandonStripeInvoice(context, claimed, prepared);
  const begun = await beginSending(context, claimed, prepared.body);
  if ('failure' in begun) return begun.isFinal ? abandonStripeInvoice(context, claimed, begun) : refused(begun.failure);
  const sent = await sendStripeDraft(context, claimed, begun);
  if (sent === 'overtaken') return refused(OVERTAKEN.failure);
  if (isDraftGone(claimed, sent)) return sendAnew(context, claimed, sent.attempt);
  return settleStripeInvoice(context, claimed, await resolveStripeRefusal(context, claimed, sent));
}

/** Who deleted the draft may have died before saying so: that Stripe does not know it is no word on the invoice. */
function isDraftGone({ draftId }: ClaimedStripeInvoice, { result }: AnsweredSending): boolean {
  return draftId !== undefined && !result.ok && isNotFound(result.failure);
}

async function sendAnew(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  attempt?: Attempt,
): Promise<CreateStripeInvoiceOutcome> {
  const next = await beginAnew(context, claimed, attempt);
  return next ? send(context, next) : refused(OVERTAKEN.failure);
}

/**
 * What was sent so long ago that its answer may stay lost for good is looked for; so is, however young, what must not be
 * invoiced any more. Stripe repeats also an internal error under the same key: when nothing payable came of it, the next
 * sending gets a new one.
 */
async function lookFirst(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  body: string,
): Promise<CreateStripeInvoiceOutcome> {
  const { operation, obstacle } = claimed;
  const lookUp = await lookUpStripeInvoice(context, claimed, { body, draftId: claimed.draftId });
  switch (lookUp.status) {
    case 'found': {
      const attempt = latestAttempt(operation);
      return settleStripeInvoice(context, claimed, {
        attempt,
        body,
        result: succeeded(lookUp.invoice, lookUp.trace),
        isAdopted: true,
      });
    }
    case 'failed':
      return postponeStripeInvoice(context, claimed, lookUp.failure);
    case 'nothing': {
      const mayAppear = !lookUp.isCertain && mayBeUnderWay(context, operation.lastSentAt);
      if (mayAppear) return postponeStripeInvoice(context, claimed, obstacle ? notSentAgain(obstacle) : NOT_SENT_NOW);
      if (obstacle) return abandonStripeInvoice(context, claimed, { failure: obstacle, isFinal: true });
      return sendAnew(context, claimed);
    }
  }
}

const NOT_SENT_NOW = {
  kind: 'unknown',
  message: 'The invoice is not sent again as long as Stripe may be at work on an earlier sending.',
  trace: {},
} as const;
