import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import { configureStripe } from '../../../src/application/stripe/configure-stripe.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { syncStripeInvoiceStatus } from '../../../src/application/stripe/sync-stripe-invoice-status.js';
import { StripeEndpoints } from '../../../src/development/stripe-endpoints.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { idOf } from '../../support/workbench.js';

// The secrets of a connection were sealed with a key that is no longer configured.

let bench: StripeWorkbench;
let invoicedId: string;

beforeAll(async () => {
  bench = await startStripeWorkbench();
  ({ id: invoicedId } = await bench.stripeInvoicedOrder());
  await bench.sql("update stripe_connection set secret_key = 'sealed elsewhere', webhook_secret = 'sealed elsewhere'");
});

afterAll(() => bench.stop());

test('every call says that the connection must be renewed, and nothing is sent', async () => {
  await bench.stripe.delete('/requests');
  const created = await createStripeInvoice(bench.process(), { purchaseOrderId: await bench.order() });
  expect(created).toMatchObject({ failures: [{ code: 'RECONNECT_REQUIRED' }] });
  const synced = await syncStripeInvoiceStatus(bench.process(), { purchaseOrderId: invoicedId });
  expect(synced).toMatchObject({ failures: [{ code: 'RECONNECT_REQUIRED' }] });
  expect(await bench.stripe.calls()).toEqual([]);
});

test('a development server comes up all the same, and the other conferences get their events', async () => {
  const input = { name: 'Other', slug: 'other', currencyCode: 'USD', timezone: 'UTC' };
  const conferenceId = idOf(await createConference(bench.process(), input));
  const { secretKey, accountId } = bench.stripe.account;
  await configureStripe(bench.process(), { conferenceId, secretKey, webhookSecret: 'whsec_other' });
  const { secrets } = bench.context;
  const forkEntityManager = () => bench.orm.em.fork();
  const serverUrl = 'http://127.0.0.1:1';
  await new StripeEndpoints({ simulator: bench.stripe.simulator, serverUrl, secrets, forkEntityManager }).register([]);
  const { accounts } = await bench.stripe.get('/accounts');
  const told = accounts.find((account: { accountId: string }) => account.accountId === accountId);
  expect(told.webhooks).toMatchObject([{ url: `${serverUrl}/webhooks/stripe/other` }]);
});
