import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { syncInvoice } from '../../../src/application/quickbooks/sync-invoices.js';
import type { Data } from '../../support/graphql-client.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
});

afterAll(() => bench.stop());

const cancel = (purchaseOrderId: string) => cancelPurchaseOrder(bench.process(), { purchaseOrderId });

/** An order with an unpaid invoice; only what comes after counts as a request. */
async function invoiced() {
  const order = await bench.invoicedOrder();
  await bench.quickbooks.delete('/requests');
  return order;
}

async function standing(id: string): Promise<Data> {
  const [order] = await bench.sql('select status from purchase_order where id = ?', [id]);
  const invoices = await bench.sql('select status from invoice where purchase_order_id = ? order by id', [id]);
  const voids = await bench.sql(
    `select state from provider_operation where kind = 'VOID_INVOICE'
       and subject in (select id from invoice where purchase_order_id = ?) order by generation`,
    [id],
  );
  return {
    order: order.status,
    invoices: invoices.map(({ status }) => status),
    voids: voids.map(({ state }) => state),
  };
}

const CANCELLED = { order: 'CANCELLED', invoices: ['VOIDED'], voids: ['DONE'] };

async function calls(): Promise<string[]> {
  const requests = await bench.quickbooks.requests();
  return requests.map(({ kind, path, query }: Data) => {
    const operation = query.operation ? `?operation=${query.operation}` : '';
    return `${kind} ${path.replace(/^.*\d{16}/, '')}${operation}`;
  });
}

async function inBooks(externalId: string): Promise<Data> {
  const { invoices } = await bench.books();
  return invoices.find((invoice: Data) => invoice.Id === externalId);
}

async function audited(id: string): Promise<string[]> {
  const rows = await bench.sql('select action from audit_event where subject = ? order by id', [id]);
  return rows.map(({ action }) => action);
}

const VOID = '/invoice?operation=void';
const VOIDS = { path: 'operation=void' };

describe('W-Q18: cancelling an order with an unpaid invoice', () => {
  test('voids it in QuickBooks with one request, and both are done together', async () => {
    const { id, externalId } = await invoiced();
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await calls()).toEqual([`write ${VOID}`]);
    const [{ body }] = await bench.quickbooks.requests();
    expect(JSON.parse(body)).toEqual({ Id: externalId, SyncToken: '0' });
    expect(await standing(id)).toEqual(CANCELLED);
    expect(await inBooks(externalId)).toMatchObject({ TotalAmt: 0, Balance: 0 });
    expect((await inBooks(externalId)).PrivateNote).toMatch(/^Voided/);
    expect((await audited(id)).slice(-3)).toEqual([
      'invoice.void_requested',
      'invoice.voided',
      'purchase_order.cancelled',
    ]);
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'CANCELLED' }] });
    expect(await calls()).toEqual([`write ${VOID}`]);
  });

  test('just cancels when a bookkeeper has voided it already', async () => {
    const { id, externalId } = await invoiced();
    await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: externalId });
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await standing(id)).toEqual(CANCELLED);
    expect((await calls()).filter((call) => call.startsWith('write'))).toEqual([`write ${VOID}`]);
  });

  test('just cancels when a bookkeeper has deleted it already', async () => {
    const { id, externalId } = await invoiced();
    await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: externalId });
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await standing(id)).toEqual({ ...CANCELLED, invoices: ['DELETED'] });
  });

  test('reads it anew and tries again when a bookkeeper has changed it', async () => {
    const { id, externalId } = await invoiced();
    await bench.quickbooks.post('/edit-invoice', {
      realmId: bench.realmId,
      invoiceId: externalId,
      CustomerMemo: { value: 'Thank you' },
    });
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await calls()).toEqual([`write ${VOID}`, `read /invoice/${externalId}`, `write ${VOID}`]);
    const ids = (await bench.quickbooks.requests('?kind=write')).map(({ requestid }) => requestid);
    expect(new Set(ids).size).toBe(2);
    expect(await standing(id)).toEqual({ ...CANCELLED, voids: ['REFUSED', 'DONE'] });
  });

  test('gives up after a few rounds when the invoice never rests', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '5010', times: 9, match: VOIDS });
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['REFUSED', 'REFUSED', 'REFUSED'] });
  });

  test('of two calls at the same time one voids and the other is told so', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: VOIDS });
    const outcomes = await Promise.all([cancel(id), cancel(id)]);
    expect(outcomes.map(({ failures }) => failures[0]?.code).toSorted()).toEqual(['IN_PROGRESS', undefined]);
    expect(await calls()).toEqual([`write ${VOID}`]);
    expect(await standing(id)).toEqual(CANCELLED);
  });
});

describe('money or credit keeps an order from being cancelled', () => {
  test('paid in QuickBooks and not known here yet: nothing is voided, and the payment is booked', async () => {
    const { id, externalId } = await invoiced();
    await bench.quickbooks.pay(externalId, '500.00');
    const outcome = await cancel(id);
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'HAS_PAYMENTS' }] });
    expect(outcome.failures[0]?.message).toContain('500.00 USD');
    expect(await standing(id)).toEqual({ order: 'PARTIALLY_PAID', invoices: ['PARTIALLY_PAID'], voids: ['REFUSED'] });
    expect(await inBooks(externalId)).toMatchObject({ TotalAmt: 1475, Balance: 975 });
  });

  test('a credit memo in QuickBooks: INVOICED, with what to unapply, and no request the second time', async () => {
    const { id, externalId, invoiceId } = await invoiced();
    await bench.quickbooks.post('/credit-memo', { realmId: bench.realmId, invoiceId: externalId, amount: '75.00' });
    await syncInvoice(bench.process(), invoiceId);
    await bench.quickbooks.delete('/requests');
    const outcome = await cancel(id);
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'INVOICED' }] });
    expect(outcome.failures[0]?.message).toContain('75.00 USD of credit or payments is applied');
    expect(await calls()).toEqual([]);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['PARTIALLY_PAID'], voids: [] });
  });

  test('recorded by hand while the void is under way: the invoice is void, the order is not cancelled', async () => {
    const { id } = await invoiced();
    const { accounting } = bench.context;
    const voidInvoice = async (connection: string, body: string, key: string) => {
      const answer = await accounting.voidInvoice(connection, body, key);
      await recordPayment(bench.process(), { purchaseOrderId: id, amount: '100.00', method: 'WIRE' });
      return answer;
    };
    const outcome = await cancelPurchaseOrder(bench.with({ voidInvoice }), { purchaseOrderId: id });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'HAS_PAYMENTS' }] });
    expect(await standing(id)).toEqual({ order: 'PARTIALLY_PAID', invoices: ['VOIDED'], voids: ['DONE'] });
    expect(await resumeOperations(bench.process())).toBe(0);
  });

  test('recorded by hand before the void was sent: nothing is sent', async () => {
    const { id } = await invoiced();
    await expect(cancelPurchaseOrder(bench.with({ voidInvoice: die }), { purchaseOrderId: id })).rejects.toThrow(
      ProcessDied,
    );
    await recordPayment(bench.process(), { purchaseOrderId: id, amount: '100.00', method: 'WIRE' });
    await bench.later(181_000);
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'HAS_PAYMENTS' }] });
    expect((await calls()).filter((call) => call.startsWith('write'))).toEqual([]);
    expect(await standing(id)).toEqual({ order: 'PARTIALLY_PAID', invoices: ['OPEN'], voids: ['REFUSED'] });
  });
});

describe('an invoice that is not settled itself', () => {
  test('is IN_PROGRESS while it is created and OUTCOME_UNKNOWN while nobody knows', async () => {
    const creating = await bench.order();
    await expect(createQboInvoice(bench.with({ createInvoice: die }), { purchaseOrderId: creating })).rejects.toThrow();
    const unknown = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId: unknown });
    expect(await cancel(creating)).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    expect(await cancel(unknown)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await standing(unknown)).toEqual({ order: 'DRAFT', invoices: ['UNKNOWN'], voids: [] });
    await bench.later(181_000);
    await resumeOperations(bench.process());
  });
});

describe('a void without an answer', () => {
  const BROKEN = [
    ['the connection is cut', { kind: 'reset' }],
    ['the answer is cut off half way', { kind: 'truncate' }],
    ['the answer is an HTML page with status 502', { kind: 'html502' }],
    ['the answer says that the request id is known', { kind: 'fault', code: '600' }],
    ['no answer comes in time', { kind: 'timeout', ms: 3000 }],
  ] as const;

  test.each(
    BROKEN.flatMap(([what, fault]) => (['before', 'after'] as const).map((when) => [what, when, fault] as const)),
  )(
    'because %s, %s QuickBooks did it, is settled by the background, which then cancels the order',
    async (_what, when, fault) => {
      const { id, externalId } = await invoiced();
      await bench.quickbooks.post('/faults', { ...fault, when, match: VOIDS });
      expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
      expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['UNKNOWN'] });
      expect(await sendQboInvoice(bench.process(), { purchaseOrderId: id })).toMatchObject({
        id: null,
        failures: [{ code: 'IN_PROGRESS' }],
      });
      expect(await resumeOperations(bench.process())).toBe(1);
      expect(await standing(id)).toEqual(CANCELLED);
      expect(await inBooks(externalId)).toMatchObject({ TotalAmt: 0 });
      expect((await audited(id)).filter((action) => action === 'purchase_order.cancelled')).toHaveLength(1);
    },
  );

  test('is not sent again once it is paid: the order stays', async () => {
    const { id, externalId } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: VOIDS });
    await cancel(id);
    await bench.quickbooks.pay(externalId, '1475.00');
    await resumeOperations(bench.process());
    expect(await standing(id)).toEqual({ order: 'PAID', invoices: ['PAID'], voids: ['REFUSED'] });
    expect((await calls()).filter((call) => call.startsWith('write'))).toHaveLength(1);
    expect(await cancel(id)).toMatchObject({ failures: [{ code: 'HAS_PAYMENTS' }] });
  });

  test('stays unknown while the invoice cannot be read, ever less often looked at', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: VOIDS });
    await cancel(id);
    const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
    const context = bench.with({ readInvoices: async () => unread });
    const outcome = await cancelPurchaseOrder(context, { purchaseOrderId: id });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await resumeOperations(bench.process())).toBe(0);
    await bench.later(31_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('is settled at once for who cancels again, also before the background looks again', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: VOIDS });
    await cancel(id);
    const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
    await resumeOperations(bench.with({ readInvoices: async () => unread }));
    expect(await resumeOperations(bench.process())).toBe(0);
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test.each([
    ['says that the request id is known', false],
    ['shows the invoice as it was', true],
  ])(
    'to which QuickBooks, asked again, %s is sent under a new request id once it may be forgotten',
    async (_what, isReplay) => {
      const { id, externalId } = await invoiced();
      await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: VOIDS });
      await cancel(id);
      const [{ id: stuck }] = await bench.sql("select id from provider_operation where state = 'UNKNOWN'");
      const { accounting } = bench.context;
      const voidInvoice: AccountingGateway['voidInvoice'] = async (connection, body, key) => {
        if (key !== stuck) return accounting.voidInvoice(connection, body, key);
        if (isReplay) return accounting.readInvoice(connection, externalId);
        return {
          ok: false,
          failure: { kind: 'unknown', isRepetition: true, message: 'Duplicate Request ID.', trace: {} },
        };
      };
      const again = () => cancelPurchaseOrder(bench.with({ voidInvoice }), { purchaseOrderId: id });
      expect(await again()).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
      await bench.later(16 * 60_000);
      expect(await resumeOperations(bench.with({ voidInvoice }))).toBe(1);
      expect(await standing(id)).toEqual({ ...CANCELLED, voids: ['REFUSED', 'DONE'] });
      expect((await audited(id)).filter((action) => action === 'invoice.void_requested')).toHaveLength(1);
    },
  );

  test('is not forgotten when the sending under a new request id has to wait', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: VOIDS });
    await cancel(id);
    await bench.later(16 * 60_000);
    const paused = { ok: false, failure: { kind: 'unavailable', message: 'paused', trace: {} } } as const;
    await resumeOperations(bench.with({ voidInvoice: async () => paused }));
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['REFUSED', 'UNKNOWN'] });
    await bench.later(3 * 60_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual({ ...CANCELLED, voids: ['REFUSED', 'DONE'] });
  });

  test('that a reading found out is settled with the cancellation', async () => {
    const { id, invoiceId } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: VOIDS });
    await cancel(id);
    await syncInvoice(bench.process(), invoiceId);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['VOIDED'], voids: ['UNKNOWN'] });
    await bench.quickbooks.delete('/requests');
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
    expect(await calls()).toEqual([]);
  });
});

describe('when the process dies', () => {
  const { later } = { later: () => bench.later(181_000) };

  test('right before the void is sent, another one sends it after the lease and cancels', async () => {
    const { id } = await invoiced();
    await expect(cancelPurchaseOrder(bench.with({ voidInvoice: die }), { purchaseOrderId: id })).rejects.toThrow();
    expect(await cancel(id)).toMatchObject({ failures: [{ code: 'IN_PROGRESS' }] });
    expect(await resumeOperations(bench.process())).toBe(0);
    await later();
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('between claiming and sending, another one does both', async () => {
    const { id } = await invoiced();
    const context = bench.process();
    // The second transaction of the call is the one that begins the sending.
    const { em } = context;
    let forks = 0;
    const fork: typeof em.fork = (...options) => {
      forks += 1;
      return forks === 2 ? die() : em.fork(...options);
    };
    const dying = {
      ...context,
      em: new Proxy(em, { get: (target, name) => (name === 'fork' ? fork : Reflect.get(target, name)) }),
    };
    await expect(cancelPurchaseOrder(dying, { purchaseOrderId: id })).rejects.toThrow(ProcessDied);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['CLAIMED'] });
    await later();
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('after QuickBooks voided it, another one reads that and cancels without a second request', async () => {
    const { id } = await invoiced();
    const { accounting } = bench.context;
    const voidInvoice = async (connection: string, body: string, key: string) => {
      await accounting.voidInvoice(connection, body, key);
      return die();
    };
    await expect(cancelPurchaseOrder(bench.with({ voidInvoice }), { purchaseOrderId: id })).rejects.toThrow();
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['IN_FLIGHT'] });
    await later();
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
    expect((await calls()).filter((call) => call.startsWith('write'))).toEqual([`write ${VOID}`]);
  });

  test('an invoice that was made after a reading told of the void is left alone', async () => {
    const { id, invoiceId } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'html502', when: 'after', match: VOIDS });
    await cancel(id);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['UNKNOWN'] });
    await syncInvoice(bench.process(), invoiceId);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId: id })).toEqual({ id, failures: [] });
    await later();
    await resumeOperations(bench.process());
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['VOIDED', 'OPEN'], voids: ['DONE'] });
    expect((await calls()).filter((call) => call === `write ${VOID}`)).toHaveLength(1);
  });

  test('an answer to the void that comes after the order was invoiced anew does not cancel it', async () => {
    const { id, invoiceId } = await invoiced();
    const voidInvoice: AccountingGateway['voidInvoice'] = async (...call) => {
      const answer = await bench.context.accounting.voidInvoice(...call);
      await syncInvoice(bench.process(), invoiceId);
      await createQboInvoice(bench.process(), { purchaseOrderId: id });
      return answer;
    };
    const outcome = await cancelPurchaseOrder(bench.with({ voidInvoice }), { purchaseOrderId: id });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'INVOICED' }] });
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['VOIDED', 'OPEN'], voids: ['DONE'] });
  });

  test('while it reads after a lost answer, the next one goes on', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: VOIDS });
    await cancel(id);
    const dead = cancelPurchaseOrder(bench.with({ readInvoices: die }), { purchaseOrderId: id });
    await expect(dead).rejects.toThrow(ProcessDied);
    await later();
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('and only stood still, both end with one cancellation', async () => {
    const { id } = await invoiced();
    const { accounting } = bench.context;
    const voidInvoice = async (connection: string, body: string, key: string) => {
      const answer = await accounting.voidInvoice(connection, body, key);
      await later();
      expect(await cancel(id)).toEqual({ id, failures: [] });
      return answer;
    };
    expect(await cancelPurchaseOrder(bench.with({ voidInvoice }), { purchaseOrderId: id })).toEqual({
      id,
      failures: [],
    });
    expect(await standing(id)).toEqual(CANCELLED);
    expect((await audited(id)).filter((action) => action === 'purchase_order.cancelled')).toHaveLength(1);
  });
});

describe('a void that QuickBooks refuses', () => {
  test('for closed books leaves everything as it is, with the fault', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '6210', match: VOIDS });
    expect(await cancel(id)).toMatchObject({
      id: null,
      failures: [{ code: 'QBO_REJECTED', faultCode: '6210', statusCode: 400, intuitTid: expect.any(String) }],
    });
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['REFUSED'] });
    expect(await cancel(id)).toEqual({ id, failures: [] });
  });

  test('because it is throttled changes nothing and nothing comes later', async () => {
    const { id } = await invoiced();
    await bench.quickbooks.post('/faults', { kind: '429', match: VOIDS });
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['REFUSED'] });
    expect(await resumeOperations(bench.process())).toBe(0);
  });

  test('because the connection must be renewed says so and leaves no trace', async () => {
    const { id } = await invoiced();
    await bench.sql("update qbo_connection set status = 'RECONNECT_REQUIRED'");
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'RECONNECT_REQUIRED' }] });
    await bench.sql("update qbo_connection set status = 'CONNECTED'");
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: [] });
    expect(await calls()).toEqual([]);
  });
});
