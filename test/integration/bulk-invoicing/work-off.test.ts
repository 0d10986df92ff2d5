import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createQboInvoices } from '../../../src/application/bulk-invoicing/create-qbo-invoices.js';
import { dueBulkInvoicings } from '../../../src/application/bulk-invoicing/work-off-bulk-invoicing.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { idOf } from '../../support/workbench.js';
import { BulkBench } from './support.js';

let bulk: BulkBench;

beforeAll(async () => {
  bulk = await BulkBench.start();
});

beforeEach(() => bulk.calm());

afterAll(() => bulk.bench.stop());

const ask = (purchaseOrderIds: readonly string[], idempotencyKey?: string) =>
  createQboInvoices(bulk.bench.process(), {
    purchaseOrderIds,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });

const countBulks = async () => Number((await bulk.bench.sql('select count(*) from bulk_invoicing'))[0]?.count);

test('sixty orders of a known customer cost two calls in two turns, and 29 statements each', async () => {
  const orders = await bulk.orders(60);
  const id = await bulk.begin(orders);
  const statements = await bulk.bench.statementsOf(async () => {
    expect(await bulk.turn(id)).toBeInstanceOf(Date);
    expect(await bulk.turn(id)).toBeUndefined();
  });
  expect(await bulk.bench.quickbooks.requests()).toMatchObject([{ kind: 'write' }, { kind: 'write' }]);
  expect(await bulk.writes()).toEqual(['/batch', '/batch']);
  expect(await bulk.results(id)).toEqual(orders.map(() => 'SUCCEEDED'));
  expect(new Set(await bulk.booked(orders))).toEqual(new Set([1]));
  // 5 a turn, 14 an envelope, 29 an invoice, and one that says that the bulk is finished.
  expect(statements).toHaveLength(2 * (5 + 14) + 60 * 29 + 1);
  expect(await bulk.turn(id)).toBeUndefined();
  expect(await bulk.writes()).toHaveLength(2);
}, 120_000);

test('asking for many orders costs as many statements as asking for one, and no call', async () => {
  const orders = await bulk.orders(3);
  await bulk.bench.quickbooks.delete('/requests');
  const statements = await bulk.bench.statementsOf(() => ask(orders));
  // begin, the orders, the bulk, its items, commit
  expect(statements.map((statement) => statement.replace(/^(\w+).*$/s, '$1'))).toEqual([
    'begin',
    'select',
    'insert',
    'insert',
    'commit',
  ]);
  expect(await bulk.bench.quickbooks.requests()).toEqual([]);
});

test('a bulk locks its orders in the order in which everybody locks several', async () => {
  const orders = (await bulk.orders(3)).toSorted().toReversed();
  const id = await bulk.begin(orders);
  const stored = await bulk.bench.sql(
    'select purchase_order_id as id, position from bulk_invoicing_item where bulk_invoicing_id = ? order by ctid',
    [id],
  );
  expect(stored).toEqual([3, 2, 1].map((position) => ({ id: orders[position - 1], position })));
});

test('one turn sends one envelope, so that others get at the worker in between', async () => {
  const id = await bulk.begin(await bulk.orders(31));
  expect(await bulk.turn(id)).toEqual(expect.any(Date));
  expect(await bulk.writes()).toEqual(['/batch']);
  expect((await bulk.results(id)).filter((result) => result === 'SUCCEEDED')).toHaveLength(30);
  expect(await bulk.turn(id)).toBeUndefined();
  expect(await bulk.writes()).toEqual(['/batch', '/batch']);
}, 60_000);

test('an envelope is as long in bytes as QuickBooks takes, however few characters that are', async () => {
  const { accounting } = bulk.bench.context;
  const sizes: number[] = [];
  const context = bulk.bench.with({
    // 300 kB of 100,000 characters
    prepareInvoice: (draft) => `${accounting.prepareInvoice(draft).slice(0, -1)},"Padding":"${'€'.repeat(100_000)}"}`,
    createInvoices: async (...call) => {
      sizes.push(call[3].length);
      return accounting.createInvoices(...call);
    },
  });
  const id = await bulk.begin(await bulk.orders(2));
  await bulk.workOff(id, context);
  expect(sizes).toEqual([1, 1]);
});

describe('A request for many invoices', () => {
  test('that is repeated under its key is answered with the same bulk', async () => {
    const orders = await bulk.orders(2);
    const first = idOf(await ask(orders, 'twice-the-same'));
    expect(await ask(orders, 'twice-the-same')).toEqual({ id: first, failures: [] });
    expect(await ask(orders.slice(1), 'twice-the-same')).toMatchObject({
      failures: [{ code: 'IDEMPOTENCY_KEY_REUSED' }],
    });
    expect(await bulk.items(first)).toHaveLength(2);
  });

  test.each([
    ['no orders', async () => [], ['purchaseOrderIds']],
    ['more than 200', async () => Array.from({ length: 201 }, (_, index) => `po_${index}`), ['purchaseOrderIds']],
    ['one twice', async () => [...(await bulk.orders(1)), 'po_1', 'po_1'], ['purchaseOrderIds', '2']],
  ])('with %s is refused, and nothing is begun', async (_what, given, path) => {
    const before = await countBulks();
    expect(await ask(await given())).toMatchObject({ id: null, failures: [{ code: 'INVALID', path }] });
    expect(await countBulks()).toBe(before);
  });

  test('with an unknown order among others is refused as a whole', async () => {
    const [known = ''] = await bulk.orders(1);
    const before = await countBulks();
    expect(await ask([known, 'po_unknown'])).toMatchObject({
      id: null,
      failures: [{ code: 'NOT_FOUND', path: ['purchaseOrderIds', '1'] }],
    });
    expect(await countBulks()).toBe(before);
  });
});

test('orders of two companies go out in an envelope each, and one that is paused does not keep the other', async () => {
  const { quickbooks, process } = bulk.bench;
  const realmId = '9341450000000002';
  const conference = { name: 'Second', slug: 'second', currencyCode: 'USD', timezone: 'UTC' };
  const conferenceId = idOf(await createConference(process(), conference));
  const { accessToken, refreshToken } = await quickbooks.post('/tokens', { realmId });
  const tokens = { environment: 'SANDBOX', realmId, accessToken, refreshToken };
  idOf(await configureQboConnection(process(), { conferenceId, ...tokens }));
  const [here = ''] = await bulk.orders(1);
  const there = await bulk.bench.order({ conferenceId });
  const unconnected = idOf(await createConference(process(), { ...conference, slug: 'third' }));
  const nowhere = await bulk.bench.order({ conferenceId: unconnected });
  const id = await bulk.begin([there, here, nowhere]);
  await quickbooks.post('/faults', { match: { realmId, path: '/batch' }, kind: '429' });
  await bulk.workOff(id);
  expect(await bulk.results(id)).toEqual(['PENDING QBO_UNAVAILABLE', 'SUCCEEDED', 'FAILED QBO_NOT_CONFIGURED']);
  await bulk.goOn(id);
  expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'FAILED QBO_NOT_CONFIGURED']);
});

test('a bulk whose wake-up was lost is found, until it is finished', async () => {
  const id = await bulk.begin(await bulk.orders(1));
  expect(await dueBulkInvoicings(bulk.bench.process())).toContain(id);
  await bulk.workOff(id);
  expect(await dueBulkInvoicings(bulk.bench.process())).not.toContain(id);
});

test('a new customer of several orders is made once, before the envelope', async () => {
  const orders = [
    await bulk.bench.order({ organizationName: 'Fresh Ltd' }),
    await bulk.bench.order({ organizationName: 'Fresh Ltd' }),
  ];
  const id = await bulk.begin(orders);
  await bulk.workOff(id);
  expect(await bulk.writes()).toEqual(['/customer', '/batch']);
  expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
});
