import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { QuickBooksWebhooks } from '../../../src/infrastructure/quickbooks/webhooks.js';
import { signWebhook } from '../../support/intuit-signature.js';

const webhooks = new QuickBooksWebhooks(['first-verifier', 'second-verifier']);
const parse = (value: unknown) => webhooks.parse(Buffer.from(JSON.stringify(value)));

const cloudEvent = {
  specversion: '1.0',
  id: '88cd52aa-33b6-4351-9aa4-47572edbd068',
  source: 'intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=',
  type: 'qbo.invoice.updated.v1',
  datacontenttype: 'application/json',
  time: '2025-09-10T21:31:25.179851517Z',
  intuitentityid: '1234',
  intuitaccountid: '310687',
  data: {},
};

const legacyEntity = { name: 'Invoice', id: '17', operation: 'Void', lastUpdated: '2015-10-05T14:42:19-0700' };
const legacy = (...entities: unknown[]) => ({
  eventNotifications: [{ realmId: '1185883450', dataChangeEvent: { entities } }],
});

describe('verifying who sent it', () => {
  const body = Buffer.from('[{"exact":  "bytes"}]');

  test.each(['first-verifier', 'second-verifier'])('a signature with the configured token %s is valid', (token) => {
    expect(webhooks.verify(body, signWebhook(body, token))).toBe('valid');
  });

  test('a known answer: HMAC-SHA256 of the raw bytes in base64', () => {
    const known = new QuickBooksWebhooks(['key']);
    const text = Buffer.from('The quick brown fox jumps over the lazy dog');
    expect(known.verify(text, '97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=')).toBe('valid');
  });

  test.each([
    ['of other bytes', signWebhook(Buffer.from('[{"exact": "bytes"}]'), 'first-verifier')],
    ['with another token', signWebhook(body, 'third-verifier')],
    ['that is cut off', signWebhook(body, 'first-verifier').slice(0, 20)],
    ['that has something appended', `${signWebhook(body, 'first-verifier').replace('=', '')}AAAA`],
    ['that is empty', ''],
    ['that is missing', undefined],
    ['that is no base64', '§§§'],
    ['with text behind the padding', `${signWebhook(body, 'first-verifier')}x`],
  ])('a signature %s is invalid', (_what, signature) => {
    expect(webhooks.verify(body, signature)).toBe('invalid');
  });

  test('without a token nothing can be verified', () => {
    expect(new QuickBooksWebhooks([]).verify(body, signWebhook(body, ''))).toBe('not_configured');
    expect(new QuickBooksWebhooks(['']).verify(body, signWebhook(body, ''))).toBe('not_configured');
  });
});

describe('CloudEvents', () => {
  test('one event, nanoseconds cut to milliseconds', () => {
    expect(parse([cloudEvent])).toEqual([
      {
        eventId: '88cd52aa-33b6-4351-9aa4-47572edbd068',
        companyId: '310687',
        entity: 'invoice',
        entityId: '1234',
        operation: 'updated',
        occurredAt: new Date('2025-09-10T21:31:25.179Z'),
        payload: cloudEvent,
      },
    ]);
  });

  test('several companies in one delivery, in order', () => {
    const other = { ...cloudEvent, id: 'b', intuitaccountid: '999', type: 'qbo.payment.created.v1' };
    expect(parse([cloudEvent, other])?.map(({ companyId, entity }) => [companyId, entity])).toEqual([
      ['310687', 'invoice'],
      ['999', 'payment'],
    ]);
  });

  test.each([
    ['qbo.invoice.void.v1', 'invoice', 'voided'],
    ['qbo.invoice.voided.v1', 'invoice', 'voided'],
    ['QBO.CreditMemo.Emailed.V1', 'creditmemo', 'emailed'],
    ['qbo.customer.merged.v2', 'customer', 'merged'],
    ['qbo.invoice.deleted.v1', 'invoice', 'deleted'],
    ['qbo.invoice.reimagined.v1', 'invoice', 'reimagined'],
  ])('type %s is %s %s', (type, entity, operation) => {
    const events = parse([{ ...cloudEvent, type }]);
    expect(events?.[0]).toMatchObject({ entity, operation });
    expect(events?.[0]).not.toHaveProperty('unreadable');
  });

  test('ids that are JSON numbers, and a missing or odd time', () => {
    const events = parse([
      { ...cloudEvent, intuitentityid: 1234, intuitaccountid: 310687, time: undefined },
      { ...cloudEvent, time: 'yesterday' },
    ]);
    expect(events?.[0]).toMatchObject({ entityId: '1234', companyId: '310687', occurredAt: undefined });
    expect(events?.[1]).toMatchObject({ entityId: '1234', occurredAt: undefined });
  });

  test('a single event without a list', () => {
    expect(parse(cloudEvent)).toHaveLength(1);
  });

  test('an empty list has no events', () => {
    expect(parse([])).toEqual([]);
  });
});

describe('the legacy shape', () => {
  test('an entity, with an id derived from what changed', () => {
    expect(parse(legacy(legacyEntity))).toEqual([
      {
        eventId: expect.stringMatching(/^legacy-[0-9a-f]{64}$/),
        companyId: '1185883450',
        entity: 'invoice',
        entityId: '17',
        operation: 'voided',
        occurredAt: new Date('2015-10-05T21:42:19Z'),
        payload: { realmId: '1185883450', entity: legacyEntity },
      },
    ]);
  });

  test('a repeated delivery has the same id; another company, object, operation or time another one', () => {
    const idOf = (changes: object, realmId = '1185883450') => {
      const entities = [{ ...legacyEntity, ...changes }];
      return parse({ eventNotifications: [{ realmId, dataChangeEvent: { entities } }] })?.[0]?.eventId;
    };
    const ids = [
      idOf({}),
      idOf({}, '7'),
      idOf({ name: 'Payment' }),
      idOf({ id: '18' }),
      idOf({ operation: 'Update' }),
      idOf({ lastUpdated: '2015-10-05T14:42:20-0700' }),
    ];
    expect(new Set(ids).size).toBe(6);
    expect(idOf({})).toBe(ids[0]);
  });

  test.each([
    ['2015-10-05T14:42:19-0700', '2015-10-05T21:42:19.000Z'],
    ['2015-10-05T14:42:19-07:00', '2015-10-05T21:42:19.000Z'],
    ['2015-10-05T21:42:19.000Z', '2015-10-05T21:42:19.000Z'],
  ])('time %s', (lastUpdated, expected) => {
    expect(parse(legacy({ ...legacyEntity, lastUpdated }))?.[0]?.occurredAt?.toISOString()).toBe(expected);
  });

  test.each([
    ['Create', 'created'],
    ['Update', 'updated'],
    ['Delete', 'deleted'],
    ['Merge', 'merged'],
    ['Void', 'voided'],
    ['Emailed', 'emailed'],
  ])('operation %s is %s', (operation, expected) => {
    expect(parse(legacy({ ...legacyEntity, operation }))?.[0]?.operation).toBe(expected);
  });
});

test('a legacy change without a time is an event of its own each time, so that no later change is taken for it', () => {
  const entities = [{ name: 'Payment', id: '7', operation: 'Update' }];
  const body = Buffer.from(JSON.stringify({ eventNotifications: [{ realmId: '1', dataChangeEvent: { entities } }] }));
  const [first] = webhooks.parse(body) ?? [];
  const [second] = webhooks.parse(body) ?? [];
  expect(first).toMatchObject({ entity: 'payment', entityId: '7', operation: 'updated' });
  expect(first?.eventId).not.toBe(second?.eventId);
});

describe('what cannot be read', () => {
  test.each([
    ['no JSON', Buffer.from('eventNotifications=1')],
    ['an empty body', Buffer.alloc(0)],
    ['another object', Buffer.from('{"hello":"world"}')],
    ['a text', Buffer.from('"[]"')],
    ['null', Buffer.from('null')],
    ['notifications that are no list', Buffer.from('{"eventNotifications":{}}')],
    ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
  ])('%s is no list of events', (_what, body) => {
    expect(webhooks.parse(body)).toBeUndefined();
  });

  test.each([
    ['an id of more than 100 characters', { ...cloudEvent, id: 'x'.repeat(101) }, 'Its id is missing or malformed.'],
    [
      'a company that is no number',
      { ...cloudEvent, intuitaccountid: "1' or '1" },
      'Its intuitaccountid is missing or malformed.',
    ],
    [
      'a huge entity id',
      { ...cloudEvent, intuitentityid: '9'.repeat(5000) },
      'Its intuitentityid is missing or malformed.',
    ],
    ['a foreign type', { ...cloudEvent, type: 'com.example.changed' }, 'Its type is missing or malformed.'],
    ['a bare number', 7, 'It is not an event.'],
    ['null', null, 'It is not an event.'],
  ])('%s makes an unreadable event and spares its neighbours', (_what, element, reason) => {
    const events = parse([element, cloudEvent]);
    expect(events?.map(({ unreadable }) => unreadable)).toEqual([reason, undefined]);
    expect(events?.[0]).toMatchObject({ companyId: '', entity: '', entityId: '', operation: '' });
    expect(events?.[0]?.eventId).toMatch(/^unreadable-[0-9a-f]{64}$/);
    expect(parse([element])?.[0]?.eventId).toBe(events?.[0]?.eventId);
  });

  test('a bad legacy notification and a bad legacy entity spare their neighbours', () => {
    const events = parse({
      eventNotifications: [{ realmId: 'x' }, ...legacy({ name: 'Invoice' }, legacyEntity).eventNotifications],
    });
    expect(events?.map(({ unreadable, entityId }) => [unreadable !== undefined, entityId])).toEqual([
      [true, ''],
      [true, ''],
      [false, '17'],
    ]);
  });

  test('what PostgreSQL cannot store, and what is too much to store, is cut out of the payload', () => {
    const data = { nul: 'a\u0000b', half: '\ud800', long: 'x'.repeat(5000), list: Array(500).fill(1) };
    const payload = parse([{ ...cloudEvent, data }])?.[0]?.payload as { data: typeof data };
    expect(payload.data.nul).toBe('a\ufffdb');
    expect(payload.data.half).toBe('\ufffd');
    expect(payload.data.long).toHaveLength(1000);
    expect(payload.data.list).toHaveLength(100);
  });

  test('nesting that would exhaust the stack does not', () => {
    const deep = Buffer.from(`[${'['.repeat(200_000)}${']'.repeat(200_000)}]`);
    expect(webhooks.parse(deep)?.map(({ unreadable }) => unreadable)).toEqual(['It is not an event.']);
  });

  test('no JSON whatsoever makes it throw, and every event can be stored', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
        for (const event of webhooks.parse(Buffer.from(`[${json}]`)) ?? []) {
          expect(event.eventId.length).toBeLessThanOrEqual(100);
          expect(JSON.stringify(event.payload)).not.toContain('\\u0000');
        }
      }),
    );
  });
});
