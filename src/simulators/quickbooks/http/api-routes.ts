import { type Request, type Response, Router } from 'express';
import { bodyText, queryOf } from '../../common/http-input.js';
import { CallsUnderWay } from '../../common/under-way.js';
import type { Simulation } from '../simulation.js';
import { answerApi, isWrite } from './api.js';
import { serve } from './serve.js';

/** `/v3/company/{realmId}/…`: the accounting API itself. */
export function apiRoutes(simulation: Simulation, stopping: AbortSignal): Router {
  const router = Router();
  const underWay = new CallsUnderWay();
  router.all('/v3/company/:realmId/*rest', async (request: Request, response: Response) => {
    const [realmId = '', ...segments] = request.path.split('/').slice(3).map(decodeURIComponent);
    const query = queryOf(request);
    const body = bodyText(request);
    const { method } = request;
    const kind = isWrite({ method, segments }) ? 'write' : 'read';
    await underWay.during(realmId, query.get('requestid'), (overlapping) =>
      serve(simulation, stopping, request, response, { kind, realmId, query, body }, (itemRule) =>
        answerApi(simulation, {
          method,
          realmId,
          segments,
          query,
          authorization: request.headers.authorization,
          accept: request.headers.accept,
          contentType: request.headers['content-type'],
          body,
          overlapping,
          itemRule,
        }),
      ),
    );
  });
  return router;
}
