import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { InvoiceDraft } from '../../../src/application/ports/accounting.js';
import type { ProviderResult } from '../../../src/application/ports/provider.js';
import { systemClock } from '../../../src/domain/clock.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits } from '../../../src/domain/money.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { QuickBooksGateway } from '../../../src/infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from '../../../src/infrastructure/quickbooks/postgres-token-store.js';
import { PostgresTrafficStore } from '../../../src/infrastructure/quickbooks/postgres-traffic-store.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../../../src/simulators/quickbooks/simulator.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { testWaits } from '../../support/test-waits.js';
import { markingBox } from '../../unit/quickbooks/memory-token-store.js';
import { insertConnection, readConnection } from './connections.js';

const REALM = '9341450000000001';
const USD = 'USD' as CurrencyCode;

let database: TestDatabase;
let orm: MikroORM;
let simulator: QuickBooksSimulator;
let gateway: QuickBooksGateway;
let connectionId: string;
let keys = 0;

/** Idempotency keys as the application derives them: unique for each operation, 35 characters. */
const nextKey = () => `op_${`${++keys}`.padStart(32, '0')}`;

interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

async function control<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${simulator.controlUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

const arm = (rule: object) => control('/faults', rule);

interface LoggedCall {
  readonly requestid: string | null;
  readonly fault: string | null;
  readonly replayed: boolean;
}

async function loggedCalls(kind: 'write' | 'token'): Promise<LoggedCall[]> {
  return (await control<{ requests: LoggedCall[] }>(`/requests?kind=${kind}`)).requests;
}

function unwrap<T>(result: ProviderResult<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  simulator = await startQuickBooksSimulator();
  const { baseUrl: apiBaseUrl, tokenUrl, authorizeUrl, revokeUrl } = simulator;
  const pair = await control<Pair>('/tokens', { realmId: REALM });
  const { id } = await insertConnection(orm, {
    realmId: REALM,
    simulated: true,
    accessToken: await markingBox.seal(pair.accessToken),
    refreshToken: await markingBox.seal(pair.refreshToken),
    accessTokenExpiresAt: new Date(Date.now() + 3_600_000),
  });
  connectionId = id;
  gateway = new QuickBooksGateway({
    store: new PostgresTokenStore(orm, testWaits),
    traffic: new PostgresTrafficStore(orm, testWaits),
    secrets: markingBox,
    clock: systemClock,
    endpoints: () => ({ apiBaseUrl, tokenUrl, authorizeUrl, revokeUrl }),
    defaultApp: { clientId: pair.clientId, clientSecret: pair.clientSecret },
    waits: { ...testWaits, callTimeoutMs: 2000 },
  });
});

afterAll(async () => {
  await simulator?.stop();
  await orm?.close();
  await database?.drop();
});

beforeEach(async () => {
  await fetch(`${simulator.controlUrl}/faults`, { method: 'DELETE' });
});

async function createCustomer(displayName: string): Promise<string> {
  const body = gateway.prepareCustomer({
    displayName,
    organizationName: displayName,
    contactName: 'Ada Lovelace',
    email: 'ada@acme.example',
    billingAddress: 'Hauptstraße 1\n10115 Berlin',
    currency: USD,
  });
  return unwrap(await gateway.createCustomer(connectionId, body, nextKey())).externalId;
}

async function draft(changes: Partial<InvoiceDraft> = {}): Promise<InvoiceDraft> {
  const settings = unwrap(await gateway.readCompanySettings(connectionId));
  const number = `N-${++keys}`;
  return {
    customerExternalId: await createCustomer(`Customer ${number}`),
    serviceItemId: settings.serviceItemId ?? '',
    currency: USD,
    sendCurrency: settings.multiCurrency,
    reference: 'PO-7K2M9Q',
    buyerReference: '4500012345',
    marker: 'op_01',
    documentNumber: number,
    invoiceDate: '2026-11-21',
    dueDate: '2026-12-21',
    email: 'ap@acme.example',
    billingAddress: 'Acme\n1 Main St',
    lines: [
      { description: 'Booth “A”', quantity: 3, unitPrice: minorUnits(33_333n), amount: minorUnits(99_999n) },
      { description: "Sponsor's dinner", quantity: 1, unitPrice: minorUnits(50n), amount: minorUnits(50n) },
    ],
    ...changes,
  };
}

describe('the adapter against the simulator', () => {
  test('proves credentials and notices the simulator', async () => {
    const pair = await control<Pair>('/tokens', { realmId: REALM });
    const given = { environment: 'SANDBOX', realmId: REALM, ...pair, accessTokenExpiresAt: undefined } as const;
    expect(unwrap(await gateway.proveCredentials(given, undefined))).toMatchObject({
      companyName: 'Conference Demo Co',
      simulated: true,
      tokens: { accessToken: pair.accessToken, refreshToken: pair.refreshToken },
    });
    const dead = await gateway.proveCredentials(
      { ...given, accessToken: 'eyJnonsense', refreshToken: 'RT1-nonsense' },
      undefined,
    );
    expect(dead).toMatchObject({ ok: false, failure: { kind: 'reconnect_required' } });
    const elsewhere = await gateway.proveCredentials({ ...given, realmId: '9341450000000002' }, undefined);
    expect(elsewhere).toMatchObject({ failure: { kind: 'reconnect_required', trace: { statusCode: 403 } } });
  });

  test('reads the settings of the company', async () => {
    expect(unwrap(await gateway.readCompanySettings(connectionId))).toEqual({
      homeCurrency: 'USD',
      multiCurrency: true,
      customDocumentNumbers: true,
      serviceItemId: '1',
    });
  });

  test.each(["Amy's Bird Sanctuary & Co", 'Back\\slash \\', '50% off + more', "O'Neil\\'s", 'Łódź 💶 “quoted”'])(
    'creates a customer and finds it again: %s',
    async (name) => {
      const externalId = await createCustomer(name);
      expect(unwrap(await gateway.findCustomersByName(connectionId, ['nobody', name]))).toEqual([
        { externalId, displayName: name, active: true, currency: 'USD' },
      ]);
    },
  );

  test('learns that a name is taken', async () => {
    const displayName = 'Taken Twice';
    await createCustomer(displayName);
    const body = JSON.stringify({ DisplayName: displayName });
    expect(await gateway.createCustomer(connectionId, body, nextKey())).toMatchObject({
      failure: { kind: 'rejected', reason: 'duplicate_name', code: '6240' },
    });
  });

  test('creates an invoice with every line, to the cent, and reads it back', async () => {
    const body = gateway.prepareInvoice(await draft());
    const created = unwrap(await gateway.createInvoice(connectionId, body, nextKey()));
    expect(created).toMatchObject({ currency: 'USD', total: 100_049n, balance: 100_049n, emailStatus: 'NOT_SENT' });
    expect(gateway.linesMatch(body, created)).toBe(true);
    const read = unwrap(await gateway.readInvoice(connectionId, created.externalId));
    expect({ ...read, payUrl: undefined }).toEqual({ ...created, payUrl: undefined });
  });

  test('a repeated request makes no second invoice', async () => {
    const body = gateway.prepareInvoice(await draft());
    const key = nextKey();
    await arm({ match: { method: 'POST', path: '/invoice' }, kind: 'reset', when: 'after' });
    expect(await gateway.createInvoice(connectionId, body, key)).toMatchObject({ failure: { kind: 'unknown' } });
    const again = unwrap(await gateway.createInvoice(connectionId, body, key));
    expect(gateway.linesMatch(body, again)).toBe(true);
    const calls = (await loggedCalls('write')).filter(({ requestid }) => requestid === key);
    expect(calls.map(({ fault, replayed }) => [fault, replayed])).toEqual([
      ['reset', false],
      [null, true],
    ]);
  });

  test('learns which invoice has a document number', async () => {
    const first = await draft();
    const { externalId } = unwrap(await gateway.createInvoice(connectionId, gateway.prepareInvoice(first), nextKey()));
    const second = gateway.prepareInvoice({ ...first, reference: 'PO-OTHER1' });
    expect(await gateway.createInvoice(connectionId, second, nextKey())).toMatchObject({
      failure: { kind: 'rejected', reason: 'duplicate_number', conflictingId: externalId },
    });
  });

  test('has an invoice e-mailed', async () => {
    const body = gateway.prepareInvoice(await draft());
    const { externalId } = unwrap(await gateway.createInvoice(connectionId, body, nextKey()));
    const sent = unwrap(await gateway.sendInvoice(connectionId, externalId, 'ap+conf@acme.example', nextKey()));
    expect(sent.emailStatus).toBe('SENT');
    expect(sent.deliveredAt).toBeInstanceOf(Date);
  });

  test('follows a payment and a voided invoice', async () => {
    const body = gateway.prepareInvoice(await draft());
    const { externalId } = unwrap(await gateway.createInvoice(connectionId, body, nextKey()));
    const paid = await control<{ Payment: { Id: string } }>('/pay', {
      realmId: REALM,
      invoiceId: externalId,
      amount: '400.49',
      paidOn: '2026-11-22',
    });
    const read = unwrap(await gateway.readInvoice(connectionId, externalId));
    expect(read).toMatchObject({ balance: 60_000n, paymentIds: [paid.Payment.Id], voided: false });
    expect(unwrap(await gateway.readPayments(connectionId, [...read.paymentIds, '999999'])).objects).toMatchObject([
      {
        externalId: paid.Payment.Id,
        currency: 'USD',
        total: 40_049n,
        paidOn: '2026-11-22',
        applications: [{ kind: 'invoice', externalId, amount: 40_049n }],
      },
    ]);
    await control('/void-invoice', { realmId: REALM, invoiceId: externalId });
    expect(unwrap(await gateway.readInvoice(connectionId, externalId))).toMatchObject({ voided: true, total: 0n });
    await control('/delete-invoice', { realmId: REALM, invoiceId: externalId });
    expect(await gateway.readInvoice(connectionId, externalId)).toMatchObject({
      failure: { kind: 'rejected', reason: 'not_found' },
    });
  });

  test.each<[string, object, string]>([
    ['throttling in XML', { kind: 'xml429' }, 'unavailable'],
    ['throttling', { kind: '429' }, 'unavailable'],
    ['HTML from the edge', { kind: 'html502' }, 'unknown'],
    ['a lost connection', { kind: 'reset' }, 'unknown'],
    ['a cut-off answer', { kind: 'truncate', when: 'after' }, 'unknown'],
    ['an empty answer', { kind: 'empty', when: 'after' }, 'unknown'],
    ['a broken answer', { kind: 'garbage', when: 'after' }, 'unknown'],
    ['no answer in time', { kind: 'timeout', ms: 5000 }, 'unknown'],
  ])('%s while creating is classified', async (_what, rule, kind) => {
    const body = gateway.prepareInvoice(await draft());
    await arm({ match: { method: 'POST', path: '/invoice' }, ...rule });
    expect(await gateway.createInvoice(connectionId, body, nextKey())).toMatchObject({ ok: false, failure: { kind } });
  });

  test('an expired access token is refreshed once for 20 callers, and every call succeeds', async () => {
    const { tokenVersion } = await readConnection(orm, connectionId);
    await fetch(`${simulator.controlUrl}/requests`, { method: 'DELETE' });
    await control('/expire-tokens', { realmId: REALM });
    const reads = Array.from({ length: 20 }, () => gateway.findCustomersByName(connectionId, ['Acme']));
    const results = await Promise.all(reads);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect((await readConnection(orm, connectionId)).tokenVersion).toBe(tokenVersion + 1);
    expect(await loggedCalls('token')).toHaveLength(1);
  });

  test('a revoked company must be reconnected, and is then left alone', async () => {
    await control('/revoke', { realmId: REALM });
    const failure = { kind: 'reconnect_required' };
    expect(await gateway.findCustomersByName(connectionId, ['Acme'])).toMatchObject({ ok: false, failure });
    expect((await readConnection(orm, connectionId)).status).toBe('RECONNECT_REQUIRED');
    await fetch(`${simulator.controlUrl}/requests`, { method: 'DELETE' });
    expect(await gateway.findCustomersByName(connectionId, ['Acme'])).toMatchObject({ ok: false, failure });
    expect(await control('/requests')).toEqual({ requests: [] });
  });
});
