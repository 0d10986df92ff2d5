import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.patch(`/companies/${bench.realmId}`, { customTxnNumbers: true });
  await bench.sql('update qbo_connection set settings = null');
});

afterAll(() => bench.stop());

const MINUTE = 60_000;

const UNREAD = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;

async function booked(id: string): Promise<Data[]> {
  const [{ reference }] = await bench.sql('select reference from purchase_order where id = ?', [id]);
  const { invoices } = await bench.books();
  return invoices.filter((invoice: Data) => String(invoice.PrivateNote).includes(reference));
}

async function operations(subject: string): Promise<Data[]> {
  return bench.sql('select * from provider_operation where subject = ? order by generation', [subject]);
}

async function invoiceRows(id: string): Promise<Data[]> {
  return bench.sql('select * from invoice where purchase_order_id = ? order by id', [id]);
}

async function calls(): Promise<string[]> {
  const requests = await bench.quickbooks.requests();
  return requests.map(({ kind, path }: Data) => `${kind} ${path.replace(/^.*\d{16}/, '')}`);
}

/** An order whose invoice was sent; `when` says whether QuickBooks made it before the answer was lost. */
async function orderOfUnknownOutcome(when: 'before' | 'after'): Promise<string> {
  const purchaseOrderId = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when, match: { path: '/invoice?' } });
  const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
  expect(outcome).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
  return purchaseOrderId;
}

/** QuickBooks remembers no request id any more, and we do not rely on it. */
async function afterTheReplayWindow(): Promise<void> {
  await bench.later(16 * MINUTE);
  await bench.quickbooks.post('/forget-requestids');
  await bench.quickbooks.delete('/requests');
}

describe('W-Q14: an invoice of unknown outcome, once QuickBooks may have forgotten its request id', () => {
  test.each([
    [true, 'that bears our number'],
    [false, 'that QuickBooks numbered'],
  ])('is found by its note and adopted (our numbers: %s, %s), and nothing is sent again', async (ours) => {
    await bench.quickbooks.patch(`/companies/${bench.realmId}`, { customTxnNumbers: ours });
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    await afterTheReplayWindow();

    expect(await resumeOperations(bench.process())).toBe(1);

    expect(await calls()).toEqual(['read /query', `read /invoice/${made?.Id}`]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    const row = { status: 'OPEN', external_id: made?.Id, number: made?.DocNumber, matches_purchase_order: true };
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([row]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE', attempts: 1, generation: 1 }]);
    const [order] = await bench.sql('select status from purchase_order where id = ?', [purchaseOrderId]);
    expect(order).toEqual({ status: 'SENT' });
    expect(await resumeOperations(bench.process())).toBe(0);
  });

  test('is found also when its process died while sending', async () => {
    const purchaseOrderId = await bench.order();
    const createInvoice = async (connectionId: string, body: string, key: string) => {
      await bench.context.accounting.createInvoice(connectionId, body, key);
      return die();
    };
    await expect(createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId })).rejects.toThrow(ProcessDied);
    await afterTheReplayWindow();
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const [made, ...duplicates] = await booked(purchaseOrderId);
    expect(duplicates).toEqual([]);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
    expect((await calls()).filter((call) => call.startsWith('write'))).toEqual([]);
  });

  test('that was never made is sent again with the stored body under the same request id', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    const [{ id: requestid, body }] = await operations(purchaseOrderId);
    await bench.sql("update purchase_order set buyer_reference = 'changed since' where id = ?", [purchaseOrderId]);
    await afterTheReplayWindow();

    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });

    const writes = await bench.quickbooks.requests('?kind=write');
    expect(writes).toMatchObject([{ requestid, body, replayed: false }]);
    const [made, ...duplicates] = await booked(purchaseOrderId);
    expect(duplicates).toEqual([]);
    expect(made?.PrivateNote).toContain(requestid);
    expect(await operations(purchaseOrderId)).toMatchObject([{ id: requestid, state: 'DONE', attempts: 2, body }]);
  });

  test('whose second sending is lost, too, is looked up again before the third', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    await afterTheReplayWindow();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    const lost = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(lost).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    await afterTheReplayWindow();
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
    expect((await calls()).filter((call) => call.startsWith('write'))).toEqual([]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('that a bookkeeper voided meanwhile is adopted as VOIDED, and the order can be invoiced anew', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: made?.Id });
    await afterTheReplayWindow();
    await resumeOperations(bench.process());
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'VOIDED', external_id: made?.Id }]);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'VOIDED' }, { status: 'OPEN' }]);
  });

  test('that a bookkeeper deleted meanwhile is sent again: it is still owed to the order', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: made?.Id });
    await afterTheReplayWindow();
    await resumeOperations(bench.process());
    const [again, ...duplicates] = await booked(purchaseOrderId);
    expect(duplicates).toEqual([]);
    expect(again?.Id).not.toBe(made?.Id);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: again?.Id }]);
  });

  test('that was paid meanwhile is adopted with its payment', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    await bench.quickbooks.pay(made?.Id, '1475.00');
    await afterTheReplayWindow();
    await resumeOperations(bench.process());
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'PAID', balance_minor: '0' }]);
    const payments = await bench.sql('select amount_minor from payment where purchase_order_id = ?', [purchaseOrderId]);
    expect(payments).toEqual([{ amount_minor: '147500' }]);
  });

  test('that a bookkeeper changed meanwhile is adopted and flagged', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    const { realmId } = bench;
    const Line = [{ DetailType: 'SalesItemLineDetail', Amount: 5, SalesItemLineDetail: { ItemRef: { value: '1' } } }];
    await bench.quickbooks.post('/edit-invoice', { realmId, invoiceId: made?.Id, Line });
    await afterTheReplayWindow();
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: purchaseOrderId, failures: [{ code: 'QBO_TOTAL_DIFFERS' }] });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ matches_purchase_order: false, total_minor: '500' }]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('of which a bookkeeper made a copy is adopted itself, and the copy is left alone', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    const copy = { ...JSON.parse((await operations(purchaseOrderId))[0].body), DocNumber: 'COPY-1' };
    const [{ id: connectionId }] = await bench.sql('select id from qbo_connection');
    await bench.context.accounting.createInvoice(connectionId, JSON.stringify(copy), 'a-bookkeepers-copy');
    await afterTheReplayWindow();
    await resumeOperations(bench.process());
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
  });

  test('is not mistaken for a document of others that bears its number: that is refused with its name', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    const [{ id, body }] = await operations(purchaseOrderId);
    const sent = JSON.parse(body);
    const foreign = { ...sent, PrivateNote: 'Written by hand', Line: sent.Line.slice(0, 1) };
    const [{ id: connectionId }] = await bench.sql('select id from qbo_connection');
    const made = await bench.context.accounting.createInvoice(connectionId, JSON.stringify(foreign), 'by-hand');
    if (!made.ok) throw new Error(made.failure.message);
    await afterTheReplayWindow();

    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });

    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'QBO_REJECTED', faultCode: '6140' }] });
    expect(outcome.failures[0]?.message).toContain(`(invoice ${made.value.externalId} over `);
    expect(await invoiceRows(purchaseOrderId)).toEqual([]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ id, state: 'REFUSED', rejection: 'duplicate_number' }]);
    expect((await calls()).filter((call) => call.startsWith('write'))).toEqual([]);

    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const [row] = await invoiceRows(purchaseOrderId);
    expect(row).toMatchObject({ status: 'OPEN', number: `${made.value.number}-2` });
    expect(row.external_id).not.toBe(made.value.externalId);
  });

  test('is not taken from another order whose row holds it', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    const [made] = await booked(purchaseOrderId);
    const other = await bench.invoicedOrder();
    await bench.sql('update invoice set external_id = ? where id = ?', [made?.Id, other.invoiceId]);
    await afterTheReplayWindow();
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'QBO_REJECTED' }] });
    expect(await invoiceRows(purchaseOrderId)).toEqual([]);
    await bench.sql('update invoice set external_id = ? where id = ?', [other.externalId, other.invoiceId]);
  });
});

describe('a look-up that fails', () => {
  test('leaves the outcome unknown and is repeated ever less often, until it succeeds', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    await afterTheReplayWindow();
    const waits: number[] = [];
    for (const expected of [1, 2, 3]) {
      expect(await resumeOperations(bench.with({ findInvoices: async () => UNREAD }))).toBe(1);
      const [operation] = await operations(purchaseOrderId);
      expect(operation).toMatchObject({ state: 'UNKNOWN', look_ups: expected, attempts: 1 });
      const waitMs = new Date(operation.resume_at).getTime() - new Date(operation.updated_at).getTime();
      waits.push(waitMs);
      // Until then the background does not look.
      expect(await resumeOperations(bench.process())).toBe(0);
      await bench.later(waitMs);
    }
    expect(waits).toEqual([30_000, 60_000, 120_000]);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'UNKNOWN', external_id: null }]);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test.each([
    ['that was made', 'after', 0],
    ['that was not made', 'before', 1],
  ] as const)(
    'keeps nobody waiting who asks for the invoice (%s) once QuickBooks is back',
    async (_what, when, sent) => {
      const purchaseOrderId = await orderOfUnknownOutcome(when);
      await afterTheReplayWindow();
      await resumeOperations(bench.with({ findInvoices: async () => UNREAD }));
      await bench.quickbooks.delete('/requests');
      expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({
        id: purchaseOrderId,
        failures: [],
      });
      expect(await bench.quickbooks.requests('?kind=write')).toHaveLength(sent);
      expect(await booked(purchaseOrderId)).toHaveLength(1);
      expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE' }]);
    },
  );

  test('of somebody who asks before its turn does not put the background off', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    await afterTheReplayWindow();
    const outage = () => bench.with({ findInvoices: async () => UNREAD });
    await resumeOperations(outage());
    const [{ look_ups, resume_at }] = await operations(purchaseOrderId);
    for (let call = 1; call <= 3; call++) {
      expect(await createQboInvoice(outage(), { purchaseOrderId })).toMatchObject({
        id: null,
        failures: [{ code: 'OUTCOME_UNKNOWN' }],
      });
    }
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'UNKNOWN', look_ups, resume_at }]);
    await bench.later(MINUTE);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
  });

  test('does not keep the background from what somebody sent since and died', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    await afterTheReplayWindow();
    await resumeOperations(bench.with({ findInvoices: async () => UNREAD }));
    await bench.sql("update provider_operation set resume_at = resume_at + interval '1 hour' where state = 'UNKNOWN'");
    const dead = createQboInvoice(bench.with({ createInvoice: die }), { purchaseOrderId });
    await expect(dead).rejects.toThrow(ProcessDied);
    expect(await resumeOperations(bench.process())).toBe(0);
    await bench.later(181_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('is repeated by one at a time: who asks meanwhile, or resumes, does nothing', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    await afterTheReplayWindow();
    await resumeOperations(bench.with({ findInvoices: async () => UNREAD }));
    const { accounting } = bench.context;
    let asked: unknown;
    const findInvoices: typeof accounting.findInvoices = async (...call) => {
      await bench.later(31_000);
      expect(await resumeOperations(bench.process())).toBe(0);
      await bench.quickbooks.delete('/requests');
      asked = await createQboInvoice(bench.process(), { purchaseOrderId });
      expect(await calls()).toEqual([]);
      return accounting.findInvoices(...call);
    };
    expect(await createQboInvoice(bench.with({ findInvoices }), { purchaseOrderId })).toEqual({
      id: purchaseOrderId,
      failures: [],
    });
    expect(asked).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE', attempts: 2 }]);
  });

  test('does not keep others waiting', async () => {
    const stuck = await orderOfUnknownOutcome('before');
    await afterTheReplayWindow();
    const healthy = await orderOfUnknownOutcome('after');
    const [{ body }] = await operations(stuck);
    const { customerExternalId } = bench.context.accounting.readSentInvoice(body);
    const findInvoices: typeof bench.context.accounting.findInvoices = async (connection, wanted, markers) =>
      'customerExternalId' in wanted && wanted.customerExternalId === customerExternalId
        ? UNREAD
        : bench.context.accounting.findInvoices(connection, wanted, markers);
    expect(await resumeOperations(bench.with({ findInvoices }))).toBe(2);
    expect(await invoiceRows(healthy)).toMatchObject([{ status: 'OPEN' }]);
    expect(await invoiceRows(stuck)).toMatchObject([{ status: 'UNKNOWN' }]);
    await bench.later(MINUTE);
    await resumeOperations(bench.process());
    expect(await invoiceRows(stuck)).toMatchObject([{ status: 'OPEN' }]);
  });
});

describe('an answer that says the number is taken (6140)', () => {
  test('by our own invoice of an earlier sending leads to that invoice', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    await bench.quickbooks.post('/forget-requestids');
    await bench.quickbooks.delete('/requests');
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const [made, ...duplicates] = await booked(purchaseOrderId);
    expect(duplicates).toEqual([]);
    // The fault names it: one reading, and one to see what became of it since.
    expect(await calls()).toEqual(['write /invoice', `read /invoice/${made?.Id}`, `read /invoice/${made?.Id}`]);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
  });

  test('by a credit memo is refused in the words of QuickBooks, and the next attempt has another number', async () => {
    const purchaseOrderId = await bench.order();
    const [{ reference }] = await bench.sql('select reference from purchase_order where id = ?', [purchaseOrderId]);
    const detail = `DocNumber=${reference} is assigned to TxnType=CreditMemo with TxnId=9999`;
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '6140', detail, match: { path: '/invoice?' } });
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'QBO_REJECTED', faultCode: '6140' }] });
    expect(outcome.failures[0]?.message).toContain('TxnType=CreditMemo with TxnId=9999');
    expect(await invoiceRows(purchaseOrderId)).toEqual([]);
    await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', number: `${reference}-2` }]);
  });
});

describe('an answer that says the request id is known (600)', () => {
  test('leads to the invoice when it was made', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('after');
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '600', match: { path: '/invoice?' } });
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
  });

  test('leaves the outcome unknown as long as the first request may still be at work', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '600', match: { path: '/invoice?' } });
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('is a refusal later, when no invoice is left: it was deleted, and the next attempt is a new one', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    await afterTheReplayWindow();
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '600', match: { path: '/invoice?' } });
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'QBO_REJECTED', faultCode: '600' }] });
    expect(await invoiceRows(purchaseOrderId)).toEqual([]);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const states = (await operations(purchaseOrderId)).map(({ generation, state }) => [generation, state]);
    expect(states).toEqual([
      [1, 'REFUSED'],
      [2, 'DONE'],
    ]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });
});

describe('what goes on in the background', () => {
  test('is asked for some seconds after an outcome became unknown, later after each further sending', async () => {
    bench.resumptions.length = 0;
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', times: 6, match: { path: '/invoice?' } });
    for (let call = 1; call <= 6; call++) await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(bench.resumptions).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    await resumeOperations(bench.process());
    expect(bench.resumptions).toHaveLength(6);
  });
});
