import type {
  BillingCredit,
  BillingEvent,
  BillingGateway,
  BillingInvoice,
  BillingInvoiceReading,
  BillingPayment,
} from '../../../src/application/ports/billing.js';
import {
  failed,
  type ProviderFailure,
  type ProviderResult,
  succeeded,
} from '../../../src/application/ports/provider.js';
import type { StripeContext } from '../../../src/application/stripe/stripe-context.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits, subtract, sum, ZERO } from '../../../src/domain/money.js';
import type { Workbench } from '../../support/workbench.js';

type Changing<T> = { -readonly [Name in keyof T]: T[Name] };

interface Held {
  invoice: Changing<BillingInvoice>;
  payments: Changing<BillingPayment>[];
  credits: Changing<BillingCredit>[];
}

const NOON = new Date('2026-03-02T12:00:00Z');

/**
 * What a Stripe account says of its invoices, by rules of a few lines, so that every case can be put on at once. How a real
 * account comes to say it, the simulator and the adapter's tests show.
 */
export class StripeBooks {
  /** What was asked, e.g. `invoice in_1`. */
  readonly calls: string[] = [];
  /** More happened at the account than can be listed at once. */
  isCrowded = false;
  readonly #invoices = new Map<string, Held>();
  readonly #events: BillingEvent[] = [];
  #failure: ProviderFailure | undefined;
  #numbers: number;

  /** @param numbers how many payments and credit notes the account had before */
  constructor(numbers = 0) {
    this.#numbers = numbers;
  }

  /** A gateway that knows how to read only. */
  readonly gateway: BillingGateway = new Proxy({} as BillingGateway, {
    get: (_target, name) => {
      const own: unknown = Reflect.get(this, name);
      if (typeof own === 'function') return own.bind(this);
      throw new Error(`${String(name)} is not to be called`);
    },
  });

  readInvoice(_connectionId: string, externalId: string): Promise<ProviderResult<BillingInvoiceReading>> {
    const held = this.#invoices.get(externalId);
    return this.#answer(`invoice ${externalId}`, held && structuredClone(held));
  }

  operationIn(): string | undefined {
    return undefined;
  }

  findPaidInvoices(_connectionId: string, paymentIntentId: string): Promise<ProviderResult<string[]>> {
    const paid = [...this.#invoices].filter(([, { payments }]) =>
      payments.some((payment) => payment.paymentIntentId === paymentIntentId),
    );
    return this.#answer(
      `payment ${paymentIntentId}`,
      paid.map(([id]) => id),
    );
  }

  findEvents(_connectionId: string, since: Date): Promise<ProviderResult<BillingEvent[] | 'too_many'>> {
    return this.#answer<BillingEvent[] | 'too_many'>(
      `events since ${since.toISOString()}`,
      this.isCrowded ? 'too_many' : this.#events.filter(({ occurredAt }) => occurredAt >= since),
    );
  }

  async #answer<T>(call: string, value: T | undefined): Promise<ProviderResult<T>> {
    this.calls.push(call);
    if (this.#failure) return failed(this.#failure);
    if (value !== undefined) return succeeded(value);
    const trace = { statusCode: 404 };
    return failed({
      kind: 'rejected',
      reason: 'not_found',
      code: 'resource_missing',
      message: 'No such object',
      trace,
    });
  }

  /** From now on every call ends so; undefined: they succeed again. */
  fail(failure: ProviderFailure | undefined): void {
    this.#failure = failure;
  }

  open(externalId: string, total: bigint, currency = 'USD'): void {
    const invoice: BillingInvoice = {
      externalId,
      number: `N-${externalId}`,
      status: 'OPEN',
      customerExternalId: 'cus_1',
      currency: currency as CurrencyCode,
      total: minorUnits(total),
      customerCredit: ZERO,
      balance: minorUnits(total),
      url: undefined,
      payUrl: undefined,
      lines: [],
      hasMoreLines: false,
      operationId: undefined,
      createdAt: NOON,
    };
    this.#invoices.set(externalId, { invoice, payments: [], credits: [] });
  }

  /** A payment; returns its payment intent. Money received at once unless it says otherwise. */
  pay(externalId: string, amount: bigint, fields: Partial<BillingPayment> = {}): string {
    this.#numbers += 1;
    const paymentIntentId = `pi_${this.#numbers}`;
    this.#held(externalId).payments.push({
      externalId: `inpay_${this.#numbers}`,
      paymentIntentId,
      status: 'PAID',
      amount: minorUnits(amount),
      refunded: ZERO,
      isDisputed: false,
      paidAt: NOON,
      ...fields,
    });
    this.#balance(externalId);
    return paymentIntentId;
  }

  /** Changes what is said of a payment. */
  change(paymentIntentId: string, changes: Partial<BillingPayment>): void {
    for (const [externalId, { payments }] of this.#invoices) {
      const found = payments.find((payment) => payment.paymentIntentId === paymentIntentId);
      if (!found) continue;
      Object.assign(found, changes);
      this.#balance(externalId);
    }
  }

  /** A credit note before payment; returns its id. */
  credit(externalId: string, amount: bigint): string {
    this.#numbers += 1;
    const id = `cn_${this.#numbers}`;
    this.#held(externalId).credits.push({ externalId: id, amount: minorUnits(amount) });
    this.#balance(externalId);
    return id;
  }

  voidCredit(externalId: string, creditId: string): void {
    const held = this.#held(externalId);
    held.credits = held.credits.filter(({ externalId: id }) => id !== creditId);
    this.#balance(externalId);
  }

  edit(externalId: string, changes: Partial<BillingInvoice>): void {
    // Void asks for nothing, and what is open again asks for what it did before.
    if (changes.status === 'OPEN') this.#balance(externalId);
    const balance = changes.status === 'VOID' && { balance: ZERO };
    Object.assign(this.#held(externalId).invoice, balance, changes);
  }

  delete(externalId: string): void {
    this.#invoices.delete(externalId);
  }

  /** Something that happened, as the list of events tells it. */
  tell(event: BillingEvent): void {
    this.#events.push(event);
  }

  /** As it is now. */
  reading(externalId: string): BillingInvoiceReading {
    return structuredClone(this.#held(externalId));
  }

  #held(externalId: string): Held {
    const held = this.#invoices.get(externalId);
    if (!held) throw new Error(`there is no invoice ${externalId}`);
    return held;
  }

  /** Money that was given back is not asked for again. */
  #balance(externalId: string): void {
    const { invoice, payments, credits } = this.#held(externalId);
    const paid = payments.filter(({ status }) => status === 'PAID').map(({ amount }) => amount);
    const settled = sum([invoice.customerCredit, ...paid, ...credits.map(({ amount }) => amount)]);
    invoice.balance = subtract(invoice.total, settled);
    if (invoice.status === 'OPEN' || invoice.status === 'PAID')
      invoice.status = invoice.balance > ZERO ? 'OPEN' : 'PAID';
  }
}

export const ACCOUNT = 'acct_1Bench';
export const COMPANY_ID = `TEST:${ACCOUNT}`;

/** Connects a conference with a Stripe account; returns the id of the connection. */
export async function connectStripe(bench: Workbench, conferenceId: string, secret = 'whsec_bench'): Promise<string> {
  const id = bench.context.ids.next('str');
  const sealed = await bench.context.secrets.seal(secret);
  const now = bench.clock.now();
  await bench.sql(
    `insert into stripe_connection (id, conference_id, account_id, account_name, live_mode, simulated, status,
       secret_key, webhook_secret, days_until_due, sweep_due_at, created_at, updated_at)
     values (?, ?, ?, 'Bench', false, true, 'CONNECTED', ?, ?, 30, ?, ?, ?)`,
    [id, conferenceId, ACCOUNT, sealed, sealed, new Date(now.getTime() + bench.context.waits.firstSweepMs), now, now],
  );
  return id;
}

export interface StripeOrder {
  readonly id: string;
  readonly invoiceId: string;
  readonly externalId: string;
}

/** An order over 1475.00 USD that is invoiced in Stripe, as its creation leaves it. */
export async function stripeOrder(
  bench: Workbench,
  books: StripeBooks,
  connectionId: string,
  fields: Record<string, unknown> = {},
): Promise<StripeOrder> {
  const id = await bench.order(fields);
  const invoiceId = bench.context.ids.next('inv');
  const externalId = `in_${invoiceId.slice(-12)}`;
  books.open(externalId, 147_500n);
  const now = bench.clock.now();
  await bench.sql(
    `insert into invoice (id, purchase_order_id, provider, stripe_connection_id, company_id, status, external_id, number,
       currency_code, total_minor, balance_minor, created_at, updated_at)
     values (?, ?, 'STRIPE', ?, ?, 'OPEN', ?, 'N-1', 'USD', 147500, 147500, ?, ?)`,
    [invoiceId, id, connectionId, COMPANY_ID, externalId, now, now],
  );
  await bench.sql("update purchase_order set status = 'SENT', sent_at = ? where id = ?", [now, id]);
  return { id, invoiceId, externalId };
}

/** As another process would have it, with these books for its Stripe. */
export function stripeProcess(bench: Workbench, billing: BillingGateway): StripeContext {
  return { ...bench.process(), billing };
}
