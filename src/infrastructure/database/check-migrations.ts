import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MikroORM } from '@mikro-orm/postgresql';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { migrateDatabase } from './migrate.js';
import { openOrm } from './orm.js';

/** `npm run check:migrations`: the migrations, applied to an empty database, must give the schema of the entities. */
async function difference(databaseUrl: string): Promise<string> {
  await migrateDatabase(databaseUrl);
  const orm = await openOrm(databaseUrl);
  try {
    const missing = await orm.schema.getUpdateSchemaSQL({ wrap: false });
    return [missing.trim(), ...(await truncatableTables(orm))].filter((text) => text !== '').join('\n');
  } finally {
    await orm.close();
  }
}

/**
 * Tables whose rows refuse to be deleted, but not all at once. The ORM reads triggers from the information schema, which
 * does not know those of `truncate`: an entity that declared one would be said to lack it for ever. In the words of
 * PostgreSQL's `pg_trigger.tgtype`: 2 is before, 8 delete, 32 truncate.
 */
async function truncatableTables(orm: MikroORM): Promise<string[]> {
  const rows = await orm.em.fork().execute<{ table: string }[]>(
    `select tgrelid::regclass::text as table from pg_trigger
     where tgname like '%\\_is\\_append\\_only' and tgtype & 10 = 10
       and not exists (
         select from pg_trigger other
         where other.tgrelid = pg_trigger.tgrelid and other.tgtype & 34 = 34 and other.tgenabled = 'O')`,
  );
  return rows.map(({ table }) => `-- a trigger that refuses to truncate "${table}", see 0015-audit-chain`);
}

const directory = await mkdtemp(join(tmpdir(), 'conference-invoicing-check-'));
// mkdtemp makes it private, which keeps PostgreSQL out when it has to run under another account than root.
await chmod(directory, 0o755);
const postgres = await startEmbeddedPostgres({ dataDirectory: join(directory, 'postgres'), durable: false });
try {
  const missing = await difference(postgres.url);
  if (missing === '') {
    console.log('the migrations give the schema of the entities');
  } else {
    console.error(`The migrations lack this; run "npm run db:migration:create":\n${missing}`);
    process.exitCode = 1;
  }
} finally {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
