import { type RunningApp, startApp } from '../../src/app.js';
import { loadConfig } from '../../src/config.js';
import { createTestDatabase } from './database.js';
import { GraphQLClient } from './graphql-client.js';

/** The whole server as it is deployed: no simulators, no demo conference. */
export interface ProductionApp {
  readonly app: RunningApp;
  /** Bears the bootstrap key. */
  readonly graphql: GraphQLClient;
  stop(): Promise<void>;
}

/** Of an administrator. */
export const BOOTSTRAP_KEY = 'a-bootstrap-key-of-production';

/** Starts it on an empty database; `environment` adds variables. */
export async function startProductionApp(environment: Record<string, string> = {}): Promise<ProductionApp> {
  const database = await createTestDatabase();
  const production = await startProductionOn(database.url, environment);
  return {
    ...production,
    stop: async () => {
      await production.stop();
      await database.drop();
    },
  };
}

/** The same on a database that is there already, and stays. */
export async function startProductionOn(
  databaseUrl: string,
  environment: Record<string, string> = {},
): Promise<ProductionApp> {
  const variables = {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
    BOOTSTRAP_API_KEY: BOOTSTRAP_KEY,
    LOG_LEVEL: 'silent',
    ...environment,
  };
  const app = await startApp(loadConfig(variables), () => undefined);
  return { app, graphql: new GraphQLClient(app.url, variables.BOOTSTRAP_API_KEY), stop: () => app.stop() };
}
