import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { failed } from '../../../src/application/ports/provider.js';
import { BulkBench, MINUTE } from './support.js';

let bulk: BulkBench;

beforeAll(async () => {
  bulk = await BulkBench.start();
});

beforeEach(() => bulk.calm());

afterAll(() => bulk.bench.stop());

const DAY = 25 * 60 * MINUTE;

const finishedAt = async (id: string) =>
  (await bulk.bench.sql('select finished_at from bulk_invoicing where id = ?', [id]))[0]?.finished_at;

const states = async (orders: readonly string[]) => (await bulk.operations(orders)).map(({ state }) => state);

/** QuickBooks as it is, except that no customer can be made and nobody knows whether one was. */
const withoutCustomers = () =>
  bulk.bench.with({ createCustomer: async () => failed({ kind: 'unknown', message: 'Lost.', trace: {} }) });

/** The wording of this order's invoice fails, of whatever it is. */
async function failingFor(purchaseOrderId: string) {
  const rows = await bulk.bench.sql('select reference from purchase_order where id = ?', [purchaseOrderId]);
  const { accounting } = bulk.bench.context;
  return bulk.bench.with({
    prepareInvoice: (draft) => {
      if (draft.reference === rows[0]?.reference) throw new TypeError('a bug');
      return accounting.prepareInvoice(draft);
    },
  });
}

describe('An error with one order', () => {
  test('puts off that order and is told; the others are sent', async () => {
    const orders = await bulk.orders(3);
    const id = await bulk.begin(orders);
    await bulk.workOff(id, await failingFor(orders[1] ?? ''));
    expect(bulk.unforeseen).toEqual([new TypeError('a bug')]);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'PENDING INTERNAL_SERVER_ERROR', 'SUCCEEDED']);
    expect(await bulk.writes()).toEqual(['/batch']);
    expect(await bulk.booked(orders)).toEqual([1, 0, 1]);
    await bulk.goOn(id);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1, 1]);
  });

  test('that lasts for a day fails it, says why, and the bulk ends', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    const context = await failingFor(orders[0] ?? '');
    await bulk.workOff(id, context);
    await bulk.bench.later(DAY);
    await bulk.workOff(id, context);
    expect(await bulk.results(id)).toEqual(['FAILED INTERNAL_SERVER_ERROR', 'SUCCEEDED']);
    expect((await bulk.items(id))[0]?.error_message).toBe(
      'It is not tried any more. Something went wrong in this server; its log says what.',
    );
    expect(await finishedAt(id)).not.toBeNull();
    expect(await states(orders.slice(0, 1))).toEqual(['REFUSED']);
    await bulk.resume();
    expect(await bulk.booked(orders)).toEqual([0, 1]);
  });

  test('with what is sent together puts off all of them, and the bulk ends', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    const context = bulk.bench.with({
      prepareInvoices: () => {
        throw new TypeError('a bug');
      },
    });
    await bulk.workOff(id, context);
    expect(await bulk.results(id)).toEqual(orders.map(() => 'PENDING INTERNAL_SERVER_ERROR'));
    await bulk.bench.later(DAY);
    await bulk.workOff(id, context);
    expect(await bulk.results(id)).toEqual(orders.map(() => 'FAILED INTERNAL_SERVER_ERROR'));
    expect(await finishedAt(id)).not.toBeNull();
    await bulk.resume();
    expect(await bulk.writes()).toEqual([]);
    expect(await bulk.booked(orders)).toEqual([0, 0]);
  });
});

describe('An item that is given up', () => {
  test('before anything was sent for it takes its claim along: nothing is sent afterwards', async () => {
    const orders = [await bulk.bench.order({ organizationName: 'Brand New Ltd' })];
    const id = await bulk.begin(orders);
    await bulk.workOff(id, withoutCustomers());
    expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN']);
    expect(await states(orders)).toEqual(['CLAIMED']);
    await bulk.bench.later(DAY);
    await bulk.workOff(id, withoutCustomers());
    expect(await bulk.results(id)).toEqual(['FAILED OUTCOME_UNKNOWN']);
    expect(await states(orders)).toEqual(['REFUSED']);
    expect(await bulk.bench.sql('select from invoice where purchase_order_id in (?)', [orders])).toEqual([]);
    expect(await finishedAt(id)).not.toBeNull();
    for (const after of [10 * MINUTE, 20 * MINUTE, 70 * MINUTE]) {
      await bulk.bench.later(after);
      await bulk.resume();
    }
    expect(await bulk.writes()).not.toContain('/invoice');
    expect(await bulk.booked(orders)).toEqual([0]);
    expect(await bulk.results(id)).toEqual(['FAILED OUTCOME_UNKNOWN']);
  });

  test('can be asked for again, and is invoiced once', async () => {
    const orders = [await bulk.bench.order({ organizationName: 'Brand New Again Ltd' })];
    const id = await bulk.begin(orders);
    await bulk.workOff(id, withoutCustomers());
    await bulk.bench.later(DAY);
    await bulk.workOff(id, withoutCustomers());
    await bulk.bench.later(70 * MINUTE);
    const again = await bulk.begin(orders);
    await bulk.workOff(again);
    expect(await bulk.results(again)).toEqual(['SUCCEEDED']);
    expect(await bulk.results(id)).toEqual(['FAILED OUTCOME_UNKNOWN']);
    expect(await bulk.booked(orders)).toEqual([1]);
  });

  test('is not given up while it is not known whether its invoice was made, and is told once it is', async () => {
    await bulk.strike({ kind: 'reset', when: 'before' });
    const { id, orders } = await bulk.workedOff(1);
    await bulk.bench.later(DAY);
    await bulk.workOff(id);
    expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN']);
    expect(await finishedAt(id)).toBeNull();
    await bulk.goOn(id, 61 * MINUTE);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED']);
    expect(await finishedAt(id)).not.toBeNull();
    expect(await bulk.booked(orders)).toEqual([1]);
  });
});
