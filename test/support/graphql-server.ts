import type { MikroORM } from '@mikro-orm/postgresql';
import { RateLimits } from '../../src/api/graphql/limits/rate-limits.js';
import { standardTimeLimits } from '../../src/api/graphql/limits/time-limit.js';
import { type GraphQLServerOptions, startGraphQLServer } from '../../src/api/graphql/server.js';
import { startHttpServer } from '../../src/api/http-server.js';
import { ensureApiKey, findActorByKey } from '../../src/application/access/api-keys.js';
import { systemClock } from '../../src/domain/clock.js';
import { randomIds } from '../../src/domain/ids.js';
import { openRequestOrm } from '../../src/infrastructure/database/orm.js';
import { createTestDatabase } from './database.js';
import { GraphQLClient } from './graphql-client.js';
import { testWaits } from './test-waits.js';

/** The GraphQL part of a server alone, for reading an empty database. */
export interface TestGraphQLServer {
  readonly url: string;
  readonly databaseUrl: string;
  readonly orm: MikroORM;
  /** Bears a key of an administrator. */
  readonly client: GraphQLClient;
  stop(): Promise<void>;
}

export const PRODUCTION_KEY = 'a-key-of-production-0123';

/** Callers keep what they may. */
export const NEVER_CHECKED: GraphQLServerOptions['live']['callerCheck'] = {
  everyMs: 2 ** 31 - 1,
  findWeakened: async () => new Set(),
  onError: () => undefined,
};

/** Streams can be opened, but nobody tells them anything. */
const NOTHING_HAPPENS: GraphQLServerOptions['live'] = {
  watching: {
    feed: { watch: () => ({ rung: () => new Promise(() => undefined) }) },
    forkEntityManager: () => {
      throw new Error('nothing is watched');
    },
    waits: testWaits,
  },
  limits: { perActor: 1, perProcess: 1 },
  callerCheck: NEVER_CHECKED,
  observer: { onCount: () => undefined, onSent: () => undefined, onEnd: () => undefined },
};

/** Starts it as production has it: nothing of the schema is told without a key. */
export async function startTestGraphQL(
  options: Partial<GraphQLServerOptions> = {},
  statementTimeoutMs?: number,
): Promise<TestGraphQLServer> {
  const database = await createTestDatabase();
  const orm = await openRequestOrm(database.url, statementTimeoutMs);
  await ensureApiKey({ em: orm.em.fork(), clock: systemClock, ids: randomIds }, 'production', PRODUCTION_KEY);
  const http = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    mount: async (app, { server }) => {
      const graphql = await startGraphQLServer({
        httpServer: server,
        forkEntityManager: (signal) => orm.em.fork(signal && { signal, inflightQueryAbortStrategy: 'cancel query' }),
        createUseCaseContext: () => {
          throw new Error('no mutation is expected');
        },
        findActor: (key) => findActorByKey({ em: orm.em.fork(), clock: systemClock }, key),
        openIntrospection: false,
        trustedDocuments: { documents: new Map(), isRequired: false },
        rateLimits: new RateLimits(10_000_000),
        timeLimits: standardTimeLimits,
        deadlineMs: 5_000,
        onOperation: () => undefined,
        onRefused: () => undefined,
        onUnexpectedError: () => undefined,
        live: NOTHING_HAPPENS,
        ...options,
      });
      app.use(graphql.router);
      return () => graphql.stop();
    },
    onError: () => undefined,
  });
  return {
    url: http.url,
    databaseUrl: database.url,
    orm,
    client: new GraphQLClient(http.url, PRODUCTION_KEY),
    stop: async () => {
      await http.stop();
      await orm.close();
      await database.drop();
    },
  };
}
