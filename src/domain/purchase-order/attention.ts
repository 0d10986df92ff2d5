import type { CurrencyCode } from '../currency.js';
import type { InvoiceStatus } from '../invoice/invoice.status.js';
import { formatAmount, type MinorUnits, ZERO } from '../money.js';

export type AttentionCode = 'REFUND_DUE' | 'TOTAL_DIFFERS' | 'OUTCOME_UNKNOWN' | 'UNAPPLIED_CREDIT';

/** Something about a purchase order that a person should look at. It goes away by itself once its cause is gone. */
export interface Attention {
  readonly code: AttentionCode;
  readonly since: Date;
  readonly message: string;
}

/** A rest of a provider's payment that is applied to no invoice. */
export interface UnappliedCredit {
  readonly providerPaymentId: string;
  readonly amountMinor: MinorUnits;
  readonly currencyCode: CurrencyCode;
  readonly since: Date;
}

interface Facts {
  readonly currencyCode: CurrencyCode;
  readonly totalMinor: MinorUnits;
  readonly paidMinor: MinorUnits;
  readonly cancelledAt: Date | null;
  readonly invoice:
    | {
        readonly status: `${InvoiceStatus}`;
        readonly matchesPurchaseOrder: boolean;
        readonly totalMinor: MinorUnits;
        readonly currencyCode: CurrencyCode;
        readonly createdAt: Date;
        readonly updatedAt: Date;
      }
    | undefined;
  /** What is known of an invoice whose creation is not settled. */
  readonly trouble?: string | null | undefined;
  /** Of the payments that have or had a booking on the purchase order. */
  readonly unappliedCredits: readonly UnappliedCredit[];
}

/** Derived from the rows as they are, so that no flag can be forgotten or left behind. */
export function attentionOf(facts: Facts): Attention[] {
  const single = [refundDue(facts), totalDiffers(facts), outcomeUnknown(facts)].filter((item) => item !== undefined);
  return [...single, ...facts.unappliedCredits.map(unappliedCredit)];
}

function refundDue({ cancelledAt, paidMinor, currencyCode }: Facts): Attention | undefined {
  if (!cancelledAt || paidMinor <= ZERO) return undefined;
  const paid = `${formatAmount(paidMinor, currencyCode)} ${currencyCode}`;
  return { code: 'REFUND_DUE', since: cancelledAt, message: `${paid} was received for a cancelled purchase order.` };
}

function totalDiffers({ invoice, totalMinor, currencyCode }: Facts): Attention | undefined {
  if (!invoice || invoice.matchesPurchaseOrder || !isLive(invoice.status)) return undefined;
  const invoiced = `${formatAmount(invoice.totalMinor, invoice.currencyCode)} ${invoice.currencyCode}`;
  const ordered = `${formatAmount(totalMinor, currencyCode)} ${currencyCode}`;
  const message = `The invoice is over ${invoiced}, the purchase order over ${ordered}, or their lines differ.`;
  return { code: 'TOTAL_DIFFERS', since: invoice.createdAt, message };
}

function outcomeUnknown({ invoice, trouble }: Facts): Attention | undefined {
  if (invoice?.status !== 'UNKNOWN') return undefined;
  const message = 'It is not known yet whether the provider made the invoice. Do not invoice it by hand.';
  return { code: 'OUTCOME_UNKNOWN', since: invoice.updatedAt, message: trouble ? `${message} ${trouble}` : message };
}

function unappliedCredit({ providerPaymentId, amountMinor, currencyCode, since }: UnappliedCredit): Attention {
  const rest = `${formatAmount(amountMinor, currencyCode)} ${currencyCode}`;
  const message = `${rest} of payment ${providerPaymentId} is applied to no invoice in QuickBooks.`;
  return { code: 'UNAPPLIED_CREDIT', since, message };
}

function isLive(status: `${InvoiceStatus}`): boolean {
  return status !== 'VOIDED' && status !== 'DELETED';
}
