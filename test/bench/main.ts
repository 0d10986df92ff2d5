import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../../src/infrastructure/database/embedded-postgres.js';
import { type Bench, type Benchmark, FULL, QUICK } from './bench.js';
import { query } from './data/seed.js';
import { endAll } from './processes.js';
import { publish } from './publish.js';
import { type Row, table } from './report.js';
import { measureDeepPages } from './rows/deep-pages.js';
import { measureList } from './rows/list.js';
import { measureOrder } from './rows/order.js';
import { measureQuickBooks } from './rows/quickbooks.js';
import { measureStart } from './rows/start.js';
import { measureWebhooks } from './rows/webhooks.js';

// `npm run bench`: every figure is measured beside what it is compared with, in one run, on one PostgreSQL.
//   npm run bench -- --only list --quick     while developing
//   npm run bench -- --publish               everything, into docs/benchmarks.md

const RESULTS = '.bench/results.json';

const BENCHMARKS: readonly Benchmark[] = [
  { name: 'list', run: measureList },
  { name: 'order', run: measureOrder },
  { name: 'pages', run: measureDeepPages },
  { name: 'webhooks', run: measureWebhooks },
  { name: 'quickbooks', run: measureQuickBooks },
  { name: 'start', run: measureStart },
];

class FlagError extends Error {}

function readFlags() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
    },
  });
  const names = BENCHMARKS.map(({ name }) => name);
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new FlagError(`--only is one of ${names.join(', ')}.`);
  if (values.publish && (values.quick || values.only.length > 0)) throw new FlagError('--publish is about everything.');
  return values;
}

function say(progress: string): void {
  process.stdout.write(`… ${progress}\n`);
}

/** The load generator and the peers are no part of the project's own packages. */
function installPeers(): void {
  if (existsSync('test/bench/node_modules/postgraphile')) return;
  say('installing the peers');
  execFileSync('npm', ['ci', '--prefix', 'test/bench'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

interface Measured {
  readonly rows: readonly Row[];
  readonly postgresVersion: string;
}

async function measure(
  benchmarks: readonly Benchmark[],
  bench: Omit<Bench, 'serverUrl' | 'directory'>,
): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'conference-invoicing-bench-'));
  // Run as root, PostgreSQL runs as another account, which must be able to enter.
  await chmod(directory, 0o755);
  const server = await startEmbeddedPostgres({ dataDirectory: join(directory, 'postgres') });
  const end = async () => {
    endAll();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const interrupted = () => void end().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const rows: Row[] = [];
  try {
    const [setting] = await query<{ server_version: string }>(server.url, 'show server_version');
    for (const { name, run } of benchmarks) {
      say(name);
      rows.push(...(await run({ ...bench, serverUrl: server.url, directory })));
    }
    return { rows, postgresVersion: String(setting?.server_version) };
  } finally {
    await end();
  }
}

async function main(): Promise<void> {
  const { only, quick, publish: isPublished } = readFlags();
  installPeers();
  const chosen = BENCHMARKS.filter(({ name }) => only.length === 0 || only.includes(name));
  const { rows, postgresVersion } = await measure(chosen, { scale: quick ? QUICK : FULL, say });
  await mkdir('.bench', { recursive: true });
  await writeFile(RESULTS, `${JSON.stringify(rows, null, 2)}\n`);
  process.stdout.write(`\n${table(rows)}\n`);
  if (isPublished) await publish(rows, postgresVersion);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof FlagError ? error.message : String((error as Error).stack)}\n`);
  // What a benchmark left open must not keep the process.
  process.exit(2);
}
