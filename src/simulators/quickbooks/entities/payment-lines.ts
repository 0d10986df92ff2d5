import type { Payment, PaymentLine } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf } from '../currencies.js';
import { Decimal } from '../decimal.js';
import {
  businessRule,
  fieldFault,
  oneForeignCurrency,
  referenceNotFound,
  requiredMissing,
  unsupported,
  validationFault,
} from '../faults.js';
import { findSettled } from './applications.js';
import { openBalance } from './customer-balance.js';
import type { PaymentForm } from './payment-input.js';

interface PaymentTerms {
  readonly customerId: string;
  readonly currency: string;
  /** The payment that is being changed: what it covers now is free again. */
  readonly replaced: Payment | undefined;
}

type LineInput = NonNullable<PaymentForm['Line']>[number];

/** Reads what a payment is set against: one linked transaction a line, never more than what is open on it. */
export function readPaymentLines(work: Work, inputs: readonly LineInput[], terms: PaymentTerms): PaymentLine[] {
  const lines = inputs.map((input) => readLine(input, terms));
  const covered = new Map<string, Decimal>();
  for (const line of lines) {
    const sum = (covered.get(line.txnId) ?? Decimal.zero).plus(line.amount);
    covered.set(line.txnId, sum);
    checkLine(work, line, sum, terms);
  }
  return lines;
}

function readLine(input: LineInput, terms: PaymentTerms): PaymentLine {
  const [link, ...others] = input.LinkedTxn ?? [];
  if (link?.TxnId == null || link.TxnType == null) throw requiredMissing('LinkedTxn');
  if (others.length > 0) throw businessRule('Each payment line links to exactly one transaction.');
  if (input.Amount == null) throw requiredMissing('Line.Amount');
  if (input.Amount.isNegative) throw fieldFault('2290', 'Line.Amount');
  if (!input.Amount.fitsIn(currencyOf(terms.currency).digits)) throw fieldFault('2110', 'Line.Amount');
  return { txnType: linkType(link.TxnType), txnId: link.TxnId, amount: input.Amount };
}

function linkType(type: string): PaymentLine['txnType'] {
  if (type === 'Invoice' || type === 'CreditMemo') return type;
  if (['JournalEntry', 'Expense', 'Check', 'CreditCardCredit'].includes(type)) {
    throw unsupported(`linking a payment to a ${type}`);
  }
  throw validationFault('620', 'Txn ID cannot be linked', `Transaction of type ${type} cannot be linked`, '');
}

function checkLine(work: Work, line: PaymentLine, covered: Decimal, terms: PaymentTerms): void {
  const settled = findSettled(work, line);
  if (settled === undefined) throw referenceNotFound('Transactions', line.txnId);
  if (settled.customerId !== terms.customerId)
    throw referenceNotFound(`Customer ${terms.customerId} transactions`, line.txnId);
  if (settled.currency !== terms.currency) throw oneForeignCurrency();
  const freed = settled.applications.filter((application) => application.paymentId === terms.replaced?.id);
  const open = openBalance(settled).plus(Decimal.sum(freed.map((application) => application.amount)));
  if (covered.exceeds(open))
    throw businessRule('The amount of a line is greater than the open balance it is set against.');
}
