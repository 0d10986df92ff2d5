import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDate, GraphQLDateTime } from 'graphql-scalars';
import { registerEnumType } from 'type-graphql';
import { allCurrencies, currencyDigits } from '../../domain/currency.js';

/** At most 15 digits are accepted anywhere; the limit here only keeps absurd texts away from the parser. */
const DECIMAL_TEXT = /^-?\d{1,20}(\.\d{1,20})?$/;

/** Decimal amounts as texts in both directions: a JSON number may have lost digits before it arrives. */
export const Decimal = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description:
    'An exact decimal number in major units of its currency, as a string: `"1475.00"`, for JPY `"500"`. JSON numbers are refused, because they may have been rounded on the way.',
  serialize: (value) => String(value),
  parseValue: readDecimal,
  parseLiteral: (node) => {
    if (node.kind !== Kind.STRING) throw notADecimal();
    return readDecimal(node.value);
  },
});

function readDecimal(value: unknown): string {
  if (typeof value !== 'string' || !DECIMAL_TEXT.test(value)) throw notADecimal();
  return value;
}

function notADecimal(): GraphQLError {
  return new GraphQLError('A Decimal is a string with a plain decimal number, such as "1475.00".');
}

/** A calendar day. Plain text inside: a `Date` would drag a time zone along. */
export const CalendarDate = new GraphQLScalarType<string, string>({
  name: 'Date',
  description: 'A calendar day without time zone, `YYYY-MM-DD`.',
  serialize: (value) => String(value),
  parseValue: (value) => {
    GraphQLDate.parseValue(value);
    return String(value);
  },
  parseLiteral: (node) => {
    GraphQLDate.parseLiteral(node, {});
    return node.kind === Kind.STRING ? node.value : '';
  },
});

/** A point in time, RFC 3339 in UTC. */
export const DateTime = GraphQLDateTime;

/** ISO 4217 codes; the enum makes a client's typo an error with a suggestion. */
export const CurrencyCodeEnum = Object.fromEntries(allCurrencies.map(({ code }) => [code, code]));

registerEnumType(CurrencyCodeEnum, {
  name: 'CurrencyCode',
  description: 'An ISO 4217 currency.',
  valuesConfig: Object.fromEntries(
    allCurrencies.map(({ code, name }) => [
      code,
      { description: `${name}, ${currencyDigits(code)} decimal${currencyDigits(code) === 1 ? '' : 's'}.` },
    ]),
  ),
});
