import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bench, type Body, refusal } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.stop());

interface Paid {
  readonly invoice: string;
  readonly intent: string;
  readonly charge: string;
}

const paid = async (): Promise<Paid> => {
  const { id } = await bench.invoice(10_000);
  const { paymentIntent } = await bench.pay(id);
  return { invoice: id, intent: paymentIntent.id, charge: paymentIntent.latest_charge };
};
const post = (path: string, body: object): Promise<Body> => bench.control('POST', path, body);
/** The types of the events since then, oldest first. */
const toldSince = async (mark: number): Promise<string[]> => (await bench.eventTypes()).slice(mark);
const mark = async (): Promise<number> => (await bench.eventTypes()).length;

describe('A refund', () => {
  test('gives a part of a payment back and leaves the invoice paid', async () => {
    const { invoice, intent, charge } = await paid();
    const refund = await bench.stripe.refunds.create({ payment_intent: intent, amount: 4_000, metadata: { why: 'x' } });
    expect(refund).toMatchObject({
      id: expect.stringMatching(/^re_/),
      object: 'refund',
      amount: 4_000,
      charge,
      payment_intent: intent,
      status: 'succeeded',
      metadata: { why: 'x' },
    });
    expect(await bench.stripe.charges.retrieve(charge, { expand: ['refunds'] })).toMatchObject({
      amount: 10_000,
      amount_refunded: 4_000,
      refunded: false,
      refunds: { data: [{ id: refund.id }] },
    });
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({
      status: 'paid',
      amount_paid: 10_000,
      amount_remaining: 0,
    });
    await post('/refund', { paymentIntentId: intent });
    expect(await bench.stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 10_000, refunded: true });
    expect((await bench.stripe.refunds.list({ charge })).data.map(({ amount }) => amount)).toEqual([6_000, 4_000]);
    expect(await refusal(bench.stripe.refunds.create({ charge }))).toMatchObject({ code: 'charge_already_refunded' });
  });

  test('is no more than what is left, and needs a payment', async () => {
    const { intent } = await paid();
    expect(await refusal(bench.stripe.refunds.create({ payment_intent: intent, amount: 10_001 }))).toMatchObject({
      statusCode: 400,
      param: 'amount',
    });
    expect(await refusal(bench.stripe.refunds.create({}))).toMatchObject({ code: 'parameter_missing' });
    const { id } = await bench.invoice();
    const { paymentIntent } = await bench.pay(id, { method: 'ach' });
    expect(await refusal(bench.stripe.refunds.create({ payment_intent: paymentIntent.id }))).toMatchObject({
      statusCode: 400,
    });
  });

  test('may fail, and the money is back', async () => {
    const { intent, charge } = await paid();
    const before = await mark();
    const { refund } = await post('/refund', { paymentIntentId: intent, amount: 1_000 });
    await post('/fail-refund', { refundId: refund.id });
    expect(await bench.stripe.refunds.retrieve(refund.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'lost_or_stolen_card',
    });
    expect(await bench.stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 0, refunded: false });
    expect(await toldSince(before)).toEqual([
      'refund.created',
      'charge.refunded',
      'charge.refund.updated',
      'refund.updated',
      'refund.failed',
      'charge.refund.updated',
    ]);
  });
});

describe('A dispute', () => {
  test.each([
    ['won', ['charge.dispute.funds_reinstated', 'charge.dispute.closed']],
    ['lost', ['charge.dispute.closed']],
  ] as const)('withdraws the money until it is %s', async (outcome, told) => {
    const { invoice, intent, charge } = await paid();
    const before = await mark();
    const { dispute } = await post('/dispute', { paymentIntentId: intent, amount: 2_500 });
    expect(await bench.stripe.charges.retrieve(charge)).toMatchObject({ disputed: true, amount_refunded: 0 });
    expect((await bench.stripe.disputes.list({ payment_intent: intent })).data).toMatchObject([
      { id: dispute.id, object: 'dispute', amount: 2_500, charge, payment_intent: intent, status: 'needs_response' },
    ]);
    expect(await refusal(bench.stripe.refunds.create({ charge }))).toMatchObject({ code: 'charge_disputed' });
    await post('/close-dispute', { disputeId: dispute.id, outcome });
    expect(await bench.stripe.disputes.retrieve(dispute.id)).toMatchObject({ status: outcome });
    expect(await bench.stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'paid', amount_paid: 10_000 });
    expect(await toldSince(before)).toEqual(['charge.dispute.created', 'charge.dispute.funds_withdrawn', ...told]);
    const isRefunded = await bench.stripe.refunds.create({ charge }).then(
      () => true,
      () => false,
    );
    expect(isRefunded).toBe(outcome === 'won');
    const [event] = (await bench.stripe.events.list({ type: 'charge.dispute.closed', limit: 1 })).data;
    expect(event?.data.object).toMatchObject({ object: 'dispute', id: dispute.id, charge, payment_intent: intent });
  });
});

describe('A credit note', () => {
  test('on an open invoice lowers what it asks for, until it is void', async () => {
    const { id, number } = await bench.invoice(10_000);
    const note = await bench.stripe.creditNotes.create({
      invoice: id,
      amount: 3_000,
      reason: 'order_change',
      memo: 'm',
    });
    expect(note).toMatchObject({
      id: expect.stringMatching(/^cn_/),
      object: 'credit_note',
      invoice: id,
      number: `${number}-CN-01`,
      amount: 3_000,
      pre_payment_amount: 3_000,
      post_payment_amount: 0,
      status: 'issued',
      type: 'pre_payment',
      memo: 'm',
    });
    const open = async () => {
      const { total, amount_due, amount_remaining, pre_payment_credit_notes_amount } =
        await bench.stripe.invoices.retrieve(id);
      return [total, amount_due, amount_remaining, pre_payment_credit_notes_amount];
    };
    expect(await open()).toEqual([10_000, 7_000, 7_000, 3_000]);
    expect((await bench.stripe.invoicePayments.list({ invoice: id })).data).toMatchObject([
      { amount_requested: 7_000 },
    ]);
    const before = await mark();
    await bench.stripe.creditNotes.voidCreditNote(note.id);
    expect(await open()).toEqual([10_000, 10_000, 10_000, 0]);
    expect((await bench.stripe.creditNotes.list({ invoice: id })).data).toMatchObject([{ status: 'void' }]);
    expect(await toldSince(before)).toEqual(['invoice.updated', 'credit_note.voided']);
    expect(await refusal(bench.stripe.creditNotes.voidCreditNote(note.id))).toMatchObject({ statusCode: 400 });
  });

  test('for all of it makes the invoice paid, although nothing was received', async () => {
    const { id } = await bench.invoice(10_000);
    const { creditNote } = await post('/credit-note', { invoiceId: id, amount: 10_000 });
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({ status: 'paid', amount_due: 0, amount_paid: 0 });
    expect((await bench.stripe.invoicePayments.list({ invoice: id })).data).toMatchObject([{ status: 'canceled' }]);
    expect(await refusal(bench.stripe.creditNotes.voidCreditNote(creditNote.id))).toMatchObject({ statusCode: 400 });
  });

  test('on a paid invoice says where the money goes', async () => {
    const { invoice, charge, intent } = await paid();
    expect(await refusal(bench.stripe.creditNotes.create({ invoice, amount: 1_000 }))).toMatchObject({
      statusCode: 400,
    });
    const before = await mark();
    const note = await bench.stripe.creditNotes.create({
      invoice,
      amount: 5_000,
      refund_amount: 3_000,
      credit_amount: 1_500,
      out_of_band_amount: 500,
    });
    expect(note).toMatchObject({
      pre_payment_amount: 0,
      post_payment_amount: 5_000,
      out_of_band_amount: 500,
      type: 'post_payment',
      refunds: [{ refund: expect.stringMatching(/^re_/), amount_refunded: 3_000 }],
      customer_balance_transaction: expect.stringMatching(/^cbtxn_/),
    });
    expect(await toldSince(before)).toEqual([
      'refund.created',
      'charge.refunded',
      'charge.refund.updated',
      'invoice.updated',
      'credit_note.created',
    ]);
    expect((await bench.stripe.refunds.list({ payment_intent: intent })).data).toMatchObject([
      { amount: 3_000, charge },
    ]);
    const { customer, ...amounts } = await bench.stripe.invoices.retrieve(invoice);
    expect(amounts).toMatchObject({ status: 'paid', amount_paid: 10_000, post_payment_credit_notes_amount: 5_000 });
    expect(await bench.stripe.customers.retrieve(`${customer}`)).toMatchObject({ balance: -1_500 });
    expect(
      await refusal(bench.stripe.creditNotes.create({ invoice, amount: 5_001, credit_amount: 5_001 })),
    ).toMatchObject({
      param: 'amount',
    });
  });

  test('on an invoice that is paid in part takes off what is open first', async () => {
    const { id } = await bench.invoice(10_000);
    await bench.pay(id, { amount: 4_000 });
    const { creditNote } = await post('/credit-note', { invoiceId: id, amount: 7_000 });
    expect(creditNote).toMatchObject({ type: 'mixed', pre_payment_amount: 6_000, post_payment_amount: 1_000 });
    expect(await bench.stripe.invoices.retrieve(id)).toMatchObject({
      status: 'paid',
      amount_due: 4_000,
      amount_paid: 4_000,
    });
  });

  test('cannot be had for a draft, nor over an amount that the currency does not have', async () => {
    const draft = await bench.draft();
    expect(await refusal(bench.stripe.creditNotes.create({ invoice: draft.id, amount: 1 }))).toMatchObject({
      param: 'invoice',
    });
    const { id } = await bench.invoice(5_000, { currency: 'kwd' });
    expect(await refusal(bench.stripe.creditNotes.create({ invoice: id, amount: 5 }))).toMatchObject({
      param: 'amount',
    });
  });

  test('can be annotated', async () => {
    const { id } = await bench.invoice();
    const { creditNote } = await post('/credit-note', { invoiceId: id, amount: 1 });
    expect(await bench.stripe.creditNotes.update(creditNote.id, { memo: 'why' })).toMatchObject({ memo: 'why' });
    expect((await bench.eventTypes()).at(-1)).toBe('credit_note.updated');
  });
});

describe('The books', () => {
  test('show an auditor everything, drafts, deleted ids and e-mails included', async () => {
    const audited = await Bench.start();
    try {
      const draft = await audited.draft();
      await audited.stripe.invoices.del(draft.id);
      const { id } = await audited.invoice(10_000);
      await audited.stripe.invoices.sendInvoice(id);
      const { paymentIntent } = await audited.pay(id);
      await audited.control('POST', '/refund', { paymentIntentId: paymentIntent.id, amount: 1 });
      await audited.control('POST', '/credit-note', { invoiceId: id, amount: 2, paidPart: 'credit' });
      await audited.control('POST', '/dispute', { paymentIntentId: paymentIntent.id });
      expect(await audited.books()).toMatchObject({
        customers: [{ object: 'customer' }, { object: 'customer' }],
        invoices: [{ id, status: 'paid', lines: [{ object: 'line_item', amount: 10_000 }] }],
        invoicePayments: [{ amount_paid: 10_000 }],
        paymentIntents: [{ id: paymentIntent.id, status: 'succeeded' }],
        charges: [{ amount_refunded: 1, disputed: true }],
        refunds: [{ amount: 1 }],
        disputes: [{ amount: 9_999 }],
        creditNotes: [{ amount: 2 }],
        deleted: [{ id: draft.id, type: 'invoice' }],
        emails: [{ invoice: id, email: 'billing@organiser.example', time: expect.any(String) }],
        created: { customers: 2, invoices: 2, invoiceItems: 1, invoicePayments: 1, paymentIntents: 1, charges: 1 },
      });
    } finally {
      await audited.stop();
    }
  });
});
