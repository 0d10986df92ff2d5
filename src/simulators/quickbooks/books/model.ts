import type { ResolvedCompanySettings } from '../company-settings.js';
import type { Decimal } from '../decimal.js';
import type { CreditMemoForm } from '../entities/credit-memo-input.js';
import type { CustomerForm } from '../entities/customer-input.js';
import type { InvoiceForm } from '../entities/invoice-input.js';
import type { ItemForm } from '../entities/item-input.js';
import type { PaymentForm } from '../entities/payment-input.js';
import type { RefundReceiptForm } from '../entities/refund-receipt-input.js';

export type EntityName = 'Customer' | 'Vendor' | 'Item' | 'Account' | TransactionName;
export type TransactionName = 'Invoice' | 'Payment' | 'CreditMemo' | 'RefundReceipt';

/** What every object in the books has. `form` holds the fields that a caller may write, as last written. */
export interface Recorded<Form> {
  readonly id: string;
  syncToken: number;
  readonly createdAt: number;
  updatedAt: number;
  form: Form;
}

export type Customer = Recorded<
  CustomerForm & { DisplayName: string; Active: boolean; CurrencyRef: { value: string } }
>;
export type Item = Recorded<ItemForm & { Name: string; Active: boolean }>;
export type Vendor = Recorded<{ DisplayName: string; Active: boolean }>;

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly subType: string;
}

/** Part of a payment set against an invoice or a credit memo. */
export interface Application {
  readonly paymentId: string;
  readonly amount: Decimal;
}

export interface FormLine {
  readonly id: string;
  readonly kind: 'SalesItemLineDetail' | 'DescriptionOnly';
  readonly description: string | undefined;
  readonly amount: Decimal;
  readonly itemId: string | undefined;
  readonly unitPrice: Decimal | undefined;
  readonly quantity: Decimal | undefined;
  readonly taxCode: string | undefined;
  readonly serviceDate: string | undefined;
}

/** An invoice or a credit memo: lines with a total, of which part may be settled. */
export interface SalesForm {
  customerId: string;
  currency: string;
  docNumber: string | undefined;
  txnDate: string;
  lines: readonly FormLine[];
  tax: Decimal;
  total: Decimal;
  /** Newest first, as `LinkedTxn` shows them. */
  applications: readonly Application[];
  /** Entered on the invoice itself: it lowers the balance, and there is no payment of it. */
  deposit?: Decimal | undefined;
}

export type InvoiceFormStored = InvoiceForm & { DueDate: string };
export interface Invoice extends Recorded<InvoiceFormStored>, SalesForm {
  voided: boolean;
  deliveredAt: number | undefined;
}

export interface CreditMemo extends Recorded<CreditMemoForm>, SalesForm {}

/** Money handed back: paid out at once, so nothing is ever set against it. */
export interface RefundReceipt extends Recorded<RefundReceiptForm>, Omit<SalesForm, 'applications' | 'deposit'> {}

export interface PaymentLine {
  readonly txnType: 'Invoice' | 'CreditMemo';
  readonly txnId: string;
  readonly amount: Decimal;
}

export interface Payment extends Recorded<PaymentForm> {
  customerId: string;
  currency: string;
  txnDate: string;
  total: Decimal;
  lines: readonly PaymentLine[];
  voided: boolean;
  /** The bank deposit that holds it. From then on it cannot be changed (6540). */
  depositId: string | undefined;
  /** As it was before its latest change, for readers that lag behind. */
  earlier?: Payment | undefined;
}

/** What remains of a deleted transaction: change data capture reports it. */
export interface Tombstone {
  readonly entity: TransactionName;
  readonly id: string;
  readonly deletedAt: number;
}

/** One e-mail that the company sent. A repeated request id sends none. */
export interface SentEmail {
  readonly invoiceId: string;
  readonly to: string;
  readonly at: number;
}

export interface RememberedAnswer {
  /** When it was given, by the company's time. */
  readonly at: number;
  /** Tells a repeated request from another one that came under the same id. */
  readonly request: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Books {
  /** One sequence for all transactions, one for all names, one for items. */
  nextTransactionId: number;
  nextNameId: number;
  nextItemId: number;
  /** Sales forms are numbered in one series. */
  nextDocNumber: number;
  readonly customers: Map<string, Customer>;
  readonly vendors: Map<string, Vendor>;
  readonly items: Map<string, Item>;
  readonly accounts: Map<string, Account>;
  readonly invoices: Map<string, Invoice>;
  readonly payments: Map<string, Payment>;
  readonly creditMemos: Map<string, CreditMemo>;
  readonly refundReceipts: Map<string, RefundReceipt>;
  readonly tombstones: Tombstone[];
  readonly emails: SentEmail[];
  /** How many objects were ever made, by entity, whatever became of them. */
  readonly created: Map<EntityName, number>;
  /** Answers by `requestid`. */
  readonly answered: Map<string, RememberedAnswer>;
}

export interface Company {
  /** As it was first described; a reset returns to this. */
  readonly seed: ResolvedCompanySettings;
  settings: ResolvedCompanySettings;
  books: Books;
  /** How far this company alone is ahead of the simulator's time. */
  aheadMs: number;
}
