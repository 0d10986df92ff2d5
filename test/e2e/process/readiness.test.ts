import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApp } from '../../../src/app.js';
import { loadConfig } from '../../../src/config.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';

const KEY = `k1:${Buffer.alloc(32, 1).toString('base64')}`;

describe('a production process without a bootstrap key', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.drop());

  test.each(['api', 'worker'])('is ready as soon as it listens, as %s', async (role) => {
    const environment = { NODE_ENV: 'production', ENCRYPTION_KEYS: KEY, DATABASE_URL: database.url };
    const config = loadConfig({ ...environment, PORT: '0', ROLE: role, LOG_LEVEL: 'silent' });
    const app = await startApp(config, () => undefined);

    const ready = await fetch(`${app.url}/readyz`);

    expect(await ready.json()).toEqual({
      status: 'ready',
      database: true,
      migrations: true,
      starting: false,
      stopping: false,
      simulators: {},
    });
    expect(ready.status).toBe(200);
    await app.stop();
  });
});

describe('a development process', () => {
  /** One that nobody listens on. */
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  async function askedUntilReady(url: string): Promise<Data[]> {
    const answers: Data[] = [];
    for (;;) {
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      if (!answer) await delay(5);
      else answers.push((await answer.json()) as Data);
      if (answer?.ok) return answers;
    }
  }

  test('is ready only when the demo conference is there and connected', async () => {
    const database = await createTestDatabase();
    const directory = await mkdtemp(join(tmpdir(), 'conference-invoicing-test-'));
    await chmod(directory, 0o755);
    const port = await freePort();
    const environment = { DATABASE_URL: database.url, DATA_DIR: directory, BOOTSTRAP_API_KEY: 'a-key-of-development' };
    const config = loadConfig({ ...environment, PORT: String(port), LOG_LEVEL: 'silent' });
    const starting = startApp(config, () => undefined);
    const url = `http://127.0.0.1:${port}`;

    const answers = await askedUntilReady(url);

    const graphql = new GraphQLClient(url, 'a-key-of-development');
    expect(
      await graphql.query('{ conference(slug: "demo") { qboConnection { status } stripeConnection { status } } }'),
    ).toEqual({ conference: { qboConnection: { status: 'CONNECTED' }, stripeConnection: { status: 'CONNECTED' } } });
    const { purchaseOrders } = await graphql.query('{ purchaseOrders { totalCount } }');
    expect(answers.at(-1)).toMatchObject({ status: 'ready', starting: false });
    for (const answer of answers.slice(0, -1)) expect(answer).toMatchObject({ status: 'not ready', starting: true });
    const app = await starting;
    expect((await graphql.query('{ purchaseOrders { totalCount } }')).purchaseOrders).toEqual(purchaseOrders);
    await app.stop();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });
});
