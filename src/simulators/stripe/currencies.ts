import { invalidRequest, type StripeFailure } from './errors.js';
import { isMultipleOf, type Units } from './units.js';

// docs.stripe.com/currencies: presentment currencies, special cases, maximum amounts.

const currencies = new Set(
  `usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp
   cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk
   jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn
   nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std
   szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw`.split(/\s+/),
);

/**
 * Amounts have to be multiples of this: the last digit of a three-decimal currency is 0, and two currencies without
 * decimals are written with two of them. HUF and TWD are special only when they are paid out.
 */
const steps = new Map([
  ...['bhd', 'jod', 'kwd', 'omr', 'tnd'].map((code) => [code, 10] as const),
  ...['isk', 'ugx'].map((code) => [code, 100] as const),
]);

/** Eight digits, and twelve for the Indonesian rupiah. */
const MAXIMUM = 99_999_999;
const maxima = new Map([['idr', 999_999_999_999]]);

export function isCurrency(code: string): boolean {
  return currencies.has(code);
}

/** Refuses an amount that the provider does not take, negative ones by their size. */
export function checkAmount(amount: Units, currency: string, param: string): Units {
  const maximum = maxima.get(currency) ?? MAXIMUM;
  if (Math.abs(amount) > maximum) throw tooLarge(maximum, currency, param);
  const step = steps.get(currency) ?? 1;
  if (!isMultipleOf(amount, step)) {
    const message = `Invalid ${param}: amounts in ${currency} must be evenly divisible by ${step}.`;
    throw invalidRequest(message, { param, code: 'parameter_invalid_integer' });
  }
  return amount;
}

function tooLarge(maximum: Units, currency: string, param: string): StripeFailure {
  return invalidRequest(`Amount must be no more than ${maximum} ${currency}`, { param, code: 'amount_too_large' });
}
