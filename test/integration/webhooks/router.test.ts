import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { httpErrorHandler } from '../../../src/api/http-errors.js';
import { quickBooksWebhookRouter } from '../../../src/api/webhooks/quickbooks.js';
import type { ReceivedEvent } from '../../../src/application/ports/webhook-source.js';
import { QuickBooksWebhooks } from '../../../src/infrastructure/quickbooks/webhooks.js';
import { signWebhook } from '../../support/intuit-signature.js';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Store = (events: readonly ReceivedEvent[]) => Promise<{ stored: number; duplicates: number }>;

/** The route alone, with these verifier tokens and this store. */
async function startRoute(tokens: readonly string[], store: Store): Promise<{ url: string; answered: number[] }> {
  const answered: number[] = [];
  const router = quickBooksWebhookRouter({
    source: new QuickBooksWebhooks(tokens),
    store,
    onAnswered: (status) => answered.push(status),
  });
  server = createServer(
    express().use(
      router,
      httpErrorHandler(() => undefined),
    ),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/qbo`, answered };
}

const EVENT = {
  specversion: '1.0',
  id: '88cd52aa-33b6-4351-9aa4-47572edbd068',
  type: 'qbo.payment.created.v1',
  intuitentityid: '1',
  intuitaccountid: '310687',
};

function post(url: string, events: unknown, token: string): Promise<Response> {
  const body = Buffer.from(JSON.stringify(events));
  return fetch(url, { method: 'POST', headers: { 'intuit-signature': signWebhook(body, token) }, body });
}

describe('without a verifier token', () => {
  test.each([[[]], [['']]])('%j configured, every delivery is 503 and nothing is stored', async (tokens) => {
    const stored: unknown[] = [];
    const { url, answered } = await startRoute(tokens, async (events) => {
      stored.push(events);
      return { stored: events.length, duplicates: 0 };
    });
    for (const token of ['', 'anything']) {
      const response = await post(url, [EVENT], token);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ error: expect.stringContaining('QBO_WEBHOOK_VERIFIER_TOKEN') });
    }
    expect(stored).toEqual([]);
    expect(answered).toEqual([503, 503]);
  });
});

describe('when the events cannot be stored', () => {
  test('the answer is 500, so that Intuit delivers them again, and says nothing of the reason', async () => {
    const { url, answered } = await startRoute(['token'], async () => {
      throw new Error('password authentication failed for user "postgres"');
    });
    const response = await post(url, [EVENT], 'token');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('postgres');
    expect(answered).toEqual([500]);
  });
});

test('the answer is not given before the events are stored', async () => {
  let release: (() => void) | undefined;
  const stored: ReceivedEvent[] = [];
  const { url } = await startRoute(['token'], async (events) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    stored.push(...events);
    return { stored: events.length, duplicates: 0 };
  });
  const answer = post(url, [EVENT], 'token');
  while (!release) await new Promise((resolve) => setImmediate(resolve));
  const first = await Promise.race([answer.then(() => 'answered'), Promise.resolve('waiting')]);
  expect(first).toBe('waiting');
  release();
  expect((await answer).status).toBe(200);
  expect(stored).toMatchObject([{ eventId: EVENT.id, companyId: '310687', entity: 'payment', operation: 'created' }]);
});
