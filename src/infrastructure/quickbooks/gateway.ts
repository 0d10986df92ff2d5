import type {
  AccountingGateway,
  CompanyCredentials,
  CompanySettings,
  ProvenCompany,
  ProviderCustomer,
  ProviderInvoice,
  ProviderRefundReceipt,
  TokenClaim,
  TokenTrial,
} from '../../application/ports/accounting.js';
import { failed, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { AuthorisedClient } from './authorised-client.js';
import * as batch from './batch.js';
import { BulkReader, confirmMissing } from './bulk-reading.js';
import * as company from './company.js';
import { type ProvingContext, proveCredentials, tryTokens } from './credentials.js';
import * as customers from './customers.js';
import { type QboCall, QboHttpClient } from './http-client.js';
import * as answers from './invoice-answer.js';
import * as invoices from './invoices.js';
import * as refunds from './refund-receipts.js';
import { Resilience, type ResilienceOptions } from './resilience.js';
import type { TokenStore } from './token-store.js';
import { QboTokens, type QboTokensOptions } from './tokens.js';
import { Traffic, type TrafficOptions } from './traffic.js';
import type { TrafficStore } from './traffic-store.js';

const ignore = () => undefined;

export interface QuickBooksGatewayOptions extends QboTokensOptions {
  readonly traffic: TrafficStore;
  /** What went wrong beside a call whose outcome does not suffer from it. */
  readonly onTrouble?: TrafficOptions['onTrouble'];
  readonly onBreaker?: ResilienceOptions['onBreaker'];
}

/** QuickBooks Online as the use cases see it. */
export class QuickBooksGateway implements AccountingGateway {
  readonly customerNameCandidates = customers.customerNameCandidates;
  readonly prepareCustomer = customers.customerBody;
  readonly prepareInvoice = invoices.invoiceBody;
  readonly prepareInvoices = batch.envelopeBody;
  readonly envelopeItems = batch.envelopeItems;
  readonly prepareVoid = invoices.voidBody;
  readonly readSentInvoice = invoices.readSentInvoice;
  readonly linesMatch = answers.linesMatch;
  readonly invoicePageUrl = invoices.invoicePageUrl;

  readonly readPayments: AccountingGateway['readPayments'];
  readonly readInvoices: AccountingGateway['readInvoices'];
  readonly findInvoices: AccountingGateway['findInvoices'];
  readonly readChanges: AccountingGateway['readChanges'];
  readonly findChangedInvoices: AccountingGateway['findChangedInvoices'];
  readonly findChangedPayments: AccountingGateway['findChangedPayments'];
  readonly findChangedRefundReceipts: AccountingGateway['findChangedRefundReceipts'];

  readonly #proving: ProvingContext;
  readonly #tokens: QboTokens;
  readonly #client: AuthorisedClient;
  readonly #traffic: Traffic;
  readonly #store: Pick<TokenStore, 'load'>;
  /** By connection. A company can never change its home currency. */
  readonly #homeCurrencies = new Map<string, string>();

  constructor(options: QuickBooksGatewayOptions) {
    const { endpoints, onCall, clock, waits, onTrouble = ignore, onBreaker = ignore } = options;
    const http = new QboHttpClient({ onCall, timeoutMs: waits.callTimeoutMs });
    this.#store = options.store;
    this.#tokens = new QboTokens(options);
    this.#traffic = new Traffic({ store: options.traffic, clock, waits, onTrouble });
    this.#client = new AuthorisedClient({
      http,
      tokens: this.#tokens,
      traffic: this.#traffic,
      resilience: new Resilience({ clock, waits, onBreaker }),
      endpoints,
      waits,
    });
    const bulk = new BulkReader(this.#client, (connectionId, document) => this.#currencyOf(connectionId, document));
    this.readPayments = bulk.readPayments.bind(bulk);
    this.readInvoices = bulk.readInvoices.bind(bulk);
    this.findInvoices = bulk.findInvoices.bind(bulk);
    this.readChanges = bulk.readChanges.bind(bulk);
    this.findChangedInvoices = bulk.findChangedInvoices.bind(bulk);
    this.findChangedPayments = bulk.findChangedPayments.bind(bulk);
    this.findChangedRefundReceipts = bulk.findChangedRefundReceipts.bind(bulk);
    this.#proving = { http, endpoints, clock, tokens: this.#tokens, waits };
  }

  /** Waits for new tokens that are on their way, and writes down what was counted last. */
  async stop(): Promise<void> {
    await this.#tokens.settle();
    await this.#traffic.meter.flush();
  }

  proveCredentials(
    credentials: CompanyCredentials,
    connectionId: string | undefined,
  ): Promise<ProviderResult<ProvenCompany>> {
    return proveCredentials(this.#proving, credentials, connectionId);
  }

  tryTokens(connectionId: string): Promise<ProviderResult<TokenTrial>> {
    return tryTokens(this.#proving, connectionId);
  }

  releaseTokens(claim: TokenClaim): Promise<void> {
    return this.#tokens.release(claim);
  }

  async readCompanySettings(connectionId: string): Promise<ProviderResult<CompanySettings>> {
    const read = await this.#client.call(connectionId, company.readPreferencesCall, company.readPreferences);
    if (!read.ok) return read;
    const { defaultItemId, ...settings } = read.value;
    this.#homeCurrencies.set(connectionId, settings.homeCurrency);
    if (defaultItemId !== undefined) return succeeded({ ...settings, serviceItemId: defaultItemId }, read.trace);
    const item = await this.#client.call(connectionId, company.findServicesItemCall, company.readServicesItem);
    return item.ok ? succeeded({ ...settings, serviceItemId: item.value.id }, item.trace) : item;
  }

  async findCustomersByName(
    connectionId: string,
    names: readonly string[],
  ): Promise<ProviderResult<ProviderCustomer[]>> {
    if (names.length === 0) return succeeded([]);
    return this.#client.call(connectionId, customers.findCustomersCall(names), customers.readCustomers);
  }

  createCustomer(
    connectionId: string,
    body: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<ProviderCustomer>> {
    return this.#client.call(connectionId, customers.createCustomerCall(body, idempotencyKey), customers.readCustomer);
  }

  createInvoice(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<ProviderInvoice>> {
    return this.#writeInvoice(connectionId, invoices.createInvoiceCall(body, idempotencyKey));
  }

  async createInvoices(
    connectionId: string,
    body: string,
    idempotencyKey: string,
    items: readonly string[],
  ): Promise<ProviderResult<ReadonlyMap<string, ProviderResult<ProviderInvoice>>>> {
    const ready = await this.#readyForInvoices(connectionId);
    if (!ready.ok) return ready;
    const call = batch.createInvoicesCall(body, idempotencyKey);
    const sent = await this.#client.call(connectionId, call, batch.readBatchResponse);
    if (!sent.ok) return sent;
    const { value: responses, trace } = sent;
    const read = (response: unknown) => this.#readInvoice(connectionId, response);
    const results = items.map(
      async (item) => [item, await batch.readItem(responses.get(item) ?? [], trace, read)] as const,
    );
    return succeeded(new Map(await Promise.all(results)), trace);
  }

  sendInvoice(
    connectionId: string,
    externalId: string,
    email: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<ProviderInvoice>> {
    return this.#writeInvoice(connectionId, invoices.sendInvoiceCall(externalId, email, idempotencyKey));
  }

  voidInvoice(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<ProviderInvoice>> {
    return this.#writeInvoice(connectionId, invoices.voidInvoiceCall(body, idempotencyKey));
  }

  async readInvoice(connectionId: string, externalId: string): Promise<ProviderResult<ProviderInvoice>> {
    const read = await this.#callForInvoice(connectionId, invoices.readInvoiceCall(externalId));
    return confirmMissing(this.#client, connectionId, externalId, read);
  }

  readRefundReceipt(connectionId: string, externalId: string): Promise<ProviderResult<ProviderRefundReceipt>> {
    return this.#client.call(connectionId, refunds.readRefundReceiptCall(externalId), async (json) => {
      const document = refunds.readRefundReceiptDocument(json);
      return document && refunds.toProviderRefundReceipt(document, await this.#currencyOf(connectionId, document));
    });
  }

  /**
   * Sent only when its answer can be understood, whatever it leaves out: a read that fails afterwards would make an
   * unknown outcome of a sure one. Why the currency cannot be found out says nothing of the write, hence `unavailable`.
   */
  async #writeInvoice(connectionId: string, call: QboCall): Promise<ProviderResult<ProviderInvoice>> {
    const ready = await this.#readyForInvoices(connectionId);
    return ready.ok ? this.#callForInvoice(connectionId, call) : ready;
  }

  async #readyForInvoices(connectionId: string): Promise<ProviderResult<string>> {
    const currency = await this.#homeCurrency(connectionId);
    if (currency.ok || currency.failure.kind !== 'rejected') return currency;
    const { message, trace } = currency.failure;
    return failed({ kind: 'unavailable', message, trace });
  }

  #callForInvoice(connectionId: string, call: QboCall): Promise<ProviderResult<ProviderInvoice>> {
    return this.#client.call(connectionId, call, (json) => this.#readInvoice(connectionId, json));
  }

  async #readInvoice(connectionId: string, json: unknown): Promise<ProviderInvoice | undefined> {
    const document = answers.readInvoiceDocument(json);
    if (!document) return undefined;
    const currency = await this.#currencyOf(connectionId, document);
    return answers.toProviderInvoice(document, currency);
  }

  /** A company that keeps one currency may leave it out. Empty when it cannot be found out. */
  async #currencyOf(
    connectionId: string,
    { CurrencyRef }: { readonly CurrencyRef?: { readonly value: string } | null | undefined },
  ): Promise<string> {
    if (CurrencyRef) return CurrencyRef.value;
    const home = await this.#homeCurrency(connectionId);
    return home.ok ? home.value : '';
  }

  async #homeCurrency(connectionId: string): Promise<ProviderResult<string>> {
    const known = this.#homeCurrencies.get(connectionId) ?? (await this.#store.load(connectionId))?.homeCurrency;
    if (known !== undefined) {
      this.#homeCurrencies.set(connectionId, known);
      return succeeded(known);
    }
    const read = await this.#client.call(connectionId, company.readPreferencesCall, company.readPreferences);
    if (!read.ok) return read;
    this.#homeCurrencies.set(connectionId, read.value.homeCurrency);
    return succeeded(read.value.homeCurrency);
  }
}
