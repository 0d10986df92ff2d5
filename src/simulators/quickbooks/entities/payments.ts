import type { Payment, PaymentLine } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf } from '../currencies.js';
import { pacificDay } from '../dates.js';
import { Decimal } from '../decimal.js';
import { businessRule, deposited, fieldFault, requiredMissing, transactionDeleted, unsupported } from '../faults.js';
import { applyLines, keepEarlier, removeLines } from './applications.js';
import { parseInput } from './input.js';
import { type PaymentForm, paymentInput } from './payment-input.js';
import { readPaymentLines } from './payment-lines.js';
import { activeCustomer, checkAccount, checkPaymentMethod, transactionCurrency } from './references.js';
import { takeTransactionId } from './sales-forms.js';
import { checkId, currentVersion, refuseClosedPeriod, refuseWhenEnded, touch, touchCustomer } from './shared.js';

type PaymentContent = Pick<Payment, 'form' | 'customerId' | 'currency' | 'txnDate' | 'total'> & {
  readonly lines: readonly PaymentLine[];
};

export function createPayment(work: Work, body: unknown): Payment {
  refuseWhenEnded(work);
  const { lines, ...content } = readPayment(work, parseInput('Payment', paymentInput, body), undefined);
  const payment: Payment = {
    ...content,
    id: takeTransactionId(work.books),
    syncToken: 0,
    createdAt: work.recordedAt,
    updatedAt: work.recordedAt,
    lines: [],
    voided: false,
    depositId: undefined,
  };
  work.books.payments.set(payment.id, payment);
  work.announce('Payment', payment.id, 'created');
  applyLines(work, payment, lines);
  touchCustomer(work, payment.customerId);
  return payment;
}

/** The line array is all or nothing: a full update without it takes the payment off its invoices. */
export function updatePayment(work: Work, body: unknown): Payment {
  refuseWhenEnded(work);
  const input = parseInput('Payment', paymentInput, body);
  const payment = currentVersion(work.books.payments, input, transactionDeleted);
  if (payment.voided) throw unsupported('updating a voided payment');
  refuseSettled(work, payment);
  const { DepositToAccountRef, CurrencyRef, TxnDate } = payment.form;
  const base =
    input.sparse === true
      ? { ...payment.form, Line: linesAsInput(payment) }
      : { DepositToAccountRef, CurrencyRef, TxnDate };
  const { lines, ...content } = readPayment(work, { ...base, ...input }, payment);
  keepEarlier(payment);
  removeLines(work, payment);
  Object.assign(payment, content);
  applyLines(work, payment, lines);
  touch(payment, work);
  work.announce('Payment', payment.id, 'updated');
  touchCustomer(work, payment.customerId);
  return payment;
}

function linesAsInput(payment: Payment): NonNullable<PaymentForm['Line']> {
  return payment.lines.map((line) => ({
    Amount: line.amount,
    LinkedTxn: [{ TxnId: line.txnId, TxnType: line.txnType }],
  }));
}

/** Checks everything and changes nothing, so that a refused payment leaves the books as they were. */
function readPayment(work: Work, merged: PaymentForm, replaced: Payment | undefined): PaymentContent {
  const { Id: _id, SyncToken: _token, sparse: _sparse, Line, ...fields } = merged;
  if (fields.TotalAmt == null) throw requiredMissing('TotalAmt');
  const customer = activeCustomer(work, fields.CustomerRef);
  const currency = transactionCurrency(work, customer, fields.CurrencyRef);
  if (fields.TotalAmt.isNegative) throw fieldFault('2290', 'TotalAmt');
  if (!fields.TotalAmt.fitsIn(currencyOf(currency).digits)) throw fieldFault('2110', 'TotalAmt');
  checkAccount(work, fields.DepositToAccountRef?.value);
  checkPaymentMethod(fields.PaymentMethodRef?.value);
  const txnDate = fields.TxnDate ?? pacificDay(work.now);
  refuseClosedPeriod(work, txnDate);
  const lines = readPaymentLines(work, Line ?? [], { customerId: customer.id, currency, replaced });
  refuseOverspent(fields.TotalAmt, lines);
  return {
    form: { ...fields, TxnDate: txnDate },
    customerId: customer.id,
    currency,
    txnDate,
    total: fields.TotalAmt,
    lines,
  };
}

function refuseOverspent(total: Decimal, lines: readonly PaymentLine[]): void {
  const spent = (type: PaymentLine['txnType']) =>
    Decimal.sum(lines.filter((line) => line.txnType === type).map((line) => line.amount));
  const applied = spent('Invoice').minus(spent('CreditMemo'));
  if (applied.exceeds(total)) throw businessRule('The amount applied is greater than the payment amount.');
  if (applied.isNegative) throw businessRule('The credits used are greater than the invoices they are set against.');
}

/** The payments as readers see them who may lag behind. */
export function shownPayments(work: Work): Map<string, Payment> {
  const { payments } = work.books;
  return new Map([...payments].flatMap(([id, payment]) => shown(work, payment).map((each) => [id, each] as const)));
}

export function findShownPayment(work: Work, id: string): Payment {
  const [payment] = shown(work, findPayment(work, id));
  if (payment === undefined) throw transactionDeleted();
  return payment;
}

function shown(work: Work, payment: Payment): Payment[] {
  const { paymentReadLagSeconds } = work.settings;
  // The time of a change is rounded and may lie ahead.
  if (paymentReadLagSeconds === 0 || work.now - payment.updatedAt >= paymentReadLagSeconds * 1000) return [payment];
  return payment.earlier === undefined ? [] : [payment.earlier];
}

export function findPayment(work: Work, id: string): Payment {
  const payment = work.books.payments.get(checkId(id));
  if (payment === undefined) throw transactionDeleted();
  return payment;
}

/** A voided payment stays, with no amount and no lines. */
export function voidPayment(work: Work, body: unknown): Payment {
  refuseWhenEnded(work);
  const payment = versionToEnd(work, body);
  if (payment.voided) throw unsupported('voiding a voided payment');
  keepEarlier(payment);
  removeLines(work, payment);
  const note = payment.form.PrivateNote;
  payment.form = { ...payment.form, PrivateNote: note ? `Voided - ${note}` : 'Voided' };
  payment.total = Decimal.zero;
  payment.voided = true;
  touch(payment, work);
  work.announce('Payment', payment.id, 'void');
  touchCustomer(work, payment.customerId);
  return payment;
}

export function deletePayment(work: Work, body: unknown): string {
  refuseWhenEnded(work);
  const payment = versionToEnd(work, body);
  removeLines(work, payment);
  work.books.payments.delete(payment.id);
  work.books.tombstones.push({ entity: 'Payment', id: payment.id, deletedAt: work.recordedAt });
  work.announce('Payment', payment.id, 'deleted');
  touchCustomer(work, payment.customerId);
  return payment.id;
}

function versionToEnd(work: Work, body: unknown): Payment {
  const payment = currentVersion(work.books.payments, parseInput('Payment', paymentInput, body), transactionDeleted);
  refuseSettled(work, payment);
  return payment;
}

function refuseSettled(work: Work, payment: Payment): void {
  refuseClosedPeriod(work, payment.txnDate);
  if (payment.depositId !== undefined) throw deposited();
}

/** Takes a payment to the bank. It is linked to the deposit without moving its sync token or its time. */
export function depositPayment(work: Work, id: string): Payment {
  refuseWhenEnded(work);
  const payment = findPayment(work, id);
  if (payment.voided || payment.total.isZero) throw unsupported('depositing a payment of nothing');
  if (payment.depositId !== undefined) throw deposited();
  payment.depositId = takeTransactionId(work.books);
  return payment;
}

/** Takes a payment off its deposit again: from then on it can be corrected. */
export function undepositPayment(work: Work, id: string): Payment {
  refuseWhenEnded(work);
  const payment = findPayment(work, id);
  if (payment.depositId === undefined) throw unsupported('taking a payment off a deposit that it is not on');
  payment.depositId = undefined;
  return payment;
}
