import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { CredentialRefused, IdentityProviderUnavailable } from '../../../src/application/ports/identity.js';
import { systemClock } from '../../../src/domain/clock.js';
import { JwtVerifier } from '../../../src/infrastructure/identity/jwt-verifier.js';
import { AUDIENCE, IdentityProvider, ISSUER } from '../../support/identity-provider.js';

let provider: IdentityProvider;

beforeEach(async () => {
  provider = await IdentityProvider.start();
});

afterEach(() => provider.stop());

function verifier({ algorithms = ['RS256', 'ES256'], cooldownMs = 0, clock = systemClock } = {}): JwtVerifier {
  const { jwksUrl } = provider;
  return new JwtVerifier({ jwksUrl, issuer: ISSUER, audience: AUDIENCE, algorithms }, clock, { cooldownMs });
}

const seconds = (ahead: number) => Math.floor(Date.now() / 1000) + ahead;

async function refusal(token: string, by = verifier()): Promise<string> {
  const error: unknown = await by.verify(token).catch((thrown: unknown) => thrown);
  if (!(error instanceof CredentialRefused)) throw new Error(`not refused: ${error}`);
  return error.message;
}

const NOT_VALID = 'This token is not valid here.';

test('a token of the provider is accepted with its claims', async () => {
  expect(await verifier().verify(await provider.token({ email: 'ada@example.org' }))).toMatchObject({
    sub: 'ada',
    email: 'ada@example.org',
  });
});

test('one of several audiences is enough', async () => {
  const token = await provider.token({ aud: ['another-service', AUDIENCE] });
  expect(await verifier().verify(token)).toMatchObject({ sub: 'ada' });
});

describe('a token is refused', () => {
  test.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://login.example.com/' }],
    ['of an issuer that is only like it', { iss: 'https://login.example.org' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience', { aud: 'another-service' }],
    ['for nobody', { aud: undefined }],
    ['without an end', { exp: undefined }],
    ['without a subject', { sub: undefined }],
    ['that is not valid yet', { nbf: seconds(60) }],
  ])('%s', async (_what, claims) => {
    expect(await refusal(await provider.token(claims))).toBe(NOT_VALID);
  });

  test('that has expired, and is told so', async () => {
    expect(await refusal(await provider.token({ exp: seconds(-60) }))).toBe('This token has expired.');
  });

  test('of which a letter was changed, in any of its parts', async () => {
    const [header = '', payload = '', signature = ''] = (await provider.token({})).split('.');
    const forged = Buffer.from(JSON.stringify({ iss: ISSUER, aud: AUDIENCE, sub: 'eve', exp: seconds(300) }));
    expect(await refusal(`${header}.${forged.toString('base64url')}.${signature}`)).toBe(NOT_VALID);
    expect(await refusal(`${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`)).toBe(NOT_VALID);
    expect(await refusal(`${header}.${payload}.`)).toBe(NOT_VALID);
    expect(await refusal(`eyJhbGciOiJSUzI1NiJ.${payload}.${signature}`)).toBe(NOT_VALID);
  });

  test('that nobody signed', async () => {
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'eve', exp: seconds(300) };
    expect(await refusal(new UnsecuredJWT(claims).encode())).toBe(NOT_VALID);
  });

  test('that was signed with the public key as if it were a shared secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(provider.publicKey('first')));
    const token = new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'eve', exp: seconds(300) });
    expect(await refusal(await token.setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret))).toBe(NOT_VALID);
  });

  test('of an algorithm that is not on the list, although the provider has a key for it', async () => {
    await provider.addKey('elliptic', { alg: 'ES256' });
    const token = await provider.token({}, { kid: 'elliptic', alg: 'ES256' });
    expect(await refusal(token, verifier({ algorithms: ['RS256'] }))).toBe(NOT_VALID);
    expect(await verifier({ algorithms: ['ES256'] }).verify(token)).toMatchObject({ sub: 'ada' });
  });

  test('that another key signed under the name of a published one', async () => {
    const stranger = await IdentityProvider.start();
    try {
      expect(await refusal(await stranger.token({}))).toBe(NOT_VALID);
    } finally {
      await stranger.stop();
    }
  });
});

test('clocks may differ by some seconds', async () => {
  const behind = { now: () => new Date(Date.now() - 4_000) };
  const token = await provider.token({ nbf: seconds(0), exp: seconds(300) });
  expect(await verifier({ clock: behind }).verify(token)).toMatchObject({ sub: 'ada' });
});

describe('the keys of the provider', () => {
  test('are fetched once for many tokens', async () => {
    const one = verifier({ cooldownMs: 60_000 });
    await Promise.all([1, 2, 3].map(async () => one.verify(await provider.token({}))));
    await one.verify(await provider.token({}));
    expect(provider.fetches).toBe(1);
  });

  test('are fetched once more for a key that is not known, and then the token is refused', async () => {
    const one = verifier();
    await one.verify(await provider.token({}));
    await provider.addKey('unpublished', { isPublished: false });
    expect(await refusal(await provider.token({}, { kid: 'unpublished' }), one)).toBe(NOT_VALID);
    expect(provider.fetches).toBe(2);
  });

  test('are not fetched again for every invented key', async () => {
    const one = verifier({ cooldownMs: 60_000 });
    await provider.addKey('unpublished', { isPublished: false });
    for (let count = 0; count < 5; count++) await refusal(await provider.token({}, { kid: 'unpublished' }), one);
    expect(provider.fetches).toBe(1);
  });

  test('may be exchanged: the new one counts at once, the withdrawn one no longer', async () => {
    const one = verifier();
    const former = await provider.token({});
    await one.verify(former);
    provider.withdrawKey('first');
    await provider.addKey('second');
    expect(await one.verify(await provider.token({}, { kid: 'second' }))).toMatchObject({ sub: 'ada' });
    expect(await refusal(former, one)).toBe(NOT_VALID);
  });

  test.each([
    ['is down', () => provider.stop()],
    ['has an error', async () => provider.answer(500)],
    ['says nothing', async () => provider.answer(204)],
  ])('when the provider %s, nobody is said to be refused', async (_what, breakIt) => {
    const token = await provider.token({});
    await breakIt();
    await expect(verifier().verify(token)).rejects.toThrow(IdentityProviderUnavailable);
  });

  test('go on being used while the provider is down', async () => {
    const one = verifier({ cooldownMs: 60_000 });
    await one.verify(await provider.token({}));
    await provider.stop();
    expect(await one.verify(await provider.token({}))).toMatchObject({ sub: 'ada' });
  });
});
