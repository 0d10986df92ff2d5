import { type CurrencyCode, isCurrencyCode } from '../../domain/currency.js';
import { formatAmount, isAmount, type MinorUnits, parseAmount } from '../../domain/money.js';

/*
 * Stripe counts money in units of its own (docs.stripe.com/currencies), mostly but not always the minor units of ISO
 * 4217. Amounts are converted as decimal texts, digit by digit: nothing can be rounded on the way.
 */

const codes = (list: string) => list.split(' ').filter(isCurrencyCode);

/** The units are whole francs, yen … MGA has fifths, which ISO 4217 writes with two digits. */
const ZERO_DECIMAL = codes('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF');

/** The last digit must be zero. */
const THREE_DECIMAL = codes('BHD JOD KWD OMR TND');

/**
 * ISK and UGX have no minor unit any more, yet Stripe goes on counting hundredths, which end in 00. HUF and TWD are
 * whole in payouts alone, which are none of our business.
 */
const TWO_DECIMAL = codes(
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC CVE ' +
    'CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD KES KGS KHR KYD ' +
    'KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP ' +
    'PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS ' +
    'WST XCD YER ZAR ZMW',
);

/** Digits after the decimal point of Stripe's own unit, by currency. */
const DIGITS: ReadonlyMap<CurrencyCode, number> = new Map([
  ...ZERO_DECIMAL.map((code) => [code, 0] as const),
  ...TWO_DECIMAL.map((code) => [code, 2] as const),
  ...THREE_DECIMAL.map((code) => [code, 3] as const),
]);

/** Every currency that Stripe lists. */
export const stripeCurrencies: readonly CurrencyCode[] = [...DIGITS.keys()];

/** Zeros that an amount in Stripe's units must end with. */
const ENDING: ReadonlyMap<string, string> = new Map([
  ['ISK', '00'],
  ['UGX', '00'],
  ...THREE_DECIMAL.map((code) => [code, '0'] as const),
]);

/** Digits of the largest amount in Stripe's units that every payment method takes; cards may take more. */
const MAX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['IDR', 12],
  ['COP', 10],
  ['INR', 9],
]);
const MOST_HAVE_DIGITS = 8;

/** Stripe marks an invoice below these as paid and puts it on the customer's account instead of asking for it. */
const MINIMUM: Readonly<Record<string, string>> = {
  ...{ USD: '0.50', AED: '2.00', ARS: '0.50', AUD: '0.50', BGN: '1.00', BRL: '0.50', CAD: '0.50', CHF: '0.50' },
  ...{ COP: '0.50', CZK: '15.00', DKK: '2.50', EUR: '0.50', GBP: '0.30', HKD: '4.00', HUF: '175.00', IDR: '0.50' },
  ...{ ILS: '0.50', INR: '0.50', JPY: '50', KRW: '50', MXN: '10.00', MYR: '2.00', NOK: '3.00', NZD: '0.50' },
  ...{ PHP: '0.50', PLN: '2.00', RON: '2.00', RUB: '0.50', SEK: '3.00', SGD: '0.50', THB: '10.00', ZAR: '0.50' },
};

export type AmountCheck = { readonly ok: true } | { readonly ok: false; readonly message: string };

const fine: AmountCheck = { ok: true };

export function checkCurrency(currency: CurrencyCode): AmountCheck {
  return DIGITS.has(currency) ? fine : refuse(`Stripe does not take ${currency}.`);
}

/** Whether Stripe can write down this amount, in a currency that it takes. */
export function checkAmount(amount: MinorUnits, currency: CurrencyCode): AmountCheck {
  const units = toStripeUnits(amount, currency);
  const shown = `${formatAmount(amount, currency)} ${currency}`;
  if (units.startsWith('-')) return refuse(`Stripe invoices no negative amount such as ${shown}.`);
  const ending = ENDING.get(currency) ?? '';
  if (units.includes('.') || (units !== '0' && !units.endsWith(ending))) {
    return refuse(`Stripe cannot represent ${shown}: its amounts in ${currency} have fewer decimal places.`);
  }
  const maxDigits = MAX_DIGITS.get(currency) ?? MOST_HAVE_DIGITS;
  return units.length <= maxDigits ? fine : refuse(`${shown} is more than Stripe takes in one payment.`);
}

/** Whether Stripe asks for this amount at all. */
export function checkTotal(total: MinorUnits, currency: CurrencyCode): AmountCheck {
  const minimum = parseAmount(MINIMUM[currency] ?? '0', currency, 'padded');
  if (isAmount(minimum) && total < minimum) {
    const least = formatAmount(minimum, currency);
    return refuse(`Stripe takes no less than ${least} ${currency}, and this is ${formatAmount(total, currency)}.`);
  }
  return checkAmount(total, currency);
}

function refuse(message: string): AmountCheck {
  return { ok: false, message };
}

/** The amount in Stripe's units as a decimal text, with a fraction when they are too coarse for it. */
export function toStripeUnits(amount: MinorUnits, currency: CurrencyCode): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(formatAmount(amount, currency)) ?? [];
  const digits = digitsOf(currency);
  const units = (whole + fraction.slice(0, digits).padEnd(digits, '0')).replace(/^0+(?=\d)/, '');
  const rest = fraction.slice(digits).replace(/0+$/, '');
  return rest === '' ? sign + units : `${sign}${units}.${rest}`;
}

/** Undefined: more digits than the currency has, or a currency that Stripe does not list. */
export function fromStripeUnits(units: number, currency: CurrencyCode): MinorUnits | undefined {
  const digits = DIGITS.get(currency);
  if (digits === undefined || !Number.isSafeInteger(units)) return undefined;
  const [, sign = '', magnitude = ''] = /^(-?)(\d+)$/.exec(BigInt(units).toString()) ?? [];
  const padded = magnitude.padStart(digits + 1, '0');
  const point = padded.length - digits;
  const text = digits === 0 ? padded : `${padded.slice(0, point)}.${padded.slice(point)}`;
  const amount = parseAmount(sign + text, currency, 'padded');
  return isAmount(amount) ? amount : undefined;
}

/** Stripe writes codes in lower case. Undefined: not one that it lists. */
export function readCurrency(code: string): CurrencyCode | undefined {
  const upper = code.toUpperCase();
  return isCurrencyCode(upper) && DIGITS.has(upper) ? upper : undefined;
}

function digitsOf(currency: CurrencyCode): number {
  const digits = DIGITS.get(currency);
  if (digits === undefined) throw new RangeError(`Stripe does not take ${currency}`);
  return digits;
}
