import type { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import type { Attempt } from '../operations/provider-operations.js';
import type { BillingInvoice } from '../ports/billing.js';
import type { ProviderResult } from '../ports/provider.js';
import { recording } from '../transaction.js';
import { announceChanges, ORPHAN_PREFIX, stripeInbox } from '../webhooks/announce-changes.js';
import type { ClaimedStripeInvoice } from './claim-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';

/** A sending with what Stripe answered. */
export interface AnsweredSending {
  readonly attempt: Attempt;
  readonly body: string;
  readonly result: ProviderResult<BillingInvoice>;
  /** The draft that is there, unless it was finalised or nobody knows. */
  readonly draftId: string | undefined;
}

/**
 * Makes the draft, puts the lines on it and finalises it, or goes on with the draft of an earlier sending. A sender that
 * was held up for so long that its operation is closed stops at the draft, which is deleted: its successor bills.
 */
export async function sendStripeDraft(
  context: StripeContext,
  { connection, invoiceId, draftId }: ClaimedStripeInvoice,
  { attempt, body }: Pick<AnsweredSending, 'attempt' | 'body'>,
): Promise<AnsweredSending | 'overtaken'> {
  let known = draftId;
  const onDraft = async (externalId: string) => {
    known = externalId;
    if (!(await storeDraft(context, invoiceId, { attempt, externalId }))) throw new SenderOvertaken();
  };
  try {
    const idempotencyKey = attempt.operationId;
    const result = await context.billing.createInvoice(connection.id, { body, idempotencyKey, draftId, onDraft });
    return { attempt, body, result, draftId: known };
  } catch (error) {
    if (!(error instanceof SenderOvertaken)) throw error;
    if (known !== undefined) await discard(context, connection, known);
    return 'overtaken';
  }
}

/** Deleting may fail, or this process die before: then the event is what is left of the intention. */
async function discard(context: StripeContext, connection: StripeConnection, externalId: string): Promise<void> {
  const announced = { eventId: `${ORPHAN_PREFIX}${externalId}`, entity: 'invoice', externalId } as const;
  await recording(context.waits, () =>
    announceChanges(context.em.fork(), context, stripeInbox(connection), [announced]),
  );
  await context.billing.deleteDraft(connection.id, externalId);
}

class SenderOvertaken extends Error {}

/** In one statement, so that the id is known however soon this process dies. False: the operation is closed. */
async function storeDraft(
  { em, clock, waits }: StripeContext,
  invoiceId: string,
  { attempt, externalId }: { readonly attempt: Attempt; readonly externalId: string },
): Promise<boolean> {
  const rows = await recording(waits, () =>
    em.fork().execute<{ id: string }[]>(
      `update invoice set external_id = ?, updated_at = ?
       where id = ? and exists (
         select from provider_operation where id = ? and state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN'))
       returning id`,
      [externalId, clock.now(), invoiceId, attempt.operationId],
    ),
  );
  return rows.length > 0;
}
