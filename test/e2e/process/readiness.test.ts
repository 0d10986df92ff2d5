import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApp } from '../../../src/app.js';
import { loadConfig } from '../../../src/config.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

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
      stopping: false,
      simulators: {},
    });
    expect(ready.status).toBe(200);
    await app.stop();
  });
});
