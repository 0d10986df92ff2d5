import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NetworkError } from 'graphql-sse';
import { createOrder } from '../../support/purchase-orders.js';
import { CHANGED, Subscriber } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

test('when the process stops, streams end at once and without being complete, so that clients come back', async () => {
  const { id } = await createOrder(server);
  const subscribers = [1, 2].map(() => new Subscriber(server.app.url, server.app.apiKey, [CHANGED, { id }]));
  for (const subscriber of subscribers) await subscriber.next();
  const startedAt = performance.now();

  const stopped = server.app.stop();
  for (const subscriber of subscribers) {
    // Of errors of this kind the client of graphql-sse makes another attempt.
    await expect(subscriber.nextResult()).rejects.toBeInstanceOf(NetworkError);
  }
  await stopped;

  // Requests that are being answered would have had ten seconds.
  expect(performance.now() - startedAt).toBeLessThan(8_000);
});
