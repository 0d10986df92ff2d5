import { join } from 'node:path';
import type { Config } from '../config.js';
import { startEmbeddedPostgres } from '../infrastructure/database/embedded-postgres.js';

export type Progress = (step: string) => void;

/** The URL of the database to use: the one that is configured, else that of an embedded server, which it starts. */
export async function provideDatabase(
  { databaseUrl, dataDirectory }: Config,
  onProgress: Progress,
  resources: AsyncDisposableStack,
): Promise<string> {
  if (databaseUrl !== undefined) return databaseUrl;
  onProgress('starting the embedded PostgreSQL');
  const postgres = await startEmbeddedPostgres({ dataDirectory: join(dataDirectory, 'postgres'), onProgress });
  resources.defer(() => postgres.stop());
  return postgres.url;
}
