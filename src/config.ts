import { isIP } from 'node:net';
import { z } from 'zod';
import { standardWaits, type Waits } from './application/waits.js';

export type Role = 'all' | 'api' | 'worker';

/** One key of `ENCRYPTION_KEYS`. */
export interface EncryptionKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Whose tokens (JWTs) are accepted. */
export interface TokenSettings {
  /** Where the identity provider publishes its keys. */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
}

/** Everything the environment decides, read once at start. Nothing else reads `process.env`. */
export interface Config {
  readonly production: boolean;
  readonly port: number;
  readonly host: string;
  readonly role: Role;
  /** Undefined: use the embedded PostgreSQL in `dataDirectory`. */
  readonly databaseUrl: string | undefined;
  readonly dataDirectory: string;
  /** The first encrypts, all decrypt. Empty in development: a key is generated and kept in `dataDirectory`. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly bootstrapApiKey: string | undefined;
  /** Undefined: only API keys are known. */
  readonly tokens: TokenSettings | undefined;
  readonly quickbooks: {
    readonly apiBaseUrl: string | undefined;
    readonly tokenUrl: string | undefined;
    readonly authorizeUrl: string | undefined;
    readonly revokeUrl: string | undefined;
    readonly clientId: string | undefined;
    readonly clientSecret: string | undefined;
    readonly verifierTokens: readonly string[];
  };
  readonly stripe: { readonly apiBaseUrl: string | undefined };
  readonly graphqlIde: boolean;
  /** Origins of pages that may call; by default none. */
  readonly corsOrigins: readonly string[];
  /** Addresses and networks of proxies that tell where a request came from. */
  readonly trustedProxies: readonly string[];
  /** The file of documents that clients may name, and whether they have to. */
  readonly trustedDocuments: { readonly path: string | undefined; readonly isRequired: boolean };
  /** What one caller may ask of one process in a minute, in values of answers. */
  readonly rateLimitPerMinute: number;
  /** How many subscriptions may be open at the same time in one process. */
  readonly streams: { readonly perActor: number; readonly perProcess: number };
  readonly logLevel: LogLevel;
  /** Not from the environment: the fault matrix alone shortens them. */
  readonly waits: Waits;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A variable is missing or malformed. The message is one sentence that names it and never its value. */
export class ConfigError extends Error {}

const blankIsUnset = (value: unknown): unknown => (value === '' ? undefined : value);
const optionalText = z.preprocess(blankIsUnset, z.string().optional());
const optionalUrl = z.preprocess(
  blankIsUnset,
  z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).optional(),
);

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((number) => number <= 65_535, 'must be a port number');

const commaSeparated = z.preprocess(
  blankIsUnset,
  z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
);

const origins = commaSeparated.refine(
  (parts) => parts.every((part) => /^https?:/.test(part) && URL.canParse(part) && new URL(part).origin === part),
  'must be comma-separated origins, each with its scheme and without a path, and not *: name every site that may call',
);

const networks = commaSeparated.refine(
  (parts) => parts.every(isNetwork),
  'must be comma-separated IP addresses or networks in CIDR notation',
);

const PREFIX_LENGTHS = { 4: /^(\d|[12]\d|3[0-2])$/, 6: /^(\d|[1-9]\d|1[01]\d|12[0-8])$/ };

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || rest.length > 0) return false;
  return bits === undefined || PREFIX_LENGTHS[version].test(bits);
}

const ENCRYPTION_KEY = /^([\w.-]{1,50}):([A-Za-z0-9+/]{43}=)$/;

const encryptionKeys = commaSeparated.transform((parts, context): EncryptionKey[] => {
  const keys = parts.flatMap((part) => {
    const [, id, base64] = ENCRYPTION_KEY.exec(part) ?? [];
    return id && base64 ? [{ id, secret: new Uint8Array(Buffer.from(base64, 'base64')) }] : [];
  });
  const distinct = new Set(keys.map((key) => key.id)).size;
  if (keys.length !== parts.length || distinct !== keys.length) {
    context.addIssue({
      code: 'custom',
      message: 'must be comma-separated id:base64 pairs with distinct ids, each key 32 bytes',
    });
  }
  return keys;
});

/** Asymmetric ones only: with a shared secret, or none, everybody who can check a token could make one. */
const TOKEN_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

const tokenAlgorithms = commaSeparated.refine(
  (names) => names.every((name) => TOKEN_ALGORITHMS.includes(name)),
  `must be comma-separated of ${TOKEN_ALGORITHMS.join(', ')}`,
);

const onOrOff = z.preprocess(
  blankIsUnset,
  z
    .enum(['true', 'false', '1', '0', 'on', 'off'], 'must be true or false')
    .transform((text) => ['true', '1', 'on'].includes(text))
    .optional(),
);

/** Two hundred of the largest documents, a thousand pages of 50 orders with everything, or 10,000 mutations. */
const DEFAULT_RATE_LIMIT_PER_MINUTE = 10_000_000;

const wholeNumber = z
  .string()
  .regex(/^[1-9]\d{0,11}$/, 'must be a whole number above zero')
  .transform(Number);

const environmentSchema = z.object({
  NODE_ENV: z.preprocess(
    blankIsUnset,
    z.enum(['development', 'production', 'test'], 'must be development or production').default('development'),
  ),
  PORT: z.preprocess(blankIsUnset, port.default(4000)),
  HOST: z.preprocess(blankIsUnset, z.string().default('127.0.0.1')),
  ROLE: z.preprocess(blankIsUnset, z.enum(['all', 'api', 'worker'], 'must be all, api or worker').default('all')),
  DATABASE_URL: z.preprocess(
    blankIsUnset,
    z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  ),
  DATA_DIR: z.preprocess(blankIsUnset, z.string().default('.data')),
  ENCRYPTION_KEYS: encryptionKeys,
  BOOTSTRAP_API_KEY: z.preprocess(
    blankIsUnset,
    z.string().min(16, 'must have at least 16 characters').max(200).optional(),
  ),
  JWT_JWKS_URL: optionalUrl,
  JWT_ISSUER: optionalText,
  JWT_AUDIENCE: optionalText,
  JWT_ALGORITHMS: tokenAlgorithms,
  QBO_API_BASE_URL: optionalUrl,
  QBO_TOKEN_URL: optionalUrl,
  QBO_AUTHORIZE_URL: optionalUrl,
  QBO_REVOKE_URL: optionalUrl,
  QBO_CLIENT_ID: optionalText,
  QBO_CLIENT_SECRET: optionalText,
  QBO_WEBHOOK_VERIFIER_TOKEN: commaSeparated,
  STRIPE_API_BASE_URL: optionalUrl,
  GRAPHQL_IDE: onOrOff,
  CORS_ORIGINS: origins,
  TRUSTED_PROXIES: networks,
  TRUSTED_DOCUMENTS: optionalText,
  TRUSTED_DOCUMENTS_REQUIRED: onOrOff,
  RATE_LIMIT_PER_MINUTE: z.preprocess(blankIsUnset, wholeNumber.default(DEFAULT_RATE_LIMIT_PER_MINUTE)),
  STREAMS_PER_CALLER: z.preprocess(blankIsUnset, wholeNumber.default(100)),
  STREAMS_PER_PROCESS: z.preprocess(blankIsUnset, wholeNumber.default(1_000)),
  LOG_LEVEL: z.preprocess(blankIsUnset, z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info')),
});

/** Reads and validates the environment. Throws `ConfigError` for the first variable that is missing or malformed. */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) throw new ConfigError(describe(parsed.error));
  const variables = parsed.data;
  const production = variables.NODE_ENV === 'production';
  requireInProduction(production, variables);
  if (variables.TRUSTED_DOCUMENTS_REQUIRED && variables.TRUSTED_DOCUMENTS === undefined) {
    throw new ConfigError('The environment variable TRUSTED_DOCUMENTS is required with TRUSTED_DOCUMENTS_REQUIRED.');
  }
  return deepFreeze({
    production,
    port: variables.PORT,
    host: variables.HOST,
    role: variables.ROLE,
    databaseUrl: variables.DATABASE_URL,
    dataDirectory: variables.DATA_DIR,
    encryptionKeys: variables.ENCRYPTION_KEYS,
    bootstrapApiKey: variables.BOOTSTRAP_API_KEY,
    tokens: tokenSettings(production, variables),
    quickbooks: {
      apiBaseUrl: variables.QBO_API_BASE_URL,
      tokenUrl: variables.QBO_TOKEN_URL,
      authorizeUrl: variables.QBO_AUTHORIZE_URL,
      revokeUrl: variables.QBO_REVOKE_URL,
      clientId: variables.QBO_CLIENT_ID,
      clientSecret: variables.QBO_CLIENT_SECRET,
      verifierTokens: variables.QBO_WEBHOOK_VERIFIER_TOKEN,
    },
    stripe: { apiBaseUrl: variables.STRIPE_API_BASE_URL },
    graphqlIde: variables.GRAPHQL_IDE ?? !production,
    corsOrigins: variables.CORS_ORIGINS,
    trustedProxies: variables.TRUSTED_PROXIES,
    trustedDocuments: {
      path: variables.TRUSTED_DOCUMENTS,
      isRequired: variables.TRUSTED_DOCUMENTS_REQUIRED ?? false,
    },
    rateLimitPerMinute: variables.RATE_LIMIT_PER_MINUTE,
    streams: { perActor: variables.STREAMS_PER_CALLER, perProcess: variables.STREAMS_PER_PROCESS },
    logLevel: variables.LOG_LEVEL,
    waits: { ...standardWaits },
  });
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return `The environment variable ${issue?.path.join('.')} ${lowerFirst(issue?.message ?? 'is malformed')}.`;
}

function lowerFirst(message: string): string {
  return message.startsWith('must') ? message : `is malformed (${message})`;
}

type Variables = z.output<typeof environmentSchema>;

/** All of it or nothing: half of a configuration would let in more than was meant. */
function tokenSettings(production: boolean, variables: Variables): TokenSettings | undefined {
  const { JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_ALGORITHMS: algorithms } = variables;
  const given = Object.entries({ JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience });
  const missing = given.filter(([, value]) => value === undefined).map(([name]) => name);
  if (missing.length === given.length && algorithms.length === 0) return undefined;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) {
    throw new ConfigError(
      `The environment variable ${missing[0]} is required, because others beginning with JWT_ are set.`,
    );
  }
  if (production && !jwksUrl.startsWith('https:')) {
    throw new ConfigError('The environment variable JWT_JWKS_URL must be an https:// URL in production.');
  }
  return { jwksUrl, issuer, audience, algorithms: algorithms.length > 0 ? algorithms : ['RS256', 'ES256'] };
}

function requireInProduction(production: boolean, variables: Variables): void {
  if (production && variables.ENCRYPTION_KEYS.length === 0) {
    throw new ConfigError(
      'The environment variable ENCRYPTION_KEYS is required in production (comma-separated id:base64 of 32 bytes).',
    );
  }
  if (variables.ROLE !== 'all' && !variables.DATABASE_URL) {
    throw new ConfigError(
      'The environment variable DATABASE_URL is required with ROLE=api or ROLE=worker: the embedded database serves one process.',
    );
  }
}

/** Typed arrays stay as they are: JavaScript cannot freeze their bytes. */
function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)) deepFreeze(inner);
  }
  return Object.freeze(value);
}
