import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allCurrencies, type CurrencyCode, currencyDigits, isCurrencyCode } from '../../../src/domain/currency.js';
import {
  add,
  formatAmount,
  isAmount,
  MAX_AMOUNT,
  type MinorUnits,
  minorUnits,
  multiply,
  parseAmount,
  smaller,
  subtract,
  sum,
  ZERO,
} from '../../../src/domain/money.js';

const currency = (code: string) => code as CurrencyCode;
const USD = currency('USD');
const JPY = currency('JPY');
const KWD = currency('KWD');

describe('reading an amount', () => {
  test.each([
    ['1475.00', USD, 147_500n],
    ['1475', USD, 147_500n],
    ['0.1', USD, 10n],
    ['0.01', USD, 1n],
    ['-12.34', USD, -1234n],
    ['00012.30', USD, 1230n],
    ['0', USD, 0n],
    ['-0.00', USD, 0n],
    ['500', JPY, 500n],
    ['1.234', KWD, 1234n],
    ['1.2', KWD, 1200n],
    ['9999999999999.99', USD, 999_999_999_999_999n],
    ['999999999999999', JPY, 999_999_999_999_999n],
    ['999999999999.999', KWD, 999_999_999_999_999n],
  ])('"%s" in %s is exactly %s minor units', (text, code, expected) => {
    expect(parseAmount(text, code)).toBe(expected);
  });

  test.each(['', ' ', '1 ', ' 1', '1,5', '1.', '.5', '+1', '--1', '1e3', '0x10', 'NaN', 'Infinity', '١', '1\n', '$1'])(
    'W-C5: %j is no number, and nothing is thrown',
    (text) => {
      expect(parseAmount(text, USD)).toBe('NOT_A_NUMBER');
    },
  );

  test.each([
    ['W-C3: a third decimal in US dollars', '10.005', USD],
    ['a decimal in yen', '500.5', JPY],
    ['a zero decimal in yen', '500.0', JPY],
    ['a superfluous zero in US dollars', '1.000', USD],
    ['a fourth decimal in dinars', '1.2345', KWD],
  ])('%s is refused instead of rounded', (_what, text, code) => {
    expect(parseAmount(text, code)).toBe('TOO_MANY_DIGITS');
  });

  test.each([
    ['10000000000000.00', USD],
    ['-10000000000000.00', USD],
    ['1000000000000000', JPY],
    ['1000000000000.000', KWD],
    ['99999999999999999999', USD],
  ])('%s %s is one more than the largest amount', (text, code) => {
    expect(parseAmount(text, code)).toBe('TOO_LARGE');
  });

  test('a provider may pad every currency with zeros, but not with other digits', () => {
    expect(parseAmount('500.00', JPY, 'padded')).toBe(500n);
    expect(parseAmount('1475.000000', USD, 'padded')).toBe(147_500n);
    expect(parseAmount('1.50', KWD, 'padded')).toBe(1500n);
    expect(parseAmount('500.01', JPY, 'padded')).toBe('TOO_MANY_DIGITS');
    expect(parseAmount('1475.001', USD, 'padded')).toBe('TOO_MANY_DIGITS');
  });

  test('an unknown currency is a bug and is thrown', () => {
    expect(() => parseAmount('1', currency('XXX'))).toThrow(RangeError);
  });
});

describe('writing an amount', () => {
  test.each([
    [147_500n, USD, '1475.00'],
    [5n, USD, '0.05'],
    [0n, USD, '0.00'],
    [-5n, USD, '-0.05'],
    [-147_500n, USD, '-1475.00'],
    [500n, JPY, '500'],
    [-1n, JPY, '-1'],
    [1n, KWD, '0.001'],
    [1234n, KWD, '1.234'],
    [999_999_999_999_999n, USD, '9999999999999.99'],
  ])('%s minor units of %s are "%s"', (amount, code, expected) => {
    expect(formatAmount(minorUnits(amount), code)).toBe(expected);
  });
});

describe.each(allCurrencies.map(({ code, digits }) => [code, digits] as const))('%s', (code, digits) => {
  test(`every amount survives writing and reading, with ${digits} decimals`, () => {
    fc.assert(
      fc.property(fc.bigInt(-MAX_AMOUNT, MAX_AMOUNT), (amount) => {
        const text = formatAmount(minorUnits(amount), code);
        expect(text.split('.')[1]?.length ?? 0).toBe(digits);
        expect(parseAmount(text, code)).toBe(amount);
        expect(parseAmount(`${text}${digits > 0 ? '000' : '.00'}`, code, 'padded')).toBe(amount);
      }),
      { numRuns: 25 },
    );
  });
});

test('reading never throws and never invents digits, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(USD, JPY, KWD), (text, code) => {
      const amount = parseAmount(text, code);
      if (isAmount(amount)) expect(amount).toBe(parseAmount(formatAmount(amount, code), code));
      else expect(['NOT_A_NUMBER', 'TOO_MANY_DIGITS', 'TOO_LARGE']).toContain(amount);
    }),
  );
});

describe('arithmetic', () => {
  const amounts = fc.bigInt(-MAX_AMOUNT, MAX_AMOUNT).map((value) => minorUnits(value));

  test('a line total is the unit price taken quantity times, without rounding', () => {
    expect(multiply(minorUnits(49_900n), 2)).toBe(99_800n);
    expect(multiply(minorUnits(333_333_333_333_333n), 3)).toBe(999_999_999_999_999n);
    expect(multiply(MAX_AMOUNT, 2_147_483_647)).toBe(2_147_483_646_999_997_852_516_353n);
    expect(multiply(minorUnits(1n), 0)).toBe(ZERO);
  });

  test('W-C3: the sum of lines is exact where floating point is not', () => {
    const dime = minorUnits(10n);
    expect(formatAmount(sum([dime, minorUnits(20n)]), USD)).toBe('0.30');
    expect(formatAmount(sum(Array.from({ length: 1000 }, () => dime)), USD)).toBe('100.00');
    expect(sum([])).toBe(ZERO);
  });

  test('a product is what repeated addition gives', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: 0, max: 50 }), (amount, quantity) => {
        expect(multiply(amount, quantity)).toBe(sum(Array.from({ length: quantity }, () => amount)));
      }),
    );
  });

  test('subtraction undoes addition, and the smaller of two is one of them', () => {
    fc.assert(
      fc.property(amounts, amounts, (left: MinorUnits, right: MinorUnits) => {
        expect(subtract(add(left, right), right)).toBe(left);
        const least = smaller(left, right);
        expect([left, right]).toContain(least);
        expect(least <= left && least <= right).toBe(true);
      }),
    );
  });
});

describe('currencies', () => {
  test('have the digits of ISO 4217', () => {
    const digitsOf = (code: string) => currencyDigits(currency(code));
    expect([digitsOf('USD'), digitsOf('JPY'), digitsOf('KWD'), digitsOf('EUR'), digitsOf('CLF')]).toEqual([
      2, 0, 3, 2, 4,
    ]);
  });

  test('are listed in alphabetic order, once each', () => {
    const codes = allCurrencies.map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)].sort());
    expect(codes.length).toBeGreaterThan(150);
    for (const { code, name } of allCurrencies) {
      expect(code).toMatch(/^[A-Z]{3}$/);
      expect(name).not.toBe('');
    }
  });

  test('do not include metals, bond units, test codes or no currency at all', () => {
    for (const code of ['XAU', 'XAG', 'XPT', 'XTS', 'XXX', 'XDR', 'XBA']) expect(isCurrencyCode(code)).toBe(false);
    for (const code of ['XAF', 'XCD', 'XOF', 'XPF']) expect(isCurrencyCode(code)).toBe(true);
  });

  test('are known by their exact code only', () => {
    for (const text of ['usd', 'US', 'USDD', '', ' USD', 'constructor']) expect(isCurrencyCode(text)).toBe(false);
  });

  test('asking for the digits of an unknown one is a bug and is thrown', () => {
    expect(() => currencyDigits(currency('ABC'))).toThrow('ABC is not an ISO 4217 currency');
  });
});
