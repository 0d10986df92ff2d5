import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { GraphQLClient } from '../../support/graphql-client.js';
import { type CompiledPrograms, compilePrograms, type ProgramRun, postgresOf } from '../../support/server-process.js';

const READY =
  /GraphQL and IDE {3}(http:\S+)\/graphql[\s\S]*Development key {3}(ci_\S+)[\s\S]*A first mutation:\n\n([\s\S]*?)\n\n/;
const DEMO_ORDER = '{ conference(slug: "demo") { id purchaseOrders(first: 1) { nodes { id reference status } } } }';

// Several starts in one test, each with a new cluster on disk: slow while the other tests keep the machine busy.
jest.setTimeout(90_000);

const CLEAN = { code: 0, stderr: '' };

let programs: CompiledPrograms;

beforeAll(async () => {
  programs = await compilePrograms();
});

afterAll(() => programs.remove());

interface Server {
  readonly run: ProgramRun;
  readonly url: string;
  readonly key: string;
  readonly mutation: string;
  readonly graphql: GraphQLClient;
}

async function startServer(dataDirectory: string, environment: Record<string, string> = {}): Promise<Server> {
  const run = programs.start('main', { PORT: '0', DATA_DIR: dataDirectory, ...environment });
  const [, url = '', key = '', mutation = ''] = await run.says(READY);
  return { run, url, key, mutation, graphql: new GraphQLClient(url, key) };
}

async function demoOrder({ graphql }: Server): Promise<{ id: string; reference: string; status: string }> {
  return (await graphql.query(DEMO_ORDER)).conference.purchaseOrders.nodes[0];
}

/** The simulator saves its books a moment after each change. */
function booksOf(dataDirectory: string): string {
  return join(dataDirectory, 'quickbooks-simulator.json');
}

describe('the server process', () => {
  test('serves from its first start, says how to begin, shows its key once, and stops with everything it started', async () => {
    const dataDirectory = await programs.createDataDirectory();

    const server = await startServer(dataDirectory);

    const ready = await fetch(`${server.url}/readyz`);
    expect(await ready.json()).toMatchObject({
      status: 'ready',
      simulators: {
        quickbooks: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        stripe: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      },
    });
    const order = await demoOrder(server);
    const invoiced = await server.graphql.mutate('createQboInvoice', { purchaseOrderId: order.id }, '');
    expect(invoiced.userErrors).toEqual([]);
    expect(server.run.stdout).toContain('QuickBooks called');
    expect(server.run.stdout.split(server.key)).toHaveLength(2);
    expect(server.mutation).toContain(`$(cat '${dataDirectory}/development-api-key')`);
    expect(postgresOf(dataDirectory)).toBeDefined();

    server.run.signal('SIGTERM');

    expect(await server.run.ending()).toEqual(CLEAN);
    expect(postgresOf(dataDirectory)).toBeUndefined();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow('fetch failed');
  });

  test('leaves no PostgreSQL behind when it is told to stop while it starts, and mends a connection whose books are gone', async () => {
    const dataDirectory = await programs.createDataDirectory();
    const run = programs.start('main', { PORT: '0', DATA_DIR: dataDirectory });
    await run.says(/starting the embedded PostgreSQL/);

    run.signal('SIGTERM');

    expect(await run.ending()).toEqual(CLEAN);
    expect(run.stdout).not.toContain('Development key');
    expect(postgresOf(dataDirectory)).toBeUndefined();

    await rm(booksOf(dataDirectory));
    const next = await startServer(dataDirectory);
    const order = await demoOrder(next);
    const invoiced = await next.graphql.mutate('createQboInvoice', { purchaseOrderId: order.id }, '');
    expect(invoiced.userErrors).toEqual([]);
    next.run.signal('SIGHUP');
    expect(await next.run.ending()).toEqual(CLEAN);
  });

  test('refuses a second start on the same data in one sentence; the first goes on until Ctrl-C, which npm passes on again', async () => {
    const dataDirectory = await programs.createDataDirectory();
    const first = await startServer(dataDirectory);

    const second = programs.start('main', { PORT: '0', DATA_DIR: dataDirectory });

    expect(await second.end()).toBe(1);
    expect(second.stderr).toBe(
      `The database in ${dataDirectory}/postgres is in use by another process (pid ${first.run.pid}): stop it, or set DATA_DIR to another directory.\n`,
    );
    expect(await demoOrder(first)).toMatchObject({ status: 'DRAFT' });
    first.run.signal('SIGINT');
    first.run.signal('SIGINT');
    expect(await first.run.ending()).toEqual(CLEAN);
    expect(postgresOf(dataDirectory)).toBeUndefined();
  });

  test('goes on after a SIGKILL with the same data, key and QuickBooks books', async () => {
    const dataDirectory = await programs.createDataDirectory();
    const killed = await startServer(dataDirectory);
    const order = await demoOrder(killed);
    await killed.graphql.mutate('createQboInvoice', { purchaseOrderId: order.id }, '');
    await eventually(
      () => readFile(booksOf(dataDirectory), 'utf8'),
      (books) => books.includes(order.reference),
    );
    await killed.run.kill();
    const orphan = postgresOf(dataDirectory);
    expect(orphan).toBeDefined();

    const next = await startServer(dataDirectory);

    expect(next.key).toBe(killed.key);
    expect(postgresOf(dataDirectory)).toBe(orphan);
    expect(await demoOrder(next)).toEqual({ ...order, status: 'SENT' });
    const synced = await next.graphql.mutate(
      'syncQboInvoiceStatus',
      { purchaseOrderId: order.id },
      'purchaseOrder { qboInvoice { status balance { amount } } }',
    );
    expect(synced).toMatchObject({
      purchaseOrder: { qboInvoice: { status: 'OPEN', balance: { amount: '1475.00' } } },
      userErrors: [],
    });
    next.run.signal('SIGTERM');
    expect(await next.run.ending()).toEqual(CLEAN);
    expect(postgresOf(dataDirectory)).toBeUndefined();
  });
});

describe('a start that cannot succeed ends with code 1 and one sentence', () => {
  test('when the port is in use, leaving no PostgreSQL behind', async () => {
    const dataDirectory = await programs.createDataDirectory();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;

    const run = programs.start('main', { PORT: String(port), DATA_DIR: dataDirectory });

    expect(await run.end()).toBe(1);
    other.close();
    expect(run.stderr).toBe(
      `Port ${port} is in use: stop the program that listens there, or set PORT to another port.\n`,
    );
    expect(postgresOf(dataDirectory)).toBeUndefined();
  });

  test.each([
    [{ PORT: 'eighty-secret' }, 'PORT'],
    [{ ENCRYPTION_KEYS: 'k1:secret' }, 'ENCRYPTION_KEYS'],
    [{ DATABASE_URL: 'mysql://root:secret@127.0.0.1/x' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://root:secret@127.0.0.1:1/x' }, 'DATABASE_URL'],
    [{ BOOTSTRAP_API_KEY: 'secret' }, 'BOOTSTRAP_API_KEY'],
    [{ NODE_ENV: 'production' }, 'ENCRYPTION_KEYS'],
    [{ ROLE: 'worker' }, 'DATABASE_URL'],
    [{ HOST: '192.0.2.1' }, 'HOST'],
  ])('when the environment is %j, naming %s and no value', async (environment, variable) => {
    const dataDirectory = await programs.createDataDirectory();

    const run = programs.start('main', { PORT: '0', DATA_DIR: dataDirectory, ...environment });

    expect(await run.end()).toBe(1);
    expect(run.stderr).toMatch(/^[^\n]+\.\n$/);
    expect(run.stderr).toContain(variable);
    expect(run.stderr + run.stdout).not.toContain('secret');
    expect(postgresOf(dataDirectory)).toBeUndefined();
  });
});
