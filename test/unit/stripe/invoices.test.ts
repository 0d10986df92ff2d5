import { describe, expect, test } from '@jest/globals';
import type { InvoiceSending } from '../../../src/application/ports/billing.js';
import { type Answer, gatewayWith, hangUp, inTurn, invoiceDocument, list, ok, refuse } from './stand-in-gateway.js';

const body = JSON.stringify({
  invoice: {
    customer: 'cus_1',
    currency: 'usd',
    auto_advance: false,
    discounts: '',
    metadata: { operation_id: 'op_1' },
  },
  items: [
    { customer: 'cus_1', currency: 'usd', description: 'A & B', quantity: 2, unit_amount_decimal: '1050' },
    { customer: 'cus_1', currency: 'usd', description: 'C', quantity: 1, unit_amount_decimal: '0.2' },
  ],
});

function sending(changes: Partial<InvoiceSending> = {}): InvoiceSending {
  return { body, idempotencyKey: 'op_1', draftId: undefined, onDraft: async () => undefined, ...changes };
}

const draft = ok(invoiceDocument({ status: 'draft', number: null }));
const item = ok({ id: 'ii_1', object: 'invoiceitem', quantity_decimal: '2' });
const finalized = ok(invoiceDocument());
const rejection = refuse(400, { type: 'invalid_request_error', message: 'No.' });
const expired = refuse(401, { type: 'invalid_request_error', message: 'Expired.' });
const throttled = refuse(429, { type: 'invalid_request_error', message: 'Slower.' });

describe('creating an invoice', () => {
  test('draft, items in order and finalisation, each under its own key, with the draft told before anything else', async () => {
    const { gateway, requests } = await gatewayWith(inTurn(draft, item, item, finalized));
    const told: [string, number][] = [];
    const onDraft = async (id: string) => void told.push([id, requests.length]);
    const created = await gateway.createInvoice('con_1', sending({ onDraft }));
    expect(created).toMatchObject({ ok: true, value: { externalId: 'in_1', status: 'OPEN' } });
    expect(told).toEqual([['in_1', 1]]);
    expect(
      requests.map(({ method, url, headers, body: sent }) => [method, url, headers['idempotency-key'], sent]),
    ).toEqual([
      [
        'POST',
        '/v1/invoices',
        'op_1:invoice',
        'customer=cus_1&currency=usd&auto_advance=false&discounts=&metadata[operation_id]=op_1',
      ],
      [
        'POST',
        '/v1/invoiceitems',
        'op_1:item:0',
        'customer=cus_1&currency=usd&description=A%20%26%20B&quantity=2&unit_amount_decimal=1050&invoice=in_1',
      ],
      [
        'POST',
        '/v1/invoiceitems',
        'op_1:item:1',
        'customer=cus_1&currency=usd&description=C&quantity=1&unit_amount_decimal=0.2&invoice=in_1',
      ],
      ['POST', '/v1/invoices/in_1/finalize', 'op_1:finalize', 'auto_advance=false'],
    ]);
  });

  test('goes on with a draft that is known', async () => {
    const { gateway, requests } = await gatewayWith(inTurn(item, item, finalized));
    const created = await gateway.createInvoice('con_1', sending({ draftId: 'in_9' }));
    expect(created.ok).toBe(true);
    expect(requests.map(({ url }) => url)).toEqual([
      '/v1/invoiceitems',
      '/v1/invoiceitems',
      '/v1/invoices/in_9/finalize',
    ]);
    expect(requests[0]?.body).toContain('invoice=in_9');
  });

  test.each<[string, Answer[], object, number]>([
    ['a refused draft', [rejection], { kind: 'rejected' }, 1],
    ['a draft that was not taken', [throttled], { kind: 'unavailable' }, 1],
    ['a lost draft', [hangUp], { kind: 'unknown' }, 1],
    ['a refused item', [draft, rejection], { kind: 'rejected' }, 2],
    ['a lost item', [draft, item, hangUp], { kind: 'unknown' }, 3],
    ['a refused finalisation', [draft, item, item, rejection], { kind: 'rejected' }, 4],
    ['an unreadable finalisation', [draft, item, item, ok({ id: 'in_1' })], { kind: 'unknown' }, 4],
  ])('%s ends it', async (_what, answers, failure, count) => {
    const { gateway, requests } = await gatewayWith(inTurn(...answers));
    expect(await gateway.createInvoice('con_1', sending())).toMatchObject({ ok: false, failure });
    expect(requests).toHaveLength(count);
  });

  test.each([
    ['too many requests', throttled, 'Slower.'],
    ['an expired key', expired, 'Expired.'],
  ])('once the draft is there, %s do not mean that nothing was done', async (_what, answer, words) => {
    const { gateway } = await gatewayWith(inTurn(draft, answer));
    expect(await gateway.createInvoice('con_1', sending())).toMatchObject({
      failure: { kind: 'unknown', message: `The invoice was begun and is not finished. ${words}` },
    });
  });

  test('a sending that did nothing says so, whatever an earlier one did', async () => {
    const { gateway } = await gatewayWith(throttled);
    expect(await gateway.createInvoice('con_1', sending({ draftId: 'in_1' }))).toMatchObject({
      failure: { kind: 'unavailable' },
    });
  });

  test('nothing more is sent when the draft could not be noted down', async () => {
    const { gateway, requests } = await gatewayWith(draft);
    const onDraft = () => Promise.reject(new Error('database gone'));
    await expect(gateway.createInvoice('con_1', sending({ onDraft }))).rejects.toThrow('database gone');
    expect(requests).toHaveLength(1);
  });
});

describe('an invoice as Stripe describes it', () => {
  const read = async (changes: Record<string, unknown>) => {
    const { gateway } = await gatewayWith(ok(invoiceDocument(changes)));
    const sent = await gateway.sendInvoice('con_1', 'in_1', 'op_1');
    return sent.ok ? sent.value : sent.failure;
  };

  test('in our words', async () => {
    expect(await read({})).toEqual({
      externalId: 'in_1',
      number: 'ABC-0001',
      status: 'OPEN',
      customerCredit: 0n,
      customerExternalId: 'cus_1',
      currency: 'USD',
      total: 25_000n,
      balance: 25_000n,
      url: 'https://dashboard.stripe.com/test/invoices/in_1',
      payUrl: 'https://invoice.stripe.com/i/acct_1/test_1',
      lines: [{ id: 'li_1', amount: 25_000n }],
      hasMoreLines: false,
      operationId: 'op_1',
      createdAt: new Date('2026-11-02T10:00:00Z'),
    });
  });

  test.each([
    ['draft', 'DRAFT', 25_000n],
    ['paid', 'PAID', 25_000n],
    ['uncollectible', 'UNCOLLECTIBLE', 25_000n],
    ['void', 'VOID', 0n],
  ])('%s', async (status, ours, balance) => {
    expect(await read({ status })).toMatchObject({ status: ours, balance });
  });

  test('somebody else’s, with an expanded customer, in live mode and with strange links', async () => {
    const changes = { customer: { id: 'cus_2' }, livemode: true, metadata: null, hosted_invoice_url: 'javascript:1' };
    expect(await read(changes)).toMatchObject({
      customerExternalId: 'cus_2',
      operationId: undefined,
      payUrl: undefined,
      url: 'https://dashboard.stripe.com/invoices/in_1',
    });
  });

  test.each([
    ['in krónur and a half', { currency: 'isk', total: 550 }],
    ['in a currency that nobody knows', { currency: 'abc' }],
    ['with a status that nobody knows', { status: 'lost' }],
    ['with half a cent', { total: 0.5 }],
    ['with an amount as text', { total: '25000' }],
    ['without a customer', { customer: null }],
  ])('%s is not understood', async (_what, changes) => {
    expect(await read(changes)).toMatchObject({ kind: 'unknown' });
  });
});

describe('looking for invoices', () => {
  const wanted = { customerExternalId: 'cus_1', createdSince: new Date('2026-11-02T09:59:59.900Z') };

  test('all pages of the customer since then, those of the operations', async () => {
    const strange = { id: 'in_8', metadata: { operation_id: 'op_8' } };
    const pages = inTurn(
      ok({ data: [invoiceDocument({ id: 'in_2', metadata: { operation_id: 'op_2' } }), strange], has_more: true }),
      ok({ data: [invoiceDocument({ status: 'draft' })], has_more: false }),
    );
    const { gateway, requests } = await gatewayWith(pages);
    const found = await gateway.findInvoices('con_1', wanted, ['op_1', 'op_2']);
    expect(found).toMatchObject({
      ok: true,
      value: [
        { externalId: 'in_2', status: 'OPEN' },
        { externalId: 'in_1', status: 'DRAFT' },
      ],
    });
    expect(requests.map(({ url }) => url)).toEqual([
      '/v1/invoices?customer=cus_1&created[gte]=1793613599&limit=100',
      '/v1/invoices?customer=cus_1&created[gte]=1793613599&limit=100&starting_after=in_8',
    ]);
  });

  test('one of ours that is not understood is not taken for absent', async () => {
    const { gateway } = await gatewayWith(ok(list(invoiceDocument({ total: 'much' }))));
    expect(await gateway.findInvoices('con_1', wanted, ['op_1'])).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  test('nor is anything when a page is missing', async () => {
    const first = ok({ data: [invoiceDocument({ id: 'in_7', metadata: {} })], has_more: true });
    const { gateway } = await gatewayWith(inTurn(first, refuse(500, { type: 'api_error', message: 'Sorry.' })));
    expect(await gateway.findInvoices('con_1', wanted, ['op_1'])).toMatchObject({ failure: { kind: 'unavailable' } });
  });
});

describe('what the state forbids', () => {
  test.each([
    ['delete', 'open', 'stale'],
    ['delete', 'draft', 'validation'],
    ['void', 'paid', 'stale'],
    ['void', 'void', 'stale'],
    ['void', 'uncollectible', 'validation'],
  ])('to %s an invoice that is %s is refused as %s', async (what, status, reason) => {
    const { gateway, requests } = await gatewayWith(inTurn(rejection, ok(invoiceDocument({ status }))));
    const result =
      what === 'void' ? await gateway.voidInvoice('con_1', 'in_1', 'op_1') : await gateway.deleteDraft('con_1', 'in_1');
    expect(result).toMatchObject({ failure: { kind: 'rejected', reason, message: 'No.' } });
    expect(requests).toHaveLength(2);
  });

  test('when its state cannot be read, the refusal stays as it was', async () => {
    const { gateway } = await gatewayWith(inTurn(rejection, hangUp));
    expect(await gateway.voidInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ failure: { reason: 'validation' } });
  });

  test('a deleted draft is deleted', async () => {
    const { gateway } = await gatewayWith(ok({ id: 'in_1', object: 'invoice', deleted: true }));
    expect(await gateway.deleteDraft('con_1', 'in_1')).toMatchObject({ ok: true });
  });
});
