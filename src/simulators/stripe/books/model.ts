import type { ResolvedAccountSettings } from '../account-settings.js';
import type { Units } from '../units.js';

/** Seconds since 1970, as the provider counts them. */
export type Seconds = number;
export type Metadata = Record<string, string>;
export type JsonObject = Record<string, unknown>;

export interface Customer {
  readonly id: string;
  readonly created: Seconds;
  name: string | null;
  email: string | null;
  phone: string | null;
  description: string | null;
  address: Address | null;
  metadata: Metadata;
  /** Negative is credit, positive is debt. */
  balance: Units;
  /** The currency of its first invoice, and of its balance. */
  currency: string | null;
  taxExempt: string;
  preferredLocales: readonly string[];
  readonly invoicePrefix: string;
  nextInvoiceSequence: number;
  /** Still known by its id, and nothing else. */
  isDeleted: boolean;
}

export interface Address {
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  readonly state: string | null;
  readonly postal_code: string | null;
  readonly country: string | null;
}

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'uncollectible' | 'void';

/** What is printed on the invoice about its customer. Finalisation freezes it. */
export type Addressee = Pick<Customer, 'name' | 'email' | 'phone' | 'address' | 'taxExempt'>;

export interface Invoice {
  readonly id: string;
  readonly created: Seconds;
  readonly customer: string;
  readonly currency: string;
  status: InvoiceStatus;
  collectionMethod: 'send_invoice' | 'charge_automatically';
  daysUntilDue: number | null;
  dueDate: Seconds | null;
  autoAdvance: boolean;
  description: string | null;
  footer: string | null;
  customFields: readonly { readonly name: string; readonly value: string }[] | null;
  paymentMethodTypes: readonly string[] | null;
  metadata: Metadata;
  number: string | null;
  addressee: Addressee | null;
  /** The invoice items on it, in the order of its lines. */
  items: string[];
  /** Of the customer, when it was finalised and afterwards. */
  startingBalance: Units;
  endingBalance: Units | null;
  finalizedAt: Seconds | null;
  paidAt: Seconds | null;
  voidedAt: Seconds | null;
  uncollectibleAt: Seconds | null;
  attemptCount: number;
  /** Received outside of the provider. */
  paidOffStripe: Units;
}

export interface InvoiceItem {
  readonly id: string;
  readonly lineId: string;
  readonly date: Seconds;
  readonly customer: string;
  readonly currency: string;
  /** Null while it waits for the customer's next invoice. */
  invoice: string | null;
  readonly amount: Units;
  readonly unitAmountDecimal: string;
  readonly quantity: number;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly period: { readonly start: Seconds; readonly end: Seconds };
}

export interface InvoicePayment {
  readonly id: string;
  readonly created: Seconds;
  readonly invoice: string;
  readonly currency: string;
  /** Made by the finalisation, for all that is open. */
  readonly isDefault: boolean;
  readonly payment:
    | { readonly type: 'payment_intent'; readonly payment_intent: string }
    | { readonly type: 'payment_record'; readonly payment_record: string };
  amountRequested: Units;
  amountPaid: Units | null;
  status: 'open' | 'paid' | 'canceled';
  paidAt: Seconds | null;
  canceledAt: Seconds | null;
}

export interface PaymentRecord {
  readonly id: string;
  readonly created: Seconds;
  readonly currency: string;
  readonly amount: Units;
  amountRefunded: Units;
}

export interface PaymentIntent {
  readonly id: string;
  readonly created: Seconds;
  readonly currency: string;
  readonly customer: string;
  readonly description: string | null;
  readonly paymentMethodTypes: readonly string[];
  amount: Units;
  amountReceived: Units;
  status: 'requires_payment_method' | 'processing' | 'succeeded' | 'canceled';
  paymentMethod: string | null;
  latestCharge: string | null;
  lastError: { readonly code: string; readonly message: string } | null;
  canceledAt: Seconds | null;
}

export interface Charge {
  readonly id: string;
  readonly created: Seconds;
  readonly currency: string;
  readonly customer: string;
  readonly paymentIntent: string;
  readonly paymentMethod: string;
  readonly methodType: 'card' | 'us_bank_account';
  readonly amount: Units;
  amountRefunded: Units;
  status: 'pending' | 'succeeded' | 'failed';
  disputed: boolean;
  failure: { readonly code: string; readonly message: string } | null;
}

export interface Refund {
  readonly id: string;
  readonly created: Seconds;
  readonly currency: string;
  readonly charge: string;
  readonly paymentIntent: string;
  readonly amount: Units;
  readonly reason: string | null;
  readonly metadata: Metadata;
  status: 'succeeded' | 'failed';
  failureReason: string | null;
}

export interface Dispute {
  readonly id: string;
  readonly created: Seconds;
  readonly currency: string;
  readonly charge: string;
  readonly paymentIntent: string;
  readonly amount: Units;
  readonly reason: string;
  status: 'needs_response' | 'won' | 'lost';
}

export interface CreditNote {
  readonly id: string;
  readonly created: Seconds;
  readonly currency: string;
  readonly invoice: string;
  readonly customer: string;
  readonly number: string;
  readonly lineId: string;
  readonly amount: Units;
  /** What it took off the open invoice; the rest is given back. */
  readonly prePaymentAmount: Units;
  readonly postPaymentAmount: Units;
  readonly outOfBandAmount: Units | null;
  readonly balanceTransaction: string | null;
  readonly refunds: readonly { readonly refund: string; readonly amount: Units }[];
  readonly reason: string | null;
  memo: string | null;
  metadata: Metadata;
  status: 'issued' | 'void';
  voidedAt: Seconds | null;
}

export interface StripeEvent {
  readonly id: string;
  readonly created: Seconds;
  readonly type: string;
  /** The object as it was right after the change. */
  readonly object: JsonObject;
  readonly previous: JsonObject | null;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly pendingWebhooks: number;
}

/** An answer that was given under an idempotency key. */
export interface RememberedAnswer {
  readonly at: number;
  readonly endpoint: string;
  /** Fingerprint of the parameters. */
  readonly params: string;
  readonly requestId: string;
  readonly status: number;
  readonly body: string;
}

/** One account's books. Every list is in the order of creation. */
export interface Books {
  readonly customers: Map<string, Customer>;
  readonly invoices: Map<string, Invoice>;
  readonly invoiceItems: Map<string, InvoiceItem>;
  readonly invoicePayments: Map<string, InvoicePayment>;
  readonly paymentRecords: Map<string, PaymentRecord>;
  readonly paymentIntents: Map<string, PaymentIntent>;
  readonly charges: Map<string, Charge>;
  readonly refunds: Map<string, Refund>;
  readonly disputes: Map<string, Dispute>;
  readonly creditNotes: Map<string, CreditNote>;
  readonly events: Map<string, StripeEvent>;
  /** Ids of what was deleted, with its type. */
  readonly deleted: Map<string, string>;
  readonly answered: Map<string, RememberedAnswer>;
  readonly emails: { readonly invoice: string; readonly email: string; readonly at: number }[];
  /** How many of each type were ever made. */
  readonly created: Map<string, number>;
}

export interface Account {
  settings: ResolvedAccountSettings;
  /** As it was made, for a reset. */
  readonly seed: ResolvedAccountSettings;
  books: Books;
  /** How far this account alone is ahead of the simulator's time. */
  aheadMs: number;
}

export function newBooks(): Books {
  return {
    customers: new Map(),
    invoices: new Map(),
    invoiceItems: new Map(),
    invoicePayments: new Map(),
    paymentRecords: new Map(),
    paymentIntents: new Map(),
    charges: new Map(),
    refunds: new Map(),
    disputes: new Map(),
    creditNotes: new Map(),
    events: new Map(),
    deleted: new Map(),
    answered: new Map(),
    emails: [],
    created: new Map(),
  };
}

export function newAccount(settings: ResolvedAccountSettings): Account {
  return { settings, seed: settings, books: newBooks(), aheadMs: 0 };
}
