import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';

/** What a server MAY do and this one does not: queries by GET from whoever could be a page of another site. */
const REFUSED_GETS = ['5A70', 'D6D5', '6A70'];

let server: TestGraphQLServer;

beforeAll(async () => {
  server = await startTestGraphQL({ openIntrospection: true });
});

afterAll(() => server.stop());

const audits = serverAudits({ url: () => `${server.url}/graphql`, fetchFn: fetch });

test('the suite has its 61 audits', () => {
  expect(audits).toHaveLength(61);
});

test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))('%s %s', async (id, _name, audit) => {
  const result = await audit.fn();
  const reason = 'reason' in result ? result.reason : '';
  expect({ status: result.status, reason }).toEqual(
    REFUSED_GETS.includes(id)
      ? { status: 'notice', reason: 'Response status code is not 200' }
      : { status: 'ok', reason: '' },
  );
});
