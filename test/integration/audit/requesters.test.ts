import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

afterEach(() => bench.quickbooks.delete('/faults'));

afterAll(() => bench.stop());

const ADA = { id: 'jwt:ada', name: 'jwt:ada (Ada)', kind: ActorKind.USER };
const BOB = { id: 'key_bob', name: 'bob', kind: ActorKind.API_KEY };
const by = (actor: typeof ADA) => ({ ...bench.process(), actor: { ...actor, grants: ALL_GRANTS } });

async function trail(id: string) {
  return bench.sql(
    `select action, actor_id as by from audit_event where subject = ? and action <> 'purchase_order.created' order by position`,
    [id],
  );
}

/** QuickBooks carries the next such request out, and its answer is lost. */
async function loseAnswer(path: string): Promise<void> {
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path } });
}

async function goOnInBackground(): Promise<void> {
  await bench.later(181_000);
  await resumeOperations(bench.process());
}

describe('what the background brings to its end is written down in the name of who asked for it', () => {
  test('an invoice', async () => {
    const id = await bench.order();
    await loseAnswer('/invoice?');
    expect(await createQboInvoice(by(ADA), { purchaseOrderId: id })).toMatchObject({
      failures: [{ code: 'OUTCOME_UNKNOWN' }],
    });
    expect(await trail(id)).toEqual([]);
    expect(await bench.sql('select requested_by from provider_operation where subject = ?', [id])).toEqual([
      { requested_by: ADA },
    ]);

    await goOnInBackground();

    expect(await trail(id)).toEqual([{ action: 'invoice.created', by: ADA.id }]);
  });

  test('an e-mail', async () => {
    const { id } = await bench.invoicedOrder();
    await loseAnswer('/send');
    expect(await sendQboInvoice(by(ADA), { purchaseOrderId: id })).toMatchObject({ id: null });

    await goOnInBackground();

    expect((await trail(id)).slice(1)).toEqual([{ action: 'invoice.emailed', by: ADA.id }]);
  });

  test('a cancellation with its void', async () => {
    const { id } = await bench.invoicedOrder();
    await loseAnswer('operation=void');
    expect(await cancelPurchaseOrder(by(ADA), { purchaseOrderId: id })).toMatchObject({ id: null });

    await goOnInBackground();

    expect((await trail(id)).slice(1)).toEqual([
      { action: 'invoice.void_requested', by: ADA.id },
      { action: 'invoice.voided', by: ADA.id },
      { action: 'purchase_order.cancelled', by: ADA.id },
    ]);
  });
});

describe('whoever asked first is named', () => {
  test('also when somebody else asks before it is known whether the invoice was made', async () => {
    const id = await bench.order();
    await loseAnswer('/invoice?');
    await createQboInvoice(by(ADA), { purchaseOrderId: id });
    await bench.later(181_000);

    expect(await createQboInvoice(by(BOB), { purchaseOrderId: id })).toEqual({ id, failures: [] });

    expect(await trail(id)).toEqual([{ action: 'invoice.created', by: ADA.id }]);
  });

  test('also when a reading tells first that the invoice is void', async () => {
    const { id } = await bench.invoicedOrder();
    await loseAnswer('operation=void');
    await cancelPurchaseOrder(by(ADA), { purchaseOrderId: id });

    expect(await syncQboInvoiceStatus(by(BOB), { purchaseOrderId: id })).toMatchObject({ failures: [] });

    expect((await trail(id)).slice(1)).toEqual([
      { action: 'invoice.void_requested', by: ADA.id },
      { action: 'invoice.voided', by: ADA.id },
    ]);
  });

  test('but who asks for another thing is named for that', async () => {
    const id = await bench.order();
    await createQboInvoice(by(ADA), { purchaseOrderId: id });

    await sendQboInvoice(by(BOB), { purchaseOrderId: id });

    expect(await trail(id)).toEqual([
      { action: 'invoice.created', by: ADA.id },
      { action: 'invoice.emailed', by: BOB.id },
    ]);
  });
});
