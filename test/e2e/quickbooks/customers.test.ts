import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { createOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { books, countCalls, createConference, createInvoicedOrder, holdWebhooks, invoiceOrder } from './steps.js';

let app: TestApp;
/** The second conference invoices in euros, in the same company. */
let euroConference: string;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
  euroConference = await createConference(app, { realmId: app.quickbooks.realmId, currencyCode: 'EUR' });
});

beforeEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

/** What another program does in QuickBooks, with a token of its own. */
async function writeToBooks(resource: string, body: Record<string, unknown>): Promise<Data> {
  const { realmId, simulator } = app.quickbooks;
  const { accessToken } = await app.quickbooks.post('/tokens', { realmId });
  const response = await fetch(`${simulator.baseUrl}/v3/company/${realmId}/${resource}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      accept: 'application/json',
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

async function createCustomer(DisplayName: string, currency = 'USD'): Promise<Data> {
  return (await writeToBooks('customer', { DisplayName, CurrencyRef: { value: currency } })).Customer;
}

async function deactivate({ Id, SyncToken }: Data): Promise<void> {
  await writeToBooks('customer', { Id, SyncToken, sparse: true, Active: false });
}

async function customerNames(): Promise<string[]> {
  return (await books(app)).customers.map((customer: Data) => customer.DisplayName);
}

/** The customer that an order's invoice was made out to. */
async function customerOf({ qboInvoiceId }: Data): Promise<Data> {
  const { invoices, customers } = await books(app);
  const invoice = invoices.find(({ Id }: Data) => Id === qboInvoiceId);
  return customers.find(({ Id }: Data) => Id === invoice.CustomerRef.value);
}

describe('finding the customer', () => {
  test('an existing customer of that name is used, whatever its case', async () => {
    const existing = await createCustomer('Existing Customer GmbH');
    const before = (await customerNames()).length;
    const order = await createInvoicedOrder(app, { organizationName: 'EXISTING customer GmbH' });
    expect((await customerOf(order)).Id).toBe(existing.Id);
    expect(await customerNames()).toHaveLength(before);
  });

  test('spellings that differ in case, width or spacing are one customer without asking QuickBooks', async () => {
    const first = await createInvoicedOrder(app, { organizationName: 'Normal  Spelling Ltd' });
    const second = await createOrder(app, { organizationName: '  NORMAL spelling   ltd' });
    const third = await createOrder(app, { organizationName: 'Ｎormal Spelling Ltd' });
    const { result, reads, writes } = await countCalls(app, async () => [
      await invoiceOrder(app, second.id),
      await invoiceOrder(app, third.id),
    ]);
    expect(reads).toEqual([]);
    expect(writes.map(({ path }) => path.split('/').at(-1))).toEqual(['invoice', 'invoice']);
    const ids = [first, ...result.map(({ purchaseOrder }) => purchaseOrder)].map(customerOf);
    expect(new Set((await Promise.all(ids)).map(({ Id }) => Id)).size).toBe(1);
  });

  test('W-Q23: an inactive customer is not used, and its name is free for a new one', async () => {
    const inactive = await createCustomer('Sleeping Ltd');
    await deactivate(inactive);
    const order = await createInvoicedOrder(app, { organizationName: 'Sleeping Ltd' });
    const used = await customerOf(order);
    expect(used).toMatchObject({ DisplayName: 'Sleeping Ltd', Active: true });
    expect(used.Id).not.toBe(inactive.Id);
  });

  test('W-Q23: a name that a vendor bears leads to the next candidate', async () => {
    const { result, writes } = await countCalls(app, () =>
      createInvoicedOrder(app, { organizationName: 'Vendor Only Ltd' }),
    );
    expect(writes.map(({ path, status }) => [path.split('/').at(-1), status])).toEqual([
      ['customer', 400],
      ['customer', 200],
      ['invoice', 200],
    ]);
    expect((await customerOf(result)).DisplayName).toBe('Vendor Only Ltd (USD)');
    const [refused, made] = writes;
    expect(refused.requestid).not.toBe(made.requestid);
  });

  test('W-Q23: an organisation that orders in a second currency gets a second customer, named after it', async () => {
    const organizationName = 'Two Currencies SA';
    const dollars = await createInvoicedOrder(app, { organizationName });
    const euros = await createInvoicedOrder(app, { organizationName, conferenceId: euroConference });
    expect(await customerOf(dollars)).toMatchObject({ DisplayName: organizationName, CurrencyRef: { value: 'USD' } });
    expect(await customerOf(euros)).toMatchObject({
      DisplayName: `${organizationName} (EUR)`,
      CurrencyRef: { value: 'EUR' },
    });
    const again = await createInvoicedOrder(app, { organizationName, conferenceId: euroConference });
    expect((await customerOf(again)).Id).toBe((await customerOf(euros)).Id);
  });

  test('W-Q23: what is known of the buyer goes into a new customer', async () => {
    const order = await createInvoicedOrder(app, {
      organizationName: 'Described & Sons',
      contactName: 'Dora Described',
      contactEmail: 'dora@described.example',
      billingAddress: '5 Long Lane\nLondon',
    });
    expect(await customerOf(order)).toMatchObject({
      DisplayName: 'Described & Sons',
      CompanyName: 'Described & Sons',
      GivenName: 'Dora Described',
      PrintOnCheckName: 'Described & Sons',
      PrimaryEmailAddr: { Address: 'dora@described.example' },
      BillAddr: { Line1: '5 Long Lane', Line2: 'London' },
    });
  });

  test('a customer that was deactivated later is replaced after one refusal', async () => {
    const organizationName = 'Deactivated Later Ltd';
    const first = await createInvoicedOrder(app, { organizationName });
    await deactivate(await customerOf(first));
    const second = await createOrder(app, { organizationName });
    expect((await invoiceOrder(app, second.id)).userErrors).toMatchObject([
      { code: 'QBO_REJECTED', faultCode: '2500' },
    ]);
    const again = await invoiceOrder(app, second.id);
    expect(again.userErrors).toEqual([]);
    expect((await customerOf(again.purchaseOrder)).Id).not.toBe((await customerOf(first)).Id);
  });
});

describe('names that are hard to ask for', () => {
  test.each([
    ['a trailing backslash', 'Acme\\', 'Acme\\'],
    ['query syntax', "x\\' AND Active = true AND DisplayName = 'Vendor Only Ltd", undefined],
    ['an apostrophe', "Amy's Bird Sanctuary", "Amy's Bird Sanctuary"],
    ['quotes and percent signs', '"100 %" & Söhne + Co', '"100 %" & Söhne + Co'],
    ['a colon', 'Parent:Child Ltd', 'Parent Child Ltd'],
    ['nothing QuickBooks allows', ':::', 'Unnamed organisation'],
    ['typographic characters and emoji', 'L’Été – “Fête” 🎉', 'L’Été – “Fête” 🎉'],
  ])('W-Q22: an organisation with %s gets a customer of its own', async (_what, organizationName, displayName) => {
    const order = await createInvoicedOrder(app, { organizationName });
    expect((await customerOf(order)).DisplayName).toBe(displayName ?? organizationName);
    const again = await createInvoicedOrder(app, { organizationName });
    expect((await customerOf(again)).Id).toBe((await customerOf(order)).Id);
    await app.sql('delete from qbo_customer');
    const relinked = await createInvoicedOrder(app, { organizationName });
    expect((await customerOf(relinked)).Id).toBe((await customerOf(order)).Id);
  });

  test('when others bear every candidate name, it is QBO_REJECTED and no invoice is made', async () => {
    const organizationName = 'Crowded Name Ltd';
    for (const suffix of ['', ' (USD)', ' (2)', ' (3)', ' (4)']) await createCustomer(organizationName + suffix, 'GBP');
    const order = await createOrder(app, { organizationName });
    const { result, writes } = await countCalls(app, () => invoiceOrder(app, order.id));
    expect(result).toMatchObject({
      purchaseOrder: null,
      userErrors: [{ code: 'QBO_REJECTED', message: expect.stringContaining(organizationName) }],
    });
    expect(writes).toEqual([]);
  });

  test('a name of 300 characters is kept whole', async () => {
    const organizationName = 'Ö'.repeat(300);
    const order = await createInvoicedOrder(app, { organizationName });
    expect((await customerOf(order)).DisplayName).toBe(organizationName);
  });
});

describe('at the same time', () => {
  test.each([2, 6])('%i orders of one new organisation make one customer and an invoice each', async (count) => {
    const organizationName = `Simultaneous ${count}`;
    const orders = await Promise.all(Array.from({ length: count }, () => createOrder(app, { organizationName })));
    await app.quickbooks.post('/faults', { kind: 'latency', ms: 300, match: { path: '/customer?' } });
    const { result: answers, writes } = await countCalls(app, () =>
      Promise.all(orders.map(({ id }) => invoiceOrder(app, id))),
    );
    expect(answers.map(({ userErrors }) => userErrors)).toEqual(Array(count).fill([]));
    expect(writes.filter(({ path }) => path.endsWith('/customer'))).toHaveLength(1);
    expect(writes.filter(({ path }) => path.endsWith('/invoice'))).toHaveLength(count);
    expect((await customerNames()).filter((name) => name.startsWith(organizationName))).toEqual([organizationName]);
  });
});
