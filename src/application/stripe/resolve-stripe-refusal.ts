import { mayBeUnderWay } from '../operations/provider-operations.js';
import { failed, type ProviderFailure, succeeded } from '../ports/provider.js';
import type { ClaimedStripeInvoice } from './claim-stripe-invoice.js';
import { lookUpStripeInvoice } from './look-up-stripe-invoice.js';
import type { AnsweredSending } from './send-stripe-draft.js';
import type { SentStripeInvoice } from './settle-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';

/**
 * Looks into a failure behind which there is, or may be, a draft. After a rejection the draft is deleted, unless somebody
 * finalised it. Where only the next step could not be sent, the draft stays and is gone on with later.
 */
export async function resolveStripeRefusal(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  sent: AnsweredSending,
): Promise<SentStripeInvoice> {
  const { result, attempt, draftId } = sent;
  if (result.ok || result.failure.kind === 'unknown') return sent;
  const { failure } = result;
  if (failure.kind !== 'rejected') return draftId === undefined ? sent : { ...sent, result: unfinished(failure) };
  if (draftId === undefined && attempt.number === 1) return sent;
  const lookUp = await lookUpStripeInvoice(context, claimed, sent);
  switch (lookUp.status) {
    case 'found':
      return { ...sent, result: succeeded(lookUp.invoice, failure.trace), isAdopted: true };
    case 'failed':
      return { ...sent, result: unfinished(failure) };
    case 'nothing':
      return { ...sent, isProven: lookUp.isCertain || !mayBeUnderWay(context, attempt.sentBefore), didNothing: true };
  }
}

/** A draft is left, or may be. */
function unfinished({ message, trace }: ProviderFailure) {
  return failed({ kind: 'unknown', message, trace });
}
