import Stripe from 'stripe';
import {
  type StripeSimulator,
  type StripeSimulatorOptions,
  startStripeSimulator,
} from '../../../src/simulators/stripe/simulator.js';

/** Anything read from JSON. Tests reach into it freely, and a wrong path shows as a failed expectation. */
// biome-ignore lint/suspicious/noExplicitAny: answers are asserted value by value
export type Body = any;

export const ACCOUNT = 'acct_1SimulatorDefault';
export const KEY = 'sk_test_simulator';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

/** A running simulator with the provider's own SDK pointed at it. */
export class Bench {
  readonly stripe: Stripe;

  private constructor(
    readonly simulator: StripeSimulator,
    readonly secretKey: string,
  ) {
    this.stripe = this.client(secretKey);
  }

  static async start(options: StripeSimulatorOptions = {}, secretKey = KEY): Promise<Bench> {
    return new Bench(await startStripeSimulator(options), secretKey);
  }

  /** The SDK with another key. */
  client(secretKey: string): Stripe {
    const { hostname: host, port } = new URL(this.simulator.baseUrl);
    return new Stripe(secretKey, { host, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
  }

  stop(): Promise<void> {
    return this.simulator.stop();
  }

  /** A call without the SDK. */
  async raw(method: string, path: string, form = '', headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.simulator.baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.secretKey}`,
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      ...(method === 'POST' ? { body: form } : {}),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  async control(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Body> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(`${this.simulator.controlUrl}${path}`, init);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Everything in the account's books. */
  books(accountId = ACCOUNT): Promise<Body> {
    return this.control('GET', `/books?accountId=${accountId}`);
  }

  passDays(days: number): Promise<Body> {
    return this.control('POST', '/clock', { advanceSeconds: days * 24 * 3600 });
  }

  customer(params: Stripe.CustomerCreateParams = {}): Promise<Stripe.Customer> {
    return this.stripe.customers.create({ name: 'Organiser GmbH', email: 'billing@organiser.example', ...params });
  }

  async draft(params: Partial<Stripe.InvoiceCreateParams> = {}): Promise<Stripe.Invoice> {
    const customer = params.customer ?? (await this.customer()).id;
    const standard = { collection_method: 'send_invoice', days_until_due: 30, currency: 'usd', auto_advance: false };
    return this.stripe.invoices.create({ ...standard, ...params, customer });
  }

  async item(invoice: Stripe.Invoice, amount: number): Promise<Stripe.InvoiceItem> {
    const { id, currency } = invoice;
    return this.stripe.invoiceItems.create({ customer: `${invoice.customer}`, invoice: id, currency, amount });
  }

  /** A finalised invoice over one line. */
  async invoice(amount = 10_000, params: Partial<Stripe.InvoiceCreateParams> = {}): Promise<Stripe.Invoice> {
    const draft = await this.draft(params);
    await this.item(draft, amount);
    return this.stripe.invoices.finalizeInvoice(draft.id);
  }

  pay(invoiceId: string, paying: { amount?: number; method?: 'card' | 'ach' } = {}): Promise<Body> {
    return this.control('POST', '/pay', { invoiceId, ...paying });
  }

  async eventTypes(): Promise<string[]> {
    const events = await this.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1000 });
    return events.map(({ type }) => type).reverse();
  }

  /** Waits for what happens by itself. */
  async eventually(holds: () => Promise<boolean> | boolean): Promise<void> {
    for (let waited = 0; waited < 5000; waited += 10) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('it did not happen within five seconds');
  }
}

/** What the SDK throws for a refused call. */
export async function refusal(call: Promise<unknown>): Promise<Body> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { type, rawType, code, param, message, statusCode } = error;
    return { type, rawType, code, param, message, statusCode };
  }
  throw new Error('it was not refused');
}
