import type {
  BillingCustomer,
  BillingEvent,
  BillingGateway,
  BillingInvoice,
  BillingInvoiceDraft,
  BillingInvoiceReading,
  InvoiceSending,
  PreparedInvoice,
  ProvenAccount,
} from '../../application/ports/billing.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { modeOf, readAccountCall } from './account.js';
import { StripeClients, type StripeClientsOptions, type StripeSession } from './client.js';
import { createInvoice } from './create-invoice.js';
import * as customers from './customers.js';
import * as events from './events.js';
import { UNREADABLE } from './failures.js';
import { prepareInvoice, readInvoiceBody } from './invoice-body.js';
import * as invoices from './invoices.js';
import { paidInvoicesListing } from './payments.js';
import { readInvoice } from './read-invoice.js';

/** Stripe as the use cases see it. */
export class StripeGateway implements BillingGateway {
  readonly prepareCustomer = customers.customerBody;

  readonly #clients: StripeClients;
  readonly #clock: StripeClientsOptions['clock'];

  constructor(options: StripeClientsOptions) {
    this.#clients = new StripeClients(options);
    this.#clock = options.clock;
  }

  async proveKey(secretKey: string): Promise<ProviderResult<ProvenAccount>> {
    const mode = modeOf(secretKey);
    if (!mode) return failed(noSecretKey());
    const { result, isSimulated } = await this.#clients.openWith(secretKey).callFor(readAccountCall);
    if (!result.ok) return result;
    return succeeded({ ...result.value, liveMode: mode === 'live', simulated: isSimulated }, result.trace);
  }

  findCustomer(connectionId: string, externalId: string): Promise<ProviderResult<BillingCustomer | undefined>> {
    return this.#in(connectionId, async (session) => {
      const read = await session.call(customers.readCustomerCall(externalId));
      if (read.ok) return succeeded(read.value === 'deleted' ? undefined : read.value, read.trace);
      const isUnknown = read.failure.kind === 'rejected' && read.failure.reason === 'not_found';
      return isUnknown ? succeeded(undefined, read.failure.trace) : read;
    });
  }

  findCustomers(connectionId: string, email: string): Promise<ProviderResult<BillingCustomer[]>> {
    return this.#in(connectionId, async (session) => {
      const listed = await session.list(customers.customersListing(email));
      return listed.ok ? succeeded(listed.value.map(customers.toBillingCustomer), listed.trace) : listed;
    });
  }

  createCustomer(connectionId: string, body: string, idempotencyKey: string): Promise<ProviderResult<BillingCustomer>> {
    const call = customers.createCustomerCall(body, idempotencyKey);
    return this.#in(connectionId, (session) => session.call(call));
  }

  prepareInvoice(draft: BillingInvoiceDraft): PreparedInvoice {
    return prepareInvoice(draft, this.#clock.now());
  }

  createInvoice(connectionId: string, sending: InvoiceSending): Promise<ProviderResult<BillingInvoice>> {
    return this.#in(connectionId, (session) => createInvoice(session, sending));
  }

  findInvoices(
    connectionId: string,
    { customerExternalId, createdSince }: { readonly customerExternalId: string; readonly createdSince: Date },
    operationIds: readonly string[],
  ): Promise<ProviderResult<BillingInvoice[]>> {
    return this.#in(connectionId, async (session) => {
      const listed = await session.list(invoices.invoicesListing(customerExternalId, createdSince));
      if (!listed.ok) return listed;
      const ours = listed.value.filter((one) => operationIds.includes(invoices.operationIdOf(one) ?? ''));
      const read = ours.map(invoices.readInvoice).filter((invoice) => invoice !== undefined);
      if (read.length === ours.length) return succeeded(read, listed.trace, listed.asOf);
      return failed({ kind: 'unavailable', message: UNREADABLE, trace: listed.trace });
    });
  }

  customerOf(body: string): string {
    return readInvoiceBody(body).invoice.customer;
  }

  operationIn(payload: unknown): string | undefined {
    return events.operationIdIn(payload);
  }

  deleteDraft(connectionId: string, externalId: string): Promise<ProviderResult<void>> {
    return this.#in(connectionId, async (session) => {
      const deleted = await session.call(invoices.deleteDraftCall(externalId));
      if (deleted.ok) return succeeded(undefined, deleted.trace);
      return failed(await explained(session, externalId, deleted.failure, ['DRAFT']));
    });
  }

  sendInvoice(
    connectionId: string,
    externalId: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<BillingInvoice>> {
    return this.#in(connectionId, (session) => session.call(invoices.sendInvoiceCall(externalId, idempotencyKey)));
  }

  wasSent(connectionId: string, externalId: string, since: Date): Promise<ProviderResult<boolean>> {
    return this.#in(connectionId, async (session) => {
      const listed = await session.list(events.eventsListing(since, ['invoice.sent']));
      if (!listed.ok) return listed;
      const sent = events.toBillingEvents(listed.value).some(({ entityId }) => entityId === externalId);
      return succeeded(sent, listed.trace, listed.asOf);
    });
  }

  voidInvoice(
    connectionId: string,
    externalId: string,
    idempotencyKey: string,
  ): Promise<ProviderResult<BillingInvoice>> {
    return this.#in(connectionId, async (session) => {
      const voided = await session.call(invoices.voidInvoiceCall(externalId, idempotencyKey));
      return voided.ok
        ? voided
        : failed(await explained(session, externalId, voided.failure, ['OPEN', 'UNCOLLECTIBLE']));
    });
  }

  readInvoice(connectionId: string, externalId: string): Promise<ProviderResult<BillingInvoiceReading>> {
    return this.#in(connectionId, (session) => readInvoice(session, externalId));
  }

  async findPaidInvoices(connectionId: string, paymentIntentId: string): Promise<ProviderResult<string[]>> {
    // An old charge may have no payment intent; such a one pays no invoice that Stripe could name.
    if (!paymentIntentId.startsWith('pi_')) return succeeded([]);
    return this.#in(connectionId, async (session) => {
      const listed = await session.list(paidInvoicesListing(paymentIntentId));
      if (!listed.ok) return listed;
      return succeeded([...new Set(listed.value.map(({ invoice }) => invoice))], listed.trace);
    });
  }

  findEvents(connectionId: string, since: Date): Promise<ProviderResult<BillingEvent[] | 'too_many'>> {
    return this.#in<BillingEvent[] | 'too_many'>(connectionId, async (session) => {
      const listed = await session.listUpTo(events.eventsListing(since), events.MAX_EVENT_PAGES);
      if (!listed.ok) return listed;
      if (listed.value === 'too_many') return succeeded(listed.value, listed.trace);
      return succeeded(events.toBillingEvents(listed.value), listed.trace, listed.asOf);
    });
  }

  async #in<T>(
    connectionId: string,
    work: (session: StripeSession) => Promise<ProviderResult<T>>,
  ): Promise<ProviderResult<T>> {
    return this.#clients.in(connectionId, work);
  }
}

function noSecretKey(): ProviderFailure {
  const message = 'This is no secret key of Stripe: they begin with sk_live_, sk_test_, rk_live_ or rk_test_.';
  return { kind: 'rejected', reason: 'validation', code: undefined, message, trace: {} };
}

/** Stripe has no code for an invoice in the wrong state, only sentences that change: its state tells. */
async function explained(
  session: StripeSession,
  externalId: string,
  failure: ProviderFailure,
  expected: readonly BillingInvoice['status'][],
): Promise<ProviderFailure> {
  if (failure.kind !== 'rejected' || failure.reason !== 'validation') return failure;
  const found = await session.call(invoices.readInvoiceCall(externalId));
  const isStale = found.ok && !expected.includes(found.value.invoice.status);
  return isStale ? { ...failure, reason: 'stale' } : failure;
}
