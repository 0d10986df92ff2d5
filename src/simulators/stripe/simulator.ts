import { Chaos } from '../common/chaos.js';
import { SimulatorClock } from '../common/clock.js';
import { CONTROL_PATH } from '../common/control-route.js';
import { FaultInjection } from '../common/fault-injection.js';
import { startHttpServer } from '../common/http-server.js';
import { RequestLog } from '../common/request-log.js';
import { StateSaver } from '../common/state-saver.js';
import { type AccountSettings, accountSettingsSchema, defaultAccounts } from './account-settings.js';
import { type Account, newAccount } from './books/model.js';
import { controlRoutes } from './control/control-routes.js';
import { apiRoutes } from './http/api-routes.js';
import { drawFault } from './http/chaos-rules.js';
import type { Simulation } from './simulation.js';
import { loadState, serialize } from './state-file.js';
import { WebhookSender } from './webhooks/webhook-sender.js';

export type { AccountSettings } from './account-settings.js';

export interface StripeSimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** With a file, the books survive a restart. */
  readonly stateFile?: string;
  /** Default: one account, whose key is `sk_test_simulator`. */
  readonly accounts?: readonly AccountSettings[];
}

export interface StripeSimulator {
  /** Where the API is: `{baseUrl}/v1/…`. */
  readonly baseUrl: string;
  readonly controlUrl: string;
  /** Those it began with. */
  readonly accounts: readonly { readonly accountId: string; readonly secretKey: string; readonly name: string }[];
  /** Closes every socket at once, saves the books and cancels pending deliveries. */
  stop(): Promise<void>;
}

/** Starts a stand-in for Stripe: its API and its webhooks. */
export async function startStripeSimulator(options: StripeSimulatorOptions = {}): Promise<StripeSimulator> {
  const { simulation, saver } = await assemble(options);
  const stopping = new AbortController();
  const server = await startHttpServer({ name: 'stripe', host: options.host, port: options.port }, [
    apiRoutes(simulation, stopping.signal),
    controlRoutes(simulation),
  ]);
  return {
    baseUrl: server.baseUrl,
    controlUrl: `${server.baseUrl}${CONTROL_PATH}`,
    accounts: [...simulation.accounts.values()].map(({ settings: { accountId, secretKey, name } }) => ({
      accountId,
      secretKey,
      name,
    })),
    stop: async () => {
      stopping.abort();
      await Promise.all([server.close(), simulation.webhooks.close(), saver.close()]);
    },
  };
}

async function assemble(options: StripeSimulatorOptions): Promise<{ simulation: Simulation; saver: StateSaver }> {
  const saved = options.stateFile === undefined ? undefined : await loadState(options.stateFile);
  const clock = new SimulatorClock(saved?.aheadMs);
  const accounts = saved?.accounts ?? seedAccounts(options.accounts ?? defaultAccounts);
  const saver = new StateSaver(options.stateFile, () =>
    serialize({ version: 1, aheadMs: clock.aheadOfMachineMs, accounts }),
  );
  const webhooks = new WebhookSender(clock, accounts);
  const simulation: Simulation = {
    clock,
    accounts,
    requests: new RequestLog((call) => call.accountId),
    faults: new FaultInjection((rule) => rule.match.accountId),
    chaos: new Chaos((order) => order.accountId, drawFault),
    webhooks,
    published: (account, events) => {
      webhooks.publish(account, events);
      saver.schedule();
    },
    changed: () => saver.schedule(),
  };
  return { simulation, saver };
}

function seedAccounts(settings: readonly AccountSettings[]): Map<string, Account> {
  return new Map(
    settings.map((each) => {
      const resolved = accountSettingsSchema.parse(each);
      return [resolved.accountId, newAccount(resolved)];
    }),
  );
}
