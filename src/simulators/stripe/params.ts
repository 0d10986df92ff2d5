import { z } from 'zod';
import { isCurrency } from './currencies.js';
import { InvalidParameters } from './errors.js';
import type { FormObject } from './form.js';

// What parameters can be. Everything arrives as text, and an empty one unsets what can be unset.

/** The provider's limit for texts that have none of their own. */
const MAX_TEXT = 5000;
const MAX_KEYS = 50;

export function text(maximum = MAX_TEXT) {
  return z.string().superRefine((value, context) => {
    if (value === '') {
      const message =
        'You passed an empty string. We assume empty values are an attempt to unset a field; however, it cannot be unset.';
      context.addIssue({ code: 'custom', message, params: { code: 'parameter_invalid_empty' } });
    } else if (value.length > maximum) {
      const message = `Invalid string: must be at most ${maximum} characters`;
      context.addIssue({ code: 'custom', message, params: { code: 'parameter_invalid_string_length' } });
    }
  });
}

/** Empty: null. */
export function emptyableText(maximum = MAX_TEXT) {
  return z.union([z.literal('').transform(() => null), text(maximum)]);
}

export const integer = z
  .string()
  .superRefine((value, context) => {
    if (/^-?\d{1,15}$/.test(value)) return;
    const message = `Invalid integer: ${value}`;
    context.addIssue({ code: 'custom', message, params: { code: 'parameter_invalid_integer' } });
  })
  .transform((value) => z.coerce.number().catch(0).parse(value));

export const decimal = z.string().regex(/^-?\d{1,15}(\.\d{1,12})?$/, 'Invalid decimal: at most 12 decimal places');
export const flag = z
  .string()
  .regex(/^(true|false)$/, 'Invalid boolean: must be true or false')
  .transform((value) => value === 'true');
export const id = text();
export const currency = z.string().refine(isCurrency, {
  error: ({ input }) => `Invalid currency: ${input}. Stripe currently supports these currencies: …`,
});
export const email = z.string().regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, {
  error: ({ input }) => `Invalid email address: ${input}`,
});
export const limit = integer
  .refine((value) => value >= 1 && value <= 100, 'Invalid integer: limit must be between 1 and 100')
  .default(10);

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: ({ input }) => `Invalid value: must be one of ${values.join(', ')}, not ${input}` });
}

export function list<T extends z.ZodType>(element: T, maximum: number) {
  return z.preprocess(elementsOf, z.array(element).max(maximum, `Array must have at most ${maximum} elements`));
}

export function emptyableList<T extends z.ZodType>(element: T, maximum: number) {
  return z.union([z.literal('').transform(() => null), list(element, maximum)]);
}

function elementsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([left], [right]) => left.localeCompare(right, 'en', { numeric: true }))
    .map(([, element]) => element);
}

const METADATA_KEY = z
  .string()
  .max(40, 'Metadata keys must be at most 40 characters')
  .regex(/^[^[\]]+$/);
/** Empty values unset their keys; an empty text unsets all of them. */
export const metadata = z.union([
  z.literal(''),
  z
    .record(METADATA_KEY, z.string().max(500, 'Metadata values must be at most 500 characters'))
    .refine((value) => Object.keys(value).length <= MAX_KEYS, `Metadata can have at most ${MAX_KEYS} keys`),
]);

export function changedMetadata(
  current: Readonly<Record<string, string>>,
  change: z.output<typeof metadata> | undefined,
): Record<string, string> {
  if (change === '') return {};
  return Object.fromEntries(Object.entries({ ...current, ...change }).filter(([, value]) => value !== ''));
}

/** A moment, or a range of them. */
export const range = z.union([
  integer.transform((at) => ({ gte: at, lte: at })),
  z.strictObject({
    gt: integer.optional(),
    gte: integer.optional(),
    lt: integer.optional(),
    lte: integer.optional(),
  }),
]);

export function isInRange(value: number, wanted: z.output<typeof range> | undefined): boolean {
  if (wanted === undefined) return true;
  const { gt, gte, lt, lte } = { gt: undefined, lt: undefined, ...wanted };
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  );
}

/** Of every list. */
export const paging = {
  limit,
  starting_after: id.optional(),
  ending_before: id.optional(),
};

/** Checks the parameters of one call, in the provider's words when something is wrong with them. */
export function checkParams<T extends z.ZodType>(schema: T, form: FormObject): z.output<T> {
  const checked = schema.safeParse(form);
  if (checked.success) return checked.data;
  throw refusalOf(checked.error.issues);
}

function refusalOf(issues: readonly z.core.$ZodIssue[]): InvalidParameters {
  const [issue] = issues.map(deepest);
  if (issue === undefined) throw new Error('a refusal without a reason');
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0] ?? '']);
    return refused(`Received unknown parameter: ${param}`, 'parameter_unknown', param);
  }
  const param = nameOf(issue.path);
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return refused(`Missing required param: ${param}.`, 'parameter_missing', param);
  }
  const code: unknown = issue.code === 'custom' ? issue.params?.code : undefined;
  return refused(issue.message, typeof code === 'string' ? code : undefined, param);
}

/** Of a choice: what was wrong with the last alternative, which is the general one. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.at(-1)?.[0];
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

function refused(message: string, code: string | undefined, param: string): InvalidParameters {
  return new InvalidParameters(message, { code, param });
}

function nameOf([head, ...rest]: readonly PropertyKey[]): string {
  return `${String(head)}${rest.map((part) => `[${String(part)}]`).join('')}`;
}
