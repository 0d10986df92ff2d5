import { startApp } from './app.js';
import { ConfigError, loadConfig } from './config.js';
import { banner } from './development/banner.js';
import { AlreadyRunningError } from './infrastructure/database/embedded-postgres.js';

/** `npm start`: the server, until it is told to stop. */
async function main(): Promise<void> {
  const config = loadConfig();
  const app = await startApp(config, (step) => process.stdout.write(`… ${step}\n`));
  if (!config.production) process.stdout.write(banner(app));
  await stopSignal();
  process.stdout.write('stopping …\n');
  // Whoever asks twice does not want to wait.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  await app.stop();
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

/** What an operator can mend is said in one sentence; anything else is a bug and keeps its stack. */
function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof AlreadyRunningError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'The address is in use: stop the program that listens there, or set PORT to another port.';
  }
  return error instanceof Error ? String(error.stack) : String(error);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
