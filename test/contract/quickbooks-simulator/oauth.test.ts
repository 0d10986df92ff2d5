import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, FIRST_REALM, SECOND_REALM } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', { tokens: true });
  Object.assign(bench.tokens, await bench.control('POST', '/tokens', { realmId: FIRST_REALM }));
});
afterAll(() => bench.simulator.stop());

const REDIRECT = 'https://app.example.com/callback?tenant=1';
const DAY = 24 * 3600;
const refresh = (refresh_token: string, headers: Record<string, string> = {}) =>
  bench.token({ grant_type: 'refresh_token', refresh_token }, headers);
const companyInfo = () => bench.get(`/companyinfo/${FIRST_REALM}`);

async function consent(extra: Record<string, string> = {}): Promise<URL> {
  const query = new URLSearchParams({
    client_id: bench.tokens.clientId,
    response_type: 'code',
    scope: 'com.intuit.quickbooks.accounting',
    redirect_uri: REDIRECT,
    state: 'xyz',
    ...extra,
  });
  const answer = await fetch(`${bench.simulator.authorizeUrl}?${query}`, { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? 'none:');
}

describe('Connecting a company', () => {
  test('redirects with code, state and realm, and the code works once', async () => {
    const target = await consent({ realmId: SECOND_REALM });
    expect(target.searchParams.get('tenant')).toBe('1');
    expect(target.searchParams.get('state')).toBe('xyz');
    expect(target.searchParams.get('realmId')).toBe(SECOND_REALM);
    const grant = {
      grant_type: 'authorization_code',
      code: target.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT,
    };
    const { status, body } = await bench.token(grant);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      refresh_token: expect.stringMatching(/^RT1-/),
      token_type: 'bearer',
      expires_in: '3600',
      x_refresh_token_expires_in: '8726400',
    });
    const again = await bench.token(grant);
    expect([again.status, again.body.error]).toEqual([400, 'invalid_grant']);
  });

  test('ends the tokens of an earlier connection to the same company', async () => {
    const code = (await consent()).searchParams.get('code') ?? '';
    await bench.token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT });
    expect((await refresh(bench.tokens.refreshToken)).body.error).toBe('invalid_grant');
    expect((await companyInfo()).status).toBe(401);
  });

  test('can be refused by the user', async () => {
    const target = await consent({ deny: 'true' });
    expect(target.searchParams.get('error')).toBe('access_denied');
    expect(target.searchParams.has('code')).toBe(false);
  });

  test('needs the same redirect address for the code', async () => {
    const code = (await consent()).searchParams.get('code') ?? '';
    const grant = { grant_type: 'authorization_code', code, redirect_uri: 'https://evil.example.com' };
    expect((await bench.token(grant)).body.error).toBe('invalid_grant');
  });
});

describe('The token endpoint', () => {
  test('returns the same refresh value for a day, then a new one while the old one lives another day', async () => {
    const first = bench.tokens.refreshToken;
    const same = await refresh(first);
    expect(same.body.refresh_token).toBe(first);
    expect(same.body.access_token).not.toBe(bench.tokens.accessToken);
    await bench.control('POST', '/clock', { advanceSeconds: DAY });
    const rotated = (await refresh(first)).body.refresh_token;
    expect(rotated).not.toBe(first);
    expect((await refresh(first)).body.refresh_token).toBe(rotated);
    await bench.control('POST', '/clock', { advanceSeconds: DAY });
    expect(await refresh(first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await refresh(rotated)).status).toBe(200);
  });

  test('lets an unused refresh value expire after 101 days', async () => {
    await bench.control('POST', '/clock', { advanceSeconds: 101 * DAY });
    expect(await refresh(bench.tokens.refreshToken)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('tells the hard limit of five years only when it is asked', async () => {
    const asked = await refresh(bench.tokens.refreshToken, { 'x-include-refresh-token-hard-expires-in': 'true' });
    expect(asked.body.x_refresh_token_hard_expires_in).toMatch(/^157\d{6}$/);
  });

  test.each([
    ['a wrong secret', { grant_type: 'refresh_token' }, { authorization: 'Basic eDp5' }, 401, 'invalid_client'],
    ['an unknown grant', { grant_type: 'client_credentials' }, {}, 400, 'unsupported_grant_type'],
    ['no grant', {}, {}, 400, 'invalid_request'],
    [
      'a refresh value nobody issued',
      { grant_type: 'refresh_token', refresh_token: 'RT1-x' },
      {},
      400,
      'invalid_grant',
    ],
  ])('refuses %s', async (_what, form, headers, status, error) => {
    const refused = await bench.token(form as Record<string, string>, headers as Record<string, string>);
    expect([refused.status, refused.body.error]).toEqual([status, error]);
    expect(refused.headers.get('intuit_tid')).not.toBeNull();
  });

  test('can punish a replayed refresh value by ending the connection', async () => {
    await bench.control('POST', '/oauth', { rotateEveryRefresh: true, punishConcurrentRefresh: true });
    const rotated = (await refresh(bench.tokens.refreshToken)).body.refresh_token;
    expect((await refresh(bench.tokens.refreshToken)).body.error).toBe('invalid_grant');
    expect((await refresh(rotated)).body.error).toBe('invalid_grant');
  });

  test.each(['application/json', 'application/x-www-form-urlencoded'])('revokes a connection by %s', async (type) => {
    const token = bench.tokens.refreshToken;
    const revoke = () =>
      fetch(bench.simulator.revokeUrl, {
        method: 'POST',
        headers: { authorization: bench.basic(), 'content-type': type },
        body: type === 'application/json' ? JSON.stringify({ token }) : `token=${token}`,
      });
    const answer = await revoke();
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect((await refresh(token)).body.error).toBe('invalid_grant');
    const refused = await companyInfo();
    expect(refused.status).toBe(401);
    expect(refused.body.fault.error[0].detail).toMatch(/^Token revoked/);
  });
});

describe('An access token', () => {
  test('that has expired is answered by the gateway, which repeats the token', async () => {
    await bench.control('POST', '/clock', { advanceSeconds: 3600 });
    const { status, headers, body } = await companyInfo();
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="Intuit", error="invalid_token"');
    expect(body.fault).toEqual({
      error: [
        {
          message: 'message=AuthenticationFailed; errorCode=003200; statusCode=401',
          detail: `Token expired: ${bench.tokens.accessToken}`,
          code: '3200',
          element: null,
        },
      ],
      type: 'AUTHENTICATION',
    });
    expect(body.time).toMatch(/^\d{13}$/);
  });

  test('opens its own company only', async () => {
    const answer = await fetch(`${bench.simulator.baseUrl}/v3/company/${SECOND_REALM}/preferences`, {
      headers: { authorization: `Bearer ${bench.tokens.accessToken}`, accept: 'application/json' },
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ fault: { error: [{ code: '3100' }], type: 'SERVICE' } });
  });

  test('can be ended by the control API, after which a refresh helps', async () => {
    await bench.control('POST', '/expire-tokens', { realmId: FIRST_REALM });
    expect((await companyInfo()).status).toBe(401);
    bench.tokens.accessToken = (await refresh(bench.tokens.refreshToken)).body.access_token;
    expect((await companyInfo()).status).toBe(200);
  });

  test('and no other token ever appears in the request log', async () => {
    await refresh(bench.tokens.refreshToken);
    await companyInfo();
    const log = JSON.stringify(await bench.control('GET', '/requests'));
    expect(log).toContain('[redacted]');
    expect(log).not.toContain(bench.tokens.refreshToken);
    expect(log).not.toContain(bench.tokens.accessToken);
  });
});
