import { type ClassType, Field, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import type { Failure, Outcome } from '../../application/outcome.js';
import type { QboFailure } from '../../application/quickbooks/qbo-failure.js';
import type { StripeFailure } from '../../application/stripe/stripe-failure.js';
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

/** What a mutation that talks to a provider may add. */
@ObjectType()
abstract class ProviderUserError extends UserError {
  @Field(() => String, { nullable: true, description: "The provider's id of the invoice concerned." })
  invoiceId?: string;

  @Field(() => Int, { nullable: true, description: 'The HTTP status the provider answered with.' })
  statusCode?: number;

  @Field(() => Money, { nullable: true, description: 'The total of the purchase order, when the invoice differs.' })
  expectedTotal?: Money;

  @Field(() => Money, { nullable: true, description: 'The total of the invoice, when it differs.' })
  invoiceTotal?: Money;
}

const FAULT_CODE = { nullable: true, description: "QuickBooks' fault code, e.g. `6140`." } as const;
const INTUIT_TID = {
  nullable: true,
  description: "Intuit's id of the request, which their support asks for.",
} as const;

@ObjectType()
export abstract class QboUserError extends ProviderUserError {
  @Field(() => String, FAULT_CODE)
  faultCode?: string;

  @Field(() => String, INTUIT_TID)
  intuitTid?: string;
}

const STRIPE_CODE = { nullable: true, description: "Stripe's error code, e.g. `amount_too_small`." } as const;
const REQUEST_ID = {
  nullable: true,
  description: "Stripe's id of the request, `req_…`, which their support asks for.",
} as const;

@ObjectType()
export abstract class StripeUserError extends ProviderUserError {
  @Field(() => String, STRIPE_CODE)
  stripeCode?: string;

  @Field(() => String, REQUEST_ID)
  requestId?: string;
}

/** Of mutations that work with whichever provider the invoice is at. */
@ObjectType()
export abstract class InvoicingUserError extends ProviderUserError {
  @Field(() => String, FAULT_CODE)
  faultCode?: string;

  @Field(() => String, INTUIT_TID)
  intuitTid?: string;

  @Field(() => String, STRIPE_CODE)
  stripeCode?: string;

  @Field(() => String, REQUEST_ID)
  requestId?: string;
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

/** As `userErrorType`, with what Stripe said. */
export function stripeUserErrorType<Code extends string>(
  mutation: string,
  codes: CodeDescriptions<Code>,
): ClassType<StripeUserError> {
  return errorType(mutation, codes, StripeUserError);
}

/** As `userErrorType`, with what either provider said. */
export function invoicingUserErrorType<Code extends string>(
  mutation: string,
  codes: CodeDescriptions<Code>,
): ClassType<InvoicingUserError> {
  return errorType(mutation, codes, InvoicingUserError);
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

/** As `presentFailures`, with whatever the providers said. */
export function presentProviderFailures(outcome: Outcome<ProviderFailureDetails>): InvoicingUserError[] {
  return outcome.failures.map(({ expectedTotal, invoiceTotal, ...failure }) => ({
    ...failure,
    path: [...(failure.path ?? [])],
    ...(expectedTotal && { expectedTotal: new Money(expectedTotal.amount, expectedTotal.currencyCode) }),
    ...(invoiceTotal && { invoiceTotal: new Money(invoiceTotal.amount, invoiceTotal.currencyCode) }),
  }));
}

export type ProviderFailureDetails = QboFailure<string> | StripeFailure<string>;

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

/** Descriptions of the codes that every mutation which talks to Stripe shares. */
export const stripeCodes = {
  STRIPE_NOT_CONFIGURED: 'The conference has no Stripe account that may be used.',
  RECONNECT_REQUIRED: 'Stripe refuses the secret key: call `configureStripe` with another one.',
  STRIPE_REJECTED: 'Stripe refused it; see `stripeCode`, `statusCode` and `requestId`.',
  STRIPE_UNAVAILABLE: 'Stripe could not be asked. Certainly nothing was changed, and nothing will be.',
  IN_PROGRESS: 'The same thing is being done right now; ask again in a few seconds.',
  OUTCOME_UNKNOWN: 'Stripe did not answer. It is being settled in the background; ask again.',
} as const;

/** Descriptions of the codes of mutations that work with whichever provider the invoice is at. */
export const invoicingCodes = {
  ...quickbooksCodes,
  ...stripeCodes,
  RECONNECT_REQUIRED:
    'The provider refuses our authorisation: call `configureQboConnection` or `configureStripe` with a new one.',
  OUTCOME_UNKNOWN: 'The provider did not answer. It is being settled in the background; ask again.',
} as const;

/** Descriptions of the codes of mutations that create an invoice, at whichever provider. */
export const creationCodes = {
  ALREADY_INVOICED: 'There is a live invoice already; see `invoiceId`.',
  NOTHING_TO_INVOICE: 'The total of the purchase order is zero.',
  CANCELLED: commonCodes.CANCELLED,
  ALREADY_PAID: 'Nothing is due on the purchase order.',
  HAS_PAYMENTS_OR_CREDITS: 'It is partly paid or credited; an invoice would ask for the full amount.',
  INVALID: commonCodes.INVALID,
  IDEMPOTENCY_KEY_REUSED: commonCodes.IDEMPOTENCY_KEY_REUSED,
  IDEMPOTENCY_IN_PROGRESS: 'The first request with this key is still running; ask again in a few seconds.',
} as const;
