import { type Bench, interleave } from '../bench.js';
import { dropDatabase, query, seedDatabase } from '../data/seed.js';
import type { LoadReport } from '../load/work-order.js';
import { generateLoad } from '../processes.js';
import { compare, figure, percentile, type Row } from '../report.js';
import { startOurs, startPeer, VERIFIER_TOKEN } from '../servers.js';

const CONNECTIONS = 16;

/** At a given rate as many may be under way as are sent in a tenth of a second. */
const OPEN_LOOP_CONNECTIONS = 100;

const BARE_TABLE = `create table bare_webhook_event (
  event_id text primary key, payload jsonb not null, received_at timestamptz not null default now())`;

/** From a signed event to our 200. No worker runs: what is measured is the acknowledgement, not the following up. */
export async function measureWebhooks(bench: Bench): Promise<readonly Row[]> {
  const database = await seedDatabase(bench.serverUrl, 'bench_webhooks', 0);
  await query(database.url, BARE_TABLE);
  const ours = await startOurs('ours-webhooks', database.url);
  const bare = await startPeer('bare-webhook', database.url, { VERIFIER_TOKEN });
  const send = async (
    table: string,
    url: string,
    seconds: number,
    more: { readonly eventsPerSecond?: number } = {},
  ) => {
    const connections = more.eventsPerSecond === undefined ? CONNECTIONS : OPEN_LOOP_CONNECTIONS;
    const load = { kind: 'webhooks', url, connections, seconds, verifierToken: VERIFIER_TOKEN, ...more } as const;
    const report = await generateLoad(load);
    await assertStored(database.url, table, report);
    return report;
  };
  const sides = await interleave(bench, {
    ours: async (seconds) => (await send('webhook_event', ours.url, seconds)).requestsPerSecond,
    bare: async (seconds) => (await send('bare_webhook_event', bare.url, seconds)).requestsPerSecond,
  });
  const rows = [
    compare({
      name: 'webhook acknowledgement',
      unit: 'events/s',
      ours: sides.ours,
      peer: sides.bare,
      peerName: 'bare Express',
      goal: { atLeast: 0.8 },
    }),
  ];
  for (const eventsPerSecond of bench.scale.eventsPerSecond) {
    const { latenciesMs } = await send('webhook_event', ours.url, 2 * bench.scale.secondsPerRound, { eventsPerSecond });
    const p99 = percentile(latenciesMs, 0.99);
    bench.say(
      `${eventsPerSecond} events/s: p50 ${percentile(latenciesMs, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    );
    rows.push(figure(`webhook acknowledgement at ${eventsPerSecond} events/s, p99`, 'ms', p99));
  }
  await ours.stop();
  await bare.stop();
  await dropDatabase(bench.serverUrl, database);
  return rows;
}

/** Whatever was acknowledged is there. */
async function assertStored(url: string, table: string, { acknowledgedIds }: LoadReport): Promise<void> {
  const [row] = await query<{ stored: number }>(
    url,
    `select count(*)::int as stored from ${table} where event_id = any($1)`,
    [acknowledgedIds],
  );
  const lost = acknowledgedIds.length - (row?.stored ?? 0);
  if (lost !== 0) throw new Error(`${lost} of ${acknowledgedIds.length} acknowledged events are not in ${table}`);
}
