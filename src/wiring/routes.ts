import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Express } from 'express';
import { documentRouter } from '../api/documents/documents.js';
import { ideRouter } from '../api/graphql/ide.js';
import { RateLimits } from '../api/graphql/limits/rate-limits.js';
import { standardTimeLimits } from '../api/graphql/limits/time-limit.js';
import { isSlow } from '../api/graphql/operation-log.js';
import { startGraphQLServer } from '../api/graphql/server.js';
import type { StreamObserver } from '../api/graphql/stream/live-streams.js';
import { healthRouter, type Readiness } from '../api/health/health.js';
import { allowOrigins } from '../api/http-policies.js';
import type { HttpState } from '../api/http-server.js';
import { quickBooksWebhookRouter } from '../api/webhooks/quickbooks.js';
import { stripeWebhookRouter } from '../api/webhooks/stripe.js';
import { findWeakenedActors } from '../application/access/find-weakened-actors.js';
import { findExampleIds } from '../application/queries/example-ids.js';
import { findPurchaseOrderDocument } from '../application/queries/purchase-order-document.js';
import { findStripeEndpoint } from '../application/webhooks/find-stripe-endpoint.js';
import { storeWebhookEvents } from '../application/webhooks/store-webhook-events.js';
import { PostgresChangeFeed } from '../infrastructure/database/change-feed.js';
import { hasPendingMigrations } from '../infrastructure/database/migrate.js';
import { PdfRenderer } from '../infrastructure/documents/pdf-renderer.js';
import { QuickBooksWebhooks } from '../infrastructure/quickbooks/webhooks.js';
import { StripeWebhooks } from '../infrastructure/stripe/webhooks.js';
import type { FindActor } from './authentication.js';
import { type Foundation, plainContext } from './foundation.js';
import type { ContextFactory, Providers } from './providers.js';
import { loadTrustedDocuments } from './trusted-documents.js';

interface ApiParts extends Foundation {
  readonly providers: Providers;
  readonly createContext: ContextFactory;
  readonly findActor: FindActor;
  readonly apiKey: string | undefined;
}

/** What pages of other origins may call, if any. */
const CLIENT_ROUTES = ['/graphql', '/purchase-orders'];

/** Every role answers health checks; only API processes answer anything else. */
export async function mountRoutes(app: Express, state: HttpState, parts: ApiParts): Promise<() => Promise<void>> {
  const { config, orm, requestOrm, metrics } = parts;
  const simulators = simulatorAddresses(parts);
  app.use(healthRouter({ registry: metrics.registry, readiness: () => readiness(orm, state, simulators) }));
  if (config.role === 'worker') return async () => undefined;
  if (config.corsOrigins.length > 0) app.use(CLIENT_ROUTES, allowOrigins(config.corsOrigins));
  mountQuickBooksWebhooks(app, parts);
  mountStripeWebhooks(app, parts);
  const rateLimits = new RateLimits(config.rateLimitPerMinute);
  mountDocuments(app, parts, rateLimits);
  if (config.graphqlIde) {
    const developmentKey = config.production ? undefined : parts.apiKey;
    app.use(ideRouter({ developmentKey, findExampleIds: () => findExampleIds(requestOrm.em.fork()) }));
  }
  return mountGraphQL(app, state, parts, rateLimits);
}

/** The simulators of this process by their providers. */
function simulatorAddresses({ simulators }: Foundation): Record<string, string> {
  const running = Object.entries(simulators).filter(([, simulator]) => simulator !== undefined);
  return Object.fromEntries(running.map(([provider, { baseUrl }]) => [provider, baseUrl]));
}

async function readiness(
  orm: MikroORM,
  { starting, stopping }: HttpState,
  simulators: Record<string, string>,
): Promise<Readiness> {
  const database = await isReached(orm);
  const migrations = database && !(await hasPendingMigrations(orm));
  return { database, migrations, starting, stopping, simulators };
}

/** Asked with a statement: the ORM connects late, and its own answer says only whether it ever did. */
async function isReached(orm: MikroORM): Promise<boolean> {
  return orm.em
    .fork()
    .execute('select 1')
    .then(
      () => true,
      () => false,
    );
}

function mountQuickBooksWebhooks(app: Express, parts: ApiParts): void {
  const { config, metrics, secrets, simulators } = parts;
  const simulatorTokens = simulators.quickbooks && secrets ? [secrets.verifierToken] : [];
  app.use(
    quickBooksWebhookRouter({
      source: new QuickBooksWebhooks([...config.quickbooks.verifierTokens, ...simulatorTokens]),
      store: (events) => storeWebhookEvents(inboxOf(parts), 'QBO', events),
      onAnswered: (status) => metrics.webhookRequests.inc({ provider: 'QBO', status }),
    }),
  );
}

/** Stripe's own way of signing, with the secrets of the conference that the address names. */
function mountStripeWebhooks(app: Express, parts: ApiParts): void {
  const { requestOrm, metrics, providers } = parts;
  app.use(
    stripeWebhookRouter({
      findSource: async (slug) => {
        const found = await findStripeEndpoint({ em: requestOrm.em.fork(), secrets: providers.secrets }, slug);
        const { connectionId = '', secrets = '' } = found?.endpoint ?? {};
        return found && new StripeWebhooks({ companyId: connectionId, secrets });
      },
      store: (events) => storeWebhookEvents(inboxOf(parts), 'STRIPE', events),
      onAnswered: (status) => metrics.webhookRequests.inc({ provider: 'STRIPE', status }),
    }),
  );
}

function inboxOf(parts: ApiParts) {
  const wake = (provider: string, companyId: string) => parts.jobs.wakeWebhookWorker(provider, companyId);
  return { ...plainContext({ ...parts, orm: parts.requestOrm }), wake };
}

function mountDocuments(app: Express, { requestOrm, clock, findActor }: ApiParts, rateLimits: RateLimits): void {
  app.use(
    documentRouter({
      findActor,
      findDocument: (actor, id) => findPurchaseOrderDocument(requestOrm.em.fork(), { actor, id, now: clock.now() }),
      renderer: new PdfRenderer(),
      rateLimits,
    }),
  );
}

async function mountGraphQL(
  app: Express,
  { server }: HttpState,
  parts: ApiParts,
  rateLimits: RateLimits,
): Promise<() => Promise<void>> {
  const { config, requestOrm, logger, metrics, clock, createContext, findActor } = parts;
  const trustedDocuments = await loadTrustedDocuments(config.trustedDocuments);
  const feed = startChangeFeed(parts);
  const graphql = await startGraphQLServer({
    httpServer: server,
    forkEntityManager: (signal) => forkForReading(requestOrm, signal),
    createUseCaseContext: createContext,
    findActor,
    openIntrospection: !config.production,
    trustedDocuments,
    rateLimits,
    timeLimits: standardTimeLimits,
    deadlineMs: config.waits.graphqlDeadlineMs,
    onOperation: (operation) => {
      const outcome = operation.errorCodes.length === 0 ? 'ok' : 'error';
      metrics.graphqlOperations.observe({ type: operation.type, outcome }, operation.durationMs / 1000);
      logger[isSlow(operation) ? 'warn' : 'info'](operation, 'GraphQL operation');
    },
    onRefused: (limit) => metrics.graphqlRefusals.inc({ limit }),
    onUnexpectedError: (error) => logger.error({ err: error }, 'a GraphQL operation failed'),
    live: {
      callerCheck: {
        everyMs: config.waits.callersCheckedMs,
        findWeakened: (actors) => findWeakenedActors({ em: requestOrm.em.fork(), clock }, actors),
        onError: (error) => logger.warn({ err: error }, 'the callers of streams could not be checked'),
      },
      watching: { feed, forkEntityManager: () => requestOrm.em.fork(), waits: config.waits },
      limits: config.streams,
      observer: streamObserver(parts),
    },
  });
  app.use(graphql.router);
  return async () => {
    await graphql.stop();
    await feed.stop();
  };
}

function startChangeFeed({ databaseUrl, logger, metrics }: Foundation): PostgresChangeFeed {
  const onListening = (isListening: boolean) => metrics.changeFeedListening.set(isListening ? 1 : 0);
  return new PostgresChangeFeed({ databaseUrl, logger, onListening });
}

function streamObserver({ logger, metrics, clock }: Foundation): StreamObserver {
  return {
    onCount: (open) => metrics.streamsOpen.set(open),
    onSent: (changedAt) => {
      metrics.streamEvents.inc();
      if (changedAt) metrics.streamLag.observe((clock.now().getTime() - changedAt.getTime()) / 1000);
    },
    onEnd: (stream) => logger.info(stream, 'GraphQL stream ended'),
  };
}

/** What is given up is cancelled in the database, too, so that its connection is free again. */
function forkForReading(orm: MikroORM, signal: AbortSignal | undefined): EntityManager {
  return signal ? orm.em.fork({ signal, inflightQueryAbortStrategy: 'cancel query' }) : orm.em.fork();
}
