import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AppliedPayment, type PaymentApplication, shareOf } from '../../../src/domain/invoice/payment-share.js';
import { minorUnits, smaller, sum } from '../../../src/domain/money.js';

const line = (kind: PaymentApplication['kind'], externalId: string, amount: bigint): PaymentApplication => ({
  kind,
  externalId,
  amount: minorUnits(amount),
});

/** A payment that brought `total`, of which `unapplied` is left. */
const payment = (applications: PaymentApplication[], total: bigint, unapplied = 0n): AppliedPayment => ({
  total: minorUnits(total),
  unapplied: minorUnits(unapplied),
  applications,
});

const share = (cash: bigint, credit = 0n) => ({ cash, credit });

describe('what a payment did to an invoice', () => {
  test('is the money applied to it', () => {
    expect(shareOf(payment([line('invoice', '130', 500n)], 500n), '130')).toEqual(share(500n));
  });

  test('is nothing when the payment went to other invoices', () => {
    expect(shareOf(payment([line('invoice', '131', 500n)], 500n), '130')).toEqual(share(0n));
    expect(shareOf(payment([], 500n, 500n), '130')).toEqual(share(0n));
  });

  test('is its own share of a payment for several invoices', () => {
    const lines = [line('invoice', '129', 300n), line('invoice', '130', 200n), line('invoice', '131', 100n)];
    expect(shareOf(payment(lines, 600n), '130')).toEqual(share(200n));
  });

  test('adds up two lines for the same invoice', () => {
    const lines = [line('invoice', '130', 200n), line('invoice', '130', 50n)];
    expect(shareOf(payment(lines, 250n), '130')).toEqual(share(250n));
  });

  test('does not count the money that was left over', () => {
    expect(shareOf(payment([line('invoice', '130', 500n)], 2000n, 1500n), '130')).toEqual(share(500n));
  });

  test('is credit when a credit memo paid the whole of it', () => {
    const lines = [line('credit', '900', 500n), line('invoice', '130', 500n)];
    expect(shareOf(payment(lines, 0n), '130')).toEqual(share(0n, 500n));
  });

  test('is money for what a credit memo left open', () => {
    const lines = [line('invoice', '130', 500n), line('credit', '900', 120n)];
    expect(shareOf(payment(lines, 380n), '130')).toEqual(share(380n, 120n));
  });

  test('uses credit memos up on the earlier invoices first', () => {
    const lines = [line('invoice', '129', 300n), line('credit', '900', 350n), line('invoice', '130', 200n)];
    expect(shareOf(payment(lines, 150n), '129')).toEqual(share(0n, 300n));
    expect(shareOf(payment(lines, 150n), '130')).toEqual(share(150n, 50n));
  });

  test('takes several credit memos together', () => {
    const lines = [line('credit', '900', 100n), line('credit', '901', 50n), line('invoice', '130', 200n)];
    expect(shareOf(payment(lines, 50n), '130')).toEqual(share(50n, 150n));
  });

  test('takes what a journal entry paid for credit, too', () => {
    const lines = [line('invoice', '130', 500n), line('other', '77', 500n)];
    expect(shareOf(payment(lines, 0n), '130')).toEqual(share(0n, 500n));
  });

  test('takes a credit memo, a journal entry and money on one payment apart', () => {
    const lines = [
      line('invoice', '129', 250n),
      line('credit', '900', 200n),
      line('other', '77', 100n),
      line('invoice', '130', 300n),
    ];
    expect(shareOf(payment(lines, 250n), '129')).toEqual(share(0n, 250n));
    expect(shareOf(payment(lines, 250n), '130')).toEqual(share(250n, 50n));
  });

  test('does not take money that stayed unapplied for what a journal entry paid', () => {
    const lines = [line('invoice', '130', 100n), line('other', '77', 50n)];
    expect(shareOf(payment(lines, 100n, 50n), '130')).toEqual(share(50n, 50n));
  });

  test('takes a journal entry that was paid, too, for no credit', () => {
    const lines = [line('invoice', '130', 100n), line('other', '77', 50n)];
    expect(shareOf(payment(lines, 150n), '130')).toEqual(share(100n));
  });

  test('ignores lines that are neither invoice nor credit memo, even with the same id', () => {
    expect(shareOf(payment([line('other', '130', 999n), line('invoice', '130', 1n)], 1000n), '130')).toEqual(share(1n));
  });

  const IDS = ['1', '2', '3'];
  const amount = fc.bigInt(0n, 1000n).map((value) => minorUnits(value));
  const lines = fc.array(
    fc
      .tuple(fc.constantFrom('invoice' as const, 'credit' as const, 'other' as const), fc.constantFrom(...IDS), amount)
      .map(([kind, id, value]) => line(kind, id, value)),
  );

  test('is, of all invoices together, what was applied to them, and neither part is ever negative', () => {
    fc.assert(
      fc.property(lines, amount, amount, (applications, total, left) => {
        const whole = payment(applications, total, smaller(left, total));
        const shares = IDS.map((id) => shareOf(whole, id));
        for (const [index, { cash, credit }] of shares.entries()) {
          const applied = applications.filter(
            ({ kind, externalId }) => kind === 'invoice' && externalId === IDS[index],
          );
          expect(cash + credit).toBe(sum(applied.map((application) => application.amount)));
          expect(cash >= 0n && credit >= 0n).toBe(true);
        }
      }),
    );
  });

  test('is never more money than the payment brought and applied', () => {
    fc.assert(
      fc.property(lines, amount, amount, (applications, total, left) => {
        const whole = payment(applications, total, smaller(left, total));
        const cash = sum(IDS.map((id) => shareOf(whole, id).cash));
        expect(cash <= whole.total - whole.unapplied).toBe(true);
      }),
    );
  });
});
