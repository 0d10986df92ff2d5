import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import express from 'express';
import { ideRouter } from './api/graphql/ide.js';
import { startGraphQLServer } from './api/graphql/server.js';
import { healthRouter, type Readiness } from './api/health/health.js';
import { httpErrorHandler, notFound } from './api/http-errors.js';
import { assignRequestId } from './api/request-id.js';
import { quickBooksWebhookRouter } from './api/webhooks/quickbooks.js';
import { ensureApiKey, findActorByKey } from './application/access/api-keys.js';
import type { Actor } from './application/context.js';
import { findExampleIds } from './application/queries/example-ids.js';
import type { QboContext } from './application/quickbooks/qbo-context.js';
import { storeWebhookEvents } from './application/webhooks/store-webhook-events.js';
import type { Config } from './config.js';
import { seedDemoConference } from './development/demo-conference.js';
import { deliverWebhooksTo, startLocalQuickBooks } from './development/local-simulators.js';
import { systemClock } from './domain/clock.js';
import { randomIds } from './domain/ids.js';
import { QboConnection } from './domain/quickbooks/qbo-connection.entity.js';
import { startEmbeddedPostgres } from './infrastructure/database/embedded-postgres.js';
import { hasPendingMigrations, migrateDatabase } from './infrastructure/database/migrate.js';
import { openOrm } from './infrastructure/database/orm.js';
import { type DevelopmentSecrets, loadDevelopmentSecrets } from './infrastructure/development-secrets.js';
import { GraphileJobQueue } from './infrastructure/jobs/job-queue.js';
import { startWorker } from './infrastructure/jobs/worker.js';
import { createLogger, type Logger } from './infrastructure/observability/logger.js';
import { Metrics } from './infrastructure/observability/metrics.js';
import type { QboCallReport } from './infrastructure/quickbooks/call-observer.js';
import { type EndpointResolver, intuitEndpoints } from './infrastructure/quickbooks/endpoints.js';
import { QuickBooksGateway } from './infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from './infrastructure/quickbooks/postgres-token-store.js';
import { QuickBooksWebhooks } from './infrastructure/quickbooks/webhooks.js';
import { JweSecretBox } from './infrastructure/secret-box.js';
import type { QuickBooksSimulator } from './simulators/quickbooks/simulator.js';

export interface RunningApp {
  readonly url: string;
  /** The key that works from the start; undefined when none was configured. */
  readonly apiKey: string | undefined;
  readonly simulators: Readonly<Record<string, QuickBooksSimulator>>;
  /** A conference was made up because the database was empty. */
  readonly seeded: boolean;
  stop(): Promise<void>;
}

/** Background work acts in this name. */
const SYSTEM_ACTOR: Actor = { id: 'system', name: 'quickbooks' };

/** How long requests that are being answered may take to finish when the process stops. */
const DRAIN_MS = 10_000;

/** Starts every part that the role needs, in the order in which they need each other. */
export async function startApp(config: Config, onProgress: (step: string) => void): Promise<RunningApp> {
  const resources = new AsyncDisposableStack();
  try {
    return await start(config, onProgress, resources);
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

async function start(
  config: Config,
  onProgress: (step: string) => void,
  resources: AsyncDisposableStack,
): Promise<RunningApp> {
  const logger = await createLogger(config);
  const secrets = config.production ? undefined : await loadDevelopmentSecrets(config.dataDirectory);
  const databaseUrl = config.databaseUrl ?? (await startDatabase(config, onProgress, resources));
  onProgress('applying migrations');
  await migrateDatabase(databaseUrl);
  const orm = await openOrm(databaseUrl);
  resources.defer(() => orm.close());
  const metrics = new Metrics(orm);
  const simulator = await startSimulator(config, orm, secrets, onProgress, resources);
  const createContext = contextFactory(config, orm, { logger, metrics, simulator, secrets });
  const jobs = await GraphileJobQueue.connect(databaseUrl, logger);
  resources.defer(() => jobs.stop());
  await startBackground(config, { databaseUrl, logger, jobs, orm, createContext }, resources);
  const apiKey = config.bootstrapApiKey ?? secrets?.apiKey;
  const base = { em: orm.em.fork(), clock: systemClock, ids: randomIds };
  if (apiKey !== undefined) await ensureApiKey(base, 'bootstrap', apiKey);
  const parts: HttpParts = { config, orm, logger, metrics, jobs, createContext, simulator, secrets, apiKey };
  const { url, stop } = await startHttp(parts);
  resources.defer(stop);
  const seeded = simulator
    ? await connectSimulator(simulator, url, secrets, () => systemContext(orm, createContext))
    : false;
  return {
    url,
    apiKey,
    simulators: simulator ? { quickbooks: simulator } : {},
    seeded,
    stop: () => resources.disposeAsync(),
  };
}

async function startDatabase(
  config: Config,
  onProgress: (step: string) => void,
  resources: AsyncDisposableStack,
): Promise<string> {
  onProgress('starting the embedded PostgreSQL');
  const dataDirectory = join(config.dataDirectory, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDirectory, onProgress });
  resources.defer(() => postgres.stop());
  return postgres.url;
}

/** A simulator stands in for QuickBooks in development, unless its address or a connection of one's own is configured. */
async function startSimulator(
  { production, role, quickbooks, dataDirectory }: Config,
  orm: MikroORM,
  secrets: DevelopmentSecrets | undefined,
  onProgress: (step: string) => void,
  resources: AsyncDisposableStack,
): Promise<QuickBooksSimulator | undefined> {
  if (production || role !== 'all' || quickbooks.apiBaseUrl !== undefined || !secrets) return undefined;
  if ((await orm.em.fork().count(QboConnection, { simulated: false })) > 0) return undefined;
  onProgress('starting the QuickBooks simulator');
  const simulator = await startLocalQuickBooks({ dataDirectory, verifierToken: secrets.verifierToken });
  resources.defer(() => simulator.stop());
  return simulator;
}

async function connectSimulator(
  simulator: QuickBooksSimulator,
  url: string,
  secrets: DevelopmentSecrets | undefined,
  createContext: () => QboContext,
): Promise<boolean> {
  if (secrets) await deliverWebhooksTo(simulator, `${url}/webhooks/qbo`, secrets.verifierToken);
  return seedDemoConference(createContext, simulator);
}

interface ContextParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly simulator: QuickBooksSimulator | undefined;
  readonly secrets: DevelopmentSecrets | undefined;
}

type ContextFactory = (em: EntityManager, actor: Actor) => QboContext;

function contextFactory(
  config: Config,
  orm: MikroORM,
  { logger, metrics, simulator, secrets }: ContextParts,
): ContextFactory {
  const { clientId, clientSecret } = config.quickbooks;
  const keys = config.encryptionKeys.length > 0 || !secrets ? config.encryptionKeys : [secrets.encryptionKey];
  const secretBox = new JweSecretBox(keys);
  const defaultApp = clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : undefined;
  const accounting = new QuickBooksGateway({
    store: new PostgresTokenStore(orm),
    secrets: secretBox,
    clock: systemClock,
    endpoints: endpointResolver(config, simulator),
    defaultApp,
    onCall: callObserver(logger, metrics),
  });
  const { production } = config;
  const shared = { clock: systemClock, ids: randomIds, accounting, secrets: secretBox, defaultApp, production };
  return (em, actor) => ({ ...shared, em, actor });
}

function systemContext(orm: MikroORM, createContext: ContextFactory): QboContext {
  return createContext(orm.em.fork(), SYSTEM_ACTOR);
}

/** The environment's overrides count for everyone; the local simulator for its own companies; Intuit for the rest. */
function endpointResolver({ quickbooks }: Config, simulator: QuickBooksSimulator | undefined): EndpointResolver {
  const { apiBaseUrl, tokenUrl, authorizeUrl, revokeUrl } = quickbooks;
  return ({ environment, realmId, simulated }) => {
    const isLocal = simulated ?? simulator?.realmIds.includes(realmId);
    const standard = simulator && isLocal ? simulator : intuitEndpoints(environment);
    return {
      apiBaseUrl: apiBaseUrl ?? ('baseUrl' in standard ? standard.baseUrl : standard.apiBaseUrl),
      tokenUrl: tokenUrl ?? standard.tokenUrl,
      authorizeUrl: authorizeUrl ?? standard.authorizeUrl,
      revokeUrl: revokeUrl ?? standard.revokeUrl,
    };
  };
}

function callObserver(logger: Logger, metrics: Metrics) {
  return ({ operation, outcome, durationMs, statusCode, requestId }: QboCallReport): void => {
    metrics.quickbooksCalls.observe({ operation, outcome }, durationMs / 1000);
    const level = outcome === 'ok' ? 'info' : 'warn';
    const details = { operation, outcome, statusCode, intuitTid: requestId, durationMs: Math.round(durationMs) };
    logger[level](details, 'QuickBooks called');
  };
}

interface BackgroundParts {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly jobs: GraphileJobQueue;
  readonly orm: MikroORM;
  readonly createContext: ContextFactory;
}

async function startBackground(
  { role }: Config,
  { databaseUrl, logger, jobs, orm, createContext }: BackgroundParts,
  resources: AsyncDisposableStack,
): Promise<void> {
  if (role === 'api') return;
  const runner = await startWorker({
    databaseUrl,
    logger,
    jobs,
    createContext: () => systemContext(orm, createContext),
  });
  resources.defer(() => runner.stop());
}

interface HttpParts {
  readonly config: Config;
  readonly orm: MikroORM;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly jobs: GraphileJobQueue;
  readonly createContext: ContextFactory;
  readonly simulator: QuickBooksSimulator | undefined;
  readonly secrets: DevelopmentSecrets | undefined;
  readonly apiKey: string | undefined;
}

/** Every role answers health checks; only API processes answer anything else. */
async function startHttp(parts: HttpParts): Promise<{ url: string; stop: () => Promise<void> }> {
  const { config, orm, logger, metrics, simulator } = parts;
  const app = express().disable('x-powered-by').disable('etag');
  const server = createServer(app);
  const state = { stopping: false };
  const simulators = simulator ? { quickbooks: simulator.baseUrl } : {};
  app.use(assignRequestId);
  app.use(healthRouter({ registry: metrics.registry, readiness: () => readiness(orm, state.stopping, simulators) }));
  const graphql = config.role === 'worker' ? undefined : await mountApi(app, server, parts);
  app.use(
    notFound,
    httpErrorHandler((error) => logger.error({ err: error }, 'a request failed')),
  );
  const url = await listen(server, config);
  return {
    url,
    stop: async () => {
      state.stopping = true;
      const closed = server.listening ? once(server, 'close') : Promise.resolve();
      const giveUp = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      server.close();
      server.closeIdleConnections();
      await graphql?.stop();
      await closed;
      clearTimeout(giveUp);
    },
  };
}

async function readiness(orm: MikroORM, stopping: boolean, simulators: Record<string, string>): Promise<Readiness> {
  const database = await orm.isConnected();
  const migrations = database && !(await hasPendingMigrations(orm));
  return { database, migrations, stopping, simulators };
}

async function mountApi(app: express.Express, server: Server, parts: HttpParts) {
  const { config, orm, logger, metrics, jobs, createContext, secrets, apiKey } = parts;
  const ownTokens = config.quickbooks.verifierTokens;
  const verifierTokens = secrets ? [...ownTokens, secrets.verifierToken] : ownTokens;
  const webhookContext = () => ({
    em: orm.em.fork(),
    clock: systemClock,
    ids: randomIds,
    wake: (provider: string, companyId: string) => jobs.wakeWebhookWorker(provider, companyId),
  });
  app.use(
    quickBooksWebhookRouter({
      source: new QuickBooksWebhooks(verifierTokens),
      store: (events) => storeWebhookEvents(webhookContext(), 'QBO', events),
      onAnswered: (status) => metrics.webhookRequests.inc({ provider: 'QBO', status }),
    }),
  );
  if (config.graphqlIde) {
    const developmentKey = config.production ? undefined : apiKey;
    app.use(ideRouter({ developmentKey, findExampleIds: () => findExampleIds(orm.em.fork()) }));
  }
  const graphql = await startGraphQLServer({
    httpServer: server,
    forkEntityManager: () => orm.em.fork(),
    createUseCaseContext: createContext,
    findActor: (key) => findActorByKey(orm.em.fork(), key),
    openIntrospection: !config.production,
    onOperation: ({ durationMs, ...operation }) => {
      const outcome = operation.errorCodes.length === 0 ? 'ok' : 'error';
      metrics.graphqlOperations.observe({ type: operation.type, outcome }, durationMs / 1000);
      logger.info({ ...operation, durationMs }, 'GraphQL operation');
    },
    onUnexpectedError: (error) => logger.error({ err: error }, 'a GraphQL operation failed'),
  });
  app.use(graphql.router);
  return graphql;
}

async function listen(server: Server, { host, port }: Config): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${name}:${address.port}`;
}
