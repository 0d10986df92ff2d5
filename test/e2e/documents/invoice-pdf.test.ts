import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeKey } from '../../support/api-keys.js';
import { readPdf } from '../../support/pdf-text.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createConference } from '../purchase-orders/support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

function get(path: string, { method = 'GET', key = String(server.app.apiKey) } = {}): Promise<Response> {
  return fetch(`${server.app.url}${path}`, { method, headers: key === '' ? {} : { authorization: `Bearer ${key}` } });
}

const pathOf = (id: string) => `/purchase-orders/${id}/invoice.pdf`;

describe('GET /purchase-orders/{id}/invoice.pdf', () => {
  test('gives what the order says, with the letterhead of its conference', async () => {
    const letterhead = 'PyConf e. V.\nTorstraße 12';
    await server.graphql.mutate(
      'updateConference',
      { conferenceId: server.conferenceId, letterhead },
      'conference { id }',
    );
    const { id, reference } = await createOrder(server, { organizationName: '株式会社 Łódź', notes: 'Bad payer' });
    const payment = { purchaseOrderId: id, amount: '475.50', method: 'WIRE', reference: 'W-1', paidOn: '2026-11-02' };
    await server.graphql.mutate('recordPayment', payment, 'payment { id }');
    const { purchaseOrder } = await server.graphql.query(`{ purchaseOrder(id: "${id}") { pdfPath } }`);
    expect(purchaseOrder.pdfPath).toBe(pathOf(id));

    const response = await get(purchaseOrder.pdfPath);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(response.headers.get('content-disposition')).toBe(`inline; filename="${reference}.pdf"`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const [page = [], ...more] = await readPdf(await response.bytes());
    expect(more).toEqual([]);
    expect(page).toEqual(
      expect.arrayContaining([
        'PyConf e. V.',
        'Torstraße 12',
        `Purchase order ${reference} Partly paid`,
        '株式会社 Łódź Currency USD',
        '1 Conference ticket 2 499.00 998.00',
        '2 Silver sponsorship 1 477.00 477.00',
        'Balance due 999.50 USD',
        '2 November 2026 Wire transfer W-1 475.50',
      ]),
    );
    expect(page.join('\n')).not.toContain('Bad payer');
  });

  test('to HEAD tells the same without a body', async () => {
    const { id, reference } = await createOrder(server);
    const response = await get(pathOf(id), { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(response.headers.get('content-disposition')).toBe(`inline; filename="${reference}.pdf"`);
    expect(await response.text()).toBe('');
  });

  test.each([
    ['no key', ''],
    ['a key that is not known', 'ci_unknown'],
  ])('with %s is refused, whether the order exists or not', async (_name, key) => {
    const { id } = await createOrder(server);
    for (const path of [pathOf(id), pathOf('po_unknown')]) {
      const response = await get(path, { key });
      expect(response.status).toBe(401);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toEqual({
        error:
          'Send a valid API key: "Authorization: Bearer <key>". None came, or one that is unknown, revoked or expired.',
      });
    }
  });

  test.each(['po_unknown', 'PO-000000', "'; drop table conference --", '%00', '%F0%9F%92%A9'])(
    'of the unknown order %s says so',
    async (id) => {
      const response = await get(pathOf(encodeURI(id).replaceAll('%25', '%')));
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({ error: 'There is no purchase order with this id.' });
    },
  );

  test('is for who sees the order, and to others as if there were none', async () => {
    const order = await createOrder(server);
    const another = await createOrder(server);
    const elsewhere = await createConference(server);
    const viewerOf = (conferenceId: string) => makeKey(server, { roles: [{ conferenceId, role: 'VIEWER' }] });
    const viewer = await viewerOf(server.conferenceId);
    const stranger = await viewerOf(elsewhere.id);
    const buyer = await makeKey(server, { purchaseOrderId: order.id });
    for (const { secret } of [viewer, buyer]) expect((await get(pathOf(order.id), { key: secret })).status).toBe(200);
    for (const [{ secret }, { id }] of [[stranger, order] as const, [buyer, another] as const]) {
      const response = await get(pathOf(id), { key: secret });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({ error: 'There is no purchase order with this id.' });
    }
  });

  test('knows no other method', async () => {
    const { id } = await createOrder(server);
    expect((await get(pathOf(id), { method: 'POST' })).status).toBe(404);
  });
});

describe('a letterhead', () => {
  test('has at most 2000 characters and no control characters', async () => {
    const input = { conferenceId: server.conferenceId };
    for (const letterhead of ['x'.repeat(2001), 'a\u0007b']) {
      const { userErrors } = await server.graphql.mutate(
        'updateConference',
        { ...input, letterhead },
        'conference { id }',
      );
      expect(userErrors).toEqual([expect.objectContaining({ code: 'INVALID', path: ['letterhead'] })]);
    }
  });

  test('is removed by null', async () => {
    const selection = 'conference { letterhead }';
    const input = { conferenceId: server.conferenceId, letterhead: null };
    const { conference } = await server.graphql.mutate('updateConference', input, selection);
    expect(conference).toEqual({ letterhead: '' });
  });
});

// The last test of this file: wrong keys from here are told to wait for a minute afterwards.
test('an address that tries too many keys is told to wait, as by GraphQL, and right ones are served', async () => {
  const { id } = await createOrder(server);
  // Some were tried by the tests before.
  for (let attempt = 1; attempt <= 101; attempt++) {
    const { status } = await get(pathOf(id), { key: `ci_guess-${attempt}` });
    if (status === 429) break;
    expect(status).toBe(401);
  }
  const response = await get(pathOf(id), { key: 'ci_guess' });
  expect(response.status).toBe(429);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await response.text()).toMatch(/Try again in \d+ s\./);
  expect((await get(pathOf(id))).status).toBe(200);
});
