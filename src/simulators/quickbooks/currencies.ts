import { Decimal } from './decimal.js';

export interface Currency {
  readonly code: string;
  readonly name: string;
  /** Digits after the decimal point (ISO 4217). */
  readonly digits: number;
  /** US dollars for one unit: the rate that the company's currency list would hold. */
  readonly usdRate: Decimal;
}

function currency(code: string, name: string, digits: number, usdRate: string): [string, Currency] {
  return [code, { code, name, digits, usdRate: Decimal.of(usdRate) }];
}

const currencies = new Map<string, Currency>([
  currency('USD', 'United States Dollar', 2, '1'),
  currency('EUR', 'Euro', 2, '1.085'),
  currency('GBP', 'British Pound Sterling', 2, '1.27'),
  currency('CAD', 'Canadian Dollar', 2, '0.73'),
  currency('AUD', 'Australian Dollar', 2, '0.66'),
  currency('NZD', 'New Zealand Dollar', 2, '0.6'),
  currency('CHF', 'Swiss Franc', 2, '1.13'),
  currency('SEK', 'Swedish Krona', 2, '0.095'),
  currency('NOK', 'Norwegian Krone', 2, '0.093'),
  currency('DKK', 'Danish Krone', 2, '0.145'),
  currency('PLN', 'Polish Zloty', 2, '0.25'),
  currency('CZK', 'Czech Koruna', 2, '0.043'),
  currency('SGD', 'Singapore Dollar', 2, '0.75'),
  currency('HKD', 'Hong Kong Dollar', 2, '0.128'),
  currency('INR', 'Indian Rupee', 2, '0.012'),
  currency('BRL', 'Brazilian Real', 2, '0.18'),
  currency('MXN', 'Mexican Peso', 2, '0.05'),
  currency('ZAR', 'South African Rand', 2, '0.055'),
  currency('AED', 'United Arab Emirates Dirham', 2, '0.2723'),
  currency('JPY', 'Japanese Yen', 0, '0.0067'),
  currency('KRW', 'South Korean Won', 0, '0.00073'),
  currency('CLP', 'Chilean Peso', 0, '0.0011'),
  currency('KWD', 'Kuwaiti Dinar', 3, '3.25'),
  currency('BHD', 'Bahraini Dinar', 3, '2.65'),
  currency('JOD', 'Jordanian Dinar', 3, '1.41'),
]);

export function findCurrency(code: string): Currency | undefined {
  return currencies.get(code);
}

/** For codes that were checked when they came in. */
export function currencyOf(code: string): Currency {
  const found = currencies.get(code);
  if (found === undefined) throw new Error(`${code} is not a currency of this simulator`);
  return found;
}

/** How an amount is written: with all the currency's digits, but a bare 0 for nothing. */
export function wireAmount(amount: Decimal, code: string): Decimal {
  return amount.isZero ? Decimal.zero : amount.roundTo(currencyOf(code).digits);
}
