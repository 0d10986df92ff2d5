import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { z } from 'zod';
import type { Company } from './books/model.js';
import { newCompany } from './books/seed.js';
import { SimulatorClock } from './clock.js';
import { type CompanySettings, companySettingsSchema, defaultCompanies } from './company-settings.js';
import { CONTROL_PATH, controlRoutes } from './control/control-routes.js';
import { apiRoutes } from './http/api-routes.js';
import { CallLimits } from './http/call-limits.js';
import { Chaos } from './http/chaos.js';
import { FaultInjection } from './http/fault-injection.js';
import { AUTHORIZE_PATH, oauthRoutes, REVOKE_PATH, TOKEN_PATH } from './http/oauth-routes.js';
import { RequestLog } from './http/request-log.js';
import { OAuthServer } from './oauth/oauth-server.js';
import { newOAuthState } from './oauth/oauth-state.js';
import type { Simulation } from './simulation.js';
import { loadState, StateSaver } from './state-file.js';
import { WebhookSender } from './webhooks/webhook-sender.js';

export type { CompanySettings } from './company-settings.js';

export interface QuickBooksSimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Where events are posted; can be set later through the control API. */
  readonly webhook?: { readonly url: string; readonly verifierToken: string };
  /** With a file, the books survive a restart. */
  readonly stateFile?: string;
  /** Default 3600, as the provider's. */
  readonly accessTokenSeconds?: number;
  readonly companies?: readonly CompanySettings[];
}

export interface QuickBooksSimulator {
  /** The API's host part: `{baseUrl}/v3/company/{realmId}/…`. */
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly authorizeUrl: string;
  readonly revokeUrl: string;
  readonly controlUrl: string;
  readonly realmIds: readonly string[];
  /** Closes every socket at once, saves the books and cancels pending deliveries. */
  stop(): Promise<void>;
}

const httpError = z.object({ status: z.int() });
const DEFAULT_VERIFIER_TOKEN = 'simulator-verifier-token';

/** Starts a stand-in for QuickBooks Online: its accounting API, its identity provider and its webhooks. */
export async function startQuickBooksSimulator(options: QuickBooksSimulatorOptions = {}): Promise<QuickBooksSimulator> {
  const { simulation, saver } = await assemble(options);
  const stopping = new AbortController();
  const server = createServer(routes(simulation, stopping.signal));
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://${options.host ?? '127.0.0.1'}:${port}`;
  return {
    baseUrl,
    tokenUrl: `${baseUrl}${TOKEN_PATH}`,
    authorizeUrl: `${baseUrl}${AUTHORIZE_PATH}`,
    revokeUrl: `${baseUrl}${REVOKE_PATH}`,
    controlUrl: `${baseUrl}${CONTROL_PATH}`,
    realmIds: [...simulation.companies.keys()],
    stop: async () => {
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, simulation.webhooks.close(), saver.close()]);
    },
  };
}

function routes(simulation: Simulation, stopping: AbortSignal): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set('x-simulator', 'quickbooks');
    next();
  });
  // Every body is read as bytes: the provider decides by its own rules what they mean.
  app.use(express.raw({ type: () => true, limit: '10mb' }));
  app.use(apiRoutes(simulation, stopping));
  app.use(oauthRoutes(simulation, stopping));
  app.use(controlRoutes(simulation));
  app.use(answerError);
  return app;
}

/** A request that could not even be read, such as one that is too large: the edge answers in HTML. */
const answerError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const status = httpError.safeParse(error).data?.status ?? 500;
  response.status(status).type('html').send(`<html><body><h1>${status}</h1></body></html>`);
};

async function assemble(options: QuickBooksSimulatorOptions): Promise<{ simulation: Simulation; saver: StateSaver }> {
  const saved = options.stateFile === undefined ? undefined : await loadState(options.stateFile);
  const clock = new SimulatorClock(saved?.aheadMs);
  const companies = saved?.companies ?? seedCompanies(options.companies ?? defaultCompanies);
  const oauth = new OAuthServer(clock, saved?.oauth ?? newOAuthState(), options.accessTokenSeconds ?? 3600);
  const saver = new StateSaver(options.stateFile, () => ({
    version: 1,
    aheadMs: clock.aheadOfMachineMs,
    companies,
    oauth: oauth.state,
  }));
  const webhooks = new WebhookSender(clock, {
    url: options.webhook?.url,
    verifierToken: options.webhook?.verifierToken ?? DEFAULT_VERIFIER_TOKEN,
  });
  const simulation: Simulation = {
    clientId: options.clientId ?? 'simulator-client-id',
    clientSecret: options.clientSecret ?? 'simulator-client-secret',
    clock,
    companies,
    oauth,
    requests: new RequestLog(),
    faults: new FaultInjection(),
    chaos: new Chaos(),
    limits: new CallLimits(),
    webhooks,
    published: (changes) => {
      webhooks.publish(changes);
      saver.schedule();
    },
    changed: () => saver.schedule(),
  };
  return { simulation, saver };
}

function seedCompanies(settings: readonly CompanySettings[]): Map<string, Company> {
  return new Map(
    settings.map((each) => {
      const resolved = companySettingsSchema.parse(each);
      return [resolved.realmId, newCompany(resolved)];
    }),
  );
}
