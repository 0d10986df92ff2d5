import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { signWebhook } from '../../support/intuit-signature.js';
import { type CompiledPrograms, compilePrograms, type ProgramRun } from '../../support/server-process.js';

/** Plays good and bad days at the most talkative log level, and looks for secrets in everything that was written. */
describe('a server that logs everything', () => {
  let programs: CompiledPrograms;
  let run: ProgramRun;
  let graphql: GraphQLClient;
  let url: string;
  let control: string;
  let stripeControl: string;
  let dataDirectory: string;
  const secrets: Record<string, string> = { clientSecret: 'simulator-client-secret' };

  beforeAll(async () => {
    programs = await compilePrograms();
    dataDirectory = await programs.createDataDirectory();
    run = programs.start('main', { PORT: '0', DATA_DIR: dataDirectory, LOG_LEVEL: 'trace' });
    [, url = ''] = await run.says(/(http:\S+)\/graphql/, 30_000);
    [, control = ''] = await run.says(/QuickBooks .*\n.*(http:\S+\/__control)/);
    [, stripeControl = ''] = await run.says(/Stripe .*\n.*(http:\S+\/__control)/);
    secrets.apiKey = await keptSecret('development-api-key');
    secrets.encryptionKey = await keptSecret('encryption-key');
    secrets.verifierToken = await keptSecret('webhook-verifier-token');
    secrets.stripeWebhookSecret = await keptSecret('stripe-webhook-secret');
    secrets.databasePassword = await keptSecret('postgres.password');
    graphql = new GraphQLClient(url, secrets.apiKey);
    // Compiling and starting a server takes a while on a busy machine.
  }, 90_000);

  afterAll(() => programs.remove());

  async function keptSecret(name: string): Promise<string> {
    return (await readFile(join(dataDirectory, name), 'utf8')).trim();
  }

  async function post(path: string, body: Data, at = control, method = 'POST'): Promise<Data> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${at}${path}`, { method, headers, body: JSON.stringify(body) });
    return response.json();
  }

  /** A second conference on the second company, so that the test knows the tokens. */
  async function connect(): Promise<{ conferenceId: string; realmId: string }> {
    const listed: Data = await (await fetch(`${control}/companies`)).json();
    const { realmId } = listed.companies[1];
    const tokens = await post('/tokens', { realmId });
    secrets.accessToken = tokens.accessToken;
    secrets.refreshToken = tokens.refreshToken;
    const input = { name: 'Secrets', slug: 'secrets', currencyCode: 'USD' };
    const { conference } = await graphql.mutate('createConference', input, 'conference { id }');
    const credentials = {
      conferenceId: conference.id,
      environment: 'SANDBOX',
      realmId,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      clientId: 'simulator-client-id',
      clientSecret: secrets.clientSecret,
    };
    const connected = await graphql.mutate('configureQboConnection', credentials, 'conference { id }');
    expect(connected.userErrors).toEqual([]);
    return { conferenceId: conference.id, realmId };
  }

  async function createOrder(conferenceId: string): Promise<string> {
    const lineItems = [{ description: 'Ticket', quantity: 1, unitPrice: '10.00' }];
    const input = { conferenceId, organizationName: 'Whisper Ltd', contactEmail: 'a@example.com', lineItems };
    return (await graphql.mutate('createPurchaseOrder', input, 'purchaseOrder { id }')).purchaseOrder.id;
  }

  async function invoice(purchaseOrderId: string, mutation = 'createQboInvoice'): Promise<string[]> {
    const payload = await graphql.mutate(mutation, { purchaseOrderId }, 'purchaseOrder { id }');
    return payload.userErrors.map((error: Data) => error.code);
  }

  /** Good and bad days of a conference with a Stripe account of its own, and a delivery that is forged. */
  async function playStripe(): Promise<void> {
    const account = { accountId: 'acct_1Whisper', secretKey: 'sk_test_simulator_whispered' };
    secrets.stripeSecretKey = account.secretKey;
    secrets.stripeEndpointSecret = 'whsec_whispered_to_us';
    await post('/accounts', account, stripeControl);
    const input = { name: 'Stripe', slug: 'stripe-secrets', currencyCode: 'USD' };
    const { conference } = await graphql.mutate('createConference', input, 'conference { id }');
    const credentials = {
      conferenceId: conference.id,
      secretKey: account.secretKey,
      webhookSecret: secrets.stripeEndpointSecret,
    };
    const connected = await graphql.mutate('configureStripe', credentials, 'conference { id }');
    expect(connected.userErrors).toEqual([]);
    const create = async () => invoice(await createOrder(conference.id), 'createStripeInvoice');
    const { accountId } = account;
    expect(await create()).toEqual([]);
    const quoting = `Invalid API Key provided: ${account.secretKey}`;
    const match = { method: 'POST', path: '/^\\/v1\\/invoices$/', accountId };
    const refusal = { kind: 'error', status: 400, message: quoting, match };
    await post('/faults', refusal, stripeControl);
    expect(await create()).toEqual(['STRIPE_REJECTED']);
    await post('/faults', { match: { path: '/finalize', accountId }, kind: 'reset', times: 9 }, stripeControl);
    expect(await create()).toEqual(['OUTCOME_UNKNOWN']);
    await post(`/accounts/${accountId}`, { secretKey: 'sk_test_simulator_rolled' }, stripeControl, 'PATCH');
    expect(await create()).toEqual(['RECONNECT_REQUIRED']);
    const headers = { 'stripe-signature': 't=1,v1=forged' };
    await fetch(`${url}/webhooks/stripe/stripe-secrets`, { method: 'POST', body: '{}', headers });
  }

  test('writes no secret to its output, whatever goes wrong, and logs nothing of a request but its name', async () => {
    const { conferenceId, realmId } = await connect();
    // A good day, then tokens refused with the token quoted in the fault, then a dead connection.
    expect(await invoice(await createOrder(conferenceId))).toEqual([]);
    await post('/faults', { match: { path: '/invoice', realmId }, kind: '401', when: 'before', times: 1 });
    expect(await invoice(await createOrder(conferenceId))).toEqual([]);
    await post('/faults', { match: { path: '/invoice', realmId }, kind: 'reset', when: 'after', times: 1 });
    expect(await invoice(await createOrder(conferenceId))).toEqual(['OUTCOME_UNKNOWN']);
    await post('/expire-tokens', { realmId });
    await post('/revoke', { realmId });
    // The token is minutes old, so its refusal alone ends nothing.
    expect(await invoice(await createOrder(conferenceId))).toEqual(['QBO_UNAVAILABLE']);
    const dead = { conferenceId, environment: 'SANDBOX', realmId, accessToken: secrets.accessToken };
    await graphql.mutate(
      'configureQboConnection',
      { ...dead, refreshToken: secrets.refreshToken },
      'conference { id }',
    );
    // Bad input, a forged webhook and a true one.
    await graphql.send(`query { ${secrets.apiKey} }`);
    await graphql.send('{ purchaseOrder(id: 1, reference: "x") { id } }', { token: secrets.accessToken });
    const body = JSON.stringify([
      { specversion: '1.0', id: 'x', type: 'qbo.invoice.updated.v1', intuitaccountid: realmId },
    ]);
    await fetch(`${url}/webhooks/qbo`, { method: 'POST', body, headers: { 'intuit-signature': 'forged' } });
    const signature = signWebhook(Buffer.from(body), String(secrets.verifierToken));
    await fetch(`${url}/webhooks/qbo`, { method: 'POST', body, headers: { 'intuit-signature': signature } });
    await playStripe();
    await eventually(
      async () => run.stdout,
      (output) => output.includes('createQboInvoice') || output.includes('GraphQL operation'),
    );

    run.signal('SIGTERM');
    expect(await run.end()).toBe(0);

    const written = run.stdout + run.stderr;
    expect(written).toContain('QuickBooks called');
    expect(written).toContain('Stripe called');
    // The banner shows the development key, once; nothing else does.
    expect(written.split(String(secrets.apiKey))).toHaveLength(2);
    for (const [name, secret] of Object.entries(secrets)) {
      if (name !== 'apiKey') expect({ name, found: written.includes(secret) }).toEqual({ name, found: false });
    }
    expect(written).not.toContain('Whisper Ltd');
  }, 60_000);
});
