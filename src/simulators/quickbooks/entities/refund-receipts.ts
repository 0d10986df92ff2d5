import type { FormLine, RefundReceipt } from '../books/model.js';
import type { Work } from '../books/work.js';
import { wireAmount } from '../currencies.js';
import { Decimal } from '../decimal.js';
import { requiredMissing, transactionDeleted, unsupported } from '../faults.js';
import { type JsonObject, withoutEmpty } from '../json.js';
import { linesWithIds, presentLines } from './form-lines.js';
import { parseInput } from './input.js';
import { checkAccount, checkPaymentMethod } from './references.js';
import { type RefundReceiptForm, refundReceiptInput } from './refund-receipt-input.js';
import {
  docNumberFor,
  type NumberingRules,
  presentCurrency,
  presentCustomerReference,
  presentHomeAmounts,
  presentTax,
  readSalesForm,
  takeTransactionId,
} from './sales-forms.js';
import {
  checkId,
  currentVersion,
  envelope,
  refuseClosedPeriod,
  refuseWhenEnded,
  touch,
  touchCustomer,
} from './shared.js';

export function createRefundReceipt(work: Work, body: unknown, rules: NumberingRules): RefundReceipt {
  refuseWhenEnded(work);
  const input = parseInput('RefundReceipt', refundReceiptInput, body);
  const content = readRefund(work, input);
  const number = docNumberFor(work, input, rules);
  const refund: RefundReceipt = {
    ...content,
    id: takeTransactionId(work.books),
    syncToken: 0,
    createdAt: work.recordedAt,
    updatedAt: work.recordedAt,
    docNumber: number.docNumber,
  };
  number.commit();
  work.books.refundReceipts.set(refund.id, refund);
  work.announce('RefundReceipt', refund.id, 'created');
  touchCustomer(work, refund.customerId);
  return refund;
}

export function updateRefundReceipt(work: Work, body: unknown, rules: NumberingRules): RefundReceipt {
  refuseWhenEnded(work);
  const input = parseInput('RefundReceipt', refundReceiptInput, body);
  const refund = currentVersion(work.books.refundReceipts, input, transactionDeleted);
  refuseClosedPeriod(work, refund.txnDate);
  const { CurrencyRef, DepositToAccountRef, TxnDate } = refund.form;
  const base = input.sparse === true ? refund.form : { CurrencyRef, DepositToAccountRef, TxnDate };
  const content = readRefund(work, { ...base, ...input }, refund.lines);
  const renumbered = input.DocNumber != null && input.DocNumber !== refund.docNumber;
  const number = renumbered ? docNumberFor(work, input, rules, refund.id) : undefined;
  Object.assign(refund, content, { docNumber: number === undefined ? refund.docNumber : number.docNumber });
  number?.commit();
  touch(refund, work);
  work.announce('RefundReceipt', refund.id, 'updated');
  touchCustomer(work, refund.customerId);
  return refund;
}

function readRefund(work: Work, merged: RefundReceiptForm, previous: readonly FormLine[] = []) {
  const { Id: _id, SyncToken: _token, sparse: _sparse, DocNumber: _number, ...fields } = merged;
  // The money has to come from somewhere.
  if (fields.DepositToAccountRef == null) throw requiredMissing('DepositToAccountRef');
  // The provider can refund a stranger; what such a receipt looks like has not been recorded.
  if (fields.CustomerRef == null) throw unsupported('a refund receipt without CustomerRef');
  checkAccount(work, fields.DepositToAccountRef.value);
  checkPaymentMethod(fields.PaymentMethodRef?.value);
  const content = readSalesForm(work, fields, previous);
  const Line = linesWithIds(fields.Line ?? [], content.lines);
  return { ...content, form: { ...fields, Line, TxnDate: content.txnDate } };
}

export function deleteRefundReceipt(work: Work, body: unknown): string {
  refuseWhenEnded(work);
  const input = parseInput('RefundReceipt', refundReceiptInput, body);
  const refund = currentVersion(work.books.refundReceipts, input, transactionDeleted);
  refuseClosedPeriod(work, refund.txnDate);
  work.books.refundReceipts.delete(refund.id);
  work.books.tombstones.push({ entity: 'RefundReceipt', id: refund.id, deletedAt: work.recordedAt });
  work.announce('RefundReceipt', refund.id, 'deleted');
  touchCustomer(work, refund.customerId);
  return refund.id;
}

export function findRefundReceipt(work: Work, id: string): RefundReceipt {
  const refund = work.books.refundReceipts.get(checkId(id));
  if (refund === undefined) throw transactionDeleted();
  return refund;
}

export function presentRefundReceipt(work: Work, refund: RefundReceipt): JsonObject {
  const { form, currency } = refund;
  return withoutEmpty({
    ...envelope(refund),
    CustomField: [],
    DocNumber: refund.docNumber,
    TxnDate: refund.txnDate,
    CurrencyRef: presentCurrency(currency),
    ...presentHomeAmounts(work, currency, form.ExchangeRate, { HomeTotalAmt: refund.total }),
    PrivateNote: form.PrivateNote,
    Line: presentLines(work, refund.lines, currency),
    TxnTaxDetail: presentTax(work, refund),
    CustomerRef: presentCustomerReference(work, refund.customerId),
    CustomerMemo: form.CustomerMemo,
    BillAddr: form.BillAddr,
    ShipAddr: form.ShipAddr,
    FreeFormAddress: true,
    TotalAmt: wireAmount(refund.total, currency),
    ApplyTaxAfterDiscount: form.ApplyTaxAfterDiscount ?? false,
    PrintStatus: form.PrintStatus ?? 'NeedToPrint',
    EmailStatus: form.EmailStatus ?? 'NotSet',
    BillEmail: form.BillEmail,
    Balance: Decimal.zero,
    PaymentMethodRef: form.PaymentMethodRef,
    PaymentRefNum: form.PaymentRefNum,
    DepositToAccountRef: form.DepositToAccountRef,
  });
}
