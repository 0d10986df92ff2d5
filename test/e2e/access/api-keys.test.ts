import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { clientWith, makeKey } from '../../support/api-keys.js';
import { databaseState } from '../../support/database-state.js';
import { eventually } from '../../support/eventually.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, createConference } from '../purchase-orders/support.js';

let server: TestApp;
/** The conference of `organiser`, and another one where it is only a viewer. */
let own: string;
let other: string;
let organiser: GraphQLClient;

beforeAll(async () => {
  server = await startTestApp();
  own = (await createConference(server)).id;
  other = (await createConference(server)).id;
  const roles = [
    { conferenceId: own, role: 'ORGANISER' },
    { conferenceId: other, role: 'VIEWER' },
  ];
  organiser = await clientWith(server, { roles });
});

afterAll(() => server.stop());

const ANYTHING = '{ conferences { totalCount } }';
const bearing = (secret: string) => new GraphQLClient(server.app.url, secret);
const statusOf = async (secret: string) => (await bearing(secret).send(ANYTHING)).status;
const viewerOf = (conferenceId: string) => ({ roles: [{ conferenceId, role: 'VIEWER' }] });

async function create(client: GraphQLClient, input: Record<string, unknown>): Promise<Data> {
  return client.mutate('createApiKey', input, 'apiKey { id } secret');
}

async function revoke(client: GraphQLClient, apiKeyId: string): Promise<Data> {
  return client.mutate('revokeApiKey', { apiKeyId }, 'apiKey { id revokedAt }');
}

async function keysOf(client: GraphQLClient): Promise<Data> {
  return (await client.query('{ apiKeys(first: 100) { totalCount nodes { id name } } }')).apiKeys;
}

/** What is refused in any way leaves no trace. */
async function unchanged<T>(work: () => Promise<T>): Promise<T> {
  const before = await databaseState(server);
  const result = await work();
  expect(await databaseState(server)).toEqual(before);
  return result;
}

describe('a key that is made', () => {
  test('says what it grants, who made it and how it begins', async () => {
    const expiresAt = '2100-01-02T03:04:05.000Z';
    const input = { name: 'books', expiresAt, roles: [{ conferenceId: own, role: 'FINANCE' }] };
    const fields =
      'id name prefix administrator roles { role endedAt conference { id } } purchaseOrder { id } createdBy createdById createdAt expiresAt revokedAt lastUsedAt';
    const { apiKey, secret, userErrors } = await server.graphql.mutate(
      'createApiKey',
      input,
      `secret apiKey { ${fields} }`,
    );
    expect(userErrors).toEqual([]);
    expect(secret).toMatch(/^ci_[\w-]{43}$/);
    const [bootstrap] = await server.sql<{ id: string }>("select id from api_key where name = 'bootstrap'");
    expect(apiKey).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      name: 'books',
      prefix: secret.slice(0, 11),
      administrator: false,
      roles: [{ role: 'FINANCE', endedAt: null, conference: { id: own } }],
      purchaseOrder: null,
      createdBy: 'bootstrap',
      createdById: bootstrap?.id,
      createdAt: expect.any(String),
      expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    });
    expect(await server.graphql.query(`{ node(id: "${apiKey.id}") { ... on ApiKey { ${fields} } } }`)).toEqual({
      node: apiKey,
    });
  });

  test('is shown this once and stored nowhere, and the trail tells of it without it', async () => {
    const { id, secret } = await makeKey(server, viewerOf(own), { name: 'told' });
    const tables = await server.sql<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    for (const { name } of tables) {
      const [found] = await server.sql(`select 1 from "${name}" t where to_jsonb(t)::text like '%' || $1 || '%'`, [
        secret.slice(12),
      ]);
      expect(found).toBeUndefined();
    }
    expect(await auditTrail(server, id)).toEqual([
      {
        actor: 'bootstrap',
        action: 'api_key.created',
        before: null,
        after: {
          name: 'told',
          prefix: secret.slice(0, 11),
          kind: 'ROLES',
          roles: [{ role: 'VIEWER', conferenceId: own }],
          purchaseOrderId: null,
          expiresAt: null,
        },
      },
    ]);
  });

  test('can be an administrator’s, who can then do everything', async () => {
    const client = await clientWith(server, { administrator: true });
    expect((await create(client, { name: 'by an administrator', administrator: true })).userErrors).toEqual([]);
  });

  test('can be a buyer portal’s, which sees the one order', async () => {
    const order = await createOrder(server);
    const client = await clientWith(server, { purchaseOrderId: order.id });
    expect(await client.query('{ purchaseOrders { totalCount nodes { id } } }')).toEqual({
      purchaseOrders: { totalCount: 1, nodes: [{ id: order.id }] },
    });
    const keys = await server.graphql.query('{ apiKeys(first: 1) { nodes { purchaseOrder { id } roles { role } } } }');
    expect(keys.apiKeys.nodes).toEqual([{ purchaseOrder: { id: order.id }, roles: [] }]);
  });
});

describe('a key is not made', () => {
  const both = () => ({ administrator: true, ...viewerOf(own) });
  test.each([
    ['without a grant', () => ({}), []],
    ['with an empty list of roles', () => ({ roles: [] }), []],
    ['as an administrator that is none', () => ({ administrator: false }), []],
    ['with two kinds of grants', both, []],
    [
      'with two roles in one conference',
      () => ({ roles: [...viewerOf(own).roles, ...viewerOf(own).roles] }),
      ['roles'],
    ],
    ['for the past', () => ({ ...viewerOf(own), expiresAt: '2020-01-01T00:00:00Z' }), ['expiresAt']],
    ['without a name', () => ({ ...viewerOf(own), name: '  ' }), ['name']],
    ['under a name of two lines', () => ({ ...viewerOf(own), name: 'a\nb' }), ['name']],
    ['under the name of a part of the system', () => ({ ...viewerOf(own), name: 'QuickBooks' }), ['name']],
    ['under the name of the configured key', () => ({ ...viewerOf(own), name: 'Bootstrap' }), ['name']],
    ['under a name like those of tokens', () => ({ ...viewerOf(own), name: 'jwt:ada' }), ['name']],
  ])('%s', async (_what, input, path) => {
    const payload = await unchanged(() => create(server.graphql, { name: 'refused', ...input() }));
    expect(payload).toMatchObject({ apiKey: null, secret: null, userErrors: [{ code: 'INVALID', path }] });
    expect(payload.userErrors).toHaveLength(1);
  });
});

test('names are no secrets that the refusal of one could tell: several keys may have the same', async () => {
  const { id, name } = await makeKey(server, viewerOf(server.conferenceId));
  const { apiKey, userErrors } = await create(organiser, { name, ...viewerOf(own) });
  expect(userErrors).toEqual([]);
  expect(apiKey.id).not.toBe(id);
});

describe('nobody grants what is not theirs', () => {
  test('an organiser makes keys of every role in the own conference', async () => {
    for (const role of ['VIEWER', 'FINANCE', 'ORGANISER']) {
      const made = await create(organiser, { name: `own ${role}`, roles: [{ conferenceId: own, role }] });
      expect(made.userErrors).toEqual([]);
    }
  });

  test.each([
    ['an administrator', () => ({ administrator: true })],
    ['a role where it is only a viewer', () => viewerOf(other)],
    ['such a role beside one of its own', () => ({ roles: [...viewerOf(own).roles, ...viewerOf(other).roles] })],
  ])('but not %s', async (_what, grants) => {
    const document = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
    const { data, errors } = await unchanged(() =>
      organiser.send(document, { input: { name: 'escalation', ...grants() } }),
    );
    expect(data).toEqual({ createApiKey: null });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  });

  test('nor a role in a conference, or a look at an order, that it does not see', async () => {
    const hidden = await createOrder(server);
    const inputs = [
      { roles: [...viewerOf(own).roles, ...viewerOf(server.conferenceId).roles] },
      { roles: [...viewerOf(own).roles, ...viewerOf('conf_unknown').roles] },
      { purchaseOrderId: hidden.id },
      { purchaseOrderId: 'po_unknown' },
    ];
    const refusals = [];
    for (const input of inputs) {
      refusals.push((await unchanged(() => create(organiser, { name: 'hidden', ...input }))).userErrors);
    }
    expect(refusals[0]).toMatchObject([{ code: 'NOT_FOUND', path: ['roles', '1', 'conferenceId'] }]);
    expect(refusals[1]).toEqual(refusals[0]);
    expect(refusals[2]).toMatchObject([{ code: 'NOT_FOUND', path: ['purchaseOrderId'] }]);
    expect(refusals[3]).toEqual(refusals[2]);
  });
});

describe('an organiser manages the keys that grant something in its own conferences', () => {
  test('the others are as good as unknown', async () => {
    const order = await createOrder({ ...server, conferenceId: own });
    const mine = [await makeKey(server, viewerOf(own)), await makeKey(server, { purchaseOrderId: order.id })];
    const foreign = [
      await makeKey(server, { administrator: true }),
      await makeKey(server, viewerOf(other)),
      await makeKey(server, { purchaseOrderId: (await createOrder(server)).id }),
    ];
    const { totalCount, nodes } = await keysOf(organiser);
    const ids = nodes.map(({ id }: Data) => id);
    expect(ids).toEqual(expect.arrayContaining(mine.map(({ id }) => id)));
    expect(totalCount).toBe(ids.length);
    const unknown = await revoke(organiser, 'key_unknown');
    expect(unknown).toMatchObject({ apiKey: null, userErrors: [{ code: 'NOT_FOUND', path: ['apiKeyId'] }] });
    for (const { id } of foreign) {
      expect(ids).not.toContain(id);
      expect(await organiser.query(`{ node(id: "${id}") { id } }`)).toEqual({ node: null });
      expect(await unchanged(() => revoke(organiser, id))).toEqual(unknown);
    }
    for (const { id } of mine) expect((await revoke(organiser, id)).userErrors).toEqual([]);
  });

  test('of one with roles elsewhere it sees and ends its own part, and the last one to end a part ends the key', async () => {
    const { id, secret } = await makeKey(server, { roles: [...viewerOf(own).roles, ...viewerOf(other).roles] });
    const bearer = bearing(secret);
    const conferences = async () => (await bearer.query('{ conferences { nodes { id } } }')).conferences.nodes;
    const FIELDS = 'revokedAt roles { role endedAt conference { id } }';
    const seenBy = async (client: GraphQLClient) =>
      (await client.query(`{ node(id: "${id}") { ... on ApiKey { ${FIELDS} } } }`)).node;
    const end = (client: GraphQLClient) =>
      client.mutate('revokeApiKey', { apiKeyId: id }, `ended apiKey { ${FIELDS} }`);
    const role = (conferenceId: string, endedAt: unknown) => ({
      role: 'VIEWER',
      endedAt,
      conference: { id: conferenceId },
    });
    const time = expect.any(String);
    expect((await keysOf(organiser)).nodes.map((node: Data) => node.id)).toContain(id);
    expect(await seenBy(organiser)).toEqual({ revokedAt: null, roles: [role(own, null)] });

    const first = await end(organiser);
    expect(first).toEqual({ ended: 1, apiKey: { revokedAt: null, roles: [role(own, time)] }, userErrors: [] });
    expect(await conferences()).toEqual([{ id: other }]);
    expect(await unchanged(() => end(organiser))).toEqual({ ...first, ended: 0 });

    const others = await clientWith(server, { roles: [{ conferenceId: other, role: 'ORGANISER' }] });
    expect(await end(others)).toEqual({
      ended: 1,
      apiKey: { revokedAt: time, roles: [role(other, time)] },
      userErrors: [],
    });
    expect(await statusOf(secret)).toBe(401);
    expect((await seenBy(server.graphql)).roles).toEqual([role(own, time), role(other, time)]);
    expect(await auditTrail(server, id)).toMatchObject([
      { action: 'api_key.created' },
      { action: 'api_key.roles_ended', after: { conferences: [own] } },
      { action: 'api_key.revoked', after: { conferences: [other] } },
    ]);
  });
});

describe('a key stops working', () => {
  test('at once when it is revoked, and for good', async () => {
    const { id, secret } = await makeKey(server, viewerOf(own));
    expect(await statusOf(secret)).toBe(200);
    const first = await revoke(server.graphql, id);
    expect(first).toEqual({ apiKey: { id, revokedAt: expect.any(String) }, userErrors: [] });
    expect(await statusOf(secret)).toBe(401);
    // Revoking it again changes nothing.
    expect(await unchanged(() => revoke(server.graphql, id))).toEqual(first);
    const trail = await auditTrail(server, id);
    expect(trail.map(({ action }) => action)).toEqual(['api_key.created', 'api_key.revoked']);
    expect(JSON.stringify(trail)).not.toContain(secret.slice(12));
  });

  test('when its time is over', async () => {
    const { id, secret } = await makeKey(server, viewerOf(own), { expiresAt: '2100-01-01T00:00:00Z' });
    expect(await statusOf(secret)).toBe(200);
    await server.sql("update api_key set expires_at = now() - interval '1 second' where id = $1", [id]);
    expect(await statusOf(secret)).toBe(401);
  });
});

describe('a key does not outlive what made it', () => {
  const SOON = '2100-01-01T00:00:00.000Z';
  const bearingOrganiser = async (more: Record<string, unknown> = {}) => {
    const key = await makeKey(server, { roles: [{ conferenceId: own, role: 'ORGANISER' }] }, more);
    return { ...key, client: bearing(key.secret) };
  };

  test('it ends by then, or is not made', async () => {
    const { client } = await bearingOrganiser({ expiresAt: SOON });
    for (const expiresAt of [undefined, null, '2100-01-01T00:00:00.001Z']) {
      const { apiKey, userErrors } = await unchanged(() => create(client, { ...viewerOf(own), name: 'x', expiresAt }));
      expect(apiKey).toBeNull();
      expect(userErrors).toEqual([
        { code: 'INVALID', message: `Yours ends at ${SOON}: let the new key end by then.`, path: ['expiresAt'] },
      ]);
    }
    const made = await create(client, { ...viewerOf(own), name: 'x', expiresAt: SOON });
    expect(made.userErrors).toEqual([]);
  });

  test('whoever revokes a key may end those that were made with it, and with those', async () => {
    const first = await bearingOrganiser();
    const second = await create(first.client, { name: 'second', roles: [{ conferenceId: own, role: 'ORGANISER' }] });
    const third = await create(bearing(second.secret), { name: 'third', ...viewerOf(own) });
    const another = await makeKey(server, viewerOf(own));
    const alone = await create(first.client, { name: 'alone', ...viewerOf(own) });
    expect(await server.graphql.mutate('revokeApiKey', { apiKeyId: alone.apiKey.id }, 'ended')).toMatchObject({
      ended: 1,
    });
    expect(await server.graphql.mutate('revokeApiKey', { apiKeyId: first.id }, 'ended')).toMatchObject({ ended: 1 });
    expect([await statusOf(first.secret), await statusOf(second.secret), await statusOf(third.secret)]).toEqual([
      401, 200, 200,
    ]);
    const all = { apiKeyId: first.id, descendants: true };
    expect(await organiser.mutate('revokeApiKey', all, 'ended')).toEqual({ ended: 2, userErrors: [] });
    expect([await statusOf(second.secret), await statusOf(third.secret), await statusOf(another.secret)]).toEqual([
      401, 401, 200,
    ]);
    for (const { id } of [second.apiKey, third.apiKey]) {
      expect((await auditTrail(server, id)).map(({ action }) => action)).toEqual([
        'api_key.created',
        'api_key.revoked',
      ]);
    }
    expect(await unchanged(() => organiser.mutate('revokeApiKey', all, 'ended'))).toEqual({ ended: 0, userErrors: [] });
  });
});

describe('when a key was last used', () => {
  const lastUsed = async (id: string) => {
    const [row] = await server.sql<{ last_used_at: Date | null }>('select last_used_at from api_key where id = $1', [
      id,
    ]);
    return row?.last_used_at ?? null;
  };

  test('is written down once in a minute', async () => {
    const { id, secret } = await makeKey(server, viewerOf(own));
    expect(await lastUsed(id)).toBeNull();
    expect(await statusOf(secret)).toBe(200);
    await eventually(
      () => lastUsed(id),
      (time) => time !== null,
    );
    await server.sql("update api_key set last_used_at = now() - interval '30 seconds' where id = $1", [id]);
    const recent = await lastUsed(id);
    for (let count = 0; count < 5; count++) await statusOf(secret);
    expect(await lastUsed(id)).toEqual(recent);
    await server.sql("update api_key set last_used_at = now() - interval '61 seconds' where id = $1", [id]);
    const old = await lastUsed(id);
    expect(await statusOf(secret)).toBe(200);
    await eventually(
      () => lastUsed(id),
      (time) => time !== null && old !== null && time > old,
    );
  });

  test('is not waited for', async () => {
    const { id, secret } = await makeKey(server, viewerOf(own));
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select from api_key where id = $1 for update', [id]);
      expect(await statusOf(secret)).toBe(200);
      expect(await lastUsed(id)).toBeNull();
    } finally {
      await client.end();
    }
  });
});

describe('the database itself refuses', () => {
  const insertKey = (kind: string, purchaseOrderId: string | null) =>
    server.sql(
      `insert into api_key (id, name, key_hash, prefix, kind, purchase_order_id, created_by, created_by_id, created_at)
       values ('key_sql', 'sql', 'hash', '', $1, $2, 'test', 'key_test', now())`,
      [kind, purchaseOrderId],
    );

  test.each([
    ['a kind of grant that there is not', 'EVERYTHING', null, 'api_key_kind_check'],
    ['a look at an order without the order', 'PURCHASE_ORDER', null, 'api_key_purchase_order_check'],
    ['an administrator with an order', 'ADMINISTRATOR', 'po_1', 'api_key_purchase_order_check'],
    ['roles with an order', 'ROLES', 'po_1', 'api_key_purchase_order_check'],
    ['a look at an unknown order', 'PURCHASE_ORDER', 'po_1', 'api_key_purchase_order_id_foreign'],
  ])('%s', async (_what, kind, order, constraint) => {
    await unchanged(async () => expect(insertKey(kind, order)).rejects.toThrow(constraint));
  });

  test('roles of a key that grants something else, two in one conference, and changes of grants', async () => {
    const administrator = await makeKey(server, { administrator: true });
    const viewer = await makeKey(server, viewerOf(own));
    const insertRole = (key: string, conference: string) =>
      server.sql("insert into api_key_role (api_key_id, conference_id, role) values ($1, $2, 'ORGANISER')", [
        key,
        conference,
      ]);
    await revoke(server.graphql, administrator.id);
    await revoke(server.graphql, (await makeKey(server, viewerOf(own))).id);
    await unchanged(async () => {
      await expect(insertRole(administrator.id, own)).rejects.toThrow('only an API key of the kind ROLES has roles');
      await expect(insertRole(viewer.id, own)).rejects.toThrow('api_key_role_pkey');
      await expect(insertRole(viewer.id, 'conf_unknown')).rejects.toThrow('api_key_role_conference_id_foreign');
      const never = 'what an API key grants never changes';
      await expect(server.sql("update api_key_role set role = 'ORGANISER'")).rejects.toThrow(never);
      const revive = 'update api_key_role set ended_at = null where ended_at is not null';
      await expect(server.sql(revive)).rejects.toThrow(never);
      await expect(server.sql('delete from api_key_role')).rejects.toThrow(never);
      await expect(server.sql("update api_key set kind = 'ADMINISTRATOR' where kind = 'ROLES'")).rejects.toThrow(never);
      await expect(server.sql('update api_key set revoked_at = null')).rejects.toThrow(
        'a revoked API key stays revoked',
      );
    });
  });
});
