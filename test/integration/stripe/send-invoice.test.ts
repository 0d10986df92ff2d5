import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import type { BillingGateway } from '../../../src/application/ports/billing.js';
import { failed } from '../../../src/application/ports/provider.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { sendStripeInvoice } from '../../../src/application/stripe/send-stripe-invoice.js';
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
  // What an earlier test left open on purpose.
  await bench.sql("update provider_operation set state = 'REFUSED' where state in ('UNKNOWN', 'IN_FLIGHT', 'CLAIMED')");
});

afterAll(() => bench.stop());

const MINUTE = 60_000;
const SEND = 'POST /send';
const UNKNOWN = { id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] };

const send = (purchaseOrderId: string) => sendStripeInvoice(bench.process(), { purchaseOrderId });

/** How many e-mails about the invoice Stripe sent. */
async function emails(externalId: string): Promise<number> {
  const books = await bench.stripe.books();
  return books.emails.filter(({ invoice }: Data) => invoice === externalId).length;
}

async function sendings(invoiceId: string): Promise<Data[]> {
  return bench.sql(
    "select state, attempts from provider_operation where kind = 'SEND_INVOICE' and subject = ? order by generation",
    [invoiceId],
  );
}

async function status(invoiceId: string): Promise<string> {
  const [invoice] = await bench.sql('select email_status from invoice where id = ?', [invoiceId]);
  return invoice.email_status;
}

async function keys(): Promise<string[]> {
  const requests = await bench.stripe.requests();
  return requests.filter(({ path }) => path.endsWith('/send')).map(({ idempotencyKey }) => idempotencyKey);
}

async function audited(id: string): Promise<number> {
  const rows = await bench.sql("select id from audit_event where subject = ? and action = 'invoice.emailed'", [id]);
  return rows.length;
}

describe('W-S7: an invoice is e-mailed apart from its creation', () => {
  test('creating sends nothing, sending does so with the id of its operation as the key, and can be repeated', async () => {
    const { id, invoiceId, externalId } = await bench.stripeInvoicedOrder();
    expect(await emails(externalId)).toBe(0);
    expect(await status(invoiceId)).toBe('NOT_SENT');
    await bench.stripe.delete('/requests');

    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await bench.stripe.calls()).toEqual([`POST /v1/invoices/${externalId}/send`]);
    const [operation] = await bench.sql('select id, body from provider_operation where subject = ?', [invoiceId]);
    expect(await keys()).toEqual([operation.id]);
    expect(operation.body).toBe(externalId);
    expect(await status(invoiceId)).toBe('SENT');

    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await emails(externalId)).toBe(2);
    expect(await sendings(invoiceId)).toEqual([
      { state: 'DONE', attempts: 1 },
      { state: 'DONE', attempts: 1 },
    ]);
    expect(await audited(id)).toBe(2);
  });

  test('a sending that fails leaves the invoice as it is and can be repeated at once', async () => {
    const { id, invoiceId, externalId } = await bench.stripeInvoicedOrder();
    await bench.stripe.fault(SEND, { kind: 'error', status: 400, message: 'No such thing' });
    expect(await send(id)).toMatchObject({ id: null, failures: [{ code: 'STRIPE_REJECTED', statusCode: 400 }] });
    expect(await status(invoiceId)).toBe('NOT_SENT');
    await bench.stripe.fault(SEND, { kind: '429' });
    expect(await send(id)).toMatchObject({ id: null, failures: [{ code: 'STRIPE_UNAVAILABLE' }] });
    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await emails(externalId)).toBe(1);
  });
});

describe('what cannot be e-mailed', () => {
  test('an order without an invoice is NO_STRIPE_INVOICE, also one whose invoice is in QuickBooks', async () => {
    const { id } = await bench.invoicedOrder();
    const none = { id: null, failures: [{ code: 'NO_STRIPE_INVOICE' }] };
    expect(await send(await bench.order())).toMatchObject(none);
    expect(await send(id)).toMatchObject(none);
    expect(await send('po_none')).toMatchObject({ id: null, failures: [{ code: 'NOT_FOUND' }] });
    expect(await bench.stripe.calls()).toEqual([]);
  });

  test('W-S13: an order over nothing has no invoice, so that no sending can fail', async () => {
    const lineItems = [{ description: 'Free ticket', quantity: 1, unitPrice: '0.00' }];
    const id = await bench.order({ lineItems });
    expect(await createStripeInvoice(bench.process(), { purchaseOrderId: id })).toMatchObject({
      failures: [{ code: 'NOTHING_TO_INVOICE' }],
    });
    expect(await send(id)).toMatchObject({ id: null, failures: [{ code: 'NO_STRIPE_INVOICE' }] });
    expect(await bench.stripe.calls()).toEqual([]);
  });

  test('a draft, which Stripe would finalise on the way, is IN_PROGRESS or OUTCOME_UNKNOWN', async () => {
    const id = await bench.order();
    await bench.stripe.fault('POST /finalize', { kind: 'reset', when: 'before' });
    await createStripeInvoice(bench.process(), { purchaseOrderId: id });
    expect(await send(id)).toMatchObject(UNKNOWN);
    await bench.sql("update invoice set status = 'CREATING' where purchase_order_id = ?", [id]);
    expect(await send(id)).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    expect(await keys()).toEqual([]);
  });

  test('an invoice that is being voided is IN_PROGRESS, one of a cancelled order is no more', async () => {
    const { id } = await bench.stripeInvoicedOrder();
    await bench.stripe.fault('POST /void', { kind: 'reset', when: 'before' });
    await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id });
    expect(await send(id)).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id });
    expect(await send(id)).toMatchObject({ id: null, failures: [{ code: 'NO_STRIPE_INVOICE' }] });
    expect(await keys()).toEqual([]);
  });
});

/** An invoice whose e-mail was asked for; `when` says whether it went out before the answer was lost. */
async function unanswered(when: 'before' | 'after', fault: Data = { kind: 'reset' }) {
  const invoiced = await bench.stripeInvoicedOrder();
  await bench.stripe.fault(SEND, { ...fault, when });
  expect(await send(invoiced.id)).toMatchObject(UNKNOWN);
  expect(await status(invoiced.invoiceId)).toBe('PENDING');
  return invoiced;
}

describe('W-S7: an e-mail of which nobody knows whether it went out', () => {
  test.each(['before', 'after'] as const)(
    'is sent again under the same key, and goes out once, when the connection was cut %s Stripe did it',
    async (when) => {
      const { id, invoiceId, externalId } = await unanswered(when);
      expect(await resumeOperations(bench.process())).toBe(1);
      expect(new Set(await keys()).size).toBe(1);
      expect(await emails(externalId)).toBe(1);
      expect(await sendings(invoiceId)).toEqual([{ state: 'DONE', attempts: 2 }]);
      expect(await status(invoiceId)).toBe('SENT');
      expect(await audited(id)).toBe(1);
      expect(await resumeOperations(bench.process())).toBe(0);
    },
  );

  test('is settled for who asks again, instead of sending another one', async () => {
    const { id, invoiceId, externalId } = await unanswered('after');
    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await emails(externalId)).toBe(1);
    expect(await sendings(invoiceId)).toEqual([{ state: 'DONE', attempts: 2 }]);
  });

  test('later than a quarter of an hour is looked for among the events, and not sent again when it went out', async () => {
    const { id, invoiceId, externalId } = await unanswered('after');
    await bench.later(16 * MINUTE);
    await bench.stripe.delete('/requests');
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await bench.stripe.calls()).toEqual(['GET /v1/events']);
    expect(await emails(externalId)).toBe(1);
    expect(await sendings(invoiceId)).toEqual([{ state: 'DONE', attempts: 1 }]);
    expect(await status(invoiceId)).toBe('SENT');
    expect(await audited(id)).toBe(1);
  });

  test('later and did not go out, because Stripe repeats an internal error, is repeated once under a new key', async () => {
    const { id, invoiceId, externalId } = await unanswered('before', { kind: '500' });
    // The same key only brings the same error.
    expect(await send(id)).toMatchObject(UNKNOWN);
    await bench.later(14 * MINUTE);
    await resumeOperations(bench.process());
    expect(new Set(await keys()).size).toBe(1);
    // A sending that may be at work is waited for.
    await bench.later(10 * MINUTE);
    expect(await send(id)).toMatchObject(UNKNOWN);
    expect(await emails(externalId)).toBe(0);
    await bench.later(16 * MINUTE);
    await resumeOperations(bench.process());
    expect(new Set(await keys()).size).toBe(2);
    expect(await emails(externalId)).toBe(1);
    expect((await sendings(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'DONE']);
    expect(await status(invoiceId)).toBe('SENT');
    expect(await audited(id)).toBe(1);
  });

  /** Sent a second time, sixteen minutes after the first, and again no answer came. */
  async function twice(when: 'before' | 'after') {
    const invoiced = await unanswered('before');
    await bench.later(16 * MINUTE);
    await bench.stripe.fault(SEND, { kind: 'reset', when });
    await resumeOperations(bench.process());
    expect((await sendings(invoiced.invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'UNKNOWN']);
    await bench.stripe.delete('/requests');
    return invoiced;
  }

  test('twice is not sent a third time by itself, and is given up when no event tells of it', async () => {
    const { id, invoiceId, externalId } = await twice('before');
    for (const minute of [0, 5, 10]) {
      expect([minute, await send(id)]).toMatchObject([minute, UNKNOWN]);
      await resumeOperations(bench.process());
      await bench.later(5 * MINUTE);
    }
    await bench.later(2 * MINUTE);
    await resumeOperations(bench.process());
    expect(await keys()).toEqual([]);
    expect((await sendings(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'REFUSED']);
    expect(await status(invoiceId)).toBe('NOT_SENT');
    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await emails(externalId)).toBe(1);
  });

  test('twice and whose second sending went out is settled by its event', async () => {
    const { id, invoiceId, externalId } = await twice('after');
    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await keys()).toEqual([]);
    expect(await emails(externalId)).toBe(1);
    expect((await sendings(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'DONE']);
  });

  test('and whose first sending fails while the second is under way may still go out', async () => {
    const { id, invoiceId } = await bench.stripeInvoicedOrder();
    const [resumed, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const sendInvoice: BillingGateway['sendInvoice'] = async () => {
      begun.resolve();
      await resumed.promise;
      return failed({ kind: 'unavailable', message: 'no answer', trace: {} });
    };
    const stalled = sendStripeInvoice(bench.withBilling({ sendInvoice }), { purchaseOrderId: id });
    await begun.promise;
    await bench.later(16 * MINUTE);
    await bench.stripe.fault(SEND, { kind: 'reset', when: 'before' });
    expect(await send(id)).toMatchObject(UNKNOWN);

    resumed.resolve();

    expect(await stalled).toMatchObject(UNKNOWN);
    expect(await status(invoiceId)).toBe('PENDING');
  });

  test('and whose repetition never reached Stripe is repeated when Stripe takes it', async () => {
    const { invoiceId, externalId } = await unanswered('before');
    await bench.later(16 * MINUTE);
    await bench.stripe.fault(SEND, { kind: '429' });
    await resumeOperations(bench.process());
    expect((await sendings(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'UNKNOWN']);
    await bench.later(2 * MINUTE);
    await resumeOperations(bench.process());
    expect(await emails(externalId)).toBe(1);
    expect((await sendings(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'DONE']);
  });

  test('is given up when its invoice was voided meanwhile', async () => {
    const { id, invoiceId, externalId } = await unanswered('before');
    await bench.stripe.post('/void-invoice', { invoiceId: externalId });
    await cancelPurchaseOrder(bench.process(), { purchaseOrderId: id });
    await resumeOperations(bench.process());
    expect(await sendings(invoiceId)).toEqual([{ state: 'REFUSED', attempts: 1 }]);
    expect(await emails(externalId)).toBe(0);
  });

  test('stays unknown while Stripe does not tell its events', async () => {
    const { id, invoiceId } = await unanswered('after');
    await bench.later(16 * MINUTE);
    const failure = { kind: 'unavailable', message: 'no answer', trace: {} } as const;
    const wasSent: BillingGateway['wasSent'] = async () => ({ ok: false, failure });
    const outcome = await sendStripeInvoice(bench.withBilling({ wasSent }), { purchaseOrderId: id });
    expect(outcome).toMatchObject(UNKNOWN);
    expect(await send(id)).toEqual({ id, failures: [] });
    expect(await sendings(invoiceId)).toEqual([{ state: 'DONE', attempts: 1 }]);
  });
});

describe('several at once', () => {
  test('ten send one e-mail, and the others are told so', async () => {
    const { id, externalId } = await bench.stripeInvoicedOrder();
    await bench.stripe.fault(SEND, { kind: 'latency', ms: 500 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => send(id)));
    expect(outcomes.filter(({ failures }) => failures.length === 0)).toHaveLength(1);
    expect(outcomes.flatMap(({ failures }) => failures.map(({ code }) => code))).toEqual(Array(9).fill('IN_PROGRESS'));
    expect(await emails(externalId)).toBe(1);
  });

  test('a process that died while sending is taken over after its lease, under the same key', async () => {
    const { id, invoiceId, externalId } = await bench.stripeInvoicedOrder();
    const sendInvoice: BillingGateway['sendInvoice'] = async (...call) => {
      await bench.context.billing.sendInvoice(...call);
      return die();
    };
    const dying = sendStripeInvoice(bench.withBilling({ sendInvoice }), { purchaseOrderId: id });
    await expect(dying).rejects.toThrow(ProcessDied);
    expect(await send(id)).toMatchObject({ failures: [{ code: 'IN_PROGRESS' }] });
    await bench.later(181_000);
    await resumeOperations(bench.process());
    expect(new Set(await keys()).size).toBe(1);
    expect(await emails(externalId)).toBe(1);
    expect(await sendings(invoiceId)).toEqual([{ state: 'DONE', attempts: 2 }]);
  });
});
