import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { DriverException } from '@mikro-orm/core';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AccessDenied } from '../../application/access/permissions.js';
import { PageRequestError } from '../../application/queries/page.js';
import { isQueryCanceled } from '../../application/transaction.js';
import { timedOut, tooManyTokens } from './limits/limit-errors.js';

/** Codes whose messages were written for clients; everything else is masked. */
const CLIENT_CODES = new Set<unknown>([
  ...Object.values(ApolloServerErrorCode).filter((code) => code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR),
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'SERVICE_UNAVAILABLE',
  'NOT_FOUND',
  'QUERY_TOO_COMPLEX',
  'RATE_LIMITED',
  'TIMED_OUT',
  'DOCUMENT_REQUIRED',
  'UNKNOWN_DOCUMENT',
]);

export function badUserInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: ApolloServerErrorCode.BAD_USER_INPUT } });
}

/** What to answer to whoever shows no credential, or a key that is not valid. */
const SEND_A_KEY =
  'Send a valid API key: "Authorization: Bearer <key>". None came, or one that is unknown, revoked or expired.';

export function unauthenticated(message = SEND_A_KEY): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
}

/** Something that this server needs is away; the same request may be answered later. */
export function serviceUnavailable(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } });
}

/** The status and headers that an error asks for, as Apollo reads them. */
export function httpOf(error: unknown): { readonly status?: number; readonly headers?: ReadonlyMap<string, string> } {
  return (error instanceof GraphQLError && error.extensions.http) || {};
}

/** The same for what does not exist and for what the caller may not see. */
export function notFound(what: string): GraphQLError {
  return new GraphQLError(`There is no such ${what}.`, { extensions: { code: 'NOT_FOUND' } });
}

export interface ErrorReporter {
  /** The request that is being answered, if any. */
  readonly requestId: () => string | undefined;
  /** Called for what nobody foresaw; the client sees none of it. */
  readonly report: (error: unknown) => void;
  /** Called when an operation exceeds a limit. */
  readonly onRefused: (limit: string) => void;
}

/** What a client sees of an error: a code and the request id always; message and place only when meant for clients. */
export function createErrorFormatter({ requestId, report, onRefused }: ErrorReporter) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const cause = unwrapResolverError(error);
    const expected = expectedError(formatted, cause);
    if (!expected) report(cause);
    const exceeded = expected?.limit ?? LIMITS_BY_CODE.get(expected?.code);
    if (exceeded !== undefined) onRefused(String(exceeded));
    const { message, ...extensions } = expected ?? UNEXPECTED;
    const { locations, path } = formatted;
    const id = requestId();
    return {
      message,
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: { ...(id !== undefined && { requestId: id }), ...extensions },
    };
  };
}

interface ShownError {
  readonly message: string;
  readonly code: unknown;
  /** Which limit an operation exceeds. */
  readonly limit?: unknown;
}

/** Codes that say by themselves which limit was exceeded. */
const LIMITS_BY_CODE = new Map<unknown, string>([
  ['RATE_LIMITED', 'rate'],
  ['TIMED_OUT', 'time'],
]);

const UNEXPECTED: ShownError = {
  message: 'Something went wrong on our side. Tell us the request id if it happens again.',
  code: ApolloServerErrorCode.INTERNAL_SERVER_ERROR,
};

/** Undefined: nobody foresaw it. */
function expectedError({ message, extensions }: GraphQLFormattedError, cause: unknown): ShownError | undefined {
  if (cause instanceof PageRequestError) {
    return { message: cause.message, code: ApolloServerErrorCode.BAD_USER_INPUT };
  }
  if (cause instanceof AccessDenied) return { message: cause.message, code: 'FORBIDDEN' };
  if (isUnstorableText(cause)) {
    const explanation = 'A text in the arguments has a NUL character, which no stored text can have.';
    return { message: explanation, code: ApolloServerErrorCode.BAD_USER_INPUT };
  }
  if (isQueryCanceled(cause)) return shownOf(timedOut());
  if (TOO_MANY_TOKENS.test(message)) return shownOf(tooManyTokens());
  // Apollo gives whatever a validation rule finds a code of its own.
  if (extensions?.limit !== undefined) return { message, code: 'QUERY_TOO_COMPLEX', limit: extensions.limit };
  return CLIENT_CODES.has(extensions?.code) ? { message, code: extensions?.code } : undefined;
}

function shownOf({ message, extensions: { code, limit } }: GraphQLError): ShownError {
  return { message, code, ...(limit !== undefined && { limit }) };
}

/** graphql-js tells it in words only. */
const TOO_MANY_TOKENS = /^Syntax Error: Document contains more tha[nt] \d+ tokens\./;

/**
 * Texts that are stored were checked before, so this one was searched for. A prepared statement is refused for it
 * (`character_not_in_repertoire`). Others bear it in their own text, which to PostgreSQL then ends at the NUL: a protocol
 * violation that nothing else brings about.
 */
function isUnstorableText(error: unknown): boolean {
  if (!(error instanceof DriverException)) return false;
  return error.code === '22021' || (error.code === '08P01' && error.message === 'invalid message format');
}
