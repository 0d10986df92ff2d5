import { describe, expect, it } from '@jest/globals';
import { nameOf, pointsOf } from './points.js';
import { repertoires } from './providers.js';
import { Random } from './random.js';
import { fromLine, type Result, toLine } from './results.js';
import { seedsThatStrike } from './seeds.js';
import { plannedStrikes } from './story.js';
import { hitsByPoint, tableOf } from './summary.js';

const CLEAN = { duplicates: 0, losses: 0, wrongAmounts: 0, stuck: 0 };
const result: Result = {
  tier: 'fast',
  provider: 'qbo',
  seed: 17,
  commit: '1a2b3c4',
  counts: CLEAN,
  recoverySeconds: 240,
  hits: ['createQboInvoice/sql/12/after', 'receiveWebhook/sql/1/before/cut'],
};

describe('a line of results', () => {
  it('holds all that is kept of a story', () => {
    expect(toLine(result)).toBe('f 17 1a2b3c4 ok 240 createQboInvoice/sql/12/after,receiveWebhook/sql/1/before/cut');
    expect(fromLine(toLine(result))).toEqual(result);
  });

  it('holds what was found, and may have no points', () => {
    const counts = { ...CLEAN, losses: 2, stuck: 1 };
    const failed: Result = { ...result, tier: 'real', counts, hits: [] };
    expect(toLine(failed)).toBe('r 17 1a2b3c4 D0L2W0S1 240');
    expect(fromLine(toLine(failed))).toEqual(failed);
  });

  it('names the provider when that is Stripe: lines without one are from before there was a second', () => {
    const told: Result = { ...result, provider: 'stripe', hits: [] };
    expect(toLine(told)).toBe('f stripe 17 1a2b3c4 ok 240');
    expect(fromLine(toLine(told))).toEqual(told);
  });

  it('is refused when it is something else', () => {
    expect(() => fromLine('x 17')).toThrow('this is no line of results: x 17');
  });
});

describe('the points', () => {
  it('are each statement and call of a use case, before, during and after', () => {
    const points = pointsOf({ sweep: { sql: 1, http: 1 } }).map(({ kind, side }) => `${kind} ${side}`);
    expect(points).toEqual(['sql before', 'sql after', 'http before', 'http during', 'http after']);
  });

  it('are counted by name, a cut connection like a crash', () => {
    const hits = hitsByPoint([result, result]);
    expect([...hits]).toEqual([
      ['createQboInvoice/sql/12/after', 2],
      ['receiveWebhook/sql/1/before', 2],
    ]);
    const ofStripe = hitsByPoint([{ ...result, provider: 'stripe', hits: ['resumeOperations/sql/1/after'] }]);
    expect([...ofStripe]).toEqual([['stripe: resumeOperations/sql/1/after', 1]]);
    expect(tableOf(hits)).toEqual([
      '| createQboInvoice | sql | after | 1 | 2 | 2 |',
      '| receiveWebhook | sql | before | 1 | 2 | 2 |',
    ]);
  });
});

describe('seeds for points that were struck too seldom', () => {
  const profile = { sendPurchaseOrder: { sql: 3, http: 0 }, sendQboInvoice: { sql: 2, http: 1 } };
  const all = pointsOf(profile).map((point) => nameOf({ ...point, action: 'crash' }));

  it('are those whose stories mean to strike there, told ones left out, until all were struck often enough', () => {
    const sought = 'sendQboInvoice/http/1/during';
    const told: Result[] = [{ ...result, hits: all.filter((point) => point !== sought) }];
    const seeds = seedsThatStrike(17, { provider: 'qbo', least: 1, profile, told: () => told });
    const found = seeds.take(5).toArray();
    expect(found).toHaveLength(5);
    expect(found).not.toContain(17);
    for (const seed of found)
      expect(plannedStrikes(repertoires.qbo, seed, profile).map(nameOf).join()).toContain(sought);
    const rest = seedsThatStrike(1, { provider: 'qbo', least: 1, profile, told: () => told });
    expect(rest.next().done).toBe(false);
    told.push({ ...result, seed: 18, hits: [`${sought}/cut`] });
    expect(rest.next().done).toBe(true);
  });
});

describe('random numbers', () => {
  it('follow from their seed alone', () => {
    const numbers = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 5 }, () => random.between(1, 1000));
    };
    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)).not.toEqual(numbers(2));
  });

  it('of a fork do not move those of its origin', () => {
    const [left, right] = [new Random(1), new Random(1)];
    left.fork('aside').next();
    right.fork('other');
    expect(left.next()).toBe(right.next());
  });
});
