import fc from 'fast-check';
import {
  type GraphQLInputField,
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';

/** Values of a GraphQL type as somebody would send them who wants to see a server stumble; some are none of the type. */
export function hostileValues(type: GraphQLInputType, known: readonly string[]): fc.Arbitrary<unknown> {
  const values = mostly(valuesOf(getNullableType(type), known), fc.jsonValue({ maxDepth: 5 }));
  return isNonNullType(type) ? values : fc.oneof(values, fc.constant(null));
}

/** What GraphQL itself refuses is to be rare: most values have to get past it. */
function mostly(values: fc.Arbitrary<unknown>, others: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 60, arbitrary: values }, { weight: 1, arbitrary: others });
}

function valuesOf(type: GraphQLInputType, known: readonly string[]): fc.Arbitrary<unknown> {
  if (isListType(type)) return fc.array(hostileValues(type.ofType, known), { maxLength: 4 });
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name));
  if (isInputObjectType(type)) return objects(Object.values(type.getFields()), known);
  switch (String(getNullableType(type))) {
    case 'Boolean':
      return fc.boolean();
    case 'Int':
      return mostly(
        fc.integer({ min: -2, max: 110 }),
        fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 2 ** 31, 1e21, 1.5, -0),
      );
    case 'Float':
      return fc.double();
    case 'Decimal':
      return mostly(fc.constantFrom('0.00', '-1.00', '0.001', '1', '99999999999999.99'), fc.constantFrom(...DECIMALS));
    case 'Date':
      return mostly(fc.constantFrom('2026-11-02', '0001-01-01', '9999-12-31', '2024-02-29'), fc.constantFrom(...DAYS));
    case 'DateTime':
      return mostly(instants(), fc.constantFrom(...TIMES));
    default:
      return texts(known);
  }
}

function objects(fields: readonly GraphQLInputField[], known: readonly string[]): fc.Arbitrary<unknown> {
  const shape = Object.fromEntries(fields.map(({ name, type }) => [name, hostileValues(type, known)]));
  const requiredKeys = fields.filter(({ type }) => isNonNullType(type)).map(({ name }) => name);
  const incomplete = fc.record(shape, { requiredKeys: [] });
  // Unlike a literal's, this `__proto__` is a key of its own, as it is in JSON.
  const polluted = fc.record({ ...shape, ['__proto__']: fc.jsonValue(), unknown: fc.jsonValue() });
  return mostly(fc.record(shape, { requiredKeys }), fc.oneof(incomplete, polluted));
}

function instants(): fc.Arbitrary<string> {
  const years = { min: new Date('0001-01-01'), max: new Date('9999-12-31') };
  return fc.date({ ...years, noInvalidDate: true }).map((date) => date.toISOString());
}

function texts(known: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...known),
    fc.constantFrom(...TEXTS),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.constantFrom(...known).chain((text) => damaged(text)),
    forgedCursors(),
  );
}

/** What is ours with a character gone, changed or doubled. */
function damaged(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat({ max: Math.max(0, text.length - 1) }), fc.constantFrom('', 'A', '\u0000', '%'))
    .map(([at, put]) => `${text.slice(0, at)}${put}${text.slice(at + 1)}`);
}

/** Well-formed as far as base64 and JSON go. */
function forgedCursors(): fc.Arbitrary<string> {
  const parts = fc.oneof(
    fc.constantFrom(...TEXTS.filter((text) => text.length < 500), ...TIMES, ...DECIMALS),
    fc.string(),
  );
  const ids = fc.constantFrom('po_1', 'x', "'", 'a'.repeat(100));
  const likely = fc.tuple(fc.constant(1), fc.oneof(instants(), fc.constantFrom('PO-AAAAAA', '-5', '12.50')), ids);
  return fc
    .oneof(
      likely,
      fc.tuple(fc.constantFrom(1, 2), parts, ids),
      fc.tuple(fc.constant(1), parts, parts, parts),
      fc.jsonValue(),
    )
    .map((content) => Buffer.from(JSON.stringify(content)).toString('base64url'));
}

const TEXTS = [
  '',
  ' ',
  '\u0000',
  'before\u0000after',
  '\ud800',
  'lone \udc00 surrogate',
  '\u202eright to left',
  '\ufeff',
  '\u0007\u001b[31m',
  "' or '1'='1",
  '%_\\',
  '__proto__',
  'NaN',
  '-1',
  'null',
  '\u{1f469}\u{200d}\u{1f4bb}'.repeat(80),
  'e\u0301'.repeat(300),
  'x'.repeat(5_000),
  'someone@example.com',
  'USD',
  'po_00000000-0000-7000-8000-000000000000',
  'conf_00000000-0000-7000-8000-000000000000',
];

const DECIMALS = [
  '0',
  '-0',
  '0.00',
  '-1.00',
  '0.001',
  '1.00',
  '99999999999999.99',
  '999999999999999',
  '99999999999999999999.99999999999999999999',
  '1e5',
  '0x10',
  '\u0661\u0662',
  '\uff11',
  ' 1',
];

const DAYS = [
  '2026-11-02',
  '2026-02-30',
  '0000-01-01',
  '0001-01-01',
  '9999-12-31',
  '-000001-01-01',
  '10000-01-01',
  '2024-02-29',
];

const TIMES = [
  '2026-11-02T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-12:00',
  '2026-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  'infinity',
  '-infinity',
  'now',
];
