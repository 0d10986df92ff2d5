import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type BookedPayment,
  type BookingPlan,
  planBookings,
  type ReportedPayment,
} from '../../../src/domain/invoice/booking-plan.js';
import { minorUnits } from '../../../src/domain/money.js';

const reportedPayment = (fields: Partial<ReportedPayment> = {}): ReportedPayment => ({
  providerPaymentId: '7',
  amount: minorUnits(500n),
  paidOn: '2026-11-02',
  reference: 'WIRE-1',
  ...fields,
});

const bookedPayment = (fields: Partial<BookedPayment> = {}): BookedPayment => ({
  ...reportedPayment(),
  id: 'pay_1',
  revision: 1,
  isReversed: false,
  ...fields,
});

/** What the database holds after a plan was carried out. */
function apply(booked: readonly BookedPayment[], plan: BookingPlan): BookedPayment[] {
  const reversed = new Set(plan.reverse.map(({ bookingId }) => bookingId));
  const kept = booked.map((payment) => ({ ...payment, isReversed: payment.isReversed || reversed.has(payment.id) }));
  const added = plan.book.map((payment) => ({
    ...payment,
    id: `pay_${payment.providerPaymentId}_${payment.revision}`,
    isReversed: false,
  }));
  return [...kept, ...added];
}

const factsOf = ({ providerPaymentId, amount, paidOn, reference }: ReportedPayment) =>
  `${providerPaymentId} ${amount} ${paidOn} ${reference}`;
const standingFacts = (booked: readonly BookedPayment[]) =>
  booked
    .filter((payment) => !payment.isReversed)
    .map(factsOf)
    .sort();

describe('planning what to book', () => {
  test('a new payment is booked as its first revision', () => {
    expect(planBookings([], [reportedPayment()])).toEqual({
      reverse: [],
      book: [{ ...reportedPayment(), revision: 1 }],
    });
  });

  test('W-C11: the same report again books nothing', () => {
    expect(planBookings([bookedPayment()], [reportedPayment()])).toEqual({ reverse: [], book: [] });
  });

  test.each<[string, Partial<ReportedPayment>]>([
    ['another amount', { amount: minorUnits(499n) }],
    ['another day', { paidOn: '2026-11-03' }],
    ['another reference', { reference: 'WIRE-2' }],
  ])('a payment that has %s now is reversed and booked as its next revision', (_what, change) => {
    expect(planBookings([bookedPayment()], [reportedPayment(change)])).toEqual({
      reverse: [{ bookingId: 'pay_1', reason: 'The payment was changed at the provider.' }],
      book: [{ ...reportedPayment(change), revision: 2 }],
    });
  });

  test('a payment that is gone is reversed', () => {
    expect(planBookings([bookedPayment()], [])).toEqual({
      reverse: [
        { bookingId: 'pay_1', reason: 'The payment was voided, deleted or applied elsewhere at the provider.' },
      ],
      book: [],
    });
  });

  test('a payment that is gone and reversed already is left alone', () => {
    expect(planBookings([bookedPayment({ isReversed: true })], [])).toEqual({ reverse: [], book: [] });
  });

  test('a reversed payment that is reported again is booked as its next revision', () => {
    const booked = [bookedPayment({ isReversed: true }), bookedPayment({ id: 'pay_2', revision: 2, isReversed: true })];
    expect(planBookings(booked, [reportedPayment()])).toEqual({
      reverse: [],
      book: [{ ...reportedPayment(), revision: 3 }],
    });
  });

  test('credit has no day and no number of its own, so only its amount can change', () => {
    const credit = { providerPaymentId: '7', amount: minorUnits(500n) };
    const booked = [{ ...credit, id: 'cn_1', revision: 1, isReversed: false }];
    expect(planBookings(booked, [credit])).toEqual({ reverse: [], book: [] });
    const less = { ...credit, amount: minorUnits(200n) };
    expect(planBookings(booked, [less])).toEqual({
      reverse: [{ bookingId: 'cn_1', reason: 'The payment was changed at the provider.' }],
      book: [{ ...less, revision: 2 }],
    });
  });

  test('revisions of different payments do not count together', () => {
    const booked = [bookedPayment()];
    const other = reportedPayment({ providerPaymentId: '8' });
    expect(planBookings(booked, [reportedPayment(), other]).book).toEqual([{ ...other, revision: 1 }]);
  });
});

describe('for every history of reports', () => {
  const report = fc.uniqueArray(
    fc.record({
      providerPaymentId: fc.constantFrom('1', '2', '3', '4'),
      amount: fc.bigInt(1n, 3n).map((value) => minorUnits(value)),
      paidOn: fc.constantFrom('2026-11-01', '2026-11-02'),
      reference: fc.constantFrom('', 'WIRE-1'),
    }),
    { selector: ({ providerPaymentId }) => providerPaymentId, maxLength: 4 },
  );

  test('the standing bookings equal the last report, and the same report again plans nothing', () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 8 }), (reports) => {
        let booked: BookedPayment[] = [];
        for (const reported of reports) {
          booked = apply(booked, planBookings(booked, reported));
          expect(standingFacts(booked)).toEqual(reported.map(factsOf).sort());
          expect(planBookings(booked, reported)).toEqual({ reverse: [], book: [] });
        }
      }),
    );
  });

  test('the revisions of a payment grow by one, and only the last one can stand', () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 8 }), (reports) => {
        let booked: BookedPayment[] = [];
        for (const reported of reports) booked = apply(booked, planBookings(booked, reported));
        for (const revisions of Map.groupBy(booked, (payment) => payment.providerPaymentId).values()) {
          expect(revisions.map(({ revision }) => revision)).toEqual(revisions.map((_payment, index) => index + 1));
          expect(revisions.slice(0, -1).every(({ isReversed }) => isReversed)).toBe(true);
        }
      }),
    );
  });
});
