import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { minorUnits } from '../../../src/domain/money.js';
import { balanceDue, deriveStatus } from '../../../src/domain/purchase-order/purchase-order.status.js';

const SOME_DAY = new Date('2026-11-02T10:00:00Z');

interface Order {
  readonly total: bigint;
  readonly paid?: bigint;
  readonly credited?: bigint;
  readonly sent?: boolean;
  readonly cancelled?: boolean;
}

function statusOf({ total, paid = 0n, credited = 0n, sent = false, cancelled = false }: Order) {
  return deriveStatus(
    {
      totalMinor: minorUnits(total),
      sentAt: sent ? SOME_DAY : null,
      cancelledAt: cancelled ? SOME_DAY : null,
    },
    { paid: minorUnits(paid), credited: minorUnits(credited) },
  );
}

describe('the status of a purchase order over 1000', () => {
  test.each<[string, Order, string]>([
    ['untouched: a draft', { total: 1000n }, 'DRAFT'],
    ['sent', { total: 1000n, sent: true }, 'SENT'],
    ['partly paid', { total: 1000n, paid: 1n, sent: true }, 'PARTIALLY_PAID'],
    ['partly paid without ever being sent', { total: 1000n, paid: 999n }, 'PARTIALLY_PAID'],
    ['partly paid and partly credited', { total: 1000n, paid: 500n, credited: 499n, sent: true }, 'PARTIALLY_PAID'],
    ['paid in full', { total: 1000n, paid: 1000n, sent: true }, 'PAID'],
    ['paid in full as a draft', { total: 1000n, paid: 1000n }, 'PAID'],
    ['settled by payment and credit', { total: 1000n, paid: 600n, credited: 400n, sent: true }, 'PAID'],
    ['W-C10: credited in full without money', { total: 1000n, credited: 1000n, sent: true }, 'PAID'],
    ['W-C10: partly credited as a draft stays a draft', { total: 1000n, credited: 400n }, 'DRAFT'],
    ['W-C10: partly credited after sending stays sent', { total: 1000n, credited: 400n, sent: true }, 'SENT'],
    ['paid too much', { total: 1000n, paid: 1001n, sent: true }, 'OVERPAID'],
    ['credited after it was paid', { total: 1000n, paid: 1000n, credited: 1n, sent: true }, 'OVERPAID'],
    ['W-C10: no longer overpaid once a payment is taken back', { total: 1000n, paid: 500n }, 'PARTIALLY_PAID'],
    ['a draft again when its only payment is taken back', { total: 1000n, paid: 0n }, 'DRAFT'],
    ['cancelled', { total: 1000n, cancelled: true }, 'CANCELLED'],
    ['cancelled, whatever was paid', { total: 1000n, paid: 1000n, cancelled: true, sent: true }, 'CANCELLED'],
    ['cancelled, even when overpaid', { total: 1000n, paid: 2000n, cancelled: true }, 'CANCELLED'],
  ])('%s', (_description, order, expected) => {
    expect(statusOf(order)).toBe(expected);
  });
});

describe('W-C10: a purchase order over nothing', () => {
  test('is PAID from the start, sent or not', () => {
    expect(statusOf({ total: 0n })).toBe('PAID');
    expect(statusOf({ total: 0n, sent: true })).toBe('PAID');
  });

  test('is OVERPAID once any money arrives, and CANCELLED when cancelled', () => {
    expect(statusOf({ total: 0n, paid: 1n })).toBe('OVERPAID');
    expect(statusOf({ total: 0n, cancelled: true })).toBe('CANCELLED');
  });
});

test('the balance is the total less payments and credits, negative when too much came', () => {
  const due = (total: bigint, paid: bigint, credited: bigint) =>
    balanceDue(minorUnits(total), { paid: minorUnits(paid), credited: minorUnits(credited) });
  expect(due(147_500n, 50_000n, 15_000n)).toBe(82_500n);
  expect(due(100n, 150n, 10n)).toBe(-60n);
});

test('the status always agrees with the balance', () => {
  const amounts = fc.bigInt(0n, 1000n);
  fc.assert(
    fc.property(amounts, amounts, amounts, fc.boolean(), (total, paid, credited, sent) => {
      const status = statusOf({ total, paid, credited, sent });
      const due = total - paid - credited;
      expect(status === 'PAID').toBe(due === 0n);
      expect(status === 'OVERPAID').toBe(due < 0n);
      expect(status === 'PARTIALLY_PAID').toBe(due > 0n && paid > 0n);
      expect(['DRAFT', 'SENT'].includes(status)).toBe(due > 0n && paid === 0n);
    }),
  );
});
