import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseProblem } from './database-problem.js';
import { type Binaries, findBinariesPackage, prepareBinaries } from './embedded/binaries.js';
import { prepareCluster } from './embedded/cluster.js';
import { isAlive } from './embedded/files.js';
import { chooseLocation, type Location } from './embedded/location.js';
import { OwnerLock } from './embedded/owner-lock.js';
import { findServer, type RunningServer, startServer, stopServer } from './embedded/server.js';

export interface EmbeddedPostgres {
  readonly url: string;
  /** Where the data really is: not the directory asked for when root's private directories hide that one. */
  readonly dataDirectory: string;
  /** True when the server was still running, left behind by a process that was killed. */
  readonly reused: boolean;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The cluster; its password and its log are kept beside it as `<directory>.password` and `<directory>.log`. */
  readonly dataDirectory: string;
  /** False: faster, and a power cut may lose the data. For tests. */
  readonly durable?: boolean;
  readonly onProgress?: (message: string) => void;
}

export class AlreadyRunningError extends DatabaseProblem {
  override readonly name = 'AlreadyRunningError';

  constructor(dataDirectory: string, ownerPid: number | undefined) {
    const owner = ownerPid === undefined ? 'another process' : `another process (pid ${ownerPid})`;
    super(`The database in ${dataDirectory} is in use by ${owner}: stop it, or set DATA_DIR to another directory.`);
  }
}

const DATABASE = 'conference_invoicing';

/** Starts the PostgreSQL server that comes as an npm package, creating its data directory on the first start. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { durable = true, onProgress = () => undefined } = options;
  // First of all: where there is no PostgreSQL, as in the container image, no directory should be made or asked for.
  const binariesPackage = findBinariesPackage();
  const location = await chooseLocation(resolve(options.dataDirectory), onProgress);
  const binaries = await prepareBinaries(binariesPackage, location, onProgress);
  const password = await prepareCluster(binaries, location, durable);
  const { lock, server, reused } = await startOrTakeOver(binaries, location, password, durable);
  await createDatabase(lock);
  return {
    url: databaseUrl(password, server.port, DATABASE),
    dataDirectory: location.dataDirectory,
    reused,
    stop: once(() => stop(binaries, location, lock)),
  };
}

const TAKE_OVER_TIMEOUT_MS = 60_000; // As long as a server may take to recover, or to shut down.
const DEAD_OWNER_TIMEOUT_MS = 5_000; // The server notices a killed owner when it next reads from it, at once as a rule.

interface Owned {
  readonly lock: OwnerLock;
  readonly server: RunningServer;
  readonly reused: boolean;
}

/**
 * Whatever is found (no server, one that was left behind, one that starts or stops right now), one of the processes that
 * try gets the lock. PostgreSQL itself sees to it that only one server opens the directory.
 */
async function startOrTakeOver(
  binaries: Binaries,
  location: Location,
  password: string,
  durable: boolean,
): Promise<Owned> {
  const startedAt = Date.now();
  let reused = true;
  while (Date.now() - startedAt < TAKE_OVER_TIMEOUT_MS) {
    const server = await findServer(location);
    if (server === undefined) {
      if ((await startServer(binaries, location, durable)) === 'started') reused = false;
      else await sleep(50);
      continue;
    }
    const attempt = await OwnerLock.tryTake(databaseUrl(password, server.port, 'postgres'));
    if (attempt.outcome === 'owned') return { lock: attempt.lock, server, reused };
    if (attempt.outcome === 'owned by another') refuseIfOwned(location, attempt.ownerPid, Date.now() - startedAt);
    await sleep(50);
  }
  throw new DatabaseProblem(
    `The PostgreSQL server in ${location.dataDirectory} does not answer: see ${location.dataDirectory}.log.`,
  );
}

function refuseIfOwned(location: Location, ownerPid: number | undefined, waitedMs: number): void {
  if (ownerPid !== undefined && isAlive(ownerPid)) throw new AlreadyRunningError(location.dataDirectory, ownerPid);
  // The owner was killed a moment ago, or it lives where its process id means nothing to us (another container).
  if (waitedMs > DEAD_OWNER_TIMEOUT_MS) throw new AlreadyRunningError(location.dataDirectory, undefined);
}

async function createDatabase({ client }: OwnerLock): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`create database ${DATABASE}`);
}

/** The lock is held until the server is gone: given up earlier, a new process could take over a server about to end. */
async function stop(binaries: Binaries, location: Location, lock: OwnerLock): Promise<void> {
  await sessionsToEnd(lock);
  lock.expectEnd();
  await stopServer(binaries, location);
  await lock.end();
}

const SESSIONS_TIMEOUT_MS = 2_000; // One that is closing needs milliseconds; somebody's psql is not waited for.

/**
 * A pool counts as closed when it has said goodbye, not when the server has heard it. A session that the server ends in
 * that moment reports an error to a pool that nobody listens to any more, and that ends the process.
 */
async function sessionsToEnd({ client }: OwnerLock): Promise<void> {
  const deadline = Date.now() + SESSIONS_TIMEOUT_MS;
  const others = `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`;
  while (Date.now() < deadline) {
    // A server that cannot be asked is gone already, or will be.
    const { rowCount } = await client.query(others).catch(() => ({ rowCount: 0 }));
    if (rowCount === 0) return;
    await sleep(10);
  }
}

function databaseUrl(password: string, port: number, database: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
}

function once(action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => {
    result ??= action();
    return result;
  };
}
