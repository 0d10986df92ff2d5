import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(() => bench.quickbooks.delete('/faults'));

afterAll(() => bench.stop());

async function named(displayName: string): Promise<Data[]> {
  const { customers } = await bench.books();
  return customers.filter((customer: Data) => customer.DisplayName === displayName);
}

async function operations(): Promise<Data[]> {
  return bench.sql("select state, attempts from provider_operation where kind = 'CREATE_CUSTOMER' order by created_at");
}

async function linked(organizationName: string): Promise<Data[]> {
  return bench.sql('select external_id from qbo_customer where normalized_name = ?', [organizationName.toLowerCase()]);
}

/** Somebody else makes a customer of that name while ours is on its way. */
async function overtaken(organizationName: string) {
  const purchaseOrderId = await bench.order({ organizationName });
  const { accounting } = bench.context;
  let calls = 0;
  const createCustomer = async (connection: string, body: string, key: string) => {
    calls += 1;
    if (calls === 1) await accounting.createCustomer(connection, body, `somebody-else-${key}`);
    return accounting.createCustomer(connection, body, key);
  };
  return createQboInvoice(bench.with({ createCustomer }), { purchaseOrderId });
}

test('a name that was taken a moment ago (6240) by a customer we can use leads to that customer', async () => {
  const organizationName = 'Overtaken Ltd';
  expect(await overtaken(organizationName)).toMatchObject({ failures: [] });
  const [customer, ...others] = await named(organizationName);
  expect(others).toEqual([]);
  expect(await named(`${organizationName} (USD)`)).toEqual([]);
  expect(await linked(organizationName)).toEqual([{ external_id: customer?.Id }]);
  expect((await operations()).at(-1)).toEqual({ state: 'DONE', attempts: 1 });
});

describe('a customer that queries do not show yet', () => {
  const lagging = () => bench.with({ findCustomersByName: async () => ({ ok: true, value: [], trace: {} }) });

  test('is not made twice when the process that made it dies before it is linked', async () => {
    const organizationName = 'Hardly Made Ltd';
    const purchaseOrderId = await bench.order({ organizationName });
    const { ids } = bench.context;
    const next: typeof ids.next = (prefix) => (prefix === 'cust' ? die() : ids.next(prefix));
    const dying = { ...bench.process(), ids: { ...ids, next } };
    await expect(createQboInvoice(dying, { purchaseOrderId })).rejects.toThrow(ProcessDied);
    await bench.later(181_000);
    expect(await createQboInvoice(lagging(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const [customer] = await named(organizationName);
    expect(await named(`${organizationName} (USD)`)).toEqual([]);
    expect(await linked(organizationName)).toEqual([{ external_id: customer?.Id }]);
    expect((await operations()).at(-1)).toEqual({ state: 'DONE', attempts: 2 });
  });

  test('is not taken for somebody else when its name is taken (6240) soon after a lost answer', async () => {
    const organizationName = 'Late Seen Ltd';
    const purchaseOrderId = await bench.order({ organizationName });
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/customer?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    await bench.quickbooks.post('/forget-requestids');
    expect(await createQboInvoice(lagging(), { purchaseOrderId })).toMatchObject({
      id: null,
      failures: [{ code: 'OUTCOME_UNKNOWN' }],
    });
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const [customer] = await named(organizationName);
    expect(await named(`${organizationName} (USD)`)).toEqual([]);
    expect(await linked(organizationName)).toEqual([{ external_id: customer?.Id }]);
  });
});

describe('a customer of which no sending is ever answered', () => {
  const LOST = { ok: false, failure: { kind: 'unknown', message: 'Duplicate Request ID', trace: {} } } as const;

  /** QuickBooks knows the first request id, and does not say what came of it: it only makes customers under another. */
  function unanswered() {
    const keys: string[] = [];
    const { accounting } = bench.context;
    const createCustomer = async (connection: string, body: string, key: string) => {
      keys.push(key);
      return key === keys[0] ? LOST : accounting.createCustomer(connection, body, key);
    };
    return { keys, context: () => bench.with({ createCustomer }) };
  }

  async function everyMinute(minutes: number, work: () => Promise<unknown>): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      await work();
      await bench.later(60_000);
    }
  }

  test('is not sent again after a quarter of an hour, and made anew once the last sending is as old', async () => {
    const organizationName = 'Never Answered Ltd';
    const purchaseOrderId = await bench.order({ organizationName });
    const { keys, context } = unanswered();
    const invoice = () => createQboInvoice(context(), { purchaseOrderId });
    await everyMinute(15, invoice);
    expect(keys).toEqual(Array.from({ length: 15 }, () => keys[0]));
    await everyMinute(14, async () =>
      expect(await invoice()).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] }),
    );
    expect(keys).toHaveLength(15);
    expect(await invoice()).toEqual({ id: purchaseOrderId, failures: [] });
    expect(new Set(keys).size).toBe(2);
    expect(await named(organizationName)).toHaveLength(1);
    // Given up, which counts as an attempt to who comes back late.
    expect((await operations()).slice(-2)).toEqual([
      { state: 'REFUSED', attempts: 16 },
      { state: 'DONE', attempts: 1 },
    ]);
  });

  test('is settled by the background alone, which ends the waiting of its invoice', async () => {
    const organizationName = 'Left Alone Ltd';
    const purchaseOrderId = await bench.order({ organizationName });
    const { keys, context } = unanswered();
    await createQboInvoice(context(), { purchaseOrderId });
    await everyMinute(31, () => resumeOperations(context()));
    expect(new Set(keys).size).toBe(2);
    expect(await named(organizationName)).toHaveLength(1);
    expect(await bench.sql('select status from invoice where purchase_order_id = ?', [purchaseOrderId])).toEqual([
      { status: 'OPEN' },
    ]);
  });

  test('is gone on with in the background less and less often, together with its invoice', async () => {
    const purchaseOrderId = await bench.order({ organizationName: 'Less Often Ltd' });
    const { context } = unanswered();
    bench.resumptions.length = 0;
    await everyMinute(20, () => createQboInvoice(context(), { purchaseOrderId }));
    expect(bench.resumptions).toEqual([5_000, 10_000, 20_000, 40_000, ...Array.from({ length: 11 }, () => 60_000)]);
    await bench.later(15 * 60_000);
    expect(await createQboInvoice(context(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
  });

  test('lets nobody wait for it while it is not sent', async () => {
    const organizationName = 'Not Waited For Ltd';
    const { keys, context } = unanswered();
    const purchaseOrderIds = [await bench.order({ organizationName }), await bench.order({ organizationName })];
    await everyMinute(15, () => createQboInvoice(context(), { purchaseOrderId: String(purchaseOrderIds[0]) }));
    await bench.later(60_000);
    const startedAt = performance.now();
    for (const purchaseOrderId of purchaseOrderIds) {
      const outcome = await createQboInvoice(context(), { purchaseOrderId });
      expect(outcome).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    }
    expect(performance.now() - startedAt).toBeLessThan(bench.context.waits.customerWaitMs / 2);
    expect(keys).toHaveLength(15);
    await bench.later(15 * 60_000);
    for (const purchaseOrderId of purchaseOrderIds) {
      expect(await createQboInvoice(context(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    }
    expect(await named(organizationName)).toHaveLength(1);
  });

  test('is linked when it appears under one of its names while nothing is sent', async () => {
    const organizationName = 'Appeared Ltd';
    const purchaseOrderId = await bench.order({ organizationName });
    const { keys, context } = unanswered();
    await everyMinute(15, () => createQboInvoice(context(), { purchaseOrderId }));
    await createQboInvoice(context(), { purchaseOrderId });
    const made = bench.context.accounting.prepareCustomer({
      displayName: `${organizationName} (USD)`,
      organizationName,
      contactName: '',
      email: '',
      billingAddress: '',
      currency: undefined,
    });
    const [connection] = await bench.sql('select id from qbo_connection');
    await bench.context.accounting.createCustomer(connection?.id, made, String(keys[0]));
    expect(await createQboInvoice(context(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect((await operations()).at(-1)).toEqual({ state: 'DONE', attempts: 15 });
    expect(keys).toHaveLength(15);
  });
});

describe('a customer of unknown outcome whose invoice nobody goes on with', () => {
  async function orphan(organizationName: string, when: 'before' | 'after'): Promise<void> {
    const purchaseOrderId = await bench.order({ organizationName });
    await bench.quickbooks.post('/faults', { kind: 'reset', when, match: { path: '/customer?' } });
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    await bench.sql("update provider_operation set state = 'REFUSED' where kind = 'CREATE_INVOICE' and subject = ?", [
      purchaseOrderId,
    ]);
    await bench.sql('delete from invoice where purchase_order_id = ?', [purchaseOrderId]);
  }

  test('is linked in the background when it was made', async () => {
    await orphan('Made Ltd', 'after');
    await bench.later(16 * 60_000);
    await bench.quickbooks.delete('/requests');
    expect(await resumeOperations(bench.process())).toBe(1);
    const [customer] = await named('Made Ltd');
    expect(await linked('Made Ltd')).toEqual([{ external_id: customer?.Id }]);
    expect((await operations()).at(-1)).toEqual({ state: 'DONE', attempts: 1 });
    expect(await bench.quickbooks.requests('?kind=write')).toEqual([]);
  });

  test('is sent again while QuickBooks surely knows its request id', async () => {
    await orphan('Sent Again Ltd', 'before');
    expect(await resumeOperations(bench.process())).toBe(1);
    const [customer, ...others] = await named('Sent Again Ltd');
    expect(others).toEqual([]);
    expect(await linked('Sent Again Ltd')).toEqual([{ external_id: customer?.Id }]);
    expect((await operations()).at(-1)).toEqual({ state: 'DONE', attempts: 2 });
  });

  test('is given up later, and the next invoice makes a new one', async () => {
    const organizationName = 'Given Up Ltd';
    await orphan(organizationName, 'before');
    await bench.later(16 * 60_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect((await operations()).at(-1)).toEqual({ state: 'REFUSED', attempts: 1 });
    expect(await named(organizationName)).toEqual([]);
    const purchaseOrderId = await bench.order({ organizationName });
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
    expect(await named(organizationName)).toHaveLength(1);
  });

  test('is left alone while its last sending may be under way, and then given up', async () => {
    await orphan('Sent Late Ltd', 'before');
    await bench.later(14 * 60_000);
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/customer?' } });
    expect(await resumeOperations(bench.process())).toBe(1);
    await bench.later(2 * 60_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await resumeOperations(bench.process())).toBe(0);
    expect((await operations()).at(-1)).toEqual({ state: 'UNKNOWN', attempts: 2 });
    await bench.later(14 * 60_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect((await operations()).at(-1)).toEqual({ state: 'REFUSED', attempts: 2 });
  });

  test('stays open, and is looked at less often, while QuickBooks cannot be read', async () => {
    await orphan('Unreadable Ltd', 'before');
    await bench.later(16 * 60_000);
    const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
    expect(await resumeOperations(bench.with({ findCustomersByName: async () => unread }))).toBe(1);
    expect((await operations()).at(-1)).toEqual({ state: 'UNKNOWN', attempts: 1 });
    expect(await resumeOperations(bench.process())).toBe(0);
    await bench.later(31_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect((await operations()).at(-1)).toEqual({ state: 'REFUSED', attempts: 1 });
  });

  test.each(['before', 'after'] as const)(
    'is settled at once by the next invoice while the background waits for its next look (lost %s it was made)',
    async (when) => {
      const organizationName = `Awaited ${when} Ltd`;
      await orphan(organizationName, when);
      await bench.later(16 * 60_000);
      const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
      await resumeOperations(bench.with({ findCustomersByName: async () => unread }));
      expect((await operations()).at(-1)).toEqual({ state: 'UNKNOWN', attempts: 1 });
      const purchaseOrderId = await bench.order({ organizationName });
      expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({
        id: purchaseOrderId,
        failures: [],
      });
      expect(await named(organizationName)).toHaveLength(1);
      expect(await resumeOperations(bench.process())).toBe(0);
    },
  );
});
