import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Tier } from './results.js';
import type { Order, Reply } from './runner.js';

/** A story that takes longer hangs. */
const DEADLINE_MS: Readonly<Record<Tier, number>> = { fast: 90_000, real: 240_000 };

const HOOKS = new URL('../support/typescript-hooks.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('runner.ts', import.meta.url));

export interface Crew {
  readonly runners: number;
  readonly isNaive: boolean;
  readonly onTold: (order: Order, reply: Reply) => Promise<void>;
}

/** Has runners, each a process of its own, tell these stories. */
export async function tellAll(tier: Tier, orders: Iterator<Order>, { runners, isNaive, onTold }: Crew): Promise<void> {
  const work = async () => {
    let runner: ChildProcess | undefined;
    for (let order = orders.next(); !order.done; order = orders.next()) {
      if (!runner?.connected) runner = await startRunner(tier, isNaive);
      await onTold(order.value, await tell(runner, order.value, DEADLINE_MS[tier]));
    }
    if (runner?.connected) await stop(runner);
  };
  await Promise.all(Array.from({ length: runners }, work));
}

async function startRunner(tier: Tier, isNaive: boolean): Promise<ChildProcess> {
  const execArgv = ['--import', HOOKS, '--no-warnings'];
  const runner = fork(RUNNER, [tier, ...(isNaive ? ['naive'] : [])], { execArgv, stdio: 'inherit' });
  await new Promise<void>((resolve, reject) => {
    runner.once('message', () => resolve());
    runner.once('exit', (code) => reject(new Error(`a runner ended with ${code} before it began`)));
  });
  runner.removeAllListeners('exit');
  return runner;
}

/** A runner that hangs or dies over a story is ended, and the story counts as stuck. */
function tell(runner: ChildProcess, order: Order, deadlineMs: number): Promise<Reply> {
  return new Promise((resolve) => {
    const end = (reply: Reply) => {
      clearTimeout(timer);
      runner.removeAllListeners('message').removeAllListeners('exit');
      resolve(reply);
    };
    const fail = (error: string) => {
      if (runner.connected) runner.disconnect();
      runner.kill('SIGKILL');
      end({ seed: order.seed, error });
    };
    const timer = setTimeout(() => fail(`the story did not end within ${deadlineMs / 1000} s`), deadlineMs);
    runner.once('message', (reply) => end(reply as Reply));
    runner.once('exit', (code, signal) => fail(`the runner ended with ${code ?? signal}`));
    runner.send(order);
  });
}

function stop(runner: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    runner.once('exit', () => resolve());
    runner.send('stop');
  });
}
