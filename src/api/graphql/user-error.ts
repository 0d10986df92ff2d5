import { type ClassType, Field, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import type { Failure, Outcome } from '../../application/outcome.js';
import type { QboFailure } from '../../application/quickbooks/qbo-failure.js';
import { Money } from './money.type.js';

@InterfaceType({
  description: 'Something the caller can correct. Nothing was changed unless the payload says otherwise.',
})
export abstract class UserError {
  @Field(() => String, { description: 'What is wrong and what to do, in a sentence that can be shown to a person.' })
  message!: string;

  @Field(() => [String], {
    description: 'Where in the input, e.g. `["lineItems", "0", "unitPrice"]`; empty when it concerns the whole.',
  })
  path!: string[];
}

/** Every code of a mutation with its description; the compiler sees to it that none is missing. */
type CodeDescriptions<Code extends string> = Readonly<Record<Code, string>>;

@ObjectType()
export abstract class QboUserError extends UserError {
  @Field(() => String, { nullable: true, description: "QuickBooks' id of the invoice concerned." })
  invoiceId?: string;

  @Field(() => String, { nullable: true, description: "QuickBooks' fault code, e.g. `6140`." })
  faultCode?: string;

  @Field(() => Int, { nullable: true, description: 'The HTTP status QuickBooks answered with.' })
  statusCode?: number;

  @Field(() => String, { nullable: true, description: "Intuit's id of the request, which their support asks for." })
  intuitTid?: string;

  @Field(() => Money, { nullable: true, description: 'The total of the purchase order, with `QBO_TOTAL_DIFFERS`.' })
  expectedTotal?: Money;

  @Field(() => Money, { nullable: true, description: 'The total of the invoice, with `QBO_TOTAL_DIFFERS`.' })
  invoiceTotal?: Money;
}

/**
 * The error type and the code enum of one mutation. Each mutation has its own, so that one can grow without a change
 * for the others.
 */
export function userErrorType<Code extends string>(
  mutation: string,
  codes: CodeDescriptions<Code>,
): ClassType<UserError> {
  return errorType(mutation, codes, UserError);
}

/** As `userErrorType`, with what QuickBooks said. */
export function qboUserErrorType<Code extends string>(
  mutation: string,
  codes: CodeDescriptions<Code>,
): ClassType<QboUserError> {
  return errorType(mutation, codes, QboUserError);
}

function errorType<Code extends string, Fields extends UserError>(
  mutation: string,
  codes: CodeDescriptions<Code>,
  fields: abstract new () => Fields,
): ClassType<Fields> {
  const codeEnum = registerCodes(mutation, codes);
  const description = `Why \`${lowerFirst(mutation)}\` was refused.`;

  @ObjectType(`${mutation}UserError`, { implements: UserError, description })
  class MutationUserError extends (fields as abstract new () => UserError) {
    @Field(() => codeEnum, { description: 'What is wrong, for programs.' })
    code!: string;
  }
  return MutationUserError as unknown as ClassType<Fields>;
}

function registerCodes<Code extends string>(mutation: string, codes: CodeDescriptions<Code>): Record<string, string> {
  const names = Object.keys(codes);
  const codeEnum = Object.fromEntries(names.map((name) => [name, name]));
  registerEnumType(codeEnum, {
    name: `${mutation}ErrorCode`,
    description: `What \`${lowerFirst(mutation)}\` may refuse.`,
    valuesConfig: Object.fromEntries(
      Object.entries<string>(codes).map(([name, description]) => [name, { description }]),
    ),
  });
  return codeEnum;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

export function presentFailures(outcome: Pick<Outcome<Failure<string>>, 'failures'>): UserError[] {
  return outcome.failures.map((failure) => ({ ...failure, path: [...(failure.path ?? [])] }));
}

export function presentQboFailures(outcome: Outcome<QboFailure<string>>): QboUserError[] {
  return outcome.failures.map(({ expectedTotal, invoiceTotal, ...failure }) => ({
    ...failure,
    path: [...(failure.path ?? [])],
    ...(expectedTotal && { expectedTotal: new Money(expectedTotal.amount, expectedTotal.currencyCode) }),
    ...(invoiceTotal && { invoiceTotal: new Money(invoiceTotal.amount, invoiceTotal.currencyCode) }),
  }));
}

/** Descriptions of the codes that several mutations share. */
export const commonCodes = {
  NOT_FOUND: 'There is no such object, or it is not yours to see.',
  INVALID: 'The field at `path` is not acceptable.',
  CANCELLED: 'The purchase order is cancelled.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used with other input before.',
} as const;

/** Descriptions of the codes that every mutation which talks to QuickBooks shares. */
export const quickbooksCodes = {
  QBO_NOT_CONFIGURED: 'The conference has no QuickBooks connection that may be used.',
  RECONNECT_REQUIRED: 'The authorisation has ended: call `configureQboConnection` with new tokens.',
  QBO_REJECTED: 'QuickBooks refused it; see `faultCode`, `statusCode` and `intuitTid`.',
  QBO_UNAVAILABLE: 'QuickBooks could not be asked. Certainly nothing was changed, and nothing will be.',
  IN_PROGRESS: 'The same thing is being done right now; ask again in a few seconds.',
  OUTCOME_UNKNOWN: 'QuickBooks did not answer. It is being settled in the background; ask again.',
} as const;
