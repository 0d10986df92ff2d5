import type { BillingInvoice, InvoiceSending } from '../../application/ports/billing.js';
import { failed, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import type { StripeSession } from './client.js';
import { type InvoiceParams, readInvoiceBody } from './invoice-body.js';
import { createDraftCall, createItemCall, finalizeCall } from './invoices.js';

/**
 * Draft, items in order, finalisation, each under a key of its own: sent again, Stripe repeats its answers up to where
 * the last sending ended and carries out the rest.
 */
export async function createInvoice(
  session: StripeSession,
  sending: InvoiceSending,
): Promise<ProviderResult<BillingInvoice>> {
  const { invoice, items } = readInvoiceBody(sending.body);
  const draft = await draftOf(session, invoice, sending);
  if (!draft.ok) return draft;
  const { draftId, isNew } = draft.value;
  let hasWritten = isNew;
  for (const [index, item] of items.entries()) {
    const call = createItemCall({ ...item, invoice: draftId }, `${sending.idempotencyKey}:item:${index}`);
    const added = await session.call(call);
    if (!added.ok) return stopped(added, hasWritten);
    hasWritten = true;
  }
  return stopped(await session.call(finalizeCall(draftId, `${sending.idempotencyKey}:finalize`)), hasWritten);
}

interface Draft {
  readonly draftId: string;
  readonly isNew: boolean;
}

async function draftOf(
  session: StripeSession,
  params: InvoiceParams['invoice'],
  { draftId, idempotencyKey, onDraft }: InvoiceSending,
): Promise<ProviderResult<Draft>> {
  if (draftId !== undefined) return succeeded({ draftId, isNew: false });
  const created = await session.call(createDraftCall(params, `${idempotencyKey}:invoice`));
  if (!created.ok) return created;
  await onDraft(created.value);
  return succeeded({ draftId: created.value, isNew: true });
}

/** Once something was written, "nothing was done" is not true any more of the whole, whatever stopped the rest. */
function stopped<T>(result: ProviderResult<T>, hasWritten: boolean): ProviderResult<T> {
  if (result.ok || !hasWritten) return result;
  const { kind, message, trace } = result.failure;
  if (kind === 'rejected' || kind === 'unknown') return result;
  return failed({ kind: 'unknown', message: `The invoice was begun and is not finished. ${message}`, trace });
}
