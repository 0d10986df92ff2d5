import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, MikroORM, type Options } from '@mikro-orm/postgresql';
import type { DatabaseConnection } from 'kysely';
import { forgetAbortedQueries } from './aborted-queries.js';
import { freeDeadConnections } from './dead-connections.js';
import { entities, routines } from './entities.js';
import { migrations } from './migrations/index.js';
import { PreparingDriver } from './prepared-statements.js';

/** The one ORM configuration: the server, the tests and the command line use it. */
export function ormOptions(databaseUrl: string, overrides: Options = {}): Options {
  return defineConfig({
    driver: PreparingDriver,
    clientUrl: databaseUrl,
    entities,
    routines,
    metadataProvider: ReflectMetadataProvider,
    extensions: [Migrator],
    forceUtcTimezone: true,
    // A database that is not there is a mistyped URL: it must be said to be missing, not made.
    ensureDatabase: false,
    migrations: {
      migrationsList: migrations,
      path: fileURLToPath(new URL('migrations', import.meta.url)),
      pathTs: 'src/infrastructure/database/migrations',
      tableName: 'schema_migration',
      snapshot: false,
      silent: true,
    },
    // graphile-worker keeps its own tables and migrations in a schema of its own.
    schemaGenerator: { ignoreSchema: ['graphile_worker'] },
    pool: { min: 0, max: 10 },
    driverOptions: { onPoolCreated: freeDeadConnections },
    // The ORM's type does not say that it is Kysely's.
    onCreateConnection: (connection) => forgetAbortedQueries(connection as DatabaseConnection),
    ...overrides,
  });
}

export async function openOrm(databaseUrl: string, overrides?: Options): Promise<MikroORM> {
  return MikroORM.init(ormOptions(databaseUrl, overrides));
}

/** A whole GraphQL query may take as long; no statement of a mutation takes a second, unless it waits for a lock. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** Nothing remote is done inside a transaction, so one that is left alone that long is left for ever. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/** As `openOrm`, for answering requests: PostgreSQL ends what takes too long. Background work has connections without limits. */
export async function openRequestOrm(
  databaseUrl: string,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
): Promise<MikroORM> {
  return openOrm(databaseUrl, {
    driverOptions: {
      onPoolCreated: freeDeadConnections,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
  });
}
