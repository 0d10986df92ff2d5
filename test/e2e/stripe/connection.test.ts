import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { startProductionOn } from '../../support/production-app.js';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { CONNECTION, configure, createConference, createInvoice, createInvoicedOrder } from './steps.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

async function connectionOf(id: string): Promise<Data> {
  const query = `query ($id: ID!) { conference(id: $id) { stripeConnection { ${CONNECTION} } } }`;
  return (await server.graphql.query(query, { id })).conference.stripeConnection;
}

describe('configureStripe', () => {
  test('connects a conference, which then shows everything but the secrets', async () => {
    const conference = await createConference(server);
    expect(await connectionOf(conference.id)).toBeNull();

    const configured = await configure(server, {
      conferenceId: conference.id,
      webhookSecret: 'whsec_old, whsec_new',
      publishableKey: 'pk_test_shown',
      daysUntilDue: 14,
    });

    expect(configured.userErrors).toEqual([]);
    expect(configured.conference.stripeConnection).toEqual({
      id: expect.stringMatching(/^str_/),
      accountId: server.stripe.account.accountId,
      accountName: 'Conference Demo Co',
      liveMode: false,
      publishableKey: 'pk_test_shown',
      daysUntilDue: 14,
      status: 'CONNECTED',
      webhookPath: `/webhooks/stripe/${conference.slug}`,
      sweptUntil: null,
    });
    expect(await connectionOf(conference.id)).toEqual(configured.conference.stripeConnection);
  });

  test('has a development server told of the payments of each conference that it connects to the simulator', async () => {
    const conference = await createConference(server);
    await configure(server, { conferenceId: conference.id });
    const ours = await createInvoicedOrder(server, { conferenceId: conference.id });
    const demo = await createInvoicedOrder(server);

    for (const { stripeInvoiceId } of [ours, demo]) await server.stripe.pay(stripeInvoiceId);

    for (const { id } of [ours, demo]) {
      const paid = await eventually(
        () => readOrder(server, id),
        ({ status }) => status === 'PAID',
      );
      expect(paid.payments.nodes).toHaveLength(1);
    }
    const [stored] = await server.sql<{ count: number }>(
      'select count(distinct company_id)::int as count from webhook_event where provider = $1 and entity_id = $2',
      ['STRIPE', ours.stripeInvoiceId],
    );
    // One account, two endpoints: each gets its own copy, and only that of the conference counts.
    expect(stored?.count).toBeGreaterThanOrEqual(2);
  });

  test('says what is wrong and where, and stores nothing', async () => {
    const conference = await createConference(server);

    const refused = await configure(server, {
      conferenceId: conference.id,
      secretKey: 'pk_test_is_no_secret_key',
      webhookSecret: 'no secret of Stripe',
      daysUntilDue: 366,
    });

    expect(refused.conference).toBeNull();
    expect(refused.userErrors.map(({ code, path }: Data) => [code, path])).toEqual([
      ['INVALID', ['secretKey']],
      ['INVALID', ['webhookSecret']],
      ['INVALID', ['daysUntilDue']],
    ]);
    expect(JSON.stringify(refused)).not.toContain('is_no_secret_key');
    expect(await connectionOf(conference.id)).toBeNull();
  });

  test('refuses a key that no account has, without showing it', async () => {
    const conference = await createConference(server);

    const refused = await configure(server, { conferenceId: conference.id, secretKey: 'sk_test_simulator_of_nobody' });

    expect(refused).toMatchObject({ conference: null, userErrors: [{ code: 'INVALID', path: ['secretKey'] }] });
    expect(JSON.stringify(refused)).not.toContain('of_nobody');
  });

  test('refuses another account while an invoice can be paid in the present one', async () => {
    const conference = await createConference(server);
    await configure(server, { conferenceId: conference.id });
    await createInvoicedOrder(server, { conferenceId: conference.id });
    const other = { accountId: 'acct_1Other', secretKey: 'sk_test_simulator_other' };
    await server.stripe.post('/accounts', other);

    const refused = await configure(server, { conferenceId: conference.id, secretKey: other.secretKey });

    await server.stripe.delete(`/accounts/${other.accountId}`);
    expect(refused).toMatchObject({ conference: null, userErrors: [{ code: 'ACCOUNT_MISMATCH' }] });
  });

  test('of a conference that does not exist is NOT_FOUND', async () => {
    expect(await configure(server, { conferenceId: 'conf_unknown' })).toMatchObject({
      conference: null,
      userErrors: [{ code: 'NOT_FOUND' }],
    });
  });
});

describe('POST /webhooks/stripe/{conferenceSlug}', () => {
  const event = JSON.stringify({ id: 'evt_test', object: 'event', type: 'invoice.paid', created: 1, data: {} });

  async function deliver(slug: string, secret: string, body = event): Promise<number> {
    const timestamp = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const headers = { 'stripe-signature': `t=${timestamp},v1=${signature}` };
    return (await fetch(`${server.app.url}/webhooks/stripe/${slug}`, { method: 'POST', body, headers })).status;
  }

  test('takes what is signed for the conference, and nothing else', async () => {
    const [connected, unconnected] = [await createConference(server), await createConference(server)];
    await configure(server, { conferenceId: connected.id, webhookSecret: 'whsec_first,whsec_second' });

    expect(await deliver(connected.slug, 'whsec_first')).toBe(200);
    expect(await deliver(connected.slug, 'whsec_second')).toBe(200);
    expect(await deliver(connected.slug, 'whsec_of_a_test')).toBe(401);
    expect(await deliver('demo', 'whsec_first')).toBe(401);
    expect(await deliver(connected.slug, 'whsec_first', 'no event')).toBe(400);
    expect(await deliver(unconnected.slug, 'whsec_first')).toBe(503);
    expect(await deliver('no-such-conference', 'whsec_first')).toBe(404);
    const { body } = await fetch(`${server.app.url}/metrics`).then(async (answer) => ({ body: await answer.text() }));
    expect(body).toContain('webhook_requests_total{provider="STRIPE",status="401"} 2');
  });
});

test('in production a simulator that answers is refused, and a conference that is connected to one is told so', async () => {
  const conference = await createConference(server);
  const order = await createOrder(server);
  const production = await startProductionOn(server.databaseUrl, {
    STRIPE_API_BASE_URL: server.stripe.simulator.baseUrl,
    ROLE: 'api',
    BOOTSTRAP_API_KEY: 'test-bootstrap-key-0123456789',
  });
  try {
    const other = { ...server, graphql: production.graphql };
    expect(await configure(other, { conferenceId: conference.id })).toMatchObject({
      conference: null,
      userErrors: [{ code: 'INVALID', message: expect.stringContaining('simulator') }],
    });
    expect(await createInvoice(other, order.id)).toMatchObject({
      purchaseOrder: null,
      userErrors: [{ code: 'STRIPE_NOT_CONFIGURED', message: expect.stringContaining('simulator') }],
    });
    expect(await connectionOf(conference.id)).toBeNull();
    expect(await (await fetch(`${production.app.url}/readyz`)).json()).toMatchObject({ simulators: {} });
  } finally {
    await production.stop();
  }
});
