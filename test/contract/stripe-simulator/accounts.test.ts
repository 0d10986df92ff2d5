import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ACCOUNT, Bench, KEY, refusal } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.stop());

describe('An account', () => {
  test('is what its secret key opens', async () => {
    const account = await bench.stripe.accounts.retrieveCurrent();
    expect(account).toMatchObject({
      id: ACCOUNT,
      object: 'account',
      business_profile: { name: 'Conference Demo Co' },
      default_currency: 'usd',
      charges_enabled: true,
    });
    expect(account.lastResponse.headers).toMatchObject({
      'x-simulator': 'stripe',
      'stripe-version': '2026-10-28.endive',
      'request-id': expect.stringMatching(/^req_\w{14}$/),
    });
  });

  test('is not opened by an unknown key', async () => {
    expect(await refusal(bench.client('sk_test_unknown_key').accounts.retrieveCurrent())).toMatchObject({
      type: 'StripeAuthenticationError',
      rawType: 'invalid_request_error',
      statusCode: 401,
      message: 'Invalid API Key provided: sk_test_*******_key',
    });
    const { status, body, headers } = await bench.raw('GET', '/v1/account', '', { authorization: '' });
    expect([status, body.error.type]).toEqual([401, 'invalid_request_error']);
    expect(headers.get('www-authenticate')).toBe('Basic realm="Stripe"');
  });

  test('takes its key as a user name, too', async () => {
    const authorization = `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`;
    const { status, body } = await bench.raw('GET', '/v1/account', '', { authorization });
    expect([status, body.id]).toEqual([200, ACCOUNT]);
  });

  test('has books that no other account sees, until it is deleted', async () => {
    const accountId = 'acct_second';
    await bench.control('POST', '/accounts', { accountId, secretKey: 'sk_test_second' });
    const second = bench.client('sk_test_second');
    const customer = await second.customers.create({ email: 'a@example.com' });
    expect(await refusal(bench.stripe.customers.retrieve(customer.id))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      message: `No such customer: '${customer.id}'`,
    });
    expect((await bench.stripe.customers.list()).data).toEqual([]);
    expect((await bench.books(accountId)).customers).toHaveLength(1);

    await bench.control('PATCH', `/accounts/${accountId}`, { secretKey: 'sk_test_rolled' });
    expect(await refusal(second.customers.list())).toMatchObject({ statusCode: 401 });
    expect((await bench.client('sk_test_rolled').customers.list()).data).toHaveLength(1);

    await bench.control('DELETE', `/accounts/${accountId}`);
    expect(await refusal(bench.client('sk_test_rolled').customers.list())).toMatchObject({ statusCode: 401 });
    const { accounts } = await bench.control('GET', '/accounts');
    expect(accounts.map((account: { accountId: string }) => account.accountId)).toEqual([ACCOUNT]);
  });
});

describe('A call that the provider does not know', () => {
  test('is answered in its own words', async () => {
    const { status, body } = await bench.raw('GET', '/v1/invoices/upcoming/items');
    expect(status).toBe(404);
    expect(body.error).toMatchObject({
      type: 'invalid_request_error',
      message: 'Unrecognized request URL (GET: /v1/invoices/upcoming/items).',
    });
  });

  test.each([
    ['an unknown parameter', 'nickname=x', 'parameter_unknown', 'nickname', 'Received unknown parameter: nickname'],
    [
      'an unknown part',
      'address[zip]=1',
      'parameter_unknown',
      'address[zip]',
      'Received unknown parameter: address[zip]',
    ],
    ['a text for a number', 'balance=ten', 'parameter_invalid_integer', 'balance', 'Invalid integer: ten'],
    ['no address at all', 'email=nobody', undefined, 'email', 'Invalid email address: nobody'],
  ])('and so is %s', async (_name, form, code, param, message) => {
    const { status, body } = await bench.raw('POST', '/v1/customers', form);
    expect(status).toBe(400);
    expect(body.error.code).toBe(code);
    expect(body.error).toMatchObject({ type: 'invalid_request_error', param, message });
    expect((await bench.books()).customers).toEqual([]);
  });

  test('and so is a version whose objects are not modelled', async () => {
    const { status, body } = await bench.raw('GET', '/v1/account', '', { 'stripe-version': '2020-08-27' });
    expect([status, body.error.message]).toEqual([400, 'Invalid Stripe API version: 2020-08-27']);
  });
});
