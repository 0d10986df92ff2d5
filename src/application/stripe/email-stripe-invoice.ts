import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus } from '../../domain/invoice/invoice.status.js';
import {
  type AnsweredEmail,
  type BegunEmail,
  type EmailingProvider,
  recordEmail,
} from '../invoicing/email-operations.js';
import { invoiceGone } from '../invoicing/find-invoice.js';
import type { Outcome } from '../outcome.js';
import type { StripeContext } from './stripe-context.js';
import { describeStripeFailure, type StripeFailure, type StripeProviderCode } from './stripe-failure.js';

export type StripeEmailFailure = StripeFailure<StripeProviderCode | 'CANCELLED' | 'NO_STRIPE_INVOICE'>;
export type StripeEmailOutcome = Outcome<StripeEmailFailure>;

/** Stripe's invoices do not say whether they were e-mailed, so that we do. */
export const STRIPE_EMAILING: EmailingProvider<StripeEmailFailure> = {
  provider: 'STRIPE',
  gone: invoiceGone('STRIPE'),
  describe: describeStripeFailure,
  onBegun: (tx, id) => changeStatus(tx, id, EmailStatus.NOT_SENT, EmailStatus.PENDING),
  onNotSent: (tx, id) => changeStatus(tx, id, EmailStatus.PENDING, EmailStatus.NOT_SENT),
};

async function changeStatus(tx: EntityManager, id: string, from: EmailStatus, to: EmailStatus): Promise<void> {
  await tx.nativeUpdate(Invoice, { id, emailStatus: from }, { emailStatus: to });
}

/** Has Stripe e-mail the invoice and records what became of it. The attempt is committed already. */
export async function emailStripeInvoice(
  context: StripeContext,
  invoice: Invoice,
  { attempt, body }: BegunEmail,
): Promise<StripeEmailOutcome> {
  const connectionId = String(invoice.stripeConnection?.id);
  const result = await context.billing.sendInvoice(connectionId, body, attempt.operationId);
  return recordEmail(context, STRIPE_EMAILING, invoice, { attempt, body, result, take: markSent });
}

/** An answer that Stripe replays is as old as the first sending, so that only the e-mail counts. */
export const markSent: AnsweredEmail<unknown>['take'] = async (_tx, _order, invoice) => {
  invoice.emailStatus = EmailStatus.SENT;
};
