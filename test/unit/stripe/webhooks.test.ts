import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import Stripe from 'stripe';
import { Deadline } from '../../../src/application/deadline.js';
import { requestScope } from '../../../src/application/request-scope.js';
import { StripeWebhooks } from '../../../src/infrastructure/stripe/webhooks.js';
import { gatewayWith, inTurn, ok } from './stand-in-gateway.js';

const NOW = new Date('2026-11-02T10:00:00Z');
const seconds = NOW.getTime() / 1000;
const source = (secrets: string) => new StripeWebhooks({ secrets, companyId: 'con_1', clock: { now: () => NOW } });
const webhooks = source('whsec_first, whsec_second');
const parse = (value: unknown) => webhooks.parse(Buffer.from(JSON.stringify(value)));

function sign(body: Buffer, secret: string, timestamp = seconds): string {
  return Stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret, timestamp });
}

function event(type: string, object: Record<string, unknown>, changes: Record<string, unknown> = {}) {
  return {
    id: 'evt_1',
    object: 'event',
    type,
    created: seconds,
    api_version: '2026-10-28.endive',
    data: { object },
    ...changes,
  };
}

describe('verifying who sent it', () => {
  const body = Buffer.from('{"exact":  "bytes"}');

  test.each(['whsec_first', 'whsec_second'])('a signature with the secret %s is valid', (secret) => {
    expect(webhooks.verify(body, sign(body, secret))).toBe('valid');
  });

  test('what is signed: HMAC-SHA256 of time, dot and the raw bytes, in hexadecimal', () => {
    const mac = createHmac('sha256', 'whsec_first').update(`${seconds}.`).update(body).digest('hex');
    expect(webhooks.verify(body, `t=${seconds},v1=${mac}`)).toBe('valid');
  });

  test.each([
    ['of other bytes', sign(Buffer.from('{"exact": "bytes"}'), 'whsec_first')],
    ['with another secret', sign(body, 'whsec_third')],
    ['with another time', sign(body, 'whsec_first').replace(/t=\d+/, `t=${seconds - 1}`)],
    ['from longer ago than five minutes', sign(body, 'whsec_first', seconds - 301)],
    ['of another scheme', sign(body, 'whsec_first').replace('v1=', 'v0=')],
    ['that is cut off', sign(body, 'whsec_first').slice(0, 30)],
    ['that is empty', ''],
    ['that is missing', undefined],
    ['that is noise', '§§§'],
  ])('a signature %s is invalid', (_what, signature) => {
    expect(webhooks.verify(body, signature)).toBe('invalid');
  });

  test('one of five minutes ago is valid, and one of two is enough', () => {
    expect(webhooks.verify(body, sign(body, 'whsec_first', seconds - 300))).toBe('valid');
    const [, good] = sign(body, 'whsec_first').split(',');
    expect(webhooks.verify(body, `t=${seconds},v1=${'0'.repeat(64)},${good}`)).toBe('valid');
  });

  test.each(['not JSON', '{"object":"v2.core.event"}', '[]'])('what it signs is of no account: %s', (text) => {
    expect(webhooks.verify(Buffer.from(text), sign(Buffer.from(text), 'whsec_first'))).toBe('valid');
  });

  test.each(['', ' , '])('without a secret (%j) nothing can be verified', (secrets) => {
    expect(source(secrets).verify(body, sign(body, 'x'))).toBe('not_configured');
  });
});

describe('what an event concerns', () => {
  test.each([
    ['invoice.paid', { object: 'invoice', id: 'in_1' }, 'in_1'],
    ['invoice_payment.paid', { object: 'invoice_payment', id: 'inpay_1', invoice: 'in_1' }, 'in_1'],
    ['credit_note.created', { object: 'credit_note', id: 'cn_1', invoice: { id: 'in_1', total: 5 } }, 'in_1'],
    ['charge.refunded', { object: 'charge', id: 'ch_1', payment_intent: 'pi_1' }, 'pi_1'],
    ['charge.refunded', { object: 'charge', id: 'ch_1', payment_intent: 'pi_1', invoice: 'in_1' }, 'in_1'],
    ['charge.refunded', { object: 'charge', id: 'ch_1', payment_intent: null, invoice: null }, 'ch_1'],
    ['charge.dispute.closed', { object: 'dispute', id: 'dp_1', payment_intent: { id: 'pi_1' } }, 'pi_1'],
    ['refund.updated', { object: 'refund', id: 're_1', payment_intent: 'pi_1' }, 'pi_1'],
    ['payment_intent.processing', { object: 'payment_intent', id: 'pi_1' }, 'pi_1'],
    ['customer.updated', { object: 'customer', id: 'cus_1', invoice: 'in_9' }, 'cus_1'],
  ])('%s of %j: %s', (type, object, entityId) => {
    expect(parse(event(type, object))).toEqual([
      {
        eventId: 'evt_1',
        companyId: 'con_1',
        entity: object.object,
        entityId,
        operation: type,
        occurredAt: NOW,
        payload: event(type, object),
      },
    ]);
  });

  test('secrets in it are not kept', () => {
    const [read] =
      parse(
        event('payment_intent.processing', { object: 'payment_intent', id: 'pi_1', client_secret: 'pi_1_secret_x' }),
      ) ?? [];
    expect(JSON.stringify(read)).not.toContain('secret');
  });

  test.each<[string, unknown, string]>([
    [
      'a thin event',
      { object: 'v2.core.event', id: 'evt_1', type: 'v1.invoice.paid' },
      'Its object is missing or malformed.',
    ],
    ['no event', {}, 'Its id is missing or malformed.'],
    ['a list', [], 'It is not an event.'],
    [
      'an event without an object',
      { ...event('invoice.paid', {}), data: {} },
      'Its data.object is missing or malformed.',
    ],
    [
      'a payment of no invoice',
      event('invoice_payment.paid', { object: 'invoice_payment', id: 'inpay_1' }),
      'It does not say what it concerns.',
    ],
    [
      'an invoice that is to come',
      event('invoice.upcoming', { object: 'invoice' }),
      'It does not say what it concerns.',
    ],
    [
      'a time that is none',
      event('invoice.paid', { object: 'invoice', id: 'in_1' }, { created: 'now' }),
      'Its created is missing or malformed.',
    ],
  ])('%s is kept as unreadable, once', (_what, value, reason) => {
    const first = parse(value);
    expect(first).toEqual([
      {
        eventId: expect.stringMatching(/^unreadable-[0-9a-f]{64}$/),
        companyId: 'con_1',
        entity: '',
        entityId: '',
        operation: '',
        occurredAt: undefined,
        payload: value,
        unreadable: reason,
      },
    ]);
    expect(parse(value)).toEqual(first);
  });

  test.each(['', 'not JSON', '7', 'null', '"text"'])('%j is no event at all', (text) => {
    expect(webhooks.parse(Buffer.from(text))).toBeUndefined();
  });

  test('whatever comes, it is read or refused, and can be stored', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const events = webhooks.parse(Buffer.from(text)) ?? [];
        expect(events.length).toBeLessThanOrEqual(1);
        expect(JSON.stringify(events)).not.toContain('\\u0000');
      }),
    );
  });
});

describe('what happened since then', () => {
  const paid = event('invoice.paid', { object: 'invoice', id: 'in_1' }, { id: 'evt_3' });
  const sent = event('invoice.sent', { object: 'invoice', id: 'in_1' }, { id: 'evt_2' });

  test('oldest first, over all pages, as by webhook, without what cannot be read', async () => {
    const { gateway, requests } = await gatewayWith(
      inTurn(ok({ data: [paid, { id: 'evt_odd' }], has_more: true }), ok({ data: [sent], has_more: false })),
    );
    const found = await gateway.findEvents('con_1', new Date(NOW.getTime() + 999));
    const webhook = parse(paid)?.[0];
    expect(found).toMatchObject({ ok: true, value: [{ eventId: 'evt_2' }, { eventId: 'evt_3' }] });
    expect(found.ok && { ...Object(found.value)[1], companyId: 'con_1' }).toEqual(webhook);
    const [first, second] = requests.map(({ url }) => new URL(url, 'http://stripe').searchParams);
    expect(first?.get('created[gte]')).toBe(String(seconds));
    expect(second?.get('starting_after')).toBe('evt_odd');
    const types = [...(first ?? [])].filter(([name]) => name.startsWith('types'));
    expect(types).toHaveLength(20);
  });

  const endless = ok({ data: [paid], has_more: true });

  test('is too much after fifty pages', async () => {
    const { gateway, requests } = await gatewayWith(endless);
    expect(await gateway.findEvents('con_1', NOW)).toMatchObject({ ok: true, value: 'too_many' });
    expect(requests).toHaveLength(50);
  });

  test('is too much when the time is over before the last page', async () => {
    const { gateway } = await gatewayWith((request, response) => void setTimeout(() => endless(request, response), 40));
    const found = await requestScope.run({ requestId: 'req', deadline: Deadline.after(150) }, () =>
      gateway.findEvents('con_1', NOW),
    );
    expect(found).toMatchObject({ ok: true, value: 'too_many' });
  });

  test('is not known when not even the first page came in time', async () => {
    const { gateway } = await gatewayWith(() => undefined);
    const found = await requestScope.run({ requestId: 'req', deadline: Deadline.after(50) }, () =>
      gateway.findEvents('con_1', NOW),
    );
    expect(found).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
  });

  test.each([
    ['in_1', true],
    ['in_2', false],
  ])('whether %s was sent: %s', async (externalId, answer) => {
    const { gateway, requests } = await gatewayWith(ok({ data: [sent], has_more: false }));
    expect(await gateway.wasSent('con_1', externalId, NOW)).toMatchObject({ ok: true, value: answer });
    expect(requests[0]?.url).toBe(`/v1/events?created[gte]=${seconds}&types[0]=invoice.sent&limit=100`);
  });
});
