import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { TokenClaim } from '../../../src/application/ports/accounting.js';
import { standardWaits } from '../../../src/application/waits.js';
import { QboConnectionStatus } from '../../../src/domain/quickbooks/qbo-connection.entity.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { PostgresTokenStore } from '../../../src/infrastructure/quickbooks/postgres-token-store.js';
import type { SealedTokens } from '../../../src/infrastructure/quickbooks/token-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { insertConnection, readConnection } from './connections.js';

let database: TestDatabase;
let orm: MikroORM;
let store: PostgresTokenStore;

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  store = new PostgresTokenStore(orm, standardWaits);
});

afterAll(async () => {
  await orm.close();
  await database.drop();
});

const newTokens: SealedTokens = {
  accessToken: 'sealed(access-2)',
  refreshToken: 'sealed(refresh-2)',
  accessTokenExpiresAt: new Date('2026-11-21T13:00:00.123Z'),
  replacedRefreshToken: 'sealed(refresh-1 again)',
  refreshTokenExpiresAt: new Date('2027-03-02T12:00:00Z'),
  refreshTokenHardExpiresAt: new Date('2031-11-20T12:00:00Z'),
};

async function claim(connectionId: string, tokenVersion = 1): Promise<TokenClaim> {
  const claimed = await store.claimRefresh(connectionId, tokenVersion);
  if (!claimed) throw new Error('expected a claim');
  return claimed;
}

/** A database whose connection is lost with the first statement, before or after that was carried out. */
function losingFirst(orm: MikroORM, isCarriedOut: boolean): MikroORM {
  let isLost = false;
  const execute = async (sql: string, parameters: unknown[]): Promise<unknown> => {
    const isFirst = !isLost;
    isLost = true;
    const rows = isFirst && !isCarriedOut ? [] : await orm.em.fork().getConnection().execute(sql, parameters);
    if (isFirst) throw new Error('Connection terminated unexpectedly');
    return rows;
  };
  const em = { fork: () => ({ getConnection: () => ({ execute }) }) };
  return new Proxy(orm, { get: (target, name) => (name === 'em' ? em : Reflect.get(target, name, target)) });
}

/** As if the time of the lease had passed. */
async function endLease(connectionId: string): Promise<void> {
  await orm.em
    .fork()
    .execute(`update qbo_connection set refresh_lease_until = now() - interval '1 ms' where id = ?`, [connectionId]);
}

describe('loading', () => {
  test('a connection with everything that is needed to use it', async () => {
    const accessTokenExpiresAt = new Date('2026-11-21T13:00:00.789Z');
    const { id, realmId } = await insertConnection(orm, {
      accessTokenExpiresAt,
      clientId: 'own-id',
      clientSecret: 'sealed(own-secret)',
      simulated: true,
    });
    expect(await store.load(id)).toEqual({
      id,
      environment: 'SANDBOX',
      realmId,
      simulated: true,
      reconnectRequired: false,
      accessToken: 'sealed(access-1)',
      refreshToken: 'sealed(refresh-1)',
      previousRefreshToken: undefined,
      accessTokenExpiresAt,
      isAccessTokenNew: false,
      tokenVersion: 1,
      pauses: { read: { remainingMs: 0, count: 0 }, write: { remainingMs: 0, count: 0 } },
      app: { clientId: 'own-id', clientSecret: 'sealed(own-secret)' },
      homeCurrency: undefined,
    });
  });

  test('one that must be reconnected, without an app of its own', async () => {
    const { id } = await insertConnection(orm, { status: QboConnectionStatus.RECONNECT_REQUIRED });
    expect(await store.load(id)).toMatchObject({ reconnectRequired: true, app: undefined });
  });

  test('one whose company settings were read, with its home currency', async () => {
    const settings = { homeCurrency: 'JPY', multiCurrency: false, customDocumentNumbers: false };
    const { id } = await insertConnection(orm, { settings });
    expect(await store.load(id)).toMatchObject({ homeCurrency: 'JPY' });
  });

  test('one that does not exist is undefined', async () => {
    expect(await store.load('qbo_none')).toBeUndefined();
  });
});

test('an access token is new for five minutes after a refresh, and not when a person gave it', async () => {
  const { id } = await insertConnection(orm);
  expect(await store.load(id)).toMatchObject({ isAccessTokenNew: false });
  await store.recordTokens(await claim(id), newTokens);
  expect(await store.load(id)).toMatchObject({ isAccessTokenNew: true });
  const passed = (minutes: number) =>
    orm.em
      .fork()
      .execute(`update qbo_connection set refreshed_at = now() - ? * interval '1 minute' where id = ?`, [minutes, id]);
  await passed(4.9);
  expect(await store.load(id)).toMatchObject({ isAccessTokenNew: true });
  await passed(5);
  expect(await store.load(id)).toMatchObject({ isAccessTokenNew: false });
});

describe('the refresh token before the last change', () => {
  test('is known for a day', async () => {
    const { id } = await insertConnection(orm);
    await store.recordTokens(await claim(id), newTokens);
    expect((await store.load(id))?.previousRefreshToken).toBe('sealed(refresh-1 again)');
    await orm.em
      .fork()
      .execute(
        `update qbo_connection set refresh_token_changed_at = refresh_token_changed_at - interval '24 hours' where id = ?`,
        [id],
      );
    expect((await store.load(id))?.previousRefreshToken).toBeUndefined();
  });

  test('stays known when a refresh brings the same value again', async () => {
    const { id } = await insertConnection(orm);
    await store.recordTokens(await claim(id), newTokens);
    await store.recordTokens(await claim(id, 2), { ...newTokens, replacedRefreshToken: undefined });
    expect((await store.load(id))?.previousRefreshToken).toBe('sealed(refresh-1 again)');
  });
});

describe('tokens that QuickBooks refuses', () => {
  test('end the connection', async () => {
    const { id } = await insertConnection(orm);
    expect(await store.requireReconnectOf(id, 1)).toBe(true);
    expect(await readConnection(orm, id)).toMatchObject({ status: 'RECONNECT_REQUIRED', refreshLeaseUntil: null });
    expect(await store.claimRefresh(id, 1)).toBeUndefined();
  });

  test('end nothing while somebody is refreshing them, whose new ones may work', async () => {
    const { id } = await insertConnection(orm);
    const refresh = await claim(id);
    expect(await store.requireReconnectOf(id, 1)).toBe(false);
    expect(await store.recordTokens(refresh, newTokens)).toBe(true);
    expect(await readConnection(orm, id)).toMatchObject({ status: 'CONNECTED', tokenVersion: 2 });
  });

  test('end the connection when the one that refreshed them died', async () => {
    const { id } = await insertConnection(orm);
    await claim(id);
    await endLease(id);
    expect(await store.requireReconnectOf(id, 1)).toBe(true);
  });

  test('end nothing when they are not the stored ones any more', async () => {
    const { id } = await insertConnection(orm, { tokenVersion: 2 });
    expect(await store.requireReconnectOf(id, 1)).toBe(false);
    expect((await readConnection(orm, id)).status).toBe('CONNECTED');
  });
});

describe('claiming the refresh', () => {
  test('of twenty at once exactly one gets it', async () => {
    const { id } = await insertConnection(orm);
    const claims = await Promise.all(Array.from({ length: 20 }, () => store.claimRefresh(id, 1)));
    expect(claims.filter(Boolean)).toEqual([{ connectionId: id, tokenVersion: 1, fence: 1 }]);
    const { refreshFence, refreshLeaseUntil } = await readConnection(orm, id);
    expect(refreshFence).toBe(1);
    const leaseMs = (refreshLeaseUntil?.getTime() ?? 0) - Date.now();
    expect(leaseMs).toBeGreaterThan(45_000);
    expect(leaseMs).toBeLessThanOrEqual(50_500);
  });

  test('for tokens that are not the stored ones any more is refused', async () => {
    const { id } = await insertConnection(orm, { tokenVersion: 2 });
    expect(await store.claimRefresh(id, 1)).toBeUndefined();
    expect((await readConnection(orm, id)).refreshFence).toBe(0);
  });

  test('of a connection that must be reconnected is refused', async () => {
    const { id } = await insertConnection(orm, { status: QboConnectionStatus.RECONNECT_REQUIRED });
    expect(await store.claimRefresh(id, 1)).toBeUndefined();
  });

  test('of a connection that must be reconnected is for those who bring other tokens, one at a time', async () => {
    const { id } = await insertConnection(orm, { status: QboConnectionStatus.RECONNECT_REQUIRED });
    expect(await store.claimReplacement(id, 2)).toBeUndefined();
    expect(await store.claimReplacement(id, 1)).toEqual({ connectionId: id, tokenVersion: 1, fence: 1 });
    expect(await store.claimReplacement(id, 1)).toBeUndefined();
    expect((await readConnection(orm, id)).status).toBe('RECONNECT_REQUIRED');
  });

  test('after a lease that has expired somebody else takes over, with a higher fence', async () => {
    const { id } = await insertConnection(orm);
    await claim(id);
    expect(await store.claimRefresh(id, 1)).toBeUndefined();
    await endLease(id);
    expect(await store.claimRefresh(id, 1)).toEqual({ connectionId: id, tokenVersion: 1, fence: 2 });
  });

  test('after a release the next one may try after a rest', async () => {
    const { id } = await insertConnection(orm);
    await store.releaseRefresh(await claim(id));
    expect(await store.claimRefresh(id, 1)).toBeUndefined();
    const restMs = ((await readConnection(orm, id)).refreshLeaseUntil?.getTime() ?? 0) - Date.now();
    expect(restMs).toBeGreaterThan(0);
    expect(restMs).toBeLessThanOrEqual(2_500);
    await endLease(id);
    expect(await store.claimRefresh(id, 1)).toMatchObject({ fence: 2 });
  });
});

describe('recording new tokens', () => {
  test('stores all of them, raises the version and ends the lease', async () => {
    const { id } = await insertConnection(orm);
    expect(await store.recordTokens(await claim(id), newTokens)).toBe(true);
    const { replacedRefreshToken: previousRefreshToken, ...stored } = newTokens;
    expect(await readConnection(orm, id)).toMatchObject({
      ...stored,
      previousRefreshToken,
      tokenVersion: 2,
      refreshFence: 1,
      refreshLeaseUntil: null,
      status: 'CONNECTED',
      companyName: 'Conf Inc',
    });
  });

  test('is repeated when the database was lost on the way, stored or not', async () => {
    for (const isStored of [false, true]) {
      const { id } = await insertConnection(orm);
      const flaky = new PostgresTokenStore(losingFirst(orm, isStored), { ...standardWaits, recordingRetryMs: 1 });
      expect(await flaky.recordTokens(await claim(id), newTokens)).toBe(!isStored);
      expect(await readConnection(orm, id)).toMatchObject({ refreshToken: 'sealed(refresh-2)', tokenVersion: 2 });
    }
  });

  test('keeps what Intuit did not name', async () => {
    const { id } = await insertConnection(orm);
    await store.recordTokens(await claim(id), {
      ...newTokens,
      refreshToken: 'sealed(refresh-1 anew)',
      replacedRefreshToken: undefined,
      refreshTokenExpiresAt: undefined,
      refreshTokenHardExpiresAt: undefined,
    });
    expect(await readConnection(orm, id)).toMatchObject({
      accessToken: 'sealed(access-2)',
      refreshToken: 'sealed(refresh-1 anew)',
      previousRefreshToken: null,
      refreshTokenChangedAt: null,
      refreshTokenHardExpiresAt: null,
      refreshTokenExpiresAt: new Date('2027-01-01T00:00:00Z'),
    });
  });

  test('is refused to one that was overtaken, before and after the other has finished', async () => {
    const { id } = await insertConnection(orm);
    const slow = await claim(id);
    await endLease(id);
    const quick = await claim(id);
    expect(await store.recordTokens(slow, { ...newTokens, accessToken: 'sealed(late)' })).toBe(false);
    expect(await store.recordTokens(quick, newTokens)).toBe(true);
    expect(await store.recordTokens(slow, { ...newTokens, accessToken: 'sealed(later)' })).toBe(false);
    expect(await readConnection(orm, id)).toMatchObject({ accessToken: 'sealed(access-2)', tokenVersion: 2 });
  });

  test('is refused when a person reconnected meanwhile', async () => {
    const { id } = await insertConnection(orm);
    const claimed = await claim(id);
    await orm.em
      .fork()
      .execute(`update qbo_connection set access_token = 'sealed(new)', token_version = 2 where id = ?`, [id]);
    expect(await store.recordTokens(claimed, newTokens)).toBe(false);
    expect(await readConnection(orm, id)).toMatchObject({ accessToken: 'sealed(new)', tokenVersion: 2 });
  });
});

describe('requiring a reconnect', () => {
  test('changes the status and nothing else that matters', async () => {
    const { id } = await insertConnection(orm);
    const before = await readConnection(orm, id);
    expect(await store.requireReconnect(await claim(id))).toBe(true);
    const after = await readConnection(orm, id);
    expect(after.status).toBe('RECONNECT_REQUIRED');
    const { status: _1, updatedAt: _2, refreshFence: _3, ...kept } = { ...before };
    expect(after).toMatchObject(kept);
  });

  test('is refused to one that was overtaken', async () => {
    const { id } = await insertConnection(orm);
    const slow = await claim(id);
    await endLease(id);
    await claim(id);
    expect(await store.requireReconnect(slow)).toBe(false);
    expect((await readConnection(orm, id)).status).toBe('CONNECTED');
  });
});

test('one that was overtaken cannot end the lease of the other', async () => {
  const { id } = await insertConnection(orm);
  const slow = await claim(id);
  await endLease(id);
  await claim(id);
  await store.releaseRefresh(slow);
  expect(await store.claimRefresh(id, 1)).toBeUndefined();
});
