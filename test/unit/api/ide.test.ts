import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { type IdeOptions, ideRouter } from '../../../src/api/graphql/ide.js';

const KEY = 'ci_development-key-0123456789';

async function serve(options: Partial<IdeOptions>): Promise<{ server: Server; port: number }> {
  const app = express();
  app.use(ideRouter({ developmentKey: undefined, findExampleIds: async () => ({}), ...options }));
  app.use((_request, response) => {
    response.status(418).end();
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** With `node:http`, because `fetch` sets the Host header itself. */
async function page(port: number, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  const request = get({ port, host: '127.0.0.1', path: '/graphql', headers: { accept: 'text/html', ...headers } });
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
}

describe('outside development the IDE', () => {
  let running: { server: Server; port: number };
  let asked = 0;

  beforeAll(async () => {
    running = await serve({
      findExampleIds: async () => {
        asked += 1;
        return { conferenceId: 'conf_of_somebody' };
      },
    });
  });

  afterAll(() => {
    running.server.close();
  });

  test('shows no key and no id of anybody, and asks for a key', async () => {
    const { status, body } = await page(running.port);
    expect(status).toBe(200);
    expect(body).not.toContain('ci_');
    expect(body).not.toContain('conf_of_somebody');
    expect(body).toContain('<your API key>');
    expect(asked).toBe(0);
  });

  test('leaves requests of programs to others', async () => {
    expect((await page(running.port, { accept: '*/*' })).status).toBe(418);
    expect((await page(running.port, { accept: 'application/json' })).status).toBe(418);
  });
});

describe('in development the IDE', () => {
  let running: { server: Server; port: number };

  beforeAll(async () => {
    running = await serve({ developmentKey: KEY, findExampleIds: async () => ({ conferenceId: 'conf_1' }) });
  });

  afterAll(() => {
    running.server.close();
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])(
    'is filled in with the key for a browser that asked for %s',
    async (host) => {
      const { body } = await page(running.port, { host: `${host}:${running.port}` });
      expect(body).toContain(KEY);
      expect(body).toContain('conf_1');
    },
  );

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '192.168.0.7', '0.0.0.0'])(
    'keeps the key from a page that calls this machine %s',
    async (host) => {
      const { status, body } = await page(running.port, { host });
      expect(status).toBe(200);
      expect(body).not.toContain(KEY);
    },
  );

  test('believes no forwarding header', async () => {
    const forwarded = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
    expect((await page(running.port, forwarded)).body).not.toContain(KEY);
  });
});
