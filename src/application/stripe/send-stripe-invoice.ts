import { type DeliveryFailure, deliverInvoice } from '../invoicing/deliver-invoice.js';
import { whyNotEmailed } from '../invoicing/email-operations.js';
import { type FindInvoiceCode, findInvoiceAt } from '../invoicing/find-invoice.js';
import { type Outcome, refused } from '../outcome.js';
import { STRIPE_EMAILING, type StripeEmailFailure } from './email-stripe-invoice.js';
import { stripeDelivery } from './settle-stripe-email.js';
import type { StripeContext } from './stripe-context.js';
import type { StripeFailure } from './stripe-failure.js';
import { type StripeConnectionCode, usableStripeConnection } from './usable-stripe-connection.js';

export type SendStripeInvoiceCode =
  | StripeEmailFailure['code']
  | DeliveryFailure['code']
  | FindInvoiceCode<'STRIPE'>
  | StripeConnectionCode;
export type SendStripeInvoiceOutcome = Outcome<StripeFailure<SendStripeInvoiceCode>>;

/**
 * Has Stripe e-mail the invoice to its customer. Can be repeated; a failure leaves the invoice as it is. An earlier e-mail
 * whose outcome is unknown is settled first.
 */
export async function sendStripeInvoice(
  context: StripeContext,
  { purchaseOrderId }: { readonly purchaseOrderId: string },
): Promise<SendStripeInvoiceOutcome> {
  const found = await findInvoiceAt(context, 'STRIPE', purchaseOrderId);
  if ('failure' in found) return refused(found.failure);
  const { order, invoice } = found;
  const problem = await whyNotEmailed(context.em, STRIPE_EMAILING, order, invoice.id);
  if (problem) return refused(problem);
  const usable = await usableStripeConnection(context, order, invoice);
  if ('failure' in usable) return refused(usable.failure);
  return deliverInvoice(context, stripeDelivery(context), invoice, String(invoice.externalId));
}
