import { expect, test } from '@jest/globals';
import type { RunningApp } from '../../../src/app.js';
import { banner } from '../../../src/development/banner.js';

function linesAbout(name: string, fields: Partial<RunningApp>): string[] {
  const simulator = { baseUrl: 'http://127.0.0.1:4011', controlUrl: 'http://127.0.0.1:4011/__control' };
  const app = {
    url: 'http://127.0.0.1:4000',
    apiKey: 'ci_key',
    apiKeyFile: undefined,
    simulators: { quickbooks: undefined, stripe: simulator },
    addresses: { quickbooks: undefined, stripe: undefined },
    realStripeConferences: 0,
    stop: async () => undefined,
    ...fields,
  } as RunningApp;
  const lines = banner(app, 'all').split('\n');
  return lines.filter((line) => line.trim().startsWith(name)).map((line) => line.trim().replace(/\s+/g, ' '));
}

test.each([
  [0, 'Stripe SIMULATED at http://127.0.0.1:4011; no real money, no account needed'],
  [1, 'Stripe SIMULATED at http://127.0.0.1:4011, and the real one for 1 conference'],
  [2, 'Stripe SIMULATED at http://127.0.0.1:4011, and the real one for 2 conferences'],
])('with %i conferences connected to Stripe itself the banner says %s', (realStripeConferences, line) => {
  expect(linesAbout('Stripe', { realStripeConferences })).toEqual([line]);
});

test('without a simulator the banner says that the real one is used', () => {
  expect(linesAbout('QuickBooks', {})).toEqual(['QuickBooks the real one, as each conference is connected']);
});
