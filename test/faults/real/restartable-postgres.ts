import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findBinariesPackage, prepareBinaries } from '../../../src/infrastructure/database/embedded/binaries.js';
import { prepareCluster } from '../../../src/infrastructure/database/embedded/cluster.js';
import { chooseLocation } from '../../../src/infrastructure/database/embedded/location.js';
import { run } from '../../../src/infrastructure/database/embedded/run.js';
import { findServer, startServer } from '../../../src/infrastructure/database/embedded/server.js';

export interface RestartablePostgres {
  readonly url: string;
  readonly pid: number;
  /** Stops it as a power cut of the server would, and starts it again at the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRestartablePostgres(directory: string): Promise<RestartablePostgres> {
  const location = await chooseLocation(directory, () => undefined);
  const binaries = await prepareBinaries(findBinariesPackage(), location, () => undefined);
  const password = await prepareCluster(binaries, location, false);
  await startServer(binaries, location, false);
  const server = await findServer(location);
  if (!server) throw new Error('PostgreSQL did not start');
  const control = async (...command: string[]) => {
    const log = [`--log=${location.dataDirectory}.log`, `--pgdata=${location.dataDirectory}`];
    const options = { account: location.account, cwd: dirname(location.dataDirectory), output: 'ignore' } as const;
    const { ok } = await run(binaries.pgCtl, [...command, '--mode=immediate', '--wait', ...log], options);
    if (!ok) throw new Error(`pg_ctl ${command.join(' ')} failed: see ${location.dataDirectory}.log`);
  };
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${server.port}/postgres`,
    pid: server.pid,
    restart: () => control('restart'),
    stop: async () => {
      await control('stop');
      await rm(dirname(location.dataDirectory), { recursive: true, force: true });
    },
  };
}
