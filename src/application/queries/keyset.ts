import type { PageWindow, Position } from './page.js';

/** A column a list can be sorted by, as SQL; `cast` is the type its cursor text has. */
export interface SortKey {
  readonly column: string;
  readonly cast: 'timestamptz' | 'text';
}

interface Fragment {
  readonly sql: string;
  readonly params: readonly unknown[];
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

function bound({ column, cast }: SortKey, operator: string, position: Position | undefined): Fragment | undefined {
  if (!position) return undefined;
  return { sql: `(${column}, id) ${operator} (?::${cast}, ?)`, params: position };
}
