import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DatabaseClock } from '../../src/infrastructure/database/database-clock.js';
import { startWorkbench, type Workbench } from '../support/workbench.js';

const HOUR = 3_600_000;

/** Everything but `Date` stays real. */
const REAL = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

let bench: Workbench;
const clocks: DatabaseClock[] = [];

beforeAll(async () => {
  bench = await startWorkbench();
});

afterEach(() => {
  jest.useRealTimers();
  for (const clock of clocks.splice(0)) clock.stop();
});

afterAll(() => bench.stop());

async function start(ask: () => Promise<number>): Promise<DatabaseClock> {
  const clock = await DatabaseClock.start(ask);
  clocks.push(clock);
  return clock;
}

async function databaseTime(): Promise<number> {
  const [{ now }] = await bench.sql('select clock_timestamp() as now');
  return new Date(now).getTime();
}

/** Answers with these times, the last one for ever; each answer takes as long as its delay says. */
function answering(...answers: { timeMs: number; delayMs?: number }[]) {
  return async () => {
    const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
    await new Promise((resolve) => setTimeout(resolve, answer?.delayMs ?? 0));
    return answer?.timeMs ?? 0;
  };
}

describe('the clock of the database', () => {
  test.each([
    ['an hour fast', HOUR],
    ['an hour slow', -HOUR],
  ])('is followed by a machine whose own is %s', async (_how, offMs) => {
    const before = Date.now();
    jest.useFakeTimers({ now: before + offMs, doNotFake: [...REAL] });
    const clock = await start(databaseTime);
    const difference = Math.abs(clock.now().getTime() - (await databaseTime()));
    expect(difference).toBeLessThan(1_000);
    expect(Math.abs(Date.now() - clock.now().getTime())).toBeGreaterThan(HOUR - 60_000);
  });

  test('goes on by itself between measurements, whatever is done to the clock of the machine', async () => {
    const clock = await start(answering({ timeMs: 1_000_000 }));
    const first = clock.now().getTime();
    jest.useFakeTimers({ now: Date.now() + HOUR, doNotFake: [...REAL] });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const elapsed = clock.now().getTime() - first;
    expect(elapsed).toBeGreaterThanOrEqual(25);
    expect(elapsed).toBeLessThan(HOUR / 2);
  });

  test('takes the quickest of the first measurements', async () => {
    const clock = await start(
      answering({ timeMs: 9 * HOUR, delayMs: 60 }, { timeMs: HOUR }, { timeMs: 9 * HOUR, delayMs: 60 }),
    );
    expect(Math.abs(clock.now().getTime() - HOUR)).toBeLessThan(5_000);
  });

  test('follows a quick measurement, and ignores a slow one', async () => {
    const times = [HOUR, HOUR, HOUR, 2 * HOUR].map((timeMs) => ({ timeMs }));
    const clock = await start(answering(...times, { timeMs: 3 * HOUR, delayMs: 550 }));
    await clock.measure();
    expect(Math.abs(clock.now().getTime() - 2 * HOUR)).toBeLessThan(5_000);
    await clock.measure();
    expect(Math.abs(clock.now().getTime() - 2 * HOUR)).toBeLessThan(5_000);
  });

  test('cannot start without the database', async () => {
    await expect(start(async () => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
  });
});
