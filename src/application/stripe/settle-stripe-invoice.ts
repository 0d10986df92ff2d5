import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { OVERTAKEN } from '../invoicing/begin-sending.js';
import { abandonClaim, type PreparationFailure, postponeClaim, releaseClaim } from '../invoicing/end-claim.js';
import type { Attempt } from '../operations/provider-operations.js';
import { openFailure, settleAttempt } from '../operations/settle-attempt.js';
import { refused } from '../outcome.js';
import type { BillingInvoice } from '../ports/billing.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { recordInTransaction } from '../transaction.js';
import { announceChanges, stripeInbox } from '../webhooks/announce-changes.js';
import type { ClaimedStripeInvoice } from './claim-stripe-invoice.js';
import type { CreateStripeInvoiceCode, CreateStripeInvoiceOutcome } from './create-stripe-invoice.outcome.js';
import { recordStripeInvoice } from './record-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';
import { forgetCustomer } from './stripe-customer-link.js';
import { describeStripeFailure, type StripeFailure } from './stripe-failure.js';
import { syncStripeInvoice } from './sync-invoice.js';

/** See `abandonClaim`. */
export async function abandonStripeInvoice(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  { failure, isFinal }: PreparationFailure<StripeFailure<CreateStripeInvoiceCode>>,
): Promise<CreateStripeInvoiceOutcome> {
  await abandonClaim(context, claimed, { reason: failure.message, isFinal, pace: isFinal ? undefined : 'ever later' });
  return refused(failure);
}

export interface SentStripeInvoice {
  readonly attempt: Attempt;
  readonly result: ProviderResult<BillingInvoice>;
  readonly body: string;
  /** The result is not the answer to the sending: the invoice was found in Stripe. */
  readonly isAdopted?: boolean;
  /** See `SettledAttempt`. */
  readonly isProven?: boolean;
  readonly didNothing?: boolean;
}

/** Records what came of the sending. */
export async function settleStripeInvoice(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  { attempt, result, body, isAdopted = false, isProven, didNothing }: SentStripeInvoice,
): Promise<CreateStripeInvoiceOutcome> {
  const { invoiceId, connection, order } = claimed;
  // A replayed answer is as old as the first attempt, and one that was found may have been paid: look at it as it is now.
  const mayHaveMoved = result.ok && (isAdopted || attempt.number > 1);
  const outcome = await recordInTransaction(context, async (tx): Promise<CreateStripeInvoiceOutcome> => {
    const locked = await lockExistingPurchaseOrder(tx, order.id);
    const settlement = await settleAttempt(tx, context, { attempt, result, isProven, didNothing });
    if (result.ok) {
      // Looking may fail, or this process die before: then the event is what is left of the intention.
      if (mayHaveMoved) {
        const { externalId } = result.value;
        const announced = [{ eventId: attempt.operationId, entity: 'invoice', externalId } as const];
        await announceChanges(tx, context, stripeInbox(connection), announced);
      }
      return recordStripeInvoice(tx, context, locked, invoiceId, { ...result, body });
    }
    if (settlement === 'superseded') return refused(OVERTAKEN.failure);
    if (settlement === 'refused') await releaseClaim(tx, claimed);
    if (settlement === 'unknown') await tx.nativeUpdate(Invoice, invoiceId, { status: InvoiceStatus.UNKNOWN });
    return refused(describeStripeFailure(openFailure(result.failure, settlement)));
  });
  if (!result.ok && result.failure.kind === 'rejected' && result.failure.reason === 'bad_reference') {
    await forgetCustomer(context, { connection, order }, context.billing.customerOf(body));
  }
  if (mayHaveMoved && outcome.id === order.id) await syncStripeInvoice(context, invoiceId);
  return outcome;
}

/** See `postponeClaim`. */
export async function postponeStripeInvoice(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  { message, trace }: ProviderFailure,
): Promise<CreateStripeInvoiceOutcome> {
  await postponeClaim(context, claimed, message);
  return refused(describeStripeFailure({ kind: 'unknown', message, trace }));
}
