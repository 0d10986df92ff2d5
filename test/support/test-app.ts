import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type RunningApp, startApp } from '../../src/app.js';
import type { Waits } from '../../src/application/waits.js';
import { loadConfig } from '../../src/config.js';
import { createTestDatabase } from './database.js';
import { GraphQLClient } from './graphql-client.js';
import { SimulatorControl } from './simulator-control.js';
import { StripeControl } from './stripe-control.js';
import { testWaits } from './test-waits.js';

/** A whole server on a database of its own, with a simulated QuickBooks and Stripe that it is connected to. */
export interface TestApp {
  readonly app: RunningApp;
  readonly graphql: GraphQLClient;
  readonly quickbooks: SimulatorControl;
  readonly stripe: StripeControl;
  /** The demo conference, which is connected to the first company and the first account of the simulators. */
  readonly conferenceId: string;
  readonly verifierToken: string;
  readonly databaseUrl: string;
  /** Plain SQL, for looking at rows the API does not show. */
  sql<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

const API_KEY = 'test-bootstrap-key-0123456789';
const VERIFIER_TOKEN = 'test-verifier-token';

/** Starts it; `environment` overrides variables and `waits` the waits of tests. Stop it in `afterAll`. */
export async function startTestApp(
  environment: Record<string, string> = {},
  waits: Partial<Waits> = {},
): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'conference-invoicing-test-'));
  await chmod(dataDirectory, 0o755);
  const config = loadConfig({
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: dataDirectory,
    LOG_LEVEL: 'silent',
    BOOTSTRAP_API_KEY: API_KEY,
    QBO_WEBHOOK_VERIFIER_TOKEN: VERIFIER_TOKEN,
    ...environment,
  });
  // Tests count reads: a sweep is what they ask for, not what happens to fall into a full minute.
  const unswept = { firstSweepMs: 24 * 3_600_000 };
  const app = await startApp({ ...config, waits: { ...testWaits, ...unswept, ...waits } }, () => undefined);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  // Dropping the database ends whatever connection a failed test left open.
  pool.on('error', () => undefined);
  const { quickbooks, stripe } = app.simulators;
  if (!quickbooks || !stripe) throw new Error('a simulator did not start');
  const graphql = new GraphQLClient(app.url, API_KEY);
  const sql = async <Row extends object>(text: string, params: unknown[] = []) =>
    (await pool.query<Row>(text, params)).rows;
  const [conference] = await sql<{ id: string }>("select id from conference where slug = 'demo'");
  return {
    app,
    graphql,
    quickbooks: new SimulatorControl(quickbooks),
    stripe: new StripeControl(stripe),
    conferenceId: String(conference?.id),
    verifierToken: VERIFIER_TOKEN,
    databaseUrl: database.url,
    sql,
    stop: async () => {
      await pool.end();
      await app.stop();
      await database.drop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
