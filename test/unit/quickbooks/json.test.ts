import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { formatAmount, MAX_AMOUNT, minorUnits } from '../../../src/domain/money.js';
import { readAmount } from '../../../src/infrastructure/quickbooks/decimals.js';
import { jsonDecimal, parseJson } from '../../../src/infrastructure/quickbooks/json.js';

const USD = 'USD' as CurrencyCode;
const JPY = 'JPY' as CurrencyCode;
const KWD = 'KWD' as CurrencyCode;

describe('JSON without lost digits', () => {
  test('a number arrives as the text it was written with', () => {
    expect(parseJson('{"a":100.00,"b":0,"c":-1.5e3,"d":[9007199254740993.01],"e":"7","f":true,"g":null}')).toEqual({
      a: '100.00',
      b: '0',
      c: '-1.5e3',
      d: ['9007199254740993.01'],
      e: '7',
      f: true,
      g: null,
    });
  });

  test('a number is written digit for digit', () => {
    expect(JSON.stringify({ Amount: jsonDecimal('9999999999999.90') })).toBe('{"Amount":9999999999999.90}');
  });

  test('a text that is no number is refused instead of being written into the document', () => {
    expect(() => jsonDecimal('1,"Id":"7"')).toThrow(SyntaxError);
  });

  test('what is not JSON throws', () => {
    expect(() => parseJson('<html>')).toThrow(SyntaxError);
    expect(() => parseJson('')).toThrow(SyntaxError);
  });

  test('every amount of every currency survives being written and read', () => {
    const amounts = fc.bigInt({ min: -MAX_AMOUNT, max: MAX_AMOUNT }).map(minorUnits);
    fc.assert(
      fc.property(amounts, fc.constantFrom(USD, JPY, KWD), (amount, currency) => {
        const text = JSON.stringify({ Amount: jsonDecimal(formatAmount(amount, currency)) });
        const { Amount } = parseJson(text) as { Amount: string };
        expect(readAmount(Amount, currency)).toBe(amount);
      }),
    );
  });
});

describe('reading an amount', () => {
  test.each([
    ['100.00', USD, 10000n],
    ['0', USD, 0n],
    ['-0.00', USD, 0n],
    ['582.5', USD, 58250n],
    ['500.00', JPY, 500n],
    ['1.234', KWD, 1234n],
    ['1E+2', USD, 10000n],
    ['1.5e1', USD, 1500n],
    ['1234E-2', USD, 1234n],
    ['5E-2', USD, 5n],
    ['-5E-2', USD, -5n],
    ['0E-10', USD, 0n],
  ])('%s %s is %s minor units', (text, currency, expected) => {
    expect(readAmount(text, currency)).toBe(expected);
  });

  test.each([
    ['10.005', USD],
    ['500.50', JPY],
    ['1E-3', USD],
    ['1E+30', USD],
    ['9999999999999999', USD],
    ['ten', USD],
    ['', USD],
    ['1E+100', USD],
  ])('%s %s is not an amount, and is never rounded to one', (text, currency) => {
    expect(readAmount(text, currency)).toBeUndefined();
  });
});
