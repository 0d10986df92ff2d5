import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Waits } from '../../../src/application/waits.js';
import { systemClock } from '../../../src/domain/clock.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { intuitEndpoints } from '../../../src/infrastructure/quickbooks/endpoints.js';
import { PostgresTokenStore } from '../../../src/infrastructure/quickbooks/postgres-token-store.js';
import { QboTokens } from '../../../src/infrastructure/quickbooks/tokens.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { testWaits } from '../../support/test-waits.js';
import { markingBox } from '../../unit/quickbooks/memory-token-store.js';
import { json, type StandIn, startStandIn } from '../../unit/quickbooks/stand-in.js';
import { insertConnection, readConnection } from './connections.js';

let database: TestDatabase;
/** Each stands for a process: they share nothing but the database. */
const processes: MikroORM[] = [];
let tokenEndpoint: StandIn | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  for (let index = 0; index < 3; index++) processes.push(await openOrm(database.url));
});

afterEach(async () => {
  await tokenEndpoint?.close();
});

afterAll(async () => {
  for (const orm of processes) await orm.close();
  await database.drop();
});

function tokensOf(orm: MikroORM, changed: Partial<Waits> = {}): QboTokens {
  const waits = { ...testWaits, tokenPollMs: 20, tokenTimeoutMs: 3000, ...changed };
  return new QboTokens({
    store: new PostgresTokenStore(orm, waits),
    secrets: markingBox,
    clock: systemClock,
    endpoints: () => ({ ...intuitEndpoints('SANDBOX'), tokenUrl: `${tokenEndpoint?.url}/tokens` }),
    defaultApp: { clientId: 'id', clientSecret: 'secret' },
    waits,
  });
}

/** Answers the n-th request with the tokens `access-n`, `refresh-n`, n from 2 on, after the n-th delay. */
async function issueAfter(...delaysMs: number[]): Promise<void> {
  let count = 1;
  tokenEndpoint = await startStandIn(async (_request, response) => {
    count++;
    const number = count;
    await delay(delaysMs[number - 2] ?? 0);
    json(response, 200, { access_token: `access-${number}`, refresh_token: `refresh-${number}`, expires_in: 3600 });
  });
}

const [first, second] = [() => processes[0] as MikroORM, () => processes[1] as MikroORM];

describe('refreshing from several processes', () => {
  test('60 callers in three processes cause one token request and all get its token', async () => {
    const { id } = await insertConnection(first());
    await issueAfter(200);
    const perProcess = processes.map((orm) => tokensOf(orm));
    const callers = perProcess.flatMap((tokens) => Array.from({ length: 20 }, () => tokens.current(id)));
    const results = await Promise.all(callers);
    expect(new Set(results.map((result) => result.ok && result.value.accessToken))).toEqual(new Set(['access-2']));
    expect(tokenEndpoint?.requests).toHaveLength(1);
    expect((await readConnection(first(), id)).tokenVersion).toBe(2);
  });

  test('the lease of a process that died is taken over when it has run out', async () => {
    const { id } = await insertConnection(first());
    await issueAfter();
    await new PostgresTokenStore(first(), { ...testWaits, tokenLeaseMs: 300 }).claimRefresh(id, 1);
    const startedAt = performance.now();
    const result = await tokensOf(second()).current(id);
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    expect(result).toMatchObject({ ok: true, value: { accessToken: 'access-2' } });
    expect(await readConnection(first(), id)).toMatchObject({ refreshFence: 2, tokenVersion: 2 });
  });

  test('a slow refresher that was overtaken discards its tokens and uses the stored ones', async () => {
    const { id } = await insertConnection(first());
    await issueAfter(800, 0);
    const slow = tokensOf(first(), { tokenLeaseMs: 100 }).current(id);
    await delay(200);
    const quick = await tokensOf(second()).current(id);
    expect(quick).toMatchObject({ ok: true, value: { accessToken: 'access-3' } });
    expect(await slow).toMatchObject({ ok: true, value: { accessToken: 'access-3', tokenVersion: 2 } });
    expect(await readConnection(first(), id)).toMatchObject({
      accessToken: 'sealed(access-3)',
      refreshToken: 'sealed(refresh-3)',
      tokenVersion: 2,
    });
    expect(tokenEndpoint?.requests).toHaveLength(2);
  });

  test.each<[string, number, unknown]>([
    ['lost behind a gateway', 502, '<html>'],
    ['no tokens', 200, '<html>'],
    ['a refusal', 400, { error: 'invalid_request' }],
  ])('after %s nobody asks again for a while, and then one does', async (_what, status, body) => {
    const { id } = await insertConnection(first());
    const askedAt: number[] = [];
    tokenEndpoint = await startStandIn((_request, response) => {
      askedAt.push(performance.now());
      if (askedAt.length <= 2) json(response, status, body);
      else json(response, 200, { access_token: 'access-2', expires_in: 3600 });
    });
    const results = await Promise.all(processes.map((orm) => tokensOf(orm, { tokenRetryMs: 300 }).current(id)));
    const gaps = askedAt.slice(1).map((at, index) => at - (askedAt[index] ?? 0));
    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeGreaterThan(290);
    expect(results.filter(({ ok }) => ok).length).toBeGreaterThan(0);
    expect(await readConnection(first(), id)).toMatchObject({ accessToken: 'sealed(access-2)', tokenVersion: 2 });
  });

  test('invalid_grant marks the connection, and nobody asks again', async () => {
    const { id } = await insertConnection(first());
    tokenEndpoint = await startStandIn((_request, response) => json(response, 400, { error: 'invalid_grant' }));
    const results = await Promise.all(processes.map((orm) => tokensOf(orm).current(id)));
    expect(results.map((result) => !result.ok && result.failure.kind)).toEqual(Array(3).fill('reconnect_required'));
    expect(tokenEndpoint.requests).toHaveLength(1);
    expect(await readConnection(first(), id)).toMatchObject({
      status: 'RECONNECT_REQUIRED',
      accessToken: 'sealed(access-1)',
      refreshToken: 'sealed(refresh-1)',
      tokenVersion: 1,
    });
  });
});
