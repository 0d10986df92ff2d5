import { Chaos } from '../common/chaos.js';
import { SimulatorClock } from '../common/clock.js';
import { CONTROL_PATH } from '../common/control-route.js';
import { FaultInjection } from '../common/fault-injection.js';
import { startHttpServer } from '../common/http-server.js';
import { RequestLog } from '../common/request-log.js';
import { StateSaver } from '../common/state-saver.js';
import type { Company } from './books/model.js';
import { newCompany } from './books/seed.js';
import { type CompanySettings, companySettingsSchema, defaultCompanies } from './company-settings.js';
import { controlRoutes } from './control/control-routes.js';
import { apiRoutes } from './http/api-routes.js';
import { CallLimits } from './http/call-limits.js';
import { drawFault } from './http/chaos-rules.js';
import { AUTHORIZE_PATH, oauthRoutes, REVOKE_PATH, TOKEN_PATH } from './http/oauth-routes.js';
import { OAuthServer } from './oauth/oauth-server.js';
import { newOAuthState } from './oauth/oauth-state.js';
import type { Simulation } from './simulation.js';
import { loadState, serialize } from './state-file.js';
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

const DEFAULT_VERIFIER_TOKEN = 'simulator-verifier-token';

/** Starts a stand-in for QuickBooks Online: its accounting API, its identity provider and its webhooks. */
export async function startQuickBooksSimulator(options: QuickBooksSimulatorOptions = {}): Promise<QuickBooksSimulator> {
  const { simulation, saver } = await assemble(options);
  const stopping = new AbortController();
  const server = await startHttpServer({ name: 'quickbooks', host: options.host, port: options.port }, [
    apiRoutes(simulation, stopping.signal),
    oauthRoutes(simulation, stopping.signal),
    controlRoutes(simulation),
  ]);
  const { baseUrl } = server;
  return {
    baseUrl,
    tokenUrl: `${baseUrl}${TOKEN_PATH}`,
    authorizeUrl: `${baseUrl}${AUTHORIZE_PATH}`,
    revokeUrl: `${baseUrl}${REVOKE_PATH}`,
    controlUrl: `${baseUrl}${CONTROL_PATH}`,
    realmIds: [...simulation.companies.keys()],
    stop: async () => {
      stopping.abort();
      await Promise.all([server.close(), simulation.webhooks.close(), saver.close()]);
    },
  };
}

async function assemble(options: QuickBooksSimulatorOptions): Promise<{ simulation: Simulation; saver: StateSaver }> {
  const saved = options.stateFile === undefined ? undefined : await loadState(options.stateFile);
  const clock = new SimulatorClock(saved?.aheadMs);
  const companies = saved?.companies ?? seedCompanies(options.companies ?? defaultCompanies);
  const oauth = new OAuthServer(clock, saved?.oauth ?? newOAuthState(), options.accessTokenSeconds ?? 3600);
  const saver = new StateSaver(options.stateFile, () =>
    serialize({ version: 1, aheadMs: clock.aheadOfMachineMs, companies, oauth: oauth.state }),
  );
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
    requests: new RequestLog((call) => call.realmId),
    faults: new FaultInjection((rule) => rule.match.realmId),
    chaos: new Chaos((order) => order.realmId, drawFault),
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
