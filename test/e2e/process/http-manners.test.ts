import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type HttpServer, startHttpServer } from '../../../src/api/http-server.js';
import type { Data } from '../../support/graphql-client.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { everything } from '../purchase-orders/support.js';

const KEY = 'Bearer test-bootstrap-key-0123456789';
const PAGE = 'https://app.example.com';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp({ CORS_ORIGINS: PAGE });
});

afterAll(() => server.stop());

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.app.url}${path}`, init);
}

/** Sends bytes to GraphQL as they are; fails when anything was changed. */
async function send(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Data }> {
  const before = await everything(server);
  const response = await ask('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: KEY, ...headers },
    body,
  });
  expect(await everything(server)).toEqual(before);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

function refusal(code: string, message: unknown = expect.any(String)) {
  return { errors: [{ message, extensions: { code, requestId: expect.any(String) } }] };
}

const CANCEL = 'mutation ($id: ID!) { cancelPurchaseOrder(input: { purchaseOrderId: $id }) { userErrors { code } } }';

describe('every answer', () => {
  test.each(['/healthz', '/metrics', '/nothing', '/graphql', '/webhooks/qbo'])(
    'of %s tells browsers to be careful',
    async (path) => {
      const { headers } = await ask(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age='),
      });
      expect(headers.has('x-powered-by')).toBe(false);
    },
  );

  test('of GraphQL is not to be stored', async () => {
    expect((await ask('/graphql')).headers.get('cache-control')).toBe('no-store');
  });

  test('but the page of the IDE allows nothing from elsewhere', async () => {
    for (const path of ['/graphql', '/graphql/ide/styles.css']) {
      const policy = (await ask(path, { headers: { accept: 'text/html' } })).headers.get('content-security-policy');
      expect(policy).toContain("default-src 'self';script-src 'self'");
      expect(policy).not.toContain('http');
    }
  });
});

describe('a page of another origin', () => {
  function preflight(origin: string): Promise<Response> {
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    return ask('/graphql', { method: 'OPTIONS', headers });
  }

  test('may call when it is listed', async () => {
    const { status, headers } = await preflight(PAGE);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const answer = await ask('/graphql', {
      method: 'POST',
      headers: { origin: PAGE, 'content-type': 'application/json', authorization: KEY },
      body: '{"query":"{ __typename }"}',
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(answer.headers.get('access-control-expose-headers')).toBe('retry-after,x-request-id');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  test.each(['https://evil.example', 'http://app.example.com', 'https://app.example.com.evil.example', 'null'])(
    'may not when it is %s',
    async (origin) => {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  test('has no business with webhooks and health', async () => {
    for (const path of ['/webhooks/qbo', '/healthz']) {
      const { headers } = await ask(path, { headers: { origin: PAGE } });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('a method or a type that is none of GraphQL', () => {
  test.each(['PUT', 'PATCH', 'DELETE'])('%s is 405', async (method) => {
    const response = await ask('/graphql', { method, headers: { authorization: KEY } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST');
    expect(JSON.parse(await response.text())).toEqual(
      refusal('BAD_REQUEST', 'Send operations with POST; queries may come with GET.'),
    );
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
    'application/jsonx',
  ])('%s is 415', async (type) => {
    const [order] = await server.sql<{ id: string }>('select id from purchase_order');
    const body = JSON.stringify({ query: CANCEL, variables: { id: order?.id } });
    expect(await send(body, { 'content-type': type })).toEqual({ status: 415, body: refusal('BAD_REQUEST') });
  });

  test('a query may come with GET from a program, a mutation may not', async () => {
    const headers = { authorization: KEY, 'apollo-require-preflight': '1' };
    const query = await ask(`/graphql?query=${encodeURIComponent('{ conferences { totalCount } }')}`, { headers });
    expect(JSON.parse(await query.text())).toEqual({ data: { conferences: { totalCount: 1 } } });
    const mutation = await ask(`/graphql?query=${encodeURIComponent(CANCEL)}`, { headers });
    expect([mutation.status, mutation.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('an address that cannot be decoded', () => {
  const message =
    'The address has a "%" that is no part of an escape in UTF-8: a percent sign itself is written "%25".';

  test.each([
    ['/purchase-orders/%E0%A4%A/invoice.pdf', {}],
    ['/webhooks/stripe/%', { method: 'POST' }],
  ])('is refused in words: %s', async (path, init) => {
    const response = await ask(path, { headers: { authorization: KEY }, ...init });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: message, requestId: expect.any(String) });
  });
});

describe('a body that cannot be read', () => {
  const document = JSON.stringify({ query: '{ __typename }' });

  test.each([
    ['truncated', document.slice(0, -3), {}, 400],
    ['empty', '', {}, 400],
    ['a JSON text', '"{ __typename }"', {}, 400],
    ['deep', `${'['.repeat(40_000)}${']'.repeat(40_000)}`, {}, 400],
    ['in Latin-1', document, { 'content-type': 'application/json; charset=iso-8859-1' }, 415],
    ['compressed', new Uint8Array(gzipSync(document)), { 'content-encoding': 'gzip' }, 415],
    ['a bomb', new Uint8Array(gzipSync(Buffer.alloc(50_000_000))), { 'content-encoding': 'gzip' }, 415],
    ['in an unknown encoding', document, { 'content-encoding': 'rot13' }, 415],
  ])('because it is %s, is refused in words', async (_what, body, headers, status) => {
    const answer = await send(body, headers);
    expect(answer).toEqual({ status, body: refusal('BAD_REQUEST') });
    expect(JSON.stringify(answer)).not.toMatch(/SyntaxError|node_modules|Unexpected/);
  });

  test('with keys that would change every object, changes none', async () => {
    const polluted =
      '{"query":"query ($f: PurchaseOrderFilter) { purchaseOrders(filter: $f) { totalCount } }","__proto__":{"polluted":1},"variables":{"__proto__":{"polluted":1},"f":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}}';
    const { status, body } = await send(polluted);
    expect(status).toBe(200);
    expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(({} as Data).polluted).toBeUndefined();
  });
});

describe('a client that dawdles', () => {
  let impatient: HttpServer;

  beforeAll(async () => {
    impatient = await startHttpServer({
      host: '127.0.0.1',
      port: 0,
      patience: { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 },
      mount: async () => async () => undefined,
      onError: () => undefined,
    });
  });

  afterAll(() => impatient.stop());

  test.each([
    ['its headers', 'POST /graphql HTTP/1.1\r\nHost: x\r\n'],
    ['its body', 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{'],
  ])('with %s is sent away', async (_what, beginning) => {
    const socket = connect(Number(new URL(impatient.url).port), '127.0.0.1');
    socket.write(beginning);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await once(socket, 'close');
    expect(answer).toContain('HTTP/1.1 4');
  });
});

describe('where a request came from', () => {
  async function addressWith(trustedProxies: readonly string[]): Promise<string> {
    const behindProxy = await startHttpServer({
      host: '127.0.0.1',
      port: 0,
      trustedProxies,
      mount: async (app) => {
        app.get('/address', (request, response) => void response.send(request.ip));
        return async () => undefined;
      },
      onError: () => undefined,
    });
    const response = await fetch(`${behindProxy.url}/address`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    const address = await response.text();
    await behindProxy.stop();
    return address;
  }

  test('is told by a trusted proxy, and by nobody else', async () => {
    expect(await addressWith(['127.0.0.0/8'])).toBe('203.0.113.7');
    expect(await addressWith([])).toBe('127.0.0.1');
  });
});
