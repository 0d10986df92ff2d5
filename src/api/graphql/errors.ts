import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { DriverException } from '@mikro-orm/core';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AccessDenied } from '../../application/access/permissions.js';
import { PageRequestError } from '../../application/queries/page.js';

/** Codes whose messages were written for clients; everything else is masked. */
const CLIENT_CODES = new Set<unknown>([
  ...Object.values(ApolloServerErrorCode).filter((code) => code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR),
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'QUERY_TOO_COMPLEX',
]);

export function badUserInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: ApolloServerErrorCode.BAD_USER_INPUT } });
}

export function unauthenticated(): GraphQLError {
  const message = 'Send an API key: "Authorization: Bearer <key>".';
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
}

export interface ErrorReporter {
  /** The request that is being answered, if any. */
  readonly requestId: () => string | undefined;
  /** Called for what nobody foresaw; the client sees none of it. */
  readonly report: (error: unknown) => void;
}

/** What a client sees of an error: a code and the request id always; message and place only when meant for clients. */
export function createErrorFormatter({ requestId, report }: ErrorReporter) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const id = requestId();
    const extensions = id === undefined ? {} : { requestId: id };
    const cause = unwrapResolverError(error);
    if (cause instanceof PageRequestError) {
      return withCode(formatted, cause.message, { ...extensions, code: ApolloServerErrorCode.BAD_USER_INPUT });
    }
    if (cause instanceof AccessDenied) return withCode(formatted, cause.message, { ...extensions, code: 'FORBIDDEN' });
    if (isUnstorableText(cause)) {
      const message = 'A text in the arguments has a NUL character, which no stored text can have.';
      return withCode(formatted, message, { ...extensions, code: ApolloServerErrorCode.BAD_USER_INPUT });
    }
    const code = formatted.extensions?.code;
    if (CLIENT_CODES.has(code)) return withCode(formatted, formatted.message, { ...extensions, code });
    report(cause);
    const message = 'Something went wrong on our side. Tell us the request id if it happens again.';
    return withCode(formatted, message, { ...extensions, code: ApolloServerErrorCode.INTERNAL_SERVER_ERROR });
  };
}

/**
 * Texts that are stored were checked before, so this one was searched for. The driver writes it into the statement, which
 * to PostgreSQL then ends at the NUL: a protocol violation that nothing else brings about.
 */
function isUnstorableText(error: unknown): boolean {
  return error instanceof DriverException && error.code === '08P01' && error.message === 'invalid message format';
}

function withCode(
  { locations, path }: GraphQLFormattedError,
  message: string,
  extensions: Record<string, unknown>,
): GraphQLFormattedError {
  return { message, ...(locations && { locations }), ...(path && { path }), extensions };
}
