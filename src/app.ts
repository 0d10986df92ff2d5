import { join } from 'node:path';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Express } from 'express';
import { ideRouter } from './api/graphql/ide.js';
import { startGraphQLServer } from './api/graphql/server.js';
import { healthRouter, type Readiness } from './api/health/health.js';
import { type HttpState, startHttpServer } from './api/http-server.js';
import { quickBooksWebhookRouter } from './api/webhooks/quickbooks.js';
import { ensureApiKey, findActorByKey, hasApiKey } from './application/access/api-keys.js';
import type { Actor } from './application/context.js';
import { findExampleIds } from './application/queries/example-ids.js';
import type { QboContext } from './application/quickbooks/qbo-context.js';
import type { SweepReport } from './application/quickbooks/sweep-qbo-connection.js';
import { storeWebhookEvents } from './application/webhooks/store-webhook-events.js';
import type { Config } from './config.js';
import { seedDemoConference } from './development/demo-conference.js';
import { deliverWebhooksTo, isQuickBooksSimulated, startLocalQuickBooks } from './development/local-simulators.js';
import type { Clock } from './domain/clock.js';
import { randomIds } from './domain/ids.js';
import { DatabaseClock } from './infrastructure/database/database-clock.js';
import { databaseProblem } from './infrastructure/database/database-problem.js';
import { startEmbeddedPostgres } from './infrastructure/database/embedded-postgres.js';
import { hasPendingMigrations, migrateDatabase } from './infrastructure/database/migrate.js';
import { openOrm } from './infrastructure/database/orm.js';
import { type DevelopmentSecrets, loadDevelopmentSecrets } from './infrastructure/development-secrets.js';
import { GraphileJobQueue } from './infrastructure/jobs/job-queue.js';
import { startWorker } from './infrastructure/jobs/worker.js';
import { createLogger, type Logger } from './infrastructure/observability/logger.js';
import { Metrics } from './infrastructure/observability/metrics.js';
import type { QboCallReport } from './infrastructure/quickbooks/call-observer.js';
import { endpointResolver, type LocalCompanies } from './infrastructure/quickbooks/endpoint-resolver.js';
import { QuickBooksGateway } from './infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from './infrastructure/quickbooks/postgres-token-store.js';
import { PostgresTrafficStore } from './infrastructure/quickbooks/postgres-traffic-store.js';
import { QuickBooksWebhooks } from './infrastructure/quickbooks/webhooks.js';
import { JweSecretBox } from './infrastructure/secret-box.js';
import type { QuickBooksSimulator } from './simulators/quickbooks/simulator.js';

export interface RunningApp {
  readonly url: string;
  /** The key that works from the start; undefined when none was configured. */
  readonly apiKey: string | undefined;
  /** Where that key is kept, when it was generated. */
  readonly apiKeyFile: string | undefined;
  readonly simulators: Readonly<Record<string, QuickBooksSimulator>>;
  /** Where QuickBooks is, when the environment says so. */
  readonly quickBooksAddress: string | undefined;
  stop(): Promise<void>;
}

/** Background work acts in this name. */
const SYSTEM_ACTOR: Actor = { id: 'system', name: 'quickbooks' };

type Progress = (step: string) => void;

/** Starts every part that the role needs, in the order in which they need each other; they stop in the reverse order. */
export async function startApp(config: Config, onProgress: Progress): Promise<RunningApp> {
  const resources = new AsyncDisposableStack();
  try {
    return await start(config, onProgress, resources);
  } catch (error) {
    // What made the start fail is worth telling; what then goes wrong while cleaning up follows from it.
    await resources.disposeAsync().catch(() => undefined);
    throw error;
  }
}

async function start(config: Config, onProgress: Progress, resources: AsyncDisposableStack): Promise<RunningApp> {
  const foundation = await layFoundation(config, onProgress, resources);
  const { orm, jobs, secrets, simulator } = foundation;
  const accounting = createAccounting(foundation);
  resources.defer(() => accounting.stop());
  const createContext = contextFactory(foundation, accounting);
  const createSystemContext = () => createContext(orm.em.fork(), SYSTEM_ACTOR);
  if (config.role !== 'api') {
    const { databaseUrl, logger } = foundation;
    const worker = await startWorker({
      databaseUrl,
      logger,
      jobs,
      createContext: createSystemContext,
      onSweep: sweepObserver(foundation),
    });
    resources.defer(() => worker.stop());
  }
  const apiKey = config.bootstrapApiKey ?? secrets?.apiKey;
  if (apiKey !== undefined) await ensureApiKey(plainContext(foundation), 'bootstrap', apiKey);
  else if (!(await hasApiKey(orm.em.fork()))) foundation.logger.warn('nobody can log in: set BOOTSTRAP_API_KEY');
  const http = await startHttpServer({
    ...config,
    mount: (app, state) => mountRoutes(app, state, { ...foundation, createContext, apiKey }),
    onError: (error) => foundation.logger.error({ err: error }, 'a request failed'),
  });
  resources.defer(() => http.stop());
  if (simulator && secrets) await deliverWebhooksTo(simulator, `${http.url}/webhooks/qbo`, secrets.verifierToken);
  const isLaptop = !config.production && config.role === 'all';
  if (isLaptop) await seedDemoConference(createSystemContext, simulator);
  const simulators = simulator ? { quickbooks: simulator } : {};
  const apiKeyFile = config.bootstrapApiKey === undefined ? secrets?.apiKeyFile : undefined;
  const quickBooksAddress = config.quickbooks.apiBaseUrl;
  return {
    url: http.url,
    apiKey,
    apiKeyFile,
    simulators,
    quickBooksAddress,
    stop: () => resources.disposeAsync(),
  };
}

/** What every part stands on. */
interface Foundation {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly databaseUrl: string;
  readonly orm: MikroORM;
  readonly clock: Clock;
  readonly jobs: GraphileJobQueue;
  /** In development only. */
  readonly secrets: DevelopmentSecrets | undefined;
  readonly simulator: QuickBooksSimulator | undefined;
}

async function layFoundation(
  config: Config,
  onProgress: Progress,
  resources: AsyncDisposableStack,
): Promise<Foundation> {
  const logger = await createLogger(config);
  const secrets = config.production ? undefined : await loadDevelopmentSecrets(config.dataDirectory);
  const databaseUrl = config.databaseUrl ?? (await startDatabase(config, onProgress, resources));
  onProgress('applying migrations');
  await migrateDatabase(databaseUrl).catch((error: unknown) => {
    throw config.databaseUrl === undefined ? error : databaseProblem(error);
  });
  const orm = await openOrm(databaseUrl);
  resources.defer(() => orm.close());
  const simulator = await startSimulator(config, orm, onProgress, resources);
  const clock = await DatabaseClock.start(() => timeOf(orm));
  resources.defer(() => clock.stop());
  const jobs = await GraphileJobQueue.connect(databaseUrl, logger, clock);
  resources.defer(() => jobs.stop());
  return { config, logger, metrics: new Metrics(orm), databaseUrl, orm, clock, jobs, secrets, simulator };
}

async function timeOf(orm: MikroORM): Promise<number> {
  const [row] = await orm.em.fork().execute<{ now: Date | string }[]>('select clock_timestamp() as now');
  if (!row) throw new Error('the database did not tell its time');
  return new Date(row.now).getTime();
}

async function startDatabase(
  { dataDirectory }: Config,
  onProgress: Progress,
  resources: AsyncDisposableStack,
): Promise<string> {
  onProgress('starting the embedded PostgreSQL');
  const postgres = await startEmbeddedPostgres({ dataDirectory: join(dataDirectory, 'postgres'), onProgress });
  resources.defer(() => postgres.stop());
  return postgres.url;
}

async function startSimulator(
  config: Config,
  orm: MikroORM,
  onProgress: Progress,
  resources: AsyncDisposableStack,
): Promise<QuickBooksSimulator | undefined> {
  if (!(await isQuickBooksSimulated(config, orm.em.fork()))) return undefined;
  onProgress('starting the QuickBooks simulator');
  const simulator = await startLocalQuickBooks(config);
  resources.defer(() => simulator.stop());
  return simulator;
}

interface Accounting extends Pick<QboContext, 'secrets' | 'defaultApp'> {
  readonly gateway: QuickBooksGateway;
  stop(): Promise<void>;
}

function createAccounting(foundation: Foundation): Accounting {
  const { config, orm, clock, logger, metrics, simulator, secrets: development } = foundation;
  const { encryptionKeys, quickbooks, waits } = config;
  const { clientId, clientSecret } = quickbooks;
  const keys = encryptionKeys.length === 0 && development ? [development.encryptionKey] : encryptionKeys;
  const secrets = new JweSecretBox(keys);
  const defaultApp = clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : undefined;
  const gateway = new QuickBooksGateway({
    store: new PostgresTokenStore(orm, waits),
    traffic: new PostgresTrafficStore(orm, waits),
    secrets,
    clock,
    endpoints: endpointResolver(quickbooks, simulator && companiesOf(simulator)),
    defaultApp,
    waits,
    onCall: callObserver(logger, metrics),
    onTrouble: (error) => logger.warn({ err: error }, 'the traffic with QuickBooks could not be written down'),
    onBreaker: ({ connectionId, isOpen }) => {
      metrics.quickbooksBreakers.set({ connection: connectionId }, isOpen ? 1 : 0);
      logger.warn({ connection: connectionId, isOpen }, 'the breaker of a QuickBooks company changed');
    },
  });
  return { gateway, secrets, defaultApp, stop: () => gateway.stop() };
}

type ContextFactory = (em: EntityManager, actor: Actor) => QboContext;

/** Makes what the use cases get, each with an entity manager and an actor of its own. */
function contextFactory(
  { config, clock, jobs, simulator }: Foundation,
  { gateway, secrets, defaultApp }: Accounting,
): ContextFactory {
  const { production, quickbooks, waits } = config;
  const allowsSimulators = !production && (simulator !== undefined || quickbooks.apiBaseUrl !== undefined);
  const shared = {
    clock,
    ids: randomIds,
    waits,
    accounting: gateway,
    jobs,
    secrets,
    defaultApp,
    allowsSimulators,
  };
  return (em, actor) => ({ ...shared, em, actor });
}

function companiesOf({ realmIds, baseUrl, tokenUrl, authorizeUrl, revokeUrl }: QuickBooksSimulator): LocalCompanies {
  return { realmIds, endpoints: { apiBaseUrl: baseUrl, tokenUrl, authorizeUrl, revokeUrl } };
}

function callObserver(logger: Logger, metrics: Metrics) {
  return ({ operation, outcome, durationMs, statusCode, requestId }: QboCallReport): void => {
    metrics.quickbooksCalls.observe({ operation, outcome }, durationMs / 1000);
    const level = outcome === 'ok' ? 'info' : 'warn';
    const details = { operation, outcome, statusCode, intuitTid: requestId, durationMs: Math.round(durationMs) };
    logger[level](details, 'QuickBooks called');
  };
}

function sweepObserver({ logger, metrics }: Foundation) {
  return (report: SweepReport): void => {
    const { outcome, isGap } = report;
    if (outcome === 'not_due') return;
    metrics.quickbooksSweeps.inc({ outcome });
    if (isGap) metrics.quickbooksGaps.inc();
    logger[outcome === 'failed' || isGap ? 'warn' : 'info'](report, 'QuickBooks swept');
  };
}

function plainContext({ orm, clock }: Pick<Foundation, 'orm' | 'clock'>) {
  return { em: orm.em.fork(), clock, ids: randomIds };
}

interface ApiParts extends Foundation {
  readonly createContext: ContextFactory;
  readonly apiKey: string | undefined;
}

/** Every role answers health checks; only API processes answer anything else. */
async function mountRoutes(app: Express, state: HttpState, parts: ApiParts): Promise<() => Promise<void>> {
  const { config, orm, metrics, simulator } = parts;
  const simulators = simulator ? { quickbooks: simulator.baseUrl } : {};
  app.use(healthRouter({ registry: metrics.registry, readiness: () => readiness(orm, state.stopping, simulators) }));
  if (config.role === 'worker') return async () => undefined;
  mountWebhooks(app, parts);
  if (config.graphqlIde) {
    const developmentKey = config.production ? undefined : parts.apiKey;
    app.use(ideRouter({ developmentKey, findExampleIds: () => findExampleIds(orm.em.fork()) }));
  }
  return mountGraphQL(app, state, parts);
}

async function readiness(orm: MikroORM, stopping: boolean, simulators: Record<string, string>): Promise<Readiness> {
  const database = await isReached(orm);
  const migrations = database && !(await hasPendingMigrations(orm));
  return { database, migrations, stopping, simulators };
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

function mountWebhooks(app: Express, parts: ApiParts): void {
  const { config, jobs, metrics, secrets, simulator } = parts;
  const { verifierTokens } = config.quickbooks;
  const simulatorTokens = simulator && secrets ? [secrets.verifierToken] : [];
  const wake = (provider: string, companyId: string) => jobs.wakeWebhookWorker(provider, companyId);
  app.use(
    quickBooksWebhookRouter({
      source: new QuickBooksWebhooks([...verifierTokens, ...simulatorTokens]),
      store: (events) => storeWebhookEvents({ ...plainContext(parts), wake }, 'QBO', events),
      onAnswered: (status) => metrics.webhookRequests.inc({ provider: 'QBO', status }),
    }),
  );
}

async function mountGraphQL(
  app: Express,
  { server }: HttpState,
  { config, orm, logger, metrics, createContext }: ApiParts,
): Promise<() => Promise<void>> {
  const graphql = await startGraphQLServer({
    httpServer: server,
    forkEntityManager: () => orm.em.fork(),
    createUseCaseContext: createContext,
    findActor: (key) => findActorByKey(orm.em.fork(), key),
    openIntrospection: !config.production,
    deadlineMs: config.waits.graphqlDeadlineMs,
    onOperation: ({ durationMs, ...operation }) => {
      const outcome = operation.errorCodes.length === 0 ? 'ok' : 'error';
      metrics.graphqlOperations.observe({ type: operation.type, outcome }, durationMs / 1000);
      logger.info({ ...operation, durationMs }, 'GraphQL operation');
    },
    onUnexpectedError: (error) => logger.error({ err: error }, 'a GraphQL operation failed'),
  });
  app.use(graphql.router);
  return () => graphql.stop();
}
