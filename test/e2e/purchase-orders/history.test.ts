import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeKey } from '../../support/api-keys.js';
import { eventually } from '../../support/eventually.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

const EVENT = `position at action actor { id name kind } changes { field before after }
  provider providerInvoiceId providerPaymentIds providerRequestId`;

async function historyOf(id: string, args = ''): Promise<Data> {
  const selection = `{ nodes { ${EVENT} } edges { cursor node { position } } pageInfo { hasNextPage hasPreviousPage } totalCount }`;
  const document = `query ($id: ID!) { purchaseOrder(id: $id) { history${args} ${selection} } }`;
  return (await server.graphql.query(document, { id })).purchaseOrder.history;
}

async function done(mutation: string, input: Record<string, unknown>, fields = 'purchaseOrder { id }'): Promise<Data> {
  const payload = await server.graphql.mutate(mutation, input, `${fields} userErrors { code }`);
  expect(payload.userErrors).toEqual([]);
  return payload;
}

async function paid(id: string, status: string): Promise<void> {
  await eventually(
    () => readOrder(server, id),
    (order) => order.status === status,
  );
}

const KEY = { id: expect.stringMatching(/^key_/), name: 'bootstrap', kind: 'API_KEY' };
const NO_INVOICE = { provider: null, providerInvoiceId: null, providerPaymentIds: [], providerRequestId: null };
/** As `intuit_tid` looks in the simulator. */
const TID = expect.stringMatching(/^[\w-]{8,}$/);

describe('the history of a purchase order', () => {
  test('tells who created, invoiced, e-mailed and paid it, with what changed, newest first', async () => {
    const { id, reference } = await createOrder(server);
    await done('createQboInvoice', { purchaseOrderId: id });
    await done('sendQboInvoice', { purchaseOrderId: id });
    const { qboInvoiceId: invoice } = await readOrder(server, id);
    const { Payment } = await server.quickbooks.pay(invoice, '500.00', { paidOn: '2026-11-02' });
    await paid(id, 'PARTIALLY_PAID');

    const { nodes, totalCount, pageInfo } = await historyOf(id);

    expect([totalCount, pageInfo]).toEqual([4, { hasNextPage: false, hasPreviousPage: false }]);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const inQuickBooks = {
      provider: 'QBO',
      providerInvoiceId: invoice,
      providerPaymentIds: [],
      providerRequestId: TID,
    };
    const [booked, emailed, invoiced, created] = nodes;
    expect(booked).toEqual({
      position: 4,
      at,
      action: 'PAYMENTS_BOOKED_FROM_PROVIDER',
      actor: { id: 'system', name: 'quickbooks', kind: 'SYSTEM' },
      changes: [
        { field: 'status', before: 'SENT', after: 'PARTIALLY_PAID' },
        { field: `payments.${Payment.Id}`, before: null, after: '500.00' },
      ],
      ...inQuickBooks,
      providerPaymentIds: [Payment.Id],
    });
    expect(emailed).toEqual({
      position: 3,
      at,
      action: 'INVOICE_EMAILED',
      actor: KEY,
      changes: [{ field: 'email', before: null, after: 'accounts@example.com' }],
      ...inQuickBooks,
    });
    expect(invoiced).toEqual({
      position: 2,
      at,
      action: 'INVOICE_CREATED',
      actor: KEY,
      changes: [
        { field: 'status', before: 'DRAFT', after: 'SENT' },
        { field: 'total', before: null, after: '1475.00' },
      ],
      ...inQuickBooks,
    });
    expect(created).toEqual({
      position: 1,
      at,
      action: 'PURCHASE_ORDER_CREATED',
      actor: KEY,
      changes: expect.arrayContaining([
        { field: 'total', before: null, after: '1475.00' },
        { field: 'status', before: null, after: 'DRAFT' },
        { field: 'reference', before: null, after: reference },
      ]),
      ...NO_INVOICE,
    });
    const [operation] = await server.sql<{ tid: string }>(
      "select provider_request_id as tid from provider_operation where subject = $1 and kind = 'CREATE_INVOICE'",
      [id],
    );
    expect(invoiced.providerRequestId).toBe(operation?.tid);
  });

  test('tells of a payment in Stripe, of the part that was given back, and of a credit there', async () => {
    const { id } = await createOrder(server);
    await done('createStripeInvoice', { purchaseOrderId: id });
    const { stripeInvoiceId: invoice } = await readOrder(server, id);
    const { paymentIntent } = await server.stripe.pay(invoice, 50_000);
    await paid(id, 'PARTIALLY_PAID');
    await server.stripe.api('POST', '/v1/refunds', { payment_intent: paymentIntent.id, amount: '20000' });
    await eventually(
      () => readOrder(server, id),
      (order) => order.totalPaid.amount === '300.00',
    );
    await server.stripe.api('POST', '/v1/credit_notes', { invoice, amount: '7500' });
    await eventually(
      () => readOrder(server, id),
      (order) => order.totalCredited.amount === '75.00',
    );

    const { nodes } = await historyOf(id);

    const [credited, refunded, received] = nodes;
    const [payment] = received.providerPaymentIds;
    const [credit] = credited.providerPaymentIds;
    expect([credited, refunded, received].map(({ changes }) => changes)).toEqual([
      [{ field: `credits.${credit}`, before: null, after: '75.00' }],
      [{ field: `payments.${payment}`, before: '500.00', after: '300.00' }],
      [
        { field: 'status', before: 'SENT', after: 'PARTIALLY_PAID' },
        { field: `payments.${payment}`, before: null, after: '500.00' },
      ],
    ]);
    for (const event of [credited, refunded, received]) {
      expect(event).toMatchObject({
        action: 'PAYMENTS_BOOKED_FROM_PROVIDER',
        actor: { id: 'system', name: 'stripe', kind: 'SYSTEM' },
        provider: 'STRIPE',
        providerInvoiceId: invoice,
        providerRequestId: expect.stringMatching(/^req_/),
      });
    }
    expect(payment).toMatch(/^inpay_|^pi_|^pyr_/);
    expect(credit).toMatch(/^cn_/);
  });

  test('tells of what people booked by hand, and of the void before a cancellation', async () => {
    const { id } = await createOrder(server);
    const purchaseOrderId = id;
    const { payment } = await done(
      'recordPayment',
      { purchaseOrderId, amount: '10.00', method: 'WIRE' },
      'payment { id }',
    );
    await done('reversePayment', { paymentId: payment.id, reason: 'Typed twice' });
    await done('createQboInvoice', { purchaseOrderId });
    await done('cancelPurchaseOrder', { purchaseOrderId });

    const { nodes } = await historyOf(id);

    const told = nodes.map(({ action, changes }: Data) => [
      action,
      Object.fromEntries(changes.map(({ field, before, after }: Data) => [field, [before, after]])),
    ]);
    expect(told).toEqual([
      ['PURCHASE_ORDER_CANCELLED', { status: ['SENT', 'CANCELLED'] }],
      ['INVOICE_VOIDED', {}],
      ['INVOICE_VOID_REQUESTED', {}],
      ['INVOICE_CREATED', { status: ['DRAFT', 'SENT'], total: [null, '1475.00'] }],
      [
        'PAYMENT_REVERSED',
        {
          status: ['PARTIALLY_PAID', 'DRAFT'],
          payment: [null, payment.id],
          amount: [null, '10.00'],
          reason: [null, 'Typed twice'],
        },
      ],
      [
        'PAYMENT_RECORDED',
        { status: ['DRAFT', 'PARTIALLY_PAID'], payment: [null, payment.id], amount: [null, '10.00'] },
      ],
      ['PURCHASE_ORDER_CREATED', expect.anything()],
    ]);
    expect(nodes[1]).toMatchObject({ provider: 'QBO', providerRequestId: TID });
    expect(nodes[2]).toMatchObject({ provider: 'QBO', providerRequestId: null });

    const { id: credited } = await createOrder(server);
    const credit = { purchaseOrderId: credited, amount: '5.00', reason: 'Late' };
    const { creditNote } = await done('issueCreditNote', credit, 'creditNote { id }');
    const [latest] = (await historyOf(credited)).nodes;
    expect(latest).toEqual({
      position: 2,
      at: expect.any(String),
      action: 'CREDIT_NOTE_ISSUED',
      actor: KEY,
      changes: expect.arrayContaining([
        { field: 'creditNote', before: null, after: creditNote.id },
        { field: 'amount', before: null, after: '5.00' },
        { field: 'reason', before: null, after: 'Late' },
      ]),
      ...NO_INVOICE,
    });
    expect(latest.changes).toHaveLength(3);
  });

  test('tells keys apart that bore the same name one after the other', async () => {
    const { id } = await createOrder(server);
    const payment = { purchaseOrderId: id, amount: '1.00', method: 'WIRE' };
    const grants = { roles: [{ conferenceId: server.conferenceId, role: 'FINANCE' }] };
    const keys: Data[] = [];
    for (const _round of [1, 2]) {
      const key = await makeKey(server, grants, { name: 'till' });
      keys.push(key);
      await new GraphQLClient(server.app.url, key.secret).mutate('recordPayment', payment, 'payment { id }');
      await done('revokeApiKey', { apiKeyId: key.id }, 'apiKey { id }');
    }

    const { nodes } = await historyOf(id, '(first: 2)');

    const till = (key: Data | undefined) => ({ id: key?.id, name: 'till', kind: 'API_KEY' });
    expect(nodes.map(({ actor }: Data) => actor)).toEqual([till(keys[1]), till(keys[0])]);
    expect(keys[0]?.id).not.toBe(keys[1]?.id);
  });

  test('comes in pages from either end, by cursors of its own', async () => {
    const { id } = await createOrder(server);
    const other = await createOrder(server);
    for (const amount of ['1.00', '2.00', '3.00', '4.00']) {
      await done('recordPayment', { purchaseOrderId: id, amount, method: 'WIRE' });
    }
    const positions = ({ nodes }: Data) => nodes.map(({ position }: Data) => position);
    const cursor = ({ edges }: Data) => edges.at(-1).cursor;

    const first = await historyOf(id, '(first: 2)');
    const second = await historyOf(id, `(first: 2, after: "${cursor(first)}")`);
    const third = await historyOf(id, `(first: 2, after: "${cursor(second)}")`);
    const oldest = await historyOf(id, '(last: 2)');
    const between = await historyOf(id, `(last: 5, before: "${cursor(second)}")`);

    expect([first, second, third, oldest, between].map(positions)).toEqual([[5, 4], [3, 2], [1], [2, 1], [5, 4, 3]]);
    expect([first, second, third].map(({ pageInfo }) => pageInfo.hasNextPage)).toEqual([true, true, false]);
    const refused = [
      `(after: "${cursor(await historyOf(other.id))}")`,
      '(after: "bm9uc2Vuc2U")',
      '(first: 101)',
      '(first: 0)',
      '(first: 1, last: 1)',
    ];
    for (const args of refused) {
      const { data, errors } = await server.graphql.send(
        `{ purchaseOrder(id: "${id}") { id history${args} { totalCount } } }`,
      );
      expect(data).toEqual({ purchaseOrder: { id, history: null } });
      expect(errors?.map(({ extensions }: Data) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    }
  });
});

test('every chain that these stories left is whole', async () => {
  const [row] = await server.sql<{ broken: number }>(
    `select count(*)::int as broken from audit_event one left join audit_event before
       on before.subject = one.subject and before.position = one.position - 1
     where one.position is not null and one.previous_hash is distinct from before.hash`,
  );
  expect(row?.broken).toBe(0);
});
