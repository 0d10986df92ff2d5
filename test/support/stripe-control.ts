import type { StripeSimulator } from '../../src/simulators/stripe/simulator.js';
import type { Data } from './graphql-client.js';

/** The buyer's hands, the bookkeeper's and the saboteur's: the control API of Stripe's simulator. */
export class StripeControl {
  readonly simulator: StripeSimulator;

  constructor(simulator: StripeSimulator) {
    this.simulator = simulator;
  }

  /** The account that the simulator began with. */
  get account(): { readonly accountId: string; readonly secretKey: string } {
    const [account] = this.simulator.accounts;
    if (!account) throw new Error('the simulator has no account');
    return account;
  }

  async post(path: string, body: Record<string, unknown> = {}): Promise<Data> {
    return this.#call('POST', path, body);
  }

  async get(path: string): Promise<Data> {
    return this.#call('GET', path);
  }

  async patch(path: string, body: Record<string, unknown>): Promise<Data> {
    return this.#call('PATCH', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.#call('DELETE', path);
  }

  /** Breaks the next call whose method and path match, e.g. `fault('POST /v1/invoiceitems', { kind: 'reset' })`. */
  async fault(call: string, fault: Record<string, unknown>): Promise<void> {
    const [method, path] = call.split(' ');
    await this.post('/faults', { ...fault, match: { method, path } });
  }

  /** Pays an invoice in the provider's own units; without an amount, all that is open. */
  async pay(invoiceId: string, amount?: number, more: Record<string, unknown> = {}): Promise<Data> {
    return this.post('/pay', { invoiceId, ...(amount !== undefined && { amount }), ...more });
  }

  async books(): Promise<Data> {
    return this.get(`/books?accountId=${this.account.accountId}`);
  }

  /** The calls the simulator received since the log was last emptied, oldest first. */
  async requests(filter = ''): Promise<Data[]> {
    return (await this.get(`/requests${filter}`)).requests;
  }

  /** The same as `POST /v1/invoices`. */
  async calls(filter = ''): Promise<string[]> {
    return (await this.requests(filter)).map(({ method, path }) => `${method} ${path}`);
  }

  /** Calls the API as somebody else who uses the account would. */
  async api(method: string, path: string, params: Record<string, string> = {}): Promise<Data> {
    const response = await fetch(`${this.simulator.baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.account.secretKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      ...(method !== 'GET' && { body: new URLSearchParams(params) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return JSON.parse(answer);
  }

  async #call(method: string, path: string, body?: Record<string, unknown>): Promise<Data> {
    const response = await fetch(`${this.simulator.controlUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
