import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { NetworkError } from 'graphql-sse';
import pg from 'pg';
import { pino } from 'pino';
import { type Caller, RateLimits } from '../../../src/api/graphql/limits/rate-limits.js';
import type { StreamReport } from '../../../src/api/graphql/stream/live-streams.js';
import type { Actor } from '../../../src/application/context.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { PostgresChangeFeed } from '../../../src/infrastructure/database/change-feed.js';
import { openRequestOrm } from '../../../src/infrastructure/database/orm.js';
import { eventually } from '../../support/eventually.js';
import { NEVER_CHECKED, startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';
import { CHANGED, Subscriber, type SubscriberOptions } from '../../support/subscriber.js';
import { testWaits } from '../../support/test-waits.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

const ACTOR: Actor = { kind: ActorKind.API_KEY, id: 'key_1', name: 'test', grants: ALL_GRANTS };

/** Writes down what is charged, and lets it be waited for. */
class Budget extends RateLimits {
  readonly charged: number[] = [];
  empty: Promise<void> | undefined;
  #waiting = 0;

  get waiting(): number {
    return this.#waiting;
  }

  override async chargeInTime(caller: Caller, cost: number, signal: AbortSignal): Promise<void> {
    this.#waiting++;
    await this.empty;
    this.#waiting--;
    this.charged.push(cost);
    await super.chargeInTime(caller, cost, signal);
  }
}

let bench: Workbench;
let orm: MikroORM;
let feed: PostgresChangeFeed;
let server: TestGraphQLServer;
let other: pg.Client;
let id: string;
let budget: Budget;
const subscribers: Subscriber[] = [];
const ended: StreamReport[] = [];
const unexpected: unknown[] = [];

beforeAll(async () => {
  bench = await startWorkbench();
  const databaseUrl = String(bench.environment.DATABASE_URL);
  orm = await openRequestOrm(databaseUrl, 300);
  feed = new PostgresChangeFeed({ databaseUrl, logger: pino({ level: 'silent' }), onListening: () => undefined });
  other = new pg.Client({ connectionString: databaseUrl });
  await other.connect();
  budget = new Budget(1_000_000);
  const forkEntityManager = () => orm.em.fork();
  server = await startTestGraphQL({
    findActor: async () => ACTOR,
    forkEntityManager,
    rateLimits: budget,
    onUnexpectedError: (error) => unexpected.push(error),
    live: {
      watching: { feed, forkEntityManager, waits: testWaits },
      limits: { perActor: 10, perProcess: 10 },
      callerCheck: NEVER_CHECKED,
      observer: { onCount: () => undefined, onSent: () => undefined, onEnd: (stream) => void ended.push(stream) },
    },
  });
});

beforeEach(async () => {
  id = await bench.order();
  ended.length = 0;
  unexpected.length = 0;
});

afterEach(async () => {
  await other.query('rollback');
  for (const subscriber of subscribers.splice(0)) subscriber.leave();
});

afterAll(async () => {
  await server.stop();
  await feed.stop();
  await orm.close();
  await other.end();
  await bench.stop();
});

function subscribe(options: SubscriberOptions = {}): Subscriber {
  const subscriber = new Subscriber(server.url, 'a-key', [CHANGED, { id }], options);
  subscribers.push(subscriber);
  return subscriber;
}

function note(notes: string): Promise<unknown> {
  return bench.sql('update purchase_order set notes = ? where id = ?', [notes, id]);
}

async function lock(table: string): Promise<void> {
  await other.query('begin');
  await other.query(`lock table ${table} in access exclusive mode`);
}

function endedWith(code: string): Promise<readonly StreamReport[]> {
  return eventually(
    async () => ended.filter(({ errorCodes }) => errorCodes.includes(code)),
    ({ length }) => length > 0,
  );
}

describe('what is wrong with us ends a connection, not the subscription', () => {
  test('an answer that takes too long: the client of graphql-sse comes back by itself and sees the change', async () => {
    const subscriber = subscribe({ retryAttempts: 1_000 });
    await subscriber.next();
    await lock('payment');
    await note('while payments were locked');
    await endedWith('TIMED_OUT');
    await other.query('rollback');

    const { purchaseOrder } = await subscriber.next();

    expect(purchaseOrder.notes).toBe('while payments were locked');
    expect(subscriber.connections).toBeGreaterThan(1);
  });

  test('a look for changes that takes too long is not told as an end', async () => {
    const subscriber = subscribe();
    await subscriber.next();
    const next = subscriber.nextResult();
    await lock('purchase_order_change');
    // The trigger of a note would need the table itself, so that only the alarm is rung.
    await bench.sql("select pg_notify('change', ?)", [id]);

    await expect(next).rejects.toBeInstanceOf(NetworkError);

    expect(await endedWith('TIMED_OUT')).toEqual([expect.objectContaining({ sent: 1, errorCodes: ['TIMED_OUT'] })]);
  });

  test('a bug, which those who run the server learn of once', async () => {
    const subscriber = subscribe();
    await subscriber.next();
    await other.query('begin');
    await other.query('alter table payment rename to payment_gone');
    await note('unseen');
    await other.query('commit');

    await expect(subscriber.nextResult()).rejects.toBeInstanceOf(NetworkError);

    await endedWith('INTERNAL_SERVER_ERROR');
    await other.query('alter table payment_gone rename to payment');
    expect(unexpected).toEqual([expect.objectContaining({ message: expect.stringContaining('payment') })]);
  });

  test('a subscription that cannot begin is refused with a status, which is tried again', async () => {
    await lock('purchase_order');
    const response = await fetch(`${server.url}/graphql/stream`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-key', 'content-type': 'application/json' },
      body: JSON.stringify({ query: CHANGED, variables: { id } }),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TIMED_OUT' } }] });

    const subscriber = subscribe({ retryAttempts: 1_000 });
    const next = subscriber.next();
    await eventually(
      async () => ended.length,
      (count) => count > 2,
    );
    await other.query('rollback');
    expect((await next).purchaseOrder.id).toBe(id);
  });
});

describe('everything that is sent', () => {
  test('costs the caller as much as the first of it, which was paid for with the request', async () => {
    const subscriber = subscribe();
    await subscriber.next();
    budget.charged.length = 0;
    for (const notes of ['first', 'second']) {
      await note(notes);
      await subscriber.next();
    }
    // A hundred for the request, and its values: payments are counted as the ten that are asked for.
    expect(budget.charged).toEqual([expect.any(Number), budget.charged[0]]);
    expect(budget.charged[0]).toBeGreaterThan(100);
  });

  test('waits for a caller who has no budget left, and is then as it is by then', async () => {
    const subscriber = subscribe();
    await subscriber.next();
    const filled = Promise.withResolvers<void>();
    budget.empty = filled.promise;
    await note('early');
    await eventually(
      async () => budget.waiting,
      (count) => count === 1,
    );
    await note('late');
    budget.empty = undefined;
    filled.resolve();
    expect((await subscriber.next()).purchaseOrder.notes).toBe('late');
    expect(subscriber.connections).toBe(1);
  });
});
