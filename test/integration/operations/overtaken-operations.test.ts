import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { InvoicingContext } from '../../../src/application/invoicing/invoicing-context.js';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { syncInvoice } from '../../../src/application/quickbooks/sync-invoices.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
  await bench.sql("update provider_operation set state = 'REFUSED' where state = 'UNKNOWN'");
});

afterAll(() => bench.stop());

async function standing(id: string): Promise<Data> {
  const [order] = await bench.sql('select status, reference from purchase_order where id = ?', [id]);
  const invoices = await bench.sql('select status from invoice where purchase_order_id = ? order by id', [id]);
  return { order: order.status, invoices: invoices.map(({ status }) => status) };
}

/** An invoice of which nobody knows whether it was made. */
async function unknownInvoice(): Promise<string> {
  const id = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/invoice?' } });
  const { failures } = await createQboInvoice(bench.process(), { purchaseOrderId: id });
  expect(failures).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }]);
  return id;
}

/** The background, held up by its first invoice while something else happens. */
function heldUp(meanwhile: () => Promise<unknown>): InvoicingContext {
  const { accounting } = bench.process();
  let isFirst = true;
  return bench.with({
    createInvoice: async (...call) => {
      if (isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return accounting.createInvoice(...call);
    },
  });
}

async function emails(): Promise<string[]> {
  const writes = await bench.quickbooks.requests('?kind=write');
  return writes.map(({ path }: Data) => String(path)).filter((path) => path.endsWith('/send'));
}

describe('what the background found unfinished and somebody settled meanwhile is not begun anew:', () => {
  test('a void behind which the order was invoiced again', async () => {
    await unknownInvoice();
    const { id, invoiceId } = await bench.invoicedOrder();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: 'operation=void' } });
    await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id });
    const context = heldUp(async () => {
      await syncInvoice(bench.process(), invoiceId);
      await createQboInvoice(bench.process(), { purchaseOrderId: id });
    });
    await resumeOperations(context);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['VOIDED', 'OPEN'] });
  });

  test('an invoice that was made and voided', async () => {
    await unknownInvoice();
    const id = await unknownInvoice();
    const context = heldUp(async () => {
      await createQboInvoice(bench.process(), { purchaseOrderId: id });
      const [invoice] = await bench.sql('select id, external_id from invoice where purchase_order_id = ?', [id]);
      await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: invoice.external_id });
      await syncInvoice(bench.process(), invoice.id);
    });
    await resumeOperations(context);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['VOIDED'] });
  });
});

test('a repetition that is refused without an explanation proves nothing about the first sending', async () => {
  const id = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
  await createQboInvoice(bench.process(), { purchaseOrderId: id });
  await bench.quickbooks.post('/faults', { kind: 'status', status: 404, match: { path: '/invoice?' } });
  const { failures } = await createQboInvoice(bench.process(), { purchaseOrderId: id });
  expect(failures).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }]);
  expect(await createQboInvoice(bench.process(), { purchaseOrderId: id })).toEqual({ id, failures: [] });
  const [{ reference }] = await bench.sql('select reference from purchase_order where id = ?', [id]);
  const { invoices } = await bench.books();
  expect(invoices.filter(({ PrivateNote }: Data) => PrivateNote.includes(reference))).toHaveLength(1);
});

describe('an e-mail of which no answer came is not sent again', () => {
  test('when the invoice was voided meanwhile', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/send?' } });
    await sendQboInvoice(bench.process(), { purchaseOrderId: id });
    await bench.quickbooks.post('/void-invoice', { realmId: bench.realmId, invoiceId: externalId });
    await bench.quickbooks.delete('/requests');
    const { failures } = await sendQboInvoice(bench.process(), { purchaseOrderId: id });
    expect(failures).toHaveLength(1);
    expect(await emails()).toEqual([]);
  });

  test('when the order is cancelled while it is looked whether it went out', async () => {
    const { id } = await bench.invoicedOrder();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/send?' } });
    await sendQboInvoice(bench.process(), { purchaseOrderId: id });
    await bench.later(10 * 60_000 + 1);
    await bench.quickbooks.delete('/requests');
    const { accounting } = bench.process();
    const context = bench.with({
      readInvoice: async (...call) => {
        const answer = await accounting.readInvoice(...call);
        await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id });
        return answer;
      },
    });
    await resumeOperations(context);
    expect(await standing(id)).toEqual({ order: 'CANCELLED', invoices: ['VOIDED'] });
    expect(await emails()).toEqual([]);
  });
});
