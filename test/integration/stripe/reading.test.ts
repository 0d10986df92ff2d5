import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BillingGateway } from '../../../src/application/ports/billing.js';
import { succeeded } from '../../../src/application/ports/provider.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { syncStripeInvoice } from '../../../src/application/stripe/sync-invoice.js';
import { syncStripeInvoiceStatus } from '../../../src/application/stripe/sync-stripe-invoice-status.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits, ZERO } from '../../../src/domain/money.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { attention, balance, credit, money } from '../ledger/ledger-bench.js';
import { connectStripe, StripeBooks, type StripeOrder, stripeOrder, stripeProcess } from './stripe-books.js';

let bench: Workbench;
let books: StripeBooks;
let connectionId: string;
let order: StripeOrder;

beforeAll(async () => {
  bench = await startWorkbench();
  // 02:30 UTC is the evening before there.
  await bench.sql("update conference set timezone = 'America/Chicago'");
  connectionId = await connectStripe(bench, bench.conferenceId);
});

beforeEach(async () => {
  books = new StripeBooks();
  order = await stripeOrder(bench, books, connectionId);
});

afterAll(() => bench.stop());

async function sync(gateway: BillingGateway = books.gateway): Promise<void> {
  const { failures } = await syncStripeInvoiceStatus(stripeProcess(bench, gateway), { purchaseOrderId: order.id });
  expect(failures).toEqual([]);
}

const moneyOf = () => money(bench, order.id);
const balanceOf = () => balance(bench, order.id);
const attentionOf = () => attention(bench, order.id);

async function invoice() {
  const [row] = await bench.sql(
    'select status, balance_minor::int, refunded_minor::int, processing_minor::int, is_disputed from invoice where id = ?',
    [order.invoiceId],
  );
  return row;
}

describe('money', () => {
  test('W-S1: each payment is booked once, by its Stripe id, whenever and however often it is read', async () => {
    books.pay(order.externalId, 100_000n);
    await sync();
    await sync();
    expect(await balanceOf()).toBe('PARTIALLY_PAID paid 100000 credited 0 due 47500');
    books.pay(order.externalId, 47_500n);
    await Promise.all([sync(), sync(), sync()]);
    await sync();
    expect(await moneyOf()).toEqual(['inpay_1/1 100000 2026-03-02 pi_1', 'inpay_2/1 47500 2026-03-02 pi_2']);
    expect(await balanceOf()).toBe('PAID paid 147500 credited 0 due 0');
    expect(await invoice()).toMatchObject({ status: 'PAID', balance_minor: 0 });
    expect(await attentionOf()).toEqual([]);
  });

  test('W-S5: a wire and a payment through Stripe never count for each other', async () => {
    const wire = { purchaseOrderId: order.id, amount: '400.00', method: 'WIRE', paidOn: '2026-03-01' };
    expect((await recordPayment(bench.process(), wire)).failures).toEqual([]);
    books.pay(order.externalId, 60_000n);
    await sync();
    expect(await balanceOf()).toBe('PARTIALLY_PAID paid 100000 credited 0 due 47500');
    expect(await moneyOf()).toEqual(['MANUAL 40000 2026-03-01 ', 'inpay_1/1 60000 2026-03-02 pi_1']);
  });

  test('W-S15: the day is that of the conference, of the moment at which Stripe received the money', async () => {
    books.pay(order.externalId, 100n, { paidAt: new Date('2026-03-03T05:59:59Z') });
    books.pay(order.externalId, 200n, { paidAt: new Date('2026-03-03T06:00:00Z') });
    await sync();
    expect(await moneyOf()).toEqual(['inpay_1/1 100 2026-03-02 pi_1', 'inpay_2/1 200 2026-03-03 pi_2']);
  });

  test('keeps its day when the conference moves to another time zone, also what a refund leaves of it', async () => {
    const payment = books.pay(order.externalId, 147_500n, { paidAt: new Date('2026-03-03T02:30:00Z') });
    await sync();
    await bench.sql("update conference set timezone = 'Europe/Berlin'");
    try {
      await sync();
      expect(await moneyOf()).toEqual(['inpay_1/1 147500 2026-03-02 pi_1']);
      books.change(payment, { refunded: minorUnits(500n) });
      await sync();
      expect(await moneyOf()).toEqual(['~inpay_1/1 147500 2026-03-02 pi_1~', 'inpay_1/2 147000 2026-03-02 pi_1']);
    } finally {
      await bench.sql("update conference set timezone = 'America/Chicago'");
    }
  });

  test('what was paid outside Stripe is booked under the id of its link with the invoice', async () => {
    books.pay(order.externalId, 147_500n, { paymentIntentId: undefined });
    await sync();
    expect(await moneyOf()).toEqual(['inpay_1/1 147500 2026-03-02 inpay_1']);
  });

  test('W-S17: money on a cancelled order is booked and flagged', async () => {
    await bench.sql("update purchase_order set status = 'CANCELLED', cancelled_at = now() where id = ?", [order.id]);
    books.pay(order.externalId, 147_500n);
    expect(await syncStripeInvoice(stripeProcess(bench, books.gateway), order.invoiceId)).toBeUndefined();
    expect(await balanceOf()).toMatch(/^CANCELLED paid 147500 /);
    expect(await attentionOf()).toEqual(['REFUND_DUE 1475.00 USD was received for a cancelled purchase order.']);
  });

  test('more than was asked for is booked as it is, until it is given back', async () => {
    const payment = books.pay(order.externalId, 150_000n);
    await sync();
    expect(await balanceOf()).toBe('OVERPAID paid 150000 credited 0 due -2500');
    expect(await invoice()).toMatchObject({ status: 'PAID', balance_minor: -2500 });
    expect(await attentionOf()).toEqual([]);
    books.change(payment, { refunded: minorUnits(2500n) });
    await sync();
    expect(await balanceOf()).toBe('PAID paid 147500 credited 0 due 0');
    expect(await attentionOf()).toEqual([]);
  });

  test('an invoice in another currency books nothing, and says so', async () => {
    books.pay(order.externalId, 147_500n);
    books.edit(order.externalId, { currency: 'EUR' as CurrencyCode });
    await sync();
    expect(await moneyOf()).toEqual([]);
    expect(await attentionOf()).toEqual([expect.stringMatching(/^TOTAL_DIFFERS The invoice is over 1475.00 EUR/)]);
  });
});

describe('money that is given back', () => {
  test('W-S14: refunds take back a part, then all, and one that fails stands again; nothing else is asked for', async () => {
    const payment = books.pay(order.externalId, 147_500n);
    await sync();
    books.change(payment, { refunded: minorUnits(47_500n) });
    await sync();
    expect(await balanceOf()).toBe('PARTIALLY_PAID paid 100000 credited 0 due 47500');
    expect(await invoice()).toMatchObject({ status: 'PAID', balance_minor: 0, refunded_minor: 47_500 });
    expect(await attentionOf()).toEqual([]);
    books.change(payment, { refunded: minorUnits(147_500n) });
    await sync();
    expect(await balanceOf()).toBe('SENT paid 0 credited 0 due 147500');
    expect(await attentionOf()).toEqual([]);
    books.change(payment, { refunded: minorUnits(47_500n) });
    await sync();
    expect(await moneyOf()).toEqual([
      '~inpay_1/1 147500 2026-03-02 pi_1~',
      '~inpay_1/2 100000 2026-03-02 pi_1~',
      'inpay_1/3 100000 2026-03-02 pi_1',
    ]);
    expect(await attentionOf()).toEqual([]);
  });

  test('a payment that was given back before it was ever seen is not booked', async () => {
    books.pay(order.externalId, 147_500n, { refunded: minorUnits(147_500n) });
    await sync();
    expect(await moneyOf()).toEqual([]);
    expect(await attentionOf()).toEqual([]);
  });

  test('W-S14: a disputed payment stands, flagged, until the dispute is lost', async () => {
    const payment = books.pay(order.externalId, 147_500n, { isDisputed: true });
    await sync();
    expect(await balanceOf()).toMatch(/^PAID /);
    expect(await attentionOf()).toEqual(['PAYMENT_DISPUTED A payment is disputed: answer the bank in Stripe.']);
    books.change(payment, { isDisputed: false, refunded: minorUnits(147_500n) });
    await sync();
    expect(await balanceOf()).toMatch(/^SENT paid 0 /);
    expect(await attentionOf()).toEqual([]);
    books.change(payment, { refunded: ZERO });
    await sync();
    expect(await balanceOf()).toMatch(/^PAID /);
  });
});

test('W-S18: a bank debit shows as processing, and is booked when the money is there', async () => {
  const payment = books.pay(order.externalId, 147_500n, { status: 'PROCESSING', paidAt: undefined });
  await sync();
  expect(await moneyOf()).toEqual([]);
  expect(await attentionOf()).toEqual([
    'PAYMENT_PROCESSING 1475.00 USD is on its way through Stripe; banks take days.',
  ]);
  books.change(payment, { status: 'OPEN' });
  await sync();
  expect(await attentionOf()).toEqual([]);
  expect(await balanceOf()).toMatch(/^SENT paid 0 /);
  books.change(payment, { status: 'PAID', paidAt: new Date('2026-03-09T12:00:00Z') });
  await sync();
  expect(await moneyOf()).toEqual(['inpay_1/1 147500 2026-03-09 pi_1']);
  expect(await invoice()).toMatchObject({ processing_minor: 0 });
});

test.each([
  ['PAYMENT_PROCESSING', { status: 'PROCESSING', paidAt: undefined }],
  ['PAYMENT_DISPUTED', { isDisputed: true }],
] as const)('%s is since it was seen first, however often it is read', async (_code, fields) => {
  const times = () => bench.sql('select updated_at, last_synced_at from invoice where id = ?', [order.invoiceId]);
  books.pay(order.externalId, 147_500n, fields);
  await sync();
  const [first] = await times();
  bench.clock.advance(60_000);
  await sync();
  const [second] = await times();
  expect(second.updated_at).toBe(first.updated_at);
  expect(second.last_synced_at > first.last_synced_at).toBe(true);
});

describe('the invoice', () => {
  test('W-S14: credit notes lower what is due, until they are voided', async () => {
    const note = books.credit(order.externalId, 47_500n);
    books.pay(order.externalId, 100_000n);
    await sync();
    expect(await balanceOf()).toBe('PAID paid 100000 credited 47500 due 0');
    expect(await credit(bench, order.id)).toEqual([`${note}/1 47500`]);
    books.voidCredit(order.externalId, note);
    await sync();
    expect(await balanceOf()).toBe('PARTIALLY_PAID paid 100000 credited 0 due 47500');
    expect(await credit(bench, order.id)).toEqual([`~${note}/1 47500~`]);
    expect(await attentionOf()).toEqual([]);
  });

  test('W-S14: void asks for nothing, and keeps the money that reached it', async () => {
    books.pay(order.externalId, 100_000n);
    books.edit(order.externalId, { status: 'VOID' });
    await sync();
    expect(await invoice()).toMatchObject({ status: 'VOIDED', balance_minor: 0 });
    expect(await balanceOf()).toBe('PARTIALLY_PAID paid 100000 credited 0 due 47500');
    expect(await attentionOf()).toEqual([]);
  });

  test('W-S14: uncollectible can still be paid', async () => {
    books.edit(order.externalId, { status: 'UNCOLLECTIBLE' });
    await sync();
    expect(await invoice()).toMatchObject({ status: 'UNCOLLECTIBLE', balance_minor: 147_500 });
    const [said] = await bench.sql(
      "select after from audit_event where subject = ? and action = 'invoice.changed_at_provider'",
      [order.id],
    );
    expect(said.after).toEqual({ invoice: order.externalId, status: 'UNCOLLECTIBLE', total: '1475.00 USD' });
    books.pay(order.externalId, 147_500n);
    await sync();
    expect(await invoice()).toMatchObject({ status: 'PAID' });
    expect(await balanceOf()).toMatch(/^PAID /);
  });

  test('deleted is deleted here, and its bookings are taken back', async () => {
    books.pay(order.externalId, 100_000n);
    await sync();
    books.delete(order.externalId);
    await sync();
    expect(await invoice()).toMatchObject({ status: 'DELETED', balance_minor: 0 });
    expect(await balanceOf()).toMatch(/^SENT paid 0 /);
  });

  test('that ended and is there again stays ended beside its successor', async () => {
    books.edit(order.externalId, { status: 'VOID' });
    await sync();
    await bench.sql(
      `insert into invoice select (jsonb_populate_record(invoice, '{"id": "inv_next", "status": "OPEN", "external_id": "in_next"}')).*
       from invoice where id = ?`,
      [order.invoiceId],
    );
    books.edit(order.externalId, { status: 'OPEN' });
    expect(await syncStripeInvoice(stripeProcess(bench, books.gateway), order.invoiceId)).toBeUndefined();
    expect(await invoice()).toMatchObject({ status: 'VOIDED', balance_minor: 147_500 });
  });

  test('whose lines are not those of the order stays suspect, whatever its total', async () => {
    await bench.sql('update invoice set matches_purchase_order = false where id = ?', [order.invoiceId]);
    await sync();
    expect(await attentionOf()).toEqual([expect.stringMatching(/^TOTAL_DIFFERS /)]);
    books.edit(order.externalId, { status: 'VOID' });
    await sync();
    expect(await attentionOf()).toEqual([]);
  });

  test.each(['CREATING', 'UNKNOWN'])('that is still %s is left to whoever makes it', async (status) => {
    await bench.sql('update invoice set status = ? where id = ?', [status, order.invoiceId]);
    books.pay(order.externalId, 147_500n);
    expect(await syncStripeInvoice(stripeProcess(bench, books.gateway), order.invoiceId)).toBeUndefined();
    expect(books.calls).toEqual([]);
    expect(await invoice()).toMatchObject({ status });
    expect(await moneyOf()).toEqual([]);
  });

  test('that is a draft is nothing to book', async () => {
    books.edit(order.externalId, { status: 'DRAFT', number: undefined });
    await sync();
    expect(await invoice()).toMatchObject({ status: 'OPEN' });
  });
});

describe('readings', () => {
  test('are made of several answers: when these do not agree it is read again, once', async () => {
    const early = books.reading(order.externalId);
    books.pay(order.externalId, 147_500n);
    const late = books.reading(order.externalId);
    const mixed = { ...late, payments: early.payments };
    const answers = [mixed, late];
    const torn = { ...books.gateway, readInvoice: async () => succeeded(answers.shift() ?? late) };
    await sync(torn);
    expect(answers).toEqual([]);
    expect(await balanceOf()).toMatch(/^PAID /);
    expect(await attentionOf()).toEqual([]);
  });

  test('what stays unexplained is shown, and not looked into every time', async () => {
    books.edit(order.externalId, { balance: minorUnits(140_000n) });
    await sync();
    expect(books.calls).toHaveLength(2);
    await sync();
    expect(books.calls).toHaveLength(3);
    expect(await attentionOf()).toEqual([
      'BALANCE_DIFFERS Stripe says that 75.00 USD of the invoice is settled; 0.00 USD is booked here.',
    ]);
  });

  test('W-S16: one that was overtaken undoes nothing', async () => {
    const payment = books.pay(order.externalId, 147_500n);
    const old = books.reading(order.externalId);
    let isFirst = true;
    const slow: Partial<BillingGateway> = {
      readInvoice: async (connection, externalId) => {
        if (!isFirst) return books.gateway.readInvoice(connection, externalId);
        isFirst = false;
        books.change(payment, { refunded: minorUnits(147_500n) });
        await sync();
        return succeeded(old);
      },
    };
    await sync(slow as BillingGateway);
    expect(await balanceOf()).toMatch(/^SENT paid 0 /);
    expect(await moneyOf()).toEqual([]);
  });

  test('that fail change nothing', async () => {
    books.pay(order.externalId, 147_500n);
    books.fail({ kind: 'unavailable', message: 'No answer.', trace: {} });
    const { failures } = await syncStripeInvoiceStatus(stripeProcess(bench, books.gateway), {
      purchaseOrderId: order.id,
    });
    expect(failures.map(({ code }) => code)).toEqual(['STRIPE_UNAVAILABLE']);
    expect(await moneyOf()).toEqual([]);
  });

  test('of another account do not count as deletions', async () => {
    await bench.sql("update stripe_connection set account_id = 'acct_other' where id = ?", [connectionId]);
    try {
      const { failures } = await syncStripeInvoiceStatus(stripeProcess(bench, new StripeBooks().gateway), {
        purchaseOrderId: order.id,
      });
      expect(failures).toEqual([expect.objectContaining({ code: 'STRIPE_REJECTED' })]);
      expect(await invoice()).toMatchObject({ status: 'OPEN' });
    } finally {
      await bench.sql("update stripe_connection set account_id = 'acct_1Bench' where id = ?", [connectionId]);
    }
  });
});

describe('syncStripeInvoiceStatus', () => {
  const codesFor = async (purchaseOrderId: string) => {
    const { failures } = await syncStripeInvoiceStatus(stripeProcess(bench, books.gateway), { purchaseOrderId });
    return failures.map(({ code }) => code);
  };

  test('says what it does not find', async () => {
    expect(await codesFor('po_missing')).toEqual(['NOT_FOUND']);
    expect(await codesFor(await bench.order())).toEqual(['NO_STRIPE_INVOICE']);
    expect(await codesFor((await bench.invoicedOrder()).id)).toEqual(['NO_STRIPE_INVOICE']);
    await bench.sql("update invoice set status = 'CREATING' where id = ?", [order.invoiceId]);
    expect(await codesFor(order.id)).toEqual(['IN_PROGRESS']);
    await bench.sql("update invoice set status = 'UNKNOWN' where id = ?", [order.invoiceId]);
    expect(await codesFor(order.id)).toEqual(['OUTCOME_UNKNOWN']);
    expect(books.calls).toEqual([]);
  });
});

test('a reading that finds nothing new takes these statements', async () => {
  await sync();
  const context = stripeProcess(bench, books.gateway);
  const statements = await bench.statementsOf(() => syncStripeInvoice(context, order.invoiceId));
  const named = statements.map((text) =>
    /^(\w+)(?:.*? from| (?=")| (?=nextval)|$)(?: "(\w+)"|"(\w+)"|(nextval))?/.exec(text)?.slice(1),
  );
  expect(named.map((parts) => parts?.filter(Boolean).join(' '))).toEqual([
    // With its connection and conference, by joins.
    'select invoice',
    'select nextval',
    'begin',
    'select purchase_order',
    'select invoice',
    'select payment',
    'select payment_reversal',
    'select credit_note',
    'select credit_note_reversal',
    'update invoice',
    'commit',
  ]);
});
