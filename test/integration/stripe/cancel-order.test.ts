import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import type { BillingGateway } from '../../../src/application/ports/billing.js';
import { failed } from '../../../src/application/ports/provider.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { syncStripeInvoice } from '../../../src/application/stripe/sync-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { die, ProcessDied } from '../../support/workbench.js';

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
const VOID = 'POST /void';

const cancel = (purchaseOrderId: string) => cancelPurchaseOrder(bench.process(), { purchaseOrderId });

/** An order with an unpaid invoice; only what comes after counts as a request. */
async function invoiced() {
  const order = await bench.stripeInvoicedOrder();
  await bench.stripe.delete('/requests');
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
const UNKNOWN = { id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] };

async function inStripe(externalId: string): Promise<string> {
  const { invoices } = await bench.stripe.books();
  return invoices.find(({ id }: Data) => id === externalId)?.status;
}

async function writes(): Promise<string[]> {
  return (await bench.stripe.calls()).filter((call) => call.startsWith('POST'));
}

describe('cancelling an order with an unpaid invoice in Stripe', () => {
  test('reads the invoice, voids it with one request, and both are done together', async () => {
    const { id, invoiceId, externalId } = await invoiced();
    expect(await cancel(id)).toEqual({ id, failures: [] });
    const calls = await bench.stripe.calls();
    expect(calls[0]).toBe(`GET /v1/invoices/${externalId}`);
    expect(calls.at(-1)).toBe(`POST /v1/invoices/${externalId}/void`);
    expect(await writes()).toHaveLength(1);
    const { idempotencyKey } = (await bench.stripe.requests()).at(-1) as Data;
    expect(await bench.sql('select id, body from provider_operation where subject = ?', [invoiceId])).toEqual([
      { id: idempotencyKey, body: externalId },
    ]);
    expect(await standing(id)).toEqual(CANCELLED);
    expect(await inStripe(externalId)).toBe('void');
    const audited = await bench.sql('select action from audit_event where subject = ? order by id', [id]);
    expect(audited.map(({ action }) => action).slice(-3)).toEqual([
      'invoice.void_requested',
      'invoice.voided',
      'purchase_order.cancelled',
    ]);
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'CANCELLED' }] });
  });

  test('that a person gave up as uncollectible voids it, too', async () => {
    const { id, invoiceId, externalId } = await invoiced();
    await bench.stripe.post('/mark-uncollectible', { invoiceId: externalId });
    await syncStripeInvoice(bench.process(), invoiceId);
    expect(await standing(id)).toMatchObject({ invoices: ['UNCOLLECTIBLE'] });
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('just cancels when a person has voided it already', async () => {
    const { id, externalId } = await invoiced();
    await bench.stripe.post('/void-invoice', { invoiceId: externalId });
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await writes()).toEqual([]);
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('of two calls at the same time one voids and the other is told so', async () => {
    const { id } = await invoiced();
    await bench.stripe.fault(VOID, { kind: 'latency', ms: 300 });
    const outcomes = await Promise.all([cancel(id), cancel(id)]);
    expect(outcomes.map(({ failures }) => failures[0]?.code).toSorted()).toEqual(['IN_PROGRESS', undefined]);
    expect(await writes()).toHaveLength(1);
    expect(await standing(id)).toEqual(CANCELLED);
  });

  test('that Stripe refuses to void, or cannot be asked about, changes nothing', async () => {
    const { id, externalId } = await invoiced();
    await bench.stripe.fault(VOID, { kind: 'error', status: 400, message: 'Not today' });
    expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'STRIPE_REJECTED' }] });
    const failure = { kind: 'unavailable', message: 'no answer', trace: {} } as const;
    const readInvoice: BillingGateway['readInvoice'] = async () => ({ ok: false, failure });
    const unread = cancelPurchaseOrder(bench.withBilling({ readInvoice }), { purchaseOrderId: id });
    expect(await unread).toMatchObject({ id: null, failures: [{ code: 'STRIPE_UNAVAILABLE' }] });
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['REFUSED', 'REFUSED'] });
    expect(await inStripe(externalId)).toBe('open');
    expect(await resumeOperations(bench.process())).toBe(0);
  });
});

describe('money keeps an order from being cancelled', () => {
  test.each([
    ['in full', undefined, 'PAID', 'PAID'],
    ['in part', 50_000, 'PARTIALLY_PAID', 'PARTIALLY_PAID'],
  ])(
    'paid %s in Stripe and not known here yet: nothing is voided, and it is booked',
    async (_what, amount, order, invoice) => {
      const { id, externalId } = await invoiced();
      await bench.stripe.pay(externalId, amount);
      expect(await cancel(id)).toMatchObject({ id: null, failures: [{ code: 'HAS_PAYMENTS' }] });
      expect(await writes()).toEqual([]);
      expect(await standing(id)).toEqual({ order, invoices: [invoice], voids: ['REFUSED'] });
    },
  );

  test('a bank debit on its way: INVOICED, which says so, and nothing is voided', async () => {
    const { id, externalId } = await invoiced();
    const { paymentIntent } = await bench.stripe.pay(externalId, undefined, { method: 'ach' });
    const refused = {
      id: null,
      failures: [{ code: 'INVOICED', message: expect.stringMatching(/^1475.00 USD is on its way/) }],
    };
    expect(await cancel(id)).toMatchObject(refused);
    await bench.stripe.delete('/requests');
    expect(await cancel(id)).toMatchObject(refused);
    expect(await bench.stripe.calls()).toEqual([]);
    expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['REFUSED'] });

    await bench.stripe.post('/settle-payment', { paymentIntentId: paymentIntent.id, outcome: 'failed' });
    const [{ id: invoiceId }] = await bench.sql('select id from invoice where purchase_order_id = ?', [id]);
    await syncStripeInvoice(bench.process(), invoiceId);
    expect(await cancel(id)).toEqual({ id, failures: [] });
  });

  test.each([
    ['paid by card', 'card', 'HAS_PAYMENTS'],
    ['for which a bank debit begins', 'ach', 'INVOICED'],
  ])('%s between the reading and the void: Stripe refuses, and it is read anew', async (_what, method, code) => {
    const { id, externalId } = await invoiced();
    const voidInvoice: BillingGateway['voidInvoice'] = async (...call) => {
      await bench.stripe.pay(externalId, undefined, { method });
      return bench.context.billing.voidInvoice(...call);
    };
    const outcome = await cancelPurchaseOrder(bench.withBilling({ voidInvoice }), { purchaseOrderId: id });
    expect(outcome).toMatchObject({ id: null, failures: [{ code }] });
    expect(await standing(id)).toMatchObject({ voids: ['REFUSED'] });
    expect(await inStripe(externalId)).not.toBe('void');
  });

  test('told by a webhook between the reading and the void: nothing is sent', async () => {
    const { id, invoiceId, externalId } = await invoiced();
    let readings = 0;
    const readInvoice: BillingGateway['readInvoice'] = async (...call) => {
      const answer = await bench.context.billing.readInvoice(...call);
      readings += 1;
      if (readings === 1) {
        await bench.stripe.pay(externalId, undefined, { method: 'ach' });
        await syncStripeInvoice(bench.process(), invoiceId);
      }
      return answer;
    };
    const outcome = await cancelPurchaseOrder(bench.withBilling({ readInvoice }), { purchaseOrderId: id });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'INVOICED' }] });
    expect(await writes()).toEqual([]);
  });

  test('recorded by hand while the void is under way: the invoice is void, the order is not cancelled', async () => {
    const { id } = await invoiced();
    const voidInvoice: BillingGateway['voidInvoice'] = async (...call) => {
      const answer = await bench.context.billing.voidInvoice(...call);
      await recordPayment(bench.process(), { purchaseOrderId: id, amount: '100.00', method: 'WIRE' });
      return answer;
    };
    const outcome = await cancelPurchaseOrder(bench.withBilling({ voidInvoice }), { purchaseOrderId: id });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'HAS_PAYMENTS' }] });
    expect(await standing(id)).toEqual({ order: 'PARTIALLY_PAID', invoices: ['VOIDED'], voids: ['DONE'] });
  });
});

describe('an invoice that is not settled itself', () => {
  test('is IN_PROGRESS while it is a draft and OUTCOME_UNKNOWN while nobody knows', async () => {
    const creating = await bench.order();
    const finalizing = createStripeInvoice(
      bench.withBilling({
        createInvoice: async (connection, sending) => {
          await bench.stripe.fault('POST /finalize', { kind: 'reset', when: 'before' });
          await bench.context.billing.createInvoice(connection, sending);
          return die();
        },
      }),
      { purchaseOrderId: creating },
    );
    await expect(finalizing).rejects.toThrow(ProcessDied);
    const [draft] = await bench.sql('select status, external_id from invoice where purchase_order_id = ?', [creating]);
    expect(draft).toEqual({ status: 'CREATING', external_id: expect.stringMatching(/^in_/) });
    expect(await cancel(creating)).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    const unknown = await bench.order();
    await bench.stripe.fault('POST /finalize', { kind: 'reset', when: 'before' });
    await createStripeInvoice(bench.process(), { purchaseOrderId: unknown });
    expect(await cancel(unknown)).toMatchObject(UNKNOWN);
    await bench.later(181_000);
    await resumeOperations(bench.process());
  });
});

describe('a void without an answer', () => {
  test.each(
    [
      ['the connection is cut', { kind: 'reset' }],
      ['the answer is cut off half way', { kind: 'truncate' }],
      ['the answer is an HTML page with status 502', { kind: 'html502' }],
      ['no answer comes in time', { kind: 'timeout', ms: 3000 }],
    ].flatMap(([what, fault]) => (['before', 'after'] as const).map((when) => [what, when, fault] as const)),
  )(
    'because %s, %s Stripe did it, is settled by the background, which then cancels the order',
    async (_what, when, fault) => {
      const { id, externalId } = await invoiced();
      await bench.stripe.fault(VOID, { ...(fault as Data), when });
      expect(await cancel(id)).toMatchObject(UNKNOWN);
      expect(await standing(id)).toEqual({ order: 'SENT', invoices: ['OPEN'], voids: ['UNKNOWN'] });
      expect(await resumeOperations(bench.process())).toBe(1);
      expect(await standing(id)).toEqual(CANCELLED);
      expect(await inStripe(externalId)).toBe('void');
    },
  );

  test('that Stripe repeats as an internal error is sent under a new key after a quarter of an hour', async () => {
    const { id } = await invoiced();
    await bench.stripe.fault(VOID, { kind: '500', when: 'before' });
    expect(await cancel(id)).toMatchObject(UNKNOWN);
    expect(await cancel(id)).toMatchObject(UNKNOWN);
    await bench.later(16 * MINUTE);
    await resumeOperations(bench.process());
    expect(await standing(id)).toEqual({ ...CANCELLED, voids: ['REFUSED', 'DONE'] });
  });

  test('that fails after it was renewed does not say that nothing was done', async () => {
    const { id } = await invoiced();
    const [resumed, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const voidInvoice: BillingGateway['voidInvoice'] = async () => {
      begun.resolve();
      await resumed.promise;
      return failed({ kind: 'unavailable', message: 'no answer', trace: {} });
    };
    const stalled = cancelPurchaseOrder(bench.withBilling({ voidInvoice }), { purchaseOrderId: id });
    await begun.promise;
    await bench.later(16 * MINUTE);
    await bench.stripe.fault(VOID, { kind: 'reset', when: 'before' });
    expect(await cancel(id)).toMatchObject(UNKNOWN);

    resumed.resolve();

    expect(await stalled).toMatchObject(UNKNOWN);
    expect((await standing(id)).voids).toEqual(['REFUSED', 'UNKNOWN']);
    await resumeOperations(bench.process());
    expect((await standing(id)).order).toBe('CANCELLED');
  });

  test('is not sent again once it is paid: the order stays', async () => {
    const { id, externalId } = await invoiced();
    await bench.stripe.fault(VOID, { kind: 'reset', when: 'before' });
    await cancel(id);
    await bench.stripe.pay(externalId);
    await resumeOperations(bench.process());
    expect(await standing(id)).toEqual({ order: 'PAID', invoices: ['PAID'], voids: ['REFUSED'] });
    expect(await writes()).toHaveLength(1);
  });

  test.each(['before', 'after'] as const)('is settled when the process died %s Stripe did it', async (when) => {
    const { id } = await invoiced();
    const voidInvoice: BillingGateway['voidInvoice'] = async (...call) => {
      if (when === 'after') await bench.context.billing.voidInvoice(...call);
      return die();
    };
    const dying = cancelPurchaseOrder(bench.withBilling({ voidInvoice }), { purchaseOrderId: id });
    await expect(dying).rejects.toThrow(ProcessDied);
    expect(await cancel(id)).toMatchObject({ failures: [{ code: 'IN_PROGRESS' }] });
    await bench.later(181_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await standing(id)).toEqual(CANCELLED);
    expect(await writes()).toHaveLength(1);
  });
});
