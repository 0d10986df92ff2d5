import { z } from 'zod';
import { standardWaits, type Waits } from './application/waits.js';

export type Role = 'all' | 'api' | 'worker';

/** One key of `ENCRYPTION_KEYS`. */
export interface EncryptionKey {
  readonly id: string;
  readonly secret: Uint8Array;
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
  QBO_API_BASE_URL: optionalUrl,
  QBO_TOKEN_URL: optionalUrl,
  QBO_AUTHORIZE_URL: optionalUrl,
  QBO_REVOKE_URL: optionalUrl,
  QBO_CLIENT_ID: optionalText,
  QBO_CLIENT_SECRET: optionalText,
  QBO_WEBHOOK_VERIFIER_TOKEN: commaSeparated,
  STRIPE_API_BASE_URL: optionalUrl,
  GRAPHQL_IDE: onOrOff,
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
  return deepFreeze({
    production,
    port: variables.PORT,
    host: variables.HOST,
    role: variables.ROLE,
    databaseUrl: variables.DATABASE_URL,
    dataDirectory: variables.DATA_DIR,
    encryptionKeys: variables.ENCRYPTION_KEYS,
    bootstrapApiKey: variables.BOOTSTRAP_API_KEY,
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

function requireInProduction(production: boolean, variables: z.output<typeof environmentSchema>): void {
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
