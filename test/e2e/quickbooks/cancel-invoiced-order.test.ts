import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { ORDER, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  countCalls,
  createInvoicedOrder,
  ERROR_DETAILS,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
} from './steps.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
});

beforeEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

async function cancel(purchaseOrderId: string): Promise<Data> {
  return app.graphql.mutate('cancelPurchaseOrder', { purchaseOrderId }, `purchaseOrder { ${ORDER} }`, ERROR_DETAILS);
}

const VOIDS = { path: 'operation=void' };

describe('W-Q18: cancelling an invoiced order reaches QuickBooks', () => {
  test('its unpaid invoice is voided there, and the order is cancelled', async () => {
    const order = await createInvoicedOrder(app);
    const { result, reads, writes } = await countCalls(app, () => cancel(order.id));
    expect(result).toMatchObject({
      userErrors: [],
      purchaseOrder: {
        status: 'CANCELLED',
        qboInvoice: { status: 'VOIDED', total: { amount: '0.00' }, balance: { amount: '0.00' } },
        attention: [],
      },
    });
    expect(reads).toEqual([]);
    expect(writes).toMatchObject([
      { query: { operation: 'void' }, requestid: expect.stringMatching(/^op_[0-9a-f]{32}$/) },
    ]);
    const [invoice] = await invoicesInBooks(app, order.reference);
    expect(invoice).toMatchObject({ DocNumber: order.reference, PrivateNote: expect.stringMatching(/^Voided/) });
    expect(await invoiceOrder(app, order.id)).toMatchObject({ userErrors: [{ code: 'CANCELLED' }] });
  });

  test('money that QuickBooks has received keeps it from being cancelled, and is booked', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    expect(await cancel(order.id)).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'HAS_PAYMENTS' }] });
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID', qboInvoice: { status: 'PAID' } });
  });

  test('a refusal of QuickBooks is told with its fault, and nothing is changed', async () => {
    const order = await createInvoicedOrder(app);
    const detail = 'The books are closed.';
    await app.quickbooks.post('/faults', { kind: 'fault', code: '6210', detail, match: VOIDS });
    expect(await cancel(order.id)).toMatchObject({
      purchaseOrder: null,
      userErrors: [
        {
          code: 'QBO_REJECTED',
          faultCode: '6210',
          statusCode: 400,
          intuitTid: expect.any(String),
          message: expect.stringContaining(detail),
        },
      ],
    });
    const { status, qboInvoice } = await readOrder(app, order.id);
    const { status: invoiceStatus, total, balance, syncToken } = order.qboInvoice;
    expect({ status, qboInvoice }).toMatchObject({
      status: 'SENT',
      qboInvoice: { status: invoiceStatus, total, balance, syncToken },
    });
    expect(await invoicesInBooks(app, order.reference)).toMatchObject([{ TotalAmt: 1475 }]);
  });

  test('after a lost answer the background finishes both within seconds', async () => {
    const order = await createInvoicedOrder(app);
    await app.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: VOIDS });
    expect(await cancel(order.id)).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'OUTCOME_UNKNOWN' }] });
    const done = await eventually(
      () => readOrder(app, order.id),
      ({ status }) => status === 'CANCELLED',
      30_000,
    );
    expect(done).toMatchObject({ status: 'CANCELLED', qboInvoice: { status: 'VOIDED' } });
  }, 40_000);
});
