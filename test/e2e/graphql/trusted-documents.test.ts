import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NOBODY } from '../../../src/application/context.js';
import { ConfigError } from '../../../src/config.js';
import { ConferenceRole, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { loadTrustedDocuments } from '../../../src/wiring/trusted-documents.js';
import type { Data } from '../../support/graphql-client.js';
import { startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';

const ACTORS = {
  administrator: { isAdministrator: true },
  viewer: { roles: new Map([['conf_1', ConferenceRole.VIEWER]]) },
  portal: { purchaseOrderId: 'po_1' },
};

async function findActor(key: string) {
  const grants = ACTORS[key as keyof typeof ACTORS];
  return grants && { kind: ActorKind.API_KEY, id: key, name: key, grants: { ...NO_GRANTS, ...grants } };
}

async function ask(server: TestGraphQLServer, key: string, body: object): Promise<{ status: number; body: Data }> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

function refusal(code: string, message: string) {
  return { status: 400, body: { errors: [{ message, extensions: { code, requestId: expect.any(String) } }] } };
}

const FREE_TEXT = refusal('DOCUMENT_REQUIRED', 'Send "documentId": free text is not answered here.');
const COUNT = { data: { conferences: { totalCount: 0 } } };

describe('a server that answers trusted documents', () => {
  let server: TestGraphQLServer;

  beforeAll(async () => {
    const documents = new Map([
      ['count', 'query Count($size: Int) { conferences(first: $size) { totalCount } }'],
      ['schema', '{ __schema { queryType { name } } }'],
    ]);
    server = await startTestGraphQL({ findActor, trustedDocuments: { documents, isRequired: true } });
  });

  afterAll(() => server.stop());

  test('takes the name of a document for the document', async () => {
    const answer = await ask(server, 'viewer', { documentId: 'count', variables: { size: 5 } });
    expect(answer).toEqual({ status: 200, body: COUNT });
  });

  test('says so when it has no document of the name', async () => {
    const answer = await ask(server, 'viewer', { documentId: 'nothing' });
    expect(answer).toEqual(refusal('UNKNOWN_DOCUMENT', 'This server has no document with this "documentId".'));
  });

  test.each([
    ['a text beside the name', { documentId: 'count', query: '{ conferences { totalCount } }' }],
    ['a name that is no string', { documentId: 5 }],
  ])('refuses %s', async (_what, body) => {
    expect(await ask(server, 'administrator', body)).toEqual(
      refusal('BAD_REQUEST', 'Send "documentId" as a string, and no "query" beside it.'),
    );
  });

  test('answers free text to administrators only, who try things out', async () => {
    const body = { query: '{ conferences { totalCount } }' };
    expect(await ask(server, 'viewer', body)).toEqual(FREE_TEXT);
    expect(await ask(server, 'portal', body)).toEqual(FREE_TEXT);
    expect(await ask(server, 'administrator', body)).toEqual({ status: 200, body: COUNT });
  });

  test('answers no free text by GET either', async () => {
    const url = `${server.url}/graphql?query=${encodeURIComponent('{ conferences { totalCount } }')}`;
    const response = await fetch(url, { headers: { authorization: 'Bearer viewer', 'apollo-require-preflight': '1' } });
    expect({ status: response.status, body: JSON.parse(await response.text()) }).toEqual(FREE_TEXT);
  });

  test('nor by a GET whose body names a document', async () => {
    const url = `${server.url}/graphql?query=${encodeURIComponent('{ conferences { totalCount } }')}`;
    const body = JSON.stringify({ documentId: 'count' });
    const headers = {
      authorization: 'Bearer viewer',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    // `fetch` sends no body with a GET.
    const request = httpRequest(url, { headers }).end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect({ status: response.statusCode, body: await json(response) }).toEqual(FREE_TEXT);
  });

  test('shows the schema to staff, and to no portal', async () => {
    const body = { documentId: 'schema' };
    expect((await ask(server, 'viewer', body)).body).toEqual({ data: { __schema: { queryType: { name: 'Query' } } } });
    expect(await ask(server, 'portal', body)).toEqual({
      status: 403,
      body: {
        errors: [
          {
            message: 'The schema is shown only to keys with a role in a conference.',
            extensions: { code: 'FORBIDDEN', requestId: expect.any(String) },
          },
        ],
      },
    });
    expect((await ask(server, NOBODY.id, body)).status).toBe(401);
  });
});

describe('the file of trusted documents', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conference-invoicing-documents-'));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function load(content: string) {
    const path = join(directory, 'documents.json');
    await writeFile(path, content);
    return loadTrustedDocuments({ path, isRequired: false });
  }

  test('is read by id', async () => {
    const { documents, isRequired } = await load('{"a":"{ __typename }"}');
    expect([...documents, isRequired]).toEqual([['a', '{ __typename }'], false]);
  });

  test('need not be there when none is named', async () => {
    expect(await loadTrustedDocuments({ path: undefined, isRequired: false })).toEqual({
      documents: new Map(),
      isRequired: false,
    });
  });

  test.each([
    ['no JSON', '{', /^The file that TRUSTED_DOCUMENTS names cannot be read as a JSON object of documents by id\.$/],
    ['no texts', '{"a":5}', /^The file that TRUSTED_DOCUMENTS names cannot be read/],
    [
      'no document',
      '{"a":"{"}',
      /^In the file that TRUSTED_DOCUMENTS names, the document "a" is not valid: Syntax Error/,
    ],
    ['an unknown field', '{"a":"{ nothing }"}', /names, the document "a" is not valid: Cannot query field "nothing"/],
    ['a document beyond the limits', `{"a":"{ ${'a: __typename b: __typename '.repeat(9)} }"}`, /may have 15 aliases/],
  ])('with %s stops the start with one sentence', async (_what, content, message) => {
    const error = await load(content).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toMatch(message);
  });

  test('that is not there stops the start, too', async () => {
    const path = join(directory, 'nothing.json');
    await expect(loadTrustedDocuments({ path, isRequired: true })).rejects.toThrow(ConfigError);
  });
});
