import { startHttpServer } from './api/http-server.js';
import { BOOTSTRAP_NAME, ensureApiKey, hasAdministratorKey } from './application/access/api-keys.js';
import { systemActor } from './application/context.js';
import type { SecretBox } from './application/ports/secrets.js';
import type { SweepReport } from './application/sweeps.js';
import type { Config } from './config.js';
import { seedDemoConference } from './development/demo-conference.js';
import { deliverQuickBooksWebhooks, type LocalSimulators } from './development/local-simulators.js';
import { StripeEndpoints } from './development/stripe-endpoints.js';
import type { InvoiceProvider } from './domain/invoice/invoice.status.js';
import { StripeConnection } from './domain/stripe/stripe-connection.entity.js';
import { startWorker } from './infrastructure/jobs/worker.js';
import { createAuthentication } from './wiring/authentication.js';
import type { Progress } from './wiring/database.js';
import { type Foundation, layFoundation, plainContext } from './wiring/foundation.js';
import { contextFactory, createProviders } from './wiring/providers.js';
import { mountRoutes } from './wiring/routes.js';

export interface RunningApp {
  readonly url: string;
  /** The key that works from the start; undefined when none was configured. */
  readonly apiKey: string | undefined;
  /** Where that key is kept, when it was generated. */
  readonly apiKeyFile: string | undefined;
  readonly simulators: LocalSimulators;
  /** How many conferences are connected to Stripe itself when it starts; they stay so beside a simulator. */
  readonly realStripeConferences: number;
  /** Where the providers are, when the environment says so. */
  readonly addresses: { readonly quickbooks: string | undefined; readonly stripe: string | undefined };
  stop(): Promise<void>;
}

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
  const { orm, jobs, secrets, simulators, logger, databaseUrl } = foundation;
  const providers = createProviders(foundation);
  resources.defer(() => providers.accounting.stop());
  const createContext = contextFactory(foundation, providers);
  const createSystemContext = (provider: `${InvoiceProvider}` = 'QBO') =>
    createContext(orm.em.fork(), systemActor(provider));
  if (config.role !== 'api') {
    const onSweep = sweepObserver(foundation);
    const worker = await startWorker({ databaseUrl, logger, jobs, createContext: createSystemContext, onSweep });
    resources.defer(() => worker.stop());
  }
  const apiKey = config.bootstrapApiKey ?? secrets?.apiKey;
  await admitAdministrator(foundation, apiKey);
  const findActor = createAuthentication(foundation);
  const http = await startHttpServer({
    ...config,
    mount: (app, state) => mountRoutes(app, state, { ...foundation, providers, createContext, findActor, apiKey }),
    onError: (error) => logger.error({ err: error }, 'a request failed'),
  });
  resources.defer(() => http.stop());
  if (secrets && config.role === 'all') {
    await connectSimulators(foundation, http.url, { verifierToken: secrets.verifierToken, box: providers.secrets });
    await seedDemoConference(createSystemContext, simulators, secrets.stripeWebhookSecret);
  }
  http.started();
  return {
    url: http.url,
    apiKey,
    apiKeyFile: config.bootstrapApiKey === undefined ? secrets?.apiKeyFile : undefined,
    simulators,
    realStripeConferences: await orm.em.fork().count(StripeConnection, { simulated: false }),
    addresses: { quickbooks: config.quickbooks.apiBaseUrl, stripe: config.stripe.apiBaseUrl },
    stop: () => resources.disposeAsync(),
  };
}

/** Nobody should have to find out by themselves that nobody is let in. */
async function admitAdministrator(foundation: Foundation, apiKey: string | undefined): Promise<void> {
  const { config, logger } = foundation;
  const context = plainContext(foundation);
  if (apiKey !== undefined && !(await ensureApiKey(context, BOOTSTRAP_NAME, apiKey))) {
    logger.warn('the bootstrap API key was revoked, or is the key of somebody else: choose another one');
  } else if (!config.tokens && !(await hasAdministratorKey(context))) {
    logger.warn('nobody can log in: set BOOTSTRAP_API_KEY');
  }
}

/** Each simulator delivers its webhooks here, as the provider that it stands for does once it is told to. */
async function connectSimulators(
  { simulators, orm, requestOrm }: Foundation,
  serverUrl: string,
  { verifierToken, box }: { readonly verifierToken: string; readonly box: SecretBox },
): Promise<void> {
  const { quickbooks, stripe } = simulators;
  if (quickbooks) await deliverQuickBooksWebhooks(quickbooks, serverUrl, verifierToken);
  const forkEntityManager = () => orm.em.fork();
  // The demo conference is connected by one ORM, others by that of requests.
  const managers = [orm, requestOrm].map(({ em }) => em.getEventManager());
  if (!stripe) return;
  await new StripeEndpoints({ simulator: stripe, serverUrl, secrets: box, forkEntityManager }).register(managers);
}

function sweepObserver({ logger, metrics }: Foundation) {
  const observed = {
    QBO: { sweeps: metrics.quickbooksSweeps, gaps: metrics.quickbooksGaps, message: 'QuickBooks swept' },
    STRIPE: { sweeps: metrics.stripeSweeps, gaps: metrics.stripeGaps, message: 'Stripe swept' },
  };
  return (provider: `${InvoiceProvider}`, report: SweepReport): void => {
    const { outcome, isGap } = report;
    if (outcome === 'not_due') return;
    const { sweeps, gaps, message } = observed[provider];
    sweeps.inc({ outcome });
    if (isGap) gaps.inc();
    logger[outcome === 'failed' || isGap ? 'warn' : 'info'](report, message);
  };
}
