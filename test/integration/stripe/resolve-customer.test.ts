import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { die, ProcessDied } from '../../support/workbench.js';
import { billed, invoiceRows, leftBehind, NOTHING, operations, PAYABLE } from './stripe-orders.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

beforeEach(async () => {
  await bench.stripe.delete('/faults');
  await bench.stripe.delete('/requests');
});

afterAll(() => bench.stop());

const create = (purchaseOrderId: string) => createStripeInvoice(bench.process(), { purchaseOrderId });

let organizations = 0;

/** An order of an organisation and with an address that no other test knows. */
async function newcomer(fields: Data = {}): Promise<{ id: string; organizationName: string; contactEmail: string }> {
  organizations += 1;
  const organizationName = fields.organizationName ?? `Newcomer ${organizations} Ltd`;
  const contactEmail = fields.contactEmail ?? `ap-${organizations}@example.com`;
  return { id: await bench.order({ ...fields, organizationName, contactEmail }), organizationName, contactEmail };
}

/** Somebody else puts a customer into the account, e.g. the ticket shop. */
function existing(name: string, email: string, metadata: Record<string, string> = {}): Promise<Data> {
  const tagged = Object.entries(metadata).map(([key, value]) => [`metadata[${key}]`, value]);
  return bench.stripe.api('POST', '/v1/customers', { name, email, ...Object.fromEntries(tagged) });
}

async function customersWith(email: string): Promise<Data[]> {
  const { customers } = await bench.stripe.books();
  return customers.filter((customer: Data) => customer.email?.toLowerCase() === email.toLowerCase());
}

async function customerOf(purchaseOrderId: string): Promise<string> {
  const [invoice] = await billed(bench, purchaseOrderId);
  return invoice?.customer;
}

const UNKNOWN = { id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] };

describe('W-S8: the customer of an order', () => {
  test("is never an attendee's own, although it bears the same address", async () => {
    const order = await newcomer();
    const attendee = await existing('Ada Lovelace', order.contactEmail);

    expect(await create(order.id)).toMatchObject({ failures: [] });

    const [first, second, ...others] = await customersWith(order.contactEmail);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ id: attendee.id, name: 'Ada Lovelace' });
    expect(second).toMatchObject({
      name: order.organizationName,
      metadata: { normalized_name: order.organizationName.toLowerCase() },
    });
    expect(await customerOf(order.id)).toBe(second?.id);
  });

  test('is the one that bears the address and the name, however it is spelt', async () => {
    const order = await newcomer();
    await existing('Somebody Else', order.contactEmail);
    const known = await existing(`  ${order.organizationName.toUpperCase()}`, order.contactEmail);
    await existing('Yet Another', order.contactEmail);

    await create(order.id);

    expect(await customerOf(order.id)).toBe(known.id);
    expect(await customersWith(order.contactEmail)).toHaveLength(3);
  });

  test('is the one that bears our mark, although it was renamed', async () => {
    const order = await newcomer();
    const marked = { normalized_name: order.organizationName.toLowerCase() };
    const known = await existing('Renamed Inc', order.contactEmail, marked);
    await existing(order.organizationName, order.contactEmail);

    await create(order.id);

    expect(await customerOf(order.id)).toBe(known.id);
  });

  test('is found also when the address is written in capitals', async () => {
    const { organizationName, contactEmail } = await newcomer();
    const known = await existing(organizationName, contactEmail);
    const id = await bench.order({ organizationName, contactEmail: contactEmail.toUpperCase() });

    await create(id);

    expect(await customerOf(id)).toBe(known.id);
  });

  test('is remembered: the next order of the organisation and address looks nobody up', async () => {
    const first = await newcomer();
    await create(first.id);
    await bench.stripe.delete('/requests');
    const second = await newcomer({
      organizationName: first.organizationName.toUpperCase(),
      contactEmail: first.contactEmail.toUpperCase(),
    });

    await create(second.id);

    expect(await bench.stripe.calls('?kind=read')).toEqual([]);
    expect(await customerOf(second.id)).toBe(await customerOf(first.id));
  });

  test('is another one for another address of the same organisation', async () => {
    const first = await newcomer();
    const second = await newcomer({ organizationName: first.organizationName });
    await create(first.id);
    await create(second.id);
    expect(await customerOf(second.id)).not.toBe(await customerOf(first.id));
  });

  test('that was deleted is forgotten, and the next call finds or makes another one', async () => {
    const first = await newcomer();
    await create(first.id);
    const deleted = await customerOf(first.id);
    await bench.stripe.api('DELETE', `/v1/customers/${deleted}`);
    const second = await newcomer(first);

    expect(await create(second.id)).toMatchObject({ id: null, failures: [{ code: 'STRIPE_REJECTED' }] });
    expect(await leftBehind(bench, second.id)).toEqual(NOTHING);

    expect(await create(second.id)).toEqual({ id: second.id, failures: [] });
    expect(await customerOf(second.id)).not.toBe(deleted);
    expect(await billed(bench, second.id)).toMatchObject([PAYABLE]);
  });
});

test('W-S8: the invoice of a customer that somebody else made names the contact and address of its order', async () => {
  const order = await newcomer({ contactName: 'Ada Lovelace', billingAddress: '1 Main Street\n12345 Springfield' });
  const known = await existing(order.organizationName, order.contactEmail);

  await create(order.id);

  expect(await billed(bench, order.id)).toMatchObject([
    {
      customer: known.id,
      footer: `Bench\nBill to:\n${order.organizationName}\nAda Lovelace\n1 Main Street\n12345 Springfield`,
    },
  ]);
  expect(await customersWith(order.contactEmail)).toMatchObject([{ address: null }]);
});

test('ten orders of a new organisation at once make one customer', async () => {
  const first = await newcomer();
  const orders = [first, ...(await Promise.all(Array.from({ length: 9 }, () => newcomer(first))))];
  await Promise.all(orders.map(({ id }) => create(id)));
  // Stripe refuses a key that it is at work on: those orders go on in the background.
  await bench.later(60_000);
  await resumeOperations(bench.process());
  for (const { id } of orders) expect(await billed(bench, id)).toMatchObject([PAYABLE]);
  expect(await customersWith(first.contactEmail)).toHaveLength(1);
});

const BROKEN = [
  ['the connection is cut', { kind: 'reset' }],
  ['the answer is cut off half way', { kind: 'truncate' }],
  ['the answer is status 503 without a word', { kind: 'status', status: 503 }],
] as const;

describe.each(BROKEN)('W-S7: when a customer is created and %s', (_what, fault) => {
  test.each(['before', 'after'])('%s Stripe committed, there is one customer in the end', async (when) => {
    const order = await newcomer();
    await bench.stripe.fault('POST /v1/customers', { ...fault, when });

    expect(await create(order.id)).toMatchObject(UNKNOWN);
    expect(await billed(bench, order.id)).toEqual([]);

    expect(await create(order.id)).toEqual({ id: order.id, failures: [] });
    expect(await customersWith(order.contactEmail)).toHaveLength(1);
    expect(await billed(bench, order.id)).toMatchObject([PAYABLE]);
  });

  test.each(['before', 'after'])('%s Stripe committed, the background goes on', async (when) => {
    const order = await newcomer();
    await bench.stripe.fault('POST /v1/customers', { ...fault, when });
    await create(order.id);
    expect(await resumeOperations(bench.process())).toBe(0);
    await bench.later(bench.context.waits.lookUpBackOffMs);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await customersWith(order.contactEmail)).toHaveLength(1);
    expect(await billed(bench, order.id)).toMatchObject([PAYABLE]);
  });

  test.each(['before', 'after'])(
    '%s Stripe committed and nobody asks for 16 minutes, it is looked up first',
    async (when) => {
      const order = await newcomer();
      await bench.stripe.fault('POST /v1/customers', { ...fault, when });
      await create(order.id);
      await bench.later(16 * 60_000);
      await bench.stripe.delete('/requests');

      expect(await create(order.id)).toEqual({ id: order.id, failures: [] });

      expect((await bench.stripe.calls())[0]).toBe('GET /v1/customers');
      expect(await customersWith(order.contactEmail)).toHaveLength(1);
    },
  );
});

test('an internal error that Stripe repeats under the same key is got over by a new key, after a look-up', async () => {
  const order = await newcomer();
  await bench.stripe.fault('POST /v1/customers', { kind: '500', when: 'before' });
  expect(await create(order.id)).toMatchObject(UNKNOWN);
  expect(await create(order.id)).toMatchObject(UNKNOWN);
  expect(await operations(bench, order.id)).toMatchObject([{ state: 'CLAIMED', attempts: 0 }]);
  await bench.later(16 * 60_000);
  expect(await create(order.id)).toEqual({ id: order.id, failures: [] });
  expect(await customersWith(order.contactEmail)).toHaveLength(1);
});

test('a process that dies after the customer was made leaves one customer', async () => {
  const order = await newcomer();
  const dying = bench.withBilling({
    createCustomer: async (...args) => {
      await bench.context.billing.createCustomer(...args);
      return die();
    },
  });
  await expect(createStripeInvoice(dying, { purchaseOrderId: order.id })).rejects.toThrow(ProcessDied);
  await bench.later(bench.context.waits.operationLeaseMs);
  await resumeOperations(bench.process());
  expect(await customersWith(order.contactEmail)).toHaveLength(1);
  expect(await billed(bench, order.id)).toMatchObject([PAYABLE]);
});

test('a customer that Stripe refuses leaves nothing behind and is worded anew by the next call', async () => {
  const order = await newcomer();
  await bench.stripe.fault('POST /v1/customers', { kind: 'error', message: 'No such address', code: 'email_invalid' });
  expect(await create(order.id)).toMatchObject({
    id: null,
    failures: [{ code: 'STRIPE_REJECTED', stripeCode: 'email_invalid' }],
  });
  expect(await leftBehind(bench, order.id)).toEqual(NOTHING);
  expect(await bench.sql('select * from stripe_customer where email = ?', [order.contactEmail])).toEqual([]);
  expect(await create(order.id)).toMatchObject({ failures: [] });
});

test('customers that cannot be looked up: nothing was done and nothing is left', async () => {
  const order = await newcomer();
  await bench.stripe.fault('GET /v1/customers', { kind: 'reset' });
  expect(await create(order.id)).toMatchObject({ id: null, failures: [{ code: 'STRIPE_UNAVAILABLE' }] });
  expect(await leftBehind(bench, order.id)).toEqual(NOTHING);
  expect(await invoiceRows(bench, order.id)).toEqual([]);
});
