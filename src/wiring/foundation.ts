import type { MikroORM } from '@mikro-orm/postgresql';
import type { Config } from '../config.js';
import { type LocalSimulators, startLocalSimulators } from '../development/local-simulators.js';
import type { Clock } from '../domain/clock.js';
import { type IdSource, randomIds } from '../domain/ids.js';
import { DatabaseClock } from '../infrastructure/database/database-clock.js';
import { databaseProblem } from '../infrastructure/database/database-problem.js';
import { migrateDatabase } from '../infrastructure/database/migrate.js';
import { openOrm, openRequestOrm } from '../infrastructure/database/orm.js';
import { type DevelopmentSecrets, loadDevelopmentSecrets } from '../infrastructure/development-secrets.js';
import { GraphileJobQueue } from '../infrastructure/jobs/job-queue.js';
import { createLogger, type Logger } from '../infrastructure/observability/logger.js';
import { Metrics } from '../infrastructure/observability/metrics.js';
import { type Progress, provideDatabase } from './database.js';

/** What every part stands on. */
export interface Foundation {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly databaseUrl: string;
  /** For background work, whose statements take as long as they take. */
  readonly orm: MikroORM;
  /** For answering requests. Connections of its own: neither kind of work can take them all from the other. */
  readonly requestOrm: MikroORM;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly jobs: GraphileJobQueue;
  /** In development only. */
  readonly secrets: DevelopmentSecrets | undefined;
  /** In development only, and of those providers that have no account of one's own. */
  readonly simulators: LocalSimulators;
}

/** Starts the database, the simulators and what else the parts stand on; `resources` stops them in the reverse order. */
export async function layFoundation(
  config: Config,
  onProgress: Progress,
  resources: AsyncDisposableStack,
): Promise<Foundation> {
  const logger = await createLogger(config);
  const secrets = config.production ? undefined : await loadDevelopmentSecrets(config.dataDirectory);
  const databaseUrl = await provideDatabase(config, onProgress, resources);
  onProgress('applying migrations');
  await migrateDatabase(databaseUrl).catch((error: unknown) => {
    throw config.databaseUrl === undefined ? error : databaseProblem(error);
  });
  const orm = await openOrm(databaseUrl);
  resources.defer(() => orm.close());
  const requestOrm = await openRequestOrm(databaseUrl);
  resources.defer(() => requestOrm.close());
  const simulators = await startLocalSimulators(config, orm.em.fork(), onProgress, resources);
  const clock = await DatabaseClock.start(() => timeOf(orm));
  resources.defer(() => clock.stop());
  const jobs = await GraphileJobQueue.connect(databaseUrl, logger, clock);
  resources.defer(() => jobs.stop());
  const metrics = new Metrics(orm);
  return { config, logger, metrics, databaseUrl, orm, requestOrm, clock, ids: randomIds, jobs, secrets, simulators };
}

async function timeOf(orm: MikroORM): Promise<number> {
  const [row] = await orm.em.fork().execute<{ now: Date | string }[]>('select clock_timestamp() as now');
  if (!row) throw new Error('the database did not tell its time');
  return new Date(row.now).getTime();
}

/** What use cases get that need no provider. */
export function plainContext({ orm, clock, ids }: Pick<Foundation, 'orm' | 'clock' | 'ids'>) {
  return { em: orm.em.fork(), clock, ids };
}
