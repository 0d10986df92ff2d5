import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DatabaseProblem } from '../database-problem.js';
import { isMissing, readOrCreate } from './files.js';
import type { Account } from './run.js';

/** Used when the server's account cannot reach the wanted place. Everyone may enter it, and it survives a reboot. */
const REACHABLE_ROOT = '/var/lib/conference-invoicing';

export interface Location {
  readonly account: Account;
  /** The cluster itself (PostgreSQL's PGDATA). Its password and log are its siblings. */
  readonly dataDirectory: string;
  /** Where a copy of the binaries goes when they cannot be run where npm put them. */
  readonly binariesDirectory: string;
}

/** Decides who runs the server and where its data lives. PostgreSQL refuses to run as root. */
export async function chooseLocation(wanted: string, onProgress: (message: string) => void): Promise<Location> {
  await makeParent(wanted);
  if (process.getuid?.() !== 0) {
    return { account: undefined, dataDirectory: wanted, binariesDirectory: dirname(wanted) };
  }
  const account = await unprivilegedAccount(wanted);
  if (await canReach(account, dirname(wanted))) {
    return { account, dataDirectory: wanted, binariesDirectory: REACHABLE_ROOT };
  }
  const parent = await reachableDirectory(wanted);
  onProgress(
    `PostgreSQL may not run as root, and the account it runs as (uid ${account.uid}) cannot reach ${dirname(wanted)}: the data is kept in ${parent} instead.`,
  );
  const dataDirectory = join(parent, 'postgres');
  return { account: await unprivilegedAccount(dataDirectory), dataDirectory, binariesDirectory: REACHABLE_ROOT };
}

async function makeParent(wanted: string): Promise<void> {
  await mkdir(dirname(wanted), { recursive: true }).catch((error: unknown) => {
    throw new DatabaseProblem(`${dirname(wanted)} cannot be created: set DATA_DIR to a directory that can.`, {
      cause: error,
    });
  });
}

/**
 * Kept in a file at the wanted place and not computed from its path: who deletes the data directory, or clones anew to
 * the same path, expects to start empty.
 */
async function reachableDirectory(wanted: string): Promise<string> {
  const directory = await readOrCreate(`${wanted}.location`, () =>
    join(REACHABLE_ROOT, randomBytes(6).toString('hex')),
  );
  await openToEveryone(REACHABLE_ROOT);
  await openToEveryone(directory);
  return directory;
}

/** Owned by root, so that nobody else can put files there; said again because the umask may have taken it away. */
export async function openToEveryone(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
}

/** Data that is already there is served by whoever owns it; new data by `postgres`, else by `nobody`. */
async function unprivilegedAccount(dataDirectory: string): Promise<{ uid: number; gid: number }> {
  const owner = await stat(dataDirectory).catch(ignoreMissing);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = await readFile('/etc/passwd', 'utf8');
  const account = findAccount(accounts, 'postgres') ?? findAccount(accounts, 'nobody');
  if (account === undefined) {
    throw new DatabaseProblem(
      'PostgreSQL may not run as root, and this system has neither an account "postgres" nor "nobody": start as another user, or set DATABASE_URL.',
    );
  }
  return account;
}

const accountId = z.coerce.number().int().positive();

function findAccount(passwd: string, name: string): { uid: number; gid: number } | undefined {
  const line = passwd.split('\n').find((candidate) => candidate.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  const parsed = z.object({ uid: accountId, gid: accountId }).safeParse({ uid, gid });
  return parsed.success ? parsed.data : undefined;
}

/** Walks up to the root: one directory that may not be entered (a home with mode 700) hides all below it. */
export async function canReach(account: { uid: number; gid: number }, directory: string): Promise<boolean> {
  const { mode, uid, gid } = await stat(directory);
  const enter = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & enter) === 0) return false;
  const parent = dirname(await realpath(directory));
  return parent === directory || canReach(account, parent);
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
