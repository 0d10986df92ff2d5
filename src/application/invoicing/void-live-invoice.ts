import type { EntityManager } from '@mikro-orm/postgresql';
import { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import type { Failure, Outcome } from '../outcome.js';
import type { QboFailure } from '../quickbooks/qbo-failure.js';
import { qboVoiding, type VoidQboCode } from '../quickbooks/void-qbo-invoice.js';
import type { StripeFailure } from '../stripe/stripe-failure.js';
import { stripeVoiding, type VoidStripeCode } from '../stripe/void-stripe-invoice.js';
import type { InvoicingContext } from './invoicing-context.js';
import { type ClaimedVoid, claimVoid, type OnVoided, voidInvoice, type WantedVoid } from './void-invoice.js';

export type VoidCode = VoidQboCode | VoidStripeCode | 'IN_PROGRESS';
export type VoidFailure = QboFailure<VoidQboCode> | StripeFailure<VoidStripeCode>;

/** `claimVoid` at whichever provider the invoice belongs to. */
export async function claimVoidOf(
  tx: EntityManager,
  context: InvoicingContext,
  wanted: WantedVoid,
): Promise<{ readonly claimed: ClaimedVoid } | { readonly failure: VoidFailure | Failure<VoidCode> }> {
  return wanted.invoice.provider === InvoiceProvider.QBO
    ? claimVoid(tx, context, qboVoiding(context), wanted)
    : claimVoid(tx, context, stripeVoiding(context), wanted);
}

/** `voidInvoice` at whichever provider the invoice belongs to. */
export async function voidLiveInvoice<F>(
  context: InvoicingContext,
  claimed: ClaimedVoid,
  onVoided: OnVoided<F>,
): Promise<Outcome<F | VoidFailure> | 'changed'> {
  return claimed.invoice.provider === InvoiceProvider.QBO
    ? voidInvoice(context, qboVoiding(context), claimed, onVoided)
    : voidInvoice(context, stripeVoiding(context), claimed, onVoided);
}
