import {
  type QuickBooksSimulator,
  type QuickBooksSimulatorOptions,
  startQuickBooksSimulator,
} from '../../../src/simulators/quickbooks/simulator.js';

/** Anything read from JSON. Tests reach into it freely, and a wrong path shows as a failed expectation. */
// biome-ignore lint/suspicious/noExplicitAny: answers are asserted value by value
export type Body = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Numbers are their source text, so that 100.00 and 100 are told apart. */
  readonly body: Body;
}

export const FIRST_REALM = '9341450000000001';
export const SECOND_REALM = '9341450000000002';

async function call(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  const { status, headers } = response;
  return { status, headers, text, body: json ? parseExactly(text) : undefined };
}

export function parseExactly(text: string): Body {
  return JSON.parse(text, (_key, value, context) => (typeof value === 'number' ? context.source : value));
}

/** A running simulator with a connected company. */
export class Bench {
  private constructor(
    readonly simulator: QuickBooksSimulator,
    readonly tokens: Body,
    readonly realmId: string,
  ) {}

  static async start(options: QuickBooksSimulatorOptions = {}, realmId = FIRST_REALM): Promise<Bench> {
    return Bench.connected(await startQuickBooksSimulator(options), realmId);
  }

  private static async connected(simulator: QuickBooksSimulator, realmId: string): Promise<Bench> {
    const { body } = await call(`${simulator.controlUrl}/tokens`, {
      method: 'POST',
      body: JSON.stringify({ realmId }),
    });
    return new Bench(simulator, body, realmId);
  }

  /** Another company of the same simulator. */
  connect(realmId: string): Promise<Bench> {
    return Bench.connected(this.simulator, realmId);
  }

  /** Waits for what happens by itself. */
  async eventually(holds: () => Promise<boolean> | boolean): Promise<void> {
    for (let waited = 0; waited < 5000; waited += 10) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('it did not happen within five seconds');
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Answer> {
    return this.send('POST', path, typeof body === 'string' ? body : JSON.stringify(body), headers, signal);
  }

  send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const standard = { authorization: `Bearer ${this.tokens.accessToken}`, accept: 'application/json' };
    const contentType: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return call(`${this.simulator.baseUrl}/v3/company/${this.realmId}${path}`, {
      method,
      headers: { ...standard, ...contentType, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  query(statement: string): Promise<Answer> {
    return this.get(`/query?query=${encodeURIComponent(statement)}`);
  }

  async control(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Body> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const answer = await call(`${this.simulator.controlUrl}${path}`, init);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** Lets days go by, and connects anew because access tokens last an hour. */
  async passDays(days: number): Promise<void> {
    await this.control('POST', '/clock', { advanceSeconds: days * 24 * 3600 });
    Object.assign(this.tokens, await this.control('POST', '/tokens', { realmId: this.realmId }));
  }

  /** Everything in the company's books. */
  books(): Promise<Body> {
    return this.control('GET', `/books?realmId=${this.realmId}`);
  }

  /** What a token endpoint answers to a form. */
  token(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return call(this.simulator.tokenUrl, {
      method: 'POST',
      headers: { authorization: this.basic(), accept: 'application/json', ...headers },
      body: new URLSearchParams(form),
    });
  }

  basic(): string {
    return `Basic ${Buffer.from(`${this.tokens.clientId}:${this.tokens.clientSecret}`).toString('base64')}`;
  }

  async customer(displayName = 'Organiser GmbH', currency = 'USD'): Promise<Body> {
    const answer = await this.post('/customer', { DisplayName: displayName, CurrencyRef: { value: currency } });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body.Customer;
  }

  async invoice(customerId: string, amount = '100.00', fields: object = {}): Promise<Body> {
    const answer = await this.post('/invoice', { ...invoiceBody(customerId, amount), ...fields });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body.Invoice;
  }
}

export function salesLine(amount: string, detail: object = {}): object {
  return {
    DetailType: 'SalesItemLineDetail',
    Amount: JSON.rawJSON(amount),
    SalesItemLineDetail: { ItemRef: { value: '1' }, ...detail },
  };
}

export function invoiceBody(customerId: string, amount = '100.00', currency = 'USD'): object {
  return { CustomerRef: { value: customerId }, CurrencyRef: { value: currency }, Line: [salesLine(amount)] };
}

export function number(text: string): unknown {
  return JSON.rawJSON(text);
}

/** The one error of a fault answer. */
export function errorOf(answer: Answer): Body {
  return answer.body.Fault.Error[0];
}
