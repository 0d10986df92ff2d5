import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { loadConfig } from '../../src/config.js';
import { isSimulatorKey, startLocalSimulators } from '../../src/development/local-simulators.js';
import { openOrm } from '../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let orm: MikroORM;
let dataDirectory: string;

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  dataDirectory = await mkdtemp(join(tmpdir(), 'conference-invoicing-test-'));
});

beforeEach(async () => {
  await orm.em.fork().execute('delete from stripe_connection');
  await orm.em.fork().execute('delete from conference');
});

afterAll(async () => {
  await orm.close();
  await database.drop();
  await rm(dataDirectory, { recursive: true, force: true });
});

/** Which simulators a server with this environment would start; they are stopped again. */
async function started(environment: Record<string, string> = {}): Promise<string[]> {
  const config = loadConfig({ PORT: '0', DATA_DIR: dataDirectory, ...environment });
  await using resources = new AsyncDisposableStack();
  const simulators = await startLocalSimulators(config, orm.em.fork(), () => undefined, resources);
  return Object.entries(simulators).flatMap(([name, simulator]) => (simulator ? [name] : []));
}

async function addConference(slug: string, connection: 'real' | 'simulated' | 'none'): Promise<void> {
  const em = orm.em.fork();
  await em.execute(
    `insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
     values (?, ?, ?, 'UTC', 'USD', now(), now())`,
    [`conf_${slug}`, slug, slug],
  );
  if (connection === 'none') return;
  await em.execute(
    `insert into stripe_connection (id, conference_id, account_id, account_name, live_mode, simulated, status, secret_key,
       webhook_secret, days_until_due, sweep_due_at, created_at, updated_at)
     values (?, ?, 'acct_1', 'Account', false, ?, 'CONNECTED', '', '', 30, now(), now(), now())`,
    [`str_${slug}`, `conf_${slug}`, connection === 'simulated'],
  );
}

describe('the simulators of a development server', () => {
  test('are both there at first', async () => {
    expect(await started()).toEqual(['quickbooks', 'stripe']);
  });

  test('stand back, each by itself, where the environment names an address', async () => {
    expect(await started({ STRIPE_API_BASE_URL: 'http://127.0.0.1:1' })).toEqual(['quickbooks']);
    expect(await started({ QBO_API_BASE_URL: 'http://127.0.0.1:1' })).toEqual(['stripe']);
  });

  test('are none in production, and none beside other processes', async () => {
    const ENCRYPTION_KEYS = `k:${Buffer.alloc(32).toString('base64')}`;
    expect(await started({ NODE_ENV: 'production', ENCRYPTION_KEYS })).toEqual([]);
    expect(await started({ ROLE: 'api', DATABASE_URL: database.url })).toEqual([]);
  });

  test('of Stripe is there as long as a conference has no account of its own', async () => {
    await addConference('real', 'real');
    expect(await started()).toEqual(['quickbooks']);

    await addConference('other', 'none');
    expect(await started()).toEqual(['quickbooks', 'stripe']);
  });

  test('of Stripe is there for a conference that uses it', async () => {
    await addConference('real', 'real');
    await addConference('simulated', 'simulated');
    expect(await started()).toEqual(['quickbooks', 'stripe']);
  });
});

test.each([
  ['sk_test_simulator', true],
  ['rk_test_simulator_2', true],
  ['sk_test_51Habc', false],
  ['sk_live_simulation', false],
])('the key %s belongs to the simulator: %s', (key, isOurs) => {
  expect(isSimulatorKey(key)).toBe(isOurs);
});
