import type { CreditMemo, Invoice, Payment } from '../books/model.js';
import type { Work } from '../books/work.js';
import { Decimal } from '../decimal.js';
import { unappliedAmount } from '../entities/applications.js';
import { linkCredit } from '../entities/auto-apply-credit.js';
import { createCreditMemo } from '../entities/credit-memos.js';
import { openBalance } from '../entities/customer-balance.js';
import { deleteInvoice, findInvoice, updateInvoice, voidInvoice } from '../entities/invoices.js';
import { createPayment, deletePayment, findPayment, updatePayment, voidPayment } from '../entities/payments.js';
import { businessRule } from '../faults.js';
import type { JsonObject } from '../json.js';
import type { EditPaymentOrder, PayOrder } from './orders.js';

// What a person does in the provider's own pages. It follows the same rules as the API and needs no token.

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
  const total = order.amount ?? payment.total;
  const shares =
    order.lines === undefined
      ? spread(work, payment, total)
      : order.lines.map(({ invoiceId, amount }) => {
          const invoice = findInvoice(work, invoiceId);
          return { invoice, amount: amount ?? openBalance(invoice) };
        });
  return updatePayment(work, {
    Id: payment.id,
    SyncToken: `${payment.syncToken}`,
    sparse: true,
    CustomerRef: { value: payment.customerId },
    CurrencyRef: { value: payment.currency },
    TotalAmt: total,
    Line: paymentLines(shares),
    ...(order.paidOn === undefined ? {} : { TxnDate: order.paidOn }),
    ...(order.paymentRefNum === undefined ? {} : { PaymentRefNum: order.paymentRefNum }),
  });
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
  const itemId = invoice.lines.find((line) => line.itemId !== undefined)?.itemId ?? '1';
  const memo = createCreditMemo(
    work,
    {
      CustomerRef: { value: invoice.customerId },
      CurrencyRef: { value: invoice.currency },
      Line: [
        {
          Amount: amount,
          DetailType: 'SalesItemLineDetail',
          SalesItemLineDetail: { ItemRef: { value: itemId }, TaxCodeRef: { value: 'NON' } },
        },
      ],
    },
    { allowDuplicateDocNumber: true },
  );
  return { memo, payment: linkCredit(work, invoice, memo, amount) };
}

function versionOf(record: { readonly id: string; readonly syncToken: number }): { Id: string; SyncToken: string } {
  return { Id: record.id, SyncToken: `${record.syncToken}` };
}
