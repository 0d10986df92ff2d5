import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, ORDER, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, countOf, createConference, everything, invoiceOrder } from './support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

type Fields = Record<string, unknown>;

async function recordPayment(purchaseOrderId: string, fields: Fields = {}): Promise<Data> {
  const input = { purchaseOrderId, amount: '500.00', method: 'WIRE', ...fields };
  return server.graphql.mutate('recordPayment', input, `purchaseOrder { ${ORDER} } payment { ${PAYMENT} }`);
}

async function issueCreditNote(purchaseOrderId: string, fields: Fields = {}): Promise<Data> {
  const input = { purchaseOrderId, amount: '100.00', reason: 'Goodwill', ...fields };
  return server.graphql.mutate(
    'issueCreditNote',
    input,
    `purchaseOrder { ${ORDER} } creditNote { id amount { amount currencyCode } reason createdAt }`,
  );
}

async function reversePayment(paymentId: string, reason = 'Entered twice'): Promise<Data> {
  return server.graphql.mutate(
    'reversePayment',
    { paymentId, reason },
    `purchaseOrder { ${ORDER} } payment { ${PAYMENT} }`,
  );
}

const PAYMENT = 'id amount { amount currencyCode } method reference paidOn note source reversedBy { reason createdAt }';

/** What is refused, as `path: code`; fails when anything was changed. */
async function refusals(attempt: () => Promise<Data>): Promise<string[]> {
  const before = await everything(server);
  const { userErrors, ...objects } = await attempt();
  expect(Object.values(objects).every((object) => object === null)).toBe(true);
  expect(await everything(server)).toEqual(before);
  return userErrors.map(({ path, code }: Data) => `${path.join('.')}: ${code}`);
}

/** The codes of a refusal by the schema; fails when anything was changed. */
async function schemaCodes(mutation: string, type: string, input: Fields): Promise<string[]> {
  const before = await everything(server);
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { code } } }`;
  const { data, errors } = await server.graphql.send(document, { input });
  expect(data).toBeUndefined();
  expect(await everything(server)).toEqual(before);
  return (errors ?? []).map(({ extensions }) => extensions.code);
}

const lastTrace = async (id: string) => (await auditTrail(server, id)).at(-1);

describe('recording a payment', () => {
  test('books it, lowers the balance and leaves a trace', async () => {
    const { id } = await createOrder(server);
    const { purchaseOrder, payment, userErrors } = await recordPayment(id, {
      method: 'CHECK',
      reference: ' Cheque 42 ',
      paidOn: '2026-11-02',
      note: 'By courier.\nSigned.',
    });
    expect(userErrors).toEqual([]);
    expect(payment).toMatchObject({
      amount: { amount: '500.00', currencyCode: 'USD' },
      method: 'CHECK',
      reference: 'Cheque 42',
      paidOn: '2026-11-02',
      note: 'By courier.\nSigned.',
      source: 'MANUAL',
      reversedBy: null,
    });
    expect(purchaseOrder).toMatchObject({
      status: 'PARTIALLY_PAID',
      totalPaid: { amount: '500.00' },
      balanceDue: { amount: '975.00' },
    });
    expect(await lastTrace(id)).toEqual({
      actor: 'bootstrap',
      action: 'payment.recorded',
      before: { status: 'DRAFT' },
      after: { status: 'PARTIALLY_PAID', payment: payment.id, amount: '500.00' },
    });
  });

  test('of the rest makes it PAID, of more OVERPAID with a negative balance', async () => {
    const { id } = await createOrder(server);
    await recordPayment(id);
    const paid = await recordPayment(id, { amount: '975.00' });
    expect(paid.purchaseOrder).toMatchObject({ status: 'PAID', balanceDue: { amount: '0.00' } });
    const overpaid = await recordPayment(id, { amount: '0.01' });
    expect(overpaid.purchaseOrder).toMatchObject({
      status: 'OVERPAID',
      totalPaid: { amount: '1475.01' },
      balanceDue: { amount: '-0.01' },
    });
  });

  test('lists the newest day first, then the newest entry', async () => {
    const { id } = await createOrder(server);
    await recordPayment(id, { amount: '1.00', paidOn: '2026-10-02' });
    await recordPayment(id, { amount: '2.00', paidOn: '2026-10-03' });
    await recordPayment(id, { amount: '3.00', paidOn: '2026-10-01' });
    await recordPayment(id, { amount: '4.00', paidOn: '2026-10-02' });
    const { payments } = await readOrder(server, id);
    expect(payments.nodes.map(({ amount }: Data) => amount.amount)).toEqual(['2.00', '4.00', '1.00', '3.00']);
  });

  test('without reference, note and day has empty texts and a day', async () => {
    const { id } = await createOrder(server);
    const { payment } = await recordPayment(id, { reference: null, note: null, paidOn: null });
    expect(payment).toMatchObject({ reference: '', note: '' });
    expect(payment.paidOn).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  test.each(['WIRE', 'ACH', 'CHECK', 'CARD', 'OTHER'])('may come by %s', async (method) => {
    const { id } = await createOrder(server);
    expect((await recordPayment(id, { method })).payment.method).toBe(method);
  });

  test.each(['QBO', 'STRIPE'])('W-C6: does not take %s, which only the provider books', async (method) => {
    const { id } = await createOrder(server);
    expect(await refusals(() => recordPayment(id, { method }))).toEqual(['method: INVALID']);
  });

  test('W-C6: an unknown method or day is refused by the schema, never replaced by wire or today', async () => {
    const { id } = await createOrder(server);
    const base = { purchaseOrderId: id, amount: '1.00', method: 'WIRE' };
    for (const fields of [
      { method: 'PAYPAL' },
      { method: 'wire' },
      { paidOn: '2026-02-30' },
      { paidOn: 'yesterday' },
    ]) {
      const codes = await schemaCodes('recordPayment', 'RecordPaymentInput', { ...base, ...fields });
      expect(codes).toEqual(['BAD_USER_INPUT']);
    }
  });

  test('W-C4: an amount that would round to zero is refused', async () => {
    const { id } = await createOrder(server);
    expect(await refusals(() => recordPayment(id, { amount: '0.004' }))).toEqual(['amount: INVALID']);
    expect(await refusals(() => issueCreditNote(id, { amount: '0.004' }))).toEqual(['amount: INVALID']);
    const yen = await createConference(server, { currencyCode: 'JPY' });
    const lineItems = [{ description: 'Ticket', quantity: 1, unitPrice: '500' }];
    const order = await createOrder(server, { conferenceId: yen.id, lineItems });
    expect(await refusals(() => recordPayment(order.id, { amount: '0.4' }))).toEqual(['amount: INVALID']);
  });

  test.each(['0', '0.00', '-1.00', '-0.01', '1.001', '10000000000000.00'])('of %s is refused', async (amount) => {
    const { id } = await createOrder(server);
    expect(await refusals(() => recordPayment(id, { amount }))).toEqual(['amount: INVALID']);
  });

  test.each([['NaN'], ['Infinity'], ['1e3'], [''], [500], [500.5], [null]])(
    'W-C5: of %j is refused by the schema',
    async (amount) => {
      const { id } = await createOrder(server);
      const input = { purchaseOrderId: id, amount, method: 'WIRE' };
      expect(await schemaCodes('recordPayment', 'RecordPaymentInput', input)).toEqual(['BAD_USER_INPUT']);
    },
  );

  test('W-C23: every offending field is named at once', async () => {
    const { id } = await createOrder(server);
    const fields = {
      amount: '0.00',
      method: 'QBO',
      reference: 'x'.repeat(201),
      paidOn: '9999-12-31',
      note: 'x'.repeat(1001),
    };
    expect(await refusals(() => recordPayment(id, fields))).toEqual([
      'amount: INVALID',
      'method: INVALID',
      'reference: INVALID',
      'paidOn: INVALID',
      'note: INVALID',
    ]);
    expect(await refusals(() => recordPayment(id, { reference: 'a\nb', note: 'a\u0000b' }))).toEqual([
      'reference: INVALID',
      'note: INVALID',
    ]);
  });

  test('for a cancelled or an unknown order is refused', async () => {
    const { id } = await createOrder(server);
    await server.graphql.mutate('cancelPurchaseOrder', { purchaseOrderId: id }, 'purchaseOrder { id }');
    expect(await refusals(() => recordPayment(id))).toEqual(['purchaseOrderId: CANCELLED']);
    expect(await refusals(() => recordPayment('po_unknown'))).toEqual(['purchaseOrderId: NOT_FOUND']);
  });

  test('W-C11: twice with the same idempotency key books once', async () => {
    const { id } = await createOrder(server);
    const first = await recordPayment(id, { idempotencyKey: 'pay-once-1' });
    const before = await everything(server);
    const second = await recordPayment(id, { idempotencyKey: 'pay-once-1' });
    expect(second).toEqual(first);
    expect(await everything(server)).toEqual(before);
    const other = () => recordPayment(id, { idempotencyKey: 'pay-once-1', amount: '500.01' });
    expect(await refusals(other)).toEqual(['idempotencyKey: IDEMPOTENCY_KEY_REUSED']);
    const otherOrder = await createOrder(server);
    const elsewhere = () => recordPayment(otherOrder.id, { idempotencyKey: 'pay-once-1' });
    expect(await refusals(elsewhere)).toEqual(['idempotencyKey: IDEMPOTENCY_KEY_REUSED']);
  });

  test('with a key gives the payment again even after the order moved on', async () => {
    const { id } = await createOrder(server);
    const first = await recordPayment(id, { idempotencyKey: 'pay-once-2' });
    await reversePayment(first.payment.id);
    const again = await recordPayment(id, { idempotencyKey: 'pay-once-2' });
    expect(again.userErrors).toEqual([]);
    expect(again.payment).toMatchObject({ id: first.payment.id, reversedBy: { reason: 'Entered twice' } });
    expect(again.purchaseOrder.totalPaid.amount).toBe('0.00');
  });

  test('a refused call frees its key', async () => {
    const { id } = await createOrder(server);
    const key = { idempotencyKey: 'pay-retry-1' };
    expect(await refusals(() => recordPayment(id, { ...key, amount: '0.00' }))).toEqual(['amount: INVALID']);
    expect((await recordPayment(id, key)).userErrors).toEqual([]);
  });
});

describe('taking a payment back', () => {
  test('W-C9: keeps the payment, says why it no longer counts, and leaves a trace', async () => {
    const { id } = await createOrder(server);
    const { payment } = await recordPayment(id, { amount: '1475.00' });
    const reversed = await reversePayment(payment.id, ' Wrong order ');
    expect(reversed.userErrors).toEqual([]);
    expect(reversed.payment).toMatchObject({ id: payment.id, reversedBy: { reason: 'Wrong order' } });
    expect(reversed.purchaseOrder).toMatchObject({
      status: 'DRAFT',
      totalPaid: { amount: '0.00' },
      balanceDue: { amount: '1475.00' },
      payments: { nodes: [{ id: payment.id, amount: { amount: '1475.00' }, reversedBy: { reason: 'Wrong order' } }] },
    });
    expect(await lastTrace(id)).toEqual({
      actor: 'bootstrap',
      action: 'payment.reversed',
      before: { status: 'PAID' },
      after: { status: 'DRAFT', payment: payment.id, amount: '1475.00', reason: 'Wrong order' },
    });
  });

  test('W-C10: leads out of OVERPAID', async () => {
    const { id } = await createOrder(server);
    await recordPayment(id, { amount: '1475.00' });
    const { payment } = await recordPayment(id, { amount: '25.00' });
    expect((await readOrder(server, id)).status).toBe('OVERPAID');
    expect((await reversePayment(payment.id)).purchaseOrder).toMatchObject({
      status: 'PAID',
      balanceDue: { amount: '0.00' },
    });
  });

  test('a second time is refused', async () => {
    const { id } = await createOrder(server);
    const { payment } = await recordPayment(id);
    await reversePayment(payment.id);
    expect(await refusals(() => reversePayment(payment.id, 'Again'))).toEqual(['paymentId: ALREADY_REVERSED']);
  });

  test('needs a reason and a payment that exists', async () => {
    const { id } = await createOrder(server);
    const { payment } = await recordPayment(id);
    expect(await refusals(() => reversePayment(payment.id, ' '))).toEqual(['reason: INVALID']);
    expect(await refusals(() => reversePayment(payment.id, 'x'.repeat(1001)))).toEqual(['reason: INVALID']);
    expect(await refusals(() => reversePayment('pay_unknown'))).toEqual(['paymentId: NOT_FOUND']);
    expect(await refusals(() => reversePayment(id))).toEqual(['paymentId: NOT_FOUND']);
  });

  test('that QuickBooks reported is refused: it is voided there', async () => {
    const { id } = await createOrder(server);
    await server.sql(
      `insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note, recorded_by,
         provider_company, provider_payment_id, provider_invoice_id, revision, created_at)
       values ('pay_from_quickbooks', $1, 100, 'QBO', 'QBO', '', '2026-11-02', '', 'quickbooks', '1', '2', '3', 1, now())`,
      [id],
    );
    expect(await refusals(() => reversePayment('pay_from_quickbooks'))).toEqual(['paymentId: INVALID']);
  });
});

describe('a credit note', () => {
  test('lowers the balance but is no payment, and leaves a trace', async () => {
    const { id } = await createOrder(server);
    const { purchaseOrder, creditNote, userErrors } = await issueCreditNote(id, { reason: ' One ticket less ' });
    expect(userErrors).toEqual([]);
    expect(creditNote).toMatchObject({
      amount: { amount: '100.00', currencyCode: 'USD' },
      reason: 'One ticket less',
    });
    expect(purchaseOrder).toMatchObject({
      status: 'DRAFT',
      totalPaid: { amount: '0.00' },
      totalCredited: { amount: '100.00' },
      balanceDue: { amount: '1375.00' },
    });
    expect(await lastTrace(id)).toEqual({
      actor: 'bootstrap',
      action: 'credit_note.issued',
      before: { status: 'DRAFT' },
      after: { status: 'DRAFT', creditNote: creditNote.id, amount: '100.00', reason: 'One ticket less' },
    });
  });

  test('W-C10: over the whole total makes the order PAID without money', async () => {
    const { id } = await createOrder(server);
    expect((await issueCreditNote(id, { amount: '1475.00' })).purchaseOrder).toMatchObject({
      status: 'PAID',
      totalPaid: { amount: '0.00' },
      balanceDue: { amount: '0.00' },
    });
  });

  test('on a paid order makes it OVERPAID: money is owed back', async () => {
    const { id } = await createOrder(server);
    await recordPayment(id, { amount: '1475.00' });
    expect((await issueCreditNote(id)).purchaseOrder).toMatchObject({
      status: 'OVERPAID',
      balanceDue: { amount: '-100.00' },
    });
  });

  test('and all former ones together are at most the total', async () => {
    const { id } = await createOrder(server);
    await issueCreditNote(id, { amount: '1000.00' });
    const before = await everything(server);
    const { userErrors } = await issueCreditNote(id, { amount: '475.01' });
    expect(userErrors).toEqual([
      {
        code: 'INVALID',
        path: ['amount'],
        message: 'At most 475.00 USD of this purchase order is not credited yet.',
      },
    ]);
    expect(await everything(server)).toEqual(before);
    expect((await issueCreditNote(id, { amount: '475.00' })).purchaseOrder.status).toBe('PAID');
  });

  test('W-C23: names every offending field at once', async () => {
    const { id } = await createOrder(server);
    expect(await refusals(() => issueCreditNote(id, { amount: '0.00', reason: ' ' }))).toEqual([
      'amount: INVALID',
      'reason: INVALID',
    ]);
    expect(await refusals(() => issueCreditNote(id, { amount: '1.001', reason: 'a\nb' }))).toEqual([
      'amount: INVALID',
      'reason: INVALID',
    ]);
    expect(await refusals(() => issueCreditNote(id, { amount: '-5.00' }))).toEqual(['amount: INVALID']);
  });

  test('is refused while there is a live invoice over the old amount', async () => {
    const { id } = await createOrder(server);
    await invoiceOrder(server, id);
    expect(await refusals(() => issueCreditNote(id))).toEqual(['purchaseOrderId: INVOICED']);
  });

  test('is refused for a cancelled or an unknown order', async () => {
    const { id } = await createOrder(server);
    await server.graphql.mutate('cancelPurchaseOrder', { purchaseOrderId: id }, 'purchaseOrder { id }');
    expect(await refusals(() => issueCreditNote(id))).toEqual(['purchaseOrderId: CANCELLED']);
    expect(await refusals(() => issueCreditNote('po_unknown'))).toEqual(['purchaseOrderId: NOT_FOUND']);
  });

  test('twice with the same idempotency key is issued once', async () => {
    const { id } = await createOrder(server);
    const first = await issueCreditNote(id, { idempotencyKey: 'credit-once-1' });
    const before = await everything(server);
    expect(await issueCreditNote(id, { idempotencyKey: 'credit-once-1' })).toEqual(first);
    expect(await everything(server)).toEqual(before);
    const other = () => issueCreditNote(id, { idempotencyKey: 'credit-once-1', reason: 'Other' });
    expect(await refusals(other)).toEqual(['idempotencyKey: IDEMPOTENCY_KEY_REUSED']);
    expect(await refusals(() => issueCreditNote(id, { idempotencyKey: 'short' }))).toEqual(['idempotencyKey: INVALID']);
  });
});

describe('two payments and two credit notes', () => {
  const SUMS = 'id totalPaid { amount } totalCredited { amount } balanceDue { amount } status';
  const EXPECTED = {
    totalPaid: { amount: '500.00' },
    totalCredited: { amount: '150.00' },
    balanceDue: { amount: '825.00' },
    status: 'PARTIALLY_PAID',
  };

  test('W-C1: show 500 and 150 in the list, in the detail and everywhere else', async () => {
    const order = await createOrder(server);
    await recordPayment(order.id, { amount: '300.00' });
    await recordPayment(order.id, { amount: '200.00' });
    await issueCreditNote(order.id, { amount: '100.00' });
    await issueCreditNote(order.id, { amount: '50.00' });
    const data = await server.graphql.query(
      `query ($id: ID!, $reference: String!, $conference: ID!) {
        byId: purchaseOrder(id: $id) { ${SUMS} }
        byReference: purchaseOrder(reference: $reference) { ${SUMS} }
        node(id: $id) { ... on PurchaseOrder { ${SUMS} } }
        list: purchaseOrders(filter: { search: $reference }) { nodes { ${SUMS} } }
        conference(id: $conference) { purchaseOrders(filter: { search: $reference }) { nodes { ${SUMS} } } }
      }`,
      { id: order.id, reference: order.reference, conference: server.conferenceId },
    );
    const expected = { id: order.id, ...EXPECTED };
    expect(data).toEqual({
      byId: expected,
      byReference: expected,
      node: expected,
      list: { nodes: [expected] },
      conference: { purchaseOrders: { nodes: [expected] } },
    });
  });

  test('W-C2: a mutation in the same document shows the sums as they are after it', async () => {
    const { id } = await createOrder(server);
    const data = await server.graphql.query(
      `mutation ($id: ID!) {
        first: recordPayment(input: { purchaseOrderId: $id, amount: "300.00", method: WIRE }) { purchaseOrder { ${SUMS} } }
        second: recordPayment(input: { purchaseOrderId: $id, amount: "200.00", method: ACH }) {
          purchaseOrder { ${SUMS} payments { totalCount } }
        }
        third: issueCreditNote(input: { purchaseOrderId: $id, amount: "150.00", reason: "x" }) {
          purchaseOrder { ${SUMS} creditNotes { nodes { id } } payments { totalCount } }
        }
      }`,
      { id },
    );
    expect(data.first.purchaseOrder.totalPaid.amount).toBe('300.00');
    expect(data.second.purchaseOrder).toMatchObject({ totalPaid: { amount: '500.00' }, payments: { totalCount: 2 } });
    expect(data.third.purchaseOrder).toMatchObject(EXPECTED);
    expect(data.third.purchaseOrder.creditNotes.nodes).toHaveLength(1);
  });
});

test('payments of one order are a connection that can be paged', async () => {
  const { id } = await createOrder(server);
  for (const amount of ['1.00', '2.00', '3.00']) await recordPayment(id, { amount, paidOn: '2026-11-02' });
  const page = async (args: string): Promise<Data> =>
    (
      await server.graphql.query(
        `{ purchaseOrder(id: "${id}") { payments(${args}) { totalCount nodes { amount { amount } } pageInfo { endCursor hasNextPage } } } }`,
      )
    ).purchaseOrder.payments;
  const first = await page('first: 2');
  expect(first).toMatchObject({
    totalCount: 3,
    nodes: [{ amount: { amount: '3.00' } }, { amount: { amount: '2.00' } }],
    pageInfo: { hasNextPage: true },
  });
  const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
  expect(second).toMatchObject({ nodes: [{ amount: { amount: '1.00' } }], pageInfo: { hasNextPage: false } });
  expect(await countOf(server, 'payment')).toBeGreaterThan(3);
});
