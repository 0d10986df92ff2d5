import { join } from 'node:path';
import { z } from 'zod';
import { callControl, getControl } from '../../../src/development/local-simulators.js';
import { eventually } from '../../support/eventually.js';
import { GraphQLClient } from '../../support/graphql-client.js';
import type { Bench } from '../bench.js';
import { createDatabase, dropDatabase, query } from '../data/seed.js';
import { startDevelopmentServer } from '../servers.js';

/** A server with its worker, connected to its own simulator of QuickBooks. */
export interface QuickBooksStage {
  readonly graphql: GraphQLClient;
  readonly url: string;
  readonly conferenceId: string;
  /** How many calls QuickBooks received so far. */
  countCalls(): Promise<number>;
  /** The bookkeeper receives the whole amount. */
  pay(invoiceId: string, amount: string): Promise<void>;
  /** Waits until every webhook so far is worked off. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const readiness = z.object({ simulators: z.object({ quickbooks: z.string() }) });
const companies = z.object({ companies: z.array(z.object({ realmId: z.string() })).min(1) });
const requests = z.object({ requests: z.array(z.object({ kind: z.string() })) });

/** In development mode: production refuses to be connected to a simulator. */
export async function setUpQuickBooks({ serverUrl, directory }: Bench): Promise<QuickBooksStage> {
  const database = await createDatabase(serverUrl, 'bench_quickbooks');
  const server = await startDevelopmentServer('ours-quickbooks', database.url, join(directory, 'quickbooks'));
  const { simulators } = readiness.parse(await (await fetch(`${server.url}/readyz`)).json());
  const simulator = { controlUrl: `${simulators.quickbooks}/__control` };
  const [company] = companies.parse(await getControl(simulator, '/companies')).companies;
  // The server listens before the demo conference is there, because the simulator's webhooks need its address.
  const [conference] = await eventually(
    () => query<{ id: string }>(database.url, 'select id from conference where qbo_connection_id is not null'),
    (found) => found.length > 0,
    30_000,
  );
  return {
    graphql: new GraphQLClient(server.url, server.apiKey),
    url: server.url,
    conferenceId: String(conference?.id),
    countCalls: async () => {
      const log = requests.parse(await getControl(simulator, '/requests'));
      return log.requests.filter(({ kind }) => kind !== 'token').length;
    },
    pay: async (invoiceId, amount) => {
      await callControl(simulator, 'POST', '/pay', { realmId: company?.realmId, invoiceId, amount });
    },
    settle: async () => {
      await callControl(simulator, 'POST', '/webhooks/flush', {});
      await eventually(
        () => query(database.url, "select from webhook_event where state in ('RECEIVED', 'PROCESSING')"),
        (pending) => pending.length === 0,
        60_000,
      );
    },
    stop: async () => {
      await server.stop();
      await dropDatabase(serverUrl, database);
    },
  };
}
