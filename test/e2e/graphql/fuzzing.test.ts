import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isObjectType,
} from 'graphql';
import { buildGraphQLSchema } from '../../../src/api/graphql/schema.js';
import type { Data } from '../../support/graphql-client.js';
import { hostileValues } from '../../support/hostile-values.js';
import { createOrder } from '../../support/purchase-orders.js';
import { CHANGED, Subscriber } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

/** Of each field. With `FUZZ_RUNS` more, with `FUZZ_SEED` the same ones again; a failure tells its seed. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 12);
/** Of a field with a filter, which has as many inputs as several others. */
const FILTER_RUNS = Math.max(RUNS, 50);
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

jest.setTimeout(RUNS * 10_000);

/** What only a driver, a library or a stack says. */
const DRIVER_WORDS =
  /DriverException|Exception\b|violates|relation "|column "|invalid input|syntax error at|out of range for type|invalid byte sequence|SQLSTATE|kysely|node_modules|\bat \S+\.[jt]s:|Cannot read propert|is not a function|undefined\b.*object/i;

const schema = buildGraphQLSchema();

/** How to come to the fields of a type that have arguments. */
interface Place {
  readonly operation: 'query' | 'mutation' | 'subscription';
  readonly around: (field: string) => string;
}

interface Answer {
  readonly status: number;
  readonly errors?: readonly Data[];
}

let server: TestApp;
let known: string[];
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', onRejection);
  server = await startTestApp({ RATE_LIMIT_PER_MINUTE: '100000000000' });
  const order = await createOrder(server);
  const payment = { purchaseOrderId: order.id, amount: '10.00', method: 'WIRE' };
  const recorded = await server.graphql.mutate('recordPayment', payment, 'payment { id }');
  const { createQboInvoices } = await server.graphql.query(
    'mutation ($id: ID!) { createQboInvoices(input: { purchaseOrderIds: [$id] }) { bulkInvoicing { id } } }',
    { id: order.id },
  );
  const { purchaseOrders } = await server.graphql.query('{ purchaseOrders(first: 1) { pageInfo { endCursor } } }');
  known = [
    server.conferenceId,
    order.id,
    order.reference,
    recorded.payment.id,
    'demo',
    purchaseOrders.pageInfo.endCursor,
    createQboInvoices.bulkInvoicing.id,
    await changeCursor(order.id),
  ];
});

afterAll(async () => {
  await server.stop();
  process.off('unhandledRejection', onRejection);
});

async function changeCursor(id: string): Promise<string> {
  const subscriber = new Subscriber(server.app.url, server.app.apiKey, [CHANGED, { id }]);
  const { cursor } = await subscriber.next();
  subscriber.leave();
  return cursor;
}

function fieldsWithArguments(type: GraphQLNamedType | null | undefined): [string, GraphQLField<unknown, unknown>][] {
  if (!isObjectType(type)) return [];
  return Object.values((type as GraphQLObjectType).getFields())
    .filter(({ args }) => args.length > 0)
    .map((field) => [field.name, field]);
}

function documentOf({ name, args, type }: GraphQLField<unknown, unknown>, { operation, around }: Place): string {
  const declared = args.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  return `${operation} (${declared}) { ${around(`${name}(${given}) ${selectionOf(getNamedType(type))}`)} }`;
}

/** Connections are read, payloads say what they refused. */
function selectionOf(type: GraphQLNamedType): string {
  if (!isCompositeType(type)) return '';
  const fields = isObjectType(type) ? type.getFields() : {};
  const parts = ['__typename'];
  if (fields.nodes) parts.push('nodes { __typename } totalCount pageInfo { endCursor }');
  if (fields.userErrors) parts.push('userErrors { message path }');
  return `{ ${parts.join(' ')} }`;
}

function valuesOf(args: readonly GraphQLArgument[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(args.map(({ name, type }) => [name, hostileValues(type, known)])));
}

/** The first thing that is told. Somebody who is told of nothing but changes is told of this one. */
async function firstOf(query: string, variables: Record<string, unknown>): Promise<Answer> {
  const leaving = new AbortController();
  const response = await fetch(`${server.app.url}/graphql/stream`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.app.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: leaving.signal,
  });
  await server.sql("update purchase_order set notes = 'changed' where id = $1", [known[1]]);
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const [, event] = /^event: next\ndata: (.*)\n\n/m.exec(text) ?? [];
    if (event === undefined) continue;
    leaving.abort();
    return { status: response.status, ...JSON.parse(event) };
  }
  throw new Error(`nothing was told: ${response.status} ${text}`);
}

async function survives(field: GraphQLField<unknown, unknown>, place: Place): Promise<void> {
  const document = documentOf(field, place);
  const property = fc.asyncProperty(valuesOf(field.args), async (variables) => {
    const answer = await (place.operation === 'subscription'
      ? firstOf(document, variables)
      : server.graphql.send(document, variables));
    const codes = (answer.errors ?? []).map(({ extensions }) => extensions.code);
    expect(answer.status).toBeLessThan(500);
    expect(codes).not.toContain('INTERNAL_SERVER_ERROR');
    expect(wordsOfOurs(answer, variables)).not.toMatch(DRIVER_WORDS);
    expect(rejections).toEqual([]);
  });
  const hasFilter = field.args.some(({ name }) => name === 'filter');
  await fc.assert(property, { numRuns: hasFilter ? FILTER_RUNS : RUNS, seed: SEED });
}

/** Messages may repeat what was sent. */
function wordsOfOurs(answer: unknown, variables: Record<string, unknown>): string {
  const texts = new Set<string>();
  JSON.stringify(variables, (_key, value) => {
    if (typeof value === 'string' && value.length > 2) texts.add(JSON.stringify(value).slice(1, -1));
    return value;
  });
  return [...texts].reduce((text, sent) => text.replaceAll(sent, '…'), JSON.stringify(answer));
}

describe('whatever is sent, nothing breaks', () => {
  const query: Place = { operation: 'query', around: (field) => field };
  const mutation: Place = { operation: 'mutation', around: (field) => field };

  test.each(fieldsWithArguments(schema.getQueryType()))('to the query %s', (_name, field) => survives(field, query));

  test.each(fieldsWithArguments(schema.getMutationType()))('to the mutation %s', (_name, field) =>
    survives(field, mutation),
  );

  test.each(fieldsWithArguments(schema.getSubscriptionType()))('to the subscription %s', (_name, field) =>
    survives(field, { operation: 'subscription', around: (inner) => inner }),
  );

  test.each(fieldsWithArguments(schema.getType('BulkInvoicing')))('to %s of a bulk', (_name, field) =>
    survives(field, { operation: 'query', around: (inner) => `bulkInvoicing(id: "${known[6]}") { ${inner} }` }),
  );

  test('or what has arguments is missing here', () => {
    const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
    expect(
      types
        .filter((type) => fieldsWithArguments(type).length > 0)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['BulkInvoicing', 'Conference', 'Mutation', 'PurchaseOrder', 'Query', 'Subscription']);
  });

  test.each(fieldsWithArguments(schema.getType('Conference')))('to %s of a conference', (_name, field) =>
    survives(field, { operation: 'query', around: (inner) => `conference(slug: "demo") { ${inner} }` }),
  );

  test.each(fieldsWithArguments(schema.getType('PurchaseOrder')))('to %s of a purchase order', (_name, field) =>
    survives(field, { operation: 'query', around: (inner) => `purchaseOrder(id: "${known[1]}") { ${inner} }` }),
  );
});
