import type {
  Account,
  CreditMemo,
  Customer,
  EntityName,
  Invoice,
  Item,
  Payment,
  Recorded,
  RefundReceipt,
  SalesForm,
  Vendor,
} from '../books/model.js';
import type { Work } from '../books/work.js';
import { creditMemoInput } from '../entities/credit-memo-input.js';
import { presentCreditMemo } from '../entities/credit-memos.js';
import { customerBalance, openBalance } from '../entities/customer-balance.js';
import { customerInput } from '../entities/customer-input.js';
import { presentCustomer } from '../entities/customers.js';
import { knownProperties } from '../entities/input.js';
import { invoiceInput } from '../entities/invoice-input.js';
import { itemInput } from '../entities/item-input.js';
import { presentAccount, presentItem, presentVendor } from '../entities/items.js';
import { paymentInput } from '../entities/payment-input.js';
import { shownPayments } from '../entities/payments.js';
import { presentInvoice } from '../entities/present-invoice.js';
import { presentPayment } from '../entities/present-payment.js';
import { refundReceiptInput } from '../entities/refund-receipt-input.js';
import { presentRefundReceipt } from '../entities/refund-receipts.js';
import type { JsonObject } from '../json.js';
import { amount, day, type FieldReader, flag, id, moment, reference, text } from './fields.js';

/** What can be asked about one entity. */
export interface QuerySource<T> {
  readonly entity: EntityName;
  readonly records: (work: Work) => ReadonlyMap<string, T>;
  readonly fields: Readonly<Record<string, FieldReader<T>>>;
  /** Properties that exist but cannot be filtered on. */
  readonly known: readonly string[];
  readonly present: (work: Work, record: T, include: ReadonlySet<string>) => JsonObject;
  /** Name lists are ordered by name and hide inactive members; transactions come latest change first. */
  readonly order: { readonly field: string; readonly descending: boolean };
  readonly isActive?: (record: T) => boolean;
}

const recorded = {
  Id: id<Recorded<unknown>>((record) => record.id),
  'MetaData.CreateTime': moment<Recorded<unknown>>((record) => record.createdAt),
  'MetaData.LastUpdatedTime': moment<Recorded<unknown>>((record) => record.updatedAt),
};
type AnySalesForm = Omit<SalesForm, 'applications' | 'deposit'>;
const anySalesForm = {
  DocNumber: text<AnySalesForm>((form) => form.docNumber),
  TxnDate: day<AnySalesForm>((form) => form.txnDate),
  CustomerRef: reference<AnySalesForm>((form) => form.customerId),
  TotalAmt: amount<AnySalesForm>((form) => form.total),
};
const salesForm = { ...anySalesForm, Balance: amount<SalesForm>((form) => openBalance(form)) };
const latestFirst = { field: 'MetaData.LastUpdatedTime', descending: true };

const invoices: QuerySource<Invoice> = {
  entity: 'Invoice',
  records: (work) => work.books.invoices,
  fields: {
    ...recorded,
    ...salesForm,
    DueDate: day((invoice) => invoice.form.DueDate),
    SalesTermRef: reference((invoice) => invoice.form.SalesTermRef?.value),
  },
  known: knownProperties(invoiceInput),
  present: (work, invoice, include) => presentInvoice(work, invoice, { withLink: include.has('invoiceLink') }),
  order: latestFirst,
};

const creditMemos: QuerySource<CreditMemo> = {
  entity: 'CreditMemo',
  records: (work) => work.books.creditMemos,
  fields: { ...recorded, ...salesForm },
  known: knownProperties(creditMemoInput),
  present: presentCreditMemo,
  order: latestFirst,
};

const refundReceipts: QuerySource<RefundReceipt> = {
  entity: 'RefundReceipt',
  records: (work) => work.books.refundReceipts,
  fields: { ...recorded, ...anySalesForm },
  known: knownProperties(refundReceiptInput),
  present: presentRefundReceipt,
  order: latestFirst,
};

const payments: QuerySource<Payment> = {
  entity: 'Payment',
  records: shownPayments,
  fields: {
    ...recorded,
    CustomerRef: reference((payment) => payment.customerId),
    TxnDate: day((payment) => payment.txnDate),
    PaymentRefNum: text((payment) => payment.form.PaymentRefNum ?? undefined),
    TotalAmt: amount((payment) => payment.total),
  },
  known: knownProperties(paymentInput),
  present: presentPayment,
  order: latestFirst,
};

const customers: QuerySource<Customer> = {
  entity: 'Customer',
  records: (work) => work.books.customers,
  fields: {
    ...recorded,
    DisplayName: text((customer) => customer.form.DisplayName),
    FullyQualifiedName: text((customer) => customer.form.DisplayName),
    GivenName: text((customer) => customer.form.GivenName ?? undefined),
    MiddleName: text((customer) => customer.form.MiddleName ?? undefined),
    FamilyName: text((customer) => customer.form.FamilyName ?? undefined),
    CompanyName: text((customer) => customer.form.CompanyName ?? undefined),
    PrimaryEmailAddr: text((customer) => customer.form.PrimaryEmailAddr?.Address ?? undefined),
    Active: flag((customer) => customer.form.Active),
    Balance: amount((customer, work) => customerBalance(work.books, customer.id)),
  },
  known: knownProperties(customerInput),
  present: presentCustomer,
  order: { field: 'FullyQualifiedName', descending: false },
  isActive: (customer) => customer.form.Active,
};

const items: QuerySource<Item> = {
  entity: 'Item',
  records: (work) => work.books.items,
  fields: {
    ...recorded,
    Name: text((item) => item.form.Name),
    FullyQualifiedName: text((item) => item.form.Name),
    Sku: text((item) => item.form.Sku ?? undefined),
    Type: text((item) => item.form.Type ?? undefined),
    Active: flag((item) => item.form.Active),
  },
  known: knownProperties(itemInput),
  present: presentItem,
  order: { field: 'Name', descending: false },
  isActive: (item) => item.form.Active,
};

const vendors: QuerySource<Vendor> = {
  entity: 'Vendor',
  records: (work) => work.books.vendors,
  fields: {
    ...recorded,
    DisplayName: text((vendor) => vendor.form.DisplayName),
    Active: flag((vendor) => vendor.form.Active),
  },
  known: [],
  present: presentVendor,
  order: { field: 'DisplayName', descending: false },
  isActive: (vendor) => vendor.form.Active,
};

const accounts: QuerySource<Account> = {
  entity: 'Account',
  records: (work) => work.books.accounts,
  fields: {
    Id: id((account) => account.id),
    Name: text((account) => account.name),
    AccountType: text((account) => account.type),
    AccountSubType: text((account) => account.subType),
    Active: flag(() => true),
  },
  known: [],
  present: presentAccount,
  order: { field: 'Name', descending: false },
};

// Sources differ in their record type; whoever looks one up only ever passes its own records back to it.
const sources = [
  invoices,
  creditMemos,
  payments,
  refundReceipts,
  customers,
  items,
  vendors,
  accounts,
] as unknown as readonly QuerySource<unknown>[];

/** Entity names compare case-insensitively. */
export function findSource(entity: string): QuerySource<unknown> | undefined {
  return sources.find((source) => source.entity.toLowerCase() === entity.toLowerCase());
}

/** Entities that the provider has and this simulator does not. */
export const unmodelledEntities: ReadonlySet<string> = new Set(
  (
    'attachable bill billpayment budget class companycurrency companyinfo department deposit employee entitlements ' +
    'estimate exchangerate journalcode journalentry paymentmethod preferences purchase purchaseorder ' +
    'salesreceipt taxagency taxcode taxrate term timeactivity transfer vendorcredit'
  ).split(' '),
);
