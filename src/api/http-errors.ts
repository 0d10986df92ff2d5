import type { ErrorRequestHandler, RequestHandler } from 'express';
import { isHttpError } from 'http-errors';
import { currentRequestId } from './request-id.js';

/** Answers whatever no route wanted. */
export const notFound: RequestHandler = (request, response) => {
  response.status(404).json({ error: `There is nothing at ${request.path}. GraphQL is at /graphql.` });
};

/** Answers what a route threw: a refused body in words, anything else without details. */
export function httpErrorHandler(report: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = statusOf(error);
    if (status === 500) report(error);
    const requestId = currentRequestId();
    const isGraphQL = request.path.startsWith('/graphql');
    const message = isMisspelt(error) ? MISSPELT : describe(status, isGraphQL);
    const body = isGraphQL
      ? { errors: [{ message, extensions: { code: codeOf(status), requestId } }] }
      : { error: message, requestId };
    if (response.headersSent) response.destroy();
    else response.status(status).set(headersOf(error)).json(body);
  };
}

const MISSPELT = 'The address has a "%" that is no part of an escape in UTF-8: a percent sign itself is written "%25".';

/** Of an address that it cannot decode Express tells in its own way. */
function isMisspelt(error: unknown): boolean {
  return error instanceof URIError && 'statusCode' in error;
}

function statusOf(error: unknown): number {
  if (isMisspelt(error)) return 400;
  return isHttpError(error) && error.statusCode < 500 ? error.statusCode : 500;
}

function headersOf(error: unknown): Record<string, string> {
  return isHttpError(error) ? (error.headers ?? {}) : {};
}

function codeOf(status: number): string {
  if (status === 500) return 'INTERNAL_SERVER_ERROR';
  return status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST';
}

function describe(status: number, isGraphQL: boolean): string {
  switch (status) {
    case 413:
      return isGraphQL
        ? 'A request may have 100 kB: send shorter texts, or the lines of an order in two orders.'
        : 'The request body is too large.';
    case 405:
      return 'Send operations with POST; queries may come with GET.';
    case 415:
      return isGraphQL
        ? 'Send JSON in UTF-8, not compressed: "content-type: application/json".'
        : 'The request body must be uncompressed UTF-8.';
    case 400:
      return 'The request body could not be read: it is incomplete or not valid JSON.';
    case 500:
      return 'Something went wrong on our side. Tell us the request id if it happens again.';
    default:
      return 'The request could not be read.';
  }
}
