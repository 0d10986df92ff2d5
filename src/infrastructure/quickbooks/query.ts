import type { QboCall } from './http-client.js';

/** The fields we filter by. QuickBooks refuses some others, e.g. an invoice's PrivateNote. */
interface QueryFields {
  readonly Customer: 'DisplayName' | 'Active';
  readonly Item: 'Name' | 'Active';
  readonly Invoice: 'Id' | 'CustomerRef' | 'DocNumber' | 'MetaData.CreateTime' | 'MetaData.LastUpdatedTime';
  readonly Payment: 'Id' | 'MetaData.LastUpdatedTime';
  readonly RefundReceipt: 'MetaData.LastUpdatedTime';
}

type QueryEntity = keyof QueryFields;
type QueryValue = string | boolean;

/** Conditions are joined with AND: the language has no OR. */
type QueryCondition<Field extends string> =
  | { readonly field: Field; readonly equals: QueryValue }
  | { readonly field: Field; readonly in: readonly QueryValue[] }
  | { readonly field: Field; readonly since: Date };

/** QuickBooks returns at most this many rows of one query. */
export const MAX_RESULTS = 1000;

/** Lists of names leave out inactive entries unless the statement names `Active`. */
export const ACTIVE_OR_NOT = { field: 'Active', in: [true, false] } as const;

/** Writes a query statement. Throws `RangeError` for an empty list, which has no spelling in the language. */
export function select<Entity extends QueryEntity>(
  entity: Entity,
  where: readonly QueryCondition<QueryFields[Entity]>[],
  orderBy?: QueryFields[Entity],
): string {
  const order = orderBy === undefined ? '' : ` orderby ${orderBy}`;
  return `select * from ${entity} where ${where.map(condition).join(' and ')}${order} maxresults ${MAX_RESULTS}`;
}

/** What changed since then, oldest change first, so that the last row of a full page tells where to go on. */
export function selectChanged(
  entity: 'Invoice' | 'Payment' | 'RefundReceipt',
  since: Date,
  startPosition: number,
): string {
  const field = 'MetaData.LastUpdatedTime';
  const start = startPosition === 1 ? '' : ` startposition ${startPosition}`;
  return `${select(entity, [{ field, since }], field)}${start}`;
}

/** In whole seconds, as QuickBooks keeps the times of changes, and without the plus sign that URLs garble. */
export function timeText(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z');
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
  if ('since' in where) return `${where.field} >= ${literal(timeText(where.since))}`;
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

/**
 * A query reads whichever method carries it.
 * @param include names a property that QuickBooks leaves out of query answers unless asked for it
 */
export function queryCall(operation: string, statement: string, include?: 'invoiceLink'): QboCall {
  const call = { operation, effect: 'read', path: 'query' } as const;
  const options = include && { include };
  if (encodeURIComponent(statement).length <= MAX_STATEMENT_IN_URL) {
    return { ...call, method: 'GET', query: { query: statement, ...options } };
  }
  return {
    ...call,
    method: 'POST',
    ...(options && { query: options }),
    body: statement,
    contentType: 'application/text',
  };
}

/** QuickBooks returns at most 1000 rows; half of that also keeps the statement under 10 kB. */
const IDS_IN_A_STATEMENT = 500;

/** Distinct ids in portions, each for one statement. */
export function pagesOf(ids: readonly string[]): string[][] {
  const distinct = [...new Set(ids)];
  const pages: string[][] = [];
  for (let start = 0; start < distinct.length; start += IDS_IN_A_STATEMENT) {
    pages.push(distinct.slice(start, start + IDS_IN_A_STATEMENT));
  }
  return pages;
}
