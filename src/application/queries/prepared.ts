const HINT = '/* prepared */ ';

/**
 * A statement that is asked again and again in the same words, so that planning it each time would cost as much as
 * executing it: PostgreSQL keeps its plan for each connection. Its words must not depend on what somebody sends, of
 * which there would be too many; its values may, as long as one plan is good for all of them.
 */
export function prepared(sql: string): string {
  return HINT + sql;
}

export function isPrepared(sql: unknown): sql is string {
  return typeof sql === 'string' && sql.startsWith(HINT);
}
