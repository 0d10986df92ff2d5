import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { findBinariesPackage, prepareBinaries } from '../../src/infrastructure/database/embedded/binaries.js';
import {
  AlreadyRunningError,
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/infrastructure/database/embedded-postgres.js';

const isRoot = process.getuid?.() === 0;

let root: string;
let dataDirectory: string;
const servers: EmbeddedPostgres[] = [];
const owners: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
  await chmod(root, 0o755);
  dataDirectory = join(root, 'postgres');
});

afterEach(async () => {
  for (const owner of owners.splice(0)) await kill(owner);
  // A server whose owner was killed belongs to nobody: take it over to stop it.
  if (await isThere(join(dataDirectory, 'postmaster.pid'))) await start().catch(() => undefined);
  const started = servers.splice(0);
  for (const server of started) await server.stop();
  for (const server of started) await rm(dirname(server.dataDirectory), { recursive: true, force: true });
  await rm(root, { recursive: true, force: true });
});

describe('the embedded PostgreSQL server', () => {
  it('keeps its data when it is stopped, however often, and started again', async () => {
    const first = await start();
    await query(first.url, 'create table kept (value text)');
    await query(first.url, `insert into kept values ('still here')`);
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');

    const second = await start();

    expect(second.reused).toBe(false);
    expect(await query(second.url, 'select value from kept')).toEqual([{ value: 'still here' }]);
  });

  it('sorts, encodes and tells the time the same way on every system, and lets in who knows the password, over loopback only', async () => {
    const { url } = await start();

    expect(
      await query(url, `select datlocprovider, datlocale from pg_database where datname = current_database()`),
    ).toEqual([{ datlocprovider: 'b', datlocale: 'C.UTF-8' }]);
    const settings = [
      'server_encoding',
      'TimeZone',
      'listen_addresses',
      'unix_socket_directories',
      'password_encryption',
    ];
    expect(
      await query(url, `select name, setting from pg_settings where name in ('${settings.join(`','`)}') order by name`),
    ).toEqual([
      { name: 'TimeZone', setting: 'UTC' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'password_encryption', setting: 'scram-sha-256' },
      { name: 'server_encoding', setting: 'UTF8' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
    const wrongPassword = new URL(url);
    wrongPassword.password = 'wrong';
    await expect(query(wrongPassword.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect((await stat(`${dataDirectory}.password`)).mode & 0o777).toBe(0o600);
  });

  it('refuses a second process while the first lives, with a sentence that says what to do', async () => {
    const { owner, url } = await startOwner();

    const second = start();

    await expect(second).rejects.toThrow(AlreadyRunningError);
    await expect(second).rejects.toThrow(
      `The database in ${dataDirectory} is in use by another process (pid ${owner.pid}): stop it, or set DATA_DIR to another directory.`,
    );
    expect(await query(url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
  });

  it('takes over the server that a killed process left behind, with what was committed', async () => {
    const { owner, url } = await startOwner();
    await query(url, 'create table committed as select 42 as answer');
    await kill(owner);

    const next = await start();

    expect(next.reused).toBe(true);
    expect(next.url).toBe(url);
    expect(await query(next.url, 'select answer from committed')).toEqual([{ answer: 42 }]);
    await next.stop();
    await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('recovers when the server was killed too', async () => {
    const { owner, url } = await startOwner();
    await query(url, 'create table committed as select 42 as answer');
    const [serverPid] = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
    await kill(owner);
    process.kill(Number(serverPid), 'SIGKILL');

    const next = await start();

    expect(next.reused).toBe(false);
    expect(await query(next.url, 'select answer from committed')).toEqual([{ answer: 42 }]);
  });

  it('lets one of two first starts at the same moment win and refuses the other', async () => {
    const results = await Promise.allSettled([startOwner(), startOwner()]);

    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect(String(refused[0]?.reason)).toContain(`The database in ${dataDirectory} is in use by another process (pid`);
  });

  it('refuses data of another major version and leaves it alone', async () => {
    await (await start()).stop();
    await writeFile(join(dataDirectory, 'PG_VERSION'), '17\n');

    await expect(start()).rejects.toThrow(
      `The data in ${dataDirectory} was written by PostgreSQL 17 and cannot be read by PostgreSQL 18: set DATA_DIR to another directory to start empty, or move the data over with PostgreSQL's pg_dump.`,
    );
    expect(await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8')).toBe('17\n');
  });

  it('works under a directory that only its owner may enter, keeping the data elsewhere when run as root', async () => {
    await chmod(root, 0o700);
    const messages: string[] = [];

    const first = await start((message) => messages.push(message));
    await query(first.url, 'create table kept as select 1 as value');
    await first.stop();
    const second = await start();

    expect(await query(second.url, 'select value from kept')).toEqual([{ value: 1 }]);
    expect(second.dataDirectory).toBe(first.dataDirectory);
    // Only root has to give the server to another account, which cannot enter.
    expect(first.dataDirectory !== dataDirectory).toBe(isRoot);
    expect(messages.filter((message) => message.includes(`cannot reach ${root}: the data is kept in`))).toHaveLength(
      isRoot ? 1 : 0,
    );
  });

  it('runs a copy of the binaries when they cannot be run where npm put them', async () => {
    const packageDirectory = join(root, 'package');
    await cp(findBinariesPackage(), packageDirectory, { recursive: true, verbatimSymlinks: true });
    await chmod(join(packageDirectory, 'native', 'bin', 'postgres'), 0o600);
    const messages: string[] = [];
    const location = { account: undefined, dataDirectory, binariesDirectory: root };

    const copying = prepareBinaries(packageDirectory, location, (message) => messages.push(message));

    await expect(copying).resolves.toMatchObject({ majorVersion: '18' });
    expect((await copying).initdb.startsWith(join(root, 'postgresql-'))).toBe(true);
    expect(messages).toHaveLength(1);
  });
});

async function start(onProgress: (message: string) => void = () => undefined): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDirectory, durable: false, onProgress });
  servers.push(server);
  return server;
}

/** Another process that starts the server; rejects with what it wrote when it ends instead. */
async function startOwner(): Promise<{ owner: ChildProcess; url: string }> {
  const program = ['--import', './test/support/typescript-hooks.mjs', 'test/support/embedded-postgres-owner.ts'];
  const owner = spawn(process.execPath, [...program, dataDirectory], { stdio: ['ignore', 'pipe', 'pipe'] });
  owners.push(owner);
  let errors = '';
  owner.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    owner.stdout.once('data', (chunk: Buffer) => resolve({ owner, url: chunk.toString().trim() }));
    owner.once('close', () => reject(new Error(errors)));
  });
}

async function kill(owner: ChildProcess): Promise<void> {
  if (owner.exitCode !== null || owner.signalCode !== null) return;
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

async function query(connectionString: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
