import type { CreditMemo, Invoice, Payment, PaymentLine } from '../books/model.js';
import type { Work } from '../books/work.js';
import { Decimal } from '../decimal.js';
import { touch } from './shared.js';

/** What a payment spends on invoices beyond the credits it uses. */
export function appliedAmount(lines: readonly PaymentLine[]): Decimal {
  const of = (type: PaymentLine['txnType']) =>
    Decimal.sum(lines.filter((line) => line.txnType === type).map((line) => line.amount));
  return of('Invoice').minus(of('CreditMemo'));
}

export function unappliedAmount(payment: Payment): Decimal {
  return payment.total.minus(appliedAmount(payment.lines));
}

export function findSettled(work: Work, line: PaymentLine): Invoice | CreditMemo | undefined {
  return line.txnType === 'Invoice' ? work.books.invoices.get(line.txnId) : work.books.creditMemos.get(line.txnId);
}

/** Sets a payment's lines against their transactions. Each payment moves the invoice's sync token by one. */
export function applyLines(work: Work, payment: Payment, lines: readonly PaymentLine[]): void {
  payment.lines = lines;
  for (const line of lines) {
    const settled = findSettled(work, line);
    if (settled === undefined) continue;
    settled.applications = [{ paymentId: payment.id, amount: line.amount }, ...settled.applications];
    markSettled(work, line, settled);
  }
}

/** Takes a payment off everything it was set against. */
export function removeLines(work: Work, payment: Payment): void {
  for (const line of payment.lines) {
    const settled = findSettled(work, line);
    if (settled === undefined) continue;
    settled.applications = settled.applications.filter((application) => application.paymentId !== payment.id);
    markSettled(work, line, settled);
  }
  payment.lines = [];
}

/** Takes every payment off one transaction and leaves the money unapplied. */
export function releasePayments(work: Work, txnType: PaymentLine['txnType'], form: Invoice | CreditMemo): void {
  for (const { paymentId } of form.applications) {
    const payment = work.books.payments.get(paymentId);
    if (payment === undefined) continue;
    keepEarlier(payment);
    payment.lines = payment.lines.filter((line) => !(line.txnType === txnType && line.txnId === form.id));
    // A credit application that lost its invoice would otherwise hold the credit for nothing.
    if (appliedAmount(payment.lines).isNegative) removeLines(work, payment);
    touch(payment, work);
    work.announce('Payment', payment.id, 'updated');
  }
  form.applications = [];
}

/** Call it before a payment changes. */
export function keepEarlier(payment: Payment): void {
  payment.earlier = { ...payment, earlier: undefined };
}

function markSettled(work: Work, line: PaymentLine, settled: Invoice | CreditMemo): void {
  touch(settled, work);
  work.announce(line.txnType, settled.id, 'updated');
}
