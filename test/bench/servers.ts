import { randomBytes } from 'node:crypto';
import { type ServerProcess, startServer } from './processes.js';

/** The pool of `ormOptions`; the peers get the same. */
export const POOL_SIZE = 10;

export const VERIFIER_TOKEN = 'benchmark-verifier-token';

const API_KEY = `ci_${randomBytes(32).toString('base64url')}`;
export const AUTHORIZED = { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` } as const;

/** The API as it is deployed: production mode, keys, limits and logging on, the worker elsewhere. */
export function startOurs(name: string, databaseUrl: string): Promise<ServerProcess> {
  return startServer({
    name,
    program: 'dist/src/main.js',
    environment: {
      ROLE: 'api',
      DATABASE_URL: databaseUrl,
      ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
      BOOTSTRAP_API_KEY: API_KEY,
      QBO_WEBHOOK_VERIFIER_TOKEN: VERIFIER_TOKEN,
      // Counted, and never reached.
      RATE_LIMIT_PER_MINUTE: '900000000000',
    },
    readyPath: '/readyz',
  });
}

/** Everything in one process, worker and simulators included, as `npm start` runs it. */
export async function startDevelopmentServer(
  name: string,
  databaseUrl: string,
  dataDirectory: string,
): Promise<ServerProcess & { readonly apiKey: string }> {
  const server = await startServer({
    name,
    program: 'dist/src/main.js',
    environment: {
      NODE_ENV: 'development',
      LOG_LEVEL: 'warn',
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDirectory,
      BOOTSTRAP_API_KEY: API_KEY,
    },
    readyPath: '/readyz',
  });
  return { ...server, apiKey: API_KEY };
}

/** One of the programs in `peers`. */
export function startPeer(
  name: string,
  databaseUrl: string,
  more: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const environment = { DATABASE_URL: databaseUrl, POOL_SIZE: `${POOL_SIZE}`, ...more };
  return startServer({ name, program: new URL(`peers/${name}.ts`, import.meta.url).pathname, environment });
}
