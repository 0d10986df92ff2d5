import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.js';
import type { Bench } from '../bench.js';
import { freePort, untilReady } from '../processes.js';
import { figure, median, type Row } from '../report.js';

/** `npm start` as a newcomer types it, until the server says that it is ready. What was built is up to date. */
export async function measureStart({ scale, say, directory }: Bench): Promise<readonly Row[]> {
  const first: number[] = [];
  const again: number[] = [];
  for (let round = 1; round <= Math.min(scale.rounds, 3); round += 1) {
    const dataDirectory = join(directory, `start-${round}`);
    first.push(await secondsToReady(dataDirectory));
    again.push(await secondsToReady(dataDirectory));
    say(`first ${first.at(-1)?.toFixed(1)} s, again ${again.at(-1)?.toFixed(1)} s`);
  }
  return [
    figure('npm start until ready, first time (initdb, migrations, demo data)', 's', median(first)),
    figure('npm start until ready, again', 's', median(again)),
  ];
}

async function secondsToReady(dataDirectory: string): Promise<number> {
  const port = await freePort();
  await mkdir('.bench/logs', { recursive: true });
  const log = openSync('.bench/logs/start.log', 'w');
  const { PATH, HOME } = process.env;
  const startedAt = performance.now();
  // A process group of its own, so that the signal reaches the server behind npm.
  const child = spawn('npm', ['start'], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH, HOME, PORT: `${port}`, DATA_DIR: dataDirectory },
  });
  closeSync(log);
  try {
    await untilReady(child, `http://127.0.0.1:${port}/readyz`, true, 'start');
    return (performance.now() - startedAt) / 1000;
  } finally {
    process.kill(-Number(child.pid), 'SIGTERM');
    await untilDatabaseEnds(dataDirectory);
  }
}

/** npm is gone at once; the server behind it stops its database last. */
async function untilDatabaseEnds(dataDirectory: string): Promise<void> {
  const pidFile = join(dataDirectory, 'postgres', 'postmaster.pid');
  await eventually(
    async () => existsSync(pidFile),
    (isRunning) => !isRunning,
  );
}
