import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import express from 'express';
import { type GraphQLServer, startGraphQLServer } from '../../../src/api/graphql/server.js';
import { httpErrorHandler } from '../../../src/api/http-errors.js';
import { assignRequestId } from '../../../src/api/request-id.js';
import { ensureApiKey, findActorByKey } from '../../../src/application/access/api-keys.js';
import { systemClock } from '../../../src/domain/clock.js';
import { randomIds } from '../../../src/domain/ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { GraphQLClient } from '../../support/graphql-client.js';

const KEY = 'a-key-of-production-0123';

let database: TestDatabase;
let orm: MikroORM;
let server: Server;
let graphql: GraphQLServer;
let url: string;

/** The GraphQL part as production has it: nothing of the schema is told without a key. */
beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
  await ensureApiKey({ em: orm.em.fork(), clock: systemClock, ids: randomIds }, 'production', KEY);
  const app = express();
  server = createServer(app);
  graphql = await startGraphQLServer({
    httpServer: server,
    forkEntityManager: () => orm.em.fork(),
    createUseCaseContext: () => {
      throw new Error('no mutation is expected');
    },
    findActor: (key) => findActorByKey({ em: orm.em.fork(), clock: systemClock }, key),
    openIntrospection: false,
    deadlineMs: 5_000,
    onOperation: () => undefined,
    onUnexpectedError: () => undefined,
  });
  app.use(
    assignRequestId,
    graphql.router,
    httpErrorHandler(() => undefined),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  const closed = once(server, 'close');
  server.close();
  await graphql.stop();
  await closed;
  await orm.close();
  await database.drop();
});

test.each([
  ['introspection', '{ __schema { types { name } } }'],
  ['the name of the root type', '{ __typename }'],
  ['a document with a typing error', '{ conferencez { totalCount } }'],
  ['a document that is none', '{'],
  ['an empty document', ''],
  ['a query', '{ conferences { totalCount } }'],
])('without a key %s tells nothing of the schema', async (_what, document) => {
  const { status, data, errors } = await new GraphQLClient(url, undefined).send(document);
  expect(data ?? null).toBeNull();
  const text = JSON.stringify(errors);
  expect(text).not.toMatch(/Did you mean|conferences|Query|types/);
  expect(status).toBe(401);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
});

test('with a key the schema can be read and queries are answered', async () => {
  const client = new GraphQLClient(url, KEY);
  expect(await client.query('{ __schema { queryType { name } } conferences { totalCount } }')).toEqual({
    __schema: { queryType: { name: 'Query' } },
    conferences: { totalCount: 0 },
  });
});

const ensure = (name: string, key: string) =>
  ensureApiKey({ em: orm.em.fork(), clock: systemClock, ids: randomIds }, name, key);
const statusWith = async (key: string) =>
  (await new GraphQLClient(url, key).send('{ conferences { totalCount } }')).status;

test('a former key of the same name stops working', async () => {
  await ensure('rotated', 'the-first-key-of-two');
  await ensure('rotated', 'the-second-key-of-two');
  expect([await statusWith('the-first-key-of-two'), await statusWith('the-second-key-of-two')]).toEqual([401, 200]);
});

test('a key that was revoked stays so at the next start, and another one takes its name', async () => {
  expect(await ensure('revoked', 'a-key-that-was-lost')).toBe(true);
  await orm.em.fork().execute("update api_key set revoked_at = now() where name = 'revoked'");
  expect(await ensure('revoked', 'a-key-that-was-lost')).toBe(false);
  expect(await ensure('revoked', 'the-key-that-follows')).toBe(true);
  expect([await statusWith('a-key-that-was-lost'), await statusWith('the-key-that-follows')]).toEqual([401, 200]);
});

test('processes that start together agree on the key', async () => {
  const together = Array.from({ length: 8 }, () => ensure('together', 'the-key-of-all-processes'));
  expect(await Promise.all(together)).toEqual(together.map(() => true));
});

test('of a short key that an operator chose at most a quarter is shown', async () => {
  await ensure('short', 'sixteen-letters!');
  const keys = await orm.em.fork().execute("select prefix from api_key where name = 'short'");
  expect(keys).toEqual([{ prefix: 'sixt' }]);
});
