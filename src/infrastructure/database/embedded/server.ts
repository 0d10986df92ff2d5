import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DatabaseProblem } from '../database-problem.js';
import type { Binaries } from './binaries.js';
import { giveTo } from './cluster.js';
import { isAlive, isMissing } from './files.js';
import type { Location } from './location.js';
import { run } from './run.js';

const START_TIMEOUT_SECONDS = 60; // Recovery after a crash replays the log first; a development database needs far less.
const STOP_TIMEOUT_SECONDS = 60;

export type StartResult = 'started' | 'port taken' | 'already running';

/** Starts the server in a session of its own (pg_ctl sees to that), so that it outlives us until we stop it. */
export async function startServer(binaries: Binaries, location: Location, durable: boolean): Promise<StartResult> {
  const logFile = `${location.dataDirectory}.log`;
  await writeFile(logFile, '', { mode: 0o600 });
  await giveTo(location, logFile);
  const settings = await serverSettings(durable);
  const { ok } = await run(
    binaries.pgCtl,
    [
      'start',
      '--wait',
      `--timeout=${START_TIMEOUT_SECONDS}`,
      '--pgdata',
      location.dataDirectory,
      '--log',
      logFile,
    ].concat(['--options', settings.map((setting) => `-c ${setting}`).join(' ')]),
    { account: location.account, cwd: dirname(location.dataDirectory), output: 'ignore' },
  );
  return ok ? 'started' : explainFailure(location, logFile);
}

/** Given on each start instead of kept in postgresql.conf: the port changes, and old data gets new settings too. */
async function serverSettings(durable: boolean): Promise<string[]> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${await freePort()}`,
    // TCP is all we need, and the path of a socket may not be longer than 107 bytes.
    'unix_socket_directories=',
    // A process takes up to 23, and several may share the server; the default of 100 is too little for five of them.
    'max_connections=300',
    'timezone=UTC',
    'log_timezone=UTC',
  ];
  // A throw-away database loses nothing that matters in a power cut. Commits still survive a killed server.
  return durable ? settings : settings.concat(['fsync=off', 'full_page_writes=off']);
}

async function explainFailure(location: Location, logFile: string): Promise<StartResult> {
  const log = await readFile(logFile, 'utf8');
  if (/lock file ".*" already exists|pre-existing shared memory block/.test(log)) return 'already running';
  if (/Address already in use|could not bind/.test(log)) return 'port taken';
  if ((await findServer(location)) !== undefined) return 'already running';
  const reason = /(?:FATAL|PANIC): {2}(.*)/.exec(log)?.[1] ?? 'it did not say why';
  throw new DatabaseProblem(`PostgreSQL did not start on ${location.dataDirectory} (${reason}): see ${logFile}.`);
}

/** Fast: ends the sessions instead of waiting for them. Returns when the server is gone. */
export async function stopServer(binaries: Binaries, location: Location): Promise<void> {
  const args = [
    'stop',
    '--wait',
    `--timeout=${STOP_TIMEOUT_SECONDS}`,
    '--mode=fast',
    '--pgdata',
    location.dataDirectory,
  ];
  const options = { account: location.account, cwd: dirname(location.dataDirectory), output: 'capture' } as const;
  const { ok, output } = await run(binaries.pgCtl, args, options);
  if (!ok && (await findServer(location)) !== undefined)
    throw new DatabaseProblem(`PostgreSQL did not stop: ${output.trim()}`);
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

const pidFileNumber = z.coerce.number().int().positive();

/** The server that has this data directory open, ours or one that a killed process left behind. */
export async function findServer(location: Location): Promise<RunningServer | undefined> {
  const path = join(location.dataDirectory, 'postmaster.pid');
  const lines = (await readIfThere(path)).split('\n');
  const pid = pidFileNumber.safeParse(lines[0]);
  if (!pid.success) return undefined;
  if (!(await isServerProcess(pid.data))) {
    // PostgreSQL removes the file of a dead server itself, but not when another program has got its process id since.
    await rm(path, { force: true });
    return undefined;
  }
  // The port is written a moment after the process id.
  const port = pidFileNumber.safeParse(lines[3]);
  return port.success ? { pid: pid.data, port: port.data } : undefined;
}

async function isServerProcess(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  // `123 (postgres) S …`; Z and X are dead and wait for their parent to notice.
  return /^\d+ \(postgres\) [^ZX]/.test(await readIfThere(`/proc/${pid}/stat`));
}

async function readIfThere(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
}

/** Somebody else may take it before PostgreSQL does: then the start is tried again with another. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new DatabaseProblem('The system gave no free port.'));
      });
    });
  });
}
