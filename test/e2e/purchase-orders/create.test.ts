import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder, LINES, ORDER } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, countOf, createConference, everything } from './support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

const ALL = `${ORDER} organizationName contactEmail contactName billingAddress notes buyerReference dueDate
  subtotal { amount } conference { id } createdAt updatedAt`;

const input = (fields: Record<string, unknown> = {}) => ({
  conferenceId: server.conferenceId,
  organizationName: 'Acme',
  contactEmail: 'accounts@acme.example',
  lineItems: LINES,
  ...fields,
});

async function create(fields: Record<string, unknown> = {}): Promise<Data> {
  return server.graphql.mutate('createPurchaseOrder', input(fields), `purchaseOrder { ${ALL} }`);
}

/** What is refused, as `path: code`; fails when anything was stored. */
async function refused(fields: Record<string, unknown>): Promise<string[]> {
  const before = await everything(server);
  const payload = await create(fields);
  expect(payload.purchaseOrder).toBeNull();
  expect(await everything(server)).toEqual(before);
  return payload.userErrors.map(({ path, code }: Data) => `${path.join('.')}: ${code}`);
}

/** The code of a refusal by the schema; fails when anything was stored. */
async function refusedBySchema(fields: Record<string, unknown>): Promise<string[]> {
  const before = await everything(server);
  const document =
    'mutation ($input: CreatePurchaseOrderInput!) { createPurchaseOrder(input: $input) { purchaseOrder { id } } }';
  const { status, data, errors } = await server.graphql.send(document, { input: input(fields) });
  expect(status).toBe(200);
  expect(data).toBeUndefined();
  expect(await everything(server)).toEqual(before);
  return (errors ?? []).map(({ extensions }) => extensions.code);
}

const line = (fields: Record<string, unknown> = {}) => ({
  description: 'Ticket',
  quantity: 1,
  unitPrice: '1.00',
  ...fields,
});

describe('a new purchase order', () => {
  test('is a draft with exact line totals, nothing paid and everything due', async () => {
    const { purchaseOrder, userErrors } = await create({
      contactName: 'Ada Payable',
      billingAddress: '1 Main Street\nSpringfield',
      notes: 'Call first.\n\tThen write.',
      buyerReference: '4500012345',
      dueDate: '2026-12-31',
    });
    expect(userErrors).toEqual([]);
    expect(purchaseOrder).toMatchObject({
      status: 'DRAFT',
      currencyCode: 'USD',
      organizationName: 'Acme',
      contactEmail: 'accounts@acme.example',
      contactName: 'Ada Payable',
      billingAddress: '1 Main Street\nSpringfield',
      notes: 'Call first.\n\tThen write.',
      buyerReference: '4500012345',
      dueDate: '2026-12-31',
      conference: { id: server.conferenceId },
      subtotal: { amount: '1475.00' },
      total: { amount: '1475.00', currencyCode: 'USD' },
      totalPaid: { amount: '0.00' },
      totalCredited: { amount: '0.00' },
      balanceDue: { amount: '1475.00' },
      lineItems: [
        {
          description: 'Conference ticket',
          quantity: 2,
          unitPrice: { amount: '499.00' },
          lineTotal: { amount: '998.00' },
        },
        {
          description: 'Silver sponsorship',
          quantity: 1,
          unitPrice: { amount: '477.00' },
          lineTotal: { amount: '477.00' },
        },
      ],
      payments: { nodes: [] },
      creditNotes: { nodes: [] },
      qboInvoice: null,
      qboInvoiceId: null,
      qboInvoiceUrl: null,
      attention: [],
    });
    expect(purchaseOrder.reference).toMatch(/^PO-[A-Z0-9]{6}$/);
    expect(purchaseOrder.id).toMatch(/^po_[0-9a-f]{32}$/);
    expect(purchaseOrder.createdAt).toBe(purchaseOrder.updatedAt);
  });

  test('W-C19: leaves who made it, and what, in the audit trail', async () => {
    const order = await createOrder(server);
    expect(await auditTrail(server, order.id)).toEqual([
      {
        actor: 'bootstrap',
        action: 'purchase_order.created',
        before: null,
        after: { reference: order.reference, total: '1475.00', status: 'DRAFT' },
      },
    ]);
  });

  test('has empty texts and no due date when they are left out or null', async () => {
    const empty = { contactName: '', billingAddress: '', notes: '', buyerReference: '', dueDate: null };
    expect((await create()).purchaseOrder).toMatchObject(empty);
    const nulls = Object.fromEntries(Object.keys(empty).map((name) => [name, null]));
    expect((await create(nulls)).purchaseOrder).toMatchObject(empty);
  });

  test('has its texts trimmed', async () => {
    const { purchaseOrder } = await create({
      organizationName: '  Acme\t',
      contactEmail: ' accounts@acme.example ',
      lineItems: [line({ description: ' Ticket ' })],
    });
    expect(purchaseOrder).toMatchObject({
      organizationName: 'Acme',
      contactEmail: 'accounts@acme.example',
      lineItems: [{ description: 'Ticket' }],
    });
  });

  test('W-C10: over nothing is PAID at once', async () => {
    const { purchaseOrder } = await create({ lineItems: [line({ unitPrice: '0.00', quantity: 3 })] });
    expect(purchaseOrder).toMatchObject({
      status: 'PAID',
      total: { amount: '0.00' },
      balanceDue: { amount: '0.00' },
    });
  });

  test.each([
    ['JPY', '500', 3, '500', '1500'],
    ['KWD', '1.234', 2, '1.234', '2.468'],
    ['EUR', '0.1', 3, '0.10', '0.30'],
    ['CLF', '1.0001', 3, '1.0001', '3.0003'],
  ])('in %s has the digits of its currency', async (currencyCode, unitPrice, quantity, shownPrice, total) => {
    const conference = await createConference(server, { currencyCode });
    const { purchaseOrder, userErrors } = await create({
      conferenceId: conference.id,
      lineItems: [line({ unitPrice, quantity })],
    });
    expect(userErrors).toEqual([]);
    expect(purchaseOrder).toMatchObject({
      currencyCode,
      total: { amount: total, currencyCode },
      lineItems: [{ unitPrice: { amount: shownPrice }, lineTotal: { amount: total } }],
    });
  });

  test('may be as large as 15 digits go, and not a cent larger', async () => {
    const largest = line({ unitPrice: '9999999999999.99' });
    const { purchaseOrder } = await create({ lineItems: [largest] });
    expect(purchaseOrder.total.amount).toBe('9999999999999.99');
    expect(await refused({ lineItems: [largest, line({ unitPrice: '0.01' })] })).toEqual(['lineItems: INVALID']);
    expect(await refused({ lineItems: [line({ unitPrice: '5000000000000.00', quantity: 2 })] })).toEqual([
      'lineItems: INVALID',
    ]);
    expect(await refused({ lineItems: [line({ unitPrice: '9999999999999.99', quantity: 2_147_483_647 })] })).toEqual([
      'lineItems: INVALID',
    ]);
    expect(await refused({ lineItems: [line({ unitPrice: '10000000000000.00' })] })).toEqual([
      'lineItems.0.unitPrice: INVALID',
    ]);
  });

  test('W-C12: keeps its currency when the conference changes its own', async () => {
    const conference = await createConference(server);
    const before = (await create({ conferenceId: conference.id })).purchaseOrder;
    const change = { conferenceId: conference.id, currencyCode: 'JPY' };
    expect((await server.graphql.mutate('updateConference', change, 'conference { currencyCode }')).userErrors).toEqual(
      [],
    );
    const lineItems = [line({ unitPrice: '500' })];
    const after = (await create({ conferenceId: conference.id, lineItems })).purchaseOrder;
    expect(after).toMatchObject({ currencyCode: 'JPY', total: { amount: '500' } });
    const { purchaseOrder } = await server.graphql.query(
      `{ purchaseOrder(id: "${before.id}") { currencyCode total { amount currencyCode } } }`,
    );
    expect(purchaseOrder).toEqual({ currencyCode: 'USD', total: { amount: '1475.00', currencyCode: 'USD' } });
  });
});

describe('a purchase order is refused', () => {
  test('W-C23: with the path of every offending field at once', async () => {
    expect(
      await refused({
        organizationName: ' ',
        contactEmail: 'nobody',
        contactName: 'two\nlines',
        buyerReference: 'x'.repeat(101),
        lineItems: [
          line({ description: '', quantity: 0, unitPrice: '1.001' }),
          line(),
          line({ quantity: -1, unitPrice: '-1.00' }),
        ],
      }),
    ).toEqual([
      'organizationName: INVALID',
      'contactEmail: INVALID',
      'contactName: INVALID',
      'buyerReference: INVALID',
      'lineItems.0.description: INVALID',
      'lineItems.0.quantity: INVALID',
      'lineItems.0.unitPrice: INVALID',
      'lineItems.2.quantity: INVALID',
      'lineItems.2.unitPrice: INVALID',
    ]);
  });

  test('W-C3: without lines, with a quantity below 1 or a negative price', async () => {
    expect(await refused({ lineItems: [] })).toEqual(['lineItems: INVALID']);
    expect(await refused({ lineItems: [line({ quantity: 0 })] })).toEqual(['lineItems.0.quantity: INVALID']);
    expect(await refused({ lineItems: [line({ quantity: -1 })] })).toEqual(['lineItems.0.quantity: INVALID']);
    expect(await refused({ lineItems: [line({ unitPrice: '-0.01' })] })).toEqual(['lineItems.0.unitPrice: INVALID']);
  });

  test.each([
    ['USD', '10.005'],
    ['JPY', '500.0'],
    ['KWD', '1.2345'],
  ])('W-C3: for a price with more digits than %s has: %s', async (currencyCode, unitPrice) => {
    const { id } = await createConference(server, { currencyCode });
    expect(await refused({ conferenceId: id, lineItems: [line({ unitPrice })] })).toEqual([
      'lineItems.0.unitPrice: INVALID',
    ]);
  });

  test.each([
    ['a JSON number as a price', { unitPrice: 5 }],
    ['a fraction as a price', { unitPrice: 499.99 }],
    ['W-C5: "NaN" as a price', { unitPrice: 'NaN' }],
    ['W-C5: "Infinity" as a price', { unitPrice: 'Infinity' }],
    ['an exponent in a price', { unitPrice: '1e3' }],
    ['a comma in a price', { unitPrice: '1,000.00' }],
    ['no price', { unitPrice: null }],
    ['a quantity beyond 32 bits', { quantity: 2_147_483_648 }],
    ['a fraction of a piece', { quantity: 1.5 }],
    ['a quantity as text', { quantity: '1' }],
    ['W-C21: a ticket of another conference, which no line can name', { ticketTypeId: 'ticket_1' }],
  ])('by the schema for %s', async (_what, fields) => {
    expect(await refusedBySchema({ lineItems: [line(fields)] })).toEqual(['BAD_USER_INPUT']);
  });

  test('W-C20: by the schema for a total, status or currency of its own', async () => {
    for (const fields of [{ total: '1.00' }, { status: 'PAID' }, { currencyCode: 'EUR' }, { reference: 'PO-AAAAAA' }]) {
      expect(await refusedBySchema(fields)).toEqual(['BAD_USER_INPUT']);
    }
  });

  test.each(['2026-02-30', '31.12.2026', '2026-12-31T00:00:00Z', 'soon', ''])(
    'W-C6: by the schema for the due date %j, which is never replaced',
    async (dueDate) => {
      expect(await refusedBySchema({ dueDate })).toEqual(['BAD_USER_INPUT']);
    },
  );

  test('for a due date that no calendar has', async () => {
    expect(await refused({ dueDate: '0000-01-01' })).toEqual(['dueDate: INVALID']);
  });

  test.each([
    'nobody',
    '@acme.example',
    'a@',
    'a b@acme.example',
    'a@b@c.example',
    `${'x'.repeat(90)}@acme.example`,
    '',
  ])('for the e-mail address %j', async (contactEmail) => {
    expect(await refused({ contactEmail })).toEqual(expect.arrayContaining(['contactEmail: INVALID']));
  });

  test('for a conference that does not exist', async () => {
    expect(await refused({ conferenceId: 'conf_unknown' })).toEqual(['conferenceId: NOT_FOUND']);
    expect(await refused({ conferenceId: '' })).toEqual(['conferenceId: NOT_FOUND']);
  });
});

describe('hostile texts', () => {
  test.each([
    ['emoji', '🚀🎉 Rakete GmbH 👩‍💻'],
    ['quotes', `O'Reilly "Media" \`; drop table purchase_order; --`],
    ['markup', '<script>alert(1)</script> & Co'],
    ['right to left', 'مؤتمر בע״מ'],
    ['combining marks', 'Z̶̤͒a̴̜͝l̸̰̓g̷̛̬o̵̧̾'],
    ['placeholders', '? $1 ?? :name %s {} {{x}}'],
    ['backslashes', 'a\\b\\\\c\\n'],
    ['a long word', 'x'.repeat(300)],
  ])('%s come back as they were sent', async (_what, text) => {
    const { purchaseOrder, userErrors } = await create({
      organizationName: text,
      contactName: text.slice(0, 200),
      notes: text,
      lineItems: [line({ description: text })],
    });
    expect(userErrors).toEqual([]);
    expect(purchaseOrder).toMatchObject({ organizationName: text, notes: text, lineItems: [{ description: text }] });
  });

  test.each([
    ['NUL', 'a\u0000b'],
    ['a control character', 'a\u0007b'],
    ['a control character of the second row', 'a\u0085b'],
    ['a line break', 'a\nb'],
    ["Unicode's line separator", 'a\u2028b'],
    ['half a surrogate pair', 'a\ud800b'],
    ['no character at all', 'a\uffffb'],
    ['10 kB', 'x'.repeat(10_240)],
    ['301 characters', 'x'.repeat(301)],
    ['blanks', ' \t '],
    ['unbreakable blanks', '\u00a0\u3000'],
  ])('with %s are refused as a name and as a description', async (_what, text) => {
    expect(await refused({ organizationName: text, lineItems: [line({ description: text })] })).toEqual([
      'organizationName: INVALID',
      'lineItems.0.description: INVALID',
    ]);
  });

  test('of several lines are welcome in the address and the notes, but no control characters', async () => {
    const address = '1 Main Street\r\nSpringfield\n\tBack door';
    expect((await create({ billingAddress: address, notes: address })).purchaseOrder).toMatchObject({
      billingAddress: address,
      notes: address,
    });
    expect(await refused({ billingAddress: 'a\u0000b', notes: 'a\u001bb' })).toEqual([
      'billingAddress: INVALID',
      'notes: INVALID',
    ]);
    expect(await refused({ billingAddress: 'x'.repeat(2001), notes: 'x'.repeat(4001) })).toEqual([
      'billingAddress: INVALID',
      'notes: INVALID',
    ]);
  });
});

describe('an idempotency key', () => {
  test('with the same input gives the same order and creates no second one', async () => {
    const first = await create({ idempotencyKey: 'create-once-1' });
    const before = await everything(server);
    const second = await create({ idempotencyKey: 'create-once-1' });
    expect(second).toEqual(first);
    expect(await everything(server)).toEqual(before);
  });

  test('gives the same order also after the conference changed its currency', async () => {
    const first = await create({ idempotencyKey: 'create-currency' });
    const setCurrency = (currencyCode: string) =>
      server.graphql.mutate('updateConference', { conferenceId: server.conferenceId, currencyCode }, '');
    await setCurrency('JPY');
    expect(await create({ idempotencyKey: 'create-currency' })).toEqual(first);
    await setCurrency('USD');
  });

  test('takes a field that is null for one that is left out', async () => {
    const first = await create({ idempotencyKey: 'create-null' });
    expect(await create({ idempotencyKey: 'create-null', notes: null, dueDate: null })).toEqual(first);
  });

  test('with other input is refused', async () => {
    await create({ idempotencyKey: 'create-once-2' });
    expect(await refused({ idempotencyKey: 'create-once-2', notes: 'other' })).toEqual([
      'idempotencyKey: IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  test.each([2, 10])('of %i calls at the same time creates one order', async (calls) => {
    const before = await countOf(server, 'purchase_order');
    const payloads = await Promise.all(
      Array.from({ length: calls }, () => create({ idempotencyKey: `create-at-once-${calls}` })),
    );
    expect(payloads.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    expect(new Set(payloads.map(({ purchaseOrder }) => purchaseOrder.id)).size).toBe(1);
    expect(await countOf(server, 'purchase_order')).toBe(before + 1);
    expect(await auditTrail(server, payloads[0].purchaseOrder.id)).toHaveLength(1);
  });

  test('of calls at the same time with different input creates one order and refuses the others', async () => {
    const before = await countOf(server, 'purchase_order');
    const payloads = await Promise.all(
      ['a', 'b', 'c', 'd'].map((notes) => create({ idempotencyKey: 'create-contest', notes })),
    );
    expect(payloads.filter(({ purchaseOrder }) => purchaseOrder)).toHaveLength(1);
    const codes = payloads.flatMap(({ userErrors }) => userErrors.map(({ code }: Data) => code));
    expect(codes).toEqual(Array.from({ length: 3 }, () => 'IDEMPOTENCY_KEY_REUSED'));
    expect(await countOf(server, 'purchase_order')).toBe(before + 1);
  });

  test('is free again after a refused call', async () => {
    expect(await refused({ idempotencyKey: 'create-retry', contactEmail: 'nobody' })).toEqual([
      'contactEmail: INVALID',
    ]);
    const { purchaseOrder, userErrors } = await create({ idempotencyKey: 'create-retry' });
    expect(userErrors).toEqual([]);
    expect(purchaseOrder.status).toBe('DRAFT');
  });

  test.each([
    ['seven characters', '1234567'],
    ['none', ''],
    ['256 characters', 'x'.repeat(256)],
    ['four characters of two units each', '🚀🚀🚀🚀'],
    ['NUL', 'create\u0000once'],
    ['half a surrogate pair', 'create-\ud800-once'],
  ])('of %s is refused', async (_what, idempotencyKey) => {
    expect(await refused({ idempotencyKey })).toEqual(['idempotencyKey: INVALID']);
  });

  test.each(['12345678', 'x'.repeat(255), '🚀'.repeat(8), "quote's?$1"])('may be %j', async (idempotencyKey) => {
    const { purchaseOrder } = await create({ idempotencyKey });
    expect((await create({ idempotencyKey })).purchaseOrder.id).toBe(purchaseOrder.id);
  });
});

test('two mutations in one document do not share what went wrong', async () => {
  const before = await countOf(server, 'purchase_order');
  const { data, errors } = await server.graphql.send(
    `mutation ($good: CreatePurchaseOrderInput!, $bad: CreatePurchaseOrderInput!) {
      first: createPurchaseOrder(input: $bad) { purchaseOrder { id } userErrors { code } }
      second: createPurchaseOrder(input: $good) { purchaseOrder { id } userErrors { code } }
      third: createPurchaseOrder(input: $good) { purchaseOrder { id } userErrors { code } }
    }`,
    { good: input(), bad: input({ lineItems: [] }) },
  );
  expect(errors).toBeUndefined();
  expect(data.first).toEqual({ purchaseOrder: null, userErrors: [{ code: 'INVALID' }] });
  expect(data.second.purchaseOrder.id).not.toBe(data.third.purchaseOrder.id);
  expect(await countOf(server, 'purchase_order')).toBe(before + 2);
});

// Last, because what it stores is compared again by every test that comes after it.
test('a purchase order may have 750 lines, which keep their order, and not one more', async () => {
  const lines = Array.from({ length: 750 }, (_, index) => line({ description: `Line ${index}` }));
  const { purchaseOrder } = await create({ lineItems: lines });
  expect(purchaseOrder.total.amount).toBe('750.00');
  expect(purchaseOrder.lineItems.map(({ description }: Data) => description)).toEqual(
    lines.map(({ description }) => description),
  );
  expect(await refused({ lineItems: [...lines, line()] })).toEqual(['lineItems: INVALID']);
});
