import type { Payment, PaymentLine } from '../books/model.js';
import type { Work } from '../books/work.js';
import { wireAmount } from '../currencies.js';
import { type JsonObject, withoutEmpty } from '../json.js';
import { findSettled, unappliedAmount } from './applications.js';
import { openBalance } from './customer-balance.js';
import { presentCurrency, presentCustomerReference, presentHomeAmounts } from './sales-forms.js';
import { envelope } from './shared.js';

const UNDEPOSITED_FUNDS = { value: '4' };

export function presentPayment(work: Work, payment: Payment): JsonObject {
  const { form, currency } = payment;
  // A payment of nothing only links credits to invoices and is deposited nowhere.
  const deposit = payment.total.isZero && !payment.voided ? undefined : (form.DepositToAccountRef ?? UNDEPOSITED_FUNDS);
  return withoutEmpty({
    CustomerRef: presentCustomerReference(work, payment.customerId),
    DepositToAccountRef: deposit,
    PaymentMethodRef: form.PaymentMethodRef,
    PaymentRefNum: form.PaymentRefNum,
    TotalAmt: wireAmount(payment.total, currency),
    UnappliedAmt: wireAmount(unappliedAmount(payment), currency),
    ProcessPayment: false,
    ...envelope(payment),
    TxnDate: payment.txnDate,
    CurrencyRef: presentCurrency(currency),
    ...presentHomeAmounts(work, currency, form.ExchangeRate, {}),
    PrivateNote: form.PrivateNote,
    LinkedTxn: payment.depositId === undefined ? undefined : [{ TxnId: payment.depositId, TxnType: 'Deposit' }],
    Line: payment.lines.map((line) => presentLine(work, line, currency)),
  });
}

function presentLine(work: Work, line: PaymentLine, currency: string): JsonObject {
  const settled = findSettled(work, line);
  const open = settled === undefined ? line.amount : openBalance(settled).plus(line.amount);
  return {
    Amount: wireAmount(line.amount, currency),
    LinkedTxn: [{ TxnId: line.txnId, TxnType: line.txnType }],
    LineEx: {
      any: [
        nameValue('txnId', line.txnId),
        nameValue('txnOpenBalance', `${wireAmount(open, currency)}`),
        ...(settled?.docNumber === undefined ? [] : [nameValue('txnReferenceNumber', settled.docNumber)]),
      ],
    },
  };
}

/** The provider leaks its Java binding's shape here; clients have to tolerate it. */
function nameValue(name: string, value: string): JsonObject {
  return {
    name: '{http://schema.intuit.com/finance/v3}NameValue',
    declaredType: 'com.intuit.schema.finance.v3.NameValue',
    scope: 'javax.xml.bind.JAXBElement$GlobalScope',
    value: { Name: name, Value: value },
    nil: false,
    globalScope: true,
    typeSubstituted: false,
  };
}
