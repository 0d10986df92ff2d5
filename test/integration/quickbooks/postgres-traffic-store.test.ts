import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { Deadline } from '../../../src/application/deadline.js';
import { standardWaits, type Waits } from '../../../src/application/waits.js';
import { systemClock } from '../../../src/domain/clock.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import type { QboAnswer, QboCall } from '../../../src/infrastructure/quickbooks/http-client.js';
import { PostgresTokenStore } from '../../../src/infrastructure/quickbooks/postgres-token-store.js';
import { PostgresTrafficStore } from '../../../src/infrastructure/quickbooks/postgres-traffic-store.js';
import { Traffic } from '../../../src/infrastructure/quickbooks/traffic.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { insertConnection, readConnection } from './connections.js';

const READ: QboCall = { operation: 'read_invoice', method: 'GET', effect: 'read', path: 'invoice/1' };
const WRITE: QboCall = { operation: 'create_invoice', method: 'POST', effect: 'write', path: 'invoice' };
const THROTTLED: QboAnswer = {
  kind: 'failed',
  cause: 'throttled',
  failure: { kind: 'unavailable', message: 'too many', trace: {} },
};

let database: TestDatabase;
/** Each stands for a process: they share nothing but the database. */
const processes: MikroORM[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  for (let index = 0; index < 2; index++) processes.push(await openOrm(database.url));
});

afterAll(async () => {
  for (const orm of processes) await orm.close();
  await database.drop();
});

const orm = (index = 0) => processes[index] as MikroORM;

function storeOf(index = 0, waits: Partial<Waits> = {}): PostgresTrafficStore {
  return new PostgresTrafficStore(orm(index), { ...standardWaits, ...waits });
}

async function sql(text: string, params: unknown[] = []) {
  return orm().em.fork().execute(text, params);
}

/** Places taken at once, by two processes in turn, as milliseconds from now; the soonest first. */
async function takeAtOnce(connectionId: string, count: number, maxWaitMs: number): Promise<number[]> {
  const stores = [storeOf(0), storeOf(1)];
  const places = await Promise.all(
    Array.from({ length: count }, (_, index) => stores[index % 2]?.takePlace(connectionId, ['CALL'], maxWaitMs)),
  );
  return places.filter((place) => place !== undefined).toSorted((left, right) => left - right);
}

describe('places for calls', () => {
  test('two may go at once, and the others follow evenly, whichever process asks', async () => {
    const { id } = await insertConnection(orm());
    const startedAt = performance.now();
    const places = await takeAtOnce(id, 40, 60_000);
    const askedForMs = performance.now() - startedAt;
    expect(places).toHaveLength(40);
    const last = places.at(-1) ?? 0;
    expect(last).toBeLessThanOrEqual(38 * standardWaits.callSpacingMs + 1);
    expect(last).toBeGreaterThan(38 * standardWaits.callSpacingMs - askedForMs - 1);
  });

  test('never make more than ten calls in any second or 500 in any minute', () => {
    const { callSpacingMs, batchSpacingMs } = standardWaits;
    expect(2 + Math.floor(1_000 / callSpacingMs)).toBeLessThanOrEqual(10);
    expect(2 + Math.floor(60_000 / callSpacingMs)).toBeLessThanOrEqual(500);
    expect(2 + Math.floor(60_000 / batchSpacingMs)).toBeLessThanOrEqual(40);
  });

  test('that are too far away are not taken', async () => {
    const { id } = await insertConnection(orm());
    const slow = storeOf(0, { callSpacingMs: 60_000 });
    expect(await slow.takePlace(id, ['CALL'], 1_000)).toBe(0);
    expect(await slow.takePlace(id, ['CALL'], 1_000)).toBe(0);
    const [before] = await sql('select next_at from qbo_throttle where connection_id = ?', [id]);
    expect(await slow.takePlace(id, ['CALL'], 1_000)).toBeUndefined();
    expect(await sql('select next_at from qbo_throttle where connection_id = ?', [id])).toEqual([before]);
    expect(await slow.takePlace(id, ['CALL'], 61_000)).toBeGreaterThan(50_000);
  });

  test('of one company are no concern of another', async () => {
    const [busy, idle] = [await insertConnection(orm()), await insertConnection(orm())];
    await takeAtOnce(busy.id, 10, 60_000);
    expect(await storeOf().takePlace(idle.id, ['CALL'], 0)).toBe(0);
  });

  test('for batches are counted as calls and as batches', async () => {
    const { id } = await insertConnection(orm());
    const store = storeOf();
    expect(await store.takePlace(id, ['CALL', 'BATCH'], 0)).toBe(0);
    expect(await store.takePlace(id, ['CALL', 'BATCH'], 0)).toBe(0);
    expect(await store.takePlace(id, ['CALL', 'BATCH'], 5_000)).toBeGreaterThan(1_000);
    expect(await sql('select bucket from qbo_throttle where connection_id = ? order by bucket', [id])).toEqual([
      { bucket: 'BATCH' },
      { bucket: 'CALL' },
    ]);
  });
});

describe('pauses', () => {
  const STEPS = [60_000, 60_000, 900_000, 3_600_000] as const;

  /** As if the pause were over. The column rounds to milliseconds, also up. */
  async function endPause(id: string): Promise<void> {
    await sql(`update qbo_connection set reads_paused_until = now() - interval '1 ms' where id = ?`, [id]);
  }

  test('grow while no call succeeds in between, and stay at the longest', async () => {
    const { id } = await insertConnection(orm());
    const lengths: unknown[] = [];
    for (let count = 0; count < 5; count++) {
      lengths.push((await storeOf().pause(id, 'read', STEPS)).remainingMs);
      await endPause(id);
    }
    expect(lengths).toEqual([60_000, 60_000, 900_000, 3_600_000, 3_600_000]);
  });

  test('that several calls ask for at the same time are one', async () => {
    const { id } = await insertConnection(orm());
    const stores = [storeOf(0), storeOf(1)];
    const told = await Promise.all(stores.flatMap((store) => [1, 2, 3].map(() => store.pause(id, 'read', STEPS))));
    for (const { remainingMs, count } of told) {
      expect(remainingMs).toBeGreaterThan(50_000);
      expect(remainingMs).toBeLessThanOrEqual(60_000);
      expect(count).toBe(1);
    }
    expect((await readConnection(orm(), id)).readsPauses).toBe(1);
  });

  test('of reads let writes go on, and are loaded with the tokens', async () => {
    const { id } = await insertConnection(orm());
    await storeOf().pause(id, 'read', STEPS);
    const stored = await new PostgresTokenStore(orm(1), standardWaits).load(id);
    expect(stored?.pauses.write).toEqual({ remainingMs: 0, count: 0 });
    expect(stored?.pauses.read.count).toBe(1);
    expect(stored?.pauses.read.remainingMs).toBeGreaterThan(50_000);
    expect(stored?.pauses.read.remainingMs).toBeLessThanOrEqual(60_000);
  });

  test('that begin meanwhile stop the calls that wait for their places, in every process', async () => {
    const { id } = await insertConnection(orm());
    const connection = await new PostgresTokenStore(orm(), standardWaits).load(id);
    if (!connection) throw new Error('it was just inserted');
    const waits = { ...standardWaits, callSpacingMs: 300 };
    const [one, other] = [0, 1].map((index) => {
      return new Traffic({ store: storeOf(index, waits), clock: systemClock, waits, onTrouble: () => undefined });
    }) as [Traffic, Traffic];
    const admit = (traffic: Traffic, call: QboCall) => traffic.admit(connection, call, Deadline.after(60_000));
    expect(await admit(one, READ)).toBeUndefined();
    expect(await admit(one, READ)).toBeUndefined();

    const reads = [one, other, one, other].map((traffic) => admit(traffic, READ));
    const write = admit(other, WRITE);
    const startedAt = Date.now();
    await one.learn(connection, READ, THROTTLED);

    for (const refused of await Promise.all(reads)) {
      expect(refused).toMatchObject({ kind: 'failed', failure: { kind: 'unavailable', retryAt: expect.any(Date) } });
      const { failure } = refused as { failure: { retryAt: Date } };
      expect(Math.round((failure.retryAt.getTime() - startedAt) / 10_000)).toBe(6);
    }
    expect(await write).toBeUndefined();
  });

  test('are forgotten after a success, but not by one that began before the latest of them', async () => {
    const { id } = await insertConnection(orm());
    await storeOf().pause(id, 'read', STEPS);
    await endPause(id);
    await storeOf().pause(id, 'read', STEPS);
    await storeOf().forgetPauses(id, 'read', 1);
    expect((await readConnection(orm(), id)).readsPauses).toBe(2);
    await storeOf().forgetPauses(id, 'read', 2);
    expect(await readConnection(orm(), id)).toMatchObject({ readsPauses: 0, readsPausedUntil: null });
  });
});

test('usage adds up over processes, by company and month', async () => {
  const [first, second] = [await insertConnection(orm()), await insertConnection(orm())];
  await storeOf(0).addUsage([
    { connectionId: first.id, reads: 2, writes: 1 },
    { connectionId: second.id, reads: 0, writes: 4 },
  ]);
  await sql(`insert into qbo_usage (connection_id, month, reads) values (?, '2020-01-01', 7)`, [first.id]);
  await storeOf(1).addUsage([{ connectionId: first.id, reads: 3, writes: 0 }]);
  expect(
    await sql(
      `select connection_id as id, reads, writes from qbo_usage
       where month = date_trunc('month', now() at time zone 'UTC')::date order by connection_id`,
    ),
  ).toEqual(
    [
      { id: first.id, reads: 5, writes: 1 },
      { id: second.id, reads: 0, writes: 4 },
    ].toSorted((left, right) => left.id.localeCompare(right.id)),
  );
});
