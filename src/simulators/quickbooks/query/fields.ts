import type { Work } from '../books/work.js';
import { parseMoment } from '../dates.js';
import { Decimal } from '../decimal.js';
import { queryNotValid } from '../faults.js';

/** How one property is read, and how text from a statement becomes something it can be compared with. */
export interface FieldReader<T> {
  readonly kind: 'text' | 'id' | 'reference' | 'amount' | 'day' | 'moment' | 'flag';
  /** Reads a literal once; then negative, zero or positive for a record, undefined when it has no value there. */
  readonly against: (literal: string) => (record: T, work: Work) => number | undefined;
  readonly sort: (left: T, right: T, work: Work) => number;
  /** The value as text, for LIKE. */
  readonly text?: (record: T) => string | undefined;
}

type Get<T, V> = (record: T, work: Work) => V | undefined;

export const text = <T>(get: (record: T) => string | undefined): FieldReader<T> => ({
  ...comparing<T, string>(
    'text',
    (record) => get(record)?.toLowerCase(),
    (literal) => literal.toLowerCase(),
    byOrder,
  ),
  text: get,
});
export const id = <T>(get: Get<T, string>) => comparing<T, string>('id', get, (literal) => literal, byDigits);
export const reference = <T>(get: Get<T, string>) =>
  comparing<T, string>('reference', get, (literal) => literal, byDigits);
export const day = <T>(get: Get<T, string>) =>
  comparing<T, string>('day', get, (literal) => mustParse(dayOf(literal), literal), byOrder);
export const moment = <T>(get: Get<T, number>) =>
  comparing<T, number>('moment', get, (literal) => mustParse(parseMoment(literal), literal), byOrder);
export const amount = <T>(get: Get<T, Decimal>) =>
  comparing<T, Decimal>(
    'amount',
    get,
    (literal) => mustParse(Decimal.parse(literal), literal),
    (left, right) => left.compare(right),
  );
export const flag = <T>(get: Get<T, boolean>) =>
  comparing<T, string>(
    'flag',
    (record, work) => `${get(record, work)}`,
    (literal) => literal.toLowerCase(),
    byOrder,
  );

function comparing<T, V>(
  kind: FieldReader<T>['kind'],
  get: Get<T, V>,
  parse: (literal: string) => V,
  order: (left: V, right: V) => number,
): FieldReader<T> {
  return {
    kind,
    against: (literal) => {
      const wanted = parse(literal);
      return (record, work) => {
        const value = get(record, work);
        return value === undefined ? undefined : order(value, wanted);
      };
    },
    sort: (left, right, work) => {
      const [first, second] = [get(left, work), get(right, work)];
      if (first === undefined || second === undefined) return first === second ? 0 : first === undefined ? -1 : 1;
      return order(first, second);
    },
  };
}

function byOrder<V extends string | number>(left: V, right: V): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Ids are digits without leading zeros: the longer one is the greater one. */
function byDigits(left: string, right: string): number {
  return left.length === right.length ? byOrder(left, right) : byOrder(left.length, right.length);
}

function dayOf(literal: string): string | undefined {
  return parseMoment(literal) === undefined ? undefined : literal.slice(0, 10);
}

function mustParse<V>(value: V | undefined, literal: string): V {
  if (value === undefined) throw queryNotValid(`value ${literal} is not valid for this property`);
  return value;
}
