import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { signWebhook } from '../../support/intuit-signature.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { cloudEvent, deliver, eventsOf, legacyNotification, storedEvents, workedOff } from './deliveries.js';

/** No company of ours, so that events are stored, looked at and ignored. */
const UNKNOWN_REALM = '4620816365099999';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ QBO_WEBHOOK_VERIFIER_TOKEN: 'test-verifier-token, second-verifier-token' });
  await app.quickbooks.post('/webhooks', { paused: true });
});

beforeEach(() => app.quickbooks.delete('/requests'));

afterAll(() => app.stop());

/** Everything a refused delivery may not leave behind. */
async function traces() {
  const events = (await storedEvents(app)).map(({ event_id }) => event_id);
  return { events, calls: await app.quickbooks.requests() };
}

describe('W-Q2: who is not Intuit is turned away', () => {
  const event = () => [cloudEvent('payment', 'created', '1', UNKNOWN_REALM)];

  test.each([
    ['no signature', () => undefined],
    ['an empty signature', () => ''],
    ['a signature of something else', () => signWebhook(Buffer.from('[]'), 'test-verifier-token')],
    ['a signature with another token', (body: Buffer) => signWebhook(body, 'not-the-token')],
    ['a signature with an empty token', (body: Buffer) => createHmac('sha256', '').update(body).digest('base64')],
    ['a truncated signature', (body: Buffer) => signWebhook(body, 'test-verifier-token').slice(0, -4)],
    [
      'an altered signature',
      (body: Buffer) => signWebhook(body, 'test-verifier-token').replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    ],
    [
      'a signature in another spelling of the same bytes',
      (body: Buffer) =>
        signWebhook(body, 'test-verifier-token').replace(/(.)=$/, (_match, last: string) => `${nextInBase64(last)}=`),
    ],
    [
      'a hexadecimal signature',
      (body: Buffer) => createHmac('sha256', 'test-verifier-token').update(body).digest('hex'),
    ],
    ['a SHA-1 signature', (body: Buffer) => createHmac('sha1', 'test-verifier-token').update(body).digest('base64')],
    ['the token itself', () => 'test-verifier-token'],
  ])('%s is 401, and nothing is stored or asked', async (_what, sign) => {
    const before = await traces();
    const body = Buffer.from(JSON.stringify(event()));
    const answer = await deliver(app, body, { 'intuit-signature': sign(body) });
    expect(answer).toMatchObject({ status: 401, body: { error: expect.stringContaining('intuit-signature') } });
    expect(await traces()).toEqual(before);
  });

  test('a body that was changed after it was signed is 401, even by a space', async () => {
    const before = await traces();
    const text = JSON.stringify(event());
    const signature = signWebhook(Buffer.from(text), app.verifierToken);
    for (const changed of [`${text} `, text.replace('"1"', '"2"'), text.slice(0, -1)]) {
      expect((await deliver(app, changed, { 'intuit-signature': signature })).status).toBe(401);
    }
    expect(await traces()).toEqual(before);
  });

  test('each of several verifier tokens is accepted while one is being replaced', async () => {
    for (const token of ['test-verifier-token', 'second-verifier-token']) {
      const events = event();
      const body = Buffer.from(JSON.stringify(events));
      expect((await deliver(app, body, { 'intuit-signature': signWebhook(body, token) })).status).toBe(200);
      expect(await eventsOf(app, [events[0]?.id])).toHaveLength(1);
    }
  });
});

describe('the signature counts for the bytes as they came', () => {
  test.each([
    ['white space', (text: string) => text.replaceAll(',', ' ,\n\t ')],
    ['unicode escapes', (text: string) => text.replace('payment', '\\u0070ayment')],
    ['a repeated member', (text: string) => text.replace('"data":{}', '"data":1,"data":{}')],
    ['numbers for ids', (text: string) => text.replace('"intuitentityid":"77"', '"intuitentityid":77')],
  ])('unusual spelling is no obstacle: %s', async (_what, spell) => {
    const event = cloudEvent('payment', 'created', '77', UNKNOWN_REALM);
    const answer = await deliver(app, spell(JSON.stringify([event])));
    expect(answer).toMatchObject({ status: 200, body: { stored: 1, duplicates: 0 } });
    expect(await eventsOf(app, [event.id])).toMatchObject([
      { entity: 'payment', entity_id: '77', operation: 'created' },
    ]);
  });

  test.each([
    'application/json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
    'text/plain',
    undefined,
  ])('the content type %s is accepted', async (contentType) => {
    const event = cloudEvent('payment', 'created', '1', UNKNOWN_REALM);
    expect(await deliver(app, [event], { 'content-type': contentType })).toMatchObject({
      status: 200,
      body: { stored: 1 },
    });
    expect(await eventsOf(app, [event.id])).toHaveLength(1);
  });

  test('a compressed body is refused with 415 instead of being blown up', async () => {
    const before = await traces();
    const body = gzipSync(JSON.stringify([cloudEvent('payment', 'created', '1', UNKNOWN_REALM)]));
    expect((await deliver(app, body, { 'content-encoding': 'gzip' })).status).toBe(415);
    expect(await traces()).toEqual(before);
  });
});

describe('W-Q3: both formats are understood', () => {
  test('CloudEvents of several companies in one delivery are stored one by one', async () => {
    const time = '2026-11-20T21:31:25.179851517Z';
    const events = [
      cloudEvent('payment', 'created', '11', UNKNOWN_REALM, { time }),
      cloudEvent('invoice', 'updated', '12', '4620816365088888', { time }),
      cloudEvent('customer', 'merged', '13', UNKNOWN_REALM, { time }),
    ];
    expect(await deliver(app, events)).toEqual({ status: 200, body: { stored: 3, duplicates: 0 } });
    const rows = await workedOff(app, events);
    expect(rows.map((row) => [row.company_id, row.entity, row.entity_id, row.operation]).toSorted()).toEqual(
      [
        [UNKNOWN_REALM, 'payment', '11', 'created'],
        ['4620816365088888', 'invoice', '12', 'updated'],
        [UNKNOWN_REALM, 'customer', '13', 'merged'],
      ].toSorted(),
    );
    expect(rows[0]?.occurred_at).toEqual(new Date('2026-11-20T21:31:25.179Z'));
  });

  test('the legacy format is stored with the same meaning', async () => {
    const realmId = '4620816365077777';
    const lastUpdated = '2026-11-20T14:42:19-0700';
    const entities = [
      { name: 'Payment', id: '21', operation: 'Create', lastUpdated },
      { name: 'Invoice', id: '22', operation: 'Void', lastUpdated },
      { name: 'Payment', id: '23', operation: 'Delete', lastUpdated: '2026-11-20T14:42:19.000Z' },
    ];
    expect(await deliver(app, legacyNotification(realmId, entities))).toMatchObject({
      status: 200,
      body: { stored: 3 },
    });
    const rows = await app.sql(
      'select entity, entity_id, operation, occurred_at from webhook_event where company_id = $1 order by entity_id',
      [realmId],
    );
    expect(rows).toEqual([
      { entity: 'payment', entity_id: '21', operation: 'created', occurred_at: new Date('2026-11-20T21:42:19Z') },
      { entity: 'invoice', entity_id: '22', operation: 'voided', occurred_at: new Date('2026-11-20T21:42:19Z') },
      { entity: 'payment', entity_id: '23', operation: 'deleted', occurred_at: new Date('2026-11-20T14:42:19Z') },
    ]);
    expect(await deliver(app, legacyNotification(realmId, entities))).toMatchObject({
      status: 200,
      body: { stored: 0, duplicates: 3 },
    });
  });

  test('void and voided, in any case, are the same operation', async () => {
    const events = ['void', 'voided', 'Void', 'VOIDED'].map((operation) =>
      cloudEvent('invoice', operation, '31', UNKNOWN_REALM),
    );
    await deliver(app, events);
    const rows = await eventsOf(
      app,
      events.map(({ id }) => id),
    );
    expect(rows.map(({ operation }) => operation)).toEqual(['voided', 'voided', 'voided', 'voided']);
  });

  test('a delivery without events is accepted and stores nothing', async () => {
    const before = await traces();
    expect(await deliver(app, [])).toEqual({ status: 200, body: { stored: 0, duplicates: 0 } });
    expect(await deliver(app, { eventNotifications: [] })).toMatchObject({ status: 200, body: { stored: 0 } });
    expect(await traces()).toEqual(before);
  });
});

describe('W-Q7: every event is stored once', () => {
  test('a delivery that is repeated, and one that repeats itself', async () => {
    const event = cloudEvent('payment', 'created', '1', UNKNOWN_REALM);
    expect(await deliver(app, [event, event])).toEqual({ status: 200, body: { stored: 1, duplicates: 1 } });
    expect(await deliver(app, [event])).toEqual({ status: 200, body: { stored: 0, duplicates: 1 } });
    expect(await eventsOf(app, [event.id])).toHaveLength(1);
  });

  test('twenty copies at the same time', async () => {
    const event = cloudEvent('payment', 'created', '1', UNKNOWN_REALM);
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(app, [event])));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(answers.reduce((sum, { body }) => sum + body.stored, 0)).toBe(1);
    expect(await eventsOf(app, [event.id])).toHaveLength(1);
  });

  test('an unknown company and an uninteresting entity end as IGNORED, with 200 and without a call', async () => {
    const events = [
      cloudEvent('payment', 'created', '1', UNKNOWN_REALM),
      cloudEvent('vendor', 'updated', '1', app.quickbooks.realmId),
    ];
    expect((await deliver(app, events)).status).toBe(200);
    const rows = await workedOff(app, events);
    expect(rows.map(({ state, last_error }) => [state, last_error]).toSorted()).toEqual([
      ['IGNORED', 'No connection has this realm id.'],
      ['IGNORED', 'Only invoices, payments and refund receipts concern purchase orders.'],
    ]);
    expect(await app.quickbooks.requests()).toEqual([]);
  });

  test('a payment that concerns no order ends as IGNORED after one reading', async () => {
    const event = cloudEvent('payment', 'created', '987654', app.quickbooks.realmId);
    await deliver(app, [event]);
    expect(await workedOff(app, [event])).toMatchObject([{ state: 'IGNORED', attempts: 0 }]);
    expect(await app.quickbooks.requests()).toHaveLength(1);
  });
});

describe('signed nonsense', () => {
  test.each([
    ['nothing at all', ''],
    ['no JSON', 'payment=1'],
    ['half a document', '[{"specversion":"1.0"'],
    ['a text', '"payment"'],
    ['a number', '42'],
    ['null', 'null'],
    ['an object of something else', '{"payments":[]}'],
    ['notifications that are no list', '{"eventNotifications":{"realmId":"1"}}'],
  ])('%s is 400 and stores nothing', async (_what, text) => {
    const before = await traces();
    expect(await deliver(app, text)).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    expect(await traces()).toEqual(before);
  });

  test.each([
    ['null', null],
    ['a number', 7],
    ['a list', [[]]],
    ['an event without an id', cloudEvent('payment', 'created', '1', UNKNOWN_REALM, { id: undefined })],
    ['a type of another product', cloudEvent('payment', 'created', '1', UNKNOWN_REALM, { type: 'stripe.payment' })],
    ['an entity id that is no number', cloudEvent('payment', 'created', "1' or '1'='1", UNKNOWN_REALM)],
    ['an entity id of 10000 digits', cloudEvent('payment', 'created', '9'.repeat(10_000), UNKNOWN_REALM)],
    ['a company id of 10000 digits', cloudEvent('payment', 'created', '1', '9'.repeat(10_000))],
    [
      'an event id of 10000 characters',
      cloudEvent('payment', 'created', '1', UNKNOWN_REALM, { id: 'x'.repeat(10_000) }),
    ],
  ])('in a good list %s is stored as IGNORED with a reason, and the rest counts', async (_what, bad) => {
    const good = cloudEvent('payment', 'created', '1', UNKNOWN_REALM);
    const before = await storedEvents(app);
    expect(await deliver(app, [bad, good])).toEqual({ status: 200, body: { stored: 2, duplicates: 0 } });
    const known = new Set(before.map(({ id }) => id));
    const added = (await storedEvents(app)).filter(({ id }) => !known.has(id));
    const [odd] = added.filter(({ event_id }) => event_id !== good.id);
    expect(odd).toMatchObject({ state: 'IGNORED', company_id: '', last_error: expect.stringMatching(/\w/) });
    expect(added).toHaveLength(2);
  });

  test.each([
    ['NUL characters', { data: { note: 'a\0b', 'c\0d': '\u0000' } }],
    ['lone surrogates', { data: { note: '\ud800 \udfff' } }],
    ['a prototype', JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')],
    ['huge numbers', { data: { n: 1e308, m: -0, big: 123456789012345678901234567890n.toString() } }],
    ['a megabyte of text', { data: { note: 'x'.repeat(1_000_000) } }],
  ])('an event with %s is stored and worked off like any other', async (_what, more) => {
    const event = cloudEvent('payment', 'created', '1', UNKNOWN_REALM, more);
    expect(await deliver(app, [event])).toEqual({ status: 200, body: { stored: 1, duplicates: 0 } });
    const [row] = await workedOff(app, [event]);
    expect(row).toMatchObject({ state: 'IGNORED', entity: 'payment' });
    expect(JSON.stringify(row.payload).length).toBeLessThan(100_000);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('ten thousand levels of nesting are stored cut off', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const event = cloudEvent('payment', 'created', '1', UNKNOWN_REALM);
    const text = JSON.stringify([event]).replace('"data":{}', `"data":${deep}`);
    expect(await deliver(app, text)).toEqual({ status: 200, body: { stored: 1, duplicates: 0 } });
    expect(await workedOff(app, [event])).toMatchObject([{ state: 'IGNORED' }]);
  });

  test('a body of more than two megabytes is 413, whoever signed it', async () => {
    const before = await traces();
    const event = cloudEvent('payment', 'created', '1', UNKNOWN_REALM, { data: { note: 'x'.repeat(2 * 1024 * 1024) } });
    expect((await deliver(app, [event])).status).toBe(413);
    expect((await deliver(app, [event], { 'intuit-signature': undefined })).status).toBe(413);
    expect(await traces()).toEqual(before);
  });

  test('a body that is cut off on the way leaves nothing', async () => {
    const before = await traces();
    const body = Buffer.from(JSON.stringify([cloudEvent('payment', 'created', '1', UNKNOWN_REALM)]));
    await new Promise<void>((resolve) => {
      const sending = request(`${app.app.url}/webhooks/qbo`, {
        method: 'POST',
        headers: { 'content-length': body.length, 'intuit-signature': signWebhook(body, app.verifierToken) },
      });
      sending.on('error', () => resolve());
      sending.on('close', () => resolve());
      sending.write(body.subarray(0, body.length >> 1), () => sending.destroy());
    });
    expect((await deliver(app, [])).status).toBe(200);
    expect(await traces()).toEqual(before);
  });

  test.each(['GET', 'PUT', 'DELETE'])('%s is no way to deliver', async (method) => {
    const before = await traces();
    const response = await fetch(`${app.app.url}/webhooks/qbo`, { method });
    expect(response.status).toBe(404);
    expect(await traces()).toEqual(before);
  });
});

test('the answers are counted for the operators by status', async () => {
  const text = await (await fetch(`${app.app.url}/metrics`)).text();
  for (const status of [200, 400, 401, 413]) {
    expect(text).toMatch(new RegExp(`webhook_requests_total\\{provider="QBO",status="${status}"\\} [1-9]`));
  }
});

/** The next character of the alphabet differs in its last bit only, which carries nothing at the end of 32 bytes. */
function nextInBase64(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return alphabet.charAt(alphabet.indexOf(character) + 1);
}
