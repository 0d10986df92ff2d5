import { describe, expect, test } from '@jest/globals';
import { insertResults, summary } from './publish.js';
import { compare, figure, isMet, median, percentile, table } from './report.js';
import { normalise } from './rows/normalise.js';

const THROUGHPUT = { name: 'list', unit: 'requests/s', peerName: 'a peer' };

describe('a comparison', () => {
  test('takes the middle of the rounds, so that one bad round decides nothing', () => {
    expect(median([3, 100, 1])).toBe(3);
    expect(median([4, 1, 2, 100])).toBe(3);
    expect(() => median([])).toThrow('no median of no figures');
  });

  test('takes as p99 the smallest latency that 99 of 100 requests do not exceed', () => {
    const latencies = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentile(latencies, 0.99)).toBe(198);
    expect(percentile(latencies, 0.5)).toBe(100);
    expect(percentile([7], 0.99)).toBe(7);
  });

  test('of throughput meets its goal when the ratio of the medians reaches it', () => {
    const goal = { atLeast: 1.2 };
    expect(compare({ ...THROUGHPUT, ours: [120, 1, 130], peer: [100, 100, 900], goal })).toEqual({
      name: 'list',
      unit: 'requests/s',
      ours: 120,
      peer: 100,
      peerName: 'a peer',
      ratio: 1.2,
      goal: 1.2,
      goalIs: 'at least',
      met: true,
    });
    expect(compare({ ...THROUGHPUT, ours: [119.9], peer: [100], goal })).toMatchObject({ ratio: 1.2, met: false });
  });

  test('of latency meets its goal when the ratio does not exceed it', () => {
    expect(isMet(1.5, { atMost: 1.5 })).toBe(true);
    expect(isMet(1.51, { atMost: 1.5 })).toBe(false);
    const row = compare({ ...THROUGHPUT, unit: 'ms', ours: [16], peer: [10], goal: { atMost: 1.5 } });
    expect(row).toMatchObject({ ratio: 1.6, goal: 1.5, goalIs: 'at most', met: false });
  });

  test('without a goal is met, whatever it shows', () => {
    expect(compare({ ...THROUGHPUT, ours: [1], peer: [100] })).toMatchObject({ goal: null, goalIs: null, met: true });
    expect(figure('memory', 'MB', 123.456)).toMatchObject({
      ours: 123,
      peer: null,
      ratio: null,
      goal: null,
      met: true,
    });
  });

  test('of nothing meets its goal when the figure itself does', () => {
    const goal = { atMost: 1_000 };
    expect(figure('p99', 'ms', 1_000, goal)).toMatchObject({ goal: 1_000, goalIs: 'at most', met: true });
    expect(figure('p99', 'ms', 1_000.4, goal)).toMatchObject({ ours: 1_000, ratio: null, met: false });
  });
});

describe('the report', () => {
  const rows = [
    compare({ ...THROUGHPUT, ours: [1234.5], peer: [1000], goal: { atLeast: 1.2 } }),
    compare({ ...THROUGHPUT, name: 'deep page', unit: 'ms', ours: [16], peer: [10], goal: { atMost: 1.5 } }),
    figure('memory', 'MB', 99.87),
  ];

  test('is a table that tells which way each goal goes', () => {
    expect(table(rows)).toBe(
      [
        '| what      | unit       | ours | peer          | ratio | goal  | met |',
        '|-----------|------------|------|---------------|-------|-------|-----|',
        '| list      | requests/s | 1235 | 1000 (a peer) | 1.23  | ≥ 1.2 | yes |',
        '| deep page | ms         | 16   | 10 (a peer)   | 1.60  | ≤ 1.5 | no  |',
        '| memory    | MB         | 99.9 |               |       |       |     |',
      ].join('\n'),
    );
  });

  test('names the goals that were missed', () => {
    expect(summary(rows)).toBe('1 of 2 goals were met. Missed: deep page against a peer (1.6, goal 1.5).');
    expect(summary([figure('p99', 'ms', 1_001, { atMost: 1_000 })])).toBe(
      '0 of 1 goals were met. Missed: p99 (1001 ms, goal 1000).',
    );
    expect(summary(rows.slice(0, 1))).toBe('1 of 1 goals were met.');
  });

  test('replaces the former results in the document and nothing else', () => {
    const marks = ['<!-- results: written by npm run bench -- --publish -->', '<!-- end of results -->'];
    const document = `before\n\n${marks[0]}\n\nold\n\n${marks[1]}\n\nafter\n`;
    expect(insertResults(document, 'new')).toBe(document.replace('old', 'new'));
    expect(() => insertResults('no marks', 'new')).toThrow('no place for the results');
  });
});

describe('answers are compared', () => {
  test('in minor units, in one notation of time, and without the connections around lists', () => {
    const ours = {
      total: { amount: '-14.75' },
      createdAt: '2026-01-01T00:00:00.000Z',
      payments: { nodes: [{ amount: { amount: '5.00' } }] },
    };
    const peers = { totalMinor: '-1475', createdAt: '2026-01-01T01:00:00+01:00', payments: [{ amountMinor: 500 }] };
    expect(normalise(ours)).toEqual(normalise(peers));
  });

  test('so that a cent, a payment or a word makes a difference', () => {
    const order = { total: { amount: '14.75' }, status: 'PAID', payments: { nodes: [] } };
    const same = { totalMinor: '1475', status: 'PAID', payments: [] };
    expect(normalise(same)).toEqual(normalise(order));
    for (const other of [{ totalMinor: '1476' }, { status: 'SENT' }, { payments: [{ amountMinor: 1 }] }]) {
      expect(normalise({ ...same, ...other })).not.toEqual(normalise(order));
    }
  });
});
