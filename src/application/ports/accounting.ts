import type { CurrencyCode } from '../../domain/currency.js';
import type { MinorUnits } from '../../domain/money.js';
import type { ProviderResult } from './provider.js';

/**
 * What the use cases need of an accounting provider (QuickBooks Online). Writes come in two steps: `prepare…` returns
 * the exact request body as text, which the caller stores, and the write sends precisely that text, so that a repeated
 * attempt repeats the bytes. Every write carries an idempotency key of at most 50 characters that is derived from our
 * own operation row.
 */
export interface AccountingGateway {
  /**
   * Proves credentials by reading the company they open; refreshes the access token first when it is refused.
   *
   * @param connectionId the connection that the company has already: then it has one refresher at a time, this one included
   */
  proveCredentials(
    credentials: CompanyCredentials,
    connectionId: string | undefined,
  ): Promise<ProviderResult<ProvenCompany>>;
  /**
   * Uses the stored tokens of a connection once, even while the company's calls are withheld: a person who brings other
   * tokens must not wait for the end of what the stored ones may have caused.
   */
  tryTokens(connectionId: string): Promise<ProviderResult<TokenTrial>>;
  /** Gives up the right to replace a connection's tokens. */
  releaseTokens(claim: TokenClaim): Promise<void>;

  /** What must be known of a company once: reads its preferences and, without a default item, its `Services` item. */
  readCompanySettings(connectionId: string): Promise<ProviderResult<CompanySettings>>;

  /** Customers that bear one of these display names, inactive ones included, in one read. */
  findCustomersByName(connectionId: string, names: readonly string[]): Promise<ProviderResult<ProviderCustomer[]>>;
  prepareCustomer(draft: CustomerDraft): string;
  createCustomer(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<ProviderCustomer>>;

  prepareInvoice(draft: InvoiceDraft): string;
  createInvoice(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<ProviderInvoice>>;
  /** The body of one request that creates several invoices, each worded by `prepareInvoice`. */
  prepareInvoices(members: readonly EnvelopeMember[]): string;
  /** The items of a body of `prepareInvoices`. */
  envelopeItems(body: string): string[];
  /**
   * Creates them one by one, in any order: one that is refused does not stop the others. What came of each is told by its
   * item, none of which is missing. The idempotency key has at most 36 characters.
   */
  createInvoices(
    connectionId: string,
    body: string,
    idempotencyKey: string,
    items: readonly string[],
  ): Promise<ProviderResult<ReadonlyMap<string, ProviderResult<ProviderInvoice>>>>;
  /** Has the provider e-mail the invoice. */
  sendInvoice(
    connectionId: string,
    externalId: string,
    email: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<ProviderInvoice>>;
  /** A rejection with reason `not_found` means the invoice was deleted at the provider. */
  readInvoice(connectionId: string, externalId: string): Promise<ProviderResult<ProviderInvoice>>;
  /** What a body of `prepareInvoice` says of the invoice, by which it can be found again. */
  readSentInvoice(body: string): SentInvoiceFacts;
  /**
   * Every invoice that fits, in as many reads as it takes. One that cannot be understood is left out, unless its note bears
   * a marker: then the search fails.
   */
  findInvoices(
    connectionId: string,
    wanted: WantedInvoices,
    markers: readonly string[],
  ): Promise<ProviderResult<ProviderInvoice[]>>;
  /** `syncToken`: as last seen. An invoice that changed since is not voided but refused as `stale`. */
  prepareVoid(externalId: string, syncToken: string): string;
  voidInvoice(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<ProviderInvoice>>;
  /**
   * The payments with these ids, 500 in a read. A single one is read by its id, and missing from the answer when the
   * provider no longer knows it; several are queried, which may show later what is there: see `read-payments.ts`.
   */
  readPayments(connectionId: string, externalIds: readonly string[]): Promise<ProviderResult<Found<ProviderPayment>>>;
  /** As `readPayments`; those missing from the answer were deleted at the provider. */
  readInvoices(connectionId: string, externalIds: readonly string[]): Promise<ProviderResult<Found<ProviderInvoice>>>;
  /** What changed since then, at most 30 days ago, deletions included, in one read. */
  readChanges(connectionId: string, since: Date): Promise<ProviderResult<ProviderChanges>>;
  /** The invoices that changed since then, however long ago and however many, 1000 in a read. Deleted ones are missing. */
  findChangedInvoices(connectionId: string, since: Date): Promise<ProviderResult<Found<ProviderInvoice>>>;
  /** As `findChangedInvoices`. */
  findChangedPayments(connectionId: string, since: Date): Promise<ProviderResult<Found<ProviderPayment>>>;
  /** As `findChangedInvoices`. */
  findChangedRefundReceipts(connectionId: string, since: Date): Promise<ProviderResult<Found<ProviderRefundReceipt>>>;

  /** A rejection with reason `not_found` means that it was deleted at the provider. */
  readRefundReceipt(connectionId: string, externalId: string): Promise<ProviderResult<ProviderRefundReceipt>>;

  /** The display names to try for an organisation, best first, all legal at the provider. */
  customerNameCandidates(organizationName: string, currency: CurrencyCode): string[];
  /** Whether the invoice lines that the provider confirmed are, line by line, those of the request body that was sent. */
  linesMatch(sentBody: string, answer: ProviderInvoice): boolean;
  /** The bookkeeper's page of an invoice. */
  invoicePageUrl(environment: 'SANDBOX' | 'PRODUCTION', realmId: string, externalId: string): string;
}

/** What came of a read of several objects. */
export interface Found<T> {
  readonly objects: readonly T[];
  /** Ids of objects that exist, but whose description cannot be understood. One of them must not spoil the others. */
  readonly unreadableIds: readonly string[];
}

export interface ProviderChanges {
  readonly invoices: Found<ProviderInvoice>;
  readonly payments: Found<ProviderPayment>;
  readonly refundReceipts: Found<ProviderRefundReceipt>;
  readonly deletedInvoices: readonly DeletedObject[];
  readonly deletedPayments: readonly DeletedObject[];
  /** The provider may have left something out, because there was more than fits into an answer. */
  readonly mayBeIncomplete: boolean;
}

export interface DeletedObject {
  readonly externalId: string;
  readonly changedAt: Date | undefined;
}

export interface CompanyCredentials {
  readonly environment: 'SANDBOX' | 'PRODUCTION';
  readonly realmId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenExpiresAt: Date | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface ProvenCompany {
  readonly companyName: string;
  /** The endpoint that answered said it is a simulator. Such a connection is refused in production. */
  readonly simulated: boolean;
  /** The tokens to store: those given, or newer ones when a refresh was needed to prove them. */
  readonly tokens: CompanyTokens;
  /** They came from a refresh, under this claim on the connection: store them by it, or release it. */
  readonly claim: TokenClaim | undefined;
}

/** The right to replace the tokens of a connection, while its lease lasts and nobody took over. */
export interface TokenClaim {
  readonly connectionId: string;
  /** The version of the tokens that are to be replaced. */
  readonly tokenVersion: number;
  readonly fence: number;
}

export interface TokenTrial {
  /** Of those that were used: they may have been refreshed for it. */
  readonly tokenVersion: number;
  readonly areRefused: boolean;
}

export interface CompanyTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenExpiresAt: Date;
  readonly refreshTokenExpiresAt: Date | undefined;
  readonly refreshTokenHardExpiresAt: Date | undefined;
}

export interface CompanySettings {
  readonly homeCurrency: string;
  readonly multiCurrency: boolean;
  /** The company lets the caller choose document numbers. */
  readonly customDocumentNumbers: boolean;
  /** The item to put on every line, when the company has a default one or an active one named `Services`. */
  readonly serviceItemId: string | undefined;
}

export interface CustomerDraft {
  readonly displayName: string;
  readonly organizationName: string;
  readonly contactName: string;
  readonly email: string;
  readonly billingAddress: string;
  /** Left out when the company keeps one currency only. */
  readonly currency: CurrencyCode | undefined;
}

export interface ProviderCustomer {
  readonly externalId: string;
  readonly displayName: string;
  readonly active: boolean;
  readonly currency: string | undefined;
}

export interface InvoiceDraft {
  readonly customerExternalId: string;
  readonly serviceItemId: string;
  readonly currency: CurrencyCode;
  /** False when the company keeps one currency only: the currency is then not sent. */
  readonly sendCurrency: boolean;
  /** Ours, e.g. `PO-7K2M9Q`: goes to memo and private note. */
  readonly reference: string;
  readonly buyerReference: string;
  /** Unique to this invoice; goes to the private note, by which a lost answer's invoice is found. */
  readonly marker: string;
  /** The document number to use, when the company lets us choose it. */
  readonly documentNumber: string | undefined;
  /** Calendar days, `YYYY-MM-DD`. */
  readonly invoiceDate: string;
  readonly dueDate: string | undefined;
  readonly email: string;
  readonly billingAddress: string;
  readonly lines: readonly InvoiceLineDraft[];
}

/** One of several invoices that are created by one request. */
export interface EnvelopeMember {
  /** By what the answer calls it: at most ten characters, and no other's in the same request. */
  readonly item: string;
  readonly body: string;
}

export interface InvoiceLineDraft {
  readonly description: string;
  readonly quantity: number;
  readonly unitPrice: MinorUnits;
  readonly amount: MinorUnits;
}

export interface SentInvoiceFacts {
  readonly customerExternalId: string;
  /** Undefined: the provider was to choose it. */
  readonly documentNumber: string | undefined;
}

export type WantedInvoices =
  /** Of one customer, or of all. */
  { readonly customerExternalId?: string; readonly createdSince: Date } | { readonly documentNumber: string };

/** An invoice as the provider describes it. Amounts are in the minor units of `currency`. */
export interface ProviderInvoice {
  readonly externalId: string;
  readonly number: string | undefined;
  readonly syncToken: string;
  readonly customerExternalId: string;
  readonly currency: CurrencyCode;
  readonly total: MinorUnits;
  readonly balance: MinorUnits;
  readonly lines: readonly { readonly description: string | undefined; readonly amount: MinorUnits }[];
  /** Voided invoices stay readable, with zero amounts. */
  readonly voided: boolean;
  /** The bookkeeper's note, which begins with ours unless somebody changed it. */
  readonly note: string;
  readonly emailStatus: 'NOT_SENT' | 'PENDING' | 'SENT';
  /** Where it was e-mailed last, or is to be. */
  readonly email: string | undefined;
  readonly deliveredAt: Date | undefined;
  readonly payUrl: string | undefined;
  /** Ids of the payments (credit applications included) that are applied to it. */
  readonly paymentIds: readonly string[];
  /** When it was made and last changed, by the provider's clock, give or take a second. */
  readonly createdAt?: Date | undefined;
  readonly changedAt?: Date | undefined;
}

/** A payment as the provider describes it. A voided one has no amounts and no applications. */
export interface ProviderPayment {
  readonly externalId: string;
  /** Grows with each change at the provider: a number as text. */
  readonly syncToken: string;
  readonly currency: CurrencyCode;
  /** Money received. Zero when the payment only applies a credit memo. */
  readonly total: MinorUnits;
  /** The part of the money that is applied to nothing. */
  readonly unapplied: MinorUnits;
  readonly voided: boolean;
  /** Calendar day, `YYYY-MM-DD`. */
  readonly paidOn: string;
  readonly referenceNumber: string | undefined;
  /** When it was last changed, by the provider's clock, give or take a second. */
  readonly changedAt?: Date | undefined;
  /** What it was applied to, in the provider's order: invoices consume, credit memos contribute. */
  readonly applications: readonly {
    readonly kind: 'invoice' | 'credit' | 'other';
    readonly externalId: string;
    readonly amount: MinorUnits;
  }[];
}

/** Money that was given back to a customer. It is linked with no invoice. */
export interface ProviderRefundReceipt {
  readonly externalId: string;
  /** Grows with each change at the provider: a number as text. */
  readonly syncToken: string;
  readonly currency: CurrencyCode;
  readonly total: MinorUnits;
  /** Calendar day, `YYYY-MM-DD`. */
  readonly refundedOn: string;
  /** Whatever people wrote on it: notes, memo, line descriptions. */
  readonly texts: readonly string[];
  /** When it was last changed, by the provider's clock, give or take a second. */
  readonly changedAt?: Date | undefined;
}
