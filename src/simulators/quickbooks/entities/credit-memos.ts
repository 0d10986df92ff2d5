import type { CreditMemo } from '../books/model.js';
import type { Work } from '../books/work.js';
import { wireAmount } from '../currencies.js';
import { businessRule, transactionDeleted, unsupported } from '../faults.js';
import { type JsonObject, withoutEmpty } from '../json.js';
import { type CreditMemoForm, creditMemoInput } from './credit-memo-input.js';
import { openBalance } from './customer-balance.js';
import { presentLines } from './form-lines.js';
import { parseInput } from './input.js';
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
import { checkId, currentVersion, envelope, refuseClosedPeriod, refuseWhenEnded, touchCustomer } from './shared.js';

export function createCreditMemo(work: Work, body: unknown, rules: NumberingRules): CreditMemo {
  refuseWhenEnded(work);
  const input: CreditMemoForm = parseInput('CreditMemo', creditMemoInput, body);
  const content = readSalesForm(work, input);
  const number = docNumberFor(work, input, rules);
  const memo: CreditMemo = {
    ...content,
    form: input,
    id: takeTransactionId(work.books),
    syncToken: 0,
    createdAt: work.recordedAt,
    updatedAt: work.recordedAt,
    docNumber: number.docNumber,
    applications: [],
  };
  number.commit();
  work.books.creditMemos.set(memo.id, memo);
  work.announce('CreditMemo', memo.id, 'created');
  touchCustomer(work, memo.customerId);
  return memo;
}

export function updateCreditMemo(): never {
  throw unsupported('updating a credit memo');
}

export function deleteCreditMemo(work: Work, body: unknown): string {
  refuseWhenEnded(work);
  const input = parseInput('CreditMemo', creditMemoInput, body);
  const memo = currentVersion(work.books.creditMemos, input, transactionDeleted);
  refuseClosedPeriod(work, memo.txnDate);
  if (memo.applications.length > 0) {
    throw businessRule('Linked transactions must be unlinked before this one can be deleted.');
  }
  work.books.creditMemos.delete(memo.id);
  work.books.tombstones.push({ entity: 'CreditMemo', id: memo.id, deletedAt: work.recordedAt });
  work.announce('CreditMemo', memo.id, 'deleted');
  touchCustomer(work, memo.customerId);
  return memo.id;
}

export function findCreditMemo(work: Work, id: string): CreditMemo {
  const memo = work.books.creditMemos.get(checkId(id));
  if (memo === undefined) throw transactionDeleted();
  return memo;
}

/** Like an invoice without a due date; recorded without `LinkedTxn`. */
export function presentCreditMemo(work: Work, memo: CreditMemo): JsonObject {
  const { form, currency } = memo;
  const remaining = openBalance(memo);
  return withoutEmpty({
    RemainingCredit: wireAmount(remaining, currency),
    ...envelope(memo),
    CustomField: [],
    DocNumber: memo.docNumber,
    TxnDate: memo.txnDate,
    CurrencyRef: presentCurrency(currency),
    ...presentHomeAmounts(work, currency, form.ExchangeRate, { HomeTotalAmt: memo.total, HomeBalance: remaining }),
    PrivateNote: form.PrivateNote,
    Line: presentLines(work, memo.lines, currency),
    TxnTaxDetail: presentTax(work, memo),
    CustomerRef: presentCustomerReference(work, memo.customerId),
    CustomerMemo: form.CustomerMemo,
    BillAddr: form.BillAddr,
    ShipAddr: form.ShipAddr,
    FreeFormAddress: true,
    TotalAmt: wireAmount(memo.total, currency),
    ApplyTaxAfterDiscount: form.ApplyTaxAfterDiscount ?? false,
    PrintStatus: form.PrintStatus ?? 'NeedToPrint',
    EmailStatus: form.EmailStatus ?? 'NotSet',
    BillEmail: form.BillEmail,
    Balance: wireAmount(remaining, currency),
  });
}
