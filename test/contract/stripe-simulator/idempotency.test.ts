import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, refusal } from './support.js';

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stop());

const create = (name: string, idempotencyKey: string) => bench.stripe.customers.create({ name }, { idempotencyKey });
const customers = async () => (await bench.books()).customers;

describe('An idempotency key', () => {
  test('repeats the first answer, and nothing is done again', async () => {
    const first = await create('One', 'key-1');
    const again = await create('One', 'key-1');
    expect(again).toEqual(first);
    expect(first.lastResponse.headers).toMatchObject({ 'idempotency-key': 'key-1' });
    expect(first.lastResponse.headers).not.toHaveProperty('idempotent-replayed');
    expect(again.lastResponse.headers).toMatchObject({
      'idempotency-key': 'key-1',
      'idempotent-replayed': 'true',
      'original-request': first.lastResponse.requestId,
    });
    expect(again.lastResponse.requestId).not.toBe(first.lastResponse.requestId);
    expect(await customers()).toHaveLength(1);
  });

  test('repeats the first answer although the object has changed', async () => {
    const made = await create('One', 'key-1');
    await bench.stripe.customers.del(made.id);
    expect(await create('One', 'key-1')).toEqual(made);
  });

  test('is refused for other parameters and for another endpoint', async () => {
    await create('One', 'key-1');
    expect(await refusal(create('Two', 'key-1'))).toMatchObject({
      type: 'StripeIdempotencyError',
      rawType: 'idempotency_error',
      statusCode: 400,
      message: expect.stringMatching(/^Keys for idempotent requests can only be used with the same parameters/),
    });
    const { body } = await bench.raw('POST', '/v1/invoices', 'name=One', { 'idempotency-key': 'key-1' });
    expect(body.error).toMatchObject({
      type: 'idempotency_error',
      message: expect.stringContaining("('/v1/invoices' vs '/v1/customers')"),
    });
    expect(await customers()).toHaveLength(1);
  });

  test('knows the same parameters in another order', async () => {
    const send = (form: string) => bench.raw('POST', '/v1/customers', form, { 'idempotency-key': 'key-1' });
    const first = await send('name=One&phone=1');
    expect((await send('phone=1&name=One')).text).toBe(first.text);
  });

  test('keeps a refusal that came after the work had begun', async () => {
    const draft = await bench.draft();
    const refused = await refusal(
      bench.stripe.invoices.sendInvoice(draft.id, undefined, { idempotencyKey: 'key-send' }),
    );
    await bench.item(draft, 100);
    await bench.stripe.invoices.finalizeInvoice(draft.id);
    expect(
      await refusal(bench.stripe.invoices.sendInvoice(draft.id, undefined, { idempotencyKey: 'key-send' })),
    ).toEqual(refused);
    expect((await bench.books()).emails).toEqual([]);
  });

  test('does not keep a refusal of the parameters', async () => {
    const headers = { 'idempotency-key': 'key-1' };
    expect((await bench.raw('POST', '/v1/customers', 'nickname=One', headers)).status).toBe(400);
    expect((await bench.raw('POST', '/v1/customers', 'name=One', headers)).status).toBe(200);
  });

  test('is refused while its first call is under way', async () => {
    await bench.control('POST', '/faults', { kind: 'latency', when: 'before', ms: 300, match: { method: 'POST' } });
    const first = create('One', 'key-1');
    await bench.eventually(async () => (await bench.control('GET', '/requests')).requests.length === 1);
    expect(await refusal(create('One', 'key-1'))).toMatchObject({
      statusCode: 409,
      rawType: 'idempotency_error',
      code: 'idempotency_key_in_use',
    });
    const made = await first;
    expect((await create('One', 'key-1')).id).toBe(made.id);
    expect(await customers()).toHaveLength(1);
  });

  test('is new again after a day, and when it is forgotten', async () => {
    await create('One', 'key-1');
    await bench.control('POST', '/clock', { advanceSeconds: 24 * 3600 - 60 });
    await create('One', 'key-1');
    expect(await customers()).toHaveLength(1);
    await bench.control('POST', '/clock', { advanceSeconds: 60 });
    await create('One', 'key-1');
    expect(await customers()).toHaveLength(2);
    await bench.control('POST', '/forget-idempotency-keys', {});
    await create('One', 'key-1');
    expect(await customers()).toHaveLength(3);
  });

  test('belongs to one account', async () => {
    await bench.control('POST', '/accounts', { accountId: 'acct_second', secretKey: 'sk_test_second' });
    const first = await create('One', 'key-1');
    const other = await bench.client('sk_test_second').customers.create({ name: 'Two' }, { idempotencyKey: 'key-1' });
    expect(other.id).not.toBe(first.id);
  });

  test('can be 255 characters long', async () => {
    await create('One', 'k'.repeat(255));
    expect(await refusal(create('One', 'k'.repeat(256)))).toMatchObject({ statusCode: 400 });
  });
});
