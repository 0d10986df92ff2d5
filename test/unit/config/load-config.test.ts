import { describe, expect, test } from '@jest/globals';
import { standardWaits } from '../../../src/application/waits.js';
import { ConfigError, loadConfig } from '../../../src/config.js';

const KEY_A = `a:${Buffer.alloc(32, 1).toString('base64')}`;
const KEY_B = `b:${Buffer.alloc(32, 2).toString('base64')}`;

function refusal(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the environment was accepted');
}

describe('an empty environment', () => {
  test('is a development server on this machine with an embedded database', () => {
    expect(loadConfig({})).toEqual({
      production: false,
      port: 4000,
      host: '127.0.0.1',
      role: 'all',
      databaseUrl: undefined,
      dataDirectory: '.data',
      encryptionKeys: [],
      bootstrapApiKey: undefined,
      quickbooks: {
        apiBaseUrl: undefined,
        tokenUrl: undefined,
        authorizeUrl: undefined,
        revokeUrl: undefined,
        clientId: undefined,
        clientSecret: undefined,
        verifierTokens: [],
      },
      stripe: { apiBaseUrl: undefined },
      graphqlIde: true,
      corsOrigins: [],
      trustedProxies: [],
      trustedDocuments: { path: undefined, isRequired: false },
      rateLimitPerMinute: 10_000_000,
      streams: { perActor: 100, perProcess: 1_000 },
      logLevel: 'info',
      waits: standardWaits,
    });
  });

  test('is the same as one with blank variables', () => {
    const names = [
      'NODE_ENV',
      'PORT',
      'HOST',
      'ROLE',
      'DATABASE_URL',
      'DATA_DIR',
      'ENCRYPTION_KEYS',
      'BOOTSTRAP_API_KEY',
      'JWT_JWKS_URL',
      'JWT_ISSUER',
      'JWT_AUDIENCE',
      'JWT_ALGORITHMS',
      'QBO_API_BASE_URL',
      'QBO_TOKEN_URL',
      'QBO_AUTHORIZE_URL',
      'QBO_REVOKE_URL',
      'QBO_CLIENT_ID',
      'QBO_CLIENT_SECRET',
      'QBO_WEBHOOK_VERIFIER_TOKEN',
      'STRIPE_API_BASE_URL',
      'GRAPHQL_IDE',
      'CORS_ORIGINS',
      'TRUSTED_PROXIES',
      'TRUSTED_DOCUMENTS',
      'TRUSTED_DOCUMENTS_REQUIRED',
      'RATE_LIMIT_PER_MINUTE',
      'STREAMS_PER_CALLER',
      'STREAMS_PER_PROCESS',
      'LOG_LEVEL',
    ];
    expect(loadConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(loadConfig({}));
  });
});

test('every variable is taken over', () => {
  const config = loadConfig({
    NODE_ENV: 'production',
    PORT: '8080',
    HOST: '0.0.0.0',
    ROLE: 'worker',
    DATABASE_URL: 'postgresql://user:password@db.example:5432/invoicing',
    DATA_DIR: '/var/lib/invoicing',
    ENCRYPTION_KEYS: `${KEY_A}, ${KEY_B}`,
    BOOTSTRAP_API_KEY: 'sixteen-characters',
    JWT_JWKS_URL: 'https://login.example.org/jwks.json',
    JWT_ISSUER: 'https://login.example.org/',
    JWT_AUDIENCE: 'conference-invoicing',
    JWT_ALGORITHMS: 'ES256, EdDSA',
    QBO_API_BASE_URL: 'http://localhost:1',
    QBO_TOKEN_URL: 'http://localhost:2/token',
    QBO_AUTHORIZE_URL: 'http://localhost:3/authorize',
    QBO_REVOKE_URL: 'http://localhost:4/revoke',
    QBO_CLIENT_ID: 'client',
    QBO_CLIENT_SECRET: 'secret',
    QBO_WEBHOOK_VERIFIER_TOKEN: 'new-token, old-token,',
    STRIPE_API_BASE_URL: 'http://localhost:5',
    GRAPHQL_IDE: 'on',
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173',
    TRUSTED_PROXIES: '10.0.0.0/8,::1',
    TRUSTED_DOCUMENTS: '/etc/documents.json',
    TRUSTED_DOCUMENTS_REQUIRED: 'true',
    RATE_LIMIT_PER_MINUTE: '500000',
    STREAMS_PER_CALLER: '7',
    STREAMS_PER_PROCESS: '70',
    LOG_LEVEL: 'debug',
  });
  expect(config).toEqual({
    production: true,
    port: 8080,
    host: '0.0.0.0',
    role: 'worker',
    databaseUrl: 'postgresql://user:password@db.example:5432/invoicing',
    dataDirectory: '/var/lib/invoicing',
    encryptionKeys: [
      { id: 'a', secret: new Uint8Array(32).fill(1) },
      { id: 'b', secret: new Uint8Array(32).fill(2) },
    ],
    bootstrapApiKey: 'sixteen-characters',
    tokens: {
      jwksUrl: 'https://login.example.org/jwks.json',
      issuer: 'https://login.example.org/',
      audience: 'conference-invoicing',
      algorithms: ['ES256', 'EdDSA'],
    },
    quickbooks: {
      apiBaseUrl: 'http://localhost:1',
      tokenUrl: 'http://localhost:2/token',
      authorizeUrl: 'http://localhost:3/authorize',
      revokeUrl: 'http://localhost:4/revoke',
      clientId: 'client',
      clientSecret: 'secret',
      verifierTokens: ['new-token', 'old-token'],
    },
    stripe: { apiBaseUrl: 'http://localhost:5' },
    graphqlIde: true,
    corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
    trustedProxies: ['10.0.0.0/8', '::1'],
    trustedDocuments: { path: '/etc/documents.json', isRequired: true },
    rateLimitPerMinute: 500_000,
    streams: { perActor: 7, perProcess: 70 },
    logLevel: 'debug',
    waits: standardWaits,
  });
});

describe('a malformed variable stops the start with one sentence that names it and never says its value', () => {
  test.each([
    ['NODE_ENV', 'sekret-staging'],
    ['PORT', 'sekret'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '40.5'],
    ['PORT', ' '],
    ['PORT', '0x1F90'],
    ['ROLE', 'sekret'],
    ['DATABASE_URL', 'sekret'],
    ['DATABASE_URL', 'mysql://root:sekret@db/x'],
    ['ENCRYPTION_KEYS', 'sekret'],
    ['ENCRYPTION_KEYS', 'sekret:AAAA'],
    ['ENCRYPTION_KEYS', `${KEY_A},${KEY_A}`],
    ['ENCRYPTION_KEYS', `sekret:${Buffer.alloc(31).toString('base64')}`],
    ['ENCRYPTION_KEYS', `sekret:${Buffer.alloc(33).toString('base64')}`],
    ['ENCRYPTION_KEYS', `${KEY_A},sekret`],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'sekret.example.com'],
    ['CORS_ORIGINS', 'https://sekret.example.com/'],
    ['CORS_ORIGINS', 'https://app.example.com,ftp://sekret.example.com'],
    ['TRUSTED_PROXIES', 'sekret'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['TRUSTED_DOCUMENTS_REQUIRED', 'sekret'],
    ['RATE_LIMIT_PER_MINUTE', '0'],
    ['RATE_LIMIT_PER_MINUTE', '1e6'],
    ['STREAMS_PER_CALLER', '0'],
    ['STREAMS_PER_PROCESS', 'many'],
    ['BOOTSTRAP_API_KEY', 'sekret'],
    ['BOOTSTRAP_API_KEY', 'sekret'.repeat(40)],
    ['JWT_JWKS_URL', 'sekret'],
    ['JWT_ALGORITHMS', 'sekret'],
    ['JWT_ALGORITHMS', 'RS256,none'],
    ['JWT_ALGORITHMS', 'HS256'],
    ['JWT_ALGORITHMS', 'rs256'],
    ['QBO_API_BASE_URL', 'sekret'],
    ['QBO_TOKEN_URL', 'sekret'],
    ['QBO_AUTHORIZE_URL', 'sekret'],
    ['QBO_REVOKE_URL', 'sekret'],
    ['QBO_API_BASE_URL', 'ftp://sekret.example'],
    ['STRIPE_API_BASE_URL', 'sekret'],
    ['GRAPHQL_IDE', 'sekret'],
    ['LOG_LEVEL', 'sekret'],
  ])('%s=%s', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toMatch(new RegExp(`^The environment variable ${name} [^.]+\\.$`));
    expect(message).not.toContain('sekret');
    for (const word of value.split(/[,:]/).filter((part) => part.length > 6)) expect(message).not.toContain(word);
  });
});

describe('an identity provider', () => {
  const all = {
    JWT_JWKS_URL: 'http://127.0.0.1:1/jwks',
    JWT_ISSUER: 'https://login.example.org/',
    JWT_AUDIENCE: 'conference-invoicing',
  };

  test('is none unless one is named', () => {
    expect(loadConfig({}).tokens).toBeUndefined();
  });

  test('signs with RS256 or ES256 unless said otherwise', () => {
    expect(loadConfig(all).tokens?.algorithms).toEqual(['RS256', 'ES256']);
  });

  test.each(Object.keys(all))('is not known by half: %s is missed', (name) => {
    const message = `The environment variable ${name} is required, because others beginning with JWT_ are set.`;
    expect(refusal({ ...all, [name]: '' })).toBe(message);
  });

  test('is not known by algorithms alone', () => {
    expect(refusal({ JWT_ALGORITHMS: 'ES256' })).toContain('JWT_JWKS_URL is required');
  });

  test('has an address that nobody can listen in on in production', () => {
    const production = { NODE_ENV: 'production', ENCRYPTION_KEYS: KEY_A };
    expect(refusal({ ...production, ...all })).toBe(
      'The environment variable JWT_JWKS_URL must be an https:// URL in production.',
    );
  });
});

describe('outside development', () => {
  test('encryption keys are required', () => {
    expect(refusal({ NODE_ENV: 'production', DATABASE_URL: 'postgres://db/x' })).toBe(
      'The environment variable ENCRYPTION_KEYS is required in production (comma-separated id:base64 of 32 bytes).',
    );
    expect(loadConfig({ NODE_ENV: 'production', ENCRYPTION_KEYS: KEY_A }).encryptionKeys).toHaveLength(1);
  });

  test('the IDE is off unless it is switched on', () => {
    const production = { NODE_ENV: 'production', ENCRYPTION_KEYS: KEY_A };
    expect(loadConfig(production).graphqlIde).toBe(false);
    expect(loadConfig({ ...production, GRAPHQL_IDE: 'true' }).graphqlIde).toBe(true);
    expect(loadConfig({ GRAPHQL_IDE: 'off' }).graphqlIde).toBe(false);
  });
});

test.each(['api', 'worker'])('ROLE=%s needs a database that other processes can reach', (role) => {
  expect(refusal({ ROLE: role })).toBe(
    'The environment variable DATABASE_URL is required with ROLE=api or ROLE=worker: the embedded database serves one process.',
  );
  expect(loadConfig({ ROLE: role, DATABASE_URL: 'postgres://db/x' }).role).toBe(role);
});

test.each([
  ['true', true],
  ['1', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['off', false],
])('GRAPHQL_IDE=%s means %s', (text, expected) => {
  expect(loadConfig({ GRAPHQL_IDE: text }).graphqlIde).toBe(expected);
});

test('the configuration cannot be changed after the start', () => {
  const config = loadConfig({});
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.quickbooks)).toBe(true);
  expect(Object.isFrozen(config.quickbooks.verifierTokens)).toBe(true);
  expect(Object.isFrozen(config.encryptionKeys)).toBe(true);
});
