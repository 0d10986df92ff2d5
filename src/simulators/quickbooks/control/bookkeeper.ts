import type { CreditMemo, Invoice, Payment, PaymentLine, RefundReceipt } from '../books/model.js';
import type { Work } from '../books/work.js';
import { Decimal } from '../decimal.js';
import { appliedAmount, unappliedAmount } from '../entities/applications.js';
import { linkCredit } from '../entities/auto-apply-credit.js';
import { createCreditMemo } from '../entities/credit-memos.js';
import { openBalance } from '../entities/customer-balance.js';
import { deleteInvoice, findInvoice, updateInvoice, voidInvoice } from '../entities/invoices.js';
import { createPayment, deletePayment, findPayment, updatePayment, voidPayment } from '../entities/payments.js';
import {
  createRefundReceipt,
  deleteRefundReceipt,
  findRefundReceipt,
  updateRefundReceipt,
} from '../entities/refund-receipts.js';
import { businessRule } from '../faults.js';
import type { JsonObject } from '../json.js';
import type {
  EditPaymentOrder,
  EditRefundOrder,
  MovePaymentOrder,
  PayOrder,
  RefundOrder,
  UnapplyOrder,
} from './orders.js';

// What a person does in the provider's own pages. It follows the same rules as the API and needs no token.

/** The bank account that refunds are paid from. */
const CHECKING = '35';

interface Share {
  readonly invoice: Invoice;
  readonly amount: Decimal;
}

export function pay(work: Work, order: PayOrder): Payment {
  const shares = sharesOf(work, order);
  const [first] = shares;
  if (first === undefined) throw businessRule('A payment needs an invoice.');
  const total = order.amount ?? Decimal.sum(shares.map((share) => share.amount));
  return createPayment(work, {
    CustomerRef: { value: first.invoice.customerId },
    CurrencyRef: { value: first.invoice.currency },
    TotalAmt: total,
    Line: paymentLines(shares),
    TxnDate: order.paidOn,
    PaymentRefNum: order.paymentRefNum,
  });
}

/** Without explicit lines the money goes to one invoice, up to its balance; the rest stays unapplied. */
function sharesOf(work: Work, order: PayOrder): Share[] {
  if (order.lines !== undefined) {
    return order.lines.map(({ invoiceId, amount }) => {
      const invoice = findInvoice(work, invoiceId);
      return { invoice, amount: amount ?? openBalance(invoice) };
    });
  }
  const invoice = findInvoice(work, order.invoiceId ?? '');
  const balance = openBalance(invoice);
  return [{ invoice, amount: order.amount === undefined ? balance : Decimal.min(order.amount, balance) }];
}

function paymentLines(shares: readonly Share[]): JsonObject[] {
  return shares
    .filter((share) => !share.amount.isZero)
    .map(({ invoice, amount }) => ({ Amount: amount, LinkedTxn: [{ TxnId: invoice.id, TxnType: 'Invoice' }] }));
}

/** A changed amount is spread over the same invoices again, in their order. */
export function editPayment(work: Work, order: EditPaymentOrder): Payment {
  const payment = findPayment(work, order.paymentId);
  const shares = newShares(work, payment, order);
  return updatePayment(work, {
    ...sameMoney(payment),
    ...(shares === undefined ? {} : { Line: paymentLines(shares) }),
    ...(order.amount === undefined ? {} : { TotalAmt: order.amount }),
    ...(order.paidOn === undefined ? {} : { TxnDate: order.paidOn }),
    ...(order.paymentRefNum === undefined ? {} : { PaymentRefNum: order.paymentRefNum }),
  });
}

function newShares(work: Work, payment: Payment, { amount, lines }: EditPaymentOrder): Share[] | undefined {
  if (lines !== undefined) {
    return lines.map((line) => {
      const invoice = findInvoice(work, line.invoiceId);
      return { invoice, amount: line.amount ?? openBalance(invoice) };
    });
  }
  return amount === undefined ? undefined : spread(work, payment, amount);
}

/** A sparse update that changes nothing yet. */
function sameMoney(payment: Payment): JsonObject {
  return {
    ...versionOf(payment),
    sparse: true,
    CustomerRef: { value: payment.customerId },
    CurrencyRef: { value: payment.currency },
    TotalAmt: payment.total,
  };
}

/** Takes a payment off an invoice: the money stays on the payment, unapplied. */
export function unapplyPayment(work: Work, { paymentId, invoiceId }: UnapplyOrder): Payment {
  const payment = findPayment(work, paymentId);
  const kept = payment.lines.filter(
    (line) => line.txnType !== 'Invoice' || (invoiceId !== undefined && line.txnId !== invoiceId),
  );
  if (kept.length === payment.lines.length) throw businessRule('The payment is not set against this invoice.');
  // Without an invoice a credit has nothing to be used for.
  return relink(work, payment, appliedAmount(kept).isNegative ? [] : kept);
}

/** Takes what a payment covers elsewhere to another invoice, up to its balance; the rest stays unapplied. */
export function movePayment(work: Work, { paymentId, fromInvoiceId, toInvoiceId }: MovePaymentOrder): Payment {
  const payment = findPayment(work, paymentId);
  const target = findInvoice(work, toInvoiceId);
  const isMoved = (line: PaymentLine): boolean =>
    line.txnType === 'Invoice' && line.txnId !== toInvoiceId && [undefined, line.txnId].includes(fromInvoiceId);
  const moved = payment.lines.filter(isMoved);
  if (moved.length === 0) throw businessRule('The payment is not set against this invoice.');
  const isThere = (line: PaymentLine): boolean => line.txnType === 'Invoice' && line.txnId === toInvoiceId;
  const already = Decimal.sum(payment.lines.filter(isThere).map((line) => line.amount));
  const amount = Decimal.min(Decimal.sum(moved.map((line) => line.amount)), openBalance(target)).plus(already);
  const others = payment.lines.filter((line) => !isMoved(line) && !isThere(line));
  return relink(work, payment, amount.isZero ? others : [...others, { txnType: 'Invoice', txnId: target.id, amount }]);
}

function relink(work: Work, payment: Payment, lines: readonly PaymentLine[]): Payment {
  const Line = lines.map(({ txnId, txnType, amount }) => ({
    Amount: amount,
    LinkedTxn: [{ TxnId: txnId, TxnType: txnType }],
  }));
  return updatePayment(work, { ...sameMoney(payment), Line });
}

function spread(work: Work, payment: Payment, total: Decimal): Share[] {
  let left = total;
  return payment.lines
    .filter((line) => line.txnType === 'Invoice')
    .map((line) => {
      const invoice = findInvoice(work, line.txnId);
      // A larger payment covers more of an invoice only when everything it had was already applied.
      const reach = unappliedAmount(payment).isZero ? openBalance(invoice).plus(line.amount) : line.amount;
      const amount = Decimal.min(left, reach);
      left = left.minus(amount);
      return { invoice, amount };
    });
}

export function voidPaymentById(work: Work, paymentId: string): Payment {
  return voidPayment(work, versionOf(findPayment(work, paymentId)));
}

export function deletePaymentById(work: Work, paymentId: string): string {
  return deletePayment(work, versionOf(findPayment(work, paymentId)));
}

export function voidInvoiceById(work: Work, invoiceId: string): Invoice {
  return voidInvoice(work, versionOf(findInvoice(work, invoiceId)));
}

/** In the provider's pages an invoice with payments can be deleted: the money becomes unapplied. */
export function deleteInvoiceById(work: Work, invoiceId: string): string {
  return deleteInvoice(work, versionOf(findInvoice(work, invoiceId)), true);
}

export function editInvoice(work: Work, invoiceId: string, fields: JsonObject): Invoice {
  const version = versionOf(findInvoice(work, invoiceId));
  return updateInvoice(work, { ...fields, ...version, sparse: true }, { allowDuplicateDocNumber: true });
}

/** Grants a credit and sets it against the invoice. */
export function creditInvoice(work: Work, invoiceId: string, amount: Decimal): { memo: CreditMemo; payment: Payment } {
  const invoice = findInvoice(work, invoiceId);
  if (amount.exceeds(openBalance(invoice)))
    throw businessRule('The credit is greater than the balance of the invoice.');
  const memo = createCreditMemo(
    work,
    {
      CustomerRef: { value: invoice.customerId },
      CurrencyRef: { value: invoice.currency },
      Line: [untaxedLine(amount, invoice)],
    },
    { allowDuplicateDocNumber: true },
  );
  return { memo, payment: linkCredit(work, invoice, memo, amount) };
}

function untaxedLine(amount: Decimal, like: Invoice | undefined): JsonObject {
  const itemId = like?.lines.find((line) => line.itemId !== undefined)?.itemId ?? '1';
  return {
    Amount: amount,
    DetailType: 'SalesItemLineDetail',
    SalesItemLineDetail: { ItemRef: { value: itemId }, TaxCodeRef: { value: 'NON' } },
  };
}

/** Hands money back. The provider links a refund to no invoice: only customer and note say what it was for. */
export function refund(work: Work, order: RefundOrder): RefundReceipt {
  const invoice = order.invoiceId === undefined ? undefined : findInvoice(work, order.invoiceId);
  const customerId = invoice?.customerId ?? order.customerId ?? '';
  const currency = invoice?.currency ?? work.books.customers.get(customerId)?.form.CurrencyRef.value;
  return createRefundReceipt(
    work,
    {
      CustomerRef: { value: customerId },
      CurrencyRef: currency === undefined ? undefined : { value: currency },
      DepositToAccountRef: { value: CHECKING },
      Line: [untaxedLine(order.amount, invoice)],
      PrivateNote: order.note,
      TxnDate: order.txnDate,
    },
    { allowDuplicateDocNumber: true },
  );
}

export function editRefund(work: Work, { refundReceiptId, amount, note, txnDate }: EditRefundOrder): RefundReceipt {
  return updateRefundReceipt(
    work,
    {
      ...versionOf(findRefundReceipt(work, refundReceiptId)),
      sparse: true,
      ...(amount === undefined ? {} : { Line: [untaxedLine(amount, undefined)] }),
      ...(note === undefined ? {} : { PrivateNote: note }),
      ...(txnDate === undefined ? {} : { TxnDate: txnDate }),
    },
    { allowDuplicateDocNumber: true },
  );
}

export function deleteRefundById(work: Work, refundReceiptId: string): string {
  return deleteRefundReceipt(work, versionOf(findRefundReceipt(work, refundReceiptId)));
}

function versionOf(record: { readonly id: string; readonly syncToken: number }): { Id: string; SyncToken: string } {
  return { Id: record.id, SyncToken: `${record.syncToken}` };
}
