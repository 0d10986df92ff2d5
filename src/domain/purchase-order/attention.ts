import type { CurrencyCode } from '../currency.js';
import { type InvoiceStatus, isEnded } from '../invoice/invoice.status.js';
import { formatAmount, type MinorUnits, subtract, ZERO } from '../money.js';

export type AttentionCode =
  | 'REFUND_DUE'
  | 'TOTAL_DIFFERS'
  | 'BALANCE_DIFFERS'
  | 'SECOND_INVOICE'
  | 'OUTCOME_UNKNOWN'
  | 'UNAPPLIED_CREDIT';

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

interface InvoiceFacts {
  readonly status: `${InvoiceStatus}`;
  readonly externalId: string | null;
  readonly number: string | null;
  readonly matchesPurchaseOrder: boolean;
  readonly totalMinor: MinorUnits;
  readonly balanceMinor: MinorUnits;
  readonly currencyCode: CurrencyCode;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface Facts {
  readonly currencyCode: CurrencyCode;
  readonly totalMinor: MinorUnits;
  readonly paidMinor: MinorUnits;
  readonly cancelledAt: Date | null;
  /** The live one, else the latest. */
  readonly invoice: InvoiceFacts | undefined;
  /** What is known of an invoice whose creation is not settled. */
  readonly trouble?: string | null | undefined;
  readonly otherInvoices: readonly InvoiceFacts[];
  /** The standing bookings of money and credit that the provider's payments made on that invoice. */
  readonly bookedMinor: MinorUnits;
  /** Of the payments that have or had a booking on the purchase order. */
  readonly unappliedCredits: readonly UnappliedCredit[];
}

/** Derived from the rows as they are, so that no flag can be forgotten or left behind. */
export function attentionOf(facts: Facts): Attention[] {
  const single = [refundDue(facts), totalDiffers(facts), balanceDiffers(facts), outcomeUnknown(facts)].filter(
    (item) => item !== undefined,
  );
  const second = facts.otherInvoices.filter(({ balanceMinor }) => balanceMinor > ZERO).map(secondInvoice);
  return [...single, ...second, ...facts.unappliedCredits.map(unappliedCredit)];
}

function refundDue({ cancelledAt, paidMinor, currencyCode }: Facts): Attention | undefined {
  if (!cancelledAt || paidMinor <= ZERO) return undefined;
  const paid = `${formatAmount(paidMinor, currencyCode)} ${currencyCode}`;
  return { code: 'REFUND_DUE', since: cancelledAt, message: `${paid} was received for a cancelled purchase order.` };
}

function totalDiffers({ invoice, totalMinor, currencyCode }: Facts): Attention | undefined {
  if (!invoice || invoice.matchesPurchaseOrder || isEnded(invoice.status)) return undefined;
  const invoiced = `${formatAmount(invoice.totalMinor, invoice.currencyCode)} ${invoice.currencyCode}`;
  const ordered = `${formatAmount(totalMinor, currencyCode)} ${currencyCode}`;
  const message = `The invoice is over ${invoiced}, the purchase order over ${ordered}, or their lines differ.`;
  return { code: 'TOTAL_DIFFERS', since: invoice.createdAt, message };
}

/** Nothing of an invoice in another currency is booked: that its currency differs says it all. */
function balanceDiffers({ invoice, bookedMinor, currencyCode }: Facts): Attention | undefined {
  if (!invoice || isEnded(invoice.status) || invoice.currencyCode !== currencyCode) return undefined;
  const settledMinor = subtract(invoice.totalMinor, invoice.balanceMinor);
  if (settledMinor === bookedMinor) return undefined;
  const settled = `${formatAmount(settledMinor, currencyCode)} ${currencyCode}`;
  const booked = `${formatAmount(bookedMinor, currencyCode)} ${currencyCode}`;
  const message = `QuickBooks says that ${settled} of the invoice is settled; ${booked} is booked here.`;
  return { code: 'BALANCE_DIFFERS', since: invoice.updatedAt, message };
}

function outcomeUnknown({ invoice, trouble }: Facts): Attention | undefined {
  if (invoice?.status !== 'UNKNOWN') return undefined;
  const message = 'It is not known yet whether the provider made the invoice. Do not invoice it by hand.';
  return { code: 'OUTCOME_UNKNOWN', since: invoice.updatedAt, message: trouble ? `${message} ${trouble}` : message };
}

/** What ended asks for nothing: a balance says that it is there again. */
function secondInvoice({ number, externalId, balanceMinor, currencyCode, updatedAt }: InvoiceFacts): Attention {
  const balance = `${formatAmount(balanceMinor, currencyCode)} ${currencyCode}`;
  const message = `QuickBooks invoice ${number ?? externalId}, which was voided or deleted before, asks for ${balance} beside the live invoice. Void one of them in QuickBooks.`;
  return { code: 'SECOND_INVOICE', since: updatedAt, message };
}

function unappliedCredit({ providerPaymentId, amountMinor, currencyCode, since }: UnappliedCredit): Attention {
  const rest = `${formatAmount(amountMinor, currencyCode)} ${currencyCode}`;
  const message = `${rest} of payment ${providerPaymentId} is applied to no invoice in QuickBooks.`;
  return { code: 'UNAPPLIED_CREDIT', since, message };
}
