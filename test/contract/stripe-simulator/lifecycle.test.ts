import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStripeSimulator } from '../../../src/simulators/stripe/simulator.js';
import { ACCOUNT, Bench } from './support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stripe-simulator-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('A simulator with a state file', () => {
  test('goes on after a restart with the same books, clocks and idempotency keys', async () => {
    const stateFile = join(folder, 'books.json');
    const before = await Bench.start({ stateFile });
    const made = await before.stripe.customers.create({ name: 'One' }, { idempotencyKey: 'kept' });
    const { id } = await before.invoice(10_000);
    const { paymentIntent } = await before.pay(id, { method: 'ach' });
    await before.control('POST', '/clock', { accountId: ACCOUNT, advanceSeconds: 3600 });
    const books = await before.books();
    const events = await before.eventTypes();
    await before.stop();

    const after = await Bench.start({ stateFile });
    try {
      expect(await after.books()).toEqual(books);
      expect(await after.eventTypes()).toEqual(events);
      expect(await after.stripe.customers.create({ name: 'One' }, { idempotencyKey: 'kept' })).toEqual(made);
      await after.control('POST', '/settle-payment', { paymentIntentId: paymentIntent.id, outcome: 'succeeded' });
      const { status, status_transitions } = await after.stripe.invoices.retrieve(id);
      expect(status).toBe('paid');
      expect((status_transitions.paid_at ?? 0) - made.created).toBeGreaterThanOrEqual(3600);
      expect(await readdir(folder)).toEqual(['books.json']);
    } finally {
      await after.stop();
    }
  });

  test('refuses a file that holds something else', async () => {
    const stateFile = join(folder, 'other.json');
    await writeFile(stateFile, '{"version":1,"aheadMs":0,"companies":{"$map":[]}}');
    await expect(startStripeSimulator({ stateFile })).rejects.toThrow('does not hold books of this simulator');
    await rm(stateFile);
  });
});

describe('A simulator', () => {
  test('begins anew when it is reset', async () => {
    const bench = await Bench.start();
    try {
      await bench.invoice();
      await bench.control('PATCH', `/accounts/${ACCOUNT}`, { name: 'Other' });
      await bench.control('POST', '/faults', { kind: 'status' });
      await bench.control('POST', '/clock', { advanceSeconds: 3600 });
      await bench.control('POST', '/reset', { clocks: true });
      expect(await bench.books()).toMatchObject({ customers: [], invoices: [], created: {} });
      expect(await bench.eventTypes()).toEqual([]);
      expect((await bench.control('GET', '/accounts')).accounts).toMatchObject([{ name: 'Conference Demo Co' }]);
    } finally {
      await bench.stop();
    }
  });

  test('lists its controls and refuses others', async () => {
    const bench = await Bench.start();
    try {
      const { controls } = await bench.control('GET', '');
      expect(controls).toContain('POST /__control/settle-payment');
      await expect(bench.control('POST', '/nothing', {})).rejects.toThrow('no such control');
      await expect(bench.control('POST', '/pay', { invoiceId: 'in_none' })).rejects.toThrow(
        "No such invoice: 'in_none'",
      );
      await expect(bench.control('POST', '/pay', { invoice: 'in_none' })).rejects.toThrow('invoiceId');
      await bench.control('POST', '/accounts', { accountId: 'acct_second', secretKey: 'sk_test_second' });
      await expect(bench.control('POST', '/pay', { invoiceId: 'in_none' })).rejects.toThrow('give accountId');
      for (const taken of [
        { accountId: 'acct_second', secretKey: 'sk_test_third' },
        { accountId: 'acct_third', secretKey: 'sk_test_second' },
      ]) {
        await expect(bench.control('POST', '/accounts', taken)).rejects.toThrow('409');
      }
    } finally {
      await bench.stop();
    }
  });

  test('answers nobody after it was stopped', async () => {
    const bench = await Bench.start();
    await bench.control('POST', '/faults', { kind: 'latency', ms: 60_000 });
    const waiting = expect(bench.stripe.customers.list()).rejects.toThrow();
    await bench.eventually(async () => (await bench.control('GET', '/requests')).requests.length === 1);
    await bench.stop();
    await waiting;
  });
});
