import type { QboCall } from './http-client.js';

/** The fields we filter by. QuickBooks refuses some others, e.g. an invoice's PrivateNote. */
interface QueryFields {
  readonly Customer: 'DisplayName' | 'Active';
  readonly Item: 'Name' | 'Active';
  readonly Invoice: 'Id' | 'CustomerRef' | 'DocNumber' | 'MetaData.CreateTime';
  readonly Payment: 'Id';
}

export type QueryEntity = keyof QueryFields;
type QueryValue = string | boolean;

/** Conditions are joined with AND: the language has no OR. */
export type QueryCondition<Field extends string> =
  | { readonly field: Field; readonly equals: QueryValue }
  | { readonly field: Field; readonly since: Date }
  | { readonly field: Field; readonly in: readonly QueryValue[] };

/** QuickBooks returns at most this many rows of one query. */
export const MAX_RESULTS = 1000;

/** Lists of names leave out inactive entries unless the statement names `Active`. */
export const ACTIVE_OR_NOT = { field: 'Active', in: [true, false] } as const;

/** Writes a query statement. Throws `RangeError` for an empty list, which has no spelling in the language. */
export function select<Entity extends QueryEntity>(
  entity: Entity,
  where: readonly QueryCondition<QueryFields[Entity]>[],
): string {
  return `select * from ${entity} where ${where.map(condition).join(' and ')} maxresults ${MAX_RESULTS}`;
}

/** A page of all that fits, oldest first, so that what is added meanwhile comes at the end and moves nothing. */
export function selectPage<Entity extends QueryEntity>(
  entity: Entity,
  where: readonly QueryCondition<QueryFields[Entity]>[],
  startPosition: number,
): string {
  const conditions = where.map(condition).join(' and ');
  const page = `startposition ${startPosition} maxresults ${MAX_RESULTS}`;
  return `select * from ${entity} where ${conditions} orderby MetaData.CreateTime ${page}`;
}

function condition(where: QueryCondition<string>): string {
  if ('equals' in where) return `${where.field} = ${literal(where.equals)}`;
  if ('since' in where) return `${where.field} >= ${quote(where.since.toISOString())}`;
  if (where.in.length === 0) throw new RangeError(`The list of values for ${where.field} is empty.`);
  return `${where.field} in (${where.in.map(literal).join(', ')})`;
}

function literal(value: QueryValue): string {
  return typeof value === 'boolean' ? `${value}` : quote(value);
}

/**
 * A string literal. QuickBooks escapes with a backslash and refuses doubled apostrophes. Backslashes go first: done
 * second, they would escape the backslashes that were just put before the apostrophes.
 */
export function quote(text: string): string {
  return `'${text.toWellFormed().replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Longer statements go into a body: proxies commonly refuse URLs of more than 2000 characters. */
const MAX_STATEMENT_IN_URL = 1500;

/** A query reads whichever method carries it. */
export function queryCall(operation: string, statement: string): QboCall {
  const call = { operation, effect: 'read', path: 'query' } as const;
  if (encodeURIComponent(statement).length <= MAX_STATEMENT_IN_URL) {
    return { ...call, method: 'GET', query: { query: statement } };
  }
  return { ...call, method: 'POST', body: statement, contentType: 'application/text' };
}
