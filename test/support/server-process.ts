import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';

const CHECKOUT = process.cwd();

/** The programs as users run them: compiled, in a directory that only the tests use. */
export interface CompiledPrograms {
  /** Starts `main`, `demo` or `simulate` with this environment and nothing of ours. */
  start(program: string, environment?: Record<string, string>, args?: readonly string[]): ProgramRun;
  /** A fresh data directory that is deleted at the end. */
  createDataDirectory(): Promise<string>;
  /** Ends what tests left running, and removes every directory. */
  remove(): Promise<void>;
}

export async function compilePrograms(): Promise<CompiledPrograms> {
  const root = await mkdtemp(join(tmpdir(), 'conference-invoicing-process-'));
  // Run as root, PostgreSQL runs under another account, which must be able to enter.
  await chmod(root, 0o755);
  await symlink(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  const output = ['--outDir', join(root, 'dist'), '--tsBuildInfoFile', join(root, 'dist', '.tsbuildinfo')];
  const compiler = join(CHECKOUT, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', '.config/tsconfig.build.json', ...output]);
  const runs: ProgramRun[] = [];
  const dataDirectories: string[] = [];
  return {
    start: (program, environment = {}, args = []) => {
      const run = new ProgramRun(join(root, 'dist', 'src', `${program}.js`), environment, args);
      runs.push(run);
      return run;
    },
    createDataDirectory: async () => {
      const directory = join(root, `data-${dataDirectories.length}`);
      await mkdir(directory);
      dataDirectories.push(directory);
      return directory;
    },
    remove: async () => {
      for (const run of runs) await run.kill();
      for (const directory of dataDirectories) await endPostgres(directory);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** One started program, what it wrote, and how it ended. */
export class ProgramRun {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';

  constructor(program: string, environment: Record<string, string>, args: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...args], {
      cwd: dirname(program),
      env: { PATH: process.env.PATH, TMPDIR: tmpdir(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until standard output matches, and returns the match. */
  async says(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const said = await eventually(
      async () => ({ match: pattern.exec(this.stdout), isOver: this.#child.exitCode !== null }),
      ({ match, isOver }) => match !== null || isOver,
      timeoutMs,
    );
    if (said.match) return said.match;
    throw new Error(`it ended without saying ${pattern}:\n${this.stdout}\n${this.stderr}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code, or the signal that ended it. */
  end(): Promise<number | NodeJS.Signals> {
    return this.#ended;
  }

  /** The same together with what went to standard error, so that a failed assertion shows the reason. */
  async ending(): Promise<{ code: number | NodeJS.Signals; stderr: string }> {
    const code = await this.#ended;
    return { code, stderr: this.stderr };
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }
}

/** The process id of the PostgreSQL server that has this data directory open; undefined when there is none. */
export function postgresOf(dataDirectory: string): number | undefined {
  const pidFile = join(dataDirectory, 'postgres', 'postmaster.pid');
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0;
  return pid > 0 && existsAsProcess(pid) ? pid : undefined;
}

function existsAsProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function endPostgres(dataDirectory: string): Promise<void> {
  const pid = postgresOf(dataDirectory);
  if (pid === undefined) return;
  process.kill(pid, 'SIGQUIT');
  await eventually(
    async () => postgresOf(dataDirectory),
    (running) => running === undefined,
  );
}
