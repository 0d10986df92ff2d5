import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { billed, invoiceRows, operations, PAYABLE } from './stripe-orders.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

beforeEach(async () => {
  await bench.stripe.delete('/faults');
  await bench.stripe.delete('/requests');
});

afterAll(() => bench.stop());

const MINUTE = 60_000;
const create = (purchaseOrderId: string) => createStripeInvoice(bench.process(), { purchaseOrderId });
const UNKNOWN = { id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] };

/** An order whose invoice is left at some step, and that nobody goes on with. */
async function leftAt(call: string, fault: Record<string, unknown>): Promise<string> {
  const purchaseOrderId = await bench.order();
  await bench.stripe.fault(call, fault);
  expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
  await bench.stripe.delete('/requests');
  return purchaseOrderId;
}

const writes = () => bench.stripe.calls('?kind=write');

describe('W-S6: after 16 minutes', () => {
  test('an invoice that was finalised is found and adopted, and nothing is written', async () => {
    const purchaseOrderId = await leftAt('POST /finalize', { kind: 'reset', when: 'after' });
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

    // Deleting a draft that is none any more does nothing.
    expect(await writes()).toEqual([expect.stringMatching(/^DELETE \/v1\/invoices\/in_/)]);
    expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'OPEN', matches_purchase_order: true }]);
    expect(await operations(bench, purchaseOrderId)).toMatchObject([{ state: 'DONE', generation: 1 }]);
  });

  test('an invoice that was paid meanwhile is adopted with its payment', async () => {
    const purchaseOrderId = await leftAt('POST /finalize', { kind: 'reset', when: 'after' });
    const [invoice] = await billed(bench, purchaseOrderId);
    await bench.stripe.pay(invoice?.id);
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'PAID', balance_minor: '0' }]);
    expect(
      await bench.sql('select amount_minor, source from payment where purchase_order_id = ?', [purchaseOrderId]),
    ).toEqual([{ amount_minor: '147500', source: 'STRIPE' }]);
  });

  test('a draft whose id was never stored is found by its metadata, deleted, and made anew under new keys', async () => {
    const purchaseOrderId = await leftAt('POST /^.v1.invoices$/', { kind: 'reset', when: 'after' });
    const [orphan] = await billed(bench, purchaseOrderId);
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

    const calls = await bench.stripe.calls();
    expect(calls.slice(0, 2)).toEqual(['GET /v1/invoices', `DELETE /v1/invoices/${orphan?.id}`]);
    const [invoice, ...others] = await billed(bench, purchaseOrderId);
    expect(others).toEqual([]);
    expect(invoice).toMatchObject(PAYABLE);
    const [first, second] = await operations(bench, purchaseOrderId);
    expect(first).toMatchObject({ state: 'REFUSED', generation: 1 });
    expect(second).toMatchObject({ state: 'DONE', generation: 2, attempts: 1 });
    expect(invoice?.metadata.operation_id).toBe(second?.id);
    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: invoice?.id }]);
  });

  test('a draft whose id is known is deleted and made anew', async () => {
    const purchaseOrderId = await leftAt('POST /v1/invoiceitems', { kind: 'reset', when: 'after' });
    const [row] = await invoiceRows(bench, purchaseOrderId);
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

    expect((await bench.stripe.calls())[0]).toBe(`DELETE /v1/invoices/${row?.external_id}`);
    expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
    const [{ id }] = await invoiceRows(bench, purchaseOrderId);
    expect(id).toBe(row?.id);
  });

  test('a draft that somebody finalised in the dashboard is the invoice', async () => {
    const purchaseOrderId = await leftAt('POST /finalize', { kind: 'reset', when: 'before' });
    const [draft] = await billed(bench, purchaseOrderId);
    await bench.stripe.api('POST', `/v1/invoices/${draft?.id}/finalize`);
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await billed(bench, purchaseOrderId)).toMatchObject([{ ...PAYABLE, id: draft?.id }]);
  });

  test('an invoice that somebody voided in the dashboard is made anew', async () => {
    const purchaseOrderId = await leftAt('POST /finalize', { kind: 'reset', when: 'after' });
    const [invoice] = await billed(bench, purchaseOrderId);
    await bench.stripe.post('/void-invoice', { invoiceId: invoice?.id });
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await billed(bench, purchaseOrderId)).toMatchObject([{ status: 'void' }, PAYABLE]);
    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'OPEN', matches_purchase_order: true }]);
  });

  test('a draft that somebody deleted in the dashboard is made anew', async () => {
    const purchaseOrderId = await leftAt('POST /finalize', { kind: 'reset', when: 'before' });
    const [draft] = await billed(bench, purchaseOrderId);
    await bench.stripe.api('DELETE', `/v1/invoices/${draft?.id}`);
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
  });

  test.each(['GET /v1/invoices', 'DELETE /v1/invoices'])(
    'when %s fails, nothing is sent and the background looks again, ever later',
    async (call) => {
      const purchaseOrderId = await leftAt('POST /^.v1.invoices$/', { kind: 'reset', when: 'after' });
      await bench.later(16 * MINUTE);
      await bench.stripe.fault(call, { kind: 'reset', times: 2 });

      expect(await resumeOperations(bench.process())).toBe(1);
      expect(await resumeOperations(bench.process())).toBe(0);
      await bench.later(bench.context.waits.lookUpBackOffMs);
      expect(await resumeOperations(bench.process())).toBe(1);
      await bench.later(bench.context.waits.lookUpBackOffMs);
      expect(await resumeOperations(bench.process())).toBe(0);
      expect((await writes()).filter((write) => write.startsWith('POST'))).toEqual([]);
      expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'UNKNOWN' }]);

      await bench.later(bench.context.waits.lookUpBackOffMs);
      expect(await resumeOperations(bench.process())).toBe(1);
      expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
      expect(await operations(bench, purchaseOrderId)).toMatchObject([{ state: 'REFUSED' }, { state: 'DONE' }]);
    },
  );

  test('an invoice of another order of the same customer is left alone', async () => {
    const other = await bench.stripeInvoicedOrder({ organizationName: 'Twice Ltd' });
    const purchaseOrderId = await bench.order({ organizationName: 'Twice Ltd' });
    await bench.stripe.fault('POST /^.v1.invoices$/', { kind: 'reset', when: 'before' });
    await create(purchaseOrderId);
    await bench.later(16 * MINUTE);

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

    expect(await billed(bench, other.id)).toMatchObject([PAYABLE]);
    expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
  });
});

test('within 15 minutes the same is sent again under the same keys, and nothing happens twice', async () => {
  const purchaseOrderId = await leftAt('POST /finalize', { kind: 'reset', when: 'after' });
  await bench.later(14 * MINUTE);

  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

  const sent = await bench.stripe.requests('?kind=write');
  expect(sent.map(({ replayed }) => replayed)).toEqual([true, true, true]);
  expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
});

test('that nothing is found proves nothing as long as the last sending may be under way', async () => {
  const purchaseOrderId = await leftAt('POST /^.v1.invoices$/', { kind: 'reset', when: 'before' });
  await bench.later(14 * MINUTE);
  await bench.stripe.fault('POST /^.v1.invoices$/', { kind: 'reset', when: 'before' });
  expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
  await bench.later(2 * MINUTE);
  await bench.stripe.delete('/requests');

  expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
  expect(await bench.stripe.calls()).toEqual(['GET /v1/invoices']);

  await bench.later(14 * MINUTE);
  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
  expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
});
