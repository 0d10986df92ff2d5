import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { OVERTAKEN } from '../invoicing/begin-sending.js';
import { abandonClaim, postponeClaim, releaseClaim } from '../invoicing/end-claim.js';
import type { Attempt } from '../operations/provider-operations.js';
import { openFailure, settleAttempt } from '../operations/settle-attempt.js';
import { refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { recordInTransaction } from '../transaction.js';
import { announceChanges, qboInbox } from '../webhooks/announce-changes.js';
import type { ClaimedInvoice } from './claim-qbo-invoice.js';
import { markSettingsStale } from './company-settings.js';
import type { CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import { forgetCustomer } from './customer-link.js';
import type { PreparationFailure } from './prepare-invoice.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure } from './qbo-failure.js';
import { recordCreatedInvoice } from './record-invoice.js';
import { syncInvoice } from './sync-invoices.js';

/** See `abandonClaim`. */
export async function abandonInvoice(
  context: QboContext,
  claimed: ClaimedInvoice,
  { failure, isFinal }: PreparationFailure,
): Promise<CreateQboInvoiceOutcome> {
  await abandonClaim(context, claimed, {
    reason: failure.message,
    isFinal,
    // A customer of unknown outcome asked to be gone on with itself, ever later, and its invoice goes along.
    pace: failure.code === 'IN_PROGRESS' ? 'soon' : undefined,
  });
  return refused(failure);
}

export interface SentInvoice {
  readonly attempt: Attempt;
  readonly result: ProviderResult<ProviderInvoice>;
  readonly body: string;
  /** The result is not the answer to the sending: the invoice was found in QuickBooks. */
  readonly isAdopted?: boolean;
  /** See `SettledAttempt`. */
  readonly isProven?: boolean;
  readonly didNothing?: boolean;
}

/** Records what came of the sending, and says so. */
export async function settleInvoice(
  context: QboContext,
  claimed: ClaimedInvoice,
  { attempt, result, body, isAdopted = false, isProven = false, didNothing }: SentInvoice,
): Promise<CreateQboInvoiceOutcome> {
  const { invoiceId, connection, order } = claimed;
  // A replayed answer is as old as the first attempt, one that was found may have been paid, and automatic credits apply
  // at once: look at it as it is now.
  const mayHaveMoved = result.ok && (isAdopted || attempt.number > 1 || result.value.paymentIds.length > 0);
  const outcome = await recordInTransaction(context, async (tx): Promise<CreateQboInvoiceOutcome> => {
    const locked = await lockExistingPurchaseOrder(tx, order.id);
    const settlement = await settleAttempt(tx, context, { attempt, result, isProven, didNothing });
    // Looking may fail, or this process die before: then the event is what is left of the intention.
    const { operationId: eventId } = attempt;
    const announced = mayHaveMoved
      ? [{ eventId, entity: 'invoice', externalId: result.value.externalId } as const]
      : [];
    await announceChanges(tx, context, qboInbox(connection), announced);
    if (result.ok) return recordCreatedInvoice(tx, context, locked, invoiceId, { ...result, body });
    if (settlement === 'superseded') return refused(OVERTAKEN.failure);
    if (settlement === 'refused') await releaseClaim(tx, claimed);
    if (settlement === 'unknown') await tx.nativeUpdate(Invoice, invoiceId, { status: InvoiceStatus.UNKNOWN });
    return refused(describeProviderFailure(openFailure(result.failure, settlement)));
  });
  if (!result.ok && result.failure.kind === 'rejected') {
    await markSettingsStale(context, connection.id);
    if (result.failure.reason === 'bad_reference') await forgetCustomer(context.em, connection, order);
  }
  if (mayHaveMoved && outcome.id === order.id) await syncInvoice(context, invoiceId);
  return outcome;
}

/** See `postponeClaim`. */
export async function postponeInvoice(
  context: QboContext,
  claimed: ClaimedInvoice,
  { message, trace }: ProviderFailure,
): Promise<CreateQboInvoiceOutcome> {
  await postponeClaim(context, claimed, message);
  return refused(describeProviderFailure({ kind: 'unknown', message, trace }));
}
