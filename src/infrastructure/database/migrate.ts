import type { MikroORM } from '@mikro-orm/postgresql';
import { runMigrations } from 'graphile-worker';
import { openOrm } from './orm.js';

/** Brings a database to the current schema: our migrations, then the job queue's own. Safe to run at the same time. */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const orm = await openOrm(databaseUrl);
  try {
    await migrate(orm, databaseUrl);
  } finally {
    await orm.close();
  }
}

/** Any number; processes that start together migrate one after the other under this advisory lock. */
const MIGRATION_LOCK = 7_203_441;

async function migrate(orm: MikroORM, databaseUrl: string): Promise<void> {
  await orm.em.fork().transactional(async (lock) => {
    await lock.execute(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await orm.migrator.up();
    await runMigrations({ connectionString: databaseUrl });
  });
}

export async function hasPendingMigrations(orm: MikroORM): Promise<boolean> {
  return (await orm.migrator.getPending()).length > 0;
}
