import type { CurrencyCode } from '../currency.js';
import { describeCustomerCredit } from '../invoice/customer-credit.js';
import { type InvoiceProvider, type InvoiceStatus, isEnded, PROVIDER_NAMES } from '../invoice/invoice.status.js';
import { add, formatAmount, type MinorUnits, subtract, ZERO } from '../money.js';

export type AttentionCode =
  | 'REFUND_DUE'
  | 'PAID_TWICE'
  | 'TOTAL_DIFFERS'
  | 'BALANCE_DIFFERS'
  | 'SECOND_INVOICE'
  | 'OUTCOME_UNKNOWN'
  | 'SWITCH_FAILED'
  | 'PAYMENT_PROCESSING'
  | 'PAYMENT_DISPUTED'
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
  readonly id: string;
  readonly provider: `${InvoiceProvider}`;
  readonly status: `${InvoiceStatus}`;
  readonly externalId: string | null;
  readonly number: string | null;
  readonly matchesPurchaseOrder: boolean;
  readonly totalMinor: MinorUnits;
  readonly customerCreditMinor: MinorUnits;
  readonly balanceMinor: MinorUnits;
  readonly refundedMinor: MinorUnits;
  readonly processingMinor: MinorUnits;
  readonly isDisputed: boolean;
  readonly currencyCode: CurrencyCode;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What the provider's payments have booked on one invoice. */
export interface BookedOnInvoice {
  readonly money: MinorUnits;
  readonly credit: MinorUnits;
  readonly since: Date | null;
}

/** A move to another provider that was given up when the invoice was voided already. */
export interface FailedSwitch {
  readonly reason: string | null;
  readonly since: Date;
}

interface Facts {
  readonly currencyCode: CurrencyCode;
  readonly totalMinor: MinorUnits;
  readonly paidMinor: MinorUnits;
  readonly creditedMinor: MinorUnits;
  readonly cancelledAt: Date | null;
  /** The live one, else the latest. */
  readonly invoice: InvoiceFacts | undefined;
  /** What is known of an invoice whose creation is not settled. */
  readonly trouble?: string | null | undefined;
  /** That voided `invoice`. */
  readonly failedSwitch?: FailedSwitch | undefined;
  readonly otherInvoices: readonly InvoiceFacts[];
  /** The standing bookings that the provider's payments made, by the id of the invoice. */
  readonly booked: ReadonlyMap<string, BookedOnInvoice>;
  /** Of the payments that have or had a booking on the purchase order. */
  readonly unappliedCredits: readonly UnappliedCredit[];
}

/** Derived from the rows as they are, so that no flag can be forgotten or left behind. */
export function attentionOf(facts: Facts): Attention[] {
  const { invoice, otherInvoices } = facts;
  const single = [
    refundDue(facts),
    paidTwice(facts),
    totalDiffers(facts),
    balanceDiffers(facts),
    outcomeUnknown(facts),
    switchFailed(facts),
  ].filter((item) => item !== undefined);
  const moving = [...(invoice ? [invoice] : []), ...otherInvoices].flatMap(movingMoney);
  const second = otherInvoices.filter(({ balanceMinor }) => balanceMinor > ZERO).map(secondInvoice);
  return [...single, ...second, ...moving, ...facts.unappliedCredits.map(unappliedCredit)];
}

function refundDue({ cancelledAt, paidMinor, currencyCode }: Facts): Attention | undefined {
  if (!cancelledAt || paidMinor <= ZERO) return undefined;
  const paid = `${formatAmount(paidMinor, currencyCode)} ${currencyCode}`;
  return { code: 'REFUND_DUE', since: cancelledAt, message: `${paid} was received for a cancelled purchase order.` };
}

/** The buyer paid the former invoice as well as the one that took its place. */
function paidTwice({ totalMinor, paidMinor, creditedMinor, booked, currencyCode }: Facts): Attention | undefined {
  const paid = [...booked.values()].filter(({ money }) => money > ZERO);
  const tooMuch = subtract(add(paidMinor, creditedMinor), totalMinor);
  const [, second] = paid
    .map(({ since }) => since ?? new Date(0))
    .toSorted((left, right) => left.getTime() - right.getTime());
  if (!second || tooMuch <= ZERO) return undefined;
  const amount = `${formatAmount(tooMuch, currencyCode)} ${currencyCode}`;
  const message = `Money was received on ${paid.length} invoices, ${amount} more than is due. Refund the second payment.`;
  return { code: 'PAID_TWICE', since: second, message };
}

function totalDiffers({ invoice, totalMinor, currencyCode }: Facts): Attention | undefined {
  if (!invoice || invoice.matchesPurchaseOrder || isEnded(invoice.status)) return undefined;
  const invoiced = `${formatAmount(invoice.totalMinor, invoice.currencyCode)} ${invoice.currencyCode}`;
  const ordered = `${formatAmount(totalMinor, currencyCode)} ${currencyCode}`;
  const credit = describeCustomerCredit(invoice);
  const message = credit
    ? `The invoice is over ${invoiced}, the purchase order over ${ordered}, but ${credit}`
    : `The invoice is over ${invoiced}, the purchase order over ${ordered}, or their lines differ.`;
  return { code: 'TOTAL_DIFFERS', since: invoice.createdAt, message };
}

/** Nothing of an invoice in another currency is booked: that its currency differs says it all. */
function balanceDiffers({ invoice, booked: bookings, currencyCode }: Facts): Attention | undefined {
  if (!invoice || isEnded(invoice.status) || invoice.currencyCode !== currencyCode) return undefined;
  const standing = bookings.get(invoice.id);
  const bookedMinor = standing ? add(standing.money, standing.credit) : ZERO;
  const { totalMinor, customerCreditMinor, balanceMinor, refundedMinor } = invoice;
  const settledMinor = subtract(subtract(subtract(totalMinor, customerCreditMinor), balanceMinor), refundedMinor);
  if (settledMinor === bookedMinor) return undefined;
  const settled = `${formatAmount(settledMinor, currencyCode)} ${currencyCode}`;
  const booked = `${formatAmount(bookedMinor, currencyCode)} ${currencyCode}`;
  const message = `${PROVIDER_NAMES[invoice.provider]} says that ${settled} of the invoice is settled; ${booked} is booked here.`;
  return { code: 'BALANCE_DIFFERS', since: invoice.updatedAt, message };
}

function outcomeUnknown({ invoice, trouble }: Facts): Attention | undefined {
  if (invoice?.status !== 'UNKNOWN') return undefined;
  const message = 'It is not known yet whether the provider made the invoice. Do not invoice it by hand.';
  return { code: 'OUTCOME_UNKNOWN', since: invoice.updatedAt, message: trouble ? `${message} ${trouble}` : message };
}

/** Nothing asks the buyer for the money, although nobody decided so. */
function switchFailed(facts: Facts): Attention | undefined {
  const { invoice, failedSwitch, cancelledAt, totalMinor, paidMinor, creditedMinor } = facts;
  const isSettled = add(paidMinor, creditedMinor) >= totalMinor;
  if (!invoice || !failedSwitch || !isEnded(invoice.status) || cancelledAt || isSettled) return undefined;
  const { reason, since } = failedSwitch;
  const message = `The invoice in ${PROVIDER_NAMES[invoice.provider]} was voided to move the purchase order to another provider, where none could be made: it has no invoice now.`;
  return { code: 'SWITCH_FAILED', since, message: reason ? `${message} ${reason}` : message };
}

/** What ended asks for nothing: a balance says that it is there again. */
function secondInvoice(invoice: InvoiceFacts): Attention {
  const { provider, number, externalId, balanceMinor, currencyCode, updatedAt } = invoice;
  const balance = `${formatAmount(balanceMinor, currencyCode)} ${currencyCode}`;
  const message = `${PROVIDER_NAMES[provider]} invoice ${number ?? externalId}, which was voided or deleted before, asks for ${balance} beside the live invoice. Void one of them.`;
  return { code: 'SECOND_INVOICE', since: updatedAt, message };
}

function movingMoney(invoice: InvoiceFacts): Attention[] {
  const { provider, processingMinor, isDisputed, currencyCode, updatedAt: since } = invoice;
  const name = PROVIDER_NAMES[provider];
  const amount = `${formatAmount(processingMinor, currencyCode)} ${currencyCode}`;
  return [
    ...(processingMinor > ZERO
      ? [
          {
            code: 'PAYMENT_PROCESSING',
            since,
            message: `${amount} is on its way through ${name}; banks take days.`,
          } as const,
        ]
      : []),
    ...(isDisputed
      ? [{ code: 'PAYMENT_DISPUTED', since, message: `A payment is disputed: answer the bank in ${name}.` } as const]
      : []),
  ];
}

function unappliedCredit({ providerPaymentId, amountMinor, currencyCode, since }: UnappliedCredit): Attention {
  const rest = `${formatAmount(amountMinor, currencyCode)} ${currencyCode}`;
  const message = `${rest} of payment ${providerPaymentId} is applied to no invoice in QuickBooks.`;
  return { code: 'UNAPPLIED_CREDIT', since, message };
}
