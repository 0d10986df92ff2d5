import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { ACCOUNT, Bench, type Body, refusal } from './support.js';

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stop());

const arm = (rule: object): Promise<Body> => bench.control('POST', '/faults', rule);
const create = (idempotencyKey: string) => bench.stripe.customers.create({ name: 'One' }, { idempotencyKey });
const count = async (): Promise<number> => (await bench.books()).customers.length;
const log = async (query = ''): Promise<Body[]> => (await bench.control('GET', `/requests${query}`)).requests;

describe('A fault', () => {
  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('%s the commit leaves %d customers behind', async (when, left) => {
    // The SDK itself repeats a call whose connection was closed, once, whatever its settings say.
    await arm({ kind: 'reset', when, times: 2, match: { method: 'POST', path: '/v1/customers' } });
    await expect(create('key-1')).rejects.toBeInstanceOf(Stripe.errors.StripeConnectionError);
    expect(await count()).toBe(left);
    const made = await create('key-1');
    expect(made.lastResponse.headers['idempotent-replayed']).toBe(left === 1 ? 'true' : undefined);
    expect(await count()).toBe(1);
    expect(await log()).toMatchObject([
      { fault: 'reset', faultWhen: when, status: null },
      { fault: 'reset', faultWhen: when, status: null, replayed: when === 'after' },
      { fault: null, status: 200, replayed: when === 'after' },
    ]);
  });

  test('that is a 500 is the result that its key stands for, with or without the work', async () => {
    for (const when of ['before', 'after']) {
      await arm({ kind: '500', when });
      const refused = { type: 'StripeAPIError', rawType: 'api_error', statusCode: 500 };
      expect(await refusal(create(`key-${when}`))).toMatchObject(refused);
      expect(await refusal(create(`key-${when}`))).toMatchObject(refused);
      const { headers } = await bench.raw('POST', '/v1/customers', 'name=One', { 'idempotency-key': `key-${when}` });
      expect([headers.get('idempotent-replayed'), headers.get('stripe-should-retry')]).toEqual(['true', 'false']);
    }
    expect(await count()).toBe(1);
    await create('another key');
    expect(await count()).toBe(2);
  });

  test('that is a 500 does not change what an earlier call was answered', async () => {
    const made = await create('key-1');
    await arm({ kind: '500', when: 'before' });
    expect(await refusal(create('key-1'))).toMatchObject({ statusCode: 500 });
    expect(await create('key-1')).toEqual(made);
  });

  test('of the edge is not kept for the key', async () => {
    await arm({ kind: 'status', status: 503 });
    // What is no JSON has no status for the SDK.
    expect(await refusal(create('key-1'))).toMatchObject({ type: 'StripeAPIError', statusCode: undefined });
    await arm({ kind: '429' });
    expect(await refusal(create('key-1'))).toMatchObject({ type: 'StripeRateLimitError', code: 'rate_limit' });
    await arm({ kind: 'html502' });
    await expect(create('key-1')).rejects.toBeInstanceOf(Stripe.errors.StripeAPIError);
    await arm({ kind: 'error', status: 402, type: 'card_error', code: 'card_declined', message: 'No.', param: 'x' });
    expect(await refusal(create('key-1'))).toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      param: 'x',
    });
    expect(await count()).toBe(0);
    await create('key-1');
    expect(await count()).toBe(1);
  });

  test('cuts an answer off, keeps it back, or never gives it', async () => {
    await arm({ kind: 'truncate', when: 'after' });
    await expect(create('key-1')).rejects.toThrow();
    await arm({ kind: 'timeout', ms: 20, when: 'after', times: 2 });
    await expect(create('key-2')).rejects.toBeInstanceOf(Stripe.errors.StripeConnectionError);
    const begun = performance.now();
    await arm({ kind: 'latency', ms: 100 });
    await create('key-3');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
    expect(await count()).toBe(3);
  });

  test('strikes the calls that it is meant for', async () => {
    const accountId = 'acct_second';
    await bench.control('POST', '/accounts', { accountId, secretKey: 'sk_test_second' });
    await arm({ kind: 'status', skip: 1, match: { accountId, path: '/^\\/v1\\/customers\\?limit=1$/' } });
    const second = bench.client('sk_test_second');
    await bench.stripe.customers.list({ limit: 1 });
    await second.customers.list({ limit: 2 });
    await second.customers.list({ limit: 1 });
    expect((await bench.control('GET', `/faults?accountId=${accountId}`)).faults).toMatchObject([{ skipLeft: 0 }]);
    expect(await refusal(second.customers.list({ limit: 1 }))).toMatchObject({ type: 'StripeAPIError' });
    await second.customers.list({ limit: 1 });
    expect((await bench.control('GET', '/faults')).faults).toEqual([]);
  });
});

describe('Chaos', () => {
  /** What the calls met, with connections that are not repeated by the SDK. */
  async function meet(seed: string): Promise<string[]> {
    await bench.control('POST', '/chaos', { accountId: ACCOUNT, seed, rate: 0.5, ms: 2 });
    await bench.control('DELETE', '/requests');
    for (let call = 0; call < 20; call += 1) {
      await bench.raw('POST', '/v1/customers', `name=${call}`).catch(() => undefined);
    }
    return (await log()).map(({ fault, faultWhen }) => `${fault} ${faultWhen}`);
  }

  test('is the same for the same seed and another one for another', async () => {
    const met = await meet('a');
    expect(met).toHaveLength(20);
    expect(new Set(met).size).toBeGreaterThan(3);
    expect(met).not.toContain('429 after');
    expect(await meet('a')).toEqual(met);
    expect(await meet('b')).not.toEqual(met);
    const struck = met.filter((each) => each !== 'null null').length;
    await meet('a');
    expect((await bench.control('GET', '/chaos')).chaos).toMatchObject([{ calls: 20, struck }]);
    await bench.control('DELETE', '/chaos');
    await bench.customer();
  });
});

describe('The log', () => {
  test('holds what was sent and answered, and no secret key', async () => {
    const made = await create('key-1');
    await bench.stripe.customers.list({ email: 'a@example.com' });
    expect(await refusal(bench.client('sk_test_unknown').customers.list())).toMatchObject({ statusCode: 401 });
    expect(await log('?kind=write')).toMatchObject([
      {
        seq: 1,
        method: 'POST',
        path: '/v1/customers',
        accountId: ACCOUNT,
        kind: 'write',
        idempotencyKey: 'key-1',
        requestId: made.lastResponse.requestId,
        body: 'name=One',
        status: 200,
        replayed: false,
      },
    ]);
    const reads = await log('?kind=read');
    expect(reads).toMatchObject([
      { seq: 2, query: { email: 'a@example.com' }, status: 200 },
      { seq: 3, accountId: null, status: 401 },
    ]);
    expect(JSON.stringify(await log())).not.toContain('sk_test');
    await bench.control('DELETE', `/requests?accountId=${ACCOUNT}`);
    expect(await log()).toHaveLength(1);
  });
});
