import type { QuickBooksSimulator } from '../../src/simulators/quickbooks/simulator.js';
import type { Data } from './graphql-client.js';

/** The bookkeeper's hands and the saboteur's: the simulator's control API. */
export class SimulatorControl {
  readonly simulator: QuickBooksSimulator;

  constructor(simulator: QuickBooksSimulator) {
    this.simulator = simulator;
  }

  /** The company that the demo conference is connected to. */
  get realmId(): string {
    return String(this.simulator.realmIds[0]);
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

  /** A payment that the bookkeeper enters in the first company, against one invoice. */
  async pay(invoiceId: string, amount: string, more: Record<string, unknown> = {}): Promise<Data> {
    return this.post('/pay', { realmId: this.realmId, invoiceId, amount, ...more });
  }

  /** The calls the simulator received since the log was last emptied, oldest first. */
  async requests(filter = ''): Promise<Data[]> {
    return (await this.get(`/requests${filter}`)).requests;
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
