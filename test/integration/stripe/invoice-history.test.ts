import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BillingGateway } from '../../../src/application/ports/billing.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { findInvoiceHistories, type InvoiceEventView } from '../../../src/application/queries/invoice-history.js';
import { sendStripeInvoice } from '../../../src/application/stripe/send-stripe-invoice.js';
import { syncStripeInvoiceStatus } from '../../../src/application/stripe/sync-stripe-invoice-status.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

afterAll(() => bench.stop());

async function histories(...invoiceIds: string[]): Promise<InvoiceEventView[]> {
  return findInvoiceHistories(bench.process().em, invoiceIds);
}

const told = ({ action, message }: InvoiceEventView) => [action, message];

async function sync(purchaseOrderId: string): Promise<void> {
  const { failures } = await syncStripeInvoiceStatus(bench.process(), { purchaseOrderId });
  expect(failures).toEqual([]);
}

describe('the history of an invoice', () => {
  test('tells of its creation, e-mail, payments, refunds and credits, what was taken back before what took its place', async () => {
    const { id, invoiceId, externalId } = await bench.stripeInvoicedOrder();
    await sendStripeInvoice(bench.process(), { purchaseOrderId: id });
    const { paymentIntent } = await bench.stripe.pay(externalId, 50_000);
    await sync(id);
    await bench.stripe.api('POST', '/v1/refunds', { payment_intent: paymentIntent.id, amount: '20000' });
    await sync(id);
    await bench.stripe.api('POST', '/v1/credit_notes', { invoice: externalId, amount: '7500' });
    await sync(id);

    const events = await histories(invoiceId);

    expect(events.map(told)).toEqual([
      ['CREATED', 'Stripe made it over 1475.00 USD.'],
      ['EMAILED', 'Stripe e-mailed it.'],
      ['PAYMENT_BOOKED', expect.stringMatching(/^500\.00 USD was received on .* \(pi_\w+\)\.$/)],
      ['PAYMENT_REVERSED', '500.00 USD received before was taken back. The payment was changed at the provider.'],
      ['PAYMENT_BOOKED', expect.stringMatching(/^300\.00 USD was received on /)],
      ['CREDIT_BOOKED', '75.00 USD was credited.'],
    ]);
    expect(new Set(events.map((event) => event.invoiceId))).toEqual(new Set([invoiceId]));
    expect(events.every(({ at }) => at instanceof Date)).toBe(true);
    const caller = { id: 'test', name: 'test', kind: 'API_KEY' };
    const system = { id: 'system', name: 'stripe', kind: 'SYSTEM' };
    expect(events.map(({ actor }) => actor)).toEqual([caller, caller, system, system, system, system]);
  });

  test('says that it was voided here when a reading tells before the answer does, or instead of it', async () => {
    const [raced, lost, theirs] = [
      await bench.stripeInvoicedOrder(),
      await bench.stripeInvoicedOrder(),
      await bench.stripeInvoicedOrder(),
    ];
    const voidInvoice: BillingGateway['voidInvoice'] = async (...call) => {
      const answer = await bench.context.billing.voidInvoice(...call);
      await sync(raced.id);
      return answer;
    };
    await cancelPurchaseOrder(bench.withBilling({ voidInvoice }), { purchaseOrderId: raced.id });
    await bench.stripe.fault('POST /void', { kind: 'truncate', when: 'after', times: 3 });
    const outcome = await cancelPurchaseOrder(bench.process(), { purchaseOrderId: lost.id });
    expect(outcome).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    await sync(lost.id);
    await bench.stripe.post('/void-invoice', { invoiceId: theirs.externalId });
    await sync(theirs.id);

    const ended = async (invoiceId: string) => (await histories(invoiceId)).slice(1).map(told);
    const voided = [
      ['VOID_REQUESTED', 'It is to be voided.'],
      ['VOIDED', 'It was voided in Stripe.'],
    ];
    expect(await ended(raced.invoiceId)).toEqual(voided);
    expect(await ended(lost.invoiceId)).toEqual(voided);
    expect(await ended(theirs.invoiceId)).toEqual([
      ['CHANGED_AT_PROVIDER', 'It changed in Stripe: OPEN over 1475.00 USD became VOIDED over 1475.00 USD.'],
    ]);
  });

  test('of several invoices is each its own, and an event that names none belongs to the latest one at its time', async () => {
    const [first, second] = [await bench.stripeInvoicedOrder(), await bench.stripeInvoicedOrder()];
    await bench.stripe.post('/mark-uncollectible', { invoiceId: first.externalId });
    await sync(first.id);
    const unnamed =
      "insert into audit_event (id, actor_id, actor, actor_kind, action, subject, after, occurred_at) values (?, 'key_1', 'test', 'API_KEY', ?, ?, '{}', now())";
    await bench.sql(unnamed, ['aud_unnamed', 'invoice.voided', second.id]);
    await bench.sql(unnamed, ['aud_of_the_order', 'purchase_order.cancelled', second.id]);

    const events = await histories(first.invoiceId, second.invoiceId, 'inv_unknown');

    expect(events.filter(({ invoiceId }) => invoiceId === first.invoiceId).map(told)).toEqual([
      ['CREATED', 'Stripe made it over 1475.00 USD.'],
      ['CHANGED_AT_PROVIDER', 'It changed in Stripe: OPEN over 1475.00 USD became UNCOLLECTIBLE over 1475.00 USD.'],
    ]);
    expect(events.filter(({ invoiceId }) => invoiceId === second.invoiceId).map(({ action }) => action)).toEqual([
      'CREATED',
      'VOIDED',
    ]);
  });

  test('is that of the most recent hundred things', async () => {
    const { id, invoiceId, externalId } = await bench.stripeInvoicedOrder();
    await bench.sql(
      `insert into audit_event (id, actor_id, actor, actor_kind, action, subject, after, occurred_at)
       select 'aud_many_' || number, 'key_1', 'test', 'API_KEY', 'invoice.emailed', ?,
              jsonb_build_object('invoice', ?::text, 'email', number || '@example.com'), now() + number * interval '1 second'
       from generate_series(1, 120) as number`,
      [id, externalId],
    );

    const events = await histories(invoiceId);

    expect(events).toHaveLength(100);
    expect(events.at(0)?.message).toBe('Stripe e-mailed it to 21@example.com.');
    expect(events.at(-1)?.message).toBe('Stripe e-mailed it to 120@example.com.');
  });
});
