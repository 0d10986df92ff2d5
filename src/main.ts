import { type Config, ConfigError, loadConfig } from './config.js';
import { banner } from './development/banner.js';
import { DatabaseProblem } from './infrastructure/database/database-problem.js';
import { createLogger } from './infrastructure/observability/logger.js';
import { stopSignal } from './infrastructure/stop-signal.js';

/** `npm start`: the server, until it is told to stop. */
async function main(): Promise<void> {
  // Listened for from the first moment: a process that dies while it starts would leave PostgreSQL behind.
  const stop = stopSignal();
  // So would one that dies because its terminal, or the program it writes to, is gone.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
  const config = loadConfig();
  const report = await reporter(config);
  // Loaded only now: it takes a second, and a mistake in the environment is told at once.
  const { startApp } = await import('./app.js');
  const app = await startApp(config, report);
  if (config.production) report(`listening at ${app.url}`);
  else if (!stop.requested) process.stdout.write(banner(app, config.role));
  await stop.promise;
  report('stopping');
  await app.stop();
}

/** Tells what is going on: to a person in development, to whoever collects the log lines in production. */
async function reporter(config: Config): Promise<(step: string) => void> {
  if (!config.production) return (step) => process.stdout.write(`… ${step}\n`);
  const logger = await createLogger(config);
  return (step) => logger.info(step);
}

/** What an operator can mend is said in one sentence; anything else is a bug and keeps its stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError || error instanceof DatabaseProblem) return error.message;
  return whyNotListening(error) ?? String(error.stack);
}

function whyNotListening(error: NodeJS.ErrnoException & { port?: number }): string | undefined {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${error.port} is in use: stop the program that listens there, or set PORT to another port.`;
    case 'EACCES':
      return error.syscall === 'listen'
        ? `This account may not listen on port ${error.port}: set PORT to one from 1024 up.`
        : undefined;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'HOST is not an address of this machine: set it to 127.0.0.1, to 0.0.0.0, or to one that is.';
    default:
      return undefined;
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
