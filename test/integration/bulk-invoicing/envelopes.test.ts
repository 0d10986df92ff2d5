import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { BulkBench, MINUTE } from './support.js';

let bulk: BulkBench;

beforeAll(async () => {
  bulk = await BulkBench.start();
});

beforeEach(() => bulk.calm());

afterAll(() => bulk.bench.stop());

const create = (purchaseOrderId: string) => createQboInvoice(bulk.bench.process(), { purchaseOrderId });

describe('An envelope that is answered', () => {
  test('gives each order its own invoice, in whatever order the answers come', async () => {
    await bulk.company({ shuffleBatchAnswers: true });
    const { id, orders } = await bulk.workedOff(3);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    const rows = await bulk.bench.sql(
      `select invoice.external_id, purchase_order.reference from invoice
       join purchase_order on purchase_order.id = purchase_order_id where purchase_order_id in (?)`,
      [orders],
    );
    const { invoices } = await bulk.bench.books();
    for (const { external_id, reference } of rows) {
      const invoice = invoices.find(({ Id }: { Id: string }) => Id === external_id);
      expect(invoice.PrivateNote).toContain(reference);
    }
    expect(await bulk.envelopes()).toMatchObject([{ state: 'DONE', attempts: 1 }]);
  });

  test('may have refused some: they fail, their claims are gone, and the others are invoiced', async () => {
    await bulk.strike({ kind: 'fault', code: '6210', detail: 'The books are closed.', items: [2] });
    const { id, orders } = await bulk.workedOff(3);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'FAILED QBO_REJECTED', 'SUCCEEDED']);
    expect((await bulk.items(id))[1]).toMatchObject({
      fault_code: '6210',
      invoice_id: null,
      error_message: expect.stringContaining('The books are closed.'),
    });
    expect(await bulk.booked(orders)).toEqual([1, 0, 1]);
    expect((await bulk.envelopes()).at(-1)).toMatchObject({ state: 'DONE' });
    expect(await create(orders[1] ?? '')).toEqual({ id: orders[1], failures: [] });
    expect(await bulk.booked(orders)).toEqual([1, 1, 1]);
  });

  test('with an answer missing leaves that one open: it is looked for and adopted, and never sent again', async () => {
    await bulk.strike({ kind: 'omit', items: [1], when: 'after' });
    const { id, orders } = await bulk.workedOff(2);
    expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN', 'SUCCEEDED']);
    expect(await create(orders[0] ?? '')).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    await bulk.goOn(id);
    expect(await bulk.writes()).toEqual([]);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
    expect((await bulk.envelopes()).at(-1)).toMatchObject({ state: 'DONE', attempts: 1 });
  });

  test('with an answer missing of what was not done sends that alone, but not before it is surely absent', async () => {
    await bulk.strike({ kind: 'omit', items: [1], when: 'before' });
    const { id, orders } = await bulk.workedOff(2);
    await bulk.goOn(id);
    await bulk.goOn(id);
    expect(await bulk.writes()).toEqual([]);
    expect(await create(orders[0] ?? '')).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await bulk.writes()).toEqual([]);
    await bulk.goOn(id, 9 * MINUTE);
    expect(await bulk.writes()).toEqual(['/invoice']);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });

  test('with an answer given twice counts as unanswered there', async () => {
    await bulk.strike({ kind: 'repeat', items: [2] });
    const { id, orders } = await bulk.workedOff(2);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'PENDING OUTCOME_UNKNOWN']);
    await bulk.goOn(id);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });
});

describe('An envelope whose answer is lost', () => {
  test.each(['before', 'after'])(
    '%s it was carried out is sent again as it was, under the same request id',
    async (when) => {
      await bulk.strike({ kind: 'reset', when });
      const { id, orders } = await bulk.workedOff(3);
      const [first] = await bulk.bench.quickbooks.requests('?kind=write');
      expect(new Set(await bulk.results(id))).toEqual(new Set(['PENDING OUTCOME_UNKNOWN']));
      for (const order of orders)
        expect(await create(order)).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
      expect(await bulk.writes()).toEqual(['/batch']);
      await bulk.goOn(id);
      const [again, ...others] = await bulk.bench.quickbooks.requests('?kind=write');
      expect(others).toEqual([]);
      expect([again?.requestid, again?.body]).toEqual([first?.requestid, first?.body]);
      expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
      expect(await bulk.booked(orders)).toEqual([1, 1, 1]);
      expect((await bulk.envelopes()).at(-1)).toMatchObject({ state: 'DONE', attempts: 2 });
    },
  );

  test('is looked for, member by member, when QuickBooks may have forgotten its ids', async () => {
    await bulk.strike({ kind: 'reset', items: [2] });
    const { id, orders } = await bulk.workedOff(3);
    expect(await bulk.booked(orders)).toEqual([1, 0, 1]);
    await bulk.bench.quickbooks.post('/forget-requestids');
    await bulk.goOn(id, 16 * MINUTE);
    expect(await bulk.writes()).toEqual(['/invoice']);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1, 1]);
  });

  test('and whose repetition is answered with trouble is looked for', async () => {
    await bulk.company({ failRepeatedBatchItems: true });
    await bulk.strike({ kind: 'reset', when: 'after' });
    const { id, orders } = await bulk.workedOff(2);
    await bulk.goOn(id);
    await bulk.goOn(id, 16 * MINUTE);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });

  test('is not sent again once a member is settled: what was refused would be made without a claim', async () => {
    await bulk.strike({ kind: 'fault', code: '6210', items: [1] });
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    // The process dies when the first of two results is recorded.
    const { accounting } = bulk.bench.context;
    let answered = false;
    const context = bulk.bench.with({
      createInvoices: async (...call) => {
        const answer = await accounting.createInvoices(...call);
        answered = true;
        return answer;
      },
    });
    const dying = { ...context, jobs: { ...context.jobs, resumeOperationsIn: () => undefined } };
    await bulk.bench.sql(
      `create function refuse() returns trigger language plpgsql as $$ begin
         if new.state = 'DONE' then raise exception 'the process died here'; end if; return new; end $$;
       create trigger refuse before update on provider_operation for each row execute function refuse()`,
    );
    await bulk.turn(id, dying);
    expect(bulk.unforeseen).toHaveLength(1);
    await bulk.bench.sql('drop trigger refuse on provider_operation; drop function refuse()');
    expect(answered).toBe(true);
    expect(await bulk.booked(orders)).toEqual([0, 1]);
    await bulk.goOn(id);
    expect(await bulk.writes()).toEqual([]);
    expect(await bulk.results(id)).toEqual(['FAILED QBO_REJECTED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([0, 1]);
  });

  test('is not sent again when it holds more than its members', async () => {
    await bulk.strike({ kind: 'reset', when: 'after' });
    const { id, orders } = await bulk.workedOff(3);
    const alone = orders.slice(0, 1);
    await bulk.bench.sql(
      'update provider_operation set envelope_id = null, envelope_item = null where subject in (?)',
      [alone],
    );
    await bulk.goOn(id);
    expect(await bulk.writes()).not.toContain('/batch');
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  });

  test('is not sent again when one of its orders was paid meanwhile: all are looked for', async () => {
    await bulk.strike({ kind: 'reset', when: 'after' });
    const { id, orders } = await bulk.workedOff(2);
    await recordPayment(bulk.bench.process(), { purchaseOrderId: orders[0] ?? '', amount: '1.00', method: 'WIRE' });
    await bulk.goOn(id);
    expect(await bulk.writes()).toEqual([]);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });

  test('leaves nothing of an order that was paid meanwhile and not invoiced', async () => {
    await bulk.strike({ kind: 'reset', when: 'before' });
    const { id, orders } = await bulk.workedOff(2);
    await recordPayment(bulk.bench.process(), { purchaseOrderId: orders[0] ?? '', amount: '1.00', method: 'WIRE' });
    await bulk.goOn(id);
    await bulk.goOn(id, 16 * MINUTE);
    expect(await bulk.results(id)).toEqual(['FAILED HAS_PAYMENTS_OR_CREDITS', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([0, 1]);
  });
});

test('An item whose outcome cannot be found out does not fail, also after a day: it has its result when that is known', async () => {
  await bulk.strike({ kind: 'reset', when: 'after' });
  const { id, orders } = await bulk.workedOff(1);
  await bulk.bench.sql("update qbo_connection set status = 'RECONNECT_REQUIRED'");
  await bulk.goOn(id);
  expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN']);
  await bulk.goOn(id, 25 * 60 * MINUTE);
  await bulk.bench.sql("update qbo_connection set status = 'CONNECTED'");
  expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN']);
  await bulk.goOn(id, 61 * MINUTE);
  expect(await bulk.results(id)).toEqual(['SUCCEEDED']);
  expect(await bulk.bench.sql('select status from invoice where purchase_order_id in (?)', [orders])).toEqual([
    { status: 'OPEN' },
  ]);
  expect(await bulk.booked(orders)).toEqual([1]);
});

describe('A process that dies', () => {
  test('before the envelope was sent leaves it to be sent as it is stored', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    await expect(bulk.turn(id, bulk.dyingAt('createInvoices'))).rejects.toThrow();
    const [{ id: envelope, body } = {}] = (await bulk.envelopes()).slice(-1);
    await bulk.goOn(id);
    expect(await bulk.bench.quickbooks.requests('?kind=write')).toMatchObject([{ requestid: envelope, body }]);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });

  test('while the orders are prepared leaves claims that the next turn goes on with', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    await expect(bulk.turn(id, bulk.dyingAt('prepareInvoices'))).rejects.toThrow();
    await bulk.workOff(id);
    expect(await bulk.results(id)).toEqual(['PENDING IN_PROGRESS', 'PENDING IN_PROGRESS']);
    await bulk.bench.later(4 * MINUTE);
    await bulk.workOff(id);
    expect(await bulk.writes()).toEqual(['/batch']);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });

  test('is followed by one that does not mind if it was only held up: it sends nothing any more', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    const { accounting } = bulk.bench.context;
    let looks: number | undefined;
    const heldUp = bulk.bench.with({
      prepareInvoices: (members) => {
        looks = 0;
        return accounting.prepareInvoices(members);
      },
    });
    // It looks at the clock once more to say until when the envelope is its own, and the next time that is over.
    const now = () => {
      if (looks === undefined) return bulk.bench.clock.now();
      looks += 1;
      return new Date(bulk.bench.clock.now().getTime() + (looks > 1 ? 4 * MINUTE : 0));
    };
    await bulk.turn(id, { ...heldUp, clock: { now } });
    expect(await bulk.writes()).toEqual([]);
    expect(await bulk.results(id)).toEqual(['PENDING', 'PENDING']);
    await bulk.goOn(id);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });
});

describe('An envelope that is refused as a whole', () => {
  test('for itself says nothing of its members: each is created alone', async () => {
    await bulk.strike({ kind: 'status', status: 413 });
    const { id, orders } = await bulk.workedOff(2);
    expect(await bulk.writes()).toEqual(['/batch', '/invoice', '/invoice']);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
    expect((await bulk.envelopes()).at(-1)).toMatchObject({ state: 'REFUSED' });
  });

  test('because the company is paused is tried again later, under other ids, and holds no claims until then', async () => {
    await bulk.strike({ kind: '429' });
    const { id, orders } = await bulk.workedOff(2);
    expect(await bulk.results(id)).toEqual(['PENDING QBO_UNAVAILABLE', 'PENDING QBO_UNAVAILABLE']);
    expect(await bulk.bench.sql('select from invoice where purchase_order_id in (?)', [orders])).toEqual([]);
    await bulk.goOn(id);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
    expect((await bulk.envelopes()).slice(-2)).toMatchObject([{ state: 'REFUSED' }, { state: 'DONE' }]);
  });

  test('for a day long fails its items', async () => {
    await bulk.strike({ kind: '429', times: 2 });
    const { id, orders } = await bulk.workedOff(1);
    await bulk.goOn(id, 25 * 60 * MINUTE);
    expect(await bulk.results(id)).toEqual(['FAILED QBO_UNAVAILABLE']);
    expect(await bulk.booked(orders)).toEqual([0]);
    expect(
      await bulk.bench.sql('select finished_at is not null as done from bulk_invoicing where id = ?', [id]),
    ).toEqual([{ done: true }]);
  });

  test('because of its token is sent again with a new one', async () => {
    await bulk.strike({ kind: '401' });
    const { id, orders } = await bulk.workedOff(2);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });
});

describe('While an envelope is on its way', () => {
  test('a single creation of one of its orders is told so and sends nothing, and the order cannot be cancelled', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    const { accounting } = bulk.bench.context;
    const seen: unknown[] = [];
    const context = bulk.bench.with({
      createInvoices: async (...call) => {
        seen.push(await create(orders[0] ?? ''));
        seen.push(await cancelPurchaseOrder(bulk.bench.process(), { purchaseOrderId: orders[1] ?? '' }));
        return accounting.createInvoices(...call);
      },
    });
    await bulk.workOff(id, context);
    expect(seen).toMatchObject([
      { id: null, failures: [{ code: 'IN_PROGRESS' }] },
      { id: null, failures: [{ code: 'IN_PROGRESS' }] },
    ]);
    expect(await bulk.writes()).toEqual(['/batch']);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });
});

describe('What another one did with an order', () => {
  test('before its turn is its result', async () => {
    const orders = await bulk.orders(4);
    const [invoiced = '', cancelled = '', paid = ''] = orders;
    const id = await bulk.begin(orders);
    await create(invoiced);
    await cancelPurchaseOrder(bulk.bench.process(), { purchaseOrderId: cancelled });
    await recordPayment(bulk.bench.process(), { purchaseOrderId: paid, amount: '1.00', method: 'WIRE' });
    await bulk.workOff(id);
    expect(await bulk.results(id)).toEqual([
      'FAILED ALREADY_INVOICED',
      'FAILED CANCELLED',
      'FAILED HAS_PAYMENTS_OR_CREDITS',
      'SUCCEEDED',
    ]);
    expect(await bulk.booked(orders)).toEqual([1, 0, 0, 1]);
  });

  test('between its claim and the envelope leaves it out of that', async () => {
    const orders = await bulk.orders(2);
    const [purchaseOrderId = ''] = orders;
    const id = await bulk.begin(orders);
    await bulk.bench.sql('update qbo_connection set settings = null');
    const { accounting } = bulk.bench.context;
    const context = bulk.bench.with({
      readCompanySettings: async (connectionId) => {
        await recordPayment(bulk.bench.process(), { purchaseOrderId, amount: '1.00', method: 'WIRE' });
        return accounting.readCompanySettings(connectionId);
      },
    });
    await bulk.workOff(id, context);
    expect(await bulk.results(id)).toEqual(['FAILED HAS_PAYMENTS_OR_CREDITS', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([0, 1]);
  });

  test('by a turn that wrote its result down keeps another turn from claiming it', async () => {
    const orders = await bulk.orders(2);
    const id = await bulk.begin(orders);
    await bulk.bench.sql('update qbo_connection set settings = null');
    const { accounting } = bulk.bench.context;
    const context = bulk.bench.with({
      readCompanySettings: async (connectionId) => {
        const failed = "state = 'FAILED', error_code = 'RECONNECT_REQUIRED', error_message = 'Elsewhere.'";
        await bulk.bench.sql(`update bulk_invoicing_item set ${failed} where purchase_order_id = ?`, [orders[1]]);
        return accounting.readCompanySettings(connectionId);
      },
    });
    await bulk.workOff(id, context);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'FAILED RECONNECT_REQUIRED']);
    expect(await bulk.booked(orders)).toEqual([1, 0]);
    expect(await bulk.operations(orders.slice(1))).toEqual([]);
  });

  test('by another bulk at the same time makes no second invoice', async () => {
    const orders = await bulk.orders(3);
    const ids = [await bulk.begin(orders), await bulk.begin(orders)];
    await Promise.all(ids.map((id) => bulk.workOff(id)));
    for (const id of ids) await bulk.goOn(id);
    expect(await bulk.booked(orders)).toEqual([1, 1, 1]);
    const results = await Promise.all(ids.map((id) => bulk.results(id)));
    expect(results.flat().filter((result) => result === 'SUCCEEDED')).toHaveLength(3);
    expect(results.flat().filter((result) => result === 'FAILED ALREADY_INVOICED')).toHaveLength(3);
  });
});
