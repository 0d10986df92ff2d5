import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cashApplied, type PaymentApplication } from '../../../src/domain/invoice/cash-applied.js';
import { minorUnits, sum } from '../../../src/domain/money.js';

const line = (kind: PaymentApplication['kind'], externalId: string, amount: bigint): PaymentApplication => ({
  kind,
  externalId,
  amount: minorUnits(amount),
});

describe('the money of a payment that reached an invoice', () => {
  test('is the amount applied to it', () => {
    expect(cashApplied([line('invoice', '130', 500n)], '130')).toBe(500n);
  });

  test('is nothing when the payment went to other invoices', () => {
    expect(cashApplied([line('invoice', '131', 500n)], '130')).toBe(0n);
    expect(cashApplied([], '130')).toBe(0n);
  });

  test('counts its own share of a payment for several invoices', () => {
    const lines = [line('invoice', '129', 300n), line('invoice', '130', 200n), line('invoice', '131', 100n)];
    expect(cashApplied(lines, '130')).toBe(200n);
  });

  test('adds up two lines for the same invoice', () => {
    expect(cashApplied([line('invoice', '130', 200n), line('invoice', '130', 50n)], '130')).toBe(250n);
  });

  test('is nothing when a credit memo paid the whole of it', () => {
    expect(cashApplied([line('credit', '900', 500n), line('invoice', '130', 500n)], '130')).toBe(0n);
  });

  test('is what a credit memo left open', () => {
    expect(cashApplied([line('invoice', '130', 500n), line('credit', '900', 120n)], '130')).toBe(380n);
  });

  test('uses credit memos up on the earlier invoices first', () => {
    const lines = [line('invoice', '129', 300n), line('credit', '900', 350n), line('invoice', '130', 200n)];
    expect(cashApplied(lines, '129')).toBe(0n);
    expect(cashApplied(lines, '130')).toBe(150n);
  });

  test('takes several credit memos together', () => {
    const lines = [line('credit', '900', 100n), line('credit', '901', 50n), line('invoice', '130', 200n)];
    expect(cashApplied(lines, '130')).toBe(50n);
  });

  test('ignores lines that are neither invoice nor credit memo, even with the same id', () => {
    expect(cashApplied([line('other', '130', 999n), line('invoice', '130', 1n)], '130')).toBe(1n);
  });

  test('of all invoices together is what was applied less the credit, and never negative', () => {
    const lines = fc.array(
      fc.record({
        kind: fc.constantFrom('invoice', 'credit', 'other'),
        externalId: fc.constantFrom('1', '2', '3'),
        amount: fc.bigInt(0n, 1000n).map((value) => minorUnits(value)),
      }),
    );
    fc.assert(
      fc.property(lines, (applications) => {
        const totalOf = (kind: string) =>
          sum(applications.filter((application) => application.kind === kind).map(({ amount }) => amount));
        const cash = ['1', '2', '3'].map((id) => cashApplied(applications, id));
        const rest = totalOf('invoice') - totalOf('credit');
        expect(sum(cash)).toBe(rest > 0n ? rest : 0n);
        expect(cash.every((amount) => amount >= 0n)).toBe(true);
      }),
    );
  });
});
