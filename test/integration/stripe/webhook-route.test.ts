import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import Stripe from 'stripe';
import { httpErrorHandler } from '../../../src/api/http-errors.js';
import { stripeWebhookRouter } from '../../../src/api/webhooks/stripe.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import { findStripeEndpoint } from '../../../src/application/webhooks/find-stripe-endpoint.js';
import { replayWebhookEvents } from '../../../src/application/webhooks/replay-webhook-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { StripeWebhooks } from '../../../src/infrastructure/stripe/webhooks.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { connectStripe } from './stripe-books.js';

let bench: Workbench;
let server: Server;
let url: string;
let connectionId: string;
let otherConnectionId: string;
let lockedConnectionId: string;
const answered: number[] = [];

const NOT_CONFIGURED =
  'This conference has no Stripe account, or no signing secret that can be opened: call configureStripe.';

/** A secret is being replaced: Stripe signs with both. */
const SECRETS = ['whsec_old', 'whsec_new'] as const;

beforeAll(async () => {
  bench = await startWorkbench();
  connectionId = await connectStripe(bench, bench.conferenceId, SECRETS.join(','));
  const conference = async (slug: string) => {
    const input = { name: slug, slug, currencyCode: 'USD', timezone: 'UTC' };
    return String((await createConference(bench.process(), input)).id);
  };
  otherConnectionId = await connectStripe(bench, await conference('other'), 'whsec_other');
  lockedConnectionId = await connectStripe(bench, await conference('locked'), 'whsec_locked');
  await conference('bare');
  const { ids, clock, secrets } = bench.context;
  const router = stripeWebhookRouter({
    findSource: async (slug) => {
      const found = await findStripeEndpoint({ em: bench.orm.em.fork(), secrets }, slug);
      if (!found) return undefined;
      return new StripeWebhooks({
        secrets: found.endpoint?.secrets ?? '',
        companyId: found.endpoint?.connectionId ?? '',
        clock,
      });
    },
    store: (events) =>
      storeWebhookEvents({ em: bench.orm.em.fork(), clock, ids, wake: () => undefined }, 'STRIPE', events),
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
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/stripe`;
});

beforeEach(async () => {
  await bench.sql('delete from webhook_event');
  answered.length = 0;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await bench.stop();
});

function eventText(fields: Record<string, unknown> = {}): string {
  const data = { object: { id: 'in_1', object: 'invoice' } };
  return JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'invoice.paid',
    created: 1_772_000_000,
    data,
    ...fields,
  });
}

interface Delivery {
  readonly secret?: string;
  readonly signature?: string | null;
  /** How old the signature is. */
  readonly agoSeconds?: number;
}

async function deliver(
  slug: string,
  payload: string,
  { secret = SECRETS[0], signature, agoSeconds = 0 }: Delivery = {},
): Promise<{ status: number; answer: Data }> {
  const timestamp = Math.floor(bench.clock.now().getTime() / 1000) - agoSeconds;
  const signed = signature ?? Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  const headers: Record<string, string> = signature === null ? {} : { 'stripe-signature': signed };
  const response = await fetch(`${url}/${slug}`, { method: 'POST', headers, body: payload });
  return { status: response.status, answer: await response.json() };
}

const stored = () =>
  bench.sql('select provider, company_id, event_id, entity, entity_id, operation, state from webhook_event');

describe('POST /webhooks/stripe/{conferenceSlug}', () => {
  test('stores the event under the connection of the conference, and a repeated delivery once', async () => {
    expect(await deliver('bench', eventText())).toEqual({ status: 200, answer: { stored: 1, duplicates: 0 } });
    expect(await deliver('bench', eventText())).toEqual({ status: 200, answer: { stored: 0, duplicates: 1 } });
    expect(await stored()).toEqual([
      {
        provider: 'STRIPE',
        company_id: connectionId,
        event_id: 'evt_1',
        entity: 'invoice',
        entity_id: 'in_1',
        operation: 'invoice.paid',
        state: 'RECEIVED',
      },
    ]);
    expect(answered).toEqual([200, 200]);
  });

  test('W-S3: deliveries of one event that come at once are all answered 200 and stored once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => deliver('bench', eventText())));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await stored()).toHaveLength(1);
  });

  test('takes any of the signing secrets of the conference', async () => {
    for (const [index, secret] of SECRETS.entries()) {
      expect((await deliver('bench', eventText({ id: `evt_${index}` }), { secret })).status).toBe(200);
    }
    expect(await stored()).toHaveLength(2);
  });

  test.each<[string, Delivery]>([
    ['without a signature', { signature: null }],
    ['with something else for a signature', { signature: 'nonsense' }],
    ['signed with another secret', { secret: 'whsec_forged' }],
    ['W-S4: signed for another conference', { secret: 'whsec_other' }],
    ['signed too long ago', { agoSeconds: 301 }],
  ])('W-S2: %s it answers 401 and stores nothing', async (_how, delivery) => {
    const { status, answer } = await deliver('bench', eventText(), delivery);
    expect(status).toBe(401);
    expect(answer).toEqual({ error: 'The stripe-signature header is missing or does not fit the body.' });
    expect(await stored()).toEqual([]);
    expect(answered).toEqual([401]);
  });

  test('answers 400 to a signed body that is no event list, and keeps an event that cannot be read', async () => {
    expect((await deliver('bench', 'no JSON')).status).toBe(400);
    expect((await deliver('bench', '17')).status).toBe(400);
    expect(await stored()).toEqual([]);
    expect((await deliver('bench', JSON.stringify({ id: 'evt_1', object: 'v2.core.event' }))).status).toBe(200);
    expect(await stored()).toMatchObject([{ company_id: connectionId, state: 'IGNORED' }]);
    const [{ id }] = await bench.sql('select id from webhook_event');
    const { failures } = await replayWebhookEvents(bench.process(), { ids: [id] });
    expect(failures.map(({ code }) => code)).toEqual(['UNREADABLE']);
  });

  test('answers 413 to a body above 2 MiB', async () => {
    expect((await deliver('bench', `"${'x'.repeat(2 * 1024 * 1024)}"`)).status).toBe(413);
  });

  test.each(['nobody', 'BENCH', 'bench%00', 'bench%27--', 'x'.repeat(300)])(
    'answers 404 for the conference %s, which there is not',
    async (slug) => {
      expect((await deliver(slug, eventText())).status).toBe(404);
      expect(await stored()).toEqual([]);
    },
  );

  test('answers 503 for a conference without Stripe, so that Stripe comes again', async () => {
    const { status, answer } = await deliver('bare', eventText());
    expect(status).toBe(503);
    expect(answer).toEqual({ error: NOT_CONFIGURED });
  });

  test('answers 503 as long as the signing secret cannot be opened', async () => {
    await bench.sql("update stripe_connection set webhook_secret = 'sealed elsewhere' where id = ?", [
      lockedConnectionId,
    ]);
    const { status, answer } = await deliver('locked', eventText(), { secret: 'whsec_locked' });
    expect(status).toBe(503);
    expect(answer).toEqual({ error: NOT_CONFIGURED });
  });

  test('the same event at the endpoints of two conferences is one for each', async () => {
    await deliver('bench', eventText());
    await deliver('other', eventText(), { secret: 'whsec_other' });
    expect((await stored()).map(({ company_id }) => company_id).toSorted()).toEqual(
      [connectionId, otherConnectionId].toSorted(),
    );
  });

  test('costs one statement to refuse, and two to take', async () => {
    const shapes = async (delivery: Delivery) => {
      const statements = await bench.statementsOf(() => deliver('bench', eventText(), delivery));
      return statements.map((text) => text.split(/\s+/, 3).join(' '));
    };
    expect(await shapes({ secret: 'whsec_forged' })).toEqual(['select connection.id, connection.webhook_secret']);
    expect(await shapes({})).toEqual(['select connection.id, connection.webhook_secret', 'insert into webhook_event']);
  });
});
