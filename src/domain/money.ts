import { type CurrencyCode, currencyDigits } from './currency.js';

/**
 * An amount in the smallest unit of its currency (cents, yen, fils). All arithmetic on it happens in this file, which
 * the check `check:money` enforces: a plain bigint that comes out of `+` or `*` elsewhere is not `MinorUnits`.
 */
export type MinorUnits = bigint & { readonly __brand: 'MinorUnits' };

export const ZERO = 0n as MinorUnits;

/**
 * The largest amount a purchase order, line or payment may have: 15 digits, so that a provider or client which reads
 * JSON numbers as IEEE doubles still gets every digit. The database columns check the same limit.
 */
export const MAX_AMOUNT = 999_999_999_999_999n as MinorUnits;

export type AmountProblem = 'NOT_A_NUMBER' | 'TOO_MANY_DIGITS' | 'TOO_LARGE';

const DECIMAL = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?$/;

/**
 * Reads a decimal text in major units, e.g. `"1475.00"`, as an exact amount.
 *
 * @param fractionDigits `exact` refuses more digits than the currency has, even zeros ("500.00" JPY), as people's input
 *   should be; `padded` accepts trailing zeros, as providers write every currency with two decimals.
 */
export function parseAmount(
  text: string,
  currency: CurrencyCode,
  fractionDigits: 'exact' | 'padded' = 'exact',
): MinorUnits | AmountProblem {
  const match = DECIMAL.exec(text);
  if (!match) return 'NOT_A_NUMBER';
  const [, sign = '', whole = '', rawFraction = ''] = match;
  const digits = currencyDigits(currency);
  const fraction = fractionDigits === 'padded' ? rawFraction.replace(/0+$/, '') : rawFraction;
  if (fraction.length > digits) return 'TOO_MANY_DIGITS';
  const magnitude = BigInt(whole + fraction.padEnd(digits, '0'));
  if (magnitude > MAX_AMOUNT) return 'TOO_LARGE';
  return (sign === '-' ? -magnitude : magnitude) as MinorUnits;
}

export function isAmount(value: MinorUnits | AmountProblem): value is MinorUnits {
  return typeof value === 'bigint';
}

/** Writes an amount as a decimal text in major units with exactly the currency's digits: `"1475.00"`, JPY `"500"`. */
export function formatAmount(amount: MinorUnits, currency: CurrencyCode): string {
  const digits = currencyDigits(currency);
  const magnitude = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, '0');
  const sign = amount < 0n ? '-' : '';
  if (digits === 0) return sign + magnitude;
  return `${sign}${magnitude.slice(0, -digits)}.${magnitude.slice(-digits)}`;
}

/** A stored or constant integer as an amount; the one door from plain bigints. */
export function minorUnits(value: bigint): MinorUnits {
  return value as MinorUnits;
}

export function add(left: MinorUnits, right: MinorUnits): MinorUnits {
  return (left + right) as MinorUnits;
}

export function subtract(left: MinorUnits, right: MinorUnits): MinorUnits {
  return (left - right) as MinorUnits;
}

/** Unit price × quantity. Both are integers, so a line total is exact and nothing is ever rounded. */
export function multiply(amount: MinorUnits, quantity: number): MinorUnits {
  return (amount * BigInt(quantity)) as MinorUnits;
}

export function sum(amounts: Iterable<MinorUnits>): MinorUnits {
  let total: MinorUnits = ZERO;
  for (const amount of amounts) total = add(total, amount);
  return total;
}

export function smaller(left: MinorUnits, right: MinorUnits): MinorUnits {
  return left < right ? left : right;
}
