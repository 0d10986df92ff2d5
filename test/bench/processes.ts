import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadReport, WorkOrder } from './load/work-order.js';

const LOGS = '.bench/logs';
const TYPESCRIPT = ['--no-warnings', '--import', new URL('../support/typescript-hooks.mjs', import.meta.url).href];

/**
 * Which processors each side may use. With fewer than four there is nothing to divide: server, database and generator
 * share them, whoever is measured.
 */
const PROCESSORS = availableParallelism();
export const PINNING =
  process.platform === 'linux' && PROCESSORS >= 4
    ? { server: '0-1', generator: `${PROCESSORS - 1}` }
    : { server: undefined, generator: undefined };

export interface ServerProcess {
  readonly url: string;
  /** Resident memory; only ours tell it. */
  memoryMegabytes(): Promise<number>;
  stop(): Promise<void>;
}

interface ServerProgram {
  readonly name: string;
  /** What Node runs: a `.ts` file of the benchmark's, or compiled code. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where it answers 200 once it can serve; without it, it can as soon as it listens. */
  readonly readyPath?: string;
}

/** Ends whatever still runs when the benchmark fails. */
const running = new Set<ChildProcess>();

export function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** In production mode. What it writes goes to a file, as a service's output does. */
export async function startServer({ name, program, environment, readyPath }: ServerProgram): Promise<ServerProcess> {
  const port = await freePort();
  await mkdir(LOGS, { recursive: true });
  const log = openSync(`${LOGS}/${name}.log`, 'w');
  const child = startNode(program, PINNING.server, {
    environment: { NODE_ENV: 'production', PORT: `${port}`, HOST: '127.0.0.1', ...environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, `${url}${readyPath ?? '/'}`, readyPath !== undefined, name);
  return { url, memoryMegabytes: () => memoryOf(url), stop: () => end(child) };
}

/** Has the generator carry out an order in a process of its own. */
export async function generateLoad(order: WorkOrder): Promise<LoadReport> {
  const generator = new URL('load/generator.ts', import.meta.url).pathname;
  const child = startNode(generator, PINNING.generator, {
    environment: {},
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(order);
  const [report] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => [{ error: 'it ended' }]),
  ]);
  if ('error' in report) throw new Error(`the load generator failed: ${report.error}`);
  return report;
}

function startNode(
  program: string,
  processors: string | undefined,
  { environment, stdio }: { readonly environment: Readonly<Record<string, string>>; readonly stdio: StdioOptions },
): ChildProcess {
  const node = [process.execPath, ...(program.endsWith('.ts') ? TYPESCRIPT : []), program];
  const [command = '', ...args] = processors === undefined ? node : ['taskset', '-c', processors, ...node];
  const child = spawn(command, args, { stdio, env: { PATH: process.env.PATH, ...environment } });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

const READY_TIMEOUT_MS = 120_000;

/** Polls it. Whether any answer will do, or only a good one, is the caller's to say. */
export async function untilReady(child: ChildProcess, url: string, mustSucceed: boolean, name: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer && (answer.ok || !mustSucceed)) return;
    await delay(20);
  }
  throw new Error(`${name} does not answer: see ${LOGS}/${name}.log`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Of one of ours. */
async function memoryOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1];
  if (bytes === undefined) throw new Error(`${url} does not tell its memory`);
  return Number(bytes) / 2 ** 20;
}
