import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clientWith } from '../../support/api-keys.js';
import type { Data } from '../../support/graphql-client.js';
import { startProductionOn } from '../../support/production-app.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  CONNECTION,
  configure,
  countCalls,
  createConference,
  createInvoicedOrder,
  freshTokens,
  holdWebhooks,
  invoiceOrder,
  SECOND_COMPANY,
  syncInvoice,
} from './steps.js';

let app: TestApp;
let realmId: string;

beforeAll(async () => {
  app = await startTestApp();
  ({ realmId } = app.quickbooks);
  await holdWebhooks(app);
});

afterEach(async () => {
  await app.quickbooks.delete('/faults');
  await app.quickbooks.post('/oauth', { rotateEveryRefresh: false, punishConcurrentRefresh: false });
});

afterAll(() => app.stop());

async function connectionRows(): Promise<Data[]> {
  return app.sql('select * from qbo_connection order by id');
}

async function connectionOf(company: string): Promise<Data> {
  return (await app.sql<Data>('select * from qbo_connection where realm_id = $1', [company]))[0];
}

async function conferenceConnection(id: string): Promise<Data> {
  const document = `query ($id: ID!) { conference(id: $id) { qboConnection { ${CONNECTION} } } }`;
  return (await app.graphql.query(document, { id })).conference.qboConnection;
}

/** Configures, which must be refused without a change to any row. Only that a refresh was tried, and when, is noted. */
async function refused(conferenceId: string, input: Record<string, unknown>): Promise<Data> {
  const rows = async () => ({
    connections: (await connectionRows()).map((row) => ({ ...row, refresh_fence: 0, refresh_lease_until: null })),
    audits: await app.sql('select id from audit_event'),
  });
  const before = await rows();
  const { conference, userErrors } = await configure(app, conferenceId, input);
  expect(conference).toBeNull();
  expect(await rows()).toEqual(before);
  expect(userErrors).toHaveLength(1);
  return userErrors[0];
}

describe('W-Q30: connecting a conference', () => {
  test('proves the tokens with one reading of the company and then stores the connection', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    expect(await conferenceConnection(conferenceId)).toBeNull();
    expect(await connectionOf(SECOND_COMPANY)).toBeUndefined();
    const tokens = await freshTokens(app, SECOND_COMPANY);
    const {
      result,
      reads,
      writes,
      tokens: refreshes,
    } = await countCalls(app, () => configure(app, conferenceId, tokens));
    expect(result.userErrors).toEqual([]);
    expect(result.conference.qboConnection).toMatchObject({
      realmId: SECOND_COMPANY,
      environment: 'SANDBOX',
      companyName: 'Second Company',
      status: 'CONNECTED',
      serviceItemId: null,
    });
    expect(reads.map(({ path }) => path)).toEqual([`/v3/company/${SECOND_COMPANY}/companyinfo/${SECOND_COMPANY}`]);
    expect([...writes, ...refreshes]).toEqual([]);
    expect(await conferenceConnection(conferenceId)).toEqual(result.conference.qboConnection);
  });

  test('W-Q21: sandbox and production are connections of their own, also for one realm id', async () => {
    const sandbox = await createInvoicedOrder(app, { conferenceId: await createConference(app, { realmId }) });
    const conferenceId = await createConference(app, { realmId: null });
    const input = { ...(await freshTokens(app, realmId)), environment: 'PRODUCTION' };
    const { conference } = await configure(app, conferenceId, input);
    expect(conference.qboConnection).toMatchObject({ realmId, environment: 'PRODUCTION' });
    const production = await createInvoicedOrder(app, { conferenceId });
    expect(new URL(sandbox.qboInvoiceUrl).host).toBe('sandbox.qbo.intuit.com');
    expect(new URL(production.qboInvoiceUrl).host).toBe('qbo.intuit.com');
    const rows = await app.sql('select environment from qbo_connection where realm_id = $1 order by 1', [realmId]);
    expect(rows).toEqual([{ environment: 'PRODUCTION' }, { environment: 'SANDBOX' }]);
    // With a live invoice the conference cannot change from one to the other.
    const error = await refused(conferenceId, await freshTokens(app, realmId));
    expect(error).toMatchObject({ code: 'REALM_MISMATCH' });
  });

  test('secrets are encrypted at rest and in no answer, error or audit entry', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const tokens = await freshTokens(app, SECOND_COMPANY);
    const answer = await configure(app, conferenceId, tokens);
    const secrets = [tokens.accessToken, tokens.refreshToken, tokens.clientSecret];
    const everything = await app.sql<Data>(
      `select row_to_json(qbo_connection)::text as text from qbo_connection
       union all select row_to_json(audit_event)::text from audit_event
       union all select row_to_json(conference)::text from conference`,
    );
    const texts = [JSON.stringify(answer), ...everything.map(({ text }) => text)];
    for (const secret of secrets) for (const text of texts) expect(text).not.toContain(secret);
    const { access_token, refresh_token, client_secret } = await connectionOf(SECOND_COMPANY);
    for (const sealed of [access_token, refresh_token, client_secret]) {
      expect(sealed).toMatch(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/);
    }
  });

  test('no field of the schema can be asked for a secret', async () => {
    const schema = await app.graphql.query('{ __type(name: "QboConnection") { fields { name } } }');
    expect(schema.__type.fields.map(({ name }: Data) => name).toSorted()).toEqual(
      [...CONNECTION.split(/\s+/), 'lastSweptAt', 'nextSweepAt', 'usage'].toSorted(),
    );
  });
});

describe('credentials that prove nothing are not stored', () => {
  const anywhere = { realmId: SECOND_COMPANY, accessToken: 'a'.repeat(40), refreshToken: 'r'.repeat(40) };
  const app1 = { clientId: 'simulator-client-id', clientSecret: 'simulator-client-secret' };

  test('tokens that QuickBooks does not know are INVALID', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const error = await refused(conferenceId, { ...anywhere, ...app1 });
    expect(error).toMatchObject({ code: 'INVALID', path: ['accessToken'] });
    expect(error.message).not.toMatch(/a{40}|r{40}/);
  });

  test('an expired access token with a dead refresh token is INVALID', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const tokens = await freshTokens(app, SECOND_COMPANY);
    const error = await refused(conferenceId, { ...tokens, accessToken: 'a'.repeat(40), refreshToken: 'r'.repeat(40) });
    expect(error.code).toBe('INVALID');
  });

  test('a wrong client secret with an expired access token is INVALID', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const tokens = await freshTokens(app, SECOND_COMPANY);
    const error = await refused(conferenceId, { ...tokens, accessToken: 'a'.repeat(40), clientSecret: 'wrong' });
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringContaining('client id') });
  });

  test('tokens of another company are REALM_MISMATCH', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const { realmId: _other, ...tokens } = await freshTokens(app, realmId);
    const error = await refused(conferenceId, { ...tokens, realmId: SECOND_COMPANY });
    expect(error).toMatchObject({ code: 'REALM_MISMATCH', path: ['realmId'] });
  });

  test('a conference with a live invoice in one company cannot move to another: REALM_MISMATCH', async () => {
    const conferenceId = await createConference(app, { realmId });
    const order = await createInvoicedOrder(app, { conferenceId });
    const error = await refused(conferenceId, await freshTokens(app, SECOND_COMPANY));
    expect(error).toMatchObject({ code: 'REALM_MISMATCH', path: ['realmId'] });
    expect((await conferenceConnection(conferenceId)).realmId).toBe(realmId);
    await app.quickbooks.post('/void-invoice', { realmId, invoiceId: order.qboInvoiceId });
    await syncInvoice(app, order.id);
    expect((await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY))).userErrors).toEqual([]);
    expect((await conferenceConnection(conferenceId)).realmId).toBe(SECOND_COMPANY);
  });

  test.each([
    ['no client pair anywhere', { ...anywhere }, ['clientId']],
    ['half a client pair', { ...anywhere, clientId: 'only-the-id' }, ['clientSecret']],
    ['a realm id that is no number', { ...anywhere, ...app1, realmId: '../../v3' }, ['realmId']],
    ['a blank access token', { ...anywhere, ...app1, accessToken: '   ' }, ['accessToken']],
    ['an endless refresh token', { ...anywhere, ...app1, refreshToken: 'x'.repeat(5000) }, ['refreshToken']],
    ['an item id that is no number', { ...anywhere, ...app1, serviceItemId: 'Services' }, ['serviceItemId']],
  ])('%s is INVALID before QuickBooks is asked', async (_what, input, path) => {
    const conferenceId = await createConference(app, { realmId: null });
    const { result, reads, tokens } = await countCalls(app, () => refused(conferenceId, input));
    expect(result).toMatchObject({ code: 'INVALID', path });
    expect([...reads, ...tokens]).toEqual([]);
  });

  test('a conference that does not exist is NOT_FOUND', async () => {
    expect(await refused('conf_nothing', { ...anywhere, ...app1 })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each([
    ['throttles', { kind: '429', match: { path: '/companyinfo/' } }],
    ['is down', { kind: 'html502', match: { path: '/companyinfo/' } }],
    ['cuts the connection', { kind: 'reset', match: { path: '/companyinfo/' } }],
  ])('when QuickBooks %s it is QBO_UNAVAILABLE', async (_what, fault) => {
    const conferenceId = await createConference(app, { realmId: null });
    const tokens = await freshTokens(app, SECOND_COMPANY);
    await app.quickbooks.post('/faults', fault);
    expect(await refused(conferenceId, tokens)).toMatchObject({ code: 'QBO_UNAVAILABLE' });
    expect((await configure(app, conferenceId, tokens)).userErrors).toEqual([]);
  });
});

describe('W-Q29: one company is one connection', () => {
  test('conferences of one company share the row, and refreshing for one does not break the other', async () => {
    await app.quickbooks.post('/oauth', { rotateEveryRefresh: true, previousValidSeconds: 0 });
    const [first, second] = [await createConference(app), await createConference(app)];
    expect(await app.sql('select 1 from qbo_connection where realm_id = $1', [SECOND_COMPANY])).toHaveLength(1);
    for (const conferenceId of [first, second, first, second]) {
      await app.quickbooks.post('/expire-tokens', { realmId: SECOND_COMPANY });
      const order = await createOrder(app, { conferenceId });
      const { result, tokens } = await countCalls(app, () => invoiceOrder(app, order.id));
      expect(result.userErrors).toEqual([]);
      expect(tokens).toHaveLength(1);
    }
    expect(await conferenceConnection(first)).toEqual(await conferenceConnection(second));
    expect((await conferenceConnection(first)).status).toBe('CONNECTED');
    await app.quickbooks.post('/oauth', { rotateEveryRefresh: false, previousValidSeconds: 86_400 });
  });

  test('a healthy connection keeps its own tokens when others are pasted, and takes the client secret', async () => {
    await createConference(app);
    const before = await connectionOf(SECOND_COMPANY);
    const conferenceId = await createConference(app, { realmId: null });
    expect((await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY))).userErrors).toEqual([]);
    const after = await connectionOf(SECOND_COMPANY);
    expect(after).toMatchObject({
      id: before.id,
      access_token: before.access_token,
      refresh_token: before.refresh_token,
      token_version: before.token_version,
    });
    // Sealed anew: a secret that was replaced at Intuit counts from the next refresh.
    expect(after.client_secret).not.toBe(before.client_secret);
  });

  test('tokens that were refreshed to prove them are kept, because the stored chain may have ended with that', async () => {
    await app.quickbooks.post('/tokens', { realmId: SECOND_COMPANY, replace: true });
    await app.sql("update qbo_connection set status = 'RECONNECT_REQUIRED' where realm_id = $1", [SECOND_COMPANY]);
    const conferenceId = await createConference(app, { realmId: null });
    const pasted = await freshTokens(app, SECOND_COMPANY);
    await configure(app, conferenceId, pasted);
    // The same pair is pasted for the next edition, an hour later: its access token has run out.
    await app.quickbooks.post('/oauth', {
      rotateEveryRefresh: true,
      punishConcurrentRefresh: true,
      concurrentWindowMs: 0,
    });
    await app.quickbooks.post('/expire-tokens', { realmId: SECOND_COMPANY });
    const next = await createConference(app, { realmId: null });
    expect((await configure(app, next, pasted)).userErrors).toEqual([]);
    const order = await createOrder(app, { conferenceId });
    await app.quickbooks.post('/expire-tokens', { realmId: SECOND_COMPANY });
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
    expect((await conferenceConnection(conferenceId)).status).toBe('CONNECTED');
  });

  test('a person who consented anew in QuickBooks ended the stored tokens: the pasted ones replace them', async () => {
    const conferenceId = await createConference(app);
    const pasted = await freshTokens(app, SECOND_COMPANY, true);
    expect((await conferenceConnection(conferenceId)).status).toBe('CONNECTED');
    expect((await configure(app, conferenceId, pasted)).userErrors).toEqual([]);
    const order = await createOrder(app, { conferenceId });
    const { result, tokens } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result.userErrors).toEqual([]);
    expect(tokens).toEqual([]);
  });

  test('a client secret that was mistyped is noticed at the first refresh and replaced by configuring again', async () => {
    const conferenceId = await createConference(app);
    const pasted = await freshTokens(app, SECOND_COMPANY, true);
    await configure(app, conferenceId, { ...pasted, clientSecret: 'mistyped' });
    const order = await createOrder(app, { conferenceId });
    await app.quickbooks.post('/expire-tokens', { realmId: SECOND_COMPANY });
    expect((await invoiceOrder(app, order.id)).userErrors).toMatchObject([{ code: 'RECONNECT_REQUIRED' }]);
    expect((await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY))).userErrors).toEqual([]);
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
  });

  test('when QuickBooks cannot say how the stored tokens are, they stay', async () => {
    const conferenceId = await createConference(app);
    const before = await connectionOf(SECOND_COMPANY);
    await app.quickbooks.post('/faults', { kind: 'html502', times: 3, match: { path: '/preferences' } });
    expect((await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY))).userErrors).toEqual([]);
    expect(await connectionOf(SECOND_COMPANY)).toMatchObject({
      access_token: before.access_token,
      token_version: before.token_version,
    });
  });

  test('a serviceItemId that is given later counts, and one that is left out stays', async () => {
    const conferenceId = await createConference(app);
    try {
      await configure(app, conferenceId, { ...(await freshTokens(app, SECOND_COMPANY)), serviceItemId: '1' });
      expect((await conferenceConnection(conferenceId)).serviceItemId).toBe('1');
      await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY));
      expect((await conferenceConnection(conferenceId)).serviceItemId).toBe('1');
    } finally {
      await app.sql('update qbo_connection set service_item_id = null where realm_id = $1', [SECOND_COMPANY]);
    }
  });
});

describe('a company that conferences of other organisers use, too', () => {
  let conferenceId: string;
  let organiser: TestApp;

  beforeAll(async () => {
    await configure(app, await createConference(app), await freshTokens(app, SECOND_COMPANY));
    conferenceId = await createConference(app, { realmId: null });
    organiser = { ...app, graphql: await clientWith(app, { roles: [{ conferenceId, role: 'ORGANISER' }] }) };
  });

  test('can be joined with tokens that open it', async () => {
    const { conference, userErrors } = await configure(organiser, conferenceId, await freshTokens(app, SECOND_COMPANY));
    expect(userErrors).toEqual([]);
    expect(conference.qboConnection).toMatchObject({ realmId: SECOND_COMPANY, status: 'CONNECTED' });
  });

  test('keeps its item, its app and its tokens while they work', async () => {
    const before = await connectionOf(SECOND_COMPANY);
    const tokens = await freshTokens(app, SECOND_COMPANY);
    const mistyped = { ...tokens, refreshToken: 'mistyped', clientSecret: 'mistyped', serviceItemId: '77' };
    const { conference, userErrors } = await configure(organiser, conferenceId, mistyped);
    expect(conference.qboConnection).toMatchObject({ realmId: SECOND_COMPANY, serviceItemId: null });
    expect(userErrors).toMatchObject([{ code: 'SHARED_COMPANY', path: ['serviceItemId'] }]);
    const after = await connectionOf(SECOND_COMPANY);
    for (const column of ['service_item_id', 'client_id', 'client_secret', 'access_token', 'refresh_token']) {
      expect(after[column]).toBe(before[column]);
    }
  });

  test('can be mended by any of them when its authorisation has ended', async () => {
    const tokens = await freshTokens(app, SECOND_COMPANY, true);
    await app.sql("update qbo_connection set status = 'RECONNECT_REQUIRED' where realm_id = $1", [SECOND_COMPANY]);
    expect((await configure(organiser, conferenceId, tokens)).userErrors).toEqual([]);
    expect(await connectionOf(SECOND_COMPANY)).toMatchObject({ status: 'CONNECTED' });
  });

  test('gets another item from who organises all of them', async () => {
    try {
      const tokens = { ...(await freshTokens(app, SECOND_COMPANY)), serviceItemId: '1' };
      expect((await configure(app, conferenceId, tokens)).userErrors).toEqual([]);
      expect((await conferenceConnection(conferenceId)).serviceItemId).toBe('1');
    } finally {
      await app.sql('update qbo_connection set service_item_id = null where realm_id = $1', [SECOND_COMPANY]);
    }
  });
});

describe('W-Q28: when the authorisation ends', () => {
  test('nothing reaches QuickBooks any more until new tokens are configured, which heal the connection', async () => {
    const conferenceId = await createConference(app);
    const order = await createOrder(app, { conferenceId });
    const before = await connectionOf(SECOND_COMPANY);
    await app.quickbooks.post('/revoke', { realmId: SECOND_COMPANY });

    const first = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(first.result).toMatchObject({
      purchaseOrder: null,
      userErrors: [{ code: 'RECONNECT_REQUIRED', message: expect.stringContaining('configureQboConnection') }],
    });
    expect(first.tokens).toHaveLength(1);
    expect((await conferenceConnection(conferenceId)).status).toBe('RECONNECT_REQUIRED');
    expect(await connectionOf(SECOND_COMPANY)).toMatchObject({
      access_token: before.access_token,
      refresh_token: before.refresh_token,
      token_version: before.token_version,
    });

    const later = await countCalls(app, async () => [
      await invoiceOrder(app, order.id),
      await invoiceOrder(app, (await createOrder(app, { conferenceId })).id),
    ]);
    for (const { userErrors } of later.result) expect(userErrors).toMatchObject([{ code: 'RECONNECT_REQUIRED' }]);
    expect([...later.reads, ...later.writes, ...later.tokens]).toEqual([]);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'DRAFT', qboInvoice: null });
    const metrics = await (await fetch(`${app.app.url}/metrics`)).text();
    expect(metrics).toMatch(/qbo_connections\{status="RECONNECT_REQUIRED"\} 1\n/);

    expect((await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY))).userErrors).toEqual([]);
    expect(await conferenceConnection(conferenceId)).toMatchObject({ realmId: SECOND_COMPANY, status: 'CONNECTED' });
    const after = await connectionOf(SECOND_COMPANY);
    expect(after.id).toBe(before.id);
    expect(after.token_version).toBeGreaterThan(before.token_version);
    expect((await invoiceOrder(app, order.id)).userErrors).toEqual([]);
  });

  test('a company whose connection ended does not disturb another one', async () => {
    const conferenceId = await createConference(app);
    await app.quickbooks.post('/revoke', { realmId: SECOND_COMPANY });
    const dead = await createOrder(app, { conferenceId });
    expect((await invoiceOrder(app, dead.id)).userErrors).toMatchObject([{ code: 'RECONNECT_REQUIRED' }]);
    expect((await invoiceOrder(app, (await createOrder(app)).id)).userErrors).toEqual([]);
    await configure(app, conferenceId, await freshTokens(app, SECOND_COMPANY));
  });
});

describe('in production', () => {
  test('a simulator that answers is refused, and nothing is stored', async () => {
    const conferenceId = await createConference(app, { realmId: null });
    const tokens = await freshTokens(app, SECOND_COMPANY);
    const before = await connectionRows();
    const production = await startProductionOn(app.databaseUrl, {
      QBO_API_BASE_URL: app.quickbooks.simulator.baseUrl,
      QBO_TOKEN_URL: app.quickbooks.simulator.tokenUrl,
      ROLE: 'api',
      BOOTSTRAP_API_KEY: 'test-bootstrap-key-0123456789',
    });
    try {
      const other = { ...app, graphql: production.graphql };
      expect(await configure(other, conferenceId, tokens)).toMatchObject({
        conference: null,
        userErrors: [{ code: 'INVALID', message: expect.stringContaining('simulator') }],
      });
      const order = await createOrder(app);
      expect(await invoiceOrder(other, order.id)).toMatchObject({
        purchaseOrder: null,
        userErrors: [{ code: 'QBO_NOT_CONFIGURED', message: expect.stringContaining('simulator') }],
      });
      expect(await connectionRows()).toEqual(before);
      const unsigned = await fetch(`${production.app.url}/webhooks/qbo`, { method: 'POST', body: '[]' });
      expect(unsigned.status).toBe(503);
    } finally {
      await production.stop();
    }
  });
});

test('an endpoint that answers with something else than a company is QBO_UNAVAILABLE, not a success', async () => {
  const conferenceId = await createConference(app, { realmId: null });
  const tokens = await freshTokens(app, SECOND_COMPANY);
  await app.quickbooks.post('/faults', { kind: 'garbage', match: { path: '/companyinfo/' } });
  expect(await refused(conferenceId, tokens)).toMatchObject({ code: 'QBO_UNAVAILABLE' });
});
