import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { Bench, refusal } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.stop());

describe('A draft', () => {
  test('is an invoice without a number that asks for nothing yet', async () => {
    const customer = await bench.customer();
    const invoice = await bench.stripe.invoices.create({
      customer: customer.id,
      collection_method: 'send_invoice',
      days_until_due: 30,
      currency: 'eur',
      auto_advance: false,
      pending_invoice_items_behavior: 'exclude',
      metadata: { operation: 'op-1' },
      custom_fields: [{ name: 'Purchase order', value: 'PO-7K2M9Q' }],
      description: 'For the conference',
      footer: 'Thank you',
    });
    expect(invoice).toMatchObject({
      id: expect.stringMatching(/^in_\w{24}$/),
      object: 'invoice',
      status: 'draft',
      number: null,
      hosted_invoice_url: null,
      currency: 'eur',
      customer: customer.id,
      customer_name: 'Organiser GmbH',
      customer_email: 'billing@organiser.example',
      collection_method: 'send_invoice',
      auto_advance: false,
      due_date: invoice.created + 30 * 24 * 3600,
      custom_fields: [{ name: 'Purchase order', value: 'PO-7K2M9Q' }],
      description: 'For the conference',
      footer: 'Thank you',
      metadata: { operation: 'op-1' },
      total: 0,
      amount_due: 0,
      lines: { object: 'list', data: [], has_more: false, url: `/v1/invoices/${invoice.id}/lines` },
    });
    expect(await bench.stripe.invoices.retrieve(invoice.id)).toEqual(invoice);
  });

  test('has the lines that were added to it, in that order', async () => {
    const draft = await bench.draft();
    const item = await bench.stripe.invoiceItems.create({
      customer: `${draft.customer}`,
      invoice: draft.id,
      currency: 'usd',
      description: 'Ticket',
      quantity: 3,
      unit_amount_decimal: Stripe.Decimal.from('1999'),
      metadata: { line: 'a' },
    });
    expect(item).toMatchObject({
      id: expect.stringMatching(/^ii_/),
      object: 'invoiceitem',
      amount: 5997,
      quantity: 3,
      invoice: draft.id,
      pricing: { type: 'price_details' },
    });
    expect(`${item.pricing?.unit_amount_decimal}`).toBe('1999');
    await bench.stripe.invoiceItems.create({
      customer: `${draft.customer}`,
      invoice: draft.id,
      currency: 'usd',
      amount: -97,
    });
    const { lines, total, subtotal, amount_due } = await bench.stripe.invoices.retrieve(draft.id);
    expect([total, subtotal, amount_due]).toEqual([5900, 5900, 5900]);
    expect(lines.data).toMatchObject([
      {
        id: expect.stringMatching(/^il_/),
        object: 'line_item',
        amount: 5997,
        quantity: 3,
        description: 'Ticket',
        metadata: { line: 'a' },
        parent: { type: 'invoice_item_details', invoice_item_details: { invoice_item: item.id } },
      },
      { amount: -97, quantity: 1, description: null },
    ]);
    expect((await bench.stripe.invoiceItems.list({ invoice: draft.id })).data).toHaveLength(2);
    await bench.stripe.invoiceItems.del(item.id);
    expect((await bench.stripe.invoices.retrieve(draft.id)).total).toBe(-97);
  });

  test('shows ten lines, and all of them one page after another', async () => {
    const draft = await bench.draft();
    for (let line = 1; line <= 12; line += 1) await bench.item(draft, line);
    const { lines, total } = await bench.stripe.invoices.retrieve(draft.id);
    expect([lines.data.length, lines.has_more, total]).toEqual([10, true, 78]);
    const all = await bench.stripe.invoices.listLineItems(draft.id, { limit: 5 }).autoPagingToArray({ limit: 100 });
    expect(all.map(({ amount }) => amount)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('can be changed, and deleted for good', async () => {
    const draft = await bench.draft();
    const item = await bench.item(draft, 100);
    expect(await bench.stripe.invoices.update(draft.id, { description: 'new' })).toMatchObject({ description: 'new' });
    expect(await bench.stripe.invoices.del(draft.id)).toMatchObject({ id: draft.id, object: 'invoice', deleted: true });
    for (const gone of [bench.stripe.invoices.retrieve(draft.id), bench.stripe.invoices.del(draft.id)]) {
      expect(await refusal(gone)).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    }
    expect(await refusal(bench.stripe.invoices.finalizeInvoice(draft.id))).toMatchObject({ statusCode: 404 });
    expect(await refusal(bench.stripe.invoiceItems.retrieve(item.id))).toMatchObject({ statusCode: 404 });
    expect((await bench.books()).deleted).toContainEqual({ id: draft.id, type: 'invoice' });
  });

  test('takes pending items of its customer and currency when it is asked to', async () => {
    const customer = (await bench.customer()).id;
    for (const [amount, currency] of [
      [1, 'usd'],
      [2, 'usd'],
      [3, 'eur'],
    ] as const) {
      await bench.stripe.invoiceItems.create({ customer, currency, amount });
    }
    expect((await bench.draft({ customer })).total).toBe(0);
    const draft = await bench.draft({ customer, pending_invoice_items_behavior: 'include' });
    expect(draft.lines.data.map(({ amount }) => amount)).toEqual([2, 1]);
    expect((await bench.stripe.invoiceItems.list({ customer, pending: true })).data).toMatchObject([{ amount: 3 }]);
  });

  test.each([
    ['without a due date', { days_until_due: undefined }, 'due_date'],
    ['with two due dates', { due_date: 4_000_000_000 }, 'due_date'],
    ['due in the past', { days_until_due: undefined, due_date: 1 }, 'due_date'],
    ['with a fifth custom field', { custom_fields: Array(5).fill({ name: 'n', value: 'v' }) }, 'custom_fields'],
    ['with a long name', { custom_fields: [{ name: 'n'.repeat(41), value: 'v' }] }, 'custom_fields[0][name]'],
    ['with a long value', { custom_fields: [{ name: 'n', value: 'v'.repeat(141) }] }, 'custom_fields[0][value]'],
    ['in an unknown currency', { currency: 'abc' }, 'currency'],
    ['with unknown parameters', { subscription: 'sub_1' }, 'subscription'],
  ])('is refused %s', async (_name, params, param) => {
    const before = (await bench.books()).invoices.length;
    expect(await refusal(bench.draft(params as Partial<Stripe.InvoiceCreateParams>))).toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      param,
    });
    expect((await bench.books()).invoices).toHaveLength(before);
  });

  test('is refused for a customer without an e-mail address', async () => {
    const { id } = await bench.stripe.customers.create({ name: 'No address' });
    expect(await refusal(bench.draft({ customer: id }))).toMatchObject({ code: 'customer_missing_email' });
  });
});

describe('Finalisation', () => {
  test('gives the invoice its number, its page, its due date and a payment that asks for all of it', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(12_345, { customer: customer.id });
    expect(invoice).toMatchObject({
      status: 'open',
      number: `${customer.invoice_prefix}-0001`,
      hosted_invoice_url: expect.stringMatching(/^https:\/\/invoice\.stripe\.com\/i\/acct_1SimulatorDefault\/test_/),
      invoice_pdf: expect.stringMatching(/^https:\/\/pay\.stripe\.com\/invoice\//),
      total: 12_345,
      amount_due: 12_345,
      amount_paid: 0,
      amount_remaining: 12_345,
    });
    expect(invoice.due_date).toBe((invoice.status_transitions.finalized_at ?? 0) + 30 * 24 * 3600);
    const { data } = await bench.stripe.invoicePayments.list({
      invoice: invoice.id,
      expand: ['data.payment.payment_intent'],
    });
    expect(data).toMatchObject([
      {
        id: expect.stringMatching(/^inpay_/),
        object: 'invoice_payment',
        is_default: true,
        status: 'open',
        amount_requested: 12_345,
        amount_paid: null,
        payment: {
          type: 'payment_intent',
          payment_intent: {
            id: expect.stringMatching(/^pi_/),
            object: 'payment_intent',
            amount: 12_345,
            status: 'requires_payment_method',
          },
        },
      },
    ]);
    expect((await bench.invoice(1_00, { customer: customer.id })).number).toBe(`${customer.invoice_prefix}-0002`);
  });

  test('happens once, and ends changes of the lines', async () => {
    const invoice = await bench.invoice();
    expect(await refusal(bench.stripe.invoices.finalizeInvoice(invoice.id))).toMatchObject({
      statusCode: 400,
      message: "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
    });
    expect(await refusal(bench.item(invoice, 1))).toMatchObject({ code: 'invoice_not_editable' });
    expect(await refusal(bench.stripe.invoices.del(invoice.id))).toMatchObject({
      statusCode: 400,
      message: 'You can only delete draft invoices.',
    });
    expect(await refusal(bench.stripe.invoices.update(invoice.id, { description: 'x' }))).toMatchObject({
      message: "Finalized invoices can't be updated in this way",
    });
    expect(await bench.stripe.invoices.update(invoice.id, { metadata: { a: '1' } })).toMatchObject({
      metadata: { a: '1' },
    });
    expect(await bench.stripe.invoices.retrieve(invoice.id)).toMatchObject({ total: 10_000, description: null });
  });

  test('freezes the address that the invoice is sent to', async () => {
    const customer = await bench.customer();
    const draft = await bench.draft({ customer: customer.id });
    await bench.item(draft, 100);
    await bench.stripe.customers.update(customer.id, { email: 'second@example.com' });
    await bench.stripe.invoices.finalizeInvoice(draft.id);
    await bench.stripe.customers.update(customer.id, { email: 'third@example.com' });
    expect(await bench.stripe.invoices.sendInvoice(draft.id)).toMatchObject({ customer_email: 'second@example.com' });
    const { emails } = await bench.books();
    expect(emails.at(-1)).toEqual({ invoice: draft.id, email: 'second@example.com', time: expect.any(String) });
  });

  test('of nothing pays it at once', async () => {
    const draft = await bench.draft();
    expect(await bench.stripe.invoices.finalizeInvoice(draft.id)).toMatchObject({
      status: 'paid',
      total: 0,
      number: expect.any(String),
      amount_paid: 0,
    });
    expect((await bench.stripe.invoicePayments.list({ invoice: draft.id })).data).toEqual([]);
  });

  test.each([
    ['lowers what is asked for', -30, 100, { amount_due: 70, status: 'open', ending_balance: 0 }, 0],
    ['pays it, and what is left stays', -300, 100, { amount_due: 0, status: 'paid', ending_balance: -200 }, -200],
    ['raises it when it is debt', 20, 100, { amount_due: 120, status: 'open', ending_balance: 0 }, 0],
  ])('uses the balance of the customer: credit %s', async (_name, balance, amount, expected, left) => {
    const customer = await bench.customer({ balance });
    const invoice = await bench.invoice(amount, { customer: customer.id });
    expect(invoice).toMatchObject({ ...expected, total: amount, starting_balance: balance });
    expect(await bench.stripe.customers.retrieve(customer.id)).toMatchObject({ balance: left });
  });
});

describe('An open invoice', () => {
  test('is sent as often as one asks, and only when it is to be sent', async () => {
    const invoice = await bench.invoice();
    await bench.stripe.invoices.sendInvoice(invoice.id);
    await bench.stripe.invoices.sendInvoice(invoice.id);
    const { emails } = await bench.books();
    expect(emails.filter((email: { invoice: string }) => email.invoice === invoice.id)).toHaveLength(2);
    const draft = await bench.draft();
    expect(await refusal(bench.stripe.invoices.sendInvoice(draft.id))).toMatchObject({ statusCode: 400 });
    const other = await bench.stripe.invoices.create({ customer: `${draft.customer}` });
    await bench.item(other, 100);
    await bench.stripe.invoices.finalizeInvoice(other.id);
    expect(await refusal(bench.stripe.invoices.sendInvoice(other.id))).toMatchObject({ statusCode: 400 });
  });

  test('is voided for good, with the payment that it asked for', async () => {
    const invoice = await bench.invoice();
    expect(await bench.stripe.invoices.voidInvoice(invoice.id)).toMatchObject({ status: 'void' });
    const { data } = await bench.stripe.invoicePayments.list({
      invoice: invoice.id,
      expand: ['data.payment.payment_intent'],
    });
    expect(data).toMatchObject([{ status: 'canceled', payment: { payment_intent: { status: 'canceled' } } }]);
    for (const call of ['voidInvoice', 'markUncollectible', 'sendInvoice'] as const) {
      expect(await refusal(bench.stripe.invoices[call](invoice.id))).toMatchObject({ statusCode: 400 });
    }
    expect(await refusal(bench.stripe.invoices.voidInvoice((await bench.draft()).id))).toMatchObject({
      message: "You can only pass in open invoices. This invoice isn't open.",
    });
  });

  test('can be given up, and voided after that', async () => {
    const { id } = await bench.invoice();
    expect(await bench.stripe.invoices.markUncollectible(id)).toMatchObject({
      status: 'uncollectible',
      status_transitions: { marked_uncollectible_at: expect.any(Number) },
    });
    expect(await bench.stripe.invoices.voidInvoice(id)).toMatchObject({ status: 'void' });
  });

  test('is listed by customer, status and time', async () => {
    const customer = (await bench.customer()).id;
    const draft = await bench.draft({ customer });
    const open = await bench.invoice(100, { customer });
    const ids = async (params: Stripe.InvoiceListParams) =>
      (await bench.stripe.invoices.list({ customer, ...params })).data.map(({ id }) => id);
    expect(await ids({})).toEqual([open.id, draft.id]);
    expect(await ids({ status: 'draft' })).toEqual([draft.id]);
    expect(await ids({ created: { gte: draft.created } })).toEqual([open.id, draft.id]);
    expect(await ids({ created: { gt: open.created } })).toEqual([]);
  });

  test('is shown with its customer and its payments when one asks', async () => {
    const { id } = await bench.invoice();
    const shown = await bench.stripe.invoices.retrieve(id, {
      expand: ['customer', 'payments.data.payment.payment_intent'],
    });
    expect(shown.customer).toMatchObject({ object: 'customer', name: 'Organiser GmbH' });
    expect(shown.payments?.data).toMatchObject([{ payment: { payment_intent: { object: 'payment_intent' } } }]);
    expect(await refusal(bench.stripe.invoices.retrieve(id, { expand: ['charge'] }))).toMatchObject({
      message: 'This property cannot be expanded (charge).',
    });
    const deep = ['payments.data.payment.payment_intent.latest_charge'];
    expect(await refusal(bench.stripe.invoices.retrieve(id, { expand: deep }))).toMatchObject({ param: 'expand' });
  });
});

describe('Amounts', () => {
  test.each([
    ['usd', 99_999_999],
    ['jpy', 99_999_999],
    ['huf', 12_345],
    ['twd', 801],
    ['idr', 999_999_999_999],
    ['kwd', 5_120],
    ['isk', 500],
    ['ugx', 500],
  ])('in %s can be %s', async (currency, amount) => {
    const draft = await bench.draft({ currency });
    expect(await bench.item(draft, amount)).toMatchObject({ amount, currency });
  });

  test.each([
    ['usd', 100_000_000, 'amount_too_large'],
    ['usd', -100_000_000, 'amount_too_large'],
    ['jpy', 100_000_000, 'amount_too_large'],
    ['idr', 1_000_000_000_000, 'amount_too_large'],
    ['kwd', 5_124, 'parameter_invalid_integer'],
    ['isk', 550, 'parameter_invalid_integer'],
    ['ugx', 1, 'parameter_invalid_integer'],
  ])('in %s cannot be %s', async (currency, amount, code) => {
    const draft = await bench.draft({ currency });
    expect(await refusal(bench.item(draft, amount))).toMatchObject({ statusCode: 400, code, param: 'amount' });
    expect((await bench.stripe.invoices.retrieve(draft.id)).lines.data).toEqual([]);
  });

  test('of lines can be too large together', async () => {
    const draft = await bench.draft();
    await bench.item(draft, 99_999_999);
    await bench.item(draft, 1);
    expect(await refusal(bench.stripe.invoices.finalizeInvoice(draft.id))).toMatchObject({ code: 'amount_too_large' });
    expect(await bench.stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'draft', number: null });
  });

  test('are a price for one, or for all of them', async () => {
    const draft = await bench.draft();
    const [customer, invoice, currency] = [`${draft.customer}`, draft.id, 'usd'];
    const make = (params: Stripe.InvoiceItemCreateParams) =>
      bench.stripe.invoiceItems.create({ customer, invoice, currency, ...params });
    expect(await refusal(make({ amount: 1, quantity: 2 }))).toMatchObject({ code: 'parameters_exclusive' });
    expect(await refusal(make({}))).toMatchObject({ code: 'parameter_missing', param: 'amount' });
    expect(await refusal(make({ amount: 1, currency: 'eur' }))).toMatchObject({ param: 'currency' });
    const product = { currency, product: 'prod_none', unit_amount: 1 };
    expect(await refusal(make({ price_data: product }))).toMatchObject({ param: 'price_data[product]' });
    const half = await make({ unit_amount_decimal: Stripe.Decimal.from('0.5'), quantity: 3 });
    expect([half.amount, `${half.pricing?.unit_amount_decimal}`]).toEqual([2, '0.5']);
  });
});
