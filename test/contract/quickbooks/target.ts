import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { startQuickBooksSimulator } from '../../../src/simulators/quickbooks/simulator.js';

/** Anything read from JSON. Tests reach into it freely, and a wrong path shows as a failed expectation. */
// biome-ignore lint/suspicious/noExplicitAny: answers are asserted value by value
export type Body = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

interface Place {
  readonly baseUrl: string;
  readonly realmId: string;
  readonly accessToken: string;
  /** A real sandbox allows ten calls a second, and other people's calls count, too. */
  readonly pauseMs: number;
  readonly stop: () => Promise<void>;
}

/**
 * What the suite is run against: a simulator of its own, or the company that the environment names. Nothing but the
 * provider's public API is used, so that the very same tests hold for both.
 */
async function choosePlace(): Promise<Place> {
  const { QBO_CONTRACT_BASE_URL, QBO_CONTRACT_REALM_ID, QBO_CONTRACT_ACCESS_TOKEN } = process.env;
  if (QBO_CONTRACT_BASE_URL === undefined) return startSimulator();
  if (QBO_CONTRACT_REALM_ID === undefined || QBO_CONTRACT_ACCESS_TOKEN === undefined) {
    throw new Error('QBO_CONTRACT_BASE_URL also needs QBO_CONTRACT_REALM_ID and QBO_CONTRACT_ACCESS_TOKEN.');
  }
  return {
    baseUrl: QBO_CONTRACT_BASE_URL.replace(/\/+$/, ''),
    realmId: QBO_CONTRACT_REALM_ID,
    accessToken: QBO_CONTRACT_ACCESS_TOKEN,
    pauseMs: 150,
    stop: async () => undefined,
  };
}

async function startSimulator(): Promise<Place> {
  const app = { clientId: 'contract', clientSecret: 'contract-secret' };
  const { authorizeUrl, tokenUrl, baseUrl, stop } = await startQuickBooksSimulator(app);
  const redirect_uri = 'http://127.0.0.1/callback';
  const scope = 'com.intuit.quickbooks.accounting';
  const asked = new URLSearchParams({
    client_id: app.clientId,
    response_type: 'code',
    scope,
    redirect_uri,
    state: 's',
  });
  const consent = await fetch(`${authorizeUrl}?${asked}`, { redirect: 'manual' });
  const { searchParams } = new URL(consent.headers.get('location') ?? 'none:');
  const code = searchParams.get('code') ?? '';
  const granted = await fetch(tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri }),
  });
  const { access_token } = (await granted.json()) as { access_token: string };
  return { baseUrl, realmId: searchParams.get('realmId') ?? '', accessToken: access_token, pauseMs: 0, stop };
}

// A sandbox takes its time.
jest.setTimeout(120_000);

/** A company and what this test file has made in it. */
export class Target {
  readonly realmId: string;
  private readonly cleanUps: (() => Promise<unknown>)[] = [];
  private currency: string | undefined;
  private item: string | undefined;

  private constructor(private readonly place: Place) {
    this.realmId = place.realmId;
  }

  static async reach(): Promise<Target> {
    return new Target(await choosePlace());
  }

  /** Removes what can be removed, latest first. What is gone already, or cannot go, is left alone. */
  async leave(): Promise<void> {
    for (const cleanUp of this.cleanUps.reverse()) await cleanUp().catch(() => undefined);
    await this.place.stop();
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const contentType = { 'content-type': 'application/json' };
    return this.send('POST', path, typeof body === 'string' ? body : JSON.stringify(body), {
      ...contentType,
      ...headers,
    });
  }

  query(statement: string, more = ''): Promise<Answer> {
    return this.get(`/query?query=${encodeURIComponent(statement)}${more}`);
  }

  async rows(entity: string, statement: string): Promise<Body[]> {
    return must(await this.query(statement)).QueryResponse[entity] ?? [];
  }

  /** A header that is given takes the place of the usual one. */
  private async send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<Answer> {
    await sleep(this.place.pauseMs);
    const { baseUrl, realmId, accessToken } = this.place;
    const url = `${baseUrl}/v3/company/${realmId}${path}${path.includes('?') ? '&' : '?'}minorversion=75`;
    const usual = { authorization: `Bearer ${accessToken}`, accept: 'application/json' };
    const response = await fetch(url, {
      method,
      headers: { ...usual, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  }

  async homeCurrency(): Promise<string> {
    this.currency ??= must(await this.get('/preferences')).Preferences.CurrencyPrefs.HomeCurrency.value;
    return `${this.currency}`;
  }

  /** A service that can be sold. */
  async itemId(): Promise<string> {
    this.item ??= (await this.rows('Item', "select * from Item where Type = 'Service' maxresults 1"))[0]?.Id;
    if (this.item === undefined) throw new Error('The company needs one active item of type Service.');
    return this.item;
  }

  async customer(fields: object = {}): Promise<Body> {
    const CurrencyRef = { value: await this.homeCurrency() };
    const answer = await this.post('/customer', { DisplayName: uniqueName(), CurrencyRef, ...fields });
    const { Customer } = must(answer);
    this.deactivateLater(Customer.Id);
    return Customer;
  }

  /** Customers cannot be deleted. Renamed, because a name that was marked as deleted before would be in the way. */
  deactivateLater(Id: string): void {
    this.cleanUps.push(async () => {
      const { SyncToken } = await this.read('customer', Id);
      await this.post('/customer', { Id, SyncToken, sparse: true, DisplayName: uniqueName(), Active: false });
    });
  }

  async invoiceBody(customerId: string, amount = 100): Promise<Record<string, unknown>> {
    return {
      CustomerRef: { value: customerId },
      CurrencyRef: { value: await this.homeCurrency() },
      DocNumber: uniqueName().slice(-21),
      Line: [await this.line(amount)],
    };
  }

  async line(amount: number, detail: object = {}): Promise<Body> {
    const SalesItemLineDetail = { ItemRef: { value: await this.itemId() }, ...detail };
    return { DetailType: 'SalesItemLineDetail', Amount: amount, SalesItemLineDetail };
  }

  async invoice(customerId: string, amount = 100, fields: object = {}): Promise<Body> {
    const answer = await this.post('/invoice', { ...(await this.invoiceBody(customerId, amount)), ...fields });
    const { Invoice } = must(answer);
    this.deleteLater('invoice', Invoice.Id);
    return Invoice;
  }

  /** Pays invoices with the given amounts. */
  async payment(
    customerId: string,
    total: number,
    lines: readonly [invoiceId: string, amount: number][],
  ): Promise<Body> {
    const { Payment } = must(await this.post('/payment', await this.paymentBody(customerId, total, lines)));
    this.deleteLater('payment', Payment.Id);
    return Payment;
  }

  async paymentBody(
    customerId: string,
    total: number,
    lines: readonly [invoiceId: string, amount: number][],
  ): Promise<Record<string, unknown>> {
    return {
      CustomerRef: { value: customerId },
      CurrencyRef: { value: await this.homeCurrency() },
      TotalAmt: total,
      Line: lines.map(([TxnId, Amount]) => ({ Amount, LinkedTxn: [{ TxnId, TxnType: 'Invoice' }] })),
    };
  }

  async read(resource: 'customer' | 'invoice' | 'payment', id: string): Promise<Body> {
    const entity = { customer: 'Customer', invoice: 'Invoice', payment: 'Payment' }[resource];
    return must(await this.get(`/${resource}/${id}`))[entity];
  }

  /** Works on what is there by then, and does nothing about what is gone. */
  deleteLater(resource: 'invoice' | 'payment', id: string): void {
    const entity = { invoice: 'Invoice', payment: 'Payment' }[resource];
    this.cleanUps.push(async () => {
      const found = await this.get(`/${resource}/${id}`);
      if (found.status !== 200) return;
      await this.post(`/${resource}?operation=delete`, { Id: id, SyncToken: found.body[entity].SyncToken });
    });
  }
}

/** The content of an answer that has to be a success. */
export function must(answer: Answer): Body {
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body;
}

/** Its last 21 characters, a document number's length, still tell two apart. */
export function uniqueName(): string {
  return `contract ${randomBytes(8).toString('hex')}`;
}

/** Status, code and type of a fault in the envelope of the services. */
export function faultOf({ status, body }: Answer): unknown[] {
  return [status, body?.Fault?.Error?.[0]?.code, body?.Fault?.type];
}
