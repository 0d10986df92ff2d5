import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientWith } from '../../support/api-keys.js';
import { GraphQLClient } from '../../support/graphql-client.js';
import { BOOTSTRAP_KEY, type ProductionApp, startProductionApp } from '../../support/production-app.js';
import { createOrder } from '../../support/purchase-orders.js';
import { createConference } from '../purchase-orders/support.js';

let server: ProductionApp;
let conferenceId: string;
let orderId: string;

/** Starts it with a conference and an order without an invoice, which the examples of the IDE would be about. */
async function start(environment: Record<string, string> = {}): Promise<void> {
  server = await startProductionApp(environment);
  conferenceId = (await createConference(server)).id;
  orderId = (await createOrder({ ...server, conferenceId })).id;
}

function open(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.app.url}${path}`, { headers: { accept: 'text/html', ...headers } });
}

describe('a server in production', () => {
  beforeAll(() => start());

  afterAll(() => server.stop());

  const addresses = ['/graphql', '/graphql/ide/', '/graphql/ide/styles.css', '/graphql/ide/main.js'];

  test.each(addresses)('has no page at %s, with and without a key', async (path) => {
    const answers = [await open(path), await open(path, { authorization: `Bearer ${BOOTSTRAP_KEY}` })];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    for (const answer of answers) {
      expect(answer.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
      expect(Object.keys(JSON.parse(await answer.text()))).toEqual(['errors']);
    }
  });

  const SCHEMA = '{ __schema { queryType { name } types { name } } }';

  test('tells nobody its schema', async () => {
    const { status, data, errors } = await new GraphQLClient(server.app.url, undefined).send(SCHEMA);
    expect([status, data]).toEqual([401, undefined]);
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  test("tells a portal's key no schema, but its order", async () => {
    const portal = await clientWith(server, { purchaseOrderId: orderId });
    const { status, data, errors } = await portal.send(SCHEMA);
    expect([status, data]).toEqual([403, undefined]);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(await portal.query(`{ purchaseOrder(id: "${orderId}") { id } }`)).toEqual({
      purchaseOrder: { id: orderId },
    });
  });

  test('tells its schema to a key with a role', async () => {
    const viewer = await clientWith(server, { roles: [{ conferenceId, role: 'VIEWER' }] });
    const { __schema } = await viewer.query(SCHEMA);
    expect(__schema.queryType).toEqual({ name: 'Query' });
    expect(__schema.types).toContainEqual({ name: 'PurchaseOrder' });
  });

  test('runs no simulator', async () => {
    const ready = await open('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ simulators: {} })]);
    expect(server.app.simulators).toEqual({ quickbooks: undefined, stripe: undefined });
  });
});

describe('a server in production with GRAPHQL_IDE=true', () => {
  beforeAll(() => start({ GRAPHQL_IDE: 'true' }));

  afterAll(() => server.stop());

  test('has a page, in which there is no key and nothing of what is stored', async () => {
    const page = await open('/graphql');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    expect(html).toContain('<your API key>');
    expect(html).toContain('<id of a purchase order>');
    for (const kept of [BOOTSTRAP_KEY, conferenceId, orderId]) expect(html).not.toContain(kept);
    expect((await open('/graphql/ide/styles.css')).status).toBe(200);
  });

  test('has nobody read the schema or orders without a key for that', async () => {
    const nobody = new GraphQLClient(server.app.url, undefined);
    for (const document of ['{ __schema { queryType { name } } }', '{ purchaseOrders { totalCount } }']) {
      expect(await nobody.send(document)).toMatchObject({ status: 401 });
    }
  });
});
