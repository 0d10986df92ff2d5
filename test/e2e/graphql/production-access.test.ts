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

test('a former key of the same name stops working', async () => {
  const context = { em: server.orm.em.fork(), clock: systemClock, ids: randomIds };
  await ensureApiKey(context, 'rotated', 'the-first-key-of-two');
  await ensureApiKey(context, 'rotated', 'the-second-key-of-two');
  const document = '{ conferences { totalCount } }';
  expect((await new GraphQLClient(server.url, 'the-first-key-of-two').send(document)).status).toBe(401);
  expect((await new GraphQLClient(server.url, 'the-second-key-of-two').send(document)).status).toBe(200);
});
