import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allCurrencies, type CurrencyCode, currencyDigits } from '../../../src/domain/currency.js';
import { MAX_AMOUNT, minorUnits } from '../../../src/domain/money.js';
import {
  checkAmount,
  checkCurrency,
  checkTotal,
  fromStripeUnits,
  readCurrency,
  stripeCurrencies,
  toStripeUnits,
} from '../../../src/infrastructure/stripe/currencies.js';

const code = (text: string) => text as CurrencyCode;
const amount = (units: bigint | number) => minorUnits(BigInt(units));

const ZERO_DECIMAL = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');
const THREE_DECIMAL = 'BHD JOD KWD OMR TND'.split(' ');

/** How many of Stripe's units make one of the currency, by its documentation and nothing of ours. */
function scaleOf(currency: string): bigint {
  if (ZERO_DECIMAL.includes(currency)) return 1n;
  return THREE_DECIMAL.includes(currency) ? 1000n : 100n;
}

describe.each(stripeCurrencies)('%s', (currency) => {
  const isoScale = 10n ** BigInt(currencyDigits(currency));

  test('every amount is the same afterwards or refused with a sentence', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT }), fc.integer({ min: 0, max: 14 }), (whole, shift) => {
        const minor = amount(whole / 10n ** BigInt(shift));
        const checked = checkAmount(minor, currency);
        if (!checked.ok) return /^\d[\d.]* \w{3} is |^Stripe cannot represent \d/.test(checked.message);
        const units = toStripeUnits(minor, currency);
        expect(BigInt(units) * isoScale).toBe(minor * scaleOf(currency));
        return fromStripeUnits(Number(units), currency) === minor;
      }),
    );
  });

  test('every amount of Stripe’s is the same afterwards or not understood', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (units) => {
        const minor = fromStripeUnits(units, currency);
        if (minor === undefined) {
          const isWhole = (BigInt(units) * isoScale) % scaleOf(currency) === 0n;
          const isTooLarge = (BigInt(Math.abs(units)) * isoScale) / scaleOf(currency) > MAX_AMOUNT;
          return !isWhole || isTooLarge;
        }
        return minor * scaleOf(currency) === BigInt(units) * isoScale;
      }),
    );
  });

  test('is read in any case', () => {
    expect(readCurrency(currency.toLowerCase())).toBe(currency);
    expect(readCurrency(currency)).toBe(currency);
  });
});

test('Stripe’s list holds no code twice and none that is not ISO 4217', () => {
  expect(new Set(stripeCurrencies).size).toBe(stripeCurrencies.length);
  const known = allCurrencies.map((currency) => currency.code);
  expect(stripeCurrencies.filter((currency) => !known.includes(currency))).toEqual([]);
  expect(stripeCurrencies).toHaveLength(138);
});

describe('units that are not those of ISO 4217', () => {
  test.each([
    ['JPY', 500, '500'],
    ['USD', 1099, '1099'],
    ['KWD', 5120, '5120'],
    ['ISK', 5, '500'],
    ['UGX', 5, '500'],
    ['HUF', 1045, '1045'],
    ['TWD', 80_045, '80045'],
    ['MGA', 500, '5'],
    ['MGA', 20, '0.2'],
    ['USD', 0, '0'],
    ['KWD', 0, '0'],
  ])('%s %i is %s', (currency, minor, units) => {
    expect(toStripeUnits(amount(minor), code(currency))).toBe(units);
  });

  test.each([
    ['ISK', 550],
    ['UGX', 1],
    ['USD', 0.5],
    ['CUP', 100],
  ])('%s in units of Stripe’s: %d is not understood', (currency, units) => {
    expect(fromStripeUnits(units, code(currency))).toBeUndefined();
  });

  test('negative amounts are read, as credits may be', () => {
    expect(fromStripeUnits(-500, code('ISK'))).toBe(-5n);
    expect(fromStripeUnits(-5, code('USD'))).toBe(-5n);
  });
});

describe('what Stripe does not take', () => {
  test.each([
    ['KWD', 5124, 'Stripe cannot represent 5.124 KWD: its amounts in KWD have fewer decimal places.'],
    ['MGA', 20, 'Stripe cannot represent 0.20 MGA: its amounts in MGA have fewer decimal places.'],
    ['USD', 100_000_000, '1000000.00 USD is more than Stripe takes in one payment.'],
    ['ISK', 1_000_000, '1000000 ISK is more than Stripe takes in one payment.'],
    ['USD', -5, 'Stripe invoices no negative amount such as -0.05 USD.'],
  ])('%s %i', (currency, minor, message) => {
    expect(checkAmount(amount(minor), code(currency))).toEqual({ ok: false, message });
  });

  test.each([
    ['USD', 99_999_999n],
    ['INR', 999_999_999n],
    ['COP', 9_999_999_999n],
    ['IDR', 999_999_999_999n],
    ['KWD', 99_999_990n],
  ])('%s: the largest amount is %d', (currency, minor) => {
    expect(checkAmount(amount(minor), code(currency))).toEqual({ ok: true });
    expect(checkAmount(amount(minor + 10n), code(currency)).ok).toBe(false);
  });

  test.each([
    ['USD', 50],
    ['JPY', 50],
    ['HUF', 17_500],
    ['GBP', 30],
  ])('%s: a total below %i', (currency, minor) => {
    expect(checkTotal(amount(minor), code(currency))).toEqual({ ok: true });
    expect(checkTotal(amount(minor - 1), code(currency)).ok).toBe(false);
  });

  test('a currency that it does not list', () => {
    expect(checkCurrency(code('CUP'))).toEqual({ ok: false, message: 'Stripe does not take CUP.' });
    expect(readCurrency('cup')).toBeUndefined();
    expect(readCurrency('constructor')).toBeUndefined();
  });
});
