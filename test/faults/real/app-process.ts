import { type ChildProcess, fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Strike } from '../points.js';

const ready = z.object({ url: z.string() });

export interface AppProcessOptions {
  /** The compiled `process.js`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Told the name of each point at which the process was struck. */
  readonly onHit: (point: string) => void;
}

/** One process under test. When it dies, another one takes its place. */
export class AppProcess {
  readonly #options: AppProcessOptions;
  #child: ChildProcess;
  #url: Promise<string>;
  #armed: readonly Strike[] = [];
  #shiftMs = 0;
  #isStopping = false;

  constructor(options: AppProcessOptions) {
    this.#options = options;
    [this.#child, this.#url] = this.#start();
  }

  /** Where it listens, once it does. */
  get url(): Promise<string> {
    return this.#url;
  }

  arm(strikes: readonly Strike[]): void {
    this.#armed = strikes;
    this.#tell({ kind: 'arm', strikes });
  }

  shiftClock(milliseconds: number): void {
    this.#shiftMs = milliseconds;
    this.#tell({ kind: 'shift', milliseconds });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #start(): [ChildProcess, Promise<string>] {
    const { program, environment, onHit } = this.#options;
    const child = fork(program, [], {
      // Killed and started again hundreds of times: compiling the same code each time would be most of its work.
      env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: join(dirname(program), 'compiled'), ...environment },
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const point = /^hit (\S+)$/.exec(line)?.[1];
        if (point === undefined) return;
        onHit(point);
      });
    }
    const url = new Promise<string>((resolve) => {
      child.on('message', (message) => resolve(ready.parse(message).url));
    });
    child.once('exit', () => this.#replace(child));
    void url.then(() => {
      if (this.#child !== child) return;
      this.#tell({ kind: 'shift', milliseconds: this.#shiftMs });
      this.#tell({ kind: 'arm', strikes: this.#armed });
    });
    return [child, url];
  }

  #replace(dead: ChildProcess): void {
    if (this.#isStopping || this.#child !== dead) return;
    [this.#child, this.#url] = this.#start();
  }

  #tell(order: object): void {
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }
}
