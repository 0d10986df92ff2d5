import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bench, refusal } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench.stop());

describe('A customer', () => {
  test('keeps what it was given, and can be changed and unset', async () => {
    const made = await bench.stripe.customers.create({
      name: 'Organiser & Söhne',
      email: 'Pay+1@organiser.example',
      address: { line1: '1 Main St', country: 'DE' },
      metadata: { normalized_name: 'organiser & söhne', other: '1' },
    });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^cus_\w{14}$/),
      object: 'customer',
      name: 'Organiser & Söhne',
      email: 'Pay+1@organiser.example',
      address: { line1: '1 Main St', line2: null, city: null, state: null, postal_code: null, country: 'DE' },
      balance: 0,
      livemode: false,
      metadata: { normalized_name: 'organiser & söhne', other: '1' },
    });
    const changed = await bench.stripe.customers.update(made.id, { phone: '1', metadata: { other: '' }, address: '' });
    expect(changed).toMatchObject({ phone: '1', address: null, name: 'Organiser & Söhne' });
    expect(changed.metadata).toEqual({ normalized_name: 'organiser & söhne' });
    expect(await bench.stripe.customers.retrieve(made.id)).toMatchObject({ phone: '1' });
  });

  test('is found by its exact e-mail address, the newest first', async () => {
    const first = await bench.customer({ email: 'same@example.com' });
    const second = await bench.customer({ email: 'same@example.com' });
    await bench.customer({ email: 'Same@example.com' });
    const { data, has_more, url } = await bench.stripe.customers.list({ email: 'same@example.com' });
    expect(data.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect([has_more, url]).toEqual([false, '/v1/customers']);
  });

  test('is listed page by page', async () => {
    const email = 'pages@example.com';
    const made: string[] = [];
    for (let count = 0; count < 3; count += 1) made.unshift((await bench.customer({ email })).id);
    const first = await bench.stripe.customers.list({ email, limit: 2 });
    expect([first.data.map(({ id }) => id), first.has_more]).toEqual([made.slice(0, 2), true]);
    const next = await bench.stripe.customers.list({ email, limit: 2, starting_after: made[1] ?? '' });
    expect([next.data.map(({ id }) => id), next.has_more]).toEqual([made.slice(2), false]);
    const back = await bench.stripe.customers.list({ email, limit: 1, ending_before: made[2] ?? '' });
    expect([back.data.map(({ id }) => id), back.has_more]).toEqual([[made[1]], true]);
    const all = await bench.stripe.customers.list({ email, limit: 1 }).autoPagingToArray({ limit: 10 });
    expect(all.map(({ id }) => id)).toEqual(made);
    expect(await refusal(bench.stripe.customers.list({ limit: 101 }))).toMatchObject({ param: 'limit' });
    expect(await refusal(bench.stripe.customers.list({ starting_after: 'cus_none' }))).toMatchObject({
      code: 'resource_missing',
      param: 'starting_after',
      statusCode: 400,
    });
  });

  test('is known by its id after its deletion, and no longer listed or billed', async () => {
    const { id } = await bench.customer({ email: 'gone@example.com' });
    expect(await bench.stripe.customers.del(id)).toMatchObject({ id, object: 'customer', deleted: true });
    expect(await bench.stripe.customers.retrieve(id)).toMatchObject({ id, deleted: true });
    expect((await bench.stripe.customers.list({ email: 'gone@example.com' })).data).toEqual([]);
    expect(await refusal(bench.draft({ customer: id }))).toMatchObject({ code: 'resource_missing', param: 'customer' });
  });
});
