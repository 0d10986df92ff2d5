import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { type ConfigureStripeInput, configureStripe } from '../../../src/application/stripe/configure-stripe.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { PostgresKeyStore } from '../../../src/infrastructure/stripe/postgres-key-store.js';
import type { Data } from '../../support/graphql-client.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { idOf } from '../../support/workbench.js';

let bench: StripeWorkbench;

const OTHER_KEY = 'sk_test_other';
const OTHER_ACCOUNT = 'acct_1Other';

beforeAll(async () => {
  bench = await startStripeWorkbench();
  await bench.stripe.post('/accounts', { accountId: OTHER_ACCOUNT, secretKey: OTHER_KEY, name: 'Other Co' });
});

beforeEach(async () => {
  await bench.stripe.delete('/faults');
  await bench.stripe.delete('/requests');
});

afterAll(() => bench.stop());

let conferences = 0;

async function newConference(): Promise<string> {
  conferences += 1;
  const slug = `conference-${conferences}`;
  return idOf(await createConference(bench.process(), { name: slug, slug, currencyCode: 'USD', timezone: 'UTC' }));
}

/** With the account that the simulator began with, unless `input` says otherwise. */
function configure(conferenceId: string, input: Partial<ConfigureStripeInput> = {}) {
  const { secretKey } = bench.stripe.account;
  return configureStripe(bench.process(), { conferenceId, secretKey, webhookSecret: 'whsec_1', ...input });
}

async function connectionOf(conferenceId: string): Promise<Data> {
  const [row] = await bench.sql('select * from stripe_connection where conference_id = ?', [conferenceId]);
  return row;
}

test('a conference is connected to the account that its key opens, and the secrets are stored sealed', async () => {
  const conferenceId = await newConference();

  const outcome = await configure(conferenceId, {
    webhookSecret: 'whsec_1, whsec_2',
    publishableKey: 'pk_test_1',
    daysUntilDue: 14,
  });

  expect(outcome).toEqual({ id: conferenceId, failures: [] });
  const { secret_key: secretKey, webhook_secret: webhookSecret, ...row } = await connectionOf(conferenceId);
  expect(row).toMatchObject({
    account_id: bench.stripe.account.accountId,
    account_name: 'Conference Demo Co',
    live_mode: false,
    simulated: true,
    status: 'CONNECTED',
    publishable_key: 'pk_test_1',
    days_until_due: 14,
  });
  expect(`${secretKey} ${webhookSecret}`).not.toMatch(/sk_test|whsec/);
  const { secrets } = bench.context;
  expect(await secrets.open(secretKey)).toBe(bench.stripe.account.secretKey);
  expect(await secrets.open(webhookSecret)).toBe('whsec_1, whsec_2');
  const audited = await bench.sql(
    "select after from audit_event where action = 'stripe_connection.configured' and subject = ?",
    [conferenceId],
  );
  expect(audited).toEqual([
    {
      after: {
        accountId: bench.stripe.account.accountId,
        liveMode: false,
        publishableKey: 'pk_test_1',
        daysUntilDue: 14,
      },
    },
  ]);
});

describe('input is refused before Stripe is asked:', () => {
  test.each<[string, Partial<ConfigureStripeInput>, string]>([
    ['a publishable key for a secret one', { secretKey: 'pk_test_1' }, 'secretKey'],
    ['a blank key', { secretKey: ' ' }, 'secretKey'],
    ['a webhook secret that is none', { webhookSecret: 'whsec_1,secret' }, 'webhookSecret'],
    ['a secret key for a publishable one', { publishableKey: 'sk_test_1' }, 'publishableKey'],
    ['keys of both modes', { publishableKey: 'pk_live_1' }, 'publishableKey'],
    ['a day before today', { daysUntilDue: -1 }, 'daysUntilDue'],
    ['more than a year', { daysUntilDue: 366 }, 'daysUntilDue'],
    ['half a day', { daysUntilDue: 0.5 }, 'daysUntilDue'],
  ])('%s', async (_what, input, field) => {
    const conferenceId = await newConference();
    expect(await configure(conferenceId, input)).toMatchObject({
      id: null,
      failures: [{ code: 'INVALID', path: [field] }],
    });
    expect(await connectionOf(conferenceId)).toBeUndefined();
    expect(await bench.stripe.calls()).toEqual([]);
  });

  test('a conference that does not exist', async () => {
    expect(await configure('conf_0')).toMatchObject({ id: null, failures: [{ code: 'NOT_FOUND' }] });
    expect(await bench.stripe.calls()).toEqual([]);
  });
});

describe('nothing is stored', () => {
  test('of a key that Stripe refuses', async () => {
    const conferenceId = await newConference();
    expect(await configure(conferenceId, { secretKey: 'sk_test_wrong' })).toMatchObject({
      id: null,
      failures: [{ code: 'INVALID', path: ['secretKey'] }],
    });
    expect(await connectionOf(conferenceId)).toBeUndefined();
  });

  test('while Stripe does not answer', async () => {
    const conferenceId = await newConference();
    await bench.stripe.fault('GET /v1/account', { kind: 'reset' });
    expect(await configure(conferenceId)).toMatchObject({ id: null, failures: [{ code: 'STRIPE_UNAVAILABLE' }] });
    expect(await connectionOf(conferenceId)).toBeUndefined();
  });

  test('of a simulator where simulators are refused', async () => {
    const conferenceId = await newConference();
    const { secretKey } = bench.stripe.account;
    const production = { ...bench.process(), allowsStripeSimulator: false };
    expect(await configureStripe(production, { conferenceId, secretKey, webhookSecret: 'whsec_1' })).toMatchObject({
      id: null,
      failures: [{ code: 'INVALID', path: ['secretKey'] }],
    });
    expect(await connectionOf(conferenceId)).toBeUndefined();
  });

  test('without a webhook secret', async () => {
    const conferenceId = await newConference();
    expect(await configure(conferenceId, { webhookSecret: ' ' })).toMatchObject({
      id: null,
      failures: [{ code: 'INVALID', path: ['webhookSecret'] }],
    });
    expect(await connectionOf(conferenceId)).toBeUndefined();
  });
});

describe('a conference that is connected already', () => {
  test.each<[string, Partial<ConfigureStripeInput>]>([
    ['left out', { webhookSecret: null }],
    ['blank', { webhookSecret: '', publishableKey: ' ', daysUntilDue: null }],
  ])('keeps what is %s when it gets another key of the same account', async (_what, input) => {
    const conferenceId = await newConference();
    await bench.stripe.post('/accounts', { accountId: 'acct_1Rotating', secretKey: 'sk_test_first' });
    await configure(conferenceId, { secretKey: 'sk_test_first', publishableKey: 'pk_test_1', daysUntilDue: 14 });
    const before = await connectionOf(conferenceId);
    await bench.stripe.patch('/accounts/acct_1Rotating', { secretKey: 'sk_test_second' });

    const outcome = await configure(conferenceId, { secretKey: 'sk_test_second', ...input });

    await bench.stripe.delete('/accounts/acct_1Rotating');
    expect(outcome).toEqual({ id: conferenceId, failures: [] });
    const after = await connectionOf(conferenceId);
    expect(after).toMatchObject({
      id: before?.id,
      webhook_secret: before?.webhook_secret,
      publishable_key: 'pk_test_1',
      days_until_due: 14,
    });
    expect(after?.secret_key).not.toBe(before?.secret_key);
  });

  test('may be due today, and says so until it is told another day', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId);
    expect(await connectionOf(conferenceId)).toMatchObject({ publishable_key: null, days_until_due: 30 });
    await configure(conferenceId, { daysUntilDue: 0 });
    await configure(conferenceId);
    expect(await connectionOf(conferenceId)).toMatchObject({ days_until_due: 0 });
  });

  test('may change to another account as long as it has no invoice, with the secret of the endpoint there', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId, { publishableKey: 'pk_test_1', daysUntilDue: 14 });
    await bench.sql("update stripe_connection set swept_until = now(), sweep_error = 'why' where conference_id = ?", [
      conferenceId,
    ]);
    expect(await configure(conferenceId, { secretKey: OTHER_KEY, webhookSecret: '' })).toMatchObject({
      failures: [{ code: 'INVALID', path: ['webhookSecret'] }],
    });

    expect(await configure(conferenceId, { secretKey: OTHER_KEY })).toEqual({ id: conferenceId, failures: [] });

    expect(await connectionOf(conferenceId)).toMatchObject({
      account_id: OTHER_ACCOUNT,
      account_name: 'Other Co',
      publishable_key: null,
      days_until_due: 14,
      swept_until: null,
      sweep_error: null,
    });
  });

  test('cannot change to another account while it has a live invoice', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId);
    await bench.stripeInvoicedOrder({ conferenceId });
    expect(await configure(conferenceId, { secretKey: OTHER_KEY })).toMatchObject({
      id: null,
      failures: [{ code: 'ACCOUNT_MISMATCH', path: ['secretKey'] }],
    });
    expect(await connectionOf(conferenceId)).toMatchObject({ account_id: bench.stripe.account.accountId });
    expect(await configure(conferenceId)).toEqual({ id: conferenceId, failures: [] });
  });

  test('cannot change to another account while an invoice is being claimed', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId);
    const purchaseOrderId = await bench.order({ conferenceId });
    const [creation, change] = await Promise.all([
      createStripeInvoice(bench.process(), { purchaseOrderId }),
      configure(conferenceId, { secretKey: OTHER_KEY }),
    ]);
    expect(creation.failures).toEqual([]);
    const { account_id: account } = await connectionOf(conferenceId);
    expect(account).toBe(change.id === null ? bench.stripe.account.accountId : OTHER_ACCOUNT);
    expect(await bench.sql('select company_id from invoice where purchase_order_id = ?', [purchaseOrderId])).toEqual([
      { company_id: `TEST:${account}` },
    ]);
  });

  test('cannot change to another account while money stands on a voided invoice, until it is reversed', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId);
    const { id, externalId } = await bench.stripeInvoicedOrder({ conferenceId });
    await bench.sql("update invoice set status = 'VOIDED' where purchase_order_id = ?", [id]);
    await bench.sql(
      `insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note,
         provider_company, provider_payment_id, provider_invoice_id, revision, recorded_by, created_at)
       values ('pay_1', ?, 100, 'STRIPE', 'STRIPE', 'pi_1', '2031-01-01', '', ?, 'inpay_1', ?, 1, 'test', now())`,
      [id, `TEST:${bench.stripe.account.accountId}`, externalId],
    );
    expect(await configure(conferenceId, { secretKey: OTHER_KEY })).toMatchObject({
      failures: [{ code: 'ACCOUNT_MISMATCH' }],
    });
    await bench.sql(
      "insert into payment_reversal (id, payment_id, reason, reversed_by, created_at) values ('rev_1', 'pay_1', 'why', 'test', now())",
    );
    expect(await configure(conferenceId, { secretKey: OTHER_KEY })).toEqual({ id: conferenceId, failures: [] });
  });

  test('has the events that waited for its key looked at now', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId);
    const { id } = await connectionOf(conferenceId);
    await bench.sql(
      `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state,
         attempts, next_attempt_at, received_at, arrival_number)
       values ('evt_wait', 'STRIPE', 'evt_1', ?, 'invoice', 'in_1', 'invoice.paid', '{}', 'RECEIVED', 3,
         now() + interval '1 day', now(), 1)`,
      [id],
    );
    await configure(conferenceId);
    const [{ is_due: isDue }] = await bench.sql(
      "select next_attempt_at <= now() + interval '1 second' as is_due from webhook_event where id = 'evt_wait'",
    );
    expect(isDue).toBe(true);
  });

  test('twice at once becomes one connection', async () => {
    const conferenceId = await newConference();
    const outcomes = await Promise.all([configure(conferenceId), configure(conferenceId), configure(conferenceId)]);
    expect(outcomes).toEqual(outcomes.map(() => ({ id: conferenceId, failures: [] })));
    expect(await bench.sql('select id from stripe_connection where conference_id = ?', [conferenceId])).toHaveLength(1);
  });
});

describe('a key that Stripe refuses', () => {
  test('ends the use of the connection until there is another one', async () => {
    const conferenceId = await newConference();
    await bench.stripe.post('/accounts', { accountId: 'acct_1Rolling', secretKey: 'sk_test_old' });
    await configure(conferenceId, { secretKey: 'sk_test_old' });
    await bench.stripe.patch('/accounts/acct_1Rolling', { secretKey: 'sk_test_new' });
    const purchaseOrderId = await bench.order({ conferenceId });

    const create = () => createStripeInvoice(bench.process(), { purchaseOrderId });
    expect(await create()).toMatchObject({ id: null, failures: [{ code: 'RECONNECT_REQUIRED' }] });
    expect(await connectionOf(conferenceId)).toMatchObject({ status: 'RECONNECT_REQUIRED' });
    await bench.stripe.delete('/requests');
    expect(await create()).toMatchObject({ id: null, failures: [{ code: 'RECONNECT_REQUIRED' }] });
    expect(await bench.stripe.calls()).toEqual([]);

    await configure(conferenceId, { secretKey: 'sk_test_new', webhookSecret: '' });
    expect(await connectionOf(conferenceId)).toMatchObject({ status: 'CONNECTED' });
    expect(await create()).toEqual({ id: purchaseOrderId, failures: [] });
  });

  test('is not used any more, unless it was replaced meanwhile', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId, { secretKey: OTHER_KEY });
    const { id } = await connectionOf(conferenceId);
    const { secrets, waits } = bench.context;
    const keys = new PostgresKeyStore(bench.orm, secrets, waits);
    expect(await keys.secretKeyOf(id)).toBe(OTHER_KEY);

    await keys.refuse(id, 'sk_test_replaced');
    expect(await connectionOf(conferenceId)).toMatchObject({ status: 'CONNECTED' });

    await keys.refuse(id, OTHER_KEY);
    expect(await connectionOf(conferenceId)).toMatchObject({ status: 'RECONNECT_REQUIRED' });
    expect(await keys.secretKeyOf(id)).toBeUndefined();
  });

  test('keeps its operations from the head of the queue', async () => {
    const conferenceId = await newConference();
    await configure(conferenceId);
    const purchaseOrderId = await bench.order({ conferenceId });
    await bench.stripe.fault('POST /finalize', { kind: 'reset', when: 'before' });
    await createStripeInvoice(bench.process(), { purchaseOrderId });
    await bench.sql("update stripe_connection set status = 'RECONNECT_REQUIRED' where conference_id = ?", [
      conferenceId,
    ]);
    await bench.stripe.delete('/requests');
    expect(await resumeOperations(bench.process())).toBe(0);
    expect(await bench.stripe.calls()).toEqual([]);
    await configure(conferenceId, { webhookSecret: '' });
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await resumeOperations(bench.process())).toBe(0);
  });
});
