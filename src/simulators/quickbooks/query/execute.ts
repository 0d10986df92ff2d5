import type { Work } from '../books/work.js';
import { queryNotValid, unsupported } from '../faults.js';
import type { JsonObject } from '../json.js';
import type { FieldReader } from './fields.js';
import { type Condition, parseQuery, type Statement } from './parser.js';
import { findSource, type QuerySource, unmodelledEntities } from './sources.js';

/** Runs one statement and answers with the content of `QueryResponse`. */
export function executeQuery(work: Work, text: string, include: ReadonlySet<string>): JsonObject {
  const statement = parseQuery(text);
  const source = mustFindSource(statement.entity);
  const rows = filtered(work, source, statement);
  if (statement.columns.kind === 'count') return { totalCount: rows.length };
  const page = sorted(work, source, statement, rows).slice(
    statement.startPosition - 1,
    statement.startPosition - 1 + statement.maxResults,
  );
  if (page.length === 0) return {}; // nothing found: not even an empty list
  return {
    [source.entity]: page.map((row) => project(source, statement, source.present(work, row, include))),
    startPosition: statement.startPosition,
    maxResults: page.length, // the number of rows returned, not the limit
    // Recorded for invoices and for no other entity.
    ...(source.entity === 'Invoice' ? { totalCount: rows.length } : {}),
  };
}

/** Tells an entity that is not modelled from one that does not exist. */
export function mustFindSource(entity: string): QuerySource<unknown> {
  const source = findSource(entity);
  if (source !== undefined) return source;
  if (unmodelledEntities.has(entity.toLowerCase())) throw unsupported(`a query of ${entity}`);
  throw queryNotValid(`invalid context declaration: ${entity}`);
}

function filtered(work: Work, source: QuerySource<unknown>, statement: Statement): unknown[] {
  const tests = statement.conditions.map((condition) => testOf(work, source, condition));
  const namesActive = statement.conditions.some((condition) => condition.field.toLowerCase() === 'active');
  const { isActive } = source;
  const visible = isActive === undefined || namesActive ? () => true : isActive;
  return [...source.records(work).values()].filter((row) => visible(row) && tests.every((test) => test(row)));
}

function testOf(work: Work, source: QuerySource<unknown>, condition: Condition): (row: unknown) => boolean {
  const field = fieldOf(source, condition.field);
  if (field.kind === 'id' && condition.operator !== '=' && condition.operator !== 'IN') {
    throw queryNotValid(`operator ${condition.operator} is not supported for property Id`);
  }
  if (condition.operator === 'IN') {
    const members = condition.values.map((value) => field.against(value));
    return (row) => members.some((compare) => compare(row, work) === 0);
  }
  if (condition.operator === 'LIKE') return likeTest(field, condition);
  const { operator } = condition;
  const compare = field.against(condition.value);
  return (row) => {
    const order = compare(row, work);
    return order !== undefined && holds(operator, order);
  };
}

function holds(operator: '=' | '<' | '>' | '<=' | '>=', order: number): boolean {
  switch (operator) {
    case '=':
      return order === 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
  }
}

/** `%` is the only wildcard. */
function likeTest(field: FieldReader<unknown>, condition: { field: string; value: string }): (row: unknown) => boolean {
  const { text } = field;
  if (text === undefined) throw queryNotValid(`operator LIKE is not supported for property ${condition.field}`);
  const parts = condition.value.split('%').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`, 'is');
  return (row) => pattern.test(text(row) ?? '');
}

function sorted(work: Work, source: QuerySource<unknown>, statement: Statement, rows: unknown[]): unknown[] {
  const asked = statement.orderBy.length > 0 ? statement.orderBy : [source.order];
  const keys = asked.map(({ field, descending }) => ({ field: sortableField(source, field), descending }));
  const byId = fieldOf(source, 'Id');
  return rows.sort((left, right) => {
    for (const { field, descending } of keys) {
      const order = field.sort(left, right, work);
      if (order !== 0) return descending ? -order : order;
    }
    const tie = byId.sort(left, right, work);
    return source.order.descending && statement.orderBy.length === 0 ? -tie : tie;
  });
}

function sortableField(source: QuerySource<unknown>, name: string): FieldReader<unknown> {
  const field = fieldOf(source, name);
  if (field.kind === 'reference') throw queryNotValid(`property '${name}' is not sortable`);
  return field;
}

function fieldOf(source: QuerySource<unknown>, name: string): FieldReader<unknown> {
  const wanted = name.toLowerCase();
  const found = Object.entries(source.fields).find(([field]) => field.toLowerCase() === wanted);
  if (found !== undefined) return found[1];
  const known = source.known.find((property) => property.toLowerCase() === wanted);
  if (known !== undefined) throw queryNotValid(`property '${known}' is not queryable`);
  throw queryNotValid(`Property ${name} not found for Entity ${source.entity}`);
}

/** A field list answers with those fields and the object's frame, marked sparse. */
function project(source: QuerySource<unknown>, statement: Statement, whole: JsonObject): JsonObject {
  if (statement.columns.kind !== 'fields') return whole;
  const picked: JsonObject = { domain: 'QBO', sparse: true };
  for (const name of statement.columns.names) {
    const wanted = name.split('.')[0]?.toLowerCase();
    const property = [...Object.keys(whole), ...source.known].find((key) => key.toLowerCase() === wanted);
    if (property === undefined) throw queryNotValid(`Property ${name} not found for Entity ${source.entity}`);
    if (whole[property] !== undefined) picked[property] = whole[property];
  }
  return picked;
}
