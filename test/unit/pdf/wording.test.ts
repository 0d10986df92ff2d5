import { describe, expect, test } from '@jest/globals';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { MAX_AMOUNT, minorUnits } from '../../../src/domain/money.js';
import { writeAmount, writeDays } from '../../../src/infrastructure/documents/wording.js';

describe('an amount for people', () => {
  test.each([
    [0n, 'USD', '0.00'],
    [5n, 'USD', '0.05'],
    [99_999n, 'USD', '999.99'],
    [100_000n, 'USD', '1 000.00'],
    [-123_456_789n, 'USD', '−1 234 567.89'],
    [-99_999n, 'USD', '−999.99'],
    [1_500n, 'JPY', '1 500'],
    [999n, 'JPY', '999'],
    [1_234_567n, 'KWD', '1 234.567'],
    [MAX_AMOUNT, 'EUR', '9 999 999 999 999.99'],
  ])('%s in %s is %s', (amount, currency, text) => {
    expect(writeAmount(minorUnits(amount), currency as CurrencyCode)).toBe(text);
  });
});

describe('the days of a conference', () => {
  test.each([
    ['2027-05-04', '2027-05-07', '4 – 7 May 2027'],
    ['2027-04-30', '2027-05-02', '30 April – 2 May 2027'],
    ['2027-05-04', '2027-05-04', '4 May 2027'],
    ['2027-05-04', null, '4 May 2027'],
    [null, '2027-05-07', '7 May 2027'],
    [null, null, ''],
  ])('%s to %s', (startDate, endDate, text) => {
    const days = writeDays({ name: '', letterhead: '', startDate, endDate });
    expect(days.replace(/\s/g, ' ')).toBe(text);
  });
});
