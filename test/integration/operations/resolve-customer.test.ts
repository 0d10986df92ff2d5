import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { resumeOperations } from '../../../src/application/quickbooks/resume-operations.js';
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
