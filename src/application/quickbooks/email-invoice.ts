import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus } from '../../domain/invoice/invoice.status.js';
import {
  type AnsweredEmail,
  type BegunEmail,
  type EmailingProvider,
  recordEmail,
} from '../invoicing/email-operations.js';
import { invoiceGone } from '../invoicing/find-invoice.js';
import { beginReading, isOvertaken } from '../invoicing/reading-order.js';
import type { Outcome } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type ProviderCode, type QboFailure } from './qbo-failure.js';
import { applyReading } from './record-invoice.js';

export type EmailFailure = QboFailure<ProviderCode | 'NO_QBO_INVOICE'>;
export type EmailOutcome = Outcome<EmailFailure>;

export const QBO_EMAILING: EmailingProvider<EmailFailure> = {
  provider: 'QBO',
  gone: invoiceGone('QBO'),
  describe: describeProviderFailure,
};

/** Has QuickBooks e-mail the invoice and records what became of it. The attempt is committed already. */
export async function emailInvoice(
  context: QboContext,
  invoice: Invoice,
  { attempt, body: email }: BegunEmail,
): Promise<EmailOutcome> {
  const connectionId = String(invoice.qboConnection?.id);
  const externalId = String(invoice.externalId);
  const begun = await beginReading(context.em);
  const result = await context.accounting.sendInvoice(connectionId, externalId, email, attempt.operationId);
  // An answer that QuickBooks replays is as old as the first sending.
  const take = taking(context, { begun, isCurrent: attempt.number === 1 });
  return recordEmail(context, QBO_EMAILING, invoice, { attempt, body: email, result, take });
}

export interface EmailReading {
  /** See `beginReading`. */
  readonly begun: bigint;
  /** The answer describes the invoice as it was after `begun`. */
  readonly isCurrent: boolean;
}

/** Takes over what QuickBooks says of an invoice that was e-mailed. */
export function taking(
  context: QboContext,
  { begun, isCurrent }: EmailReading,
): AnsweredEmail<ProviderInvoice>['take'] {
  return async (tx, order, invoice, answer) => {
    // A reading recorded meanwhile is newer than this answer, of which then only the e-mail counts.
    if (isCurrent && !isOvertaken(invoice, begun)) await applyReading(tx, context, { order, invoice, answer });
    else invoice.emailStatus = EmailStatus[answer.emailStatus];
    invoice.updatedAt = context.clock.now();
  };
}
