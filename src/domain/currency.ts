import { type CurrencyCodeRecord, data } from 'currency-codes';

/** An ISO 4217 alphabetic code that names money people can pay with, e.g. `USD`, `JPY`, `KWD`. */
export type CurrencyCode = string & { readonly __brand: 'CurrencyCode' };

/** ISO 4217 also lists metals, bond units and test codes: they start with X and are nobody's money, except these. */
const SPENDABLE_X_CODES = new Set(['XAF', 'XCD', 'XOF', 'XPF']);

const currencies = new Map<string, CurrencyCodeRecord>(
  data
    .filter(({ code }) => !code.startsWith('X') || SPENDABLE_X_CODES.has(code))
    .map((currency) => [currency.code, currency]),
);

/** Every accepted currency with its English name and the number of digits after the decimal point. */
export const allCurrencies: readonly { code: CurrencyCode; name: string; digits: number }[] = [...currencies.values()]
  .map(({ code, currency, digits }) => ({ code: code as CurrencyCode, name: currency.trim(), digits }))
  .sort((left, right) => left.code.localeCompare(right.code));

export function isCurrencyCode(text: string): text is CurrencyCode {
  return currencies.has(text);
}

/** Digits after the decimal point (the ISO 4217 exponent): USD 2, JPY 0, KWD 3. Throws on a code that is not ISO 4217. */
export function currencyDigits(code: CurrencyCode): number {
  const currency = currencies.get(code);
  if (!currency) throw new RangeError(`${code} is not an ISO 4217 currency`);
  return currency.digits;
}
