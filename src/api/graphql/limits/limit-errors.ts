import { GraphQLError, type GraphQLErrorOptions } from 'graphql';

/** The limits of an operation by the name that its error has in `extensions.limit`. */
export type DocumentLimit =
  | 'tokens'
  | 'depth'
  | 'lists'
  | 'aliases'
  | 'repetitions'
  | 'directives'
  | 'selections'
  | 'cost';

/** A document that no client needs; its author has to change it. */
export function tooComplex(
  limit: DocumentLimit,
  message: string,
  options: Pick<GraphQLErrorOptions, 'nodes'> = {},
): GraphQLError {
  const extensions = { code: 'QUERY_TOO_COMPLEX', limit, http: { status: 400 } };
  return new GraphQLError(message, { ...options, extensions });
}

export function tooManyTokens(): GraphQLError {
  const advice = 'send lists, such as the lines of a purchase order, as variables, which do not count.';
  return tooComplex('tokens', `A document may have 5,000 tokens: ${advice}`);
}

/** Somebody asks more than their share; the same request is answered later. */
export function rateLimited(message: string, retryAfterMs: number): GraphQLError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const http = { status: 429, headers: new Map([['retry-after', String(seconds)]]) };
  return new GraphQLError(`${message} Try again in ${seconds} s.`, { extensions: { code: 'RATE_LIMITED', http } });
}

/** Given up, or cancelled by the database, because it took too long. */
export function timedOut(): GraphQLError {
  const message =
    'This took too long and was given up. What a mutation did until then stays, and it may still come to its end: read the object before you send it again.';
  return new GraphQLError(message, { extensions: { code: 'TIMED_OUT' } });
}
