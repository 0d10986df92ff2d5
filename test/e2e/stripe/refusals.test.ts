import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { configure, createConference, createInvoice, sendInvoice, switchProvider, syncInvoice } from './steps.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

beforeEach(() => server.stripe.delete('/requests'));
afterAll(() => server.stop());

const refused = (...codes: string[]) => ({ purchaseOrder: null, userErrors: codes.map((code) => ({ code })) });

async function writes(): Promise<string[]> {
  return (await server.stripe.calls()).filter((call) => !call.startsWith('GET '));
}

describe('nothing is asked of Stripe, and the code says why, when', () => {
  test('there is no such order', async () => {
    const id = 'po_00000000000000000000000000000000';
    for (const answer of [
      await createInvoice(server, id),
      await sendInvoice(server, id),
      await syncInvoice(server, id),
      await switchProvider(server, id, 'STRIPE'),
    ]) {
      expect(answer).toMatchObject(refused('NOT_FOUND'));
    }
    expect(await server.stripe.calls()).toEqual([]);
  });

  test('the conference has no Stripe account', async () => {
    const conference = await createConference(server);
    const order = await createOrder(server, { conferenceId: conference.id });

    expect(await createInvoice(server, order.id)).toMatchObject(refused('STRIPE_NOT_CONFIGURED'));
    expect(await server.stripe.calls()).toEqual([]);
  });

  test('the order is cancelled, over nothing, paid, or partly paid', async () => {
    const { graphql } = server;
    const cancelled = await createOrder(server);
    await graphql.mutate('cancelPurchaseOrder', { purchaseOrderId: cancelled.id }, 'purchaseOrder { id }');
    const empty = await createOrder(server, { lineItems: [{ description: 'Free', quantity: 1, unitPrice: '0.00' }] });
    const paid = await createOrder(server);
    const partly = await createOrder(server);
    for (const [{ id }, amount] of [
      [paid, '1475.00'],
      [partly, '1.00'],
    ] as const) {
      await graphql.mutate('recordPayment', { purchaseOrderId: id, amount, method: 'WIRE' }, 'payment { id }');
    }

    expect(await createInvoice(server, cancelled.id)).toMatchObject(refused('CANCELLED'));
    expect(await createInvoice(server, empty.id)).toMatchObject(refused('NOTHING_TO_INVOICE'));
    expect(await createInvoice(server, paid.id)).toMatchObject(refused('ALREADY_PAID'));
    expect(await createInvoice(server, partly.id)).toMatchObject(refused('HAS_PAYMENTS_OR_CREDITS'));
    expect(await server.stripe.calls()).toEqual([]);
  });

  test('Stripe cannot represent the amount in its currency', async () => {
    const conference = await createConference(server, { currencyCode: 'BHD' });
    await configure(server, { conferenceId: conference.id });
    await server.stripe.delete('/requests');
    const lineItems = [{ description: 'Ticket', quantity: 1, unitPrice: '10.001' }];
    const order = await createOrder(server, { conferenceId: conference.id, lineItems });

    const answer = await createInvoice(server, order.id);

    expect(answer).toMatchObject(refused('STRIPE_AMOUNT_UNREPRESENTABLE'));
    expect(answer.userErrors[0].message).toContain('10.001');
    expect(await server.stripe.calls()).toEqual([]);
    expect(await readOrder(server, order.id)).toMatchObject({ status: 'DRAFT', invoice: null });
  });

  test('there is no invoice in Stripe', async () => {
    const order = await createOrder(server);

    expect(await sendInvoice(server, order.id)).toMatchObject(refused('NO_STRIPE_INVOICE'));
    expect(await syncInvoice(server, order.id)).toMatchObject(refused('NO_STRIPE_INVOICE'));
    expect(await server.stripe.calls()).toEqual([]);
  });

  test('the idempotency key was used for another order, or is malformed', async () => {
    const [first, second] = [await createOrder(server), await createOrder(server)];
    const idempotencyKey = 'the-same-key-twice';
    await createInvoice(server, first.id, { idempotencyKey });
    await server.stripe.delete('/requests');

    expect(await createInvoice(server, second.id, { idempotencyKey })).toMatchObject(refused('IDEMPOTENCY_KEY_REUSED'));
    expect(await createInvoice(server, second.id, { idempotencyKey: 'short' })).toMatchObject(refused('INVALID'));
    expect(await writes()).toEqual([]);
  });
});

describe('creating it again', () => {
  test('is refused with the id of the invoice; with the same idempotency key it gives the same answer', async () => {
    const order = await createOrder(server);
    const idempotencyKey = `invoice-${order.id}`;
    const { purchaseOrder } = await createInvoice(server, order.id, { idempotencyKey });
    await server.stripe.delete('/requests');

    expect(await createInvoice(server, order.id)).toMatchObject({
      ...refused('ALREADY_INVOICED'),
      userErrors: [{ invoiceId: purchaseOrder.stripeInvoiceId }],
    });
    expect(await createInvoice(server, order.id, { idempotencyKey })).toMatchObject({
      purchaseOrder: { stripeInvoiceId: purchaseOrder.stripeInvoiceId },
      userErrors: [],
    });
    expect(await writes()).toEqual([]);
  });

  test('at the same time makes one invoice', async () => {
    const order = await createOrder(server);

    const answers = await Promise.all(Array.from({ length: 5 }, () => createInvoice(server, order.id)));

    const codes = answers.flatMap(({ userErrors }) => userErrors.map(({ code }: { code: string }) => code));
    expect(codes).toHaveLength(4);
    expect(codes.filter((code) => !['IN_PROGRESS', 'ALREADY_INVOICED'].includes(code))).toEqual([]);
    expect((await writes()).filter((call) => call === 'POST /v1/invoices')).toHaveLength(1);
  });
});

describe('what Stripe says', () => {
  test('of a refusal is passed on with its code, status and request id, and leaves nothing behind', async () => {
    const order = await createOrder(server);
    const error = { kind: 'error', status: 400, code: 'parameter_invalid_empty', message: 'Stripe says no.' };
    await server.stripe.fault('POST /v1/invoices', error);

    const answer = await createInvoice(server, order.id);

    expect(answer).toMatchObject(refused('STRIPE_REJECTED'));
    expect(answer.userErrors[0]).toMatchObject({
      stripeCode: 'parameter_invalid_empty',
      message: expect.stringContaining('Stripe says no.'),
      statusCode: 400,
      requestId: expect.stringMatching(/^req_/),
      invoiceId: null,
    });
    expect(await readOrder(server, order.id)).toMatchObject({ status: 'DRAFT', invoice: null });
  });

  test('of a key that it refuses asks for another one, which is all it takes', async () => {
    const conference = await createConference(server);
    const account = { accountId: 'acct_1Refused', secretKey: 'sk_test_simulator_refused' };
    await server.stripe.post('/accounts', account);
    await configure(server, { conferenceId: conference.id, secretKey: account.secretKey });
    const order = await createOrder(server, { conferenceId: conference.id });
    await server.stripe.patch(`/accounts/${account.accountId}`, { secretKey: 'sk_test_simulator_rolled' });

    expect(await createInvoice(server, order.id)).toMatchObject(refused('RECONNECT_REQUIRED'));
    const query = '{ conference(id: "ID") { stripeConnection { status } } }'.replace('ID', conference.id);
    expect((await server.graphql.query(query)).conference.stripeConnection.status).toBe('RECONNECT_REQUIRED');
    const configured = await configure(server, {
      conferenceId: conference.id,
      secretKey: 'sk_test_simulator_rolled',
      webhookSecret: null,
    });
    expect(configured.conference.stripeConnection.status).toBe('CONNECTED');

    const invoiced = await eventually(
      () => createInvoice(server, order.id),
      ({ userErrors }) => userErrors.every(({ code }: { code: string }) => code === 'ALREADY_INVOICED'),
    );
    expect(invoiced.userErrors.length).toBeLessThanOrEqual(1);
    expect(await readOrder(server, order.id)).toMatchObject({ invoice: { provider: 'STRIPE', status: 'OPEN' } });
  });

  test('and is lost on the way is found out by itself: there is one invoice in the end', async () => {
    const order = await createOrder(server);
    await server.stripe.fault('POST /finalize', { kind: 'reset', when: 'after', times: 3 });

    const answer = await createInvoice(server, order.id);

    expect(answer.userErrors.map(({ code }: { code: string }) => code)).toEqual(['OUTCOME_UNKNOWN']);
    const settled = await eventually(
      () => readOrder(server, order.id),
      ({ invoice }) => invoice?.status === 'OPEN',
      30_000,
    );
    expect(settled).toMatchObject({ status: 'SENT', attention: [] });
    expect((await writes()).filter((call) => call === 'POST /v1/invoices')).toHaveLength(1);
  });
});
