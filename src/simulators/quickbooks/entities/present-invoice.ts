import { createHash } from 'node:crypto';
import type { Invoice } from '../books/model.js';
import type { Work } from '../books/work.js';
import { wireAmount } from '../currencies.js';
import { metaTime } from '../dates.js';
import { type JsonObject, withoutEmpty } from '../json.js';
import { openBalance } from './customer-balance.js';
import { presentLines } from './form-lines.js';
import { presentCurrency, presentCustomerReference, presentHomeAmounts, presentTax } from './sales-forms.js';
import { envelope } from './shared.js';

export interface InvoiceView {
  /** The customer's pay link: shown by a read and by an update, not by a create, and by a query only on request. */
  readonly withLink: boolean;
}

export function presentInvoice(work: Work, invoice: Invoice, view: InvoiceView): JsonObject {
  const { form, currency } = invoice;
  const balance = openBalance(invoice);
  const payments = invoice.applications.map(({ paymentId }) => ({ TxnId: paymentId, TxnType: 'Payment' }));
  return withoutEmpty({
    AllowIPNPayment: false,
    AllowOnlinePayment: false,
    AllowOnlineCreditCardPayment: allowed(work, form.AllowOnlineCreditCardPayment),
    AllowOnlineACHPayment: allowed(work, form.AllowOnlineACHPayment),
    InvoiceLink: view.withLink ? payLink(work, invoice) : undefined,
    ...envelope(invoice),
    CustomField: [],
    DocNumber: invoice.docNumber,
    TxnDate: invoice.txnDate,
    CurrencyRef: presentCurrency(currency),
    ...presentHomeAmounts(work, currency, form.ExchangeRate, { HomeTotalAmt: invoice.total, HomeBalance: balance }),
    PrivateNote: form.PrivateNote,
    LinkedTxn: payments,
    Line: presentLines(work, invoice.lines, currency),
    TxnTaxDetail: presentTax(work, invoice),
    CustomerRef: presentCustomerReference(work, invoice.customerId),
    CustomerMemo: form.CustomerMemo,
    BillAddr: form.BillAddr,
    ShipAddr: form.ShipAddr,
    FreeFormAddress: true,
    SalesTermRef: form.SalesTermRef,
    DueDate: form.DueDate,
    TotalAmt: wireAmount(invoice.total, currency),
    ApplyTaxAfterDiscount: form.ApplyTaxAfterDiscount ?? false,
    PrintStatus: form.PrintStatus ?? 'NeedToPrint',
    EmailStatus: form.EmailStatus ?? 'NotSet',
    BillEmail: form.BillEmail,
    BillEmailCc: form.BillEmailCc,
    BillEmailBcc: form.BillEmailBcc,
    DeliveryInfo: deliveryInfo(invoice),
    Deposit: invoice.deposit && wireAmount(invoice.deposit, currency),
    Balance: wireAmount(balance, currency),
  });
}

function allowed(work: Work, chosen: boolean | null | undefined): boolean {
  return work.settings.onlinePayments && (chosen ?? true);
}

function deliveryInfo(invoice: Invoice): JsonObject | undefined {
  if (invoice.deliveredAt !== undefined) {
    return { DeliveryType: 'Email', DeliveryTime: metaTime(invoice.deliveredAt) };
  }
  return invoice.form.EmailStatus === 'NeedToSend' ? { DeliveryType: 'Email' } : undefined;
}

/** Needs an address and an online payment method. The value has the form of a sandbox link. */
function payLink(work: Work, invoice: Invoice): string | undefined {
  const { form } = invoice;
  const payable = allowed(work, form.AllowOnlineCreditCardPayment) || allowed(work, form.AllowOnlineACHPayment);
  if (!payable || !form.BillEmail?.Address) return undefined;
  const token = createHash('sha256').update(`${work.settings.realmId}/${invoice.id}`).digest('hex');
  return `https://developer.intuit.com/comingSoonview/scs-v1-${token}?locale=en_US&cta=v3invoicelink`;
}
