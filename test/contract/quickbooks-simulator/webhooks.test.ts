import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, FIRST_REALM } from './support.js';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
}

const VERIFIER = 'verifier-token-of-this-test';
let received: Received[] = [];
let answers: number[] = [];
let receiver: Server;
let bench: Bench;

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ headers: request.headers, raw: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(answers.shift() ?? 200).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  bench = await Bench.start({ webhook: { url: `http://127.0.0.1:${port}/hook`, verifierToken: VERIFIER } });
});
beforeEach(async () => {
  await bench.control('POST', '/reset', {});
  received = [];
  answers = [];
});
afterAll(async () => {
  await bench.simulator.stop();
  receiver.closeAllConnections();
  receiver.close();
});

const flush = () => bench.control('POST', '/webhooks/flush', {});
const types = (): string[] =>
  received.flatMap(({ raw }) => JSON.parse(raw).map((event: Body) => `${event.type} ${event.intuitentityid}`));

describe('A change', () => {
  test('is announced in a signed array of cloud events', async () => {
    const customer = await bench.customer();
    await flush();
    const [delivery] = received;
    expect(received).toHaveLength(1);
    expect(delivery?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'intuit-signature': createHmac('sha256', VERIFIER)
        .update(delivery?.raw ?? '')
        .digest('base64'),
      'user-agent': 'intuit_notification_server/0.1',
      'intuit-notification-schema-version': '0.1',
    });
    expect(JSON.parse(delivery?.raw ?? '')).toEqual([
      {
        specversion: '1.0',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        source: expect.stringMatching(/^intuit\./),
        type: 'qbo.customer.created.v1',
        datacontenttype: 'application/json',
        time: expect.stringMatching(/\.\d{9}Z$/),
        intuitentityid: customer.Id,
        intuitaccountid: FIRST_REALM,
        data: {},
      },
    ]);
  });

  test('announces everything it touched', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id);
    await bench.send('POST', `/invoice/${invoice.Id}/send?sendTo=a@example.com`, undefined, {});
    await bench.control('POST', '/pay', { realmId: FIRST_REALM, invoiceId: invoice.Id });
    await bench.control('POST', '/void-payment', { realmId: FIRST_REALM, paymentId: '146' });
    await bench.control('POST', '/void-invoice', { realmId: FIRST_REALM, invoiceId: invoice.Id });
    await bench.control('POST', '/delete-invoice', { realmId: FIRST_REALM, invoiceId: invoice.Id });
    await flush();
    expect(types().filter((type) => !type.startsWith('qbo.customer.updated'))).toEqual([
      'qbo.customer.created.v1 58',
      'qbo.invoice.created.v1 145',
      'qbo.invoice.emailed.v1 145',
      'qbo.payment.created.v1 146',
      'qbo.invoice.updated.v1 145',
      'qbo.invoice.updated.v1 145',
      'qbo.payment.void.v1 146',
      'qbo.invoice.void.v1 145',
      'qbo.invoice.deleted.v1 145',
    ]);
    expect(types()).toContain('qbo.customer.updated.v1 58');
  });

  test('of a refund is announced under its own name', async () => {
    const customer = await bench.customer();
    const refund = { realmId: FIRST_REALM, refundReceiptId: '145' };
    await bench.control('POST', '/refund-receipt', {
      realmId: FIRST_REALM,
      customerId: customer.Id,
      amount: '5.00',
    });
    await bench.control('POST', '/edit-refund-receipt', { ...refund, note: 'changed' });
    await bench.control('POST', '/delete-refund-receipt', refund);
    await flush();
    expect(types().filter((type) => type.startsWith('qbo.refundreceipt'))).toEqual([
      'qbo.refundreceipt.created.v1 145',
      'qbo.refundreceipt.updated.v1 145',
      'qbo.refundreceipt.deleted.v1 145',
    ]);
  });

  test('is not announced when it was refused or only repeated', async () => {
    await bench.post('/customer', { DisplayName: 'Vendor Only Ltd' });
    await bench.post('/customer?requestid=one', { DisplayName: 'One' });
    await bench.post('/customer?requestid=one', { DisplayName: 'One' });
    await flush();
    expect(types()).toEqual(['qbo.customer.created.v1 58']);
  });

  test('is announced again, with the same event id, until it is accepted', async () => {
    await bench.control('POST', '/webhooks', { retryMs: [1, 1, 1] });
    answers = [500, 401];
    await bench.customer();
    await flush();
    expect(new Set(received.map(({ raw }) => raw)).size).toBe(1);
    const { deliveries } = await bench.control('GET', '/webhooks');
    expect(deliveries).toMatchObject([{ status: 'delivered', attempts: ['500', '401', '200'] }]);
  });

  test('is given up after the last attempt', async () => {
    await bench.control('POST', '/webhooks', { retryMs: [1] });
    answers = [500, 500];
    await bench.customer();
    await flush();
    expect((await bench.control('GET', '/webhooks')).deliveries).toMatchObject([
      { status: 'failed', attempts: ['500', '500'] },
    ]);
  });
});

describe('Deliveries', () => {
  test('can be lost, doubled and turned around', async () => {
    await bench.control('POST', '/webhooks', { drop: 1, duplicate: true, reorder: true, delayMs: 60_000 });
    for (const name of ['lost', 'second', 'third']) await bench.customer(name);
    await flush();
    expect(types()).toEqual([
      'qbo.customer.created.v1 60',
      'qbo.customer.created.v1 59',
      'qbo.customer.created.v1 60',
      'qbo.customer.created.v1 59',
    ]);
  });

  test('can be held back', async () => {
    await bench.control('POST', '/webhooks', { paused: true });
    await bench.customer();
    await flush();
    expect(received).toEqual([]);
    await bench.control('POST', '/webhooks', { paused: false });
    await flush();
    expect(types()).toEqual(['qbo.customer.created.v1 58']);
  });

  test('can take the retired form', async () => {
    await bench.control('POST', '/webhooks', { format: 'legacy' });
    await bench.customer();
    await flush();
    expect(JSON.parse(received[0]?.raw ?? '')).toEqual({
      eventNotifications: [
        {
          realmId: FIRST_REALM,
          dataChangeEvent: {
            entities: [
              { name: 'Customer', id: '58', operation: 'Create', lastUpdated: expect.stringMatching(/-0[78]00$/) },
            ],
          },
        },
      ],
    });
  });

  test('arrive by themselves shortly after the change', async () => {
    await bench.customer();
    for (let waited = 0; received.length === 0 && waited < 2000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(types()).toEqual(['qbo.customer.created.v1 58']);
  });
});
