import type { CurrencyCode } from '../../domain/currency.js';
import type { MinorUnits } from '../../domain/money.js';
import type { ProviderResult } from './provider.js';

/**
 * What the use cases need of a provider that collects the money itself (Stripe). An invoice comes into being in several
 * writes: a draft, one item a line, finalisation. `prepareInvoice` returns everything that will be sent as one text, which
 * the caller stores, so that a repetition sends the same. Every write carries an idempotency key that is derived from
 * our own operation row; the provider remembers it for a day at least.
 *
 * Amounts here are in the minor units of ISO 4217, as everywhere; the provider's own units stay inside the adapter.
 */
export interface BillingGateway {
  /** Proves a secret key by reading the account it opens. */
  proveKey(secretKey: string): Promise<ProviderResult<ProvenAccount>>;

  /** Undefined: it was deleted, or the account never had it. */
  findCustomer(connectionId: string, externalId: string): Promise<ProviderResult<BillingCustomer | undefined>>;
  /** Customers that bear exactly this e-mail address, newest first. */
  findCustomers(connectionId: string, email: string): Promise<ProviderResult<BillingCustomer[]>>;
  prepareCustomer(draft: BillingCustomerDraft): string;
  createCustomer(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<BillingCustomer>>;

  /**
   * Refuses amounts that the provider cannot represent in its own units, or does not take, and more lines than it takes,
   * before anything is sent.
   */
  prepareInvoice(draft: BillingInvoiceDraft): PreparedInvoice;
  /**
   * Makes the invoice in as many writes as it takes, up to its finalisation, which makes it payable; it is not e-mailed. A
   * rejection or a lost answer of a later step leaves the draft behind. Once this sending has written anything, whatever
   * else stops it (throttling, a refused key) is `unknown`, too: sent again, it goes on from there.
   */
  createInvoice(connectionId: string, sending: InvoiceSending): Promise<ProviderResult<BillingInvoice>>;
  /** Every invoice of the customer since then, drafts included, that bears the id of one of these operations. */
  findInvoices(
    connectionId: string,
    wanted: { readonly customerExternalId: string; readonly createdSince: Date },
    operationIds: readonly string[],
  ): Promise<ProviderResult<BillingInvoice[]>>;
  /** The customer that a body of `prepareInvoice` names. */
  customerOf(body: string): string;
  /** The operation that made the invoice that an event is about, by the event's payload. */
  operationIn(payload: unknown): string | undefined;
  /** Deletes a draft. Rejected with reason `not_found` when it is gone already, `stale` when it is no draft any more. */
  deleteDraft(connectionId: string, externalId: string): Promise<ProviderResult<void>>;

  /** Has the provider e-mail the invoice to its customer. */
  sendInvoice(
    connectionId: string,
    externalId: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<BillingInvoice>>;
  /** Whether the provider e-mailed the invoice since then. */
  wasSent(connectionId: string, externalId: string, since: Date): Promise<ProviderResult<boolean>>;
  /** Rejected with reason `stale` when the invoice is not open any more. */
  voidInvoice(
    connectionId: string,
    externalId: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<BillingInvoice>>;

  /** The invoice with everything that was paid, refunded, disputed and credited on it. `not_found`: it was deleted. */
  readInvoice(connectionId: string, externalId: string): Promise<ProviderResult<BillingInvoiceReading>>;
  /** The provider's ids of the invoices that a payment (its payment intent) pays or paid; none for any other id. */
  findPaidInvoices(connectionId: string, paymentIntentId: string): Promise<ProviderResult<string[]>>;
  /**
   * What happened at the account since then that can change an invoice or its payments, oldest first; the provider keeps
   * 30 days. The same events as by webhook. `too_many`: more than can be listed in one go.
   */
  findEvents(connectionId: string, since: Date): Promise<ProviderResult<BillingEvent[] | 'too_many'>>;
}

export interface ProvenAccount {
  /** The provider's id of the account, e.g. `acct_1A2b3C`. */
  readonly accountId: string;
  readonly accountName: string;
  readonly liveMode: boolean;
  /** The endpoint that answered said it is a simulator. Such a connection is refused in production. */
  readonly simulated: boolean;
}

export interface BillingCustomerDraft {
  readonly organizationName: string;
  readonly contactName: string;
  readonly email: string;
  readonly billingAddress: string;
  /** See `normalizeOrganizationName`: goes into the metadata, by which the customer is found again. */
  readonly normalizedName: string;
}

export interface BillingCustomer {
  readonly externalId: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** What `BillingCustomerDraft.normalizedName` said, when the customer is one of ours. */
  readonly normalizedName: string | undefined;
}

export interface BillingInvoiceDraft {
  readonly customerExternalId: string;
  readonly currency: CurrencyCode;
  /** Ours, e.g. `PO-7K2M9Q`. */
  readonly reference: string;
  /** The buyer's own number for the order; may be empty. */
  readonly buyerReference: string;
  /**
   * Whom the order names, which the invoice shows: the customer may be of an earlier order, or bear another name and
   * address. May be empty, apart from the name.
   */
  readonly organizationName: string;
  readonly contactName: string;
  readonly billingAddress: string;
  readonly conferenceName: string;
  readonly conferenceSlug: string;
  readonly purchaseOrderId: string;
  /** By which the invoice is found again. */
  readonly operationId: string;
  /** The day it is due; `YYYY-MM-DD`, in the conference's time zone. Undefined: `daysUntilDue` from now. */
  readonly dueDate: string | undefined;
  readonly timezone: string;
  readonly daysUntilDue: number;
  readonly lines: readonly {
    /** Ours. */
    readonly id: string;
    readonly description: string;
    readonly quantity: number;
    readonly unitPrice: MinorUnits;
    readonly amount: MinorUnits;
  }[];
}

export type PreparedInvoice =
  | { readonly ok: true; readonly body: string }
  /** With a sentence for a person: which amount, or how many lines, and why the provider cannot take it. */
  | { readonly ok: false; readonly reason: 'amount' | 'too_many_lines'; readonly message: string };

export interface InvoiceSending {
  /** Of `prepareInvoice`. */
  readonly body: string;
  /** Each write's own key begins with it. */
  readonly idempotencyKey: string;
  /** The draft that an earlier sending with the same key left behind, when its id is known. */
  readonly draftId: string | undefined;
  /** Called as soon as the id of the draft is known, before anything else is sent. */
  readonly onDraft: (externalId: string) => Promise<void>;
}

/** An invoice as the provider describes it. */
export interface BillingInvoice {
  readonly externalId: string;
  /** Undefined while it is a draft. */
  readonly number: string | undefined;
  /** `VOID` also: the customer's balance paid all of it, and was given all of it back. */
  readonly status: 'DRAFT' | 'OPEN' | 'PAID' | 'VOID' | 'UNCOLLECTIBLE';
  readonly customerExternalId: string;
  readonly currency: CurrencyCode;
  readonly total: MinorUnits;
  /**
   * Of the total, what the customer's balance with the provider covered when the invoice was made; negative: a debt that it
   * asks for besides. The rest is what the buyer is asked for.
   */
  readonly customerCredit: MinorUnits;
  /** What it still asks for: nothing once it is void; negative when more was paid than it asked for. */
  readonly balance: MinorUnits;
  /** The bookkeeper's page. */
  readonly url: string | undefined;
  /** Where the buyer pays. */
  readonly payUrl: string | undefined;
  /** In any order; as many as one answer holds, which says `hasMoreLines` when there are more. */
  readonly lines: readonly { readonly id: string | undefined; readonly amount: MinorUnits }[];
  readonly hasMoreLines: boolean;
  /** The operation that made it, by its metadata. */
  readonly operationId: string | undefined;
  readonly createdAt: Date;
}

export interface BillingInvoiceReading {
  readonly invoice: BillingInvoice;
  readonly payments: readonly BillingPayment[];
  readonly credits: readonly BillingCredit[];
}

/** What one payment did to one invoice. */
export interface BillingPayment {
  /** The provider's id of the link between payment and invoice, or of the payment when it has none: `inpay_…`. */
  readonly externalId: string;
  /** `pi_…`, when it was paid through the provider; undefined: somebody recorded what came in elsewhere. */
  readonly paymentIntentId: string | undefined;
  /** Received, in processing (a bank debit that takes days), or neither any more. */
  readonly status: 'PAID' | 'PROCESSING' | 'OPEN' | 'CANCELLED';
  /** What reached the invoice, or is on its way. */
  readonly amount: MinorUnits;
  /** Of that amount: given back since, by refunds and disputes that were lost. */
  readonly refunded: MinorUnits;
  /** A dispute that is not decided yet. */
  readonly isDisputed: boolean;
  /** When it was received; undefined while it was not. */
  readonly paidAt: Date | undefined;
}

/** A credit note of the provider that lowered what the invoice asks for. */
export interface BillingCredit {
  readonly externalId: string;
  /** How much less the invoice asks for. What was refunded with it counts as a refund of the payment instead. */
  readonly amount: MinorUnits;
}

/** Something that happened at the account. */
export interface BillingEvent {
  readonly eventId: string;
  /** The kind of object: `invoice`, `invoice_payment`, `charge`, `refund`, `dispute`, `credit_note`, `payment_intent`, … */
  readonly entity: string;
  /** The invoice it concerns, or the payment intent (`pi_…`) when the event names only that, else the object itself. */
  readonly entityId: string;
  /** The provider's type of the event, e.g. `invoice.paid`. */
  readonly operation: string;
  readonly occurredAt: Date;
  readonly payload: unknown;
}
