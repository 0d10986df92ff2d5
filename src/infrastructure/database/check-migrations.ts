import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { migrateDatabase } from './migrate.js';
import { openOrm } from './orm.js';

/** `npm run check:migrations`: the migrations, applied to an empty database, must give the schema of the entities. */
async function difference(databaseUrl: string): Promise<string> {
  await migrateDatabase(databaseUrl);
  const orm = await openOrm(databaseUrl);
  try {
    return (await orm.schema.getUpdateSchemaSQL({ wrap: false })).trim();
  } finally {
    await orm.close();
  }
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
