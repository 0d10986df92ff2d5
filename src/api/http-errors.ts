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
    const status = isHttpError(error) && error.statusCode < 500 ? error.statusCode : 500;
    if (status === 500) report(error);
    const message = describe(status);
    const requestId = currentRequestId();
    const body = request.path.startsWith('/graphql')
      ? {
          errors: [
            { message, extensions: { code: status === 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST', requestId } },
          ],
        }
      : { error: message, requestId };
    if (response.headersSent) response.destroy();
    else response.status(status).json(body);
  };
}

function describe(status: number): string {
  switch (status) {
    case 413:
      return 'The request body is too large.';
    case 415:
      return 'The request body must not be compressed.';
    case 400:
      return 'The request body could not be read: it is incomplete or not valid JSON.';
    case 500:
      return 'Something went wrong on our side. Tell us the request id if it happens again.';
    default:
      return 'The request could not be read.';
  }
}
