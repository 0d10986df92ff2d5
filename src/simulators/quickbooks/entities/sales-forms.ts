import type { Books, FormLine, SalesForm, TransactionName } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf, wireAmount } from '../currencies.js';
import { pacificDay } from '../dates.js';
import { Decimal } from '../decimal.js';
import { businessRule, docNumberTaken, fieldFault, requiredMissing } from '../faults.js';
import type { JsonObject } from '../json.js';
import type { CreditMemoForm } from './credit-memo-input.js';
import { readLines, subtotalOf, taxableTotal } from './form-lines.js';
import type { InvoiceForm } from './invoice-input.js';
import { activeCustomer, checkTerm, transactionCurrency } from './references.js';
import type { RefundReceiptForm } from './refund-receipt-input.js';
import { refuseClosedPeriod } from './shared.js';

type AnyForm = InvoiceForm | CreditMemoForm | RefundReceiptForm;

export interface NumberingRules {
  readonly allowDuplicateDocNumber: boolean;
}

/** Checks what all sales forms have in common and works out their totals. Changes nothing. */
export function readSalesForm(
  work: Work,
  form: AnyForm,
  previous: readonly FormLine[] = [],
): Omit<SalesForm, 'docNumber' | 'applications' | 'deposit'> {
  if (form.Line == null || form.Line.length === 0) throw requiredMissing('Line');
  const customer = activeCustomer(work, form.CustomerRef);
  const currency = transactionCurrency(work, customer, form.CurrencyRef);
  checkTerm(form.SalesTermRef?.value);
  checkExchangeRate(form.ExchangeRate);
  const txnDate = form.TxnDate ?? pacificDay(work.now);
  refuseClosedPeriod(work, txnDate);
  const lines = readLines(work, form.Line, currency, previous);
  const tax = salesTax(work, taxableTotal(lines), currency);
  const total = subtotalOf(lines).plus(tax);
  if (total.isNegative) throw businessRule('Transaction amount must be 0 or greater.');
  return { customerId: customer.id, currency, txnDate, lines, tax, total };
}

function checkExchangeRate(rate: Decimal | null | undefined): void {
  if (rate != null && !rate.exceeds(Decimal.zero)) throw fieldFault('2090', 'ExchangeRate');
}

function salesTax(work: Work, taxable: Decimal, currency: string): Decimal {
  const percent = Decimal.parse(work.settings.salesTaxPercent ?? '0') ?? Decimal.zero;
  return taxable.times(percent.percent()).roundTo(currencyOf(currency).digits);
}

/**
 * The document number of a new form. Where users number documents themselves, a missing number stays empty and a
 * number in use is refused; otherwise the company numbers in one series and repeated numbers pass.
 */
export function docNumberFor(
  work: Work,
  form: AnyForm,
  rules: NumberingRules,
  ownId?: string,
): { docNumber: string | undefined; commit: () => void } {
  const automatic = form.DocNumber === 'AUTO_GENERATE' || form.AutoDocNumber === true;
  const given = automatic ? undefined : form.DocNumber || undefined;
  if (given !== undefined) {
    if (work.settings.customTxnNumbers && !rules.allowDuplicateDocNumber)
      refuseDocNumberInUse(work.books, given, ownId);
    return { docNumber: given, commit: () => undefined };
  }
  if (work.settings.customTxnNumbers && !automatic) return { docNumber: undefined, commit: () => undefined };
  let next = work.books.nextDocNumber;
  while (findNumbered(work.books, `${next}`, ownId) !== undefined) next += 1;
  return {
    docNumber: `${next}`,
    commit: () => {
      work.books.nextDocNumber = next + 1;
    },
  };
}

function refuseDocNumberInUse(books: Books, docNumber: string, ownId: string | undefined): void {
  const holder = findNumbered(books, docNumber, ownId);
  if (holder !== undefined) throw docNumberTaken(docNumber, holder.type, holder.id);
}

function findNumbered(
  books: Books,
  docNumber: string,
  ownId: string | undefined,
): { type: TransactionName; id: string } | undefined {
  const numbered = { Invoice: books.invoices, CreditMemo: books.creditMemos, RefundReceipt: books.refundReceipts };
  for (const type of ['Invoice', 'CreditMemo', 'RefundReceipt'] as const) {
    for (const form of numbered[type].values()) {
      if (form.docNumber === docNumber && form.id !== ownId) return { type, id: form.id };
    }
  }
  return undefined;
}

export function takeTransactionId(books: Books): string {
  const id = `${books.nextTransactionId}`;
  books.nextTransactionId += 1;
  return id;
}

export function presentTax(work: Work, form: Pick<SalesForm, 'tax' | 'currency' | 'lines'>): JsonObject {
  const percent = Decimal.parse(work.settings.salesTaxPercent ?? '0') ?? Decimal.zero;
  if (form.tax.isZero) return { TotalTax: Decimal.zero };
  const amount = wireAmount(form.tax, form.currency);
  const detail = {
    TaxRateRef: { value: '3' },
    PercentBased: true,
    TaxPercent: percent,
    NetAmountTaxable: wireAmount(taxableTotal(form.lines), form.currency),
  };
  return {
    TxnTaxCodeRef: { value: '2' },
    TotalTax: amount,
    TaxLine: [{ Amount: amount, DetailType: 'TaxLineDetail', TaxLineDetail: detail }],
  };
}

/** Foreign transactions also show their value in the company's own currency. */
export function presentHomeAmounts(
  work: Work,
  currency: string,
  rate: Decimal | null | undefined,
  amounts: Record<string, Decimal>,
): JsonObject {
  const home = work.settings.homeCurrency;
  if (currency === home) return {};
  // Only companies at home in US dollars get a default rate from the table; others work at 1 unless told.
  const used = rate ?? (home === 'USD' ? currencyOf(currency).usdRate : Decimal.of('1'));
  const { digits } = currencyOf(home);
  const converted = Object.entries(amounts).map(([name, amount]) => [
    name,
    wireAmount(amount.times(used).roundTo(digits), home),
  ]);
  return { ExchangeRate: used, ...Object.fromEntries(converted) };
}

export function presentCurrency(code: string): JsonObject {
  return { value: code, name: currencyOf(code).name };
}

export function presentCustomerReference(work: Work, customerId: string): JsonObject {
  return { value: customerId, name: work.books.customers.get(customerId)?.form.DisplayName };
}
