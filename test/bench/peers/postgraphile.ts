// PostGraphile 5 over the same tables, as its own documentation sets it up for production: its preset, one process,
// Node's own HTTP server, no IDE, no watching. PORT, DATABASE_URL and POOL_SIZE say where.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const { PORT, DATABASE_URL = '', POOL_SIZE } = process.env;

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({ connectionString: DATABASE_URL, schemas: ['public'], poolConfig: { max: Number(POOL_SIZE) } }),
  ],
  // Lists beside connections, so that it need not wrap what we do not wrap.
  schema: { defaultBehavior: '+list' },
  grafast: { explain: false },
  grafserv: { graphiql: false, websockets: false, watch: false, maxRequestLength: 262_144 },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(PORT), '127.0.0.1');
