import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Booked,
  planBookings,
  type ReportedPayment,
  type ReportedShare,
} from '../../../src/domain/invoice/booking-plan.js';
import { type AppliedPayment, type PaymentApplication, shareOf } from '../../../src/domain/invoice/payment-share.js';
import { minorUnits, smaller } from '../../../src/domain/money.js';

/** A payment in the provider's books: credit, then money, is spent on invoices in the order of the lines. */
interface Entry {
  readonly id: string;
  readonly paidOn: string;
  readonly reference: string;
  readonly credit: bigint;
  readonly unapplied: bigint;
  readonly lines: readonly { readonly invoice: string; readonly amount: bigint }[];
}

type Books = readonly Entry[];

const OURS = ['A', 'B'];

/** As the adapter would report it. Where the credit line stands among the others does not matter. */
function asReported({ lines, credit, unapplied }: Entry): AppliedPayment {
  const applied = lines.reduce((total, { amount }) => total + amount, 0n);
  const applications = lines.map(({ invoice, amount }): PaymentApplication => {
    return { kind: 'invoice', externalId: invoice, amount: minorUnits(amount) };
  });
  const memo: PaymentApplication = { kind: 'credit', externalId: 'memo', amount: minorUnits(credit) };
  const total = minorUnits(applied - credit + unapplied);
  return {
    total,
    unapplied: minorUnits(unapplied),
    applications: credit > 0n ? [...applications, memo] : applications,
  };
}

/** What should stand, worked out another way: the credit covers the first cents of all lines laid end to end. */
function expected(books: Books, invoice: string): string[] {
  return books
    .flatMap(({ id, credit, paidOn, reference, lines }) => {
      let start = 0n;
      let [cash, credited] = [0n, 0n];
      for (const line of lines) {
        const end = start + line.amount;
        const covered = end <= credit ? line.amount : start >= credit ? 0n : credit - start;
        if (line.invoice === invoice) {
          cash += line.amount - covered;
          credited += covered;
        }
        start = end;
      }
      return [
        ...(cash > 0n ? [`money ${id} ${cash} ${paidOn} ${reference}`] : []),
        ...(credited > 0n ? [`credit ${id} ${credited}`] : []),
      ];
    })
    .toSorted();
}

/** What the database holds for one invoice. */
class Bookings {
  readonly #invoice: string;
  #money: Booked<ReportedPayment>[] = [];
  #credit: Booked<ReportedShare>[] = [];
  #count = 0;
  /** Ids of what was reversed, as often as it was. */
  readonly reversals: string[] = [];

  constructor(invoice: string) {
    this.#invoice = invoice;
  }

  hear(books: Books): void {
    const shares = books.map((entry) => ({ ...entry, ...shareOf(asReported(entry), this.#invoice) }));
    const money = shares.filter(({ cash }) => cash > 0n);
    const credit = shares.filter((share) => share.credit > 0n);
    this.#money = this.#follow(
      this.#money,
      money.map(({ id, cash, paidOn, reference }) => ({ providerPaymentId: id, amount: cash, paidOn, reference })),
    );
    this.#credit = this.#follow(
      this.#credit,
      credit.map((share) => ({ providerPaymentId: share.id, amount: share.credit })),
    );
  }

  #follow<Share extends ReportedShare>(booked: Booked<Share>[], reported: readonly Share[]): Booked<Share>[] {
    const plan = planBookings(booked, reported);
    const reversed = plan.reverse.map(({ bookingId }) => bookingId);
    this.reversals.push(...reversed);
    const kept = booked.map((share) => ({ ...share, isReversed: share.isReversed || reversed.includes(share.id) }));
    const added = plan.book.map((share) => {
      this.#count += 1;
      return { ...share, id: `booking ${this.#count}`, isReversed: false };
    });
    return [...kept, ...added];
  }

  get standing(): string[] {
    const money = this.#money.filter((share) => !share.isReversed);
    const credit = this.#credit.filter((share) => !share.isReversed);
    return [
      ...money.map((share) => `money ${share.providerPaymentId} ${share.amount} ${share.paidOn} ${share.reference}`),
      ...credit.map((share) => `credit ${share.providerPaymentId} ${share.amount}`),
    ].toSorted();
  }

  /** The revisions of each payment's money, and of its credit; a standing one bears a star. */
  get revisions(): string[][] {
    return [this.#money, this.#credit].flatMap((shares) =>
      [...Map.groupBy<string, Booked<ReportedShare>>(shares, (share) => share.providerPaymentId).values()].map((rows) =>
        rows.map(({ revision, isReversed }) => (isReversed ? `${revision}` : `${revision}*`)),
      ),
    );
  }
}

const entry: fc.Arbitrary<Entry> = fc
  .record({
    id: fc.constantFrom('1', '2', '3'),
    paidOn: fc.constantFrom('2026-11-01', '2026-11-02'),
    reference: fc.constantFrom('', 'WIRE-1'),
    wantedCredit: fc.bigInt(0n, 6n),
    unapplied: fc.bigInt(0n, 2n),
    lines: fc.array(fc.record({ invoice: fc.constantFrom(...OURS, 'foreign'), amount: fc.bigInt(1n, 3n) }), {
      maxLength: 4,
    }),
  })
  .map(({ wantedCredit, ...fields }) => {
    const applied = fields.lines.reduce((total, { amount }) => total + amount, 0n);
    return { ...fields, credit: smaller(minorUnits(wantedCredit), minorUnits(applied)) };
  });

/** The books as they were at one moment after the other; every payment at most once in each. */
const history = fc.array(fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});

/** Which moments of a history are reported, in any order and any number, before the last one is. */
const reports = fc.array(fc.nat({ max: 5 }), { maxLength: 12 });

function heard(books: readonly Books[], order: readonly number[], invoice: string): Bookings {
  const bookings = new Bookings(invoice);
  for (const index of order) bookings.hear(books[index % books.length] ?? []);
  bookings.hear(books.at(-1) ?? []);
  return bookings;
}

describe('for every history of the books and every order, loss and repetition of its reports', () => {
  test('W-Q13: what stands in the end is what the last moment says, and is the same for every order', () => {
    fc.assert(
      fc.property(history, reports, reports, (books, some, others) => {
        for (const invoice of OURS) {
          const wanted = expected(books.at(-1) ?? [], invoice);
          expect(heard(books, some, invoice).standing).toEqual(wanted);
          expect(heard(books, others, invoice).standing).toEqual(wanted);
        }
      }),
    );
  });

  test('revisions grow by one, only the last one of a payment can stand, and nothing is reversed twice', () => {
    fc.assert(
      fc.property(history, reports, (books, order) => {
        for (const invoice of OURS) {
          const { revisions, reversals } = heard(books, order, invoice);
          for (const rows of revisions) {
            const numbers = rows.map((_row, index) => `${index + 1}`);
            expect([numbers, [...numbers.slice(0, -1), `${numbers.length}*`]]).toContainEqual(rows);
          }
          expect(new Set(reversals).size).toBe(reversals.length);
        }
      }),
    );
  });

  test('the last moment reported again changes nothing', () => {
    fc.assert(
      fc.property(history, reports, fc.nat({ max: 3 }), (books, order, times) => {
        for (const invoice of OURS) {
          const bookings = heard(books, order, invoice);
          const before = [bookings.revisions, [...bookings.reversals]];
          for (let time = 0; time < times; time++) bookings.hear(books.at(-1) ?? []);
          expect([bookings.revisions, bookings.reversals]).toEqual(before);
        }
      }),
    );
  });
});
