import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type Stripe from 'stripe';
import { ACCOUNT, Bench, type Body, refusal } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.stop());

/** Everything that was paid or asked for, the newest first, with its intent and charge. */
const paymentsOf = async (invoice: string): Promise<Stripe.InvoicePayment[]> =>
  (
    await bench.stripe.invoicePayments.list({
      invoice,
      expand: ['data.payment.payment_intent.latest_charge'],
    })
  ).data;

describe('A card payment', () => {
  test('of all that is open pays the invoice at once', async () => {
    const { id } = await bench.invoice(10_000);
    await bench.pay(id);
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({
      status: 'paid',
      amount_due: 10_000,
      amount_paid: 10_000,
      amount_remaining: 0,
      amount_overpaid: 0,
      status_transitions: { paid_at: expect.any(Number) },
    });
    expect(await paymentsOf(id)).toMatchObject([
      {
        is_default: true,
        status: 'paid',
        amount_paid: 10_000,
        status_transitions: { paid_at: expect.any(Number), canceled_at: null },
        payment: {
          type: 'payment_intent',
          payment_intent: {
            status: 'succeeded',
            amount_received: 10_000,
            latest_charge: {
              id: expect.stringMatching(/^ch_/),
              object: 'charge',
              amount: 10_000,
              amount_refunded: 0,
              status: 'succeeded',
              paid: true,
              disputed: false,
              payment_method_details: { type: 'card' },
            },
          },
        },
      },
    ]);
  });

  test('of a part has an intent of its own, and the default payment asks for the rest', async () => {
    const { id } = await bench.invoice(10_000);
    const { paymentIntent } = await bench.pay(id, { amount: 4_000 });
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({
      status: 'open',
      amount_paid: 4_000,
      amount_remaining: 6_000,
    });
    expect(await paymentsOf(id)).toMatchObject([
      { is_default: false, status: 'paid', amount_paid: 4_000, payment: { payment_intent: { id: paymentIntent.id } } },
      { is_default: true, status: 'open', amount_requested: 6_000, payment: { payment_intent: { amount: 6_000 } } },
    ]);
    await bench.pay(id);
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({ status: 'paid', amount_paid: 10_000 });
    const byIntent = { payment: { type: 'payment_intent', payment_intent: paymentIntent.id } };
    expect((await bench.stripe.invoicePayments.list(byIntent)).data).toMatchObject([
      { invoice: id, amount_paid: 4_000 },
    ]);
    expect((await bench.stripe.invoicePayments.list({ invoice: id, status: 'open' })).data).toEqual([]);
  });

  test('of the rest by parts gives the default payment up', async () => {
    const { id } = await bench.invoice(10_000);
    await bench.pay(id, { amount: 4_000 });
    await bench.pay(id, { amount: 3_000 });
    await bench.pay(id, { amount: 9_000 });
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({
      status: 'paid',
      amount_paid: 16_000,
      amount_remaining: 0,
      amount_overpaid: 6_000,
    });
    expect(await paymentsOf(id)).toMatchObject([
      { amount_paid: 9_000 },
      { amount_paid: 3_000 },
      { amount_paid: 4_000 },
      { is_default: true, status: 'canceled', payment: { payment_intent: { status: 'canceled' } } },
    ]);
    const { customer } = await bench.stripe.invoices.retrieve(id);
    expect(await bench.stripe.customers.retrieve(`${customer}`)).toMatchObject({ balance: -6_000 });
  });

  test('is possible on an invoice that was given up, and on no draft, paid or void one', async () => {
    const { id } = await bench.invoice();
    await bench.stripe.invoices.markUncollectible(id);
    await bench.pay(id);
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({ status: 'paid' });
    const gone = await bench.invoice();
    await bench.stripe.invoices.voidInvoice(gone.id);
    for (const [invoice, why] of [
      [id, 'Invoice is already paid'],
      [gone.id, 'Voided invoices cannot be paid.'],
      [(await bench.draft()).id, 'Only open invoices can be paid.'],
    ] as const) {
      await expect(bench.pay(invoice)).rejects.toThrow(why);
    }
  });

  test('ends voiding', async () => {
    const partly = await bench.invoice();
    await bench.pay(partly.id, { amount: 1 });
    const paid = await bench.invoice();
    await bench.pay(paid.id);
    for (const { id } of [partly, paid]) {
      expect(await refusal(bench.stripe.invoices.voidInvoice(id))).toMatchObject({ statusCode: 400 });
    }
    await bench.control('PATCH', `/accounts/${ACCOUNT}`, { voidPartlyPaid: true });
    expect(await bench.stripe.invoices.voidInvoice(partly.id)).toMatchObject({ status: 'void', amount_paid: 1 });
    await bench.control('PATCH', `/accounts/${ACCOUNT}`, { voidPartlyPaid: false });
  });
});

describe('A bank debit', () => {
  const debit = async (): Promise<{ invoice: string; intent: string }> => {
    const { id } = await bench.invoice(10_000);
    const { paymentIntent } = await bench.pay(id, { method: 'ach' });
    return { invoice: id, intent: paymentIntent.id };
  };
  const settle = (paymentIntentId: string, outcome: string): Promise<Body> =>
    bench.control('POST', '/settle-payment', { paymentIntentId, outcome });

  test('is in processing until it is settled', async () => {
    const { invoice, intent } = await debit();
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'open', amount_paid: 0 });
    expect(await paymentsOf(invoice)).toMatchObject([
      {
        status: 'open',
        amount_paid: null,
        payment: {
          payment_intent: {
            status: 'processing',
            latest_charge: { id: expect.stringMatching(/^py_/), status: 'pending', captured: false },
          },
        },
      },
    ]);
    expect(await refusal(bench.stripe.invoices.voidInvoice(invoice))).toMatchObject({ statusCode: 400 });
    await settle(intent, 'succeeded');
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'paid', amount_paid: 10_000 });
    expect(await bench.stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: 'succeeded' });
    await expect(settle(intent, 'failed')).rejects.toThrow('payment_intent_unexpected_state');
  });

  test('that fails leaves the invoice as open as before', async () => {
    const { invoice, intent } = await debit();
    await settle(intent, 'failed');
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'open', amount_remaining: 10_000 });
    const { status, last_payment_error, latest_charge } = await bench.stripe.paymentIntents.retrieve(intent);
    expect([status, last_payment_error?.code]).toEqual(['requires_payment_method', 'payment_method_provider_decline']);
    expect(await bench.stripe.charges.retrieve(`${latest_charge}`)).toMatchObject({ status: 'failed', paid: false });
    await bench.pay(invoice);
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'paid' });
    expect(await bench.stripe.invoices.voidInvoice((await bench.invoice()).id)).toMatchObject({ status: 'void' });
  });

  test('that is settled after the invoice was paid by card is overpaid', async () => {
    const { invoice, intent } = await debit();
    await bench.pay(invoice);
    await settle(intent, 'succeeded');
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({
      status: 'paid',
      amount_paid: 20_000,
      amount_overpaid: 10_000,
    });
  });
});

describe('Money from outside of the provider', () => {
  test('pays what is open, and is listed as a payment record', async () => {
    const { id } = await bench.invoice(10_000);
    await bench.pay(id, { amount: 2_500 });
    expect(await bench.stripe.invoices.pay(id, { paid_out_of_band: true })).toMatchObject({
      status: 'paid',
      amount_paid: 10_000,
      amount_paid_off_stripe: 7_500,
      amount_remaining: 0,
    });
    expect(await paymentsOf(id)).toMatchObject([
      { status: 'paid', amount_paid: 7_500, payment: { type: 'payment_record', payment_record: expect.any(String) } },
      { amount_paid: 2_500 },
      { is_default: true, status: 'canceled' },
    ]);
  });

  test('can be given back outside, which its payment record says', async () => {
    const { id } = await bench.invoice(10_000);
    await bench.stripe.invoices.pay(id, { paid_out_of_band: true });
    const listed = () =>
      bench.stripe.invoicePayments.list({ invoice: id, status: 'paid', expand: ['data.payment.payment_record'] });
    const [before] = (await listed()).data;
    expect(before?.payment.payment_record).toMatchObject({ amount_refunded: { value: 0, currency: 'usd' } });
    const { paymentRecords } = await bench.books();
    const paymentRecordId = paymentRecords.at(-1).id;
    await bench.control('POST', '/refund-payment-record', { paymentRecordId, amount: 4_000 });
    expect((await listed()).data[0]?.payment.payment_record).toMatchObject({ amount_refunded: { value: 4_000 } });
    await expect(bench.control('POST', '/refund-payment-record', { paymentRecordId, amount: 6_001 })).rejects.toThrow();
  });

  test('is not listed when the account says so', async () => {
    await bench.control('PATCH', `/accounts/${ACCOUNT}`, { outOfBandPayments: 'unlisted' });
    const { id } = await bench.invoice(10_000);
    await bench.control('POST', '/pay-out-of-band', { invoiceId: id });
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({
      status: 'paid',
      amount_paid: 10_000,
      amount_paid_off_stripe: 10_000,
    });
    expect(await paymentsOf(id)).toMatchObject([{ is_default: true, status: 'canceled' }]);
    await bench.control('PATCH', `/accounts/${ACCOUNT}`, { outOfBandPayments: 'listed' });
  });

  test('is said explicitly: there is no method to charge', async () => {
    const { id } = await bench.invoice();
    expect(await refusal(bench.stripe.invoices.pay(id))).toMatchObject({ statusCode: 400 });
  });
});
