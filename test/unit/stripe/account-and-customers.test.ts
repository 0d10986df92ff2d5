import { describe, expect, test } from '@jest/globals';
import { gatewayWith, inTurn, list, ok, refuse, SECRET_KEY } from './stand-in-gateway.js';

const account = {
  id: 'acct_1A2b3C',
  object: 'account',
  email: 'owner@example.org',
  business_profile: { name: 'Conf e.V.' },
  settings: { dashboard: { display_name: 'Conference' } },
};

describe('proving a key', () => {
  test('reads the account that it opens', async () => {
    const { gateway, requests } = await gatewayWith(ok(account));
    expect(await gateway.proveKey('sk_live_another0Key')).toEqual({
      ok: true,
      value: { accountId: 'acct_1A2b3C', accountName: 'Conference', liveMode: true, simulated: false },
      trace: { statusCode: 200, requestId: 'req_ok' },
    });
    expect(requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/v1/account', 'Bearer sk_live_another0Key'],
    ]);
  });

  test('of a simulator says so', async () => {
    const { gateway } = await gatewayWith(ok(account, { 'x-simulator': 'stripe' }));
    expect(await gateway.proveKey(SECRET_KEY)).toMatchObject({ value: { liveMode: false, simulated: true } });
  });

  test.each([
    [{ settings: null }, 'Conf e.V.'],
    [{ settings: null, business_profile: { name: null } }, 'owner@example.org'],
    [{ settings: null, business_profile: null, email: null }, 'acct_1A2b3C'],
  ])('names the account by what it has: %j', async (changes, accountName) => {
    const { gateway } = await gatewayWith(ok({ ...account, ...changes }));
    expect(await gateway.proveKey(SECRET_KEY)).toMatchObject({ value: { accountName } });
  });

  test.each(['acct_with_underscores', `acct_${'a'.repeat(65)}`, 'cus_1'])(
    'of an account whose id (%s) could not be stored fails before anything is',
    async (id) => {
      const { gateway } = await gatewayWith(ok({ ...account, id }));
      expect(await gateway.proveKey(SECRET_KEY)).toMatchObject({ failure: { kind: 'unavailable' } });
    },
  );

  test.each(['', 'pk_test_publishable', 'whsec_abc', 'sk_test_with space', 'sk_live_line\n'])(
    'that is none (%j) is refused without being sent or shown',
    async (key) => {
      const { gateway, requests } = await gatewayWith(ok(account));
      const proven = await gateway.proveKey(key);
      expect(proven).toMatchObject({ failure: { kind: 'rejected', reason: 'validation' } });
      if (key !== '') expect(JSON.stringify(proven)).not.toContain(key);
      expect(requests).toEqual([]);
    },
  );

  test('a key that Stripe refuses', async () => {
    const { gateway } = await gatewayWith(refuse(401, { type: 'invalid_request_error', message: 'Invalid API Key.' }));
    expect(await gateway.proveKey(SECRET_KEY)).toMatchObject({ failure: { kind: 'reconnect_required' } });
  });
});

describe('customers', () => {
  const draft = {
    organizationName: ' ACME\nGmbH ',
    contactName: 'Ada Lovelace',
    email: ' Ada@acme.example ',
    billingAddress: 'Street 1\r\n12345 Town\n\nGermany',
    normalizedName: 'acme gmbh',
  };

  test('are created with what is known of them, under our key', async () => {
    const answer = ok({
      id: 'cus_1',
      name: 'ACME GmbH',
      email: 'Ada@acme.example',
      metadata: { normalized_name: 'acme gmbh' },
    });
    const { gateway, requests } = await gatewayWith(answer);
    const created = await gateway.createCustomer('con_1', gateway.prepareCustomer(draft), 'link_1');
    expect(created).toMatchObject({
      ok: true,
      value: { externalId: 'cus_1', name: 'ACME GmbH', email: 'Ada@acme.example', normalizedName: 'acme gmbh' },
    });
    expect(requests[0]?.headers['idempotency-key']).toBe('link_1');
    expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
      name: 'ACME GmbH',
      email: 'Ada@acme.example',
      description: 'Contact: Ada Lovelace',
      'address[line1]': 'Street 1',
      'address[line2]': '12345 Town, Germany',
      'metadata[normalized_name]': 'acme gmbh',
    });
  });

  test('what is not known is left out, and what is too long is cut', async () => {
    const { gateway } = await gatewayWith(ok({}));
    const body = gateway.prepareCustomer({
      ...draft,
      organizationName: 'o'.repeat(300),
      contactName: ' ',
      billingAddress: '',
    });
    expect(JSON.parse(body)).toEqual({
      name: 'o'.repeat(256),
      email: 'Ada@acme.example',
      metadata: { normalized_name: 'acme gmbh' },
    });
  });

  test('one is read by its id', async () => {
    const { gateway, requests } = await gatewayWith(ok({ id: 'cus_1', name: 'ACME', email: null, metadata: {} }));
    expect(await gateway.findCustomer('con_1', 'cus_1')).toMatchObject({
      ok: true,
      value: { externalId: 'cus_1', name: 'ACME' },
    });
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /v1/customers/cus_1']);
  });

  test.each([
    ['was deleted', ok({ id: 'cus_1', object: 'customer', deleted: true })],
    [
      'the account never had',
      refuse(404, {
        type: 'invalid_request_error',
        code: 'resource_missing',
        param: 'id',
        message: 'No such customer',
      }),
    ],
  ])('one that %s is not found', async (_what, answer) => {
    const { gateway } = await gatewayWith(answer);
    expect(await gateway.findCustomer('con_1', 'cus_1')).toMatchObject({ ok: true, value: undefined });
  });

  test('one in the other mode is not gone', async () => {
    const message = "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used";
    const { gateway } = await gatewayWith(
      refuse(404, { type: 'invalid_request_error', code: 'resource_missing', param: 'id', message }),
    );
    expect(await gateway.findCustomer('con_1', 'cus_1')).toMatchObject({ failure: { reason: 'bad_reference' } });
  });

  test('are found by their exact address, over all pages, newest first', async () => {
    const { gateway, requests } = await gatewayWith(
      inTurn(
        ok({ data: [{ id: 'cus_3', name: null, email: 'a+b@acme.example', metadata: {} }], has_more: true }),
        ok(list({ id: 'cus_2', name: 'ACME', email: 'a+b@acme.example', metadata: { normalized_name: 'acme' } })),
      ),
    );
    expect(await gateway.findCustomers('con_1', 'a+b@acme.example')).toMatchObject({
      value: [
        { externalId: 'cus_3', name: undefined, normalizedName: undefined },
        { externalId: 'cus_2', name: 'ACME', normalizedName: 'acme' },
      ],
    });
    expect(requests.map(({ url }) => url)).toEqual([
      '/v1/customers?email=a%2Bb%40acme.example&limit=100',
      '/v1/customers?email=a%2Bb%40acme.example&limit=100&starting_after=cus_3',
    ]);
  });
});
