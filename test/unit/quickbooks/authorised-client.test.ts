import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Deadline } from '../../../src/application/deadline.js';
import { requestScope } from '../../../src/application/request-scope.js';
import type { Waits } from '../../../src/application/waits.js';
import { intuitEndpoints } from '../../../src/infrastructure/quickbooks/endpoints.js';
import { QuickBooksGateway } from '../../../src/infrastructure/quickbooks/gateway.js';
import type { StoredConnection } from '../../../src/infrastructure/quickbooks/token-store.js';
import { testWaits } from '../../support/test-waits.js';
import { FreeTraffic } from './free-traffic.js';
import { MemoryTokenStore, markingBox, storedConnection } from './memory-token-store.js';
import { json, type StandIn, startStandIn } from './stand-in.js';

const NOW = new Date('2026-11-21T12:00:00Z');

const invoice = {
  Id: '155',
  SyncToken: '0',
  CustomerRef: { value: '1' },
  CurrencyRef: { value: 'USD' },
  TotalAmt: 100,
  Balance: 100,
  Line: [{ DetailType: 'SalesItemLineDetail', Amount: 100 }],
};

const succeed = (response: ServerResponse) => json(response, 200, { Invoice: invoice });
const cut = (response: ServerResponse) => void response.socket?.resetAndDestroy();
const fail = (response: ServerResponse) => json(response, 503, {});
const hang = () => undefined;
const throttle =
  (headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    json(response, 429, {}, headers);

let standIn: StandIn;
let answers: ((response: ServerResponse) => void)[];
let store: MemoryTokenStore;
let traffic: FreeTraffic;
let breakers: boolean[];
let troubles: unknown[];

beforeEach(async () => {
  answers = [];
  standIn = await startStandIn((_request, response) => (answers.shift() ?? succeed)(response));
  store = new MemoryTokenStore();
  traffic = new FreeTraffic();
  breakers = [];
  troubles = [];
});

afterEach(() => standIn.close());

function gatewayWith(waits: Partial<Waits> = {}): QuickBooksGateway {
  return new QuickBooksGateway({
    store,
    traffic,
    secrets: markingBox,
    clock: { now: () => NOW },
    endpoints: () => ({ ...intuitEndpoints('SANDBOX'), apiBaseUrl: standIn.url }),
    defaultApp: undefined,
    waits: { ...testWaits, callTimeoutMs: 1_000, ...waits },
    onTrouble: (error) => troubles.push(error),
    onBreaker: ({ isOpen }) => breakers.push(isOpen),
  });
}

function paused(pauses: Partial<StoredConnection['pauses']>): void {
  store.connection = { ...store.connection, pauses: { ...storedConnection.pauses, ...pauses } };
}

const read = (gateway: QuickBooksGateway) => gateway.readInvoice('qbo_1', '155');
const write = (gateway: QuickBooksGateway) => gateway.createInvoice('qbo_1', '{}', 'op_1');

function inRequest<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  return requestScope.run({ requestId: 'request-1', deadline: Deadline.after(milliseconds) }, work);
}

describe('a call that may pass on repetition', () => {
  test.each([
    ['a lost connection', cut],
    ['a server error', fail],
  ])('is a read after %s: it is repeated twice at most', async (_what, failing) => {
    answers = [failing, failing];
    expect(await read(gatewayWith())).toMatchObject({ ok: true, value: { externalId: '155' } });
    expect(standIn.requests).toHaveLength(3);
    answers = [failing, failing, failing];
    expect(await read(gatewayWith())).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
    expect(standIn.requests).toHaveLength(6);
  });

  test('is a read that got no answer in time', async () => {
    answers = [hang];
    expect(await read(gatewayWith({ callTimeoutMs: 500 }))).toMatchObject({ ok: true });
    expect(standIn.requests).toHaveLength(2);
  });

  test.each([
    ['a lost connection', cut],
    ['a server error', fail],
    ['no answer in time', hang],
  ])('is never a write after %s', async (_what, failing) => {
    answers = [failing];
    expect(await write(gatewayWith({ callTimeoutMs: 100 }))).toMatchObject({ ok: false, failure: { kind: 'unknown' } });
    expect(standIn.requests).toHaveLength(1);
  });

  test('is a write that certainly never left, with the same idempotency key', async () => {
    const closed = await startStandIn(() => undefined);
    await closed.close();
    const addresses = [closed.url, closed.url, standIn.url];
    const gateway = new QuickBooksGateway({
      store,
      traffic,
      secrets: markingBox,
      clock: { now: () => NOW },
      endpoints: () => ({ ...intuitEndpoints('SANDBOX'), apiBaseUrl: addresses.shift() ?? '' }),
      defaultApp: undefined,
      waits: testWaits,
    });
    expect(await write(gateway)).toMatchObject({ ok: true, value: { externalId: '155' } });
    expect(standIn.requests.map(({ url }) => new URL(`http://x${url}`).searchParams.get('requestid'))).toEqual([
      'op_1',
    ]);
  });

  test.each([
    ['refused', (response: ServerResponse) => json(response, 400, {})],
    ['throttled', throttle()],
    ['not understood', (response: ServerResponse) => json(response, 200, {})],
  ])('is none that was %s', async (_what, answer) => {
    answers = [answer];
    expect(await read(gatewayWith())).toMatchObject({ ok: false });
    expect(standIn.requests).toHaveLength(1);
  });
});

async function afterRest(work: () => Promise<void>): Promise<void> {
  const now = performance.now.bind(performance);
  const later = jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_001);
  await work().finally(() => later.mockRestore());
}

async function withoutRoom(gateway: QuickBooksGateway): Promise<void> {
  traffic.takePlace = async () => undefined;
  await read(gateway);
  traffic.takePlace = async () => 0;
}

async function withoutDatabase(gateway: QuickBooksGateway): Promise<void> {
  traffic.takePlace = () => Promise.reject(new Error('no database'));
  await read(gateway).finally(() => {
    traffic.takePlace = async () => 0;
  });
}

async function withExpiredToken(gateway: QuickBooksGateway): Promise<void> {
  const { connection } = store;
  store.connection = { ...connection, accessTokenExpiresAt: NOW };
  await read(gateway);
  store.connection = connection;
}

describe('a company that keeps failing', () => {
  const failures = (count: number) => Array.from({ length: 3 * count }, () => fail);

  test('is left alone after five calls, says when to come again, and is asked again then', async () => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000 });
    answers = failures(5);
    for (let count = 0; count < 5; count++) await read(gateway);
    expect(standIn.requests).toHaveLength(15);
    const retryAt = new Date(NOW.getTime() + 60_000);
    for (const call of [read, write]) {
      expect(await call(gateway)).toMatchObject({ ok: false, failure: { kind: 'unavailable', retryAt, trace: {} } });
    }
    expect(standIn.requests).toHaveLength(15);
    await afterRest(async () => expect(await read(gateway)).toMatchObject({ ok: true }));
    expect(breakers).toEqual([true, false]);
    expect(standIn.requests).toHaveLength(16);
  });

  test.each<[string, (gateway: QuickBooksGateway) => Promise<unknown>]>([
    ['is paused', write],
    ['finds no room', withoutRoom],
    ['comes too late', (gateway) => inRequest(0, () => read(gateway))],
    ['gets no access token', withExpiredToken],
    ['cannot ask the database', (gateway) => withoutDatabase(gateway).catch(() => undefined)],
  ])('is not believed to work again because of a call that %s: the next one tries', async (_what, withheld) => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000 });
    answers = failures(6);
    for (let count = 0; count < 5; count++) await read(gateway);
    paused({ write: { remainingMs: 30_000, count: 1 } });
    await afterRest(async () => {
      await withheld(gateway);
      expect(standIn.requests).toHaveLength(15);
      expect(breakers).toEqual([true]);
      await read(gateway);
      await read(gateway);
    });
    expect(standIn.requests).toHaveLength(18);
    expect(breakers).toEqual([true, true]);
  });

  test('is noticed also when paused calls come in between', async () => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000 });
    answers = failures(5);
    paused({ write: { remainingMs: 30_000, count: 1 } });
    for (let count = 0; count < 5; count++) {
      await read(gateway);
      await write(gateway);
    }
    expect(breakers).toEqual([true]);
  });

  test('is also one that hangs, when the deadline cuts the repetition short', async () => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000, callTimeoutMs: 200 });
    answers = Array.from({ length: 10 }, () => hang);
    for (let count = 0; count < 5; count++) {
      expect(await inRequest(350, () => read(gateway))).toMatchObject({
        failure: { message: 'The time for this request was over before QuickBooks could answer.' },
      });
    }
    expect(standIn.requests).toHaveLength(10);
    expect(breakers).toEqual([true]);
  });

  test('is also one that fails, when there is no room for the repetition', async () => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000 });
    answers = failures(5);
    for (let count = 0; count < 5; count++) {
      const places = [0, undefined];
      traffic.takePlace = async () => places.shift();
      expect(await read(gateway)).toMatchObject({ failure: { retryAt: expect.any(Date) } });
    }
    expect(standIn.requests).toHaveLength(5);
    expect(breakers).toEqual([true]);
  });

  test('is also one that refuses new access tokens, each of them once', async () => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000 });
    store.connection = { ...store.connection, isAccessTokenNew: true };
    answers = Array.from({ length: 5 }, () => (response: ServerResponse) => json(response, 401, {}));
    for (let count = 0; count < 5; count++) await (count % 2 === 0 ? read(gateway) : write(gateway));
    expect(standIn.requests).toHaveLength(5);
    expect(breakers).toEqual([true]);
    expect(await read(gateway)).toMatchObject({ failure: { retryAt: new Date(NOW.getTime() + 60_000) } });
    expect(standIn.requests).toHaveLength(5);
    expect(store.connection.reconnectRequired).toBe(false);
  });

  test('is not one that refuses or throttles', async () => {
    const gateway = gatewayWith({ breakerOpenMs: 60_000 });
    answers = Array.from({ length: 12 }, (_, index) =>
      index % 2 === 0 ? throttle() : (response: ServerResponse) => json(response, 400, {}),
    );
    for (let count = 0; count < 12; count++) await write(gateway);
    expect(await write(gateway)).toMatchObject({ ok: true });
    expect(breakers).toEqual([]);
  });
});

describe('a company that asked to be left alone', () => {
  test('is paused for what it says, or for a minute', async () => {
    const waits = { pauseMs: 60_000, longPauseMs: 900_000, longestPauseMs: 3_600_000 };
    answers = [throttle(), throttle({ 'retry-after': '5' }), throttle({ 'retry-after': '999999' })];
    const gateway = gatewayWith(waits);
    const retryAts: unknown[] = [];
    for (const call of [read, write, read]) {
      const result = await call(gateway);
      retryAts.push(!result.ok && result.failure.kind === 'unavailable' && result.failure.retryAt);
    }
    expect(retryAts).toEqual([60_000, 5_000, 3_600_000].map((ms) => new Date(NOW.getTime() + ms)));
    expect(traffic.told).toEqual([
      { pause: 'qbo_1', effect: 'read' },
      { pause: 'qbo_1', effect: 'write' },
      { pause: 'qbo_1', effect: 'read' },
    ]);
  });

  test('with reads gets no reads, and its writes go on', async () => {
    paused({ read: { remainingMs: 30_000, count: 3 } });
    const gateway = gatewayWith();
    expect(await read(gateway)).toEqual({
      ok: false,
      failure: {
        kind: 'unavailable',
        message:
          'QuickBooks asked to be left alone. Reads of this company are paused until 2026-11-21T12:00:30.000Z. They were refused again and again: as a rule the monthly read quota of the Intuit plan is used up, which lasts until the first of the next month or until the plan is raised.',
        trace: {},
        retryAt: new Date(NOW.getTime() + 30_000),
        isPaused: true,
      },
    });
    expect(standIn.requests).toEqual([]);
    expect(await write(gateway)).toMatchObject({ ok: true });
    expect(traffic.told).toEqual([]);
  });

  test.each([
    ['reads for a burst', 'read', 2, 'Reads'],
    ['writes, which have no quota', 'write', 3, 'Writes'],
  ] as const)('with %s is not said to have used up a quota', async (_what, effect, count, named) => {
    paused({ [effect]: { remainingMs: 30_000, count } });
    const result = await { read, write }[effect](gatewayWith());
    const message = `QuickBooks asked to be left alone. ${named} of this company are paused until 2026-11-21T12:00:30.000Z.`;
    expect(result).toMatchObject({ ok: false, failure: { message } });
  });

  test('is forgiven after a success, for the pauses that the caller knew of', async () => {
    paused({ read: { remainingMs: 0, count: 3 } });
    expect(await read(gatewayWith())).toMatchObject({ ok: true });
    expect(traffic.told).toEqual([{ forgetPauses: 'qbo_1', effect: 'read', count: 3 }]);
  });

  test('has answered, even if its wish cannot be written down', async () => {
    const broken = new Error('no database');
    traffic.pause = () => Promise.reject(broken);
    answers = [throttle()];
    expect(await write(gatewayWith())).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
    expect(troubles).toEqual([broken]);
  });
});

function standStill(): void {
  const until = performance.now() + 200;
  while (performance.now() < until);
}

describe('room for calls', () => {
  test('is waited for', async () => {
    traffic.takePlace = async () => 80;
    const startedAt = performance.now();
    expect(await read(gatewayWith())).toMatchObject({ ok: true });
    expect(performance.now() - startedAt).toBeGreaterThan(70);
  });

  test('is not used when QuickBooks asked to be left alone meanwhile', async () => {
    traffic.takePlace = async () => 80;
    traffic.loadPause = async (_connectionId, effect) => ({ remainingMs: effect === 'write' ? 30_000 : 0, count: 1 });
    expect(await write(gatewayWith())).toMatchObject({
      ok: false,
      failure: { kind: 'unavailable', trace: {}, retryAt: new Date(NOW.getTime() + 30_000) },
    });
    expect(standIn.requests).toEqual([]);
    expect(await read(gatewayWith())).toMatchObject({ ok: true });
  });

  test('that is free costs no look at pauses', async () => {
    traffic.loadPause = () => Promise.reject(new Error('asked in vain'));
    expect(await read(gatewayWith())).toMatchObject({ ok: true });
  });

  test('that came while the process stood still is taken anew, once', async () => {
    let places = 0;
    traffic.takePlace = async () => {
      places++;
      if (places === 1) setTimeout(standStill, 10);
      return 20;
    };
    expect(await read(gatewayWith({ callSpacingMs: 50 }))).toMatchObject({ ok: true });
    expect(places).toBe(2);
  });

  test('that is too far away fails the call with nothing sent', async () => {
    traffic.takePlace = async () => undefined;
    expect(await write(gatewayWith({ throttleWaitMs: 2_000 }))).toMatchObject({
      ok: false,
      failure: { kind: 'unavailable', retryAt: new Date(NOW.getTime() + 2_000) },
    });
    expect(standIn.requests).toEqual([]);
  });

  test('is not taken for granted when the database cannot be asked', async () => {
    traffic.takePlace = () => Promise.reject(new Error('no database'));
    await expect(write(gatewayWith())).rejects.toThrow('no database');
    expect(standIn.requests).toEqual([]);
  });
});

describe('a request whose time is over', () => {
  test('starts nothing', async () => {
    expect(await inRequest(0, () => write(gatewayWith()))).toMatchObject({
      ok: false,
      failure: { kind: 'unavailable' },
    });
    expect(standIn.requests).toEqual([]);
  });

  test('gives up reading, and reads no more', async () => {
    answers = [hang];
    expect(await inRequest(100, () => read(gatewayWith()))).toMatchObject({
      ok: false,
      failure: { kind: 'unavailable', message: 'The time for this request was over before QuickBooks could answer.' },
    });
    expect(standIn.requests).toHaveLength(1);
    expect(breakers).toEqual([]);
  });

  test('lets a write that was begun come to its end', async () => {
    answers = [(response) => void setTimeout(() => succeed(response), 1_000)];
    expect(await inRequest(500, () => write(gatewayWith({ callTimeoutMs: 5_000 })))).toMatchObject({
      ok: true,
      value: { externalId: '155' },
    });
  });

  test('waits no longer for room', async () => {
    const asked: number[] = [];
    traffic.takePlace = async (..._args: unknown[]) => {
      asked.push(Number(_args[2]));
      return 0;
    };
    await inRequest(1_000, () => read(gatewayWith({ throttleWaitMs: 10_000 })));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeLessThanOrEqual(1_000);
  });
});

describe('what is metered', () => {
  test('is each successful call, written down at the end at the latest', async () => {
    const gateway = gatewayWith();
    answers = [succeed, fail, succeed, succeed, (response) => json(response, 400, {})];
    for (const call of [read, read, write, write]) await call(gateway);
    expect(traffic.told).toEqual([]);
    await gateway.stop();
    expect(traffic.told).toEqual([{ connectionId: 'qbo_1', reads: 2, writes: 1 }]);
  });

  test('is kept until it can be written down', async () => {
    const gateway = gatewayWith();
    const addUsage = traffic.addUsage.bind(traffic);
    traffic.addUsage = () => Promise.reject(new Error('no database'));
    await read(gateway);
    await gateway.stop();
    expect(troubles).toHaveLength(1);
    traffic.addUsage = addUsage;
    await read(gateway);
    await gateway.stop();
    expect(traffic.told).toEqual([{ connectionId: 'qbo_1', reads: 2, writes: 0 }]);
  });
});
