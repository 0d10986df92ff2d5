import { describe, expect, test } from '@jest/globals';
import { type Answer, gatewayWith, invoiceDocument, list, ok } from './stand-in-gateway.js';

const PAID_AT = 1_793_620_000;

function charge(changes: Record<string, unknown> = {}) {
  return { id: 'ch_1', object: 'charge', amount: 25_000, amount_refunded: 0, disputed: false, ...changes };
}

function payment(changes: Record<string, unknown> = {}, intent: Record<string, unknown> = {}) {
  return {
    id: 'inpay_1',
    object: 'invoice_payment',
    invoice: 'in_1',
    status: 'paid',
    currency: 'usd',
    amount_paid: 25_000,
    amount_requested: 25_000,
    created: PAID_AT - 60,
    status_transitions: { paid_at: PAID_AT, canceled_at: null },
    payment: {
      type: 'payment_intent',
      payment_intent: { id: 'pi_1', status: 'succeeded', amount_received: 25_000, latest_charge: charge(), ...intent },
    },
    ...changes,
  };
}

/** What came in outside of Stripe, and was given back there. */
function recorded(value = 0, currency = 'usd') {
  return { type: 'payment_record', payment_record: { id: 'pr_1', amount_refunded: { value, currency } } };
}

const dispute = (status: string, changes: Record<string, unknown> = {}) => ({
  id: `dp_${status}`,
  amount: 10_000,
  currency: 'usd',
  status,
  ...changes,
});

interface Account {
  readonly payments?: unknown[];
  /** Of the payment intent. */
  readonly links?: unknown[];
  readonly disputes?: unknown[];
  readonly creditNotes?: unknown[];
  readonly invoice?: Record<string, unknown>;
}

function answering({
  payments = [],
  links = [],
  disputes = [],
  creditNotes = [],
  invoice: changes = {},
}: Account): Answer {
  return (request, response) => {
    const path = request.url.split('?')[0] ?? '';
    const lists: Record<string, unknown[]> = {
      '/v1/invoice_payments': request.url.includes('payment[payment_intent]=pi_1') ? links : payments,
      '/v1/disputes': disputes,
      '/v1/credit_notes': creditNotes,
    };
    const rows = lists[path];
    const invoice = invoiceDocument({ pre_payment_credit_notes_amount: creditNotes.length > 0 ? 1 : 0, ...changes });
    return ok(rows ? list(...rows) : invoice)(request, response);
  };
}

async function read(account: Account) {
  const { gateway, requests } = await gatewayWith(answering(account));
  const result = await gateway.readInvoice('con_1', 'in_1');
  return { result, requests, payments: result.ok ? result.value.payments : undefined };
}

const disputed = payment({}, { latest_charge: charge({ disputed: true }) });

describe('a payment', () => {
  test('that stands, after two requests', async () => {
    const { payments, requests } = await read({ payments: [payment()] });
    expect(payments).toEqual([
      {
        externalId: 'inpay_1',
        paymentIntentId: 'pi_1',
        status: 'PAID',
        amount: 25_000n,
        refunded: 0n,
        isDisputed: false,
        paidAt: new Date(PAID_AT * 1000),
      },
    ]);
    expect(requests.map(({ url }) => url)).toEqual([
      '/v1/invoices/in_1',
      '/v1/invoice_payments?invoice=in_1&expand[0]=data.payment.payment_intent.latest_charge' +
        '&expand[1]=data.payment.payment_record&limit=100',
    ]);
  });

  test.each([
    ['open', 'processing', 'PROCESSING'],
    ['open', 'requires_payment_method', 'OPEN'],
    ['canceled', 'canceled', 'CANCELLED'],
  ])('%s, its intent %s, is %s and nothing of it has come', async (status, intentStatus, ours) => {
    const open = payment({ status, amount_paid: null }, { status: intentStatus, latest_charge: null });
    const { payments } = await read({ payments: [open] });
    expect(payments).toMatchObject([{ status: ours, amount: 25_000n, refunded: 0n, paidAt: undefined }]);
  });

  test.each([
    [10_000, 10_000n],
    [25_000, 25_000n],
    [40_000, 25_000n],
  ])('of which %i were refunded', async (amount_refunded, refunded) => {
    const { payments } = await read({ payments: [payment({}, { latest_charge: charge({ amount_refunded }) })] });
    expect(payments).toMatchObject([{ status: 'PAID', amount: 25_000n, refunded }]);
  });

  test.each([
    [10_000, 'usd', 10_000n],
    [40_000, 'usd', 25_000n],
    [1, 'eur', 25_000n],
  ])('that came in outside of Stripe, and of which %i %s were given back there', async (value, currency, refunded) => {
    const { payments } = await read({ payments: [payment({ payment: recorded(value, currency) })] });
    expect(payments).toMatchObject([{ status: 'PAID', amount: 25_000n, refunded }]);
  });

  test.each([
    [4_000, 'older', 4_000n],
    [4_000, 'newer', 0n],
    [12_000, 'older', 10_000n],
    [12_000, 'newer', 2_000n],
    [25_000, 'older', 10_000n],
    [25_000, 'newer', 15_000n],
  ])('for two invoices, of which %i were refunded: its %s link loses %d', async (given, link, refunded) => {
    const intent = { latest_charge: charge({ amount_refunded: given }) };
    const first = payment({ id: 'inpay_1', amount_paid: 10_000 }, intent);
    const second = payment({ id: 'inpay_2', invoice: 'in_2', amount_paid: 15_000 }, intent);
    const cancelled = payment({ id: 'inpay_0', invoice: 'in_3', status: 'canceled', amount_paid: 5_000 }, intent);
    const links = [second, first, cancelled];
    const { payments } = await read({ payments: [link === 'older' ? first : second], links });
    expect(payments).toMatchObject([{ refunded }]);
  });

  test('for two invoices, of which nothing was given back, costs no further request', async () => {
    const { requests } = await read({ payments: [payment({ amount_paid: 10_000 })] });
    expect(requests).toHaveLength(2);
  });

  test('in parts: the oldest first', async () => {
    const parts = [payment({ id: 'inpay_2', amount_paid: 15_000 }), payment({ amount_paid: 10_000 })];
    const { payments } = await read({ payments: parts });
    expect(payments).toMatchObject([
      { externalId: 'inpay_1', amount: 10_000n },
      { externalId: 'inpay_2', amount: 15_000n },
    ]);
  });

  test('that came in outside of Stripe', async () => {
    const outside = payment({ payment: recorded(), status_transitions: null });
    const { payments } = await read({ payments: [outside], invoice: { amount_paid_off_stripe: 25_000 } });
    expect(payments).toMatchObject([
      { externalId: 'inpay_1', paymentIntentId: undefined, amount: 25_000n, paidAt: new Date((PAID_AT - 60) * 1000) },
    ]);
  });

  test('that came in outside of Stripe, which only the invoice tells', async () => {
    const invoice = { amount_paid_off_stripe: 15_000, status_transitions: { paid_at: PAID_AT } };
    const { payments } = await read({ payments: [payment({ amount_paid: 10_000 })], invoice });
    expect(payments?.slice(1)).toEqual([
      {
        externalId: 'in_1:outside',
        paymentIntentId: undefined,
        status: 'PAID',
        amount: 15_000n,
        refunded: 0n,
        isDisputed: false,
        paidAt: new Date(PAID_AT * 1000),
      },
    ]);
  });

  test.each([
    ['in a currency that nobody knows', { currency: 'abc' }],
    ['with half a króna', { currency: 'isk', amount_paid: 550 }],
    ['with a status that nobody knows', { status: 'odd' }],
  ])('%s makes the invoice unreadable', async (_what, changes) => {
    const { result } = await read({ payments: [payment(changes)] });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
  });
});

describe('a disputed payment', () => {
  test.each([
    ['needs_response', 0n, true],
    ['under_review', 0n, true],
    ['warning_needs_response', 0n, true],
    ['appeal_under_review', 10_000n, true],
    ['something_new', 0n, true],
    ['lost', 10_000n, false],
    ['won', 0n, false],
    ['warning_closed', 0n, false],
    ['prevented', 0n, false],
  ])('that is %s: %d are gone, open: %s', async (status, refunded, isDisputed) => {
    const { payments, requests } = await read({ payments: [disputed], disputes: [dispute(status)] });
    expect(payments).toMatchObject([{ amount: 25_000n, refunded, isDisputed }]);
    expect(requests.at(-1)?.url).toBe('/v1/disputes?charge=ch_1&limit=100');
  });

  test.each([
    ['block', 0n],
    ['resolution', 10_000n],
  ])('that was prevented by a %s: %d are gone', async (case_type, refunded) => {
    const prevented = dispute('prevented', { payment_method_details: { type: 'card', card: { case_type } } });
    const { payments } = await read({ payments: [disputed], disputes: [prevented] });
    expect(payments).toMatchObject([{ amount: 25_000n, refunded, isDisputed: false }]);
  });

  test('never loses more than it brought', async () => {
    const refundedToo = payment({}, { latest_charge: charge({ disputed: true, amount_refunded: 20_000 }) });
    const { payments } = await read({ payments: [refundedToo], disputes: [dispute('lost')] });
    expect(payments).toMatchObject([{ refunded: 25_000n }]);
  });

  test('lost in another currency is lost altogether', async () => {
    const lost = dispute('lost', { currency: 'eur', amount: 1 });
    const { payments } = await read({ payments: [disputed], disputes: [lost] });
    expect(payments).toMatchObject([{ refunded: 25_000n }]);
  });
});

describe('credit notes', () => {
  const note = (changes: Record<string, unknown> = {}) => ({
    id: 'cn_1',
    currency: 'usd',
    status: 'issued',
    pre_payment_amount: 3000,
    post_payment_amount: 0,
    ...changes,
  });

  test('count as far as they lowered what the invoice asks for', async () => {
    const { result } = await read({
      creditNotes: [note(), note({ id: 'cn_2', pre_payment_amount: 0, post_payment_amount: 500 })],
    });
    expect(result).toMatchObject({ value: { credits: [{ externalId: 'cn_1', amount: 3000n }] } });
  });

  test('say what was given back outside of Stripe, which is taken off what came in there first', async () => {
    const creditNotes = [
      note({ pre_payment_amount: 0, out_of_band_amount: 12_000 }),
      note({ id: 'cn_2', pre_payment_amount: 0, out_of_band_amount: 1_000 }),
      note({ id: 'cn_3', status: 'void', out_of_band_amount: 700 }),
    ];
    const refunded = charge({ amount_refunded: 500 });
    const payments = [
      payment({ id: 'inpay_3', status: 'open', amount_paid: null }),
      payment({ id: 'inpay_2', amount_paid: 10_000, payment: recorded(1_000) }),
      payment({ id: 'inpay_1', amount_paid: 15_000 }, { amount_received: 15_000, latest_charge: refunded }),
    ];
    const invoice = { pre_payment_credit_notes_amount: 0, post_payment_credit_notes_amount: 13_000 };
    const { result } = await read({ payments, creditNotes, invoice });
    expect(result).toMatchObject({
      value: {
        credits: [],
        payments: [
          { externalId: 'inpay_1', refunded: 4_500n },
          { externalId: 'inpay_2', refunded: 10_000n },
          { externalId: 'inpay_3', refunded: 0n },
        ],
      },
    });
  });

  test('that are void count nothing', async () => {
    const { result } = await read({ creditNotes: [note({ status: 'void' })] });
    expect(result).toMatchObject({ value: { credits: [] } });
  });
});

describe('the invoices that a payment pays', () => {
  test('each once', async () => {
    const { gateway, requests } = await gatewayWith(
      ok(list(payment(), payment({ id: 'inpay_2', invoice: { id: 'in_2' } }), payment({ id: 'inpay_3' }))),
    );
    expect(await gateway.findPaidInvoices('con_1', 'pi_1')).toMatchObject({ value: ['in_1', 'in_2'] });
    expect(requests[0]?.url).toBe(
      '/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_1&limit=100',
    );
  });

  test('none of a charge that has no payment intent, without asking', async () => {
    const { gateway, requests } = await gatewayWith(ok(list()));
    expect(await gateway.findPaidInvoices('con_1', 'ch_1')).toEqual({ ok: true, value: [], trace: {} });
    expect(requests).toEqual([]);
  });
});
