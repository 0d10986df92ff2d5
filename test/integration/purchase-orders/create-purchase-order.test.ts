import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { UseCaseContext } from '../../../src/application/context.js';
import { removeExpiredIdempotencyKeys } from '../../../src/application/idempotency.js';
import {
  type CreatePurchaseOrderInput,
  createPurchaseOrder,
} from '../../../src/application/purchase-orders/create-purchase-order.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { standardWaits } from '../../../src/application/waits.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { type IdSource, randomIds } from '../../../src/domain/ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const NOW = new Date('2026-11-02T10:00:00Z');

let database: TestDatabase;
let orm: MikroORM;
let conferenceId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  const fields = { name: 'Conference', slug: 'conference', currencyCode: 'USD', timezone: 'Asia/Tokyo' };
  conferenceId = String((await createConference(context(), fields)).id);
});

afterAll(async () => {
  await orm.close();
  await database.drop();
});

function context(overrides: Partial<UseCaseContext> = {}): UseCaseContext {
  return {
    em: orm.em.fork(),
    clock: { now: () => NOW },
    ids: randomIds,
    actor: { id: 'key_1', name: 'tester', kind: ActorKind.API_KEY, grants: ALL_GRANTS },
    waits: standardWaits,
    ...overrides,
  };
}

/** Gives out these references one after the other, then random ones. */
function withReferences(...references: string[]): IdSource & { readonly drawn: () => number } {
  let drawn = 0;
  return {
    next: randomIds.next,
    nextReference: () => {
      drawn += 1;
      return references.shift() ?? randomIds.nextReference();
    },
    drawn: () => drawn,
  };
}

const order = (fields: Partial<CreatePurchaseOrderInput> = {}): CreatePurchaseOrderInput => ({
  conferenceId,
  organizationName: 'Acme',
  contactEmail: 'accounts@acme.example',
  lineItems: [{ description: 'Ticket', quantity: 1, unitPrice: '10.00' }],
  ...fields,
});

async function count(table: string): Promise<number> {
  const [row] = await orm.em.fork().execute<{ count: number }[]>(`select count(*)::int as count from ${table}`);
  return row?.count ?? -1;
}

const counts = async () => ({
  orders: await count('purchase_order'),
  lines: await count('line_item'),
  events: await count('audit_event'),
  keys: await count('client_idempotency_key'),
});

describe('a reference that is taken already', () => {
  test('is replaced by another draw, and only one order and one trace of it remain', async () => {
    await createPurchaseOrder(context({ ids: withReferences('PO-TAKEN1') }), order());
    const before = await counts();
    const ids = withReferences('PO-TAKEN1', 'PO-TAKEN1', 'PO-FREE01');
    const outcome = await createPurchaseOrder(context({ ids }), order({ idempotencyKey: 'collision-1' }));
    expect(outcome.failures).toEqual([]);
    expect(ids.drawn()).toBe(3);
    const [row] = await orm.em.fork().execute('select reference from purchase_order where id = ?', [outcome.id]);
    expect(row).toEqual({ reference: 'PO-FREE01' });
    expect(await counts()).toEqual({
      orders: before.orders + 1,
      lines: before.lines + 1,
      events: before.events + 1,
      keys: before.keys + 1,
    });
  });

  test('ten times in a row is a fault of the source of references and leaves nothing behind', async () => {
    const before = await counts();
    const stuck: IdSource = { next: randomIds.next, nextReference: () => 'PO-TAKEN1' };
    const attempt = createPurchaseOrder(context({ ids: stuck }), order({ idempotencyKey: 'collision-2' }));
    await expect(attempt).rejects.toThrow('purchase_order_reference_unique');
    expect(await counts()).toEqual(before);
  });

  test('does not hide another fault of uniqueness', async () => {
    const outcome = await createPurchaseOrder(context(), order());
    const before = await counts();
    const sameIds: IdSource = {
      next: (prefix) => (prefix === 'po' ? String(outcome.id) : randomIds.next(prefix)),
      nextReference: randomIds.nextReference,
    };
    await expect(createPurchaseOrder(context({ ids: sameIds }), order())).rejects.toThrow('purchase_order_pkey');
    expect(await counts()).toEqual(before);
  });
});

describe('an idempotency key', () => {
  test('knows the same input again however its fields are ordered', async () => {
    const input = order({ idempotencyKey: 'key-order-of-fields', notes: 'x', contactName: 'y' });
    const reversed = Object.fromEntries(Object.entries(input).reverse()) as unknown as CreatePurchaseOrderInput;
    const first = await createPurchaseOrder(context(), input);
    const before = await counts();
    expect(await createPurchaseOrder(context(), reversed)).toEqual(first);
    expect(await counts()).toEqual(before);
  });

  test('does not care whether a field is left out or undefined', async () => {
    const first = await createPurchaseOrder(context(), order({ idempotencyKey: 'key-undefined' }));
    const { contactName, ...rest } = { ...order({ idempotencyKey: 'key-undefined' }), contactName: undefined };
    const spelled = { ...rest, contactName } as unknown as CreatePurchaseOrderInput;
    expect(await createPurchaseOrder(context(), spelled)).toEqual(first);
  });

  test.each<[string, Partial<CreatePurchaseOrderInput>]>([
    ['another price', { lineItems: [{ description: 'Ticket', quantity: 1, unitPrice: '10.01' }] }],
    ['another quantity', { lineItems: [{ description: 'Ticket', quantity: 2, unitPrice: '10.00' }] }],
    ['another spelling of the price', { lineItems: [{ description: 'Ticket', quantity: 1, unitPrice: '10' }] }],
    ['a note', { notes: 'note' }],
    [
      'its lines in another order',
      {
        lineItems: [
          { description: 'Lunch', quantity: 1, unitPrice: '1.00' },
          { description: 'Ticket', quantity: 1, unitPrice: '10.00' },
        ],
      },
    ],
  ])('is refused for a request with %s', async (what, change) => {
    const idempotencyKey = `key-${what}`;
    const lineItems = [
      { description: 'Ticket', quantity: 1, unitPrice: '10.00' },
      ...(what.startsWith('its lines') ? [{ description: 'Lunch', quantity: 1, unitPrice: '1.00' }] : []),
    ];
    await createPurchaseOrder(context(), order({ lineItems, idempotencyKey }));
    const before = await counts();
    const outcome = await createPurchaseOrder(context(), order({ lineItems, ...change, idempotencyKey }));
    expect(outcome).toMatchObject({
      id: null,
      failures: [{ code: 'IDEMPOTENCY_KEY_REUSED', path: ['idempotencyKey'] }],
    });
    expect(await counts()).toEqual(before);
  });

  test('belongs to its caller: another one may use the same words', async () => {
    const input = order({ idempotencyKey: 'key-of-somebody' });
    const first = await createPurchaseOrder(context(), input);
    const other = await createPurchaseOrder(
      context({ actor: { id: 'key_2', name: 'other', kind: ActorKind.API_KEY, grants: ALL_GRANTS } }),
      input,
    );
    expect(other.failures).toEqual([]);
    expect(other.id).not.toBe(first.id);
  });

  test('belongs to its mutation: another mutation may use the same words', async () => {
    const { id } = await createPurchaseOrder(context(), order({ idempotencyKey: 'key-of-mutation' }));
    const payment = await recordPayment(context(), {
      purchaseOrderId: String(id),
      amount: '1.00',
      method: 'WIRE',
      idempotencyKey: 'key-of-mutation',
    });
    expect(payment).toMatchObject({ failures: [] });
  });

  test('is forgotten after three days, and only then', async () => {
    const input = order({ idempotencyKey: 'key-of-monday' });
    const first = await createPurchaseOrder(context(), input);
    const cleanAt = async (time: string) =>
      removeExpiredIdempotencyKeys(context({ clock: { now: () => new Date(time) } }));
    await cleanAt('2026-11-05T10:00:00Z');
    expect((await createPurchaseOrder(context(), input)).id).toBe(first.id);
    await cleanAt('2026-11-05T10:00:00.001Z');
    expect((await createPurchaseOrder(context(), input)).id).not.toBe(first.id);
  });
});

describe('the day of a payment', () => {
  const pay = async (purchaseOrderId: string | null, now: string, paidOn?: string) =>
    recordPayment(context({ clock: { now: () => new Date(now) } }), {
      purchaseOrderId: String(purchaseOrderId),
      amount: '1.00',
      method: 'WIRE',
      ...(paidOn !== undefined && { paidOn }),
    });

  test("is today where the conference is, not where the server is, when it isn't given", async () => {
    const { id } = await createPurchaseOrder(context(), order());
    const { id: paymentId } = await pay(id, '2026-11-02T15:00:00Z');
    const [row] = await orm.em.fork().execute('select paid_on::text from payment where id = ?', [paymentId]);
    expect(row).toEqual({ paid_on: '2026-11-03' });
  });

  test('W-C6: is refused in the future and never replaced by today', async () => {
    const { id } = await createPurchaseOrder(context(), order());
    const before = await count('payment');
    expect(await pay(id, '2026-11-02T14:59:59Z', '2026-11-03')).toMatchObject({
      id: null,
      failures: [{ code: 'INVALID', path: ['paidOn'], message: 'The payment day is in the future.' }],
    });
    expect(await pay(id, '2026-11-02T15:00:00Z', '2026-11-03')).toMatchObject({ failures: [] });
    expect(await pay(id, '2026-11-02T15:00:00Z', '2026-02-30')).toMatchObject({
      id: null,
      failures: [{ code: 'INVALID', path: ['paidOn'] }],
    });
    expect(await count('payment')).toBe(before + 1);
  });
});
