import { join } from 'node:path';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Config } from '../config.js';
import { Conference } from '../domain/conference/conference.entity.js';
import { QboConnection } from '../domain/quickbooks/qbo-connection.entity.js';
import { StripeConnection } from '../domain/stripe/stripe-connection.entity.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../simulators/quickbooks/simulator.js';
import { type StripeSimulator, startStripeSimulator } from '../simulators/stripe/simulator.js';

/** The providers on this machine; undefined where the real one, or whatever the environment names, is used. */
export interface LocalSimulators {
  readonly quickbooks: QuickBooksSimulator | undefined;
  readonly stripe: StripeSimulator | undefined;
}

/** In development: a simulator for each provider whose address is not overridden and whose place no real company has taken. */
export async function startLocalSimulators(
  config: Config,
  em: EntityManager,
  onProgress: (step: string) => void,
  resources: AsyncDisposableStack,
): Promise<LocalSimulators> {
  const started = async <S extends { stop(): Promise<void> }>(name: string, start: () => Promise<S>): Promise<S> => {
    onProgress(`starting the ${name} simulator`);
    const simulator = await start();
    resources.defer(() => simulator.stop());
    return simulator;
  };
  const isQuickBooksWanted = await isQuickBooksSimulated(config, em);
  const isStripeWanted = await isStripeSimulated(config, em);
  return {
    quickbooks: isQuickBooksWanted ? await started('QuickBooks', () => startQuickBooks(config)) : undefined,
    stripe: isStripeWanted ? await started('Stripe', () => startStripe(config)) : undefined,
  };
}

/** Not beside a real company. */
async function isQuickBooksSimulated(config: Config, em: EntityManager): Promise<boolean> {
  if (!hasSimulators(config) || config.quickbooks.apiBaseUrl !== undefined) return false;
  return (await em.count(QboConnection, { simulated: false })) === 0;
}

/** As long as there is a conference that might use it. Keys tell which account is whose, so real ones do not mind. */
async function isStripeSimulated(config: Config, em: EntityManager): Promise<boolean> {
  if (!hasSimulators(config) || config.stripe.apiBaseUrl !== undefined) return false;
  const real = await em.count(StripeConnection, { simulated: false });
  return real === 0 || real < (await em.count(Conference));
}

function hasSimulators({ production, role }: Config): boolean {
  return !production && role === 'all';
}

/** Where it keeps its books, so that a restart loses no invoice, and the port of the server; 0: any free one for both. */
type Place = Pick<Config, 'dataDirectory' | 'port'>;

/** With the usual 4000 for the server, the simulators are at 4010 and 4011. */
const PORT_DISTANCE = { quickbooks: 10, stripe: 11 } as const;

function startQuickBooks({ dataDirectory, port }: Place): Promise<QuickBooksSimulator> {
  const stateFile = join(dataDirectory, 'quickbooks-simulator.json');
  return atFixedPort(port, PORT_DISTANCE.quickbooks, (at) =>
    startQuickBooksSimulator({ port: at, stateFile, ...SIMULATOR_APP }),
  );
}

function startStripe({ dataDirectory, port }: Place): Promise<StripeSimulator> {
  const stateFile = join(dataDirectory, 'stripe-simulator.json');
  return atFixedPort(port, PORT_DISTANCE.stripe, (at) => startStripeSimulator({ port: at, stateFile }));
}

/** The same port each time, so that saved commands go on working; another one when it is taken. */
function atFixedPort<S>(port: number, distance: number, start: (port: number) => Promise<S>): Promise<S> {
  return port === 0 ? start(0) : start(port + distance).catch(() => start(0));
}

/** The app that the local simulator knows; there is nothing to protect. */
export const SIMULATOR_APP = { clientId: 'simulator-client-id', clientSecret: 'simulator-client-secret' } as const;

/** The key that opens the first account of the local Stripe simulator; there is nothing to protect. */
export const SIMULATOR_KEY = 'sk_test_simulator';

/** Whether a secret key is one of the simulator's accounts'. Stripe's own never look like this. */
export function isSimulatorKey(secretKey: string): boolean {
  return /^(sk|rk)_(test|live)_simulator/.test(secretKey);
}

/** Tells the QuickBooks simulator where to deliver its webhooks, once that address is known. */
export async function deliverQuickBooksWebhooks(
  simulator: QuickBooksSimulator,
  serverUrl: string,
  verifierToken: string,
): Promise<void> {
  await callControl(simulator, 'POST', '/webhooks', { url: `${serverUrl}/webhooks/qbo`, verifierToken });
}

/** Calls a simulator's control API, which no provider has. Throws when it refuses. */
export async function callControl(
  { controlUrl }: { readonly controlUrl: string },
  method: 'POST' | 'PATCH',
  path: string,
  body: Record<string, unknown>,
): Promise<unknown> {
  const response = await fetch(`${controlUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the simulator refused ${path}: ${await response.text()}`);
  return response.json();
}

export async function getControl({ controlUrl }: { readonly controlUrl: string }, path: string): Promise<unknown> {
  return (await fetch(`${controlUrl}${path}`)).json();
}
