import { type Attempt, mayBeUnderWay } from '../operations/provider-operations.js';
import { failed, type ProviderFailure, succeeded } from '../ports/provider.js';
import type { ClaimedInvoice } from './claim-qbo-invoice.js';
import { lookUpInvoice } from './look-up-invoice.js';
import type { QboContext } from './qbo-context.js';
import type { SentInvoice } from './settle-invoice.js';

/**
 * Looks into a refusal behind which the invoice may exist: a number that is taken, a request id that is known, and
 * whatever a repetition is refused for, because QuickBooks may check anything else (closed books, an inactive customer)
 * before it notices that it is one. That nothing is found counts once no earlier sending can be at work any more.
 */
export async function resolveRefusal(
  context: QboContext,
  claimed: ClaimedInvoice,
  sent: SentInvoice,
): Promise<SentInvoice> {
  const { result, attempt, body } = sent;
  if (result.ok || !isWorthALook(result.failure, attempt)) return sent;
  const refusal = result.failure;
  const isRepetition = attempt.number > 1;
  const isProven = isRepetition && !mayBeUnderWay(context, attempt.sentBefore);
  const refused = { ...sent, didNothing: isRepetition, isProven };
  const lookUp = await lookUpInvoice(context, claimed, { body, refusal });
  switch (lookUp.status) {
    case 'found':
      return { ...sent, result: succeeded(lookUp.invoice, refusal.trace), isAdopted: true };
    case 'foreign':
    case 'doubtful':
      return { ...refused, result: failed({ ...lookUp.failure, trace: refusal.trace }) };
    case 'nothing':
      return isProven ? { ...refused, result: failed(definite(refusal)) } : refused;
    case 'failed':
      return { ...refused, isProven: false };
  }
}

function isWorthALook(failure: ProviderFailure, { number }: Attempt): boolean {
  if (failure.kind === 'unknown') return failure.isRepetition === true;
  if (failure.kind !== 'rejected') return false;
  return failure.reason === 'duplicate_number' || (number > 1 && failure.code !== undefined);
}

/** A request that is known, is over by now and left no invoice behind made one that was deleted, or none at all. */
function definite(refusal: ProviderFailure): ProviderFailure {
  if (refusal.kind === 'rejected') return refusal;
  const { message, trace } = refusal;
  const gone = `${message} No such invoice is left there, so it was deleted.`;
  return { kind: 'rejected', reason: 'not_found', code: '600', message: gone, trace };
}
