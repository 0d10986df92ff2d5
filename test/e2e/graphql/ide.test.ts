import { once } from 'node:events';
import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ExampleOperation, exampleOperations } from '../../../src/api/graphql/ide-examples.js';
import { findExampleIds } from '../../../src/application/queries/example-ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { Subscriber } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createConference } from '../purchase-orders/support.js';

const KEY = 'test-bootstrap-key-0123456789';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

async function page(headers: Record<string, string> = {}): Promise<string> {
  const request = get(`${server.app.url}/graphql`, { headers: { accept: 'text/html', ...headers } });
  const [response] = await once(request, 'response');
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toContain('text/html');
  expect(response.headers['cache-control']).toBe('no-store');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the IDE in development', () => {
  test('knows the development key for a browser on this machine', async () => {
    expect(await page()).toContain(`Bearer ${KEY}`);
  });

  test('does not tell the key to a page of another name', async () => {
    const html = await page({ host: 'evil.example' });
    expect(html).not.toContain(KEY);
    expect(html).toContain('<your API key>');
  });

  test('takes every script and stylesheet from this server', async () => {
    const html = await page();
    const base = /<base href="([^"]+)"/.exec(html)?.[1] ?? '/graphql';
    const references = [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map((match) =>
      String(match[1]),
    );
    expect(references.length).toBeGreaterThan(2);
    for (const reference of references) {
      const url = new URL(reference, new URL(base, server.app.url));
      expect(url.origin).toBe(server.app.url);
      const response = await fetch(url);
      expect([reference, response.status]).toEqual([reference, 200]);
      expect(response.headers.get('content-type')).not.toContain('text/html');
      await response.arrayBuffer();
    }
  });

  test('names no other host', async () => {
    const hosts = [...(await page()).matchAll(/\b(?:https?:)?\/\/([\w.-]+\.[a-z]{2,})\b/g)].map((match) => match[1]);
    expect(hosts).toEqual([]);
  });

  test('is not served to programs', async () => {
    for (const accept of ['*/*', 'application/json', 'application/graphql-response+json']) {
      const response = await fetch(`${server.app.url}/graphql`, { headers: { accept } });
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain(KEY);
    }
  });
});

async function watch(query: string, variables: Record<string, unknown>): Promise<void> {
  const subscriber = new Subscriber(server.app.url, KEY, [query, variables]);
  const { data } = await subscriber.nextResult();
  expect(data.purchaseOrderChanged.purchaseOrder.reference).toMatch(/^PO-/);
  subscriber.leave();
}

/** Those that an order with an invoice and money would refuse are about another one. */
const ABOUT_OTHERS = ['Invoice many at once', 'A credit note', 'Cancel it'];

async function examplesAbout(purchaseOrderId: string): Promise<ExampleOperation[]> {
  const { conferenceId } = server;
  const examples = exampleOperations({ conferenceId, purchaseOrderId });
  for (const name of ABOUT_OTHERS) {
    const index = examples.findIndex((example) => example.name === name);
    const { id } = await createOrder(server);
    examples.splice(index, 1, ...exampleOperations({ conferenceId, purchaseOrderId: id }).slice(index, index + 1));
  }
  return examples;
}

test('the examples of the IDE run one after the other without errors on a new server', async () => {
  const [row] = await server.sql<{ id: string }>('select id from purchase_order');
  const html = await page();
  expect(html).toContain(String(row?.id));
  let bulkId: string | undefined;
  for (const { name, query, variables } of await examplesAbout(String(row?.id))) {
    if (query.includes('subscription Watch(')) {
      await watch(query, variables);
      continue;
    }
    if (name === 'What came of them?') variables.id = bulkId;
    const { status, data, errors } = await server.graphql.send(query, variables);
    bulkId ??= data?.createQboInvoices?.bulkInvoicing.id;
    expect([name, status, errors]).toEqual([name, 200, undefined]);
    const payloads = Object.values(data).filter((value): value is Data => Array.isArray((value as Data)?.userErrors));
    expect([name, payloads.flatMap(({ userErrors }) => userErrors)]).toEqual([name, []]);
  }
  expect(await server.graphql.query(`{ bulkInvoicing(id: "${bulkId}") { total } }`)).toEqual({
    bulkInvoicing: { total: 1 },
  });
  const { purchaseOrder } = await server.graphql.query(
    `{ purchaseOrder(id: "${row?.id}") { status invoice { provider status } qboInvoice { status emailStatus } } }`,
  );
  expect(purchaseOrder).toEqual({
    status: 'PARTIALLY_PAID',
    invoice: { provider: 'STRIPE', status: 'OPEN' },
    qboInvoice: { status: 'VOIDED', emailStatus: 'SENT' },
  });
});

test('the examples take the newest order without an invoice, else the first conference alone', async () => {
  const app = await startTestApp();
  const [database] = await app.sql<{ name: string }>('select current_database() as name');
  const orm = await openOrm(new URL(`/${database?.name}`, process.env.TEST_SERVER_URL).href);
  const [order] = await app.sql<{ id: string }>('select id from purchase_order');
  await createConference(app);
  expect(await findExampleIds(orm.em.fork())).toEqual({ conferenceId: app.conferenceId, purchaseOrderId: order?.id });
  await app.graphql.mutate('createQboInvoice', { purchaseOrderId: order?.id }, 'purchaseOrder { id }');
  expect(await findExampleIds(orm.em.fork())).toEqual({ conferenceId: app.conferenceId });
  await orm.close();
  await app.stop();
});
