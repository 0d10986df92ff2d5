import type { Server } from 'node:http';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import express, { Router } from 'express';
import { type Actor, NOBODY } from '../../application/context.js';
import { Deadline } from '../../application/deadline.js';
import { requestScope } from '../../application/request-scope.js';
import { currentRequestId } from '../request-id.js';
import { authenticationPlugin, readBearerKey } from './authentication.js';
import { complexityPlugin } from './complexity.js';
import { createGraphQLContext, type GraphQLContext, type GraphQLDependencies } from './context.js';
import { createErrorFormatter, unauthenticated } from './errors.js';
import { type OperationReport, operationLogPlugin } from './operation-log.js';
import { buildGraphQLSchema } from './schema.js';

/** The largest sensible operation, a purchase order of 750 lines, fits twice. */
const MAX_BODY = '256kb';

/** No hand-written operation has a fifth of it; generated floods have more. */
const MAX_TOKENS = 5_000;

/** Self-references (payment → order → payments …) multiply; nobody needs more of them. */
const MAX_RECURSIVE_SELECTIONS = 2_000;

export interface GraphQLServerOptions extends GraphQLDependencies {
  readonly httpServer: Server;
  readonly findActor: (key: string) => Promise<Actor | undefined>;
  readonly openIntrospection: boolean;
  readonly deadlineMs: number;
  readonly onOperation: (operation: OperationReport) => void;
  readonly onUnexpectedError: (error: unknown) => void;
}

export interface GraphQLServer {
  readonly router: Router;
  stop(): Promise<void>;
}

/** `POST /graphql`. */
export async function startGraphQLServer(options: GraphQLServerOptions): Promise<GraphQLServer> {
  const apollo = new ApolloServer<GraphQLContext>({
    schema: buildGraphQLSchema(),
    introspection: true,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !options.openIntrospection,
    stopOnTerminationSignals: false,
    persistedQueries: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    maxRecursiveSelections: MAX_RECURSIVE_SELECTIONS,
    formatError: createErrorFormatter({ requestId: currentRequestId, report: options.onUnexpectedError }),
    plugins: [
      // The default instruments every field, for caching that must not happen to finance data.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginDrainHttpServer({ httpServer: options.httpServer }),
      operationLogPlugin(options.onOperation),
      authenticationPlugin(),
      complexityPlugin(),
    ],
  });
  await apollo.start();
  const router = Router();
  router.use(
    '/graphql',
    noStore,
    express.json({ limit: MAX_BODY }),
    setDeadline(options.deadlineMs),
    expressMiddleware(apollo, { context: contextOf(options) }),
  );
  return { router, stop: () => apollo.stop() };
}

const noStore: express.RequestHandler = (_request, response, next) => {
  response.set('cache-control', 'no-store');
  next();
};

/** Everything the request causes knows how long its caller waits. A caller who leaves changes nothing. */
function setDeadline(milliseconds: number): express.RequestHandler {
  return (_request, _response, next) => {
    const requestId = currentRequestId() ?? '';
    requestScope.run({ requestId, deadline: Deadline.after(milliseconds) }, next);
  };
}

function contextOf(options: GraphQLServerOptions) {
  return async ({ req }: { req: express.Request }): Promise<GraphQLContext> => {
    const key = readBearerKey(req.get('authorization'));
    const actor = (key === undefined ? undefined : await options.findActor(key)) ?? NOBODY;
    // Before anything is parsed: messages about a document describe the schema.
    if (actor === NOBODY && !options.openIntrospection) throw unauthenticated();
    return createGraphQLContext(options, { actor, requestId: currentRequestId() ?? '' });
  };
}
