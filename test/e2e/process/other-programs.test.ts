import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type CompiledPrograms, compilePrograms } from '../../support/server-process.js';

// See server-process.test.ts.
jest.setTimeout(90_000);

let programs: CompiledPrograms;

beforeAll(async () => {
  programs = await compilePrograms();
});

afterAll(() => programs.remove());

describe('the demo', () => {
  test('plays the main job, ends with one JSON line and code 0, and leaves nothing behind', async () => {
    const directory = await programs.createDataDirectory();

    const run = programs.start('demo', { TMPDIR: directory, DATABASE_URL: 'ignored', PORT: 'ignored' });

    expect(await run.end()).toBe(0);
    expect(run.stderr).toBe('');
    const result = JSON.parse(lastLine(run.stdout));
    expect(result).toEqual({
      ok: true,
      reference: expect.stringMatching(/^PO-[A-Z0-9]{6}$/),
      qboInvoiceId: expect.stringMatching(/^\d+$/),
      status: 'PAID',
      totalPaid: '1475.00',
      qboCalls: expect.any(Number),
      seconds: expect.any(Number),
    });
    expect(result.qboCalls).toBeGreaterThan(0);
    expect(await readdir(directory)).toEqual([]);
    expect(await processesThatMention(directory)).toEqual([]);
  });

  test('plays it through Stripe when asked to', async () => {
    const directory = await programs.createDataDirectory();

    const run = programs.start('demo', { TMPDIR: directory }, ['--provider', 'stripe']);

    expect(await run.end()).toBe(0);
    expect(run.stdout).toContain('975.00 on its way, PARTIALLY_PAID\n');
    const result = JSON.parse(lastLine(run.stdout));
    expect(result).toEqual({
      ok: true,
      reference: expect.stringMatching(/^PO-[A-Z0-9]{6}$/),
      stripeInvoiceId: expect.stringMatching(/^in_/),
      status: 'PAID',
      totalPaid: '1475.00',
      stripeCalls: expect.any(Number),
      seconds: expect.any(Number),
    });
    expect(result.stripeCalls).toBeGreaterThan(0);
    expect(await readdir(directory)).toEqual([]);
  });

  test('knows no other provider', async () => {
    const run = programs.start('demo', {}, ['--provider', 'paypal']);

    expect(await run.end()).toBe(1);
    expect(run.stdout).toBe('{"ok":false,"error":"--provider must be one of quickbooks, stripe"}\n');
  });

  test('says that it was interrupted, ends with code 1, and leaves nothing behind', async () => {
    const directory = await programs.createDataDirectory();
    const run = programs.start('demo', { TMPDIR: directory });
    await run.says(/starting the embedded PostgreSQL/);

    run.signal('SIGINT');

    expect(await run.end()).toBe(1);
    expect(lastLine(run.stdout)).toBe('{"ok":false,"error":"the demo was interrupted"}');
    expect(await readdir(directory)).toEqual([]);
    expect(await processesThatMention(directory)).toEqual([]);
  });
});

describe('the simulator alone', () => {
  test('prints how to use it as text and as JSON, answers, and stops on SIGTERM', async () => {
    const run = programs.start('simulate', {}, ['--port', '0']);
    await run.says(/\n\{.*\}\n/);

    const summary = JSON.parse(lastLine(run.stdout));

    expect(run.stdout).toContain(`control           ${summary.controlUrl}\n`);
    const [{ realmId, accessToken }] = summary.companies;
    const company = await fetch(`${summary.baseUrl}/v3/company/${realmId}/companyinfo/${realmId}`, {
      headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    });
    expect(company.status).toBe(200);
    const [{ secretKey }] = summary.stripe.accounts;
    const account = await fetch(`${summary.stripe.baseUrl}/v1/account`, {
      headers: { authorization: `Bearer ${secretKey}` },
    });
    expect(account.status).toBe(200);
    expect(run.stdout).toContain(`control           ${summary.stripe.controlUrl}\n`);
    run.signal('SIGTERM');
    expect(await run.end()).toBe(0);
    expect(run.stderr).toBe('');
  });

  test('refuses a port in use, a malformed port and a misspelt flag in one sentence', async () => {
    const first = programs.start('simulate', {}, ['--port', '0']);
    const [, port = ''] = await first.says(/API {15}http:\/\/127\.0\.0\.1:(\d+)/);
    const refused = [
      programs.start('simulate', {}, ['--port', port]),
      programs.start('simulate', {}, ['--port', 'many']),
      programs.start('simulate', {}, ['--prot', '0']),
    ];

    expect(await Promise.all(refused.map((run) => run.end()))).toEqual([1, 1, 1]);

    expect(refused.map(({ stderr }) => stderr)).toEqual([
      'The port is in use: stop the program that listens there, or choose another one with --port or --stripe-port.\n',
      '--port must be a number from 0 to 65535.\n',
      expect.stringMatching(/^Unknown option '--prot'.*\n$/),
    ]);
    first.signal('SIGINT');
    expect(await first.end()).toBe(0);
  });
});

describe('the check of the Node version', () => {
  test('lets a new Node pass and says one sentence to an old one', async () => {
    await expect(checkWith(process.execPath)).resolves.toEqual({ stdout: '', stderr: '' });

    for (const node of await oldNodes()) {
      await expect(checkWith(node.path)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          new RegExp(
            `^conference-invoicing needs Node 24 or newer, but this is Node ${node.version}\\. [^\\n]+\\.\\n$`,
          ),
        ),
      });
    }
  });

  test('lets an old Node read every word of the check', async () => {
    const text = await readFile('.config/require-node.cjs', 'utf8');
    // What Node 0.10 does not know: let, const, arrow functions, template literals, ?. and ??.
    expect(text.replace(/\/\/.*/g, '')).not.toMatch(/\b(?:let|const|class|async|import)\b|=>|`|\?\.|\?\?/);
  });
});

function checkWith(node: string): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(node, ['.config/require-node.cjs']);
}

/** Node installations of this system that are older than 24; there may be none. */
async function oldNodes(): Promise<{ path: string; version: string }[]> {
  const found = [];
  for (const path of ['/usr/bin/node', '/usr/local/bin/node']) {
    const answer = await promisify(execFile)(path, ['--version']).catch(() => undefined);
    const version = answer?.stdout.trim().slice(1);
    if (version !== undefined && Number(version.split('.')[0]) < 24) found.push({ path, version });
  }
  return found;
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** Linux lists processes as files; elsewhere this finds nothing, and the directory tells enough. */
async function processesThatMention(text: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(text));
}
