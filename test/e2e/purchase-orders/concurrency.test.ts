import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, countOf } from './support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

const pay = async (purchaseOrderId: string, amount: string, more: Record<string, unknown> = {}): Promise<Data> =>
  server.graphql.mutate('recordPayment', { purchaseOrderId, amount, method: 'WIRE', ...more }, 'payment { id }');

const cancel = async (purchaseOrderId: string): Promise<Data> =>
  server.graphql.mutate('cancelPurchaseOrder', { purchaseOrderId }, 'purchaseOrder { status }');

const send = async (purchaseOrderId: string): Promise<Data> =>
  server.graphql.mutate('sendPurchaseOrder', { purchaseOrderId }, 'purchaseOrder { status }');

const times = <T>(count: number, run: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => run(n));
const codesOf = (payloads: Data[]): string[] =>
  payloads.flatMap(({ userErrors }) => userErrors.map(({ code }: Data) => code));

/** A cycle of statuses in the trail: each change begins where the one before ended. */
async function expectUnbrokenTrail(id: string): Promise<void> {
  const trail = await auditTrail(server, id);
  const changes = trail.slice(1);
  const ends = trail.slice(0, -1).map(({ after }) => after.status);
  expect(changes.map(({ before }) => before.status)).toEqual(ends);
}

test('20 payments at the same time sum up exactly, and each finds the status the one before left', async () => {
  const { id } = await createOrder(server);
  const payloads = await Promise.all(times(20, (index) => pay(id, `73.${70 + index}`)));
  expect(codesOf(payloads)).toEqual([]);
  // 20 × 73.70 + (0 + 1 + … + 19) cents = 1474.00 + 1.90.
  expect(await readOrder(server, id)).toMatchObject({
    status: 'OVERPAID',
    totalPaid: { amount: '1475.90' },
    balanceDue: { amount: '-0.90' },
  });
  expect(await auditTrail(server, id)).toHaveLength(21);
  await expectUnbrokenTrail(id);
});

test('20 payments at the same time with one idempotency key are one payment', async () => {
  const { id } = await createOrder(server);
  const payloads = await Promise.all(times(20, () => pay(id, '100.00', { idempotencyKey: 'pay-at-once' })));
  expect(codesOf(payloads)).toEqual([]);
  expect(new Set(payloads.map(({ payment }) => payment.id)).size).toBe(1);
  expect((await readOrder(server, id)).totalPaid.amount).toBe('100.00');
});

test('W-C7: a payment that races with sending is never lost, whoever comes first', async () => {
  for (let round = 0; round < 10; round++) {
    const { id } = await createOrder(server);
    const [payment, sending] = await Promise.all([pay(id, '1475.00'), send(id)]);
    expect(payment.userErrors).toEqual([]);
    const sendingCodes = codesOf([sending]);
    expect([[], ['ALREADY_PAID']]).toContainEqual(sendingCodes);
    expect(await readOrder(server, id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    await expectUnbrokenTrail(id);
  }
});

test('W-C8: a payment that races with cancelling ends with one of both', async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < 10; round++) {
    const { id } = await createOrder(server);
    const calls = [() => pay(id, '500.00'), () => cancel(id)];
    if (round % 2 === 1) calls.reverse();
    const codes = codesOf(await Promise.all(calls.map((call) => call())));
    const { status, totalPaid, attention } = await readOrder(server, id);
    const outcome = `${codes} ${status} ${totalPaid.amount} ${attention.length}`;
    outcomes.add(outcome);
    expect(['HAS_PAYMENTS PARTIALLY_PAID 500.00 0', 'CANCELLED CANCELLED 0.00 0']).toContain(outcome);
    await expectUnbrokenTrail(id);
  }
  expect(outcomes.size).toBeGreaterThan(0);
});

test('ten reversals of one payment at the same time take it back once', async () => {
  const { id } = await createOrder(server);
  const { payment } = await pay(id, '500.00');
  const reversals = await countOf(server, 'payment_reversal');
  const payloads = await Promise.all(
    times(10, (index) =>
      server.graphql.mutate('reversePayment', { paymentId: payment.id, reason: `Reason ${index}` }, 'payment { id }'),
    ),
  );
  expect(codesOf(payloads)).toEqual(times(9, () => 'ALREADY_REVERSED'));
  expect(await countOf(server, 'payment_reversal')).toBe(reversals + 1);
  expect(await readOrder(server, id)).toMatchObject({ status: 'DRAFT', totalPaid: { amount: '0.00' } });
  expect(await auditTrail(server, id)).toHaveLength(3);
});

test('ten cancellations or ten sendings at the same time happen once', async () => {
  const cancelled = await createOrder(server);
  expect(codesOf(await Promise.all(times(10, () => cancel(cancelled.id))))).toEqual(times(9, () => 'CANCELLED'));
  expect(await auditTrail(server, cancelled.id)).toHaveLength(2);
  const sent = await createOrder(server);
  expect(codesOf(await Promise.all(times(10, () => send(sent.id))))).toEqual(times(9, () => 'NOT_DRAFT'));
  expect(await auditTrail(server, sent.id)).toHaveLength(2);
});

test('20 credit notes at the same time never exceed the total together', async () => {
  const { id } = await createOrder(server);
  const payloads = await Promise.all(
    times(20, () =>
      server.graphql.mutate(
        'issueCreditNote',
        { purchaseOrderId: id, amount: '100.00', reason: 'Goodwill' },
        'creditNote { id }',
      ),
    ),
  );
  expect(codesOf(payloads)).toEqual(times(6, () => 'INVALID'));
  expect(await readOrder(server, id)).toMatchObject({
    totalCredited: { amount: '1400.00' },
    balanceDue: { amount: '75.00' },
    status: 'DRAFT',
  });
});

test('payments, reversals and credit notes on several orders at the same time leave each with its own sums', async () => {
  const orders = await Promise.all(times(5, () => createOrder(server)));
  await Promise.all(
    orders.flatMap(({ id }, index) => [
      pay(id, `${100 + index}.00`),
      pay(id, '10.00').then(({ payment }) =>
        server.graphql.mutate('reversePayment', { paymentId: payment.id, reason: 'Mistake' }, 'payment { id }'),
      ),
      server.graphql.mutate(
        'issueCreditNote',
        { purchaseOrderId: id, amount: '5.00', reason: 'x' },
        'creditNote { id }',
      ),
    ]),
  );
  for (const [index, { id }] of orders.entries()) {
    expect(await readOrder(server, id)).toMatchObject({
      status: 'PARTIALLY_PAID',
      totalPaid: { amount: `${100 + index}.00` },
      totalCredited: { amount: '5.00' },
      balanceDue: { amount: `${1370 - index}.00` },
    });
    await expectUnbrokenTrail(id);
  }
});
