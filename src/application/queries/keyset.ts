import { isCalendarDay } from '../../domain/clock.js';
import { PageRequestError, type PageWindow, type Position } from './page.js';

/** What a list can be sorted by, as SQL. Never null: a comparison with null would lose rows. */
export interface SortKey {
  readonly column: string;
  /** The type of the column, to which the text in a cursor is cast. */
  readonly cast: 'timestamptz' | 'text' | 'date' | 'bigint';
  /** Whether a cursor can have this text: what PostgreSQL cannot cast must not reach it. */
  readonly accepts: (text: string) => boolean;
  /** Of a list with several orderings, which one this is; cursors bear it and fit no other. */
  readonly name?: string;
}

/** Rows as `Date.toISOString` writes their time. */
export const CREATED_AT: SortKey = { column: 'created_at', cast: 'timestamptz', accepts: isTimestamp };

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
  { column, cast, accepts, name }: SortKey,
  operator: string,
  position: Position | undefined,
): Fragment | undefined {
  if (!position) return undefined;
  const [sortValue, id, ordering] = position;
  if (ordering !== name || !accepts(sortValue)) {
    throw new PageRequestError('This cursor belongs to a list in another order.');
  }
  return { sql: `(${column}, id) ${operator} (?::${cast}, ?)`, params: [sortValue, id] };
}

/** What looks like a time may name a day that does not exist, at which PostgreSQL would fail. */
export function isTimestamp(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(text) || !isCalendarDay(text.slice(0, 10))) return false;
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
