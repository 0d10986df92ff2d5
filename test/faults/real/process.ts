import { IncomingMessage, Server } from 'node:http';
import { flushCompileCache, registerHooks } from 'node:module';
import { z } from 'zod';
import { installGates } from '../interception.js';
import { arm, strikable } from './process-gate.js';
import { installShiftedDate, shiftClock } from './shifted-date.js';
import { shortWaits } from './short-waits.js';

// One process under test: the app as it is, with a driver, a `fetch` and a clock that the harness has a hand in.

const order = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('arm'),
    strikes: z.array(
      z.object({
        useCase: z.string(),
        kind: z.enum(['sql', 'http']),
        n: z.int(),
        side: z.enum(['before', 'during', 'after']),
        action: z.enum(['crash', 'cut']),
      }),
    ),
  }),
  z.object({ kind: z.literal('shift'), milliseconds: z.number() }),
]);

/** The client says what it is asking for, as it does not matter to the app. */
function gateRequests(): void {
  const prototype = Server.prototype as unknown as { emit: (...parameters: unknown[]) => boolean };
  const original = prototype.emit;
  prototype.emit = function emit(this: Server, ...parameters: unknown[]): boolean {
    const [event, request] = parameters;
    const pass = () => original.apply(this, parameters);
    if (event !== 'request' || !(request instanceof IncomingMessage)) return pass();
    const useCase = request.headers['x-faults-use-case'];
    return typeof useCase === 'string' ? strikable(useCase, pass) : pass();
  };
}

function gateJobs(): void {
  const gated = new URL('gated-worker.js', import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'graphile-worker' && context.parentURL?.endsWith('/infrastructure/jobs/worker.js') === true
        ? { url: gated, shortCircuit: true }
        : next(specifier, context),
  });
}

async function main(): Promise<void> {
  process.on('message', (message) => {
    const given = order.parse(message);
    if (given.kind === 'arm') arm(given.strikes);
    else shiftClock(given.milliseconds);
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  installShiftedDate();
  installGates();
  gateRequests();
  gateJobs();
  const { loadConfig } = await import('../../../src/config.js');
  const { startApp } = await import('../../../src/app.js');
  const app = await startApp({ ...loadConfig(), waits: shortWaits }, () => undefined);
  process.send?.({ url: app.url });
  // It is killed rather than stopped, so nothing would be kept of it otherwise.
  flushCompileCache();
}

await main();
