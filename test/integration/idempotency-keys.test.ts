import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConference } from '../../src/application/conferences/create-conference.js';
import { removeExpiredIdempotencyKeys } from '../../src/application/idempotency.js';
import { createPurchaseOrder } from '../../src/application/purchase-orders/create-purchase-order.js';
import { issueCreditNote } from '../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../src/application/purchase-orders/record-payment.js';
import { createQboInvoice } from '../../src/application/quickbooks/create-qbo-invoice.js';
import type { QboContext } from '../../src/application/quickbooks/qbo-context.js';
import { LINES } from '../support/purchase-orders.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../support/workbench.js';

let bench: Workbench;
let purchaseOrderId: string;
let idempotencyKey: string;
let keys = 0;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  purchaseOrderId = await bench.order();
  keys += 1;
  idempotencyKey = `client-key-${keys}`;
  await bench.quickbooks.delete('/faults');
});

afterAll(() => bench.stop());

type Mutation = (context: QboContext) => Promise<{ id: string | null; failures: readonly { code: string }[] }>;

/** Every mutation that takes a key, and the table in which it leaves one row more. */
const MUTATIONS: [string, string, Mutation][] = [
  [
    'createConference',
    'conference',
    (context) =>
      createConference(context, {
        name: 'Keyed',
        slug: `keyed-${keys}`,
        currencyCode: 'USD',
        timezone: 'UTC',
        idempotencyKey,
      }),
  ],
  [
    'createPurchaseOrder',
    'purchase_order',
    (context) =>
      createPurchaseOrder(context, {
        conferenceId: bench.conferenceId,
        organizationName: 'Keyed',
        contactEmail: 'ap@example.com',
        lineItems: LINES,
        idempotencyKey,
      }),
  ],
  [
    'recordPayment',
    'payment',
    (context) => recordPayment(context, { purchaseOrderId, amount: '10.00', method: 'WIRE', idempotencyKey }),
  ],
  [
    'issueCreditNote',
    'credit_note',
    (context) => issueCreditNote(context, { purchaseOrderId, amount: '10.00', reason: 'Goodwill', idempotencyKey }),
  ],
  ['createQboInvoice', 'invoice', (context) => createQboInvoice(context, { purchaseOrderId, idempotencyKey })],
];

async function count(table: string): Promise<number> {
  const [row] = await bench.sql(`select count(*)::int as count from ${table}`);
  return row.count;
}

/** Dies where the audit trail is written: the last thing before the commit that does the work. */
function dyingBeforeCommit(): QboContext {
  const { ids, ...context } = bench.process();
  const next: typeof ids.next = (prefix) => (prefix === 'aud' ? die() : ids.next(prefix));
  return { ...context, ids: { ...ids, next } };
}

describe.each(MUTATIONS)('the idempotency key of %s', (name, table, mutate) => {
  test('makes a repetition after a lost answer the same request', async () => {
    const before = await count(table);
    const first = await mutate(bench.process());
    expect(first.failures).toEqual([]);
    expect(await mutate(bench.process())).toEqual(first);
    expect(await count(table)).toBe(before + 1);
  });

  test('lets one of many requests at the same time do the work', async () => {
    const before = await count(table);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => mutate(bench.process())));
    expect(await count(table)).toBe(before + 1);
    const ids = new Set(outcomes.flatMap(({ id }) => (id === null ? [] : [id])));
    expect(ids.size).toBe(1);
    // Only what waits for QuickBooks cannot wait for the first request to end.
    const codes = new Set(outcomes.flatMap(({ failures }) => failures.map(({ code }) => code)));
    expect([...codes]).toEqual(name === 'createQboInvoice' ? ['IDEMPOTENCY_IN_PROGRESS'] : []);
    expect(await mutate(bench.process())).toEqual({ id: [...ids][0], failures: [] });
  });

  test('is still good after a process died in the middle', async () => {
    const before = await count(table);
    await expect(mutate(dyingBeforeCommit())).rejects.toThrow(ProcessDied);
    await bench.later(181_000);
    const outcome = await mutate(bench.process());
    expect(outcome.failures).toEqual([]);
    expect(await mutate(bench.process())).toEqual(outcome);
    expect(await count(table)).toBe(before + 1);
  });

  test('is kept for 72 hours', async () => {
    const first = await mutate(bench.process());
    await bench.later(72 * 3_600_000 - 60_000);
    await removeExpiredIdempotencyKeys(bench.process());
    expect(await mutate(bench.process())).toEqual(first);
    await bench.later(61_000);
    await removeExpiredIdempotencyKeys(bench.process());
    const left = await bench.sql('select 1 from client_idempotency_key where key = ?', [idempotencyKey]);
    expect(left).toEqual([]);
  });
});

describe('the idempotency key of an invoice whose outcome is unknown', () => {
  test('is IDEMPOTENCY_IN_PROGRESS while it is sent, OUTCOME_UNKNOWN while it is looked for, then has the answer', async () => {
    const mutate = () => createQboInvoice(bench.process(), { purchaseOrderId, idempotencyKey });
    const { accounting } = bench.context;
    const createInvoice = async (connection: string, body: string, key: string) => {
      await accounting.createInvoice(connection, body, key);
      return die();
    };
    const dead = createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId, idempotencyKey });
    await expect(dead).rejects.toThrow(ProcessDied);
    expect(await mutate()).toMatchObject({ id: null, failures: [{ code: 'IDEMPOTENCY_IN_PROGRESS' }] });
    await bench.later(16 * 60_000);
    await bench.quickbooks.post('/forget-requestids');
    const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
    const blind = bench.with({ findInvoices: async () => unread });
    const looked = await createQboInvoice(blind, { purchaseOrderId, idempotencyKey });
    expect(looked).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await mutate()).toEqual({ id: purchaseOrderId, failures: [] });
    const { invoices } = await bench.books();
    const [{ reference }] = await bench.sql('select reference from purchase_order where id = ?', [purchaseOrderId]);
    const made = invoices.filter(({ PrivateNote }: { PrivateNote: string }) => PrivateNote.includes(reference));
    expect(made).toHaveLength(1);
  });
});
