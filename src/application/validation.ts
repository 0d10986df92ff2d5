import { z } from 'zod';
import { isCalendarDay } from '../domain/clock.js';
import type { CurrencyCode } from '../domain/currency.js';
import { currencyDigits } from '../domain/currency.js';
import { type AmountProblem, formatAmount, isAmount, MAX_AMOUNT, parseAmount } from '../domain/money.js';
import type { Failure } from './outcome.js';

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failures: readonly Failure<'INVALID'>[] };

/** Checks input against a schema; every offending field becomes one `INVALID` failure with its path. */
export function validate<T>(schema: z.ZodType<T>, input: unknown): Validated<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    failures: parsed.error.issues.map((issue) => ({
      code: 'INVALID',
      message: issue.message,
      path: issue.path.map(String),
    })),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL_OR_BREAK = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/;

/** One line of text, trimmed, not blank. */
export function requiredLine(what: string, maxLength: number) {
  return optionalLine(what, maxLength).refine((text) => text !== '', {
    error: `${what} must not be blank.`,
    abort: true,
  });
}

/** One line of text, trimmed; left out or null means empty. */
export function optionalLine(what: string, maxLength: number) {
  return text(what, maxLength).refine((value) => !CONTROL_OR_BREAK.test(value), {
    error: `${what} must be one line without control characters.`,
  });
}

/** Text of several lines, trimmed; left out or null means empty. */
export function optionalText(what: string, maxLength: number) {
  return text(what, maxLength).refine((value) => !CONTROL.test(value), {
    error: `${what} must not contain control characters.`,
  });
}

function text(what: string, maxLength: number) {
  return (
    z
      .string()
      .nullish()
      .transform((value) => (value ?? '').trim())
      .refine((value) => value.length <= maxLength, {
        error: `${what} must have at most ${maxLength} characters.`,
        abort: true,
      })
      // Half a surrogate pair would be stored as another character than was sent.
      .refine((value) => value.isWellFormed(), { error: `${what} must be valid Unicode text.` })
  );
}

/** QuickBooks stores at most 100 characters of an e-mail address. */
const MAX_EMAIL_LENGTH = 100;

export const emailAddress = z
  .string()
  .transform((value) => value.trim())
  .pipe(
    z
      .email('This is not an e-mail address.')
      .max(MAX_EMAIL_LENGTH, `An e-mail address must have at most ${MAX_EMAIL_LENGTH} characters.`),
  );

/** A day as `YYYY-MM-DD`; left out means null. */
export const optionalDay = z
  .string()
  .nullish()
  .transform((value) => value ?? null)
  .refine((value) => value === null || isCalendarDay(value), {
    error: 'This is not a day of the calendar (YYYY-MM-DD).',
  });

/** A decimal text in major units of `currency`, as exact minor units. */
export function amountIn(currency: CurrencyCode, minimum: 'zero' | 'more than zero') {
  return z.string().transform((value, context) => {
    const amount = parseAmount(value, currency);
    const problem = isAmount(amount) ? rangeProblem(amount, minimum) : describeProblem(amount, currency);
    if (problem) context.addIssue({ code: 'custom', message: problem });
    return isAmount(amount) && !problem ? amount : z.NEVER;
  });
}

function rangeProblem(amount: bigint, minimum: 'zero' | 'more than zero'): string | undefined {
  if (amount < 0n) return 'The amount must not be negative.';
  if (amount === 0n && minimum === 'more than zero') return 'The amount must be more than zero.';
  return undefined;
}

function describeProblem(problem: AmountProblem, currency: CurrencyCode): string {
  const digits = currencyDigits(currency);
  switch (problem) {
    case 'NOT_A_NUMBER':
      return 'The amount must be a plain decimal number such as "1475.00".';
    case 'TOO_MANY_DIGITS':
      return digits === 0
        ? `${currency} has no decimals: write the amount without a decimal point.`
        : `${currency} has ${digits} decimals: the amount has more.`;
    case 'TOO_LARGE':
      return `The amount must be at most ${formatAmount(MAX_AMOUNT, currency)} ${currency}.`;
  }
}
