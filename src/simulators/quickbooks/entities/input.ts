import { z } from 'zod';
import { findCurrency } from '../currencies.js';
import { isCalendarDay } from '../dates.js';
import { Decimal } from '../decimal.js';
import { fieldFault, invalidProperty, unknownProperty } from '../faults.js';
import { isObject } from '../json.js';

// Building blocks for what callers may send. The message of every rule is the provider's code for breaking it.

/** Null means the same as leaving a field out, except that a sparse update clears the field. */
export const text = (maxLength: number) => z.string('2010').max(maxLength, '2050').nullish();
/** Names may not hold the sub-customer separator, tabs or line breaks. */
export const nameText = (maxLength: number) =>
  z
    .string('2010')
    .trim()
    .max(maxLength, '2050')
    .regex(/^[^:\t\n\r]*$/, '2040')
    .nullish();
export const flag = z.boolean('2230').nullish();
export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, '2170').nullish();
export const calendarDay = z.string('2060').refine(isCalendarDay, '2060').nullish();

/** A JSON number or the same digits as text: both are accepted for amounts. */
export const decimal = z
  .unknown()
  .transform((value, context) => {
    const number = Decimal.from(value);
    if (number !== undefined) return number;
    context.issues.push({ code: 'custom', message: '2090', input: value });
    return z.NEVER;
  })
  .nullish();

export const reference = z
  .strictObject({
    value: z.string('2010').min(1, '2020'),
    name: z.string('2010').nullish(),
    type: z.unknown().optional(),
  })
  .nullish();
export const currencyReference = z
  .strictObject({
    value: z.string('2010').refine((code) => findCurrency(code) !== undefined, '2220'),
    name: z.unknown().optional(),
  })
  .nullish();

const looksLikeEmail = (list: string) => list.split(',').every((address) => /@.*\./.test(address));
/** Customers' addresses are checked; several may be given, separated by commas. */
export const checkedEmail = z
  .strictObject({ Address: z.string('2010').max(100, '2050').refine(looksLikeEmail, '2210').nullish() })
  .nullish();
/** An invoice takes any text here and simply does not send to a bad one. */
export const uncheckedEmail = z.strictObject({ Address: text(100) }).nullish();
export const memo = z.strictObject({ value: text(1000) }).nullish();
export const phone = z.strictObject({ FreeFormNumber: text(30) }).nullish();

const addressLine = text(500);
export const address = z
  .strictObject({
    Id: text(20),
    Line1: addressLine,
    Line2: addressLine,
    Line3: addressLine,
    Line4: addressLine,
    Line5: addressLine,
    City: text(255),
    Country: text(255),
    CountryCode: text(255),
    CountrySubDivisionCode: text(255),
    PostalCode: text(30),
    Note: text(255),
    Lat: z.unknown().optional(),
    Long: z.unknown().optional(),
  })
  .nullish();
export type Address = z.output<typeof address>;

/** A known property that the provider fills in: whatever is sent is dropped. */
export const computed = z
  .unknown()
  .transform(() => undefined)
  .optional();
/** A known property with effects that this simulator does not model: refused rather than guessed. */
export const unmodelled = z
  .unknown()
  .refine((value) => value === undefined || value === null || value === false || isEmptyList(value), 'unmodelled')
  .optional();

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** The fields that every object has. */
export const envelopeFields = {
  Id: z.string('2030').nullish(),
  SyncToken: z.string('2010').nullish(),
  sparse: flag,
  domain: computed,
  MetaData: computed,
};

/** Checks what a caller sent against an entity's known properties, and answers in the provider's codes. */
export function parseInput<T>(entity: string, schema: z.ZodType<T>, body: unknown): T {
  if (!isObject(body)) throw invalidProperty('the request body, which is not a JSON object,');
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const { issues } = result.error;
  // The provider maps the JSON to its types before it looks at any value, so unknown names come first.
  const unknownNames = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknownNames !== undefined) throw unknownProperty(entity, unknownNames.keys[0] ?? '', knownProperties(schema));
  const [first] = issues;
  throw fieldFault(first?.message ?? '2010', first?.path.join('.') ?? '');
}

export function knownProperties(schema: z.ZodType): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
