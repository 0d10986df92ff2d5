import { isCalendarDay } from '../../domain/clock.js';
import { PageRequestError, type PageWindow, type Position } from './page.js';

/** A column a list can be sorted by, as SQL; `cast` is the type its cursor text has, `pattern` how that is written. */
export interface SortKey {
  readonly column: string;
  readonly cast: 'timestamptz' | 'text';
  readonly pattern: RegExp;
}

/** Rows as `Date.toISOString` writes their time. */
export const CREATED_AT: SortKey = {
  column: 'created_at',
  cast: 'timestamptz',
  pattern: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/,
};

/** A piece of a statement with the values of its placeholders. */
export interface Fragment {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** The conditions, all of which must hold, and what stands behind them. Undefined is no condition. */
export function whereClause(
  conditions: readonly (Fragment | undefined)[],
  rest: Fragment = { sql: '', params: [] },
): Fragment {
  const given = conditions.filter((condition) => condition !== undefined);
  const where = given.length > 0 ? `where ${given.map(({ sql }) => sql).join(' and ')}` : '';
  return { sql: `${where} ${rest.sql}`, params: [...given, rest].flatMap(({ params }) => params) };
}

/** `where` conditions and `order by … limit` for one window of a list that is sorted by a key and then by id. */
export function keysetClauses(
  key: SortKey,
  direction: 'ASC' | 'DESC',
  window: PageWindow,
): { readonly conditions: readonly Fragment[]; readonly orderAndLimit: Fragment } {
  const forward = direction === 'ASC' ? '>' : '<';
  const backward = direction === 'ASC' ? '<' : '>';
  const sqlDirection = (direction === 'ASC') === window.isBackward ? 'desc' : 'asc';
  const conditions = [bound(key, forward, window.after), bound(key, backward, window.before)];
  return {
    conditions: conditions.filter((condition) => condition !== undefined),
    orderAndLimit: {
      sql: `order by ${key.column} ${sqlDirection}, id ${sqlDirection} limit ?`,
      params: [window.size + 1],
    },
  };
}

function bound(
  { column, cast, pattern }: SortKey,
  operator: string,
  position: Position | undefined,
): Fragment | undefined {
  if (!position) return undefined;
  const [sortValue] = position;
  if (!pattern.test(sortValue) || (cast === 'timestamptz' && !isTimestamp(sortValue))) {
    throw new PageRequestError('This cursor belongs to a list in another order.');
  }
  return { sql: `(${column}, id) ${operator} (?::${cast}, ?)`, params: position };
}

/** What looks like a time may name a day that does not exist, at which PostgreSQL would fail. */
function isTimestamp(text: string): boolean {
  const time = new Date(text);
  return isCalendarDay(text.slice(0, 10)) && !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
