import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, FIRST_REALM, SECOND_REALM } from './support.js';

let received: string[] = [];
let accepts = true;
let receiver: Server;
let first: Bench;
let second: Bench;

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (accepts) received.push(Buffer.concat(chunks).toString('utf8'));
    response.writeHead(accepts ? 200 : 500).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  first = await Bench.start({ webhook: { url: `http://127.0.0.1:${port}/hook`, verifierToken: 'verifier' } });
  second = await first.connect(SECOND_REALM);
});
beforeEach(async () => {
  await first.control('POST', '/reset', {});
  // Nothing is sent by itself while a test prepares.
  await treat({ delayMs: 60_000 });
  received = [];
  accepts = true;
});
afterAll(async () => {
  await first.simulator.stop();
  receiver.closeAllConnections();
  receiver.close();
});

const treat = (switches: object) => first.control('POST', '/webhooks', switches);
const flush = (realmId?: string) => first.control('POST', '/webhooks/flush', realmId === undefined ? {} : { realmId });
/** What each delivery held, as `realm entity id`. */
const posts = (): string[][] =>
  received.map((raw) => JSON.parse(raw).map((event: Body) => `${event.intuitaccountid} ${event.intuitentityid}`));

describe('Deliveries of several companies', () => {
  test('share a post unless they are told not to', async () => {
    await first.customer('A');
    await second.customer('B');
    await flush();
    expect(posts()).toEqual([[`${FIRST_REALM} 58`, `${SECOND_REALM} 58`]]);
    received = [];
    await treat({ mixed: false });
    await first.customer('C');
    await second.customer('D');
    await flush();
    expect(posts()).toHaveLength(2);
    expect(posts()).toEqual(expect.arrayContaining([[`${FIRST_REALM} 59`], [`${SECOND_REALM} 59`]]));
  });

  test('differ by company', async () => {
    await treat({ realmId: FIRST_REALM, drop: 1, duplicate: true });
    for (const name of ['A', 'B']) {
      await first.customer(name);
      await second.customer(name);
    }
    await flush();
    expect(posts().flat().sort()).toEqual([
      `${FIRST_REALM} 59`,
      `${FIRST_REALM} 59`,
      `${SECOND_REALM} 58`,
      `${SECOND_REALM} 59`,
    ]);
  });

  test('mix a company with switches of its own only when it asks for that', async () => {
    await treat({ realmId: FIRST_REALM, mixed: true });
    await first.customer('A');
    await second.customer('B');
    await flush(SECOND_REALM);
    expect(posts()).toEqual([[`${FIRST_REALM} 58`, `${SECOND_REALM} 58`]]);
  });

  test('hold one company back while another goes on', async () => {
    await treat({ realmId: FIRST_REALM, paused: true });
    await first.customer('A');
    await second.customer('B');
    await flush();
    expect(posts()).toEqual([[`${SECOND_REALM} 58`]]);
    expect((await first.control('GET', `/webhooks?realmId=${FIRST_REALM}`)).settings).toMatchObject({
      paused: true,
      queued: '1',
    });
    await first.control('DELETE', `/webhooks?realmId=${FIRST_REALM}`);
    await flush();
    expect(posts()).toEqual([[`${SECOND_REALM} 58`], [`${FIRST_REALM} 58`]]);
  });

  test('go to the same address for all', async () => {
    await expect(treat({ realmId: FIRST_REALM, url: 'http://127.0.0.1:9/' })).rejects.toThrow('400');
    await expect(treat({ realmId: '1', paused: true })).rejects.toThrow('404');
  });
});

describe('Deliveries of one company', () => {
  test('can hold one event each', async () => {
    await treat({ realmId: FIRST_REALM, split: true });
    for (const name of ['A', 'B', 'C']) await first.customer(name);
    await flush(FIRST_REALM);
    expect(posts()).toHaveLength(3);
    expect(posts().flat().sort()).toEqual([`${FIRST_REALM} 58`, `${FIRST_REALM} 59`, `${FIRST_REALM} 60`]);
  });

  test('spell a void in either way', async () => {
    const invoiceIds = [];
    for (const name of ['A', 'B']) invoiceIds.push((await first.invoice((await first.customer(name)).Id)).Id);
    await flush();
    received = [];
    for (const [index, voidType] of ['void', 'voided'].entries()) {
      await treat({ realmId: FIRST_REALM, voidType });
      await first.control('POST', '/void-invoice', { realmId: FIRST_REALM, invoiceId: invoiceIds[index] });
      await flush(FIRST_REALM);
    }
    const types = received.flatMap((raw) => JSON.parse(raw).map((event: Body) => event.type));
    expect(types.filter((type) => type.startsWith('qbo.invoice'))).toEqual([
      'qbo.invoice.void.v1',
      'qbo.invoice.voided.v1',
    ]);
  });

  test('are waited for by a flush of that company, and by no other', async () => {
    accepts = false;
    await treat({ realmId: FIRST_REALM, retryMs: Array.from({ length: 500 }, () => 20) });
    await first.customer('A');
    await second.customer('B');
    const flushed = flush(FIRST_REALM);
    await first.eventually(
      async () => (await first.control('GET', `/webhooks?realmId=${FIRST_REALM}`)).settings.underWay === '1',
    );
    accepts = true;
    await flush(SECOND_REALM);
    expect(posts()).toContainEqual([`${SECOND_REALM} 58`]);
    await flushed;
    const { deliveries } = await first.control('GET', `/webhooks?realmId=${FIRST_REALM}`);
    expect(deliveries).toMatchObject([{ status: 'delivered', realmIds: [FIRST_REALM] }]);
    expect(posts()).toContainEqual([`${FIRST_REALM} 58`]);
  });

  test('end when the company is removed', async () => {
    const realmId = '9130000000000003';
    await first.control('POST', '/companies', { realmId });
    const third = await first.connect(realmId);
    accepts = false;
    await treat({ realmId, retryMs: [60_000] });
    await third.customer('A');
    const flushed = flush(realmId);
    await first.eventually(
      async () => (await first.control('GET', `/webhooks?realmId=${realmId}`)).deliveries[0]?.attempts.length === 1,
    );
    await third.customer('B');
    await first.control('DELETE', `/companies/${realmId}`);
    await flushed;
    accepts = true;
    await flush();
    expect(posts()).toEqual([]);
    expect((await first.control('GET', '/webhooks')).deliveries).toEqual([]);
  });
});
