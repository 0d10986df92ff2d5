import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { requestScope } from '../application/request-scope.js';

/** A caller's own id is taken over when it is harmless to log. */
const ACCEPTABLE = /^[\w.-]{8,100}$/;

/** Gives every request an id that its answer, its errors and its log lines bear. */
export const assignRequestId: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  const requestId = given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID();
  response.set('x-request-id', requestId);
  requestScope.run({ requestId }, next);
};

export function currentRequestId(): string | undefined {
  return requestScope.getStore()?.requestId;
}
