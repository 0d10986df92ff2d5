import { join } from 'node:path';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Config } from '../config.js';
import { QboConnection } from '../domain/quickbooks/qbo-connection.entity.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../simulators/quickbooks/simulator.js';

/** In development, unless QuickBooks' address is overridden or a connection of one's own exists. */
export async function isQuickBooksSimulated(
  { production, role, quickbooks }: Config,
  em: EntityManager,
): Promise<boolean> {
  if (production || role !== 'all' || quickbooks.apiBaseUrl !== undefined) return false;
  return (await em.count(QboConnection, { simulated: false })) === 0;
}

export interface LocalSimulatorOptions {
  readonly dataDirectory: string;
  /** Of the server; 0 means any free one, also for the simulator. */
  readonly port: number;
}

/** QuickBooks on this machine. Its books are kept in the data directory, so that a restart loses no invoice. */
export async function startLocalQuickBooks({
  dataDirectory,
  port,
}: LocalSimulatorOptions): Promise<QuickBooksSimulator> {
  const start = (simulatorPort: number) => startAt(simulatorPort, dataDirectory);
  // The same port each time, so that saved commands go on working; another one when it is taken.
  return port === 0 ? start(0) : start(port + PORT_DISTANCE).catch(() => start(0));
}

/** With the usual 4000 for the server, the simulator is at 4010. */
const PORT_DISTANCE = 10;

function startAt(port: number, dataDirectory: string): Promise<QuickBooksSimulator> {
  return startQuickBooksSimulator({
    port,
    stateFile: join(dataDirectory, 'quickbooks-simulator.json'),
    clientId: SIMULATOR_APP.clientId,
    clientSecret: SIMULATOR_APP.clientSecret,
  });
}

/** The app that the local simulator knows; there is nothing to protect. */
export const SIMULATOR_APP = { clientId: 'simulator-client-id', clientSecret: 'simulator-client-secret' } as const;

/** Tells the simulator where to deliver its webhooks, once that address is known. */
export async function deliverWebhooksTo(
  simulator: QuickBooksSimulator,
  url: string,
  verifierToken: string,
): Promise<void> {
  await postControl(simulator, '/webhooks', { url, verifierToken });
}

/** Calls the simulator's control API, which no provider has. Throws when it refuses. */
export async function postControl(
  { controlUrl }: Pick<QuickBooksSimulator, 'controlUrl'>,
  path: string,
  body: Record<string, unknown>,
): Promise<unknown> {
  const response = await fetch(`${controlUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the simulator refused ${path}: ${await response.text()}`);
  return response.json();
}
