import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createOrder, readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import {
  countCalls,
  createInvoicedOrder,
  holdWebhooks,
  invoiceOrder,
  invoicesInBooks,
  operationsOf,
  sendInvoice,
} from './steps.js';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
});

beforeEach(() => app.quickbooks.delete('/faults'));

afterAll(() => app.stop());

async function auditedEmails(orderId: string): Promise<string[]> {
  const rows = await app.sql<{ email: string }>(
    "select after->>'email' as email from audit_event where subject = $1 and action = 'invoice.emailed' order by id",
    [orderId],
  );
  return rows.map(({ email }) => email);
}

test('QuickBooks e-mails the invoice to the contact', async () => {
  const order = await createInvoicedOrder(app, { contactEmail: 'ap+events@buyer.example' });
  const { result, reads, writes } = await countCalls(app, () => sendInvoice(app, order.id));
  expect(result.userErrors).toEqual([]);
  expect(result.purchaseOrder).toMatchObject({
    status: 'SENT',
    qboInvoiceId: order.qboInvoiceId,
    qboInvoice: { emailStatus: 'SENT', total: { amount: '1475.00' }, status: 'OPEN' },
  });
  expect(reads).toEqual([]);
  expect(writes).toMatchObject([
    {
      method: 'POST',
      path: `/v3/company/${app.quickbooks.realmId}/invoice/${order.qboInvoiceId}/send`,
      query: { sendTo: 'ap+events@buyer.example' },
      body: '',
    },
  ]);
  const [invoice] = await invoicesInBooks(app, order.reference);
  expect(invoice).toMatchObject({ EmailStatus: 'EmailSent', BillEmail: { Address: 'ap+events@buyer.example' } });
  expect(await auditedEmails(order.id)).toEqual(['ap+events@buyer.example']);
});

test('another address is used when one is given', async () => {
  const order = await createInvoicedOrder(app);
  const { writes } = await countCalls(app, () => sendInvoice(app, order.id, { email: 'boss@buyer.example' }));
  expect(writes[0].query.sendTo).toBe('boss@buyer.example');
  expect(await auditedEmails(order.id)).toEqual(['boss@buyer.example']);
});

test.each(['nobody', 'a@b', 'two@buyer.example, three@buyer.example', 'x@y.example\nBcc: z@y.example', ''])(
  'the address %j is INVALID and nothing is e-mailed',
  async (email) => {
    const order = await createInvoicedOrder(app);
    const { result, writes } = await countCalls(app, () => sendInvoice(app, order.id, { email }));
    expect(result).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'INVALID', path: ['email'] }] });
    expect(writes).toEqual([]);
    expect(await readOrder(app, order.id)).toMatchObject({ qboInvoice: { emailStatus: 'NOT_SENT' } });
  },
);

test('sending twice sends two e-mails, each with a request id of its own', async () => {
  const order = await createInvoicedOrder(app);
  const { writes } = await countCalls(app, async () => {
    expect((await sendInvoice(app, order.id)).userErrors).toEqual([]);
    expect((await sendInvoice(app, order.id)).userErrors).toEqual([]);
  });
  expect(writes).toHaveLength(2);
  expect(new Set(writes.map(({ requestid }) => requestid)).size).toBe(2);
  expect(writes.map(({ replayed }) => replayed)).toEqual([false, false]);
  expect(await auditedEmails(order.id)).toHaveLength(2);
});

test('two calls at the same time send one e-mail, and the other one is told so', async () => {
  const order = await createInvoicedOrder(app);
  await app.quickbooks.post('/faults', { kind: 'latency', ms: 400, match: { path: '/send' } });
  const { result, writes } = await countCalls(app, () =>
    Promise.all([sendInvoice(app, order.id), sendInvoice(app, order.id)]),
  );
  expect(result.map(({ userErrors }) => userErrors[0]?.code).toSorted()).toEqual(['IN_PROGRESS', undefined]);
  expect(writes).toHaveLength(1);
});

test('W-Q15: an e-mail that fails leaves the invoice as it is and can be sent again', async () => {
  const order = await createInvoicedOrder(app);
  await app.quickbooks.post('/faults', {
    kind: 'fault',
    code: '6000',
    detail: 'The sandbox limit of 40 e-mails a day is reached.',
    match: { path: '/send' },
  });
  const failed = await sendInvoice(app, order.id);
  expect(failed).toMatchObject({
    purchaseOrder: null,
    userErrors: [{ code: 'QBO_REJECTED', faultCode: '6000', statusCode: 400 }],
  });
  expect(await readOrder(app, order.id)).toEqual(order);
  const { result, writes } = await countCalls(app, () => sendInvoice(app, order.id));
  expect(result).toMatchObject({ userErrors: [], purchaseOrder: { qboInvoice: { emailStatus: 'SENT' } } });
  expect(writes).toHaveLength(1);
  expect(await invoicesInBooks(app, order.reference)).toHaveLength(1);
});

test('an e-mail of which nobody knows whether it went out is settled by reading the invoice', async () => {
  const order = await createInvoicedOrder(app);
  await app.quickbooks.post('/faults', { kind: 'html502', when: 'after', match: { path: '/send' } });
  const { result, reads, writes } = await countCalls(app, async () => [
    await sendInvoice(app, order.id),
    await sendInvoice(app, order.id),
  ]);
  expect(result.map(({ userErrors }) => userErrors[0]?.code)).toEqual(['OUTCOME_UNKNOWN', undefined]);
  expect(writes).toHaveLength(1);
  expect(reads.map(({ path }) => path)).toEqual([
    `/v3/company/${app.quickbooks.realmId}/invoice/${order.qboInvoiceId}`,
  ]);
  expect(await auditedEmails(order.id)).toHaveLength(1);
});

test('after an unknown outcome another address gets an e-mail of its own', async () => {
  const order = await createInvoicedOrder(app);
  await app.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/send' } });
  const { result, writes } = await countCalls(app, async () => [
    await sendInvoice(app, order.id, { email: 'first@buyer.example' }),
    await sendInvoice(app, order.id, { email: 'second@buyer.example' }),
  ]);
  expect(result.map(({ userErrors }) => userErrors[0]?.code)).toEqual(['OUTCOME_UNKNOWN', undefined]);
  expect(writes.map(({ query }) => query.sendTo)).toEqual(['first@buyer.example', 'second@buyer.example']);
  expect(writes[0].requestid).not.toBe(writes[1].requestid);
  expect(await auditedEmails(order.id)).toEqual(['second@buyer.example']);
});

test('an order without an invoice is NO_QBO_INVOICE, one that does not exist NOT_FOUND', async () => {
  const order = await createOrder(app);
  const { result, writes } = await countCalls(app, async () => [
    await sendInvoice(app, order.id),
    await sendInvoice(app, 'po_nothing'),
  ]);
  expect(result).toMatchObject([
    { purchaseOrder: null, userErrors: [{ code: 'NO_QBO_INVOICE' }] },
    { purchaseOrder: null, userErrors: [{ code: 'NOT_FOUND' }] },
  ]);
  expect(writes).toEqual([]);
  expect(await operationsOf(app, order.id)).toEqual([]);
});

test('an invoice that is being created is IN_PROGRESS', async () => {
  const order = await createOrder(app);
  await app.quickbooks.post('/faults', { kind: 'latency', ms: 600, match: { path: '/invoice?' } });
  const creating = invoiceOrder(app, order.id);
  let answer = await sendInvoice(app, order.id);
  while (answer.userErrors[0]?.code === 'NO_QBO_INVOICE') answer = await sendInvoice(app, order.id);
  expect(answer).toMatchObject({ purchaseOrder: null, userErrors: [{ code: 'IN_PROGRESS' }] });
  expect((await creating).userErrors).toEqual([]);
});

test('the e-mail of an invoice that was deleted in QuickBooks is refused with its fault', async () => {
  const order = await createInvoicedOrder(app);
  const { realmId } = app.quickbooks;
  await app.quickbooks.post('/delete-invoice', { realmId, invoiceId: order.qboInvoiceId });
  expect(await sendInvoice(app, order.id)).toMatchObject({
    purchaseOrder: null,
    userErrors: [{ code: 'QBO_REJECTED', faultCode: '610' }],
  });
});
