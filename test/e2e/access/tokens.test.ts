import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GRANTS_CLAIM } from '../../../src/application/access/token-grants.js';
import { databaseState } from '../../support/database-state.js';
import { GraphQLClient } from '../../support/graphql-client.js';
import { AUDIENCE, IdentityProvider, ISSUER } from '../../support/identity-provider.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, createConference } from '../purchase-orders/support.js';

let provider: IdentityProvider;
let server: TestApp;
let other: { id: string };

beforeAll(async () => {
  provider = await IdentityProvider.start();
  server = await startTestApp({ JWT_JWKS_URL: provider.jwksUrl, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
  other = await createConference(server);
});

afterAll(async () => {
  await server.stop();
  await provider.stop();
});

async function bearing(grants: unknown, claims: Record<string, unknown> = {}): Promise<GraphQLClient> {
  return new GraphQLClient(server.app.url, await provider.token({ [GRANTS_CLAIM]: grants, ...claims }));
}

const CONFERENCES = '{ conferences { totalCount nodes { id } } }';

async function conferencesOf(grants: unknown): Promise<string[]> {
  const { conferences } = await (await bearing(grants)).query(CONFERENCES);
  return conferences.nodes.map(({ id }: { id: string }) => id);
}

describe('a token grants what its claim says', () => {
  test('an administrator sees every conference', async () => {
    expect(await conferencesOf({ administrator: true })).toEqual([other.id, server.conferenceId]);
  });

  test('roles name conferences by id, and unknown ones show nothing', async () => {
    expect(await conferencesOf({ conferences: { [other.id]: 'VIEWER' } })).toEqual([other.id]);
    const unknown = 'conf_00000000000000000000000000000000';
    expect(await conferencesOf({ conferences: { [server.conferenceId]: 'VIEWER', [unknown]: 'ORGANISER' } })).toEqual([
      server.conferenceId,
    ]);
    const organiser = await bearing({ conferences: { [unknown]: 'ORGANISER' } });
    expect(
      await organiser.query(
        `{ conferences { totalCount } purchaseOrders { totalCount } apiKeys { totalCount }
           receivables(conferenceId: "${unknown}") { count } }`,
      ),
    ).toEqual({
      conferences: { totalCount: 0 },
      purchaseOrders: { totalCount: 0 },
      apiKeys: { totalCount: 0 },
      receivables: null,
    });
  });

  test('the role decides what may be done', async () => {
    const order = await createOrder(server);
    const input = { purchaseOrderId: order.id };
    const document =
      'mutation ($input: SendPurchaseOrderInput!) { sendPurchaseOrder(input: $input) { purchaseOrder { status } } }';
    const viewer = await bearing({ conferences: { [server.conferenceId]: 'VIEWER', [other.id]: 'FINANCE' } });
    const before = await databaseState(server);
    const { data, errors } = await viewer.send(document, { input });
    expect(data).toEqual({ sendPurchaseOrder: null });
    expect(errors).toMatchObject([
      {
        message: `This needs the role FINANCE in the conference ${server.conferenceId}.`,
        path: ['sendPurchaseOrder'],
        extensions: { code: 'FORBIDDEN' },
      },
    ]);
    expect(await databaseState(server)).toEqual(before);
    const finance = await bearing({ conferences: { [server.conferenceId]: 'FINANCE' } });
    expect(await finance.query(document, { input })).toEqual({
      sendPurchaseOrder: { purchaseOrder: { status: 'SENT' } },
    });
  });

  test('a buyer sees the one order', async () => {
    const order = await createOrder(server);
    const buyer = await bearing({ purchaseOrder: order.id });
    expect(await buyer.query('{ purchaseOrders { nodes { id notes } } }')).toEqual({
      purchaseOrders: { nodes: [{ id: order.id, notes: null }] },
    });
  });
});

describe('in the audit trail', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['the subject stands for its bearer', {}, 'jwt:ada'],
    [
      'an address that was verified stands beside it',
      { email: 'ada@example.org', email_verified: true, name: 'Ada' },
      'jwt:ada (ada@example.org)',
    ],
    ['another address does not', { email: 'ada@example.org', email_verified: false, name: 'Ada' }, 'jwt:ada (Ada)'],
    ['nor one of which nobody says', { email: 'ada@example.org' }, 'jwt:ada'],
    ['nor one in words', { email: 'ada@example.org', email_verified: 'true' }, 'jwt:ada'],
    ['nor a name that looks like one', { name: 'ceo@example.org' }, 'jwt:ada'],
    ['a name does when there is none', { name: 'Ada\n Lovelace' }, 'jwt:ada (Ada Lovelace)'],
    ['what is no text is left out', { email: 5, email_verified: true, name: { first: 'Ada' } }, 'jwt:ada'],
    ['a long name is cut', { name: 'x'.repeat(500) }, `jwt:ada (${'x'.repeat(100)})`],
    ['nobody passes for a part of the system', { sub: 'system', name: 'quickbooks' }, 'jwt:system (quickbooks)'],
  ])('%s', async (_what, claims, actor) => {
    const order = await createOrder(server);
    const client = await bearing({ conferences: { [server.conferenceId]: 'FINANCE' } }, claims);
    await client.mutate('sendPurchaseOrder', { purchaseOrderId: order.id }, '');
    expect((await auditTrail(server, order.id)).map((event) => event.actor)).toEqual(['bootstrap', actor]);
    const { history } = (
      await server.graphql.query(
        'query ($id: ID!) { purchaseOrder(id: $id) { history(first: 1) { nodes { actor { id name kind } } } } }',
        order,
      )
    ).purchaseOrder;
    expect(history.nodes).toEqual([{ actor: { id: `jwt:${claims.sub ?? 'ada'}`, name: actor, kind: 'USER' } }]);
  });
});

/** Written as ids are. */
const ID = 'conf_0199aa00000070008000000000000000';
const ANOTHER = 'conf_0199bb00000070008000000000000000';

describe('a token that says nothing clear lets nobody in', () => {
  test.each<[string, unknown, Record<string, unknown>]>([
    ['without the claim', undefined, {}],
    ['with an empty claim', {}, {}],
    ['with an unknown role', { conferences: { [ID]: 'OWNER' } }, {}],
    ['with one unknown role among good ones', { conferences: { [ID]: 'VIEWER', [ANOTHER]: 'viewer' } }, {}],
    // `demo` exists, but its slug may be another conference's tomorrow.
    ['with a slug', { conferences: { demo: 'VIEWER' } }, {}],
    ['with a slug among ids', { conferences: { [ID]: 'VIEWER', demo: 'VIEWER' } }, {}],
    ['with a list of conferences', { conferences: ['demo'] }, {}],
    ['with no conference', { conferences: {} }, {}],
    ['with a method of objects for a conference', { conferences: { constructor: 'ORGANISER' } }, {}],
    ['with two kinds of grants', { administrator: true, conferences: { [ID]: 'VIEWER' } }, {}],
    ['with an administrator in words', { administrator: 'true' }, {}],
    ['with an administrator that is none', { administrator: false }, {}],
    ['with something unknown beside', { administrator: true, until: 'Friday' }, {}],
    ['with an end that no calendar has', { administrator: true }, { exp: 1e15 }],
    ['with a subject of two words', { administrator: true }, { sub: 'ada lovelace' }],
    ['with an endless subject', { administrator: true }, { sub: 'x'.repeat(256) }],
  ])('%s', async (_what, grants, claims) => {
    const { status, data, errors } = await (await bearing(grants, claims)).send(CONFERENCES);
    expect([status, data ?? null]).toEqual([401, null]);
    expect(errors).toEqual([
      {
        message: `This token grants nothing here: it needs a "sub" without spaces, and a claim "${GRANTS_CLAIM}" with an administrator, the roles in conferences by their ids, or a purchase order.`,
        extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) },
      },
    ]);
  });

  test('nor one that is not valid, not even to look at the schema', async () => {
    const token = await provider.token({ [GRANTS_CLAIM]: { administrator: true }, aud: 'another-service' });
    const { status, errors } = await new GraphQLClient(server.app.url, token).send('{ __typename }');
    expect(status).toBe(401);
    expect(errors).toMatchObject([
      { message: 'This token is not valid here.', extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });
});

test('a key that is made with a token ends with it', async () => {
  const exp = Math.floor(Date.now() / 1000) + 200;
  const organiser = await bearing({ conferences: { [server.conferenceId]: 'ORGANISER' } }, { exp });
  const input = { name: 'of a token', roles: [{ conferenceId: server.conferenceId, role: 'VIEWER' }] };
  const end = new Date(exp * 1000).toISOString();
  const before = await databaseState(server);
  expect(await organiser.mutate('createApiKey', input, 'secret')).toEqual({
    secret: null,
    userErrors: [
      { code: 'INVALID', message: `Yours ends at ${end}: let the new key end by then.`, path: ['expiresAt'] },
    ],
  });
  expect(await databaseState(server)).toEqual(before);
  const made = await organiser.mutate('createApiKey', { ...input, expiresAt: end }, 'apiKey { createdById expiresAt }');
  expect(made).toEqual({ apiKey: { createdById: 'jwt:ada', expiresAt: end }, userErrors: [] });
});

test('the same words of two bearers are two idempotency keys', async () => {
  const grants = { conferences: { [server.conferenceId]: 'FINANCE' } };
  const input = {
    conferenceId: server.conferenceId,
    organizationName: 'Twice Ltd',
    contactEmail: 'accounts@example.com',
    lineItems: [{ description: 'Ticket', quantity: 1, unitPrice: '1.00' }],
    idempotencyKey: 'the-same-words',
  };
  const ids = [];
  for (const sub of ['ada', 'bob', 'ada']) {
    const client = await bearing(grants, { sub });
    ids.push((await client.mutate('createPurchaseOrder', input, 'purchaseOrder { id }')).purchaseOrder.id);
  }
  expect(ids[1]).not.toBe(ids[0]);
  expect(ids[2]).toBe(ids[0]);
});

test('while the provider is down its tokens cannot be told apart, and API keys go on working', async () => {
  const away = await IdentityProvider.start();
  const token = await away.token({ [GRANTS_CLAIM]: { administrator: true } });
  await away.stop();
  const lonely = await startTestApp({ JWT_JWKS_URL: away.jwksUrl, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
  try {
    const { status, data, errors } = await new GraphQLClient(lonely.app.url, token).send(CONFERENCES);
    expect([status, data ?? null]).toEqual([503, null]);
    expect(errors).toMatchObject([
      {
        message: 'Tokens cannot be checked at the moment; try again. API keys go on working.',
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      },
    ]);
    expect(await lonely.graphql.query(CONFERENCES)).toMatchObject({ conferences: { totalCount: 1 } });
  } finally {
    await lonely.stop();
  }
});
