import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type RunningApp, startApp } from './app.js';
import { loadConfig } from './config.js';
import { DemoError, DemoServer, say } from './development/demo/demo-server.js';
import { playQuickBooks } from './development/demo/quickbooks-story.js';
import { playStripe } from './development/demo/stripe-story.js';
import { type StopSignal, stopSignal } from './infrastructure/stop-signal.js';

/**
 * `npm run demo`: the main job from beginning to end, over HTTP, against a throw-away database and a simulated provider:
 * QuickBooks, or with `--provider stripe` Stripe. Prints each step for a person and one JSON line for programs; exits 0
 * only if every step was as expected.
 */

type Result = Record<string, unknown>;

const STORIES: Readonly<Record<string, (app: RunningApp) => Promise<Result>>> = {
  quickbooks: (app) => playQuickBooks(new DemoServer(app), running(app.simulators.quickbooks)),
  stripe: (app) => playStripe(new DemoServer(app), running(app.simulators.stripe)),
};

function running<S>(simulator: S | undefined): S {
  if (!simulator) throw new DemoError('the simulator did not start');
  return simulator;
}

function chosenStory(): (app: RunningApp) => Promise<Result> {
  const { values } = parseArgs({ options: { provider: { type: 'string', default: 'quickbooks' } } });
  const story = STORIES[values.provider];
  if (!story) throw new DemoError(`--provider must be one of ${Object.keys(STORIES).join(', ')}`);
  return story;
}

/** Starts everything in a place of its own, plays, and leaves nothing behind, whatever happens in between. */
async function run(): Promise<Result> {
  const play = chosenStory();
  const stop = stopSignal();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'conference-invoicing-demo-'));
  try {
    // mkdtemp makes it private, which keeps PostgreSQL out when it has to run under another account than root.
    await chmod(dataDirectory, 0o755);
    const config = loadConfig({ PORT: '0', DATA_DIR: dataDirectory, LOG_LEVEL: 'error' });
    const app = await startApp(config, (step) => say(`… ${step}`));
    try {
      return await Promise.race([play(app), interruption(stop)]);
    } finally {
      await app.stop();
    }
  } finally {
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

async function interruption({ promise }: StopSignal): Promise<never> {
  await promise;
  throw new DemoError('the demo was interrupted');
}

const startedAt = performance.now();
try {
  const result = await run();
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  say(JSON.stringify({ ok: true, ...result, seconds }));
} catch (error) {
  say(JSON.stringify({ ok: false, error: error instanceof Error ? error.message : String(error) }));
  process.exitCode = 1;
}
