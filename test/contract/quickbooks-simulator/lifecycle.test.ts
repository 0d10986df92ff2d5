import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../../../src/simulators/quickbooks/simulator.js';
import { Bench, type Body, FIRST_REALM, invoiceBody } from './support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickbooks-simulator-'));
});
afterAll(() => rm(folder, { recursive: true }));

const dump = async ({ controlUrl }: QuickBooksSimulator): Promise<string> =>
  (await fetch(`${controlUrl}/books?realmId=${FIRST_REALM}`)).text();

describe('A simulator with a state file', () => {
  test('goes on after a restart with the same books, tokens and remembered request ids', async () => {
    const stateFile = join(folder, 'books.json');
    const before = await Bench.start({ stateFile });
    const customer = await before.customer();
    const created = await before.post('/invoice?requestid=kept', invoiceBody(customer.Id, '12345678901234.56'));
    await before.control('POST', '/pay', { realmId: FIRST_REALM, invoiceId: '145', amount: '0.06' });
    const books = await dump(before.simulator);
    await before.simulator.stop();

    const simulator = await startQuickBooksSimulator({ stateFile });
    try {
      const headers = {
        authorization: `Bearer ${before.tokens.accessToken}`,
        accept: 'application/json',
        'content-type': 'application/json',
      };
      const url = `${simulator.baseUrl}/v3/company/${FIRST_REALM}/invoice?requestid=kept`;
      const again = await fetch(url, { method: 'POST', headers, body: '{}' });
      expect(await again.text()).toBe(created.text);
      expect(await dump(simulator)).toBe(books);
      expect(await readdir(folder)).toEqual(['books.json']);
    } finally {
      await simulator.stop();
    }
  });

  test('takes over a file of the time before companies had refunds, sent e-mails and a clock of their own', async () => {
    const stateFile = join(folder, 'older.json');
    const before = await Bench.start({ stateFile });
    await before.customer();
    await before.simulator.stop();
    const state = JSON.parse(await readFile(stateFile, 'utf8'));
    for (const [, company] of state.companies.$map) {
      for (const part of ['refundReceipts', 'emails', 'created']) delete company.books[part];
      for (const part of ['changesTooOld', 'enforceLimits']) delete company.settings[part];
      delete company.aheadMs;
    }
    await writeFile(stateFile, JSON.stringify(state));

    const simulator = await startQuickBooksSimulator({ stateFile });
    try {
      const books = JSON.parse(await dump(simulator));
      expect(books).toMatchObject({ customers: [{ Id: '58' }], refundReceipts: [], emails: [], created: {} });
      const { companies } = (await (await fetch(`${simulator.controlUrl}/companies`)).json()) as Body;
      expect(companies[0]).toMatchObject({ realmId: FIRST_REALM, changesTooOld: 'shorten', enforceLimits: false });
    } finally {
      await simulator.stop();
    }
  });

  test('keeps how far a company is ahead of the others', async () => {
    const stateFile = join(folder, 'ahead.json');
    const before = await Bench.start({ stateFile });
    const { now } = await before.control('POST', '/clock', { realmId: FIRST_REALM, advanceSeconds: 864_000 });
    await before.simulator.stop();
    const after = await Bench.start({ stateFile });
    try {
      const later = await after.control('POST', '/clock', { realmId: FIRST_REALM, advanceSeconds: 0 });
      expect(Date.parse(later.now)).toBeGreaterThanOrEqual(Date.parse(now));
    } finally {
      await after.simulator.stop();
    }
  });

  test('refuses a file that is not its own', async () => {
    const stateFile = join(folder, 'other.json');
    await writeFile(stateFile, '{"version":2}');
    await expect(startQuickBooksSimulator({ stateFile })).rejects.toThrow('does not hold books of this simulator');
  });
});

describe('Stopping a simulator', () => {
  test('cuts calls that are under way, gives up deliveries and frees the port at once', async () => {
    // Nobody listens on port 9, so the delivery would be repeated for seconds.
    const webhook = { url: 'http://127.0.0.1:9/', verifierToken: 'x' };
    const bench = await Bench.start({ webhook });
    const customer = await bench.customer();
    await bench.control('POST', '/faults', { kind: 'latency', ms: 60_000, match: { path: '/invoice' } });
    const call = expect(bench.post('/invoice', invoiceBody(customer.Id))).rejects.toThrow();
    await bench.control('POST', '/webhooks', { delayMs: 0 });
    const begun = performance.now();
    await bench.simulator.stop();
    await call;
    expect(performance.now() - begun).toBeLessThan(1000);
    await expect(fetch(bench.simulator.baseUrl)).rejects.toThrow();
  });

  test('leaves the port for the next one', async () => {
    const first = await startQuickBooksSimulator();
    const { port } = new URL(first.baseUrl);
    await first.stop();
    const second = await startQuickBooksSimulator({ port: Number.parseInt(port, 10) });
    expect(second.baseUrl).toBe(first.baseUrl);
    await second.stop();
  });
});
