import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  BillingEvent,
  BillingInvoice,
  BillingInvoiceDraft,
  BillingInvoiceReading,
  InvoiceSending,
} from '../../../src/application/ports/billing.js';
import type { ProviderResult } from '../../../src/application/ports/provider.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits, multiply, sum } from '../../../src/domain/money.js';
import { StripeGateway } from '../../../src/infrastructure/stripe/gateway.js';
import { StripeWebhooks } from '../../../src/infrastructure/stripe/webhooks.js';
import { type StripeSimulator, startStripeSimulator } from '../../../src/simulators/stripe/simulator.js';
import { eventually } from '../../support/eventually.js';
import { testWaits } from '../../support/test-waits.js';
import { startStandIn } from '../../unit/quickbooks/stand-in.js';

// The whole adapter against the simulator: both were written from Stripe's documentation, by different hands.

const ACCOUNT = 'acct_1SimulatorDefault';
const KEY = 'sk_test_simulator';

let simulator: StripeSimulator;
let gateway: StripeGateway;
let customerId: string;
let counter = 0;

beforeAll(async () => {
  simulator = await startStripeSimulator();
  gateway = gatewayWithKey(async () => KEY);
  customerId = must(
    await gateway.createCustomer('con_1', gateway.prepareCustomer(customerDraft()), 'customer'),
  ).externalId;
});

afterEach(() => control('DELETE', '/faults'));
afterAll(() => simulator.stop());

function gatewayWithKey(secretKeyOf: (connectionId: string) => Promise<string | undefined>): StripeGateway {
  return new StripeGateway({
    keys: { secretKeyOf, refuse: async () => undefined },
    clock: { now: () => new Date() },
    waits: { ...testWaits, callTimeoutMs: 2000 },
    apiBaseUrlOf: () => simulator.baseUrl,
    maxRepetitions: 0,
  });
}

function customerDraft() {
  return {
    organizationName: 'ACME GmbH',
    contactName: 'Ada Lovelace',
    email: 'Billing@acme.example',
    billingAddress: 'Street 1\n12345 Town',
    normalizedName: 'acme gmbh',
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the control API answers with any JSON
async function control(method: string, path: string, body?: unknown): Promise<any> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${simulator.controlUrl}${path}`, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

function must<T>(result: ProviderResult<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

async function eventsSince(since: Date): Promise<BillingEvent[]> {
  const events = must(await gateway.findEvents('con_1', since));
  if (events === 'too_many') throw new Error('too many events');
  return events;
}

function line(index: number, unitPrice: number, quantity: number) {
  const price = minorUnits(BigInt(unitPrice));
  return {
    id: `li_${index}`,
    description: `Ticket ${index}`,
    quantity,
    unitPrice: price,
    amount: multiply(price, quantity),
  };
}

function draft(changes: Partial<BillingInvoiceDraft> = {}): BillingInvoiceDraft {
  counter += 1;
  return {
    customerExternalId: customerId,
    currency: 'USD' as CurrencyCode,
    reference: 'PO-7K2M9Q',
    buyerReference: 'ACME-4711',
    organizationName: 'ACME GmbH',
    contactName: 'Ada Lovelace',
    billingAddress: 'Street 1\n12345 Town',
    conferenceName: 'Conference 2027',
    conferenceSlug: 'conf-2027',
    purchaseOrderId: `po_${counter}`,
    operationId: `op_${counter}`,
    dueDate: undefined,
    timezone: 'Europe/Berlin',
    daysUntilDue: 30,
    lines: [line(1, 5000, 5)],
    ...changes,
  };
}

function prepared(changes: Partial<BillingInvoiceDraft> = {}): { sending: InvoiceSending; draft: BillingInvoiceDraft } {
  const wanted = draft(changes);
  const result = gateway.prepareInvoice(wanted);
  if (!result.ok) throw new Error(result.message);
  const sending = {
    body: result.body,
    idempotencyKey: wanted.operationId,
    draftId: undefined,
    onDraft: async () => undefined,
  };
  return { sending, draft: wanted };
}

async function created(changes: Partial<BillingInvoiceDraft> = {}): Promise<BillingInvoice> {
  return must(await gateway.createInvoice('con_1', prepared(changes).sending));
}

async function reading(externalId: string): Promise<BillingInvoiceReading> {
  return must(await gateway.readInvoice('con_1', externalId));
}

const invoicesOf = async (operationId: string) => {
  const { invoices } = await control('GET', `/books?accountId=${ACCOUNT}`);
  return invoices.filter(
    ({ metadata }: { metadata: { operation_id?: string } }) => metadata.operation_id === operationId,
  );
};

describe('the key', () => {
  test('opens its account, which says that it is simulated', async () => {
    expect(must(await gateway.proveKey(KEY))).toEqual({
      accountId: ACCOUNT,
      accountName: 'Conference Demo Co',
      liveMode: false,
      simulated: true,
    });
  });

  test('of nobody needs a person, and is not shown', async () => {
    const refused = await gatewayWithKey(async () => 'sk_test_of_nobody').readInvoice('con_1', 'in_1');
    expect(refused).toMatchObject({ ok: false, failure: { kind: 'reconnect_required', trace: { statusCode: 401 } } });
    expect(JSON.stringify(refused)).not.toMatch(/nobody|body/);
  });
});

test('a customer is found by the exact address, and not by another', async () => {
  expect(must(await gateway.findCustomers('con_1', 'Billing@acme.example'))).toEqual([
    { externalId: customerId, name: 'ACME GmbH', email: 'Billing@acme.example', normalizedName: 'acme gmbh' },
  ]);
  expect(must(await gateway.findCustomers('con_1', 'billing@acme.example'))).toEqual([]);
});

describe('creating an invoice', () => {
  test('of 25 lines, in order, to the cent', async () => {
    const lines = Array.from({ length: 25 }, (_, index) => line(index, 1099 + index, index + 1));
    const { sending, draft: wanted } = prepared({ lines, dueDate: '2031-12-31' });
    const drafts: string[] = [];
    const onDraft = async (id: string) => void drafts.push(id);
    const invoice = must(await gateway.createInvoice('con_1', { ...sending, onDraft }));
    expect(drafts).toEqual([invoice.externalId]);
    expect(invoice).toMatchObject({
      status: 'OPEN',
      customerExternalId: customerId,
      currency: 'USD',
      total: sum(lines.map(({ amount }) => amount)),
      balance: invoice.total,
      operationId: wanted.operationId,
      number: expect.stringMatching(/./),
      payUrl: expect.stringMatching(/^https?:/),
    });
    expect(invoice.lines).toEqual(lines.slice(0, invoice.lines.length).map(({ id, amount }) => ({ id, amount })));
    expect(invoice.hasMoreLines).toBe(invoice.lines.length < 25);
    const [stored] = await invoicesOf(wanted.operationId);
    expect(stored).toMatchObject({
      auto_advance: false,
      collection_method: 'send_invoice',
      due_date: Date.parse('2031-12-31T22:59:59Z') / 1000,
      footer: 'Conference 2027\nBill to:\nACME GmbH\nAda Lovelace\nStreet 1\n12345 Town',
      custom_fields: [
        { name: 'Purchase order', value: 'PO-7K2M9Q' },
        { name: 'Your reference', value: 'ACME-4711' },
        { name: 'Contact', value: 'Ada Lovelace' },
      ],
    });
    expect(stored.lines.map((each: { metadata: { line_item_id: string } }) => each.metadata.line_item_id)).toEqual(
      lines.map(({ id }) => id),
    );
  });

  test.each([
    ['JPY', 500, 3],
    ['ISK', 500, 3],
    ['UGX', 5000, 1],
    ['KWD', 5120, 2],
    ['MGA', 20_020, 5],
    ['HUF', 20_045, 1],
    ['IDR', 900_000_000_00, 1],
  ])('in %s', async (currency, unitPrice, quantity) => {
    const lines = [line(1, unitPrice, quantity)];
    // A customer of the provider has one currency as long as it has invoices.
    const other = gateway.prepareCustomer({ ...customerDraft(), email: `${currency}@acme.example` });
    const customer = must(await gateway.createCustomer('con_1', other, `customer-${currency}`));
    const invoice = await created({
      currency: currency as CurrencyCode,
      lines,
      customerExternalId: customer.externalId,
    });
    expect(invoice).toMatchObject({ currency, total: lines[0]?.amount, balance: lines[0]?.amount });
  });

  test('that was due yesterday is due today', async () => {
    expect((await created({ dueDate: '2020-01-01' })).status).toBe('OPEN');
  });

  const lines = [line(1, 5000, 1), line(2, 6000, 2), line(3, 7000, 3)];
  const total = 38_000n;
  const calls = [
    ['the draft', '/v1/invoices', 0],
    ['the first item', '/v1/invoiceitems', 0],
    ['the second item', '/v1/invoiceitems', 1],
    ['the third item', '/v1/invoiceitems', 2],
    ['the finalisation', '/finalize', 0],
  ] as const;
  const breakages = [
    { kind: 'reset', when: 'before' },
    { kind: 'reset', when: 'after' },
    { kind: 'truncate', when: 'after' },
    { kind: 'html502', when: 'after' },
    { kind: 'html502', when: 'before' },
  ] as const;

  test.each(calls.flatMap(([what, path, skip]) => breakages.map((breakage) => ({ what, path, skip, ...breakage }))))(
    'sent again after $what was broken ($kind $when) makes one invoice with every line once',
    async ({ path, skip, kind, when }) => {
      const { sending, draft: wanted } = prepared({ lines });
      const match = { method: 'POST', path: path === '/v1/invoices' ? '/\\/v1\\/invoices$/' : path };
      await control('POST', '/faults', { match, kind, when, skip });
      let draftId: string | undefined;
      const onDraft = async (id: string) => {
        draftId = id;
      };
      const first = await gateway.createInvoice('con_1', { ...sending, onDraft });
      expect(first).toMatchObject({ ok: false, failure: { kind: 'unknown' } });
      const second = must(await gateway.createInvoice('con_1', { ...sending, draftId }));
      expect(second).toMatchObject({ status: 'OPEN', total, hasMoreLines: false });
      expect(second.lines).toEqual(lines.map(({ id, amount }) => ({ id, amount })));
      expect(must(await gateway.createInvoice('con_1', sending))).toEqual(second);
      expect(await invoicesOf(wanted.operationId)).toHaveLength(1);
    },
  );

  test('a lost answer does no harm when the call is repeated at once', async () => {
    const patient = new StripeGateway({
      keys: { secretKeyOf: async () => KEY, refuse: async () => undefined },
      clock: { now: () => new Date() },
      waits: testWaits,
      apiBaseUrlOf: () => simulator.baseUrl,
    });
    const { sending, draft: wanted } = prepared({ lines });
    await control('POST', '/faults', { match: { path: '/v1/invoiceitems' }, kind: 'reset', when: 'after', times: 2 });
    expect(must(await patient.createInvoice('con_1', sending))).toMatchObject({ status: 'OPEN', total });
    const [stored] = await invoicesOf(wanted.operationId);
    expect(stored.lines).toHaveLength(3);
  });

  test('a refused item leaves a draft, which is found by its operation and can be deleted once', async () => {
    const { sending, draft: wanted } = prepared({ lines });
    await control('POST', '/faults', { match: { path: '/v1/invoiceitems' }, kind: 'error', status: 400, skip: 1 });
    expect(await gateway.createInvoice('con_1', sending)).toMatchObject({ failure: { kind: 'rejected' } });
    const wantedOnes = { customerExternalId: customerId, createdSince: new Date(Date.now() - 60_000) };
    const [found, ...others] = must(await gateway.findInvoices('con_1', wantedOnes, [wanted.operationId, 'op_none']));
    expect(found).toMatchObject({ status: 'DRAFT', number: undefined, operationId: wanted.operationId });
    expect(others).toEqual([]);
    const id = String(found?.externalId);
    expect(await gateway.deleteDraft('con_1', id)).toMatchObject({ ok: true });
    expect(await gateway.deleteDraft('con_1', id)).toMatchObject({ failure: { reason: 'not_found' } });
    expect(await gateway.readInvoice('con_1', id)).toMatchObject({ failure: { reason: 'not_found' } });
  });

  test('a stored failure stays one under its key', async () => {
    const { sending } = prepared({ lines });
    await control('POST', '/faults', { match: { path: '/finalize' }, kind: '500' });
    for (let times = 0; times < 2; times += 1) {
      expect(await gateway.createInvoice('con_1', sending)).toMatchObject({ failure: { kind: 'unknown' } });
    }
  });

  test('a key that Stripe knows with other parameters is a repetition', async () => {
    const { sending } = prepared();
    must(await gateway.createInvoice('con_1', sending));
    const { sending: other } = prepared({ reference: 'PO-OTHER' });
    expect(await gateway.createInvoice('con_1', { ...other, idempotencyKey: sending.idempotencyKey })).toMatchObject({
      failure: { kind: 'unknown', isRepetition: true },
    });
  });

  test('an unknown customer is a bad reference, and too many requests are waited out', async () => {
    expect(await gateway.createInvoice('con_1', prepared({ customerExternalId: 'cus_none' }).sending)).toMatchObject({
      failure: { kind: 'rejected', reason: 'bad_reference', code: 'resource_missing' },
    });
    await control('POST', '/faults', { match: { path: '/v1/invoices' }, kind: '429' });
    expect(await gateway.createInvoice('con_1', prepared().sending)).toMatchObject({
      failure: { kind: 'unavailable', retryAt: expect.any(Date) },
    });
  });
});

describe('sending and voiding', () => {
  test('an invoice is sent, once under its key, which its events tell', async () => {
    const { externalId } = await created();
    const since = new Date(Date.now() - 1000);
    expect(must(await gateway.wasSent('con_1', externalId, since))).toBe(false);
    must(await gateway.sendInvoice('con_1', externalId, `${externalId}-send`));
    must(await gateway.sendInvoice('con_1', externalId, `${externalId}-send`));
    expect(must(await gateway.wasSent('con_1', externalId, since))).toBe(true);
    const { emails } = await control('GET', `/books?accountId=${ACCOUNT}`);
    expect(emails.filter(({ invoice }: { invoice: string }) => invoice === externalId)).toHaveLength(1);
  });

  test('an open invoice is voided, and sent again under its key still is', async () => {
    const { externalId } = await created();
    for (let times = 0; times < 2; times += 1) {
      expect(must(await gateway.voidInvoice('con_1', externalId, `${externalId}-void`))).toMatchObject({
        status: 'VOID',
        total: 25_000n,
        balance: 0n,
      });
    }
    expect(await gateway.voidInvoice('con_1', externalId, 'another key')).toMatchObject({
      failure: { kind: 'rejected', reason: 'stale' },
    });
    expect(await gateway.deleteDraft('con_1', externalId)).toMatchObject({ failure: { reason: 'stale' } });
  });

  test('a paid invoice is not voided', async () => {
    const { externalId } = await created();
    await control('POST', '/pay', { invoiceId: externalId });
    expect(await gateway.voidInvoice('con_1', externalId, externalId)).toMatchObject({ failure: { reason: 'stale' } });
  });

  test('an invoice that is not there cannot be voided', async () => {
    expect(await gateway.voidInvoice('con_1', 'in_none', 'k')).toMatchObject({ failure: { reason: 'not_found' } });
  });
});

describe('reading an invoice', () => {
  test('paid in parts', async () => {
    const { externalId } = await created();
    await control('POST', '/pay', { invoiceId: externalId, amount: 10_000 });
    const partly = await reading(externalId);
    expect(partly.invoice).toMatchObject({ status: 'OPEN', total: 25_000n, balance: 15_000n });
    expect(partly.payments.filter(({ status }) => status === 'PAID')).toMatchObject([
      { amount: 10_000n, refunded: 0n, isDisputed: false, paymentIntentId: expect.stringMatching(/^pi_/) },
    ]);
    await control('POST', '/pay', { invoiceId: externalId });
    const paid = await reading(externalId);
    expect(paid.invoice).toMatchObject({ status: 'PAID', balance: 0n });
    const amounts = paid.payments.filter(({ status }) => status === 'PAID').map(({ amount }) => amount);
    expect(amounts.toSorted()).toEqual([10_000n, 15_000n]);
    for (const { paymentIntentId } of paid.payments.filter(({ status }) => status === 'PAID')) {
      expect(must(await gateway.findPaidInvoices('con_1', String(paymentIntentId)))).toEqual([externalId]);
    }
  });

  test.each([
    ['succeeded', 'PAID', 'PAID', 0n],
    ['failed', 'OPEN', 'OPEN', 25_000n],
  ])('paid by a bank debit that takes days and %s', async (outcome, status, paymentStatus, balance) => {
    const { externalId } = await created();
    const { paymentIntent } = await control('POST', '/pay', { invoiceId: externalId, method: 'ach' });
    const during = await reading(externalId);
    expect(during.invoice).toMatchObject({ status: 'OPEN', balance: 25_000n });
    expect(during.payments).toMatchObject([{ status: 'PROCESSING', amount: 25_000n, paidAt: undefined }]);
    await control('POST', '/settle-payment', { paymentIntentId: paymentIntent.id, outcome });
    const after = await reading(externalId);
    expect(after.invoice).toMatchObject({ status, balance });
    expect(after.payments).toMatchObject([{ status: paymentStatus }]);
  });

  test.each(['listed', 'unlisted'])(
    'paid outside of Stripe, which is %s among its payments',
    async (outOfBandPayments) => {
      await control('PATCH', `/accounts/${ACCOUNT}`, { outOfBandPayments });
      const { externalId } = await created();
      await control('POST', '/pay', { invoiceId: externalId, amount: 10_000 });
      await control('POST', '/pay-out-of-band', { invoiceId: externalId });
      const { invoice, payments } = await reading(externalId);
      expect(invoice).toMatchObject({ status: 'PAID', balance: 0n });
      const paid = payments.filter(({ status }) => status === 'PAID');
      expect(paid).toMatchObject([
        { amount: 10_000n, paymentIntentId: expect.any(String) },
        { amount: 15_000n, paymentIntentId: undefined, refunded: 0n, paidAt: expect.any(Date) },
      ]);
    },
  );

  test('given up as uncollectible', async () => {
    const { externalId } = await created();
    await control('POST', '/mark-uncollectible', { invoiceId: externalId });
    expect((await reading(externalId)).invoice).toMatchObject({ status: 'UNCOLLECTIBLE', balance: 25_000n });
  });
});

describe('what became of the money afterwards', () => {
  async function paid() {
    const { externalId } = await created();
    const { paymentIntent } = await control('POST', '/pay', { invoiceId: externalId });
    return { externalId, paymentIntentId: String(paymentIntent.id) };
  }

  const moneyOf = async (externalId: string) => {
    const { invoice, payments } = await reading(externalId);
    return { status: invoice.status, balance: invoice.balance, payments };
  };

  test('refunds, one of which fails', async () => {
    const { externalId, paymentIntentId } = await paid();
    await control('POST', '/refund', { paymentIntentId, amount: 10_000 });
    // The invoice stays paid.
    expect(await moneyOf(externalId)).toMatchObject({
      status: 'PAID',
      balance: 0n,
      payments: [{ amount: 25_000n, refunded: 10_000n }],
    });
    const { refund } = await control('POST', '/refund', { paymentIntentId });
    expect((await moneyOf(externalId)).payments).toMatchObject([{ amount: 25_000n, refunded: 25_000n }]);
    await control('POST', '/fail-refund', { refundId: refund.id });
    expect((await moneyOf(externalId)).payments).toMatchObject([{ amount: 25_000n, refunded: 10_000n }]);
  });

  test.each([
    ['won', 0n],
    ['lost', 9000n],
  ])('a dispute that is %s', async (outcome, refunded) => {
    const { externalId, paymentIntentId } = await paid();
    const { dispute } = await control('POST', '/dispute', { paymentIntentId, amount: 9000 });
    expect((await moneyOf(externalId)).payments).toMatchObject([{ refunded: 0n, isDisputed: true }]);
    await control('POST', '/close-dispute', { disputeId: dispute.id, outcome });
    expect((await moneyOf(externalId)).payments).toMatchObject([{ refunded, isDisputed: false }]);
  });

  test('a credit note lowers what an open invoice asks for, until it is void', async () => {
    const { externalId } = await created();
    const { creditNote } = await control('POST', '/credit-note', { invoiceId: externalId, amount: 4000 });
    const lowered = await reading(externalId);
    expect(lowered.invoice).toMatchObject({ status: 'OPEN', total: 25_000n, balance: 21_000n });
    expect(lowered.credits).toEqual([{ externalId: creditNote.id, amount: 4000n }]);
    await control('POST', '/void-credit-note', { creditNoteId: creditNote.id });
    const asBefore = await reading(externalId);
    expect(asBefore).toMatchObject({ invoice: { balance: 25_000n }, credits: [] });
  });

  test('a credit note on a paid invoice is a refund of its payment', async () => {
    const { externalId } = await paid();
    await control('POST', '/credit-note', { invoiceId: externalId, amount: 4000 });
    const { invoice, payments, credits } = await reading(externalId);
    expect(invoice).toMatchObject({ status: 'PAID', total: 25_000n, balance: 0n });
    expect(payments).toMatchObject([{ amount: 25_000n, refunded: 4000n }]);
    expect(credits).toEqual([]);
  });

  test('a credit note over more than is open does both', async () => {
    const { externalId } = await created();
    await control('POST', '/pay', { invoiceId: externalId, amount: 20_000 });
    await control('POST', '/credit-note', { invoiceId: externalId, amount: 7000 });
    const { invoice, payments, credits } = await reading(externalId);
    expect(invoice.balance).toBe(0n);
    expect(credits).toMatchObject([{ amount: 5000n }]);
    expect(payments.filter(({ status }) => status === 'PAID')).toMatchObject([{ amount: 20_000n, refunded: 2000n }]);
  });

  test('all of it is told by events that name the invoice or its payment', async () => {
    const since = new Date();
    const { externalId, paymentIntentId } = await paid();
    await control('POST', '/refund', { paymentIntentId, amount: 1000 });
    const { dispute } = await control('POST', '/dispute', { paymentIntentId, amount: 1000 });
    await control('POST', '/close-dispute', { disputeId: dispute.id, outcome: 'lost' });
    const other = await created();
    await control('POST', '/credit-note', { invoiceId: other.externalId, amount: 1000 });
    const events = await eventsSince(since);
    const told = events.map(({ operation, entityId }) => [operation, entityId]);
    expect(told).toContainEqual(['refund.created', paymentIntentId]);
    expect(told).toContainEqual(['charge.dispute.created', paymentIntentId]);
    expect(told).toContainEqual(['charge.dispute.closed', paymentIntentId]);
    expect(told).toContainEqual(['credit_note.created', other.externalId]);
    expect(must(await gateway.findPaidInvoices('con_1', paymentIntentId))).toEqual([externalId]);
  });
});

test('a webhook is signed as we check it, and tells the same as the list of events', async () => {
  const deliveries: { body: Buffer; signature: string | undefined }[] = [];
  const receiver = await startStandIn(({ body, headers }, response) => {
    deliveries.push({ body: Buffer.from(body), signature: headers['stripe-signature']?.toString() });
    response.end();
  });
  await control('PATCH', `/accounts/${ACCOUNT}`, { webhooks: [{ url: receiver.url, secret: 'whsec_new' }] });
  const since = new Date();
  const { externalId } = await created();
  await control('POST', '/pay', { invoiceId: externalId });
  await control('POST', '/webhooks/flush', { accountId: ACCOUNT });
  await eventually(
    async () => deliveries.length,
    (count) => count > 5,
  ).finally(receiver.close);
  await control('PATCH', `/accounts/${ACCOUNT}`, { webhooks: [] });

  const source = new StripeWebhooks({ secrets: 'whsec_old,whsec_new', companyId: 'con_1' });
  const received = deliveries.flatMap(({ body, signature }) => {
    expect(source.verify(body, signature)).toBe('valid');
    expect(source.verify(Buffer.concat([body, Buffer.from(' ')]), signature)).toBe('invalid');
    return source.parse(body) ?? [];
  });
  expect(received.filter(({ unreadable }) => unreadable !== undefined)).toEqual([]);
  const listed = (await eventsSince(since)).filter(({ entityId }) => entityId === externalId);
  expect(listed.length).toBeGreaterThan(2);
  for (const { payload, ...event } of listed) {
    expect(received).toContainEqual(expect.objectContaining({ ...event, companyId: 'con_1' }));
    expect(JSON.stringify(payload)).not.toContain('secret');
  }
});

test('events name the invoices they concern, oldest first', async () => {
  const since = new Date();
  const { externalId } = await created();
  await control('POST', '/pay', { invoiceId: externalId });
  const events = await eventsSince(since);
  const ours = events.filter(({ entityId }) => entityId === externalId);
  const operations = ours.map(({ operation }) => operation);
  expect(operations).toEqual(expect.arrayContaining(['invoice_payment.paid', 'invoice.paid']));
  const times = events.map(({ occurredAt }) => occurredAt.getTime());
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
});
