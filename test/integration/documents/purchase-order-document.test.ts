import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor } from '../../../src/application/context.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../src/application/purchase-orders/reverse-payment.js';
import {
  findPurchaseOrderDocument,
  type PurchaseOrderDocument,
} from '../../../src/application/queries/purchase-order-document.js';
import { ALL_GRANTS, ConferenceRole, type Grants, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
  await bench.sql(`update conference set timezone = 'Pacific/Auckland', letterhead = 'Torstraße 12'`);
});

afterAll(() => bench.stop());

const NOW = new Date('2026-11-28T12:30:00Z');

function find(id: string, grants: Grants = ALL_GRANTS): Promise<PurchaseOrderDocument | undefined> {
  const actor: Actor = { kind: ActorKind.API_KEY, id: 'key_1', name: 'tester', grants };
  return findPurchaseOrderDocument(bench.process().em, { actor, id, now: NOW });
}

describe('the document of a purchase order', () => {
  test('has its lines in order, and no amount is rounded', async () => {
    const id = await bench.order({
      lineItems: [
        { description: 'Ticket', quantity: 2, unitPrice: '499.00' },
        { description: 'Hall', quantity: 1, unitPrice: '9007199254740.93' },
      ],
    });
    expect(await find(id)).toMatchObject({
      lines: [
        { description: 'Ticket', quantity: 2, unitPriceMinor: 49_900n, lineTotalMinor: 99_800n },
        {
          description: 'Hall',
          quantity: 1,
          unitPriceMinor: 900_719_925_474_093n,
          lineTotalMinor: 900_719_925_474_093n,
        },
      ],
      totalMinor: 900_719_925_573_893n,
      paidMinor: 0n,
      creditedMinor: 0n,
      balanceMinor: 900_719_925_573_893n,
      payments: [],
      credits: [],
      invoice: null,
    });
  });

  test('has every payment and credit, and sums of those that stand', async () => {
    const id = await bench.order();
    const first = await recordPayment(bench.process(), {
      purchaseOrderId: id,
      amount: '100.00',
      method: 'WIRE',
      reference: 'W-1',
      paidOn: '2026-11-01',
    });
    await recordPayment(bench.process(), {
      purchaseOrderId: id,
      amount: '200.05',
      method: 'CHECK',
      reference: 'C-1',
      paidOn: '2026-11-02',
    });
    await issueCreditNote(bench.process(), { purchaseOrderId: id, amount: '10.00', reason: 'One day less' });
    await reversePayment(bench.process(), { paymentId: String(first.id), reason: 'Entered twice' });
    expect(await find(id)).toMatchObject({
      payments: [
        {
          paidOn: '2026-11-01',
          method: 'WIRE',
          reference: 'W-1',
          amountMinor: 10_000n,
          reversedOn: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
        },
        { paidOn: '2026-11-02', method: 'CHECK', reference: 'C-1', amountMinor: 20_005n, reversedOn: null },
      ],
      credits: [{ reason: 'One day less', amountMinor: 1_000n, reversedOn: null }],
      paidMinor: 20_005n,
      creditedMinor: 1_000n,
      balanceMinor: 126_495n,
    });
  });

  test('dates moments by the time zone of the conference', async () => {
    const id = await bench.order();
    await bench.sql(
      `update purchase_order set sent_at = '2026-11-02T11:30:00Z', created_at = '2026-11-01T10:30:00Z'
      where id = ?`,
      [id],
    );
    expect(await find(id)).toMatchObject({ orderedOn: '2026-11-01', issuedOn: '2026-11-03', statedOn: '2026-11-29' });
  });

  test('names the live invoice and where to pay it', async () => {
    const { id, invoiceId } = await bench.invoicedOrder();
    await bench.sql(`update invoice set number = '1042', pay_url = 'https://pay.example/1' where id = ?`, [invoiceId]);
    const invoice = { provider: 'QBO', number: '1042', isVoid: false };
    expect((await find(id))?.invoice).toEqual({ ...invoice, payUrl: 'https://pay.example/1' });
    await bench.sql(`update invoice set status = 'PAID' where id = ?`, [invoiceId]);
    expect((await find(id))?.invoice).toEqual({ ...invoice, payUrl: null });
    await bench.sql(`update invoice set status = 'UNKNOWN' where id = ?`, [invoiceId]);
    expect((await find(id))?.invoice).toBeNull();
  });

  test('of a cancelled order names the void invoice, which nobody can pay', async () => {
    const { id, invoiceId } = await bench.invoicedOrder();
    await bench.sql(`update invoice set pay_url = 'https://pay.example/2' where id = ?`, [invoiceId]);
    await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id });
    expect(await find(id)).toMatchObject({ status: 'CANCELLED', invoice: { isVoid: true, payUrl: null } });
  });

  test('has nothing that is internal', async () => {
    const id = await bench.order({ notes: 'Bad payer' });
    await recordPayment(bench.process(), { purchaseOrderId: id, amount: '1.00', method: 'WIRE', note: 'By phone' });
    const found = await find(id);
    const text = JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    expect(text).not.toMatch(/Bad payer|By phone|bootstrap|tester/);
  });

  test('costs one statement', async () => {
    const id = await bench.order();
    expect(await bench.statementsOf(() => find(id))).toHaveLength(1);
  });
});

describe('is seen by', () => {
  const roles = (role: ConferenceRole, conferenceId = bench.conferenceId): Grants => ({
    ...NO_GRANTS,
    roles: new Map([[conferenceId, role]]),
  });

  test.each([ConferenceRole.VIEWER, ConferenceRole.FINANCE, ConferenceRole.ORGANISER])(
    'who is %s in its conference, and in no other',
    async (role) => {
      const id = await bench.order();
      expect(await find(id, roles(role))).toMatchObject({ conference: { letterhead: 'Torstraße 12' } });
      expect(await find(id, roles(role, 'conf_other'))).toBeUndefined();
    },
  );

  test('the portal of its buyer, and by no other portal', async () => {
    const [id, other] = [await bench.order(), await bench.order()];
    expect(await find(id, { ...NO_GRANTS, purchaseOrderId: id })).toBeDefined();
    expect(await find(id, { ...NO_GRANTS, purchaseOrderId: other })).toBeUndefined();
  });

  test('nobody without a grant, and is the same as one that does not exist', async () => {
    expect(await find(await bench.order(), NO_GRANTS)).toBeUndefined();
    expect(await find('po_unknown')).toBeUndefined();
  });
});
