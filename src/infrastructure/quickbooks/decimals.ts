import type { CurrencyCode } from '../../domain/currency.js';
import { isAmount, type MinorUnits, parseAmount } from '../../domain/money.js';

/**
 * Reads an amount as QuickBooks writes it: usually two decimals, whatever the currency has. Undefined when it is not a
 * number or has more digits than the currency: rounding would make up an amount that nobody agreed to.
 */
export function readAmount(text: string, currency: CurrencyCode): MinorUnits | undefined {
  const amount = parseAmount(withoutExponent(text), currency, 'padded');
  return isAmount(amount) ? amount : undefined;
}

const WITH_EXPONENT = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?[eE]([+-]?\d{1,2})$/;

/** QuickBooks runs on Java, whose BigDecimal may write 100 as `1E+2`. Writes the same value without an exponent. */
function withoutExponent(text: string): string {
  const match = WITH_EXPONENT.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match;
  const digits = BigInt(whole + fraction);
  // Bigint texts have no plus sign.
  const power = BigInt(exponent.replace('+', '')) - BigInt(fraction.length);
  if (power >= 0n) return `${sign}${digits * 10n ** power}`;
  const scale = 10n ** -power;
  // The added leading 1 keeps the fraction's zeros: 5 of 1000 is written 1005, then 005.
  const padded = `${scale + (digits % scale)}`.slice(1);
  return `${sign}${digits / scale}.${padded}`;
}
