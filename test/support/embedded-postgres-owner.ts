// A process that owns the embedded server of the directory it is given, until it is killed.
import { startEmbeddedPostgres } from '../../src/infrastructure/database/embedded-postgres.js';

const server = await startEmbeddedPostgres({ dataDirectory: process.argv[2] ?? '', durable: false });
console.log(server.url);
setInterval(() => undefined, 60_000);
