import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureApiKey } from '../../../src/application/access/api-keys.js';
import { systemClock } from '../../../src/domain/clock.js';
import { randomIds } from '../../../src/domain/ids.js';
import { GraphQLClient } from '../../support/graphql-client.js';
import { startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';

let server: TestGraphQLServer;

beforeAll(async () => {
  server = await startTestGraphQL();
});

afterAll(() => server.stop());

test.each([
  ['introspection', '{ __schema { types { name } } }'],
  ['the name of the root type', '{ __typename }'],
  ['a document with a typing error', '{ conferencez { totalCount } }'],
  ['a document that is none', '{'],
  ['an empty document', ''],
  ['a query', '{ conferences { totalCount } }'],
])('without a key %s tells nothing of the schema', async (_what, document) => {
  const { status, data, errors } = await new GraphQLClient(server.url, undefined).send(document);
  expect(data ?? null).toBeNull();
  const text = JSON.stringify(errors);
  expect(text).not.toMatch(/Did you mean|conferences|Query|types/);
  expect(status).toBe(401);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
});

test('with a key the schema can be read and queries are answered', async () => {
  expect(await server.client.query('{ __schema { queryType { name } } conferences { totalCount } }')).toEqual({
    __schema: { queryType: { name: 'Query' } },
    conferences: { totalCount: 0 },
  });
});

const ensure = (name: string, key: string) =>
  ensureApiKey({ em: server.orm.em.fork(), clock: systemClock, ids: randomIds }, name, key);
const statusWith = async (key: string) =>
  (await new GraphQLClient(server.url, key).send('{ conferences { totalCount } }')).status;

test('a former key of the same name stops working', async () => {
  await ensure('rotated', 'the-first-key-of-two');
  await ensure('rotated', 'the-second-key-of-two');
  expect([await statusWith('the-first-key-of-two'), await statusWith('the-second-key-of-two')]).toEqual([401, 200]);
});

test('a key that was revoked stays so at the next start, and another one takes its name', async () => {
  expect(await ensure('revoked', 'a-key-that-was-lost')).toBe(true);
  await server.orm.em.fork().execute("update api_key set revoked_at = now() where name = 'revoked'");
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
  const keys = await server.orm.em.fork().execute("select prefix from api_key where name = 'short'");
  expect(keys).toEqual([{ prefix: 'sixt' }]);
});
