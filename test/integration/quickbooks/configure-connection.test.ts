import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/application/outcome.js';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import type { QboContext } from '../../../src/application/quickbooks/qbo-context.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import type { Data } from '../../support/graphql-client.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeEach(async () => {
  bench = await startWorkbench();
});

afterEach(() => bench.stop());

/** A person consents: with `replace` that ends the tokens of every earlier consent. */
async function consent({ replace = false } = {}): Promise<Data> {
  const { accessToken, refreshToken } = await bench.quickbooks.post('/tokens', { realmId: bench.realmId, replace });
  return { accessToken, refreshToken };
}

function configure(context: QboContext, tokens: Data): Promise<Outcome<{ readonly code: string }>> {
  const { conferenceId, realmId } = bench;
  const { accessToken, refreshToken } = tokens;
  return configureQboConnection(context, { conferenceId, environment: 'SANDBOX', realmId, accessToken, refreshToken });
}

async function connection(): Promise<Data> {
  const [row] = await bench.sql('select * from qbo_connection');
  return row;
}

async function storedTokens(): Promise<Data> {
  const { access_token, refresh_token } = await connection();
  const { secrets } = bench.context;
  return { accessToken: await secrets.open(access_token), refreshToken: await secrets.open(refresh_token) };
}

/** As if an hour had passed: no access token works any more. */
async function expire(): Promise<void> {
  await bench.quickbooks.post('/expire-tokens', { realmId: bench.realmId });
}

/** Something happens between the proof and the storing. */
function interrupted(work: () => Promise<unknown>): QboContext {
  const { accounting } = bench.context;
  const proveCredentials: AccountingGateway['proveCredentials'] = async (...credentials) => {
    const proven = await accounting.proveCredentials(...credentials);
    await work();
    return proven;
  };
  return bench.with({ proveCredentials });
}

async function tokenCalls(): Promise<Data[]> {
  return (await bench.quickbooks.requests()).filter(({ kind }: Data) => kind === 'token');
}

describe('pasted tokens that must be refreshed to be proven', () => {
  test('are stored when they are of a new consent', async () => {
    const pasted = await consent({ replace: true });
    await expire();
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect((await storedTokens()).refreshToken).toBe(pasted.refreshToken);
    expect(await connection()).toMatchObject({ status: 'CONNECTED', token_version: 2, refresh_lease_until: null });
    expect(await tokenCalls()).toHaveLength(1);
  });

  test('are refreshed once with those that the connection refreshes at the same time, and Intuit punishes nobody', async () => {
    const { id } = await bench.invoicedOrder();
    const pasted = await storedTokens();
    await expire();
    await bench.quickbooks.post('/oauth', { rotateEveryRefresh: true, punishConcurrentRefresh: true });
    await bench.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/oauth2/' } });
    await bench.quickbooks.delete('/requests');
    const [configured, synced] = await Promise.all([
      configure(bench.process(), pasted),
      syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id }),
    ]);
    expect(configured).toMatchObject({ id: bench.conferenceId });
    expect(synced).toMatchObject({ id });
    expect(await tokenCalls()).toHaveLength(1);
    expect(await connection()).toMatchObject({ status: 'CONNECTED', token_version: 2 });
  });

  test('do not overwrite newer ones that were stored after the lease of the slow caller ended', async () => {
    const older = await consent({ replace: true });
    await expire();
    let newer: Data = {};
    const slow = interrupted(async () => {
      await bench.sql("update qbo_connection set refresh_lease_until = now() - interval '1 ms'");
      newer = await consent({ replace: true });
      await configure(bench.process(), newer);
    });
    expect(await configure(slow, older)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(newer);
    expect((await connection()).status).toBe('CONNECTED');
  });

  test('do not fence off a refresher that took over', async () => {
    const pasted = await consent();
    await expire();
    const slow = interrupted(async () => {
      await bench.sql("update qbo_connection set refresh_lease_until = now() + interval '1 h', refresh_fence = 9");
    });
    const before = await storedTokens();
    expect(await configure(slow, pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(before);
    expect(await connection()).toMatchObject({ refresh_fence: 9, refresh_lease_until: expect.any(String) });
  });

  test('are not lost with a process that dies then, when they are those of the connection', async () => {
    const { id } = await bench.invoicedOrder();
    const pasted = await storedTokens();
    await expire();
    await bench.quickbooks.post('/oauth', { rotateEveryRefresh: true, previousValidSeconds: 0 });
    await expect(
      configure(
        interrupted(async () => die()),
        pasted,
      ),
    ).rejects.toThrow(ProcessDied);
    expect((await storedTokens()).refreshToken).not.toBe(pasted.refreshToken);
    await expire();
    expect(await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id })).toMatchObject({ id });
  });

  test('heal a dead connection, also when they are its own', async () => {
    const pasted = await storedTokens();
    await expire();
    await bench.sql("update qbo_connection set status = 'RECONNECT_REQUIRED'");
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect((await connection()).status).toBe('CONNECTED');
    const { id } = await bench.invoicedOrder();
    expect(id).toEqual(expect.any(String));
  });

  test('and are refused because a simulator answered leave the lease to others', async () => {
    const pasted = await consent();
    await expire();
    const before = await storedTokens();
    const production = { ...bench.process(), allowsSimulators: false };
    expect(await configure(production, pasted)).toMatchObject({ id: null, failures: [{ code: 'INVALID' }] });
    expect(await storedTokens()).toEqual(before);
    expect(await connection()).toMatchObject({ token_version: 1, refresh_fence: 1 });
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await connection()).toMatchObject({ token_version: 2, refresh_fence: 3, refresh_lease_until: null });
  });
});

test('tokens that work do not overwrite newer ones that healed the connection meanwhile', async () => {
  const older = await consent({ replace: true });
  const newer = await consent();
  // The stored ones are dead, which the slow caller sees and the quick one mends.
  const { accounting } = bench.context;
  const slow = bench.with({
    tryTokens: async (id) => {
      const read = await accounting.tryTokens(id);
      await configure(bench.process(), newer);
      return read;
    },
  });
  expect(await configure(slow, older)).toMatchObject({ id: bench.conferenceId });
  expect(await storedTokens()).toEqual(newer);
});

describe('pasted tokens that work', () => {
  test('replace those of the connection that QuickBooks refuses, also new ones', async () => {
    await bench.stop();
    bench = await startWorkbench({ waits: { newTokenMs: 300_000 } });
    const pasted = await consent({ replace: true });
    await bench.sql('update qbo_connection set refreshed_at = now()');
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(pasted);
    expect(await connection()).toMatchObject({ status: 'CONNECTED', token_version: 2, refreshed_at: null });
    expect(await tokenCalls()).toEqual([]);
  });

  test('replace refused ones also while the company is given a rest because of them', async () => {
    await bench.stop();
    bench = await startWorkbench({ waits: { newTokenMs: 300_000, breakerOpenMs: 60_000 } });
    const { id: purchaseOrderId } = await bench.invoicedOrder();
    const pasted = await consent({ replace: true });
    await bench.sql('update qbo_connection set refreshed_at = now()');
    const sync = () => syncQboInvoiceStatus(bench.process(), { purchaseOrderId });
    for (let failures = 0; failures < 5; failures++) await sync();
    expect(await sync()).toMatchObject({ failures: [{ message: expect.stringContaining('is given a rest') }] });
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(pasted);
  });

  test('replace refused ones also while reads are paused', async () => {
    const pasted = await consent({ replace: true });
    await bench.sql("update qbo_connection set reads_pauses = 4, reads_paused_until = now() + interval '1 hour'");
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(pasted);
  });

  test('replace refused ones also when these were refreshed for the trial', async () => {
    await expire();
    const pasted = await consent();
    const refusing = interrupted(() =>
      bench.quickbooks.post('/faults', { kind: '401', times: 2, match: { method: 'GET' } }),
    );
    expect(await configure(refusing, pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await tokenCalls()).toHaveLength(1);
    expect(await storedTokens()).toEqual(pasted);
  });

  test('change nothing, and do not pass for stored, when nobody can tell whether the stored ones work', async () => {
    const pasted = await consent({ replace: true });
    const before = await connection();
    const failing = interrupted(() =>
      bench.quickbooks.post('/faults', { kind: 'html502', times: 1000, match: { method: 'GET' } }),
    );
    expect(await configure(failing, pasted)).toMatchObject({
      id: null,
      failures: [{ code: 'QBO_UNAVAILABLE', message: expect.stringContaining('nothing was stored') }],
    });
    expect(await connection()).toEqual(before);
    await bench.quickbooks.delete('/faults');
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(pasted);
  });

  test.each([
    ['which has time left', '1 h'],
    ['which has run out', '-1 h'],
  ])('replace an access token, %s, that nobody can open because the encryption key is lost', async (_what, rest) => {
    const { id } = await bench.invoicedOrder();
    const pasted = await consent();
    await bench.sql(
      `update qbo_connection set access_token = 'lost', refresh_token = 'lost', previous_refresh_token = 'lost',
                                 access_token_expires_at = now() + ?::interval`,
      [rest],
    );
    expect(await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id })).toMatchObject({
      id: null,
      failures: [{ code: 'RECONNECT_REQUIRED', message: expect.stringContaining('encryption key') }],
    });
    expect(await configure(bench.process(), pasted)).toMatchObject({ id: bench.conferenceId });
    expect(await storedTokens()).toEqual(pasted);
    expect(await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id })).toMatchObject({ id });
    expect(await tokenCalls()).toEqual([]);
  });
});
