import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { type PurchaseOrderChanged, watchPurchaseOrders } from '../../../src/application/live/watch-purchase-orders.js';
import type { ChangeFeed } from '../../../src/application/ports/change-feed.js';
import { type ChangeScope, currentChangePosition } from '../../../src/application/queries/purchase-order-changes.js';
import { PostgresChangeFeed } from '../../../src/infrastructure/database/change-feed.js';
import { testWaits } from '../../support/test-waits.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;
let feed: PostgresChangeFeed;
let listening: PromiseWithResolvers<void>;
let leaving: AbortController;

beforeAll(async () => {
  bench = await startWorkbench();
  listening = Promise.withResolvers();
  feed = new PostgresChangeFeed({
    databaseUrl: String(bench.environment.DATABASE_URL),
    logger: pino({ level: 'silent' }),
    onListening: (isListening) => isListening && listening.resolve(),
  });
  await listening.promise;
});

beforeEach(() => {
  leaving = new AbortController();
});

afterEach(() => leaving.abort());

afterAll(async () => {
  await feed.stop();
  await bench.stop();
});

interface ReaderOptions {
  readonly ready?: () => Promise<void>;
  readonly feed?: ChangeFeed;
}

async function watch(scope: ChangeScope, options: ReaderOptions = {}): Promise<AsyncGenerator<PurchaseOrderChanged>> {
  const { em } = bench.process();
  const watching = {
    feed,
    forkEntityManager: () => em.fork(),
    waits: { ...testWaits, changesApartMs: 0 },
    ready: async () => undefined,
    closed: leaving.signal,
    ...options,
  };
  return watchPurchaseOrders(watching, scope, await currentChangePosition(em));
}

function note(id: string, notes: string): Promise<unknown> {
  return bench.sql('update purchase_order set notes = ? where id = ?', [notes, id]);
}

test('however often an order changed while its reader was busy, it is told once', async () => {
  const [id, other] = [await bench.order(), await bench.order()];
  let free = Promise.withResolvers<void>();
  free.resolve();
  const changes = await watch({ conferenceId: bench.conferenceId }, { ready: () => free.promise });
  const first = changes.next();
  await note(id, 'before');
  expect((await first).value).toMatchObject({ purchaseOrderId: id });

  free = Promise.withResolvers();
  const next = changes.next();
  for (let count = 1; count <= 20; count++) await note(id, `change ${count}`);
  await note(other, 'once');
  free.resolve();
  const told = [await next, await changes.next()];
  expect(told.map(({ value }) => value?.purchaseOrderId)).toEqual([id, other].toSorted());
  const last = changes.next();
  await note(other, 'last');
  expect((await last).value).toMatchObject({ purchaseOrderId: other });
});

test('what is told belatedly is no news, what just happens is', async () => {
  const id = await bench.order();
  const changes = await watch({ purchaseOrderId: id });
  await note(id, 'before anybody looked');
  expect((await changes.next()).value).toMatchObject({ isNews: false });
  const next = changes.next();
  await note(id, 'while somebody looks');
  expect((await next).value).toMatchObject({ isNews: true });
});

test('who leaves while nothing happens is let go, and rings no more', async () => {
  const id = await bench.order();
  const changes = await watch({ purchaseOrderId: id });
  const next = changes.next();
  await turn();
  leaving.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a notification that comes between a look and the wait for the next one is not lost', async () => {
  const id = await bench.order();
  let rings = 0;
  // Rings as soon as it is listened to, before the reader waits.
  const eager: ChangeFeed = {
    watch: (watched, until) => {
      const alarm = feed.watch(watched, until);
      return {
        rung: async () => {
          rings += 1;
          if (rings === 1) await note(id, 'in between');
          await alarm.rung();
        },
      };
    },
  };
  const changes = await watch({ purchaseOrderId: id }, { feed: eager });
  expect((await changes.next()).value).toMatchObject({ purchaseOrderId: id });
});
