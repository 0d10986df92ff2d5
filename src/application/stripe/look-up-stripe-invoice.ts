import { accountCompanyId } from '../../domain/stripe/stripe-connection.entity.js';
import { unsettledSendings, withoutThoseOfOthers } from '../invoicing/own-sendings.js';
import type { BillingInvoice } from '../ports/billing.js';
import {
  isNotFound,
  type ProviderFailure,
  type ProviderResult,
  type ProviderTrace,
  succeeded,
} from '../ports/provider.js';
import type { ClaimedStripeInvoice } from './claim-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';

/** What is left in Stripe of an invoice whose sending was not finished, once its drafts are deleted. */
export type StripeLookUp =
  /** It is payable or paid. */
  | { readonly status: 'found'; readonly invoice: BillingInvoice; readonly trace: ProviderTrace }
  /** `isCertain`: its own draft is gone, so whatever is still under way can make nothing payable any more. */
  | { readonly status: 'nothing'; readonly isCertain: boolean }
  | { readonly status: 'failed'; readonly failure: ProviderFailure };

/** How to look: the text that was sent, and the draft that it made, when that is known. */
export interface StripeTrace {
  readonly body: string;
  readonly draftId: string | undefined;
}

/**
 * Looks for the invoice by the id of its draft, else among the customer's newer ones by the operations in their metadata.
 * One that was finalised is ours to adopt. A draft asks nobody for money: it is deleted. What somebody voided is as good as
 * deleted.
 */
export async function lookUpStripeInvoice(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  trace: StripeTrace,
): Promise<StripeLookUp> {
  const { draftId } = trace;
  if (draftId !== undefined) {
    const known = await removeDraft(context, claimed, draftId);
    // Nothing else bears the order's mark before its second generation.
    if (known.status !== 'nothing' || claimed.operation.generation === 1) return known;
  }
  const found = await findInvoices(context, claimed, trace);
  if (!found.ok) return { status: 'failed', failure: found.failure };
  const isCertain = draftId !== undefined || found.value.some((one) => one.operationId === claimed.operation.id);
  let finalised = found.value.find(({ status }) => status !== 'DRAFT' && status !== 'VOID');
  for (const draft of found.value.filter(({ status }) => status === 'DRAFT')) {
    const removed = await removeDraft(context, claimed, draft.externalId);
    if (removed.status === 'failed') return removed;
    if (removed.status === 'found') finalised ??= removed.invoice;
  }
  if (!finalised) return { status: 'nothing', isCertain };
  return { status: 'found', invoice: finalised, trace: found.trace };
}

/** Deletes the draft. If it is none any more, that is the invoice. */
async function removeDraft(
  { billing }: StripeContext,
  { connection }: ClaimedStripeInvoice,
  draftId: string,
): Promise<StripeLookUp> {
  const deleted = await billing.deleteDraft(connection.id, draftId);
  if (deleted.ok || isNotFound(deleted.failure)) return { status: 'nothing', isCertain: true };
  const { failure } = deleted;
  if (failure.kind !== 'rejected' || failure.reason !== 'stale') return { status: 'failed', failure };
  const read = await billing.readInvoice(connection.id, draftId);
  if (!read.ok) return { status: 'failed', failure: read.failure };
  const { trace } = read;
  const { invoice } = read.value;
  return invoice.status === 'VOID' ? { status: 'nothing', isCertain: true } : { status: 'found', invoice, trace };
}

/** Oldest first, without those that are recorded for another invoice of ours. */
async function findInvoices(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
  { body }: StripeTrace,
): Promise<ProviderResult<readonly BillingInvoice[]>> {
  const { billing, waits, em } = context;
  const { connection, operation, invoiceId } = claimed;
  const sendings = await unsettledSendings(em.fork(), operation);
  const firstClaim = Math.min(...sendings.map(({ createdAt }) => createdAt.getTime()));
  const createdSince = new Date(firstClaim - waits.lookUpMarginMs);
  const marks = sendings.map(({ id }) => id);
  const wanted = { customerExternalId: billing.customerOf(body), createdSince };
  const found = await billing.findInvoices(connection.id, wanted, marks);
  if (!found.ok) return found;
  const own = await withoutThoseOfOthers(
    em.fork(),
    { companyId: accountCompanyId(connection), invoiceId },
    found.value,
  );
  return succeeded(
    own.toSorted((left, right) => left.createdAt.getTime() - right.createdAt.getTime()),
    found.trace,
  );
}
