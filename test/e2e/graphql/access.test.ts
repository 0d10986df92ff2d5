import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { everything } from '../purchase-orders/support.js';

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));

/** A value that the schema accepts, so that nothing but the missing key can be the reason for a refusal. */
function exampleOf(type: GraphQLInputType): string {
  const plain = getNullableType(type);
  if (isListType(plain)) return `[${exampleOf(plain.ofType)}]`;
  if (isEnumType(plain)) return String(plain.getValues()[0]?.name);
  if (isInputObjectType(plain)) {
    const fields = Object.values(plain.getFields()).filter(isRequiredInputField);
    return `{ ${fields.map((field) => `${field.name}: ${exampleOf(field.type)}`).join(', ')} }`;
  }
  const examples: Record<string, string> = { Int: '1', Decimal: '"1.00"', Date: '"2026-11-02"', Boolean: 'true' };
  return examples[plain.name] ?? '"conf_1"';
}

function documentOf(operation: string, field: GraphQLField<unknown, unknown>): string {
  const args = field.args.filter(isRequiredArgument).map((arg) => `${arg.name}: ${exampleOf(arg.type)}`);
  const selection = isCompositeType(getNamedType(field.type)) ? '{ __typename }' : '';
  return `${operation} { ${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${selection} }`;
}

const rootFields = [
  ...Object.values(schema.getQueryType()?.getFields() ?? {}).map((field) => ['query', field] as const),
  ...Object.values(schema.getMutationType()?.getFields() ?? {}).map((field) => ['mutation', field] as const),
].map(([operation, field]) => [field.name, documentOf(operation, field), isNonNullType(field.type)] as const);

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

/** The answer to someone without a valid key; fails when anything was changed. */
async function refused(document: string, key?: string): Promise<void> {
  const before = await everything(server);
  const { status, data, errors } = await new GraphQLClient(server.app.url, key).send(document);
  expect(status).toBe(401);
  expect(data ?? null).toBeNull();
  expect(errors).toEqual([
    {
      message:
        'Send a valid API key: "Authorization: Bearer <key>". None came, or one that is unknown, revoked or expired.',
      extensions: { code: 'UNAUTHENTICATED', requestId: expect.stringMatching(/^[\w.-]{8,100}$/) },
    },
  ]);
  expect(await everything(server)).toEqual(before);
}

describe('W-C14: without a key nothing is answered and nothing is done', () => {
  test('every query and mutation of the schema is tried', () => {
    expect(rootFields.length).toBeGreaterThanOrEqual(15);
  });

  test.each(rootFields)('%s', async (_name, document) => {
    await refused(document);
  });

  test('nor with a wrong one', async () => {
    const document = '{ conferences { totalCount } }';
    await refused(document, 'test-bootstrap-key-0123456780');
    await refused(document, 'test-bootstrap-key-012345678');
    await refused(document, 'TEST-BOOTSTRAP-KEY-0123456789');
    await refused(document, "' or '1'='1");
    await refused(document, 'x'.repeat(500));
  });

  test('nor as part of a document that begins with introspection', async () => {
    await refused('{ __typename conferences { totalCount } }');
    await refused('{ ... on Query { conferences { totalCount } } }');
    await refused('fragment F on Query { conferences { totalCount } } query { ...F }');
  });

  test('an order cannot be found by its id or reference', async () => {
    const order = await createOrder(server);
    await refused(`{ node(id: "${order.id}") { id } }`);
    await refused(`{ purchaseOrder(reference: "${order.reference}") { id } }`);
  });
});

test('in development the schema may be looked at without a key', async () => {
  const { status, data, errors } = await new GraphQLClient(server.app.url, undefined).send(
    '{ __typename __schema { queryType { name } } __type(name: "Money") { name } }',
  );
  expect(errors).toBeUndefined();
  expect(status).toBe(200);
  expect(data).toEqual({
    __typename: 'Query',
    __schema: { queryType: { name: 'Query' } },
    __type: { name: 'Money' },
  });
});

test('a revoked key stops working at once', async () => {
  // SHA-256 of "a-second-key-of-somebody".
  await server.sql(
    `insert into api_key (id, name, key_hash, prefix, kind, created_by, created_by_id, created_at)
     values ('key_second', 'second', encode(sha256('a-second-key-of-somebody'), 'hex'), '', 'ADMINISTRATOR', 'test', 'test', now())`,
  );
  const client = new GraphQLClient(server.app.url, 'a-second-key-of-somebody');
  expect(await client.query('{ conferences { totalCount } }')).toEqual({ conferences: { totalCount: 1 } });
  await server.sql("update api_key set revoked_at = now() where id = 'key_second'");
  await refused('{ conferences { totalCount } }', 'a-second-key-of-somebody');
});

test('W-C19: the audit trail names the key that was used', async () => {
  await server.sql(
    `insert into api_key (id, name, key_hash, prefix, kind, created_by, created_by_id, created_at)
     values ('key_ada', 'ada', encode(sha256('the-key-of-ada-lovelace'), 'hex'), '', 'ADMINISTRATOR', 'test', 'test', now())`,
  );
  const order = await createOrder(server);
  const ada = new GraphQLClient(server.app.url, 'the-key-of-ada-lovelace');
  await ada.mutate('sendPurchaseOrder', { purchaseOrderId: order.id }, 'purchaseOrder { id }');
  const trail = await server.sql<{ actor: string }>('select actor from audit_event where subject = $1 order by id', [
    order.id,
  ]);
  expect(trail.map(({ actor }) => actor)).toEqual(['bootstrap', 'ada']);
});

test('two keys do not share idempotency keys', async () => {
  await server.sql(
    `insert into api_key (id, name, key_hash, prefix, kind, created_by, created_by_id, created_at)
     values ('key_bob', 'bob', encode(sha256('the-key-of-bob-the-builder'), 'hex'), '', 'ADMINISTRATOR', 'test', 'test', now())`,
  );
  const bob = new GraphQLClient(server.app.url, 'the-key-of-bob-the-builder');
  const input = { name: 'PyCon', currencyCode: 'USD', idempotencyKey: 'shared-words' };
  const mine: Data = await server.graphql.mutate('createConference', { ...input, slug: 'mine' }, 'conference { slug }');
  const his: Data = await bob.mutate('createConference', { ...input, slug: 'his' }, 'conference { slug }');
  expect([mine.conference.slug, his.conference.slug]).toEqual(['mine', 'his']);
});

test('no key is stored or shown as it is', async () => {
  const rows = await server.sql<{ key_hash: string }>('select * from api_key');
  expect(JSON.stringify(rows)).not.toContain('test-bootstrap-key');
  expect(rows.every(({ key_hash }) => /^[0-9a-f]{64}$/.test(key_hash))).toBe(true);
});

test('health and metrics need no key and tell nothing of orders', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    const response = await fetch(`${server.app.url}${path}`);
    expect(response.status).toBe(200);
    expect(await response.text()).not.toMatch(/po_|PO-[A-Z0-9]{6}|Acme/);
  }
});
