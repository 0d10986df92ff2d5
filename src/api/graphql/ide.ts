import { getDistDirectory, renderAltair } from 'altair-static';
import express, { type Request, type RequestHandler, Router } from 'express';
import { pagePolicy } from '../http-policies.js';
import { type ExampleIds, exampleOperations } from './ide-examples.js';

export interface IdeOptions {
  /** The key to fill in for people on this machine; undefined outside development. */
  readonly developmentKey: string | undefined;
  /** Ids for the examples to work with. */
  readonly findExampleIds: () => Promise<ExampleIds>;
}

const ASSETS = '/graphql/ide/';

const SUBSCRIPTIONS = {
  subscriptionsEndpoint: '/graphql/stream',
  initialSubscriptionRequestHandlerId: 'graphql-sse',
} as const;

/** `GET /graphql` in a browser: an IDE whose every file is served from here, opening with operations that work. */
export function ideRouter({ developmentKey, findExampleIds }: IdeOptions): Router {
  const router = Router();
  router.use(ASSETS, pagePolicy, express.static(getDistDirectory(), { index: false, maxAge: '1h' }));
  router.get('/graphql', skipPrograms, pagePolicy, async (request, response) => {
    const key = developmentKey !== undefined && isLocal(request) ? developmentKey : '<your API key>';
    const headers = { Authorization: `Bearer ${key}` };
    const ids = developmentKey === undefined ? {} : await findExampleIds();
    response.set('cache-control', 'no-store').send(
      renderAltair({
        baseURL: ASSETS,
        endpointURL: '/graphql',
        ...SUBSCRIPTIONS,
        initialName: 'conference-invoicing',
        // What a person typed is kept for as long as the examples are about the same order.
        instanceStorageNamespace: `examples_${ids.purchaseOrderId ?? ids.conferenceId ?? ''}`,
        initialHeaders: headers,
        initialWindows: exampleOperations(ids).map(({ name, query, variables }) => ({
          initialName: name,
          initialQuery: query,
          initialVariables: JSON.stringify(variables, null, 2),
          initialHeaders: headers,
          ...SUBSCRIPTIONS,
        })),
        disableAccount: true,
        persistedSettings: {
          'alert.disableUpdateNotification': true,
          'banners.disable': true,
          'schema.reloadOnStart': true,
        },
      }),
    );
  });
  return router;
}

/** Whoever does not ask for a page is answered by GraphQL. */
const skipPrograms: RequestHandler = (request, _response, next) => {
  next(request.accepts('html') && request.get('accept') !== '*/*' ? undefined : 'route');
};

/**
 * The key is written into the page only for a browser on this machine that asked for this machine: neither the network
 * nor a foreign site that points its name at 127.0.0.1 gets it.
 */
function isLocal(request: Request): boolean {
  const isLoopback = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.socket.remoteAddress ?? '');
  return isLoopback && ['localhost', '127.0.0.1', '[::1]'].includes(request.hostname);
}
