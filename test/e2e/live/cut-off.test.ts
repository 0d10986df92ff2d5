import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NetworkError } from 'graphql-sse';
import { makeKey } from '../../support/api-keys.js';
import { createOrder } from '../../support/purchase-orders.js';
import { CHANGED, Subscriber } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp({}, { callersCheckedMs: 50 });
});

afterAll(() => server.stop());

test('a silent stream ends when its key is revoked, and who comes back with it is refused', async () => {
  const { id } = await createOrder(server);
  const [revoked, kept] = [
    await makeKey(server, { purchaseOrderId: id }),
    await makeKey(server, { purchaseOrderId: id }),
  ];
  const subscribers = [revoked, kept].map(({ secret }) => new Subscriber(server.app.url, secret, [CHANGED, { id }]));
  for (const subscriber of subscribers) await subscriber.next();
  const [silent, other] = subscribers;

  await server.graphql.mutate('revokeApiKey', { apiKeyId: revoked.id }, '');

  await expect(silent?.nextResult()).rejects.toBeInstanceOf(NetworkError);
  await expect(new Subscriber(server.app.url, revoked.secret, [CHANGED, { id }]).nextResult()).rejects.toMatchObject({
    response: { status: 401 },
  });
  await server.sql("update purchase_order set notes = 'still told' where id = $1", [id]);
  expect((await other?.next())?.purchaseOrder.id).toBe(id);
  other?.leave();
});

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
