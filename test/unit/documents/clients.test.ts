import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);

/** What a browser project has; the rest of its set-up is on the page. */
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    types: [],
    skipLibCheck: true,
  },
  include: ['src'],
};

/** What must not compile: a code that no mutation has, an amount as a number, a forgotten field, an unknown currency. */
const MISUSE = `
import { show } from './money';
import { createOrder, invoice, status } from './purchase-orders';

export async function misuse() {
  const order = await createOrder(
    // @ts-expect-error
    { conferenceId: 'conf_1', organizationName: 'Acme', contactEmail: 'a@example.com', lineItems: [{ description: 'x', quantity: 1, unitPrice: 5 }] },
    'key-12345',
  );
  // @ts-expect-error
  if (order?.userErrors[0]?.code === 'NO_SUCH_CODE') return;
  // @ts-expect-error
  await createOrder({ conferenceId: 'conf_1' }, 'key-12345');
  // @ts-expect-error
  (await status('po_1'))?.organizationName;
  // @ts-expect-error
  show({ amount: '1.00', currencyCode: 'XXX' }, 'en');
  // @ts-expect-error
  (await invoice('po_1')).tell;
}
`;

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'conference-invoicing-client-'));
  await symlink(resolve('node_modules'), join(project, 'node_modules'));
  await copyFile('schema.graphql', join(project, 'schema.graphql'));
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
});

afterEach(() => rm(project, { recursive: true, force: true }));

/** Every TypeScript block of the page is a file, named in its first line. */
async function writeFilesOf(page: string): Promise<string[]> {
  const blocks = [...page.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)];
  for (const [, name = '', content = ''] of blocks) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), content);
  }
  return blocks.map(([, name = '']) => name);
}

function inProject(script: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  // Under NODE_ENV=test the generator keeps its errors to itself.
  const env = { ...process.env, NODE_ENV: 'development' };
  return run(process.execPath, [resolve('node_modules', script), ...args], { cwd: project, env });
}

const generate = () => inProject('@graphql-codegen/cli/esm/bin.js', '--config', 'codegen.ts', '--verbose');

/** What the compiler has to say; nothing is the best answer. */
async function compile(): Promise<string> {
  const said = ({ stdout }: { stdout: string }) => stdout;
  return inProject('typescript/bin/tsc', '-p', '.').then(said, said);
}

describe('docs/clients.md', () => {
  test('is a set-up whose every file compiles against the schema, with types that catch mistakes', async () => {
    const page = await readFile('docs/clients.md', 'utf8');
    const files = await writeFilesOf(page);
    expect(files).toHaveLength(page.match(/^```ts$/gm)?.length ?? -1);
    expect(files).toEqual(expect.arrayContaining(['codegen.ts', 'src/execute.ts', 'src/purchase-orders.ts']));
    await writeFile(join(project, 'src/misuse.ts'), MISUSE);

    await generate();

    expect(await compile()).toBe('');
  });

  test('would not pass with a document that does not fit the schema', async () => {
    const page = await readFile('docs/clients.md', 'utf8');
    await writeFilesOf(page.replace('balanceDue { amount currencyCode }', 'balanceOwed { amount currencyCode }'));

    await expect(generate()).rejects.toMatchObject({
      stderr: expect.stringContaining('Cannot query field "balanceOwed" on type "PurchaseOrder".'),
    });
  });
});

describe('the loop of docs/clients.md for live changes', () => {
  const change = (cursor: string) =>
    `event: next\ndata: ${JSON.stringify({ data: { purchaseOrderChanged: { cursor } } })}\n\n`;
  const refusal = `event: next\ndata: ${JSON.stringify({ errors: [{ message: 'There is no such purchase order.' }] })}\n\n`;

  /** What the server does with one connection after the other, in the end for good. */
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.write(change('first'), () => response.destroy()),
    (response) => response.destroy(),
    (response) => response.writeHead(503).end(),
    (response) => response.writeHead(429).end(),
    (response) => response.end(`${change('second')}${refusal}event: complete\ndata: \n\n`),
  ];

  test('comes back behind its last change from whatever passes, and stops when it is refused', async () => {
    const asked: unknown[] = [];
    const server = createServer(async (request: IncomingMessage, response) => {
      const { variables } = (await json(request)) as { variables: unknown };
      asked.push(variables);
      response.setHeader('content-type', 'text/event-stream');
      answers[asked.length - 1]?.(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await writeFilesOf(await readFile('docs/clients.md', 'utf8'));
    const loop = (await readFile(join(project, 'src/live.ts'), 'utf8'))
      .replace("from './gql'", "from './gql.ts'")
      .replace('https://invoicing.example', `http://127.0.0.1:${port}`)
      .replace('RECONNECT_MS = 2000', 'RECONNECT_MS = 1');
    await writeFile(join(project, 'src/live.ts'), loop);
    await writeFile(join(project, 'src/gql.ts'), 'export const graphql = (text: string) => text;');
    const reading = "for await (const { cursor } of changesOf('po_1', 'key')) console.log(cursor);";
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    await writeFile(join(project, 'src/read.ts'), `import { changesOf } from './live.ts';\n${reading}`);

    const ended = await run(process.execPath, [join(project, 'src/read.ts')]).catch((error: unknown) => error);

    server.close();
    expect(ended).toMatchObject({
      stdout: 'first\nsecond\n',
      stderr: expect.stringContaining('There is no such purchase order.'),
    });
    const after = { id: 'po_1', after: 'first' };
    expect(asked).toEqual([{ id: 'po_1' }, after, after, after, after]);
  });
});
