import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { storeTogether } from '../../../src/api/webhooks/store-together.js';
import type { ReceivedEvent } from '../../../src/application/ports/webhook-source.js';
import { storeDeliveries } from '../../../src/application/webhooks/store-webhook-events.js';
import { systemClock } from '../../../src/domain/clock.js';
import { randomIds } from '../../../src/domain/ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

let database: TestDatabase;
let orm: MikroORM;
/** How many deliveries each statement stored. */
let statements: number[];
let woken: string[];

const store = storeTogether((deliveries) => {
  statements.push(deliveries.length);
  const wake = (_provider: string, companyId: string) => void woken.push(companyId);
  return storeDeliveries({ em: orm.em.fork(), clock: systemClock, ids: randomIds, wake }, 'QBO', deliveries);
});

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
});

beforeEach(async () => {
  statements = [];
  woken = [];
  await orm.em.fork().execute('delete from webhook_event');
});

afterAll(async () => {
  await orm.close();
  await database.drop();
});

function event(eventId: string, companyId = '1'): ReceivedEvent {
  const object = { entity: 'invoice', entityId: '42', operation: 'updated' };
  return { eventId, companyId, ...object, occurredAt: undefined, payload: {} };
}

async function storedIds(): Promise<string[]> {
  const rows = await orm.em
    .fork()
    .execute<{ event_id: string }[]>('select event_id from webhook_event order by event_id');
  return rows.map((row) => row.event_id);
}

test('deliveries that arrive together are stored by one statement, and each is told of its own events', async () => {
  const receipts = await Promise.all([store([event('a'), event('b')]), store([]), store([event('c', '2')])]);
  expect(receipts).toEqual([
    { stored: 2, duplicates: 0 },
    { stored: 0, duplicates: 0 },
    { stored: 1, duplicates: 0 },
  ]);
  expect(statements).toEqual([3]);
  expect(await storedIds()).toEqual(['a', 'b', 'c']);
  expect(woken).toEqual(['1', '2']);
});

test('of an event in two of them one has stored it', async () => {
  const receipts = await Promise.all([store([event('a')]), store([event('a'), event('b')])]);
  expect(receipts).toEqual([
    { stored: 1, duplicates: 0 },
    { stored: 1, duplicates: 1 },
  ]);
  expect(await storedIds()).toEqual(['a', 'b']);
});

test('one that cannot be stored fails alone', async () => {
  // No column of the database takes a lone surrogate.
  const bad = event('bad \ud800');
  const [good, refused, other] = await Promise.allSettled([store([event('a')]), store([bad]), store([event('b')])]);
  expect(good).toEqual({ status: 'fulfilled', value: { stored: 1, duplicates: 0 } });
  expect(refused.status).toBe('rejected');
  expect(other).toEqual({ status: 'fulfilled', value: { stored: 1, duplicates: 0 } });
  expect(statements).toEqual([3, 1, 1, 1]);
  expect(await storedIds()).toEqual(['a', 'b']);
});

test('one that arrives later does not wait for others', async () => {
  await store([event('a')]);
  await store([event('b')]);
  expect(statements).toEqual([1, 1]);
});

test('when the database is at fault, none is tried alone', async () => {
  const lost = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
  let asked = 0;
  const failing = storeTogether(async () => {
    asked += 1;
    throw lost;
  });
  expect(await Promise.allSettled([failing([event('a')]), failing([event('b')])])).toEqual([
    { status: 'rejected', reason: lost },
    { status: 'rejected', reason: lost },
  ]);
  expect(asked).toBe(1);
});
