import type { ReportedPayment, ReportedShare } from '../../domain/invoice/booking-plan.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { shareOf } from '../../domain/invoice/payment-share.js';
import { ZERO } from '../../domain/money.js';
import type { ProviderPayment } from '../ports/accounting.js';

/** The money that these payments brought to the invoice. */
export function reportedMoney(invoice: Invoice, payments: readonly ProviderPayment[]): ReportedPayment[] {
  return payments.flatMap((payment) => {
    const { externalId, paidOn, referenceNumber } = payment;
    const amount = shareIn(invoice, payment).cash;
    return amount > ZERO
      ? [{ providerPaymentId: externalId, amount, paidOn, reference: referenceNumber ?? externalId }]
      : [];
  });
}

/** The credit that these payments applied to the invoice. */
export function reportedCredit(invoice: Invoice, payments: readonly ProviderPayment[]): ReportedShare[] {
  return payments.flatMap((payment) => {
    const amount = shareIn(invoice, payment).credit;
    return amount > ZERO ? [{ providerPaymentId: payment.externalId, amount }] : [];
  });
}

function shareIn(invoice: Invoice, payment: ProviderPayment) {
  const share = shareOf(payment, String(invoice.externalId));
  if (payment.currency !== invoice.currencyCode && (share.cash > ZERO || share.credit > ZERO)) {
    throw new Error(`payment ${payment.externalId} is in ${payment.currency}, its invoice in ${invoice.currencyCode}`);
  }
  return share;
}
