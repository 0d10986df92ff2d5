import type { Charge, CreditNote, Invoice } from '../books/model.js';
import type { Work } from '../books/work.js';
import { invalidRequest } from '../errors.js';
import { difference, type Units } from '../units.js';
import { paymentsOf } from './invoice-amounts.js';
import { refund } from './refunds.js';

/** Gives back to one of the payments of an invoice: the first that is large enough. */
export function creditedRefund(work: Work, invoice: Invoice, amount: Units): CreditNote['refunds'] {
  if (amount === 0) return [];
  const charge = chargesOf(work, invoice).find((each) => difference(each.amount, each.amountRefunded) >= amount);
  if (charge === undefined) {
    throw invalidRequest('No payment of the invoice is large enough for the refund.', { param: 'refund_amount' });
  }
  const made = refund(work, charge, { amount, reason: null, metadata: {} });
  return [{ refund: made.id, amount }];
}

function chargesOf(work: Work, invoice: Invoice): Charge[] {
  return paymentsOf(work, invoice).flatMap(({ payment, status }) => {
    if (status !== 'paid' || payment.type !== 'payment_intent') return [];
    const intent = work.books.paymentIntents.get(payment.payment_intent);
    return work.books.charges.get(intent?.latestCharge ?? '') ?? [];
  });
}
