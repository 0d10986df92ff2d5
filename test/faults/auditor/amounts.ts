const DECIMALS: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 };

/** `12.5` dollars are 1250. */
export function minor(amount: string, currency: string): bigint {
  const decimals = DECIMALS[currency] ?? 2;
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? [];
  const digits = fraction.padEnd(decimals, '0');
  if (/[^0]/.test(digits.slice(decimals))) throw new Error(`${amount} ${currency} is finer than the currency`);
  const value = BigInt(`${whole}${digits.slice(0, decimals)}`);
  return sign === '-' ? -value : value;
}
