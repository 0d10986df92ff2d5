import type { CreditMemo, Invoice, Payment } from '../books/model.js';
import type { Work } from '../books/work.js';
import { Decimal } from '../decimal.js';
import { applyLines } from './applications.js';
import { openBalance } from './customer-balance.js';
import { takeTransactionId } from './sales-forms.js';

const LINKING_NOTE = 'Created by QB Online to link credits to charges.';

/** Uses the customer's open credits, oldest first, up to the invoice's balance. */
export function applyOpenCredits(work: Work, invoice: Invoice): void {
  for (const memo of work.books.creditMemos.values()) {
    if (memo.customerId !== invoice.customerId || memo.currency !== invoice.currency) continue;
    const amount = Decimal.min(openBalance(memo), openBalance(invoice));
    if (amount.exceeds(Decimal.zero)) linkCredit(work, invoice, memo, amount);
  }
}

/** A credit is set against an invoice by a payment of nothing with two lines. */
export function linkCredit(work: Work, invoice: Invoice, memo: CreditMemo, amount: Decimal): Payment {
  const payment: Payment = {
    id: takeTransactionId(work.books),
    syncToken: 0,
    createdAt: work.recordedAt,
    updatedAt: work.recordedAt,
    form: {
      CustomerRef: { value: invoice.customerId },
      CurrencyRef: { value: invoice.currency },
      TxnDate: invoice.txnDate,
      TotalAmt: Decimal.zero,
      PrivateNote: LINKING_NOTE,
    },
    customerId: invoice.customerId,
    currency: invoice.currency,
    txnDate: invoice.txnDate,
    total: Decimal.zero,
    lines: [],
    voided: false,
    depositId: undefined,
  };
  work.books.payments.set(payment.id, payment);
  work.announce('Payment', payment.id, 'created');
  applyLines(work, payment, [
    { txnType: 'Invoice', txnId: invoice.id, amount },
    { txnType: 'CreditMemo', txnId: memo.id, amount },
  ]);
  return payment;
}
