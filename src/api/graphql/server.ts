import type { Server } from 'node:http';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import express, { Router } from 'express';
import createHttpError from 'http-errors';
import { type Actor, NOBODY } from '../../application/context.js';
import { Deadline } from '../../application/deadline.js';
import { requestScope } from '../../application/request-scope.js';
import { currentRequestId } from '../request-id.js';
import { authenticationPlugin, findSender } from './authentication.js';
import { createGraphQLContext, type GraphQLContext, type GraphQLDependencies } from './context.js';
import { createErrorFormatter, unauthenticated } from './errors.js';
import { introspectionPlugin } from './introspection.js';
import { documentLimitsRule, MAX_TOKENS, MAX_VALIDATION_ERRORS } from './limits/document-limits.js';
import { operationLimitsPlugin } from './limits/operation-limits.js';
import type { RateLimits } from './limits/rate-limits.js';
import { type TimeLimits, timeLimitPlugin } from './limits/time-limit.js';
import { type OperationReport, operationLogPlugin } from './operation-log.js';
import { responseStatusPlugin } from './response-status.js';
import { buildGraphQLSchema } from './schema.js';
import { subscriptionsElsewherePlugin } from './stream/elsewhere.js';
import { type LiveStreamOptions, LiveStreams } from './stream/live-streams.js';
import { resolveDocument, type TrustedDocuments } from './trusted-documents.js';

/** Enough for a purchase order of 750 lines of 135 bytes each, sent as variables. */
const MAX_BODY = '100kb';

export interface GraphQLServerOptions extends GraphQLDependencies {
  readonly httpServer: Server;
  readonly findActor: (credential: string) => Promise<Actor | undefined>;
  readonly openIntrospection: boolean;
  readonly trustedDocuments: TrustedDocuments;
  readonly rateLimits: RateLimits;
  readonly timeLimits: TimeLimits;
  /** After that time a request starts no call to a provider. */
  readonly deadlineMs: number;
  readonly onOperation: (operation: OperationReport) => void;
  /** Told which limit a request exceeded. */
  readonly onRefused: (limit: string) => void;
  /** What subscriptions need beside all that. */
  readonly live: Pick<LiveStreamOptions, 'watching' | 'limits' | 'callerCheck' | 'observer'>;
}

export interface GraphQLServer {
  readonly router: Router;
  stop(): Promise<void>;
}

/** `POST /graphql` for queries and mutations, `POST /graphql/stream` for subscriptions. */
export async function startGraphQLServer(options: GraphQLServerOptions): Promise<GraphQLServer> {
  const schema = buildGraphQLSchema();
  const formatError = createErrorFormatter({
    requestId: currentRequestId,
    report: options.onUnexpectedError,
    onRefused: options.onRefused,
  });
  const identify = identifier(options);
  const apollo = new ApolloServer<GraphQLContext>({
    schema,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !options.openIntrospection,
    stopOnTerminationSignals: false,
    persistedQueries: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: [documentLimitsRule],
    validationOptions: { maxErrors: MAX_VALIDATION_ERRORS },
    formatError,
    plugins: [
      // The default instruments every field, for caching that must not happen to finance data.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginDrainHttpServer({ httpServer: options.httpServer }),
      operationLogPlugin(options.onOperation),
      authenticationPlugin(),
      subscriptionsElsewherePlugin(),
      operationLimitsPlugin(options.rateLimits),
      timeLimitPlugin(options.timeLimits),
      introspectionPlugin(options.openIntrospection),
      responseStatusPlugin(),
    ],
  });
  await apollo.start();
  const admit = async (request: express.Request) => {
    const context = await identify(request);
    await options.rateLimits.requireBudget(context);
    // Of a GET Apollo reads the address and not the body.
    const asked = request.method === 'POST' ? request.body : undefined;
    resolveDocument(options.trustedDocuments, asked, context.actor);
    return context;
  };
  const streams = new LiveStreams({ ...options, ...options.live, schema, formatError, identify, admit });
  const context = ({ req }: { req: express.Request }) => admit(req);
  const router = Router();
  router.use('/graphql', noStore, requireGetOrJson, express.json({ limit: MAX_BODY, inflate: false }));
  // Apollo's middleware takes every path below its own.
  router.use(streams.router);
  router.use('/graphql', setDeadline(options.deadlineMs), expressMiddleware(apollo, { context }));
  return {
    router,
    stop: async () => {
      streams.stop();
      await apollo.stop();
    },
  };
}

const noStore: express.RequestHandler = (_request, response, next) => {
  response.set('cache-control', 'no-store');
  next();
};

/** A page of another site can send anything but JSON without asking; nothing else is read. */
const requireGetOrJson: express.RequestHandler = (request, _response, next) => {
  const { method } = request;
  if (method === 'GET' || (method === 'POST' && request.is('application/json'))) next();
  else next(method === 'POST' ? createHttpError(415) : createHttpError(405, { headers: { allow: 'GET, POST' } }));
};

/** Everything the request causes knows how long its caller waits. A caller who leaves changes nothing. */
function setDeadline(milliseconds: number): express.RequestHandler {
  return (_request, _response, next) => {
    const requestId = currentRequestId() ?? '';
    requestScope.run({ requestId, deadline: Deadline.after(milliseconds) }, next);
  };
}

/** The context of a request: who sent it, and what answering it needs. */
function identifier(options: GraphQLServerOptions) {
  return async (request: express.Request): Promise<GraphQLContext> => {
    const address = request.ip ?? '';
    const actor = await findSender(options, request);
    // Before anything is parsed: messages about a document describe the schema.
    if (actor === NOBODY && !options.openIntrospection) throw unauthenticated();
    return createGraphQLContext(options, { actor, address, requestId: currentRequestId() ?? '' });
  };
}
