import { describe, expect, test } from '@jest/globals';
import { buildSchema, getIntrospectionQuery, parse, validate } from 'graphql';
import {
  documentLimitsRule,
  documentRules,
  MAX_VALIDATION_ERRORS,
} from '../../../src/api/graphql/limits/document-limits.js';

const schema = buildSchema(`
  type Query { item: Item  items: [Item!]!  name: String }
  type Item { item: Item  items: [Item!]  connection: Connection!  name: String }
  type Connection { nodes: [Item!]!  edges: [Edge!]!  total: Int! }
  type Edge { node: Item! }
`);

/** Which limits a document exceeds, as far as it is measured by us. */
function exceeded(document: string): unknown[] {
  return validate(schema, parse(document), [documentLimitsRule]).map(({ extensions }) => extensions.limit);
}

function nested(field: string, depth: number, inner: string): string {
  return `${`${field} { `.repeat(depth)}${inner}${' }'.repeat(depth)}`;
}

describe('an operation', () => {
  test('has fields 12 deep and no deeper', () => {
    expect(exceeded(`{ ${nested('item', 11, 'name')} }`)).toEqual([]);
    expect(exceeded(`{ ${nested('item', 12, 'name')} }`)).toEqual(['depth']);
  });

  test('has lists inside lists 3 deep and no deeper; a connection is one', () => {
    expect(exceeded(`{ ${nested('items', 3, 'name')} }`)).toEqual([]);
    expect(exceeded(`{ ${nested('items', 4, 'name')} }`)).toEqual(['lists']);
    expect(exceeded('{ items { connection { nodes { connection { nodes { name } } } } } }')).toEqual([]);
    expect(exceeded('{ items { connection { edges { node { connection { nodes { items { name } } } } } } } }')).toEqual(
      ['lists'],
    );
  });

  test('has 15 aliases and no more, wherever they are', () => {
    const aliases = (count: number) => Array.from({ length: count }, (_, index) => `a${index}: __typename`).join(' ');
    expect(exceeded(`{ ${aliases(15)} }`)).toEqual([]);
    expect(exceeded(`{ ${aliases(16)} }`)).toEqual(['aliases']);
    expect(exceeded(`{ ${aliases(8)} item { ${aliases(8)} } }`)).toEqual(['aliases']);
    expect(exceeded(`{ item { ...F } two: item { ...F } } fragment F on Item { ${aliases(8)} }`)).toEqual(['aliases']);
  });

  test('names fields again 15 times and no more; beside a fragment that names them, too, is no repetition', () => {
    expect(exceeded(`{ ${'name '.repeat(16)} }`)).toEqual([]);
    expect(exceeded(`{ ${'name '.repeat(17)} }`)).toEqual(['repetitions']);
    expect(exceeded(`{ ${'item { name } '.repeat(9)} ... { ${'a: name '.repeat(9)} } }`)).toEqual(['repetitions']);
    expect(exceeded(`{ ${'name ...F '.repeat(16)} } fragment F on Query { name }`)).toEqual([]);
  });

  test('has 10 directives and no more, its own among them', () => {
    const directives = (count: number) => '@include(if: true) '.repeat(count);
    expect(exceeded(`{ name ${directives(10)} }`)).toEqual([]);
    expect(exceeded(`{ name ${directives(11)} }`)).toEqual(['directives']);
    expect(exceeded(`query ${directives(6)} { ... ${directives(5)} { name } }`)).toEqual(['directives']);
  });

  test('selects 2,000 fields and no more, fragments counted wherever they are used', () => {
    const fragments = (count: number) => '... { name } '.repeat(count);
    expect(exceeded(`{ ${fragments(1_000)} }`)).toEqual([]);
    expect(exceeded(`{ ${fragments(1_000)} name }`)).toEqual(['selections']);
    const twice = Array.from({ length: 11 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
    expect(exceeded(`{ ...F0 } ${twice.join(' ')} fragment F11 on Query { name }`)).toEqual(['selections']);
  });

  test('is measured once a fragment, however often that one multiplies itself', () => {
    const many = Array.from({ length: 400 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
    expect(exceeded(`{ ...F0 } ${many.join(' ')} fragment F400 on Query { name }`)).toEqual(['selections']);
  });

  test('with a fragment in itself, or with what is unknown, is measured as far as it goes', () => {
    expect(exceeded('{ ...F } fragment F on Query { item { name } ...F }')).toEqual([]);
    expect(exceeded('{ ...Unknown nothing { at { all } } ... on Nobody { name } }')).toEqual([]);
  });

  test('is measured for itself, whatever stands beside it in the document', () => {
    const fine = nested('item', 11, 'name');
    expect(exceeded(`query A { ${fine} } query B { ${nested('items', 4, 'name')} }`)).toEqual(['lists']);
    expect(exceeded(`query A { ${'... { name } '.repeat(900)} } query B { ${'... { name } '.repeat(900)} }`)).toEqual(
      [],
    );
  });
});

describe('introspection', () => {
  const errors = (document: string) =>
    validate(schema, parse(document), documentRules, { maxErrors: MAX_VALIDATION_ERRORS }).map(
      ({ message }) => message,
    );

  test('as every tool does it is within the limits', () => {
    const options = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, oneOf: true };
    expect(errors(getIntrospectionQuery({ ...options, inputValueDeprecation: true }))).toEqual([]);
  });

  test('in circles is refused', () => {
    const circles = '{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }';
    expect(errors(circles)).toEqual(['Maximum introspection depth exceeded']);
  });

  test('counts for aliases and directives as everything does', () => {
    expect(exceeded(`{ __schema { ${'a: types { name } '.repeat(16)} } }`)).toEqual(['aliases']);
  });
});

test('a document with many mistakes is told of a few', () => {
  const document = parse(`{ ${Array.from({ length: 50 }, (_, index) => `unknown${index}`).join(' ')} }`);
  const errors = validate(schema, document, documentRules, { maxErrors: MAX_VALIDATION_ERRORS });
  expect(errors).toHaveLength(MAX_VALIDATION_ERRORS + 1);
});
