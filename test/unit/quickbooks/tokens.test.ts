import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { Deadline } from '../../../src/application/deadline.js';
import type { Waits } from '../../../src/application/waits.js';
import type { QboCallReport } from '../../../src/infrastructure/quickbooks/call-observer.js';
import { intuitEndpoints } from '../../../src/infrastructure/quickbooks/endpoints.js';
import type { StoredConnection } from '../../../src/infrastructure/quickbooks/token-store.js';
import { QboTokens, type QboTokensOptions } from '../../../src/infrastructure/quickbooks/tokens.js';
import { testWaits } from '../../support/test-waits.js';
import { interceptRequests } from './intercept.js';
import { MemoryTokenStore, markingBox, storedConnection } from './memory-token-store.js';
import { json, startStandIn } from './stand-in.js';

const HOST = 'https://oauth.platform.intuit.com';
const PATH = '/oauth2/v1/tokens/bearer';
const NOW = new Date('2026-11-21T12:00:00Z');

const answer = {
  access_token: 'access-2',
  refresh_token: 'refresh-2',
  token_type: 'bearer',
  expires_in: 3600,
  x_refresh_token_expires_in: 8726400,
  x_refresh_token_hard_expires_in: 157_000_000,
};

interceptRequests();

let store: MemoryTokenStore;
let posts: { body: unknown; authorization: unknown; wantsHardEnd?: unknown }[];

beforeEach(() => {
  store = new MemoryTokenStore();
  posts = [];
});

function endpointAnswers(status: number, body: unknown, { times = 1, delayMs = 0 } = {}): void {
  nock(HOST)
    .post(PATH)
    .times(times)
    .delay(delayMs)
    .reply(
      status,
      async (request: Request) => {
        posts.push({
          body: await request.text(),
          authorization: request.headers.get('authorization'),
          wantsHardEnd: request.headers.get('x-include-refresh-token-hard-expires-in'),
        });
        return body;
      },
      { intuit_tid: 'tid-9' },
    );
}

function tokens(options: Partial<QboTokensOptions> = {}, waits: Partial<Waits> = {}): QboTokens {
  return new QboTokens({
    store,
    secrets: markingBox,
    clock: { now: () => NOW },
    endpoints: ({ environment }) => intuitEndpoints(environment),
    defaultApp: { clientId: 'default-id', clientSecret: 'default-secret' },
    waits: { ...testWaits, tokenPollMs: 5, tokenMaxWaitMs: 1000, tokenTimeoutMs: 500, ...waits },
    ...options,
  });
}

function expiresIn(seconds: number): void {
  const accessTokenExpiresAt = new Date(NOW.getTime() + seconds * 1000);
  store.connection = { ...store.connection, accessTokenExpiresAt };
}

describe('a token that is needed', () => {
  test('is the stored one while it has more than five minutes to live', async () => {
    expiresIn(301);
    const result = await tokens().current('qbo_1');
    expect(result).toEqual({
      ok: true,
      value: { connection: store.connection, accessToken: 'access-1', tokenVersion: 1 },
    });
    expect(posts).toEqual([]);
  });

  test('is refreshed from five minutes before its end, and stored before it is handed out', async () => {
    expiresIn(300);
    endpointAnswers(200, answer);
    const result = await tokens().current('qbo_1');
    expect(result).toMatchObject({ ok: true, value: { accessToken: 'access-2', tokenVersion: 2 } });
    expect(posts).toEqual([
      {
        body: 'grant_type=refresh_token&refresh_token=refresh-1',
        authorization: `Basic ${Buffer.from('default-id:default-secret').toString('base64')}`,
        wantsHardEnd: 'true',
      },
    ]);
    expect(store.connection).toEqual({
      ...storedConnection,
      accessToken: 'sealed(access-2)',
      refreshToken: 'sealed(refresh-2)',
      previousRefreshToken: 'sealed(refresh-1)',
      accessTokenExpiresAt: new Date('2026-11-21T13:00:00Z'),
      isAccessTokenNew: true,
      tokenVersion: 2,
    });
    expect(store.refreshTokenExpiresAt).toEqual(new Date(NOW.getTime() + 8_726_400_000));
    expect(store.refreshTokenHardExpiresAt).toEqual(new Date(NOW.getTime() + 157_000_000_000));
    expect(store.leased).toBe(false);
  });

  test('is refreshed with the connection’s own Intuit app when it has one', async () => {
    store.connection = { ...store.connection, app: { clientId: 'own-id', clientSecret: 'sealed(own-secret)' } };
    expiresIn(0);
    endpointAnswers(200, answer);
    await tokens().current('qbo_1');
    expect(posts[0]?.authorization).toBe(`Basic ${Buffer.from('own-id:own-secret').toString('base64')}`);
  });

  test('of a connection that does not exist is a bug', async () => {
    await expect(tokens().current('qbo_2')).rejects.toThrow('There is no QuickBooks connection qbo_2.');
  });

  test('of a connection that must be reconnected leads to no request at all', async () => {
    store.connection = { ...store.connection, reconnectRequired: true };
    expect(await tokens().current('qbo_1')).toMatchObject({ ok: false, failure: { kind: 'reconnect_required' } });
    expect(await tokens().renew('qbo_1', 1)).toMatchObject({ ok: false, failure: { kind: 'reconnect_required' } });
    expect(posts).toEqual([]);
    expect(store.fence).toBe(0);
  });
});

describe('several callers at once', () => {
  test('50 concurrent callers with an expired token cause one token request', async () => {
    expiresIn(-1);
    endpointAnswers(200, answer, { times: 50, delayMs: 30 });
    const shared = tokens();
    const results = await Promise.all(Array.from({ length: 50 }, () => shared.current('qbo_1')));
    expect(new Set(results.map((result) => result.ok && result.value.accessToken))).toEqual(new Set(['access-2']));
    expect(posts).toHaveLength(1);
    expect(store.connection.tokenVersion).toBe(2);
  });

  test('other processes wait for the one that refreshes and use what it stored', async () => {
    expiresIn(-1);
    endpointAnswers(200, answer, { times: 5, delayMs: 30 });
    const results = await Promise.all(Array.from({ length: 5 }, () => tokens().current('qbo_1')));
    expect(results.every((result) => result.ok && result.value.accessToken === 'access-2')).toBe(true);
    expect(posts).toHaveLength(1);
  });

  test('when the one that refreshes never finishes, they give up in the end', async () => {
    expiresIn(-1);
    store.leased = true;
    const result = await tokens({}, { tokenMaxWaitMs: 30, tokenRetryMs: 2_000 }).current('qbo_1');
    const retryAt = new Date(NOW.getTime() + 2_000);
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unavailable', retryAt } });
    expect(posts).toEqual([]);
  });

  test('a token that was refused is not refreshed when a newer one is stored already', async () => {
    store.connection = { ...store.connection, tokenVersion: 7 };
    const result = await tokens().renew('qbo_1', 6);
    expect(result).toMatchObject({ ok: true, value: { accessToken: 'access-1', tokenVersion: 7 } });
    expect(posts).toEqual([]);
  });

  test('a refused token is refreshed although its time is not over', async () => {
    endpointAnswers(200, answer);
    expect(await tokens().renew('qbo_1', 1)).toMatchObject({ ok: true, value: { accessToken: 'access-2' } });
    expect(posts).toHaveLength(1);
  });

  test('a fenced-off slow refresher discards what it received and uses what the other stored', async () => {
    expiresIn(-1);
    nock(HOST)
      .post(PATH)
      .reply(() => {
        posts.push({ body: '', authorization: '' });
        store.fence++;
        store.connection = { ...store.connection, accessToken: 'sealed(from-the-other)', tokenVersion: 2 };
        return [200, answer];
      });
    const result = await tokens().current('qbo_1');
    expect(result).toMatchObject({ ok: true, value: { accessToken: 'from-the-other', tokenVersion: 2 } });
    expect(store.connection).toMatchObject({
      accessToken: 'sealed(from-the-other)',
      refreshToken: 'sealed(refresh-1)',
    });
    expect(posts).toHaveLength(1);
  });
});

describe('a refresh whose answer is lost', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['with the connection', (response) => response.socket?.resetAndDestroy()],
    ['behind a gateway', (response) => json(response, 502, {})],
    ['and something else came', (response) => json(response, 200, 'hello')],
  ])('%s is repeated under the same lease with the same token, and what comes then is stored', async (_how, lose) => {
    let requests = 0;
    const standIn = await startStandIn((_request, response) => {
      requests++;
      if (requests === 1) lose(response);
      else json(response, 200, answer);
    });
    expiresIn(-1);
    const endpoints = () => ({ ...intuitEndpoints('SANDBOX'), tokenUrl: `${standIn.url}/tokens` });
    const result = await tokens({ endpoints }).current('qbo_1');
    expect(result).toMatchObject({ ok: true, value: { accessToken: 'access-2', tokenVersion: 2 } });
    expect(standIn.requests.map(({ body }) => body)).toEqual(
      Array(2).fill('grant_type=refresh_token&refresh_token=refresh-1'),
    );
    expect(store.fence).toBe(1);
    await standIn.close();
  });
});

describe('when Intuit does not know the stored refresh token', () => {
  const refreshTokensSent = () => posts.map(({ body }) => new URLSearchParams(String(body)).get('refresh_token'));

  beforeEach(() => {
    expiresIn(-1);
    store.connection = { ...store.connection, previousRefreshToken: 'sealed(refresh-0)' };
  });

  test('the one before it is tried once, and what it brings is stored', async () => {
    endpointAnswers(400, { error: 'invalid_grant' });
    endpointAnswers(200, answer);
    expect(await tokens().current('qbo_1')).toMatchObject({ ok: true, value: { accessToken: 'access-2' } });
    expect(refreshTokensSent()).toEqual(['refresh-1', 'refresh-0']);
    expect(store.connection).toMatchObject({
      refreshToken: 'sealed(refresh-2)',
      previousRefreshToken: 'sealed(refresh-0)',
      reconnectRequired: false,
    });
  });

  test('and the one before it neither, a person must reconnect', async () => {
    endpointAnswers(400, { error: 'invalid_grant' }, { times: 2 });
    expect(await tokens().current('qbo_1')).toMatchObject({ ok: false, failure: { kind: 'reconnect_required' } });
    expect(refreshTokensSent()).toEqual(['refresh-1', 'refresh-0']);
    expect(store.connection.reconnectRequired).toBe(true);
  });

  test('and the one before it cannot be opened, a person must reconnect', async () => {
    store.connection = { ...store.connection, previousRefreshToken: 'lost' };
    endpointAnswers(400, { error: 'invalid_grant' });
    expect(await tokens().current('qbo_1')).toMatchObject({ ok: false, failure: { kind: 'reconnect_required' } });
    expect(refreshTokensSent()).toEqual(['refresh-1']);
    expect(store).toMatchObject({ connection: { reconnectRequired: true }, leased: false });
  });

  test('but somebody stored another one meanwhile, that is used and nothing more is sent', async () => {
    nock(HOST)
      .post(PATH)
      .reply(() => {
        posts.push({ body: 'refresh_token=refresh-1', authorization: '' });
        store.connection = { ...store.connection, accessToken: 'sealed(reconnected)', tokenVersion: 2 };
        return [400, { error: 'invalid_grant' }];
      });
    expect(await tokens().current('qbo_1')).toMatchObject({ ok: true, value: { accessToken: 'reconnected' } });
    expect(refreshTokensSent()).toEqual(['refresh-1']);
    expect(store.connection.reconnectRequired).toBe(false);
  });
});

describe('tokens that a person gave, whose access token was refused', () => {
  const app = { clientId: 'given-id', clientSecret: 'given-secret' };
  const company = { environment: 'SANDBOX', realmId: '4620', simulated: undefined } as const;
  const renewGiven = (given: { refreshToken: string; accessToken?: string; connectionId?: undefined }, waitMs = 1000) =>
    tokens().renewGiven(
      { connectionId: 'qbo_1', company, app, accessToken: 'access-1', ...given },
      Deadline.after(waitMs),
    );
  const sent = () => posts.map(({ body }) => new URLSearchParams(String(body)).get('refresh_token'));

  test('are refreshed with their own app and left to the caller, who holds the lease', async () => {
    endpointAnswers(200, answer);
    const before = store.connection;
    expect(await renewGiven({ refreshToken: 'given' })).toEqual({
      kind: 'renewed',
      tokens: {
        accessToken: 'access-2',
        refreshToken: 'refresh-2',
        accessTokenExpiresAt: new Date(NOW.getTime() + 3_600_000),
        refreshTokenExpiresAt: new Date(NOW.getTime() + 8_726_400_000),
        refreshTokenHardExpiresAt: new Date(NOW.getTime() + 157_000_000_000),
      },
      isNew: true,
      claim: { connectionId: 'qbo_1', tokenVersion: 1, fence: 1 },
    });
    expect(posts).toMatchObject([
      {
        body: 'grant_type=refresh_token&refresh_token=given',
        authorization: `Basic ${Buffer.from('given-id:given-secret').toString('base64')}`,
      },
    ]);
    expect(store.connection).toEqual(before);
    expect(store.leased).toBe(true);
  });

  test('wait for the one that is refreshing', async () => {
    store.leased = true;
    endpointAnswers(200, answer);
    const renewing = renewGiven({ refreshToken: 'given' });
    await delay(50);
    expect(posts).toEqual([]);
    store.leased = false;
    expect(await renewing).toMatchObject({ kind: 'renewed' });
  });

  test('are given up when the one that is refreshing does not finish', async () => {
    store.leased = true;
    expect(await renewGiven({ refreshToken: 'given' }, 30)).toBeUndefined();
    expect(posts).toEqual([]);
  });

  test('are refreshed also for a connection that must be reconnected', async () => {
    store.connection = { ...store.connection, reconnectRequired: true };
    endpointAnswers(200, answer);
    expect(await renewGiven({ refreshToken: 'given' })).toMatchObject({ kind: 'renewed', claim: { fence: 1 } });
  });

  test('and refused by Intuit leave the connection as it was, and the next one may refresh', async () => {
    const before = store.connection;
    endpointAnswers(400, { error: 'invalid_grant' });
    expect(await renewGiven({ refreshToken: 'given' })).toMatchObject({ kind: 'refused', answer: { kind: 'dead' } });
    expect(store.connection).toEqual(before);
    expect(store.leased).toBe(false);
  });

  test('of a company without a connection need no lease', async () => {
    endpointAnswers(200, answer);
    expect(await renewGiven({ refreshToken: 'given', connectionId: undefined })).toMatchObject({
      kind: 'renewed',
      claim: undefined,
    });
    expect(store.fence).toBe(0);
  });

  test.each(['refresh-1', 'refresh-0'])(
    '%s, which is of the stored chain: its latest is stored at once',
    async (given) => {
      store.connection = { ...store.connection, previousRefreshToken: 'sealed(refresh-0)' };
      endpointAnswers(200, answer);
      expect(await renewGiven({ refreshToken: given })).toMatchObject({
        kind: 'renewed',
        tokens: { accessToken: 'access-2', refreshToken: 'refresh-2' },
        isNew: true,
        claim: undefined,
      });
      expect(sent()).toEqual(['refresh-1']);
      expect(store.connection).toMatchObject({
        accessToken: 'sealed(access-2)',
        refreshToken: 'sealed(refresh-2)',
        previousRefreshToken: 'sealed(refresh-1)',
        tokenVersion: 2,
      });
      expect(store.leased).toBe(false);
    },
  );

  test('of the stored chain are not refreshed when that was done meanwhile', async () => {
    expect(await renewGiven({ refreshToken: 'refresh-1', accessToken: 'access-0' })).toMatchObject({
      kind: 'renewed',
      tokens: { accessToken: 'access-1', refreshToken: 'refresh-1' },
      isNew: false,
      claim: undefined,
    });
    expect(posts).toEqual([]);
    expect(store.leased).toBe(false);
  });

  test('replace stored ones whose key is lost', async () => {
    store.connection = { ...store.connection, accessToken: 'lost', refreshToken: 'lost' };
    endpointAnswers(200, answer);
    expect(await renewGiven({ refreshToken: 'given' })).toMatchObject({ kind: 'renewed', claim: { fence: 1 } });
  });
});

test('a refresh that nobody waits for any more is stored before the process stops', async () => {
  expiresIn(-1);
  endpointAnswers(200, answer, { delayMs: 50 });
  const vault = tokens();
  void vault.current('qbo_1');
  await delay(20);
  await vault.settle();
  expect(store.connection).toMatchObject({ refreshToken: 'sealed(refresh-2)', tokenVersion: 2 });
});

describe('when Intuit refuses', () => {
  test('invalid_grant ends the connection and changes nothing else of it', async () => {
    expiresIn(-1);
    const before = store.connection;
    endpointAnswers(400, { error: 'invalid_grant', error_description: 'Token invalid' });
    const result = await tokens().current('qbo_1');
    expect(result).toEqual({
      ok: false,
      failure: {
        kind: 'reconnect_required',
        message: 'Intuit no longer accepts the tokens of this company.',
        trace: { statusCode: 400, requestId: 'tid-9' },
      },
    });
    expect(store.connection).toEqual({ ...before, reconnectRequired: true });
    expect(posts).toHaveLength(1);
  });

  test('invalid_grant for a token that somebody replaced meanwhile is no reason to reconnect', async () => {
    expiresIn(-1);
    nock(HOST)
      .post(PATH)
      .reply(() => {
        store.connection = { ...store.connection, accessToken: 'sealed(reconnected)', tokenVersion: 2 };
        return [400, { error: 'invalid_grant' }];
      });
    const result = await tokens().current('qbo_1');
    expect(result).toMatchObject({ ok: true, value: { accessToken: 'reconnected', tokenVersion: 2 } });
    expect(store.connection.reconnectRequired).toBe(false);
  });

  test('invalid_client blames the client id and secret, and the stored tokens stay', async () => {
    expiresIn(-1);
    const before = store.connection;
    endpointAnswers(401, { error: 'invalid_client' });
    const result = await tokens().current('qbo_1');
    expect(result).toMatchObject({ ok: false, failure: { kind: 'reconnect_required' } });
    expect(!result.ok && result.failure.message).toContain('client id and client secret');
    expect(store.connection).toEqual(before);
    expect(store.leased).toBe(false);
  });

  test.each<[string, Partial<StoredConnection>, string]>([
    ['any client id', {}, 'none are configured'],
    ['a client secret that can be opened', { app: { clientId: 'own', clientSecret: 'lost' } }, 'none are configured'],
    ['a refresh token that can be opened', { refreshToken: 'lost' }, 'encryption key'],
  ])('without %s nothing is asked, and nobody kept from asking', async (_what, fields, words) => {
    expiresIn(-1);
    store.connection = { ...store.connection, ...fields };
    const before = store.connection;
    const defaultApp = fields.refreshToken === undefined ? undefined : { clientId: 'id', clientSecret: 'secret' };
    const result = await tokens({ defaultApp }).current('qbo_1');
    expect(result).toMatchObject({ ok: false, failure: { kind: 'reconnect_required', trace: {} } });
    expect(!result.ok && result.failure.message).toContain(words);
    expect(posts).toEqual([]);
    expect(store).toMatchObject({ connection: before, fence: 0 });
  });
});

describe('when the token endpoint does not work', () => {
  test.each<[string, number, unknown]>([
    ['429', 429, ''],
    ['400 for another reason', 400, { error: 'unsupported_grant_type' }],
  ])('%s: unavailable, nothing is stored and the next caller may try', async (_what, status, body) => {
    expiresIn(-1);
    const before = store.connection;
    endpointAnswers(status, body);
    const result = await tokens().current('qbo_1');
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unavailable', trace: { statusCode: status } } });
    expect(store.connection).toEqual(before);
    expect(store.leased).toBe(false);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['a time-out', () => undefined],
    ['a lost connection', (response) => response.socket?.resetAndDestroy()],
    ['500', (response) => json(response, 500, { error: 'server_error' })],
    ['an outage that quotes invalid_grant', (response) => json(response, 503, { error: 'invalid_grant' })],
    ['503 in HTML', (response) => void response.writeHead(503).end('<html>')],
    ['200 with HTML', (response) => void response.writeHead(200).end('<html>')],
    ['200 with an empty body', (response) => void response.writeHead(200).end()],
    ['200 without an access token', (response) => json(response, 200, { ...answer, access_token: undefined })],
    ['200 with an empty access token', (response) => json(response, 200, { ...answer, access_token: '' })],
    ['302', (response) => void response.writeHead(302, { location: 'https://elsewhere.example' }).end()],
  ])('%s: likewise, after one repetition, as Intuit may have issued tokens', async (_what, answers) => {
    const standIn = await startStandIn((_request, response) => answers(response));
    expiresIn(-1);
    const before = store.connection;
    const endpoints = () => ({ ...intuitEndpoints('SANDBOX'), tokenUrl: `${standIn.url}/tokens` });
    const result = await tokens({ endpoints }).current('qbo_1');
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
    expect(standIn.requests).toHaveLength(2);
    expect(store.connection).toEqual(before);
    expect(store.leased).toBe(false);
    await standIn.close();
  });

  test('an incomplete answer never overwrites what is known', async () => {
    expiresIn(-1);
    store.refreshTokenExpiresAt = new Date('2027-01-01T00:00:00Z');
    endpointAnswers(200, { access_token: 'access-2', refresh_token: null });
    await tokens().current('qbo_1');
    expect(store.connection).toMatchObject({
      accessToken: 'sealed(access-2)',
      refreshToken: 'sealed(refresh-1)',
      accessTokenExpiresAt: new Date(NOW.getTime() + 3_600_000),
    });
    expect(store.refreshTokenExpiresAt).toEqual(new Date('2027-01-01T00:00:00Z'));
  });
});

test('each token request is measured', async () => {
  expiresIn(-1);
  endpointAnswers(200, answer);
  const reports: QboCallReport[] = [];
  await tokens({ onCall: (report) => reports.push(report) }).current('qbo_1');
  expect(reports).toEqual([
    { operation: 'refresh_token', outcome: 'ok', durationMs: expect.any(Number), statusCode: 200, requestId: 'tid-9' },
  ]);
});
