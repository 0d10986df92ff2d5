import { z } from 'zod';
import { deliverInvoice } from '../invoicing/deliver-invoice.js';
import { whyNotEmailed } from '../invoicing/email-operations.js';
import { type FindInvoiceCode, findInvoiceAt } from '../invoicing/find-invoice.js';
import { type Outcome, refused } from '../outcome.js';
import { emailAddress, validate } from '../validation.js';
import { QBO_EMAILING } from './email-invoice.js';
import type { QboContext } from './qbo-context.js';
import type { ProviderCode, QboFailure } from './qbo-failure.js';
import { qboDelivery } from './settle-email.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type SendQboInvoiceCode = ProviderCode | ConnectionCode | FindInvoiceCode<'QBO'> | 'CANCELLED' | 'INVALID';
export type SendQboInvoiceOutcome = Outcome<QboFailure<SendQboInvoiceCode>>;

export interface SendQboInvoiceInput {
  readonly purchaseOrderId: string;
  /** Defaults to the contact's address. */
  readonly email?: string | null;
}

/**
 * Has QuickBooks e-mail the invoice. Can be repeated, also to another address; a failure leaves the invoice as it is. An
 * earlier e-mail whose outcome is unknown is settled first, by looking whether it went out.
 */
export async function sendQboInvoice(context: QboContext, input: SendQboInvoiceInput): Promise<SendQboInvoiceOutcome> {
  const found = await findInvoiceAt(context, 'QBO', input.purchaseOrderId);
  if ('failure' in found) return refused(found.failure);
  const { order, invoice } = found;
  const problem = await whyNotEmailed(context.em, QBO_EMAILING, order, invoice.id);
  if (problem) return refused(problem);
  const checked = validate(z.object({ email: emailAddress }), { email: input.email ?? order.contactEmail });
  if (!checked.ok) return refused(...checked.failures);
  const usable = await usableConnection(context, order, invoice);
  if ('failure' in usable) return refused(usable.failure);
  return deliverInvoice(context, qboDelivery(context), invoice, checked.value.email);
}
