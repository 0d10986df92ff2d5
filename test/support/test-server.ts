import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/infrastructure/database/embedded-postgres.js';
import { migrateDatabase } from '../../src/infrastructure/database/migrate.js';

/** The directory of a run is named after the process, so that a later run can tell what a killed one left behind. */
const DIRECTORY_PREFIX = 'conference-invoicing-test-';

/** Undone in reverse order at the end of the run. */
const cleanups: Array<() => Promise<void>> = [];

/** One server and one migrated template database for the whole run; workers learn of them through the environment. */
export async function prepareTestServer(): Promise<void> {
  try {
    const external = process.env.TEST_DATABASE_URL;
    const serverUrl = external ?? (await startThrowAwayServer());
    // Several runs may share a server of the developer's, but not a template.
    const run = external === undefined ? '' : `_${process.pid}`;
    const template = `template_conference_invoicing${run}`;
    await createTemplate(serverUrl, template);
    process.env.TEST_SERVER_URL = serverUrl;
    process.env.TEST_TEMPLATE_DATABASE = template;
  } catch (error) {
    // Jest calls globalTeardown only after a globalSetup that succeeded.
    await removeTestServer();
    throw error;
  }
}

export async function removeTestServer(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

async function startThrowAwayServer(): Promise<string> {
  await removeAbandonedServers();
  const directory = await mkdtemp(join(tmpdir(), `${DIRECTORY_PREFIX}${process.pid}-`));
  // Run as root, the server runs as another account, which must be able to enter.
  await chmod(directory, 0o755);
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const dataDirectory = join(directory, 'postgres');
  endWithProcess(directory);
  const server = await startEmbeddedPostgres({ dataDirectory, durable: false });
  cleanups.push(() => rm(dirname(server.dataDirectory), { recursive: true, force: true }));
  cleanups.push(server.stop);
  return server.url;
}

/** Ctrl-C, a `kill` and `--forceExit` skip globalTeardown; in an exit listener only synchronous work is done. */
function endWithProcess(directory: string): void {
  const onExit = () => endServerIn(directory);
  const onInterrupt = () => process.exit(130);
  const onTerminate = () => process.exit(143);
  process.on('exit', onExit);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  cleanups.push(async () => {
    process.off('exit', onExit);
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  });
}

async function removeAbandonedServers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${DIRECTORY_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) endServerIn(join(tmpdir(), name));
  }
}

/** Ends the server at once (SIGQUIT) and forgets its data. */
function endServerIn(directory: string): void {
  const pidFile = join(directory, 'postgres', 'postmaster.pid');
  const pid = readPid(pidFile);
  if (pid !== undefined && signal(pid, 'SIGQUIT')) {
    const deadline = Date.now() + 5000;
    // Not "until the process is gone": in a container a dead process may stay in the list for a second.
    while (existsSync(pidFile) && Date.now() < deadline) pause(10);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

function readPid(pidFile: string): number | undefined {
  try {
    return Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

function signal(pid: number, name: 'SIGQUIT' | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    // EPERM: it exists, but it is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function createTemplate(serverUrl: string, template: string): Promise<void> {
  cleanups.push(() => dropDatabases(serverUrl, template));
  await query(serverUrl, `create database ${template}`);
  const url = new URL(serverUrl);
  url.pathname = `/${template}`;
  await migrateDatabase(url.href);
}

/** The template and what killed workers left of its copies. Matters on a server of the developer's only. */
async function dropDatabases(serverUrl: string, template: string): Promise<void> {
  const { rows } = await query<{ datname: string }>(
    serverUrl,
    'select datname from pg_database where datname = $1 or starts_with(datname, $2)',
    [template, `${template.replace('template', 'test')}_`],
  );
  for (const { datname } of rows) await query(serverUrl, `drop database if exists ${datname} with (force)`);
}

async function query<Row extends pg.QueryResultRow>(
  connectionString: string,
  text: string,
  values: readonly string[] = [],
): Promise<pg.QueryResult<Row>> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await client.query<Row>(text, [...values]);
  } finally {
    await client.end();
  }
}
