import { describe, expect, test } from '@jest/globals';
import { tellsNothingNew } from '../../../src/application/webhooks/event-echo.js';
import { Invoice } from '../../../src/domain/invoice/invoice.entity.js';
import { EmailStatus } from '../../../src/domain/invoice/invoice.status.js';
import { WebhookEvent } from '../../../src/domain/webhook/webhook-event.entity.js';

const READ_AT = new Date('2026-11-21T12:00:00.500Z');

function isKnown(event: Partial<WebhookEvent>, invoice: Partial<Invoice> = {}): boolean {
  return tellsNothingNew(
    Object.assign(new WebhookEvent(), { operation: 'updated', arrivalNumber: 50n, occurredAt: null, ...event }),
    Object.assign(new Invoice(), { readingBegun: 40n, providerReadAt: READ_AT, payUrl: null, ...invoice }),
  );
}

describe('an event about an invoice', () => {
  test('tells nothing new when a reading began after it had come', () => {
    expect(isKnown({ arrivalNumber: 39n })).toBe(true);
    expect(isKnown({ arrivalNumber: 41n })).toBe(false);
  });

  test.each([
    ['before the reading', '2026-11-21T12:00:00.499Z', true],
    ['at the very time of the reading', '2026-11-21T12:00:00.500Z', false],
    ['after the reading', '2026-11-21T12:00:00.501Z', false],
    // Rounded to the second it may have happened at 12:00:00.499 or, to be safe, just before 12:00:01.
    ['in the same second, rounded', '2026-11-21T12:00:00.000Z', false],
    ['in the second before, rounded', '2026-11-21T11:59:59.000Z', true],
  ])('about what happened %s', (_when, occurredAt, expected) => {
    expect(isKnown({ occurredAt: new Date(occurredAt) })).toBe(expected);
  });

  test('is read for when the time of the reading, or its own, is not known', () => {
    expect(isKnown({ occurredAt: new Date('2026-11-21T11:00:00.1Z') }, { providerReadAt: null })).toBe(false);
    expect(isKnown({ occurredAt: null })).toBe(false);
  });

  test('is read for when it is replayed, whatever was read before', () => {
    expect(isKnown({ arrivalNumber: null, occurredAt: new Date('2026-11-21T11:00:00.1Z') })).toBe(false);
  });

  test('is an echo when it says that we created or e-mailed it, unless its payment page is wanted', () => {
    expect(isKnown({ operation: 'created' })).toBe(true);
    const sent = { emailStatus: EmailStatus.SENT };
    expect(isKnown({ operation: 'emailed' }, { ...sent, payUrl: 'https://pay.example/1' })).toBe(true);
    expect(isKnown({ operation: 'emailed' }, sent)).toBe(false);
    expect(isKnown({ operation: 'emailed' }, { emailStatus: EmailStatus.NOT_SENT, payUrl: 'x' })).toBe(false);
  });
});
