import { z } from 'zod';

/**
 * An amount as the provider's API has it: a whole number of the currency's smallest unit, at most twelve digits long, which
 * a JavaScript number holds exactly. All arithmetic with amounts is in this file.
 */
export type Units = number;

/** How many places a decimal parameter may have. */
const PLACES = 12;
const SCALE = 10n ** 12n;

export function sum(...amounts: readonly Units[]): Units {
  return amounts.reduce((total, amount) => total + amount, 0);
}

export function difference(from: Units, what: Units): Units {
  return from - what;
}

export function negative(amount: Units): Units {
  return amount === 0 ? 0 : -amount;
}

export function atLeastZero(amount: Units): Units {
  return Math.max(amount, 0);
}

export function smaller(one: Units, other: Units): Units {
  return Math.min(one, other);
}

export function isMultipleOf(amount: Units, step: number): boolean {
  return amount % step === 0;
}

/** A decimal unit amount times a quantity, rounded to whole units, halves away from zero. Undefined: too large to count. */
export function multiply(unitAmountDecimal: string, quantity: number): Units | undefined {
  const product = scaled(unitAmountDecimal) * BigInt(quantity);
  const size = product < 0n ? -product : product;
  const whole = (size + SCALE / 2n) / SCALE;
  if (whole > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return z.coerce.number().parse(product < 0n ? -whole : whole);
}

/** A decimal as the provider writes it: without zeros at the end. */
export function plainDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function scaled(decimal: string): bigint {
  const isNegative = decimal.startsWith('-');
  const [whole = '0', places = ''] = decimal.replace('-', '').split('.');
  const digits = BigInt(whole + places.padEnd(PLACES, '0'));
  return isNegative ? -digits : digits;
}
