import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { DatabaseProblem } from '../database-problem.js';
import type { Binaries } from './binaries.js';
import { hasCode, isAlive, isMissing, readOrCreate } from './files.js';
import type { Location } from './location.js';
import { run } from './run.js';

/** Makes sure that there is a cluster of our version, creating it on the first start. Returns its password. */
export async function prepareCluster(binaries: Binaries, location: Location, durable: boolean): Promise<string> {
  const found = await clusterVersion(location.dataDirectory);
  if (found === undefined) {
    await removeUnfinished(location.dataDirectory);
    const password = await readOrCreate(passwordFile(location), newPassword, (file) => giveTo(location, file));
    await createCluster(binaries, location, durable);
    return password;
  }
  if (found !== binaries.majorVersion) {
    throw new DatabaseProblem(
      `The data in ${location.dataDirectory} was written by PostgreSQL ${found} and cannot be read by PostgreSQL ${binaries.majorVersion}: set DATA_DIR to another directory to start empty, or move the data over with PostgreSQL's pg_dump.`,
    );
  }
  return readPassword(location);
}

async function clusterVersion(dataDirectory: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (!hasCode(error, 'EACCES')) throw error;
    throw new DatabaseProblem(
      `The data in ${dataDirectory} belongs to another account: start as that account, or set DATA_DIR to another directory.`,
    );
  }
}

/**
 * The cluster is made beside its place and moved there when it is complete. So a crash leaves no half of one, and of two
 * first starts at the same moment one wins and the other finds the cluster made.
 */
async function createCluster(binaries: Binaries, location: Location, durable: boolean): Promise<void> {
  const unfinished = `${location.dataDirectory}.init-${process.pid}`;
  await mkdir(unfinished, { mode: 0o700 });
  try {
    await giveTo(location, unfinished);
    await initialise(binaries, location, unfinished, durable);
    await moveIntoPlace(unfinished, location.dataDirectory);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function initialise(binaries: Binaries, location: Location, directory: string, durable: boolean): Promise<void> {
  const args = [
    `--pgdata=${directory}`,
    '--username=postgres',
    `--pwfile=${passwordFile(location)}`,
    '--auth=scram-sha-256',
    // The same order and case rules on every system, whatever its C library or ICU version says.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  const options = { account: location.account, cwd: dirname(directory), output: 'capture' } as const;
  const { ok, output } = await run(binaries.initdb, args, options);
  if (!ok)
    throw new DatabaseProblem(
      `PostgreSQL could not create its data directory ${location.dataDirectory}: ${output.trim()}`,
    );
}

async function moveIntoPlace(unfinished: string, dataDirectory: string): Promise<void> {
  // Only an empty directory goes away; Windows does not rename onto one.
  await rmdir(dataDirectory).catch(() => undefined);
  try {
    await rename(unfinished, dataDirectory);
  } catch (error) {
    if (!hasCode(error, 'EEXIST', 'ENOTEMPTY', 'EPERM', 'ENOTDIR')) throw error;
    if ((await clusterVersion(dataDirectory)) !== undefined) return;
    throw new DatabaseProblem(
      `${dataDirectory} is not empty and holds no PostgreSQL data: set DATA_DIR to another directory.`,
    );
  }
}

/** What a start left that was killed while it made the cluster. */
async function removeUnfinished(dataDirectory: string): Promise<void> {
  const prefix = `${basename(dataDirectory)}.init-`;
  for (const name of await readdir(dirname(dataDirectory))) {
    if (!name.startsWith(prefix)) continue;
    const pid = z.coerce.number().int().safeParse(name.slice(prefix.length));
    if (pid.success && !isAlive(pid.data))
      await rm(join(dirname(dataDirectory), name), { recursive: true, force: true });
  }
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

function passwordFile(location: Location): string {
  return `${location.dataDirectory}.password`;
}

async function readPassword(location: Location): Promise<string> {
  try {
    return (await readFile(passwordFile(location), 'utf8')).trim();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new DatabaseProblem(
      `The password of the database in ${location.dataDirectory} is gone: put ${passwordFile(location)} back, or set DATA_DIR to another directory to start empty.`,
    );
  }
}

/** Run as root, the files of the server belong to its account. */
export async function giveTo(location: Location, path: string): Promise<void> {
  if (location.account !== undefined) await chown(path, location.account.uid, location.account.gid);
}
