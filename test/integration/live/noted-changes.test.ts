import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../src/application/purchase-orders/reverse-payment.js';
import { sendPurchaseOrder } from '../../../src/application/purchase-orders/send-purchase-order.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;
let listener: pg.Client;
const heard: string[] = [];

beforeAll(async () => {
  bench = await startWorkbench();
  listener = new pg.Client({ connectionString: bench.environment.DATABASE_URL });
  await listener.connect();
  listener.on('notification', ({ payload = '' }) => heard.push(payload));
  await listener.query('listen change');
});

afterAll(async () => {
  await listener.end();
  await bench.stop();
});

beforeEach(async () => {
  await hearAll();
});

/** What was told since the last time: PostgreSQL delivers before it answers. */
async function hearAll(): Promise<string[]> {
  await listener.query('select 1');
  return heard.splice(0);
}

/** How many transactions of `work` changed the order, which is as often as listeners were told. */
async function changesOf(id: string, work: () => Promise<unknown>): Promise<number> {
  const count = async () =>
    Number((await bench.sql('select count(*) from purchase_order_change where purchase_order_id = ?', [id]))[0].count);
  const before = await count();
  await work();
  const noted = (await count()) - before;
  expect(await hearAll()).toEqual(Array.from({ length: noted }, () => `${id} ${bench.conferenceId}`));
  return noted;
}

describe('a transaction that changes what is seen of a purchase order notes it once', () => {
  test('when it is created with its lines', async () => {
    const id = await bench.order();
    expect(
      await bench.sql('select conference_id from purchase_order_change where purchase_order_id = ?', [id]),
    ).toEqual([{ conference_id: bench.conferenceId }]);
    expect(await hearAll()).toEqual([`${id} ${bench.conferenceId}`]);
  });

  test('when it is sent, paid, credited, or a payment or credit is taken back', async () => {
    const purchaseOrderId = await bench.order();
    await hearAll();
    const payment = { purchaseOrderId, amount: '10.00', method: 'WIRE' } as const;
    let paymentId = '';
    const steps: Record<string, () => Promise<unknown>> = {
      sent: () => sendPurchaseOrder(bench.process(), { purchaseOrderId }),
      paid: async () => {
        paymentId = String((await recordPayment(bench.process(), payment)).id);
      },
      'taken back': () => reversePayment(bench.process(), { paymentId, reason: 'by mistake' }),
      credited: () => issueCreditNote(bench.process(), { purchaseOrderId, amount: '5.00', reason: 'late' }),
      'credit taken back': () =>
        bench.sql(
          `insert into credit_note_reversal (id, credit_note_id, reason, reversed_by, created_at)
           select 'cnr_1', id, 'by mistake', 'tester', now() from credit_note where purchase_order_id = ?`,
          [purchaseOrderId],
        ),
      cancelled: () => cancelPurchaseOrder(bench.process(), { purchaseOrderId }),
    };
    const changes: Data = {};
    for (const [name, step] of Object.entries(steps)) changes[name] = await changesOf(purchaseOrderId, step);
    expect(changes).toEqual({ sent: 1, paid: 1, 'taken back': 1, credited: 1, 'credit taken back': 1, cancelled: 1 });
  });

  test('when its invoice is claimed, made and paid, and not in between', async () => {
    const purchaseOrderId = await bench.order();
    await hearAll();
    let externalId = '';
    const invoiced = await changesOf(purchaseOrderId, async () => {
      await createQboInvoice(bench.process(), { purchaseOrderId });
      const [invoice] = await bench.sql('select external_id from invoice where purchase_order_id = ?', [
        purchaseOrderId,
      ]);
      externalId = invoice.external_id;
    });
    // Claimed, and recorded.
    expect(invoiced).toBe(2);
    await bench.quickbooks.pay(externalId, '100.00');
    expect(await changesOf(purchaseOrderId, () => syncQboInvoiceStatus(bench.process(), { purchaseOrderId }))).toBe(1);
  });

  test('when the invoice that was claimed is not to be made after all', async () => {
    const { id } = await bench.invoicedOrder();
    await hearAll();
    expect(await changesOf(id, () => bench.sql('delete from invoice where purchase_order_id = ?', [id]))).toBe(1);
  });

  test('when more is learned of a creation that is not settled', async () => {
    const { id } = await bench.invoicedOrder();
    await hearAll();
    const learn = (error: string) =>
      bench.sql("update provider_operation set last_error = ? where kind = 'CREATE_INVOICE' and subject = ?", [
        error,
        id,
      ]);
    expect(await changesOf(id, () => learn('no answer'))).toBe(1);
    expect(await changesOf(id, () => learn('no answer'))).toBe(0);
  });

  test('when a rest of one of its payments is, or is no longer, applied to nothing', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    await bench.quickbooks.pay(externalId, '100.00');
    await syncQboInvoiceStatus(bench.process(), { purchaseOrderId: id });
    await hearAll();
    const leave = (rest: number) =>
      bench.sql(
        `update provider_payment set unapplied_minor = ${rest}, unapplied_since = case when ${rest} > 0 then now() end
         where external_id in (select provider_payment_id from payment where purchase_order_id = ?)`,
        [id],
      );
    expect(await changesOf(id, () => leave(500))).toBe(1);
    expect(await changesOf(id, () => leave(500))).toBe(0);
    expect(await changesOf(id, () => leave(0))).toBe(1);
  });

  test('but nothing of one that is undone', async () => {
    const id = await bench.order();
    await hearAll();
    const undone =
      "do $$ begin update purchase_order set notes = 'never'; raise exception 'undone'; exception when raise_exception then null; end $$";
    expect(await changesOf(id, () => bench.sql(undone))).toBe(0);
  });

  test('and nothing of what is no purchase order', async () => {
    await bench.sql(
      "insert into audit_event (id, actor_id, actor, actor_kind, action, subject, occurred_at) values ('aud_x', 'system', 'tester', 'SYSTEM', 'conference.updated', ?, now())",
      [bench.conferenceId],
    );
    expect(await hearAll()).toEqual([]);
    expect(
      await bench.sql('select 1 from purchase_order_change where purchase_order_id = ?', [bench.conferenceId]),
    ).toEqual([]);
  });
});
