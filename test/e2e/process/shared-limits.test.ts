import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { standardWaits } from '../../../src/application/waits.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../../../src/simulators/quickbooks/simulator.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { GraphQLClient } from '../../support/graphql-client.js';
import { LINES } from '../../support/purchase-orders.js';
import { type CompiledPrograms, compilePrograms, type ProgramRun } from '../../support/server-process.js';
import { SimulatorControl } from '../../support/simulator-control.js';

const API_KEY = 'test-bootstrap-key-0123456789';
const PROCESSES = 4;
const CALLS = 50;

// Four server processes start on a busy machine.
jest.setTimeout(120_000);

let programs: CompiledPrograms;
let database: TestDatabase;
let simulator: QuickBooksSimulator;
let quickbooks: SimulatorControl;
let runs: ProgramRun[];
let servers: GraphQLClient[];

beforeAll(async () => {
  [programs, database, simulator] = await Promise.all([
    compilePrograms(),
    createTestDatabase(),
    startQuickBooksSimulator({ clientId: 'app', clientSecret: 'app-secret' }),
  ]);
  quickbooks = new SimulatorControl(simulator);
  const dataDirectory = await programs.createDataDirectory();
  runs = Array.from({ length: PROCESSES }, () =>
    programs.start('main', {
      ROLE: 'api',
      PORT: '0',
      DATA_DIR: dataDirectory,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'warn',
      BOOTSTRAP_API_KEY: API_KEY,
      ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
      QBO_API_BASE_URL: simulator.baseUrl,
      QBO_TOKEN_URL: simulator.tokenUrl,
      QBO_CLIENT_ID: 'app',
      QBO_CLIENT_SECRET: 'app-secret',
    }),
  );
  servers = await Promise.all(
    runs.map(async (run) => new GraphQLClient((await run.says(/(http:\S+)\/graphql/))[1] ?? '', API_KEY)),
  );
});

afterAll(async () => {
  await programs.remove();
  await simulator.stop();
  await database.drop();
});

const server = (index: number) => servers[index % PROCESSES] as GraphQLClient;

/** Orders of one organisation, ready to be invoiced with one write each. */
async function prepareOrders(): Promise<string[]> {
  const { realmId } = quickbooks;
  const { conference } = await server(0).mutate(
    'createConference',
    { name: 'Limits', slug: 'limits', currencyCode: 'USD' },
    'conference { id }',
  );
  const { accessToken, refreshToken } = await quickbooks.post('/tokens', { realmId });
  const tokens = { environment: 'SANDBOX', realmId, accessToken, refreshToken };
  await server(0).mutate('configureQboConnection', { conferenceId: conference.id, ...tokens }, '');
  const input = {
    conferenceId: conference.id,
    organizationName: 'Crowd Ltd',
    contactEmail: 'ap@example.com',
    lineItems: LINES,
  };
  const ids: string[] = [];
  for (let index = 0; index <= CALLS; index++) {
    ids.push((await server(index).mutate('createPurchaseOrder', input, 'purchaseOrder { id }')).purchaseOrder.id);
  }
  const first = await server(0).mutate('createQboInvoice', { purchaseOrderId: ids.pop() }, '');
  expect(first.userErrors).toEqual([]);
  return ids;
}

describe('four processes that have one company', () => {
  test('need one token request for fifty concurrent calls on an expired token, and keep their distance together', async () => {
    const orders = await prepareOrders();
    await quickbooks.post('/oauth', { rotateEveryRefresh: true, punishConcurrentRefresh: true });
    await quickbooks.post('/expire-tokens', { realmId: quickbooks.realmId });
    await quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/oauth2/' } });
    await quickbooks.delete('/requests');

    const startedAt = Date.now();
    const answers = await Promise.all(
      orders.map((purchaseOrderId, index) => server(index).mutate('createQboInvoice', { purchaseOrderId }, '')),
    );

    expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    expect((await quickbooks.requests('?kind=token')).map(({ status }) => status)).toEqual([200]);
    const writes = await quickbooks.requests('?kind=write');
    expect(writes.filter(({ status }) => status === 200)).toHaveLength(CALLS);
    expect(writes.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
    const lastSentAt = Math.max(...writes.map(({ at }) => Date.parse(at)));
    expect(lastSentAt - startedAt).toBeGreaterThanOrEqual((writes.length - 2) * standardWaits.callSpacingMs - 1);
    const { conference } = await server(1).query(
      '{ conference(slug: "limits") { qboConnection { status readsPausedUntil writesPausedUntil } } }',
    );
    expect(conference.qboConnection).toEqual({ status: 'CONNECTED', readsPausedUntil: null, writesPausedUntil: null });
  });

  test('have counted every call when they have stopped', async () => {
    for (const run of runs) run.signal('SIGTERM');
    for (const run of runs) expect(await run.ending()).toEqual({ code: 0, stderr: '' });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('select reads, writes from qbo_usage');
    await client.end();
    // Before: the preferences and a search for the customer; the customer and the first invoice.
    expect(rows).toEqual([{ reads: 2, writes: CALLS + 2 }]);
  });
});
