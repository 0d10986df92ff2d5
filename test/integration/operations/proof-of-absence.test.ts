import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { findUnsettledCreations } from '../../../src/application/queries/purchase-order-details.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.patch(`/companies/${bench.realmId}`, { customTxnNumbers: true });
  await bench.sql('update qbo_connection set settings = null');
  await bench.sql("update provider_operation set state = 'REFUSED' where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')");
});

afterAll(() => bench.stop());

const MINUTE = 60_000;
const INVOICES = { path: '/invoice?' };

const create = (purchaseOrderId: string) => createQboInvoice(bench.process(), { purchaseOrderId });

async function booked(id: string): Promise<Data[]> {
  const [{ reference }] = await bench.sql('select reference from purchase_order where id = ?', [id]);
  const { invoices } = await bench.books();
  return invoices.filter((invoice: Data) => String(invoice.CustomerMemo?.value).includes(reference));
}

async function operations(subject: string): Promise<Data[]> {
  return bench.sql('select * from provider_operation where subject = ? order by generation', [subject]);
}

async function invoiceRows(id: string): Promise<Data[]> {
  return bench.sql('select * from invoice where purchase_order_id = ? order by id', [id]);
}

/** An order whose invoice was sent; `when` says whether QuickBooks made it before the answer was lost. */
async function orderOfUnknownOutcome(when: 'before' | 'after'): Promise<string> {
  const purchaseOrderId = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when, match: INVOICES });
  expect(await create(purchaseOrderId)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
  return purchaseOrderId;
}

/** QuickBooks remembers no request id any more. */
async function afterTheReplayWindow(): Promise<void> {
  await bench.later(16 * MINUTE);
  await bench.quickbooks.post('/forget-requestids');
  await bench.quickbooks.delete('/requests');
}

async function writes(): Promise<Data[]> {
  return bench.quickbooks.requests('?kind=write');
}

describe('W-Q14: that no invoice is found proves nothing', () => {
  test('while the last sending may still be at work, however long ago the first one was', async () => {
    const id = await orderOfUnknownOutcome('before');
    await bench.later(20 * MINUTE);
    // QuickBooks is slow: it carries this one out only after the next one was answered.
    let carryOut: () => Promise<unknown> = async () => undefined;
    const createInvoice = async (...call: [string, string, string]) => {
      carryOut = () => bench.context.accounting.createInvoice(...call);
      return { ok: false, failure: { kind: 'unknown', message: 'reset', trace: {} } } as const;
    };
    await createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId: id });
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '600', match: INVOICES });
    expect(await create(id)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await invoiceRows(id)).toMatchObject([{ status: 'UNKNOWN' }]);
    await carryOut();

    expect(await create(id)).toEqual({ id, failures: [] });

    const [made, ...duplicates] = await booked(id);
    expect(duplicates).toEqual([]);
    expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
    expect(await operations(id)).toMatchObject([{ generation: 1, state: 'DONE', attempts: 3 }]);
  });

  test('of what somebody sent who keeps asking: refusals do not make the last sending younger', async () => {
    const id = await orderOfUnknownOutcome('before');
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '600', times: 3, match: INVOICES });
    await bench.later(8 * MINUTE);
    expect(await create(id)).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    await bench.later(8 * MINUTE);
    expect(await create(id)).toMatchObject({ failures: [{ code: 'QBO_REJECTED', faultCode: '600' }] });
    expect(await invoiceRows(id)).toEqual([]);
  });
});

test('what an operation that was given up made after all is adopted by the next one for the order', async () => {
  const id = await orderOfUnknownOutcome('after');
  await bench.sql("update provider_operation set state = 'REFUSED' where subject = ?", [id]);
  await bench.sql('delete from invoice where purchase_order_id = ?', [id]);

  expect(await create(id)).toEqual({ id, failures: [] });

  const [made, ...duplicates] = await booked(id);
  expect(duplicates).toEqual([]);
  expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
  expect(await operations(id)).toMatchObject([{ state: 'REFUSED' }, { state: 'DONE', generation: 2 }]);
});

describe('W-Q14: a repetition that is refused', () => {
  test.each(['6210', '2500', '6250', '6000', '6190', '5020'])(
    'with %s leads to the invoice that the first sending made',
    async (code) => {
      const id = await orderOfUnknownOutcome('after');
      await bench.quickbooks.post('/faults', { kind: 'fault', code, match: INVOICES });
      expect(await create(id)).toEqual({ id, failures: [] });
      const [made, ...duplicates] = await booked(id);
      expect(duplicates).toEqual([]);
      expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
      expect(await operations(id)).toMatchObject([{ state: 'DONE', attempts: 2 }]);
    },
  );

  test.each(['6210', '6190'])(
    'with %s is a refusal when nothing was made, once nothing can be at work any more',
    async (code) => {
      const id = await orderOfUnknownOutcome('before');
      await bench.quickbooks.post('/faults', { kind: 'fault', code, times: 2, match: INVOICES });
      expect(await create(id)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
      expect(await invoiceRows(id)).toMatchObject([{ status: 'UNKNOWN' }]);
      // The background does not ask every minute what was refused just now.
      expect(await resumeOperations(bench.process())).toBe(0);
      await afterTheReplayWindow();
      expect(await resumeOperations(bench.process())).toBe(1);
      expect(await invoiceRows(id)).toEqual([]);
      expect(await operations(id)).toMatchObject([{ state: 'REFUSED', attempts: 3 }]);
      expect(await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id })).toEqual({ id, failures: [] });
    },
  );

  test('stays unknown when it cannot be looked for', async () => {
    const id = await orderOfUnknownOutcome('after');
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '6210', match: INVOICES });
    const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
    const blind = bench.with({ findInvoices: async () => unread });
    expect(await createQboInvoice(blind, { purchaseOrderId: id })).toMatchObject({
      failures: [{ code: 'OUTCOME_UNKNOWN' }],
    });
    expect(await create(id)).toEqual({ id, failures: [] });
    expect(await booked(id)).toHaveLength(1);
  });
});

test('what QuickBooks never gets is looked for ever less often', async () => {
  const id = await orderOfUnknownOutcome('before');
  await afterTheReplayWindow();
  const unavailable = { ok: false, failure: { kind: 'unavailable', message: 'paused', trace: {} } } as const;
  const paused = bench.with({ createInvoice: async () => unavailable });
  const waits: number[] = [];
  for (let turn = 1; turn <= 4; turn++) {
    expect(await resumeOperations(paused)).toBe(1);
    const [{ state, resume_at, updated_at }] = await operations(id);
    expect(state).toBe('UNKNOWN');
    waits.push(new Date(resume_at).getTime() - new Date(updated_at).getTime());
    await bench.later(waits.at(-1) ?? 0);
  }
  expect(waits.map((wait) => Math.round(wait / 1000))).toEqual([30, 60, 120, 240]);
});

describe('an order that was paid by hand while its invoice was unknown', () => {
  async function paidMeanwhile(when: 'before' | 'after'): Promise<string> {
    const purchaseOrderId = await orderOfUnknownOutcome(when);
    await recordPayment(bench.process(), { purchaseOrderId, amount: '1475.00', method: 'WIRE' });
    await bench.quickbooks.delete('/requests');
    return purchaseOrderId;
  }

  test('is not invoiced any more when nothing was made', async () => {
    const id = await paidMeanwhile('before');
    await afterTheReplayWindow();
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await writes()).toEqual([]);
    expect(await booked(id)).toEqual([]);
    expect(await invoiceRows(id)).toEqual([]);
    const lastError = 'Nothing is due on this purchase order.';
    expect(await operations(id)).toMatchObject([{ state: 'REFUSED', attempts: 1, last_error: lastError }]);
    expect(await create(id)).toMatchObject({ id: null, failures: [{ code: 'ALREADY_PAID' }] });
  });

  test('is not invoiced either while the sending may still be at work; then it is refused', async () => {
    const id = await paidMeanwhile('before');
    expect(await create(id)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await writes()).toEqual([]);
    expect(await operations(id)).toMatchObject([{ state: 'UNKNOWN', attempts: 1 }]);
    await bench.later(16 * MINUTE);
    expect(await create(id)).toMatchObject({ id: null, failures: [{ code: 'ALREADY_PAID' }] });
    expect(await booked(id)).toEqual([]);
  });

  test('keeps the invoice that was made', async () => {
    const id = await paidMeanwhile('after');
    expect(await create(id)).toEqual({ id, failures: [] });
    expect(await writes()).toEqual([]);
    expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN' }]);
  });

  test('is not invoiced when the money comes in while the invoice is looked for', async () => {
    const purchaseOrderId = await orderOfUnknownOutcome('before');
    await afterTheReplayWindow();
    const findInvoices: typeof bench.context.accounting.findInvoices = async (...call) => {
      const found = await bench.context.accounting.findInvoices(...call);
      if ('documentNumber' in call[1]) {
        await recordPayment(bench.process(), { purchaseOrderId, amount: '1475.00', method: 'WIRE' });
      }
      return found;
    };
    await createQboInvoice(bench.with({ findInvoices }), { purchaseOrderId });
    await bench.later(181_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await booked(purchaseOrderId)).toEqual([]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'REFUSED', attempts: 1 }]);
  });
});

describe('an invoice whose note a bookkeeper changed while its outcome was unknown', () => {
  async function unmarked() {
    const id = await orderOfUnknownOutcome('after');
    const [made] = await booked(id);
    const edit = { realmId: bench.realmId, invoiceId: made?.Id, PrivateNote: 'Checked' };
    await bench.quickbooks.post('/edit-invoice', edit);
    await afterTheReplayWindow();
    return { id, made };
  }

  test('is neither adopted nor made twice: a person is told which one to look at', async () => {
    const { id, made } = await unmarked();
    for (let call = 1; call <= 2; call++) {
      const outcome = await create(id);
      expect(outcome).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
      expect(outcome.failures[0]?.message).toContain(`${made?.DocNumber} in QuickBooks (invoice ${made?.Id} over`);
    }
    expect(await writes()).toEqual([]);
    expect(await booked(id)).toHaveLength(1);
    const [creation] = await findUnsettledCreations(bench.process().em, [id]);
    expect(creation?.lastError).toContain(`${made?.DocNumber} in QuickBooks (invoice ${made?.Id} over 1475.00 USD)`);
    expect(creation?.lastError).toContain(`add ${creation?.id} to its private note`);
  });

  test('is not taken for that of others within minutes either', async () => {
    const id = await orderOfUnknownOutcome('after');
    const [made] = await booked(id);
    await bench.quickbooks.post('/edit-invoice', { realmId: bench.realmId, invoiceId: made?.Id, PrivateNote: '' });
    await bench.quickbooks.post('/forget-requestids');
    expect(await create(id)).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await invoiceRows(id)).toMatchObject([{ status: 'UNKNOWN' }]);
    expect(await booked(id)).toHaveLength(1);
  });

  test('is adopted once its note bears the mark again', async () => {
    const { id, made } = await unmarked();
    await create(id);
    const [{ id: mark }] = await operations(id);
    const edit = { realmId: bench.realmId, invoiceId: made?.Id, PrivateNote: `Checked. ${mark}` };
    await bench.quickbooks.post('/edit-invoice', edit);
    expect(await create(id)).toEqual({ id, failures: [] });
    expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
    expect(await booked(id)).toHaveLength(1);
  });

  test('makes room for a new one once it is void', async () => {
    const { id, made } = await unmarked();
    await create(id);
    await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: made?.Id });
    await bench.later(60 * MINUTE);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await operations(id)).toMatchObject([{ state: 'REFUSED', rejection: 'duplicate_number' }]);
    expect(await create(id)).toEqual({ id, failures: [] });
    expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN', number: `${made?.DocNumber}-2` }]);
  });
});

test('an invoice whose customer was merged away while its outcome was unknown is found among all new ones', async () => {
  await bench.quickbooks.patch(`/companies/${bench.realmId}`, { customTxnNumbers: false });
  const id = await orderOfUnknownOutcome('after');
  const [made] = await booked(id);
  const other = await bench.invoicedOrder();
  const { invoices } = await bench.books();
  const { CustomerRef } = invoices.find((invoice: Data) => invoice.Id === other.externalId);
  await bench.quickbooks.post('/edit-invoice', { realmId: bench.realmId, invoiceId: made?.Id, CustomerRef });
  await afterTheReplayWindow();
  await bench.quickbooks.post('/faults', { kind: 'fault', code: '2500', match: INVOICES });

  expect(await create(id)).toMatchObject({ id });

  expect(await booked(id)).toHaveLength(1);
  expect(await invoiceRows(id)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
  expect(await writes()).toHaveLength(1);
});
