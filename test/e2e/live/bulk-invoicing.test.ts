import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { makeKey } from '../../support/api-keys.js';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { Subscriber } from '../../support/subscriber.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';

const PROGRESSED = `subscription ($id: ID!) {
  change: bulkInvoicingProgressed(id: $id) { id total succeeded failed pending finishedAt }
}`;

let server: TestApp;
const subscribers: Subscriber[] = [];

beforeAll(async () => {
  server = await startTestApp();
});

afterEach(() => {
  for (const subscriber of subscribers.splice(0)) subscriber.leave();
});

afterAll(() => server.stop());

function subscribe(id: string, key = server.app.apiKey): Subscriber {
  const subscriber = new Subscriber(server.app.url, key, [PROGRESSED, { id }]);
  subscribers.push(subscriber);
  return subscriber;
}

async function beginBulk(): Promise<Data> {
  const orders = [await createOrder(server), await createOrder(server)];
  const input = { purchaseOrderIds: orders.map(({ id }) => id) };
  return (await server.graphql.mutate('createQboInvoices', input, 'bulkInvoicing { id }')).bulkInvoicing;
}

describe('bulkInvoicingProgressed', () => {
  test('tells of a bulk until it is finished, and ends then', async () => {
    await server.quickbooks.post('/faults', { kind: 'latency', ms: 1_000, match: { path: '/batch' } });
    const { id } = await beginBulk();
    const subscriber = subscribe(id);
    expect(await subscriber.next()).toMatchObject({ id, total: 2, succeeded: 0, pending: 2, finishedAt: null });
    expect(await subscriber.until(({ finishedAt }) => finishedAt !== null)).toMatchObject({
      succeeded: 2,
      failed: 0,
      pending: 0,
    });
    // It is read when it is told, so that it may be finished before that was the news.
    const again = await subscriber.nextResult();
    if (again) expect(again.data.change).toMatchObject({ succeeded: 2, finishedAt: expect.any(String) });
    expect(again && (await subscriber.nextResult())).toBeUndefined();
    const late = subscribe(id);
    expect(await late.next()).toMatchObject({ succeeded: 2, finishedAt: expect.any(String) });
    expect(await late.nextResult()).toBeUndefined();
  });

  test('tells nothing to who does not see every order of it', async () => {
    const { id } = await beginBulk();
    const conference = { name: 'Other', slug: 'other', currencyCode: 'USD' };
    const elsewhere = await server.graphql.mutate('createConference', conference, 'conference { id }');
    const stranger = await makeKey(server, { roles: [{ conferenceId: elsewhere.conference.id, role: 'ORGANISER' }] });
    const invisible = await subscribe(id, stranger.secret).nextResult();
    const unknown = await subscribe('bulk_00000000000000000000000000000000', stranger.secret).nextResult();
    expect(unknown).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    expect(invisible.errors[0].message).toBe(unknown.errors[0].message);
    expect(invisible.data ?? null).toBeNull();
  });
});
