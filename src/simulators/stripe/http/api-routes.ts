import { type Request, type Response, Router } from 'express';
import { bodyText, queryOf } from '../../common/http-input.js';
import { CallsUnderWay } from '../../common/under-way.js';
import { newId } from '../ids.js';
import { accountWithKey, type Simulation } from '../simulation.js';
import type { ApiRequest } from './api.js';
import { serve } from './serve.js';

/** `/v1/…`: the API itself. */
export function apiRoutes(simulation: Simulation, stopping: AbortSignal): Router {
  const router = Router();
  const underWay = new CallsUnderWay();
  router.all('/v1/*rest', async (request: Request, response: Response) => {
    const call = describe(simulation, request);
    const { account, idempotencyKey, method } = call;
    const key = method === 'POST' ? (idempotencyKey ?? null) : null;
    await underWay.during(account?.settings.accountId ?? '', key, (overlapping) =>
      serve(simulation, stopping, request, response, { ...call, overlapping }),
    );
  });
  return router;
}

function describe(simulation: Simulation, request: Request): Omit<ApiRequest, 'overlapping'> {
  const secretKey = keyIn(request.headers.authorization);
  const header = (name: string): string | undefined => request.get(name);
  return {
    method: request.method,
    path: request.path,
    form: request.method === 'POST' ? bodyText(request) : queryOf(request).toString(),
    requestId: newId('req', 14),
    secretKey,
    account: accountWithKey(simulation, secretKey),
    idempotencyKey: header('idempotency-key'),
    apiVersion: header('stripe-version'),
    connectedAccount: header('stripe-account'),
  };
}

/** The key is a bearer token, or the user name of basic authentication. */
function keyIn(authorization: string | undefined): string {
  const bearer = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic (\S+)$/i.exec(authorization ?? '')?.[1];
  return basic === undefined ? '' : (Buffer.from(basic, 'base64').toString('utf8').split(':')[0] ?? '');
}
