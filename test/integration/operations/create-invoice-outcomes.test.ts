import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
});

afterAll(() => bench.stop());

async function referenceOf(id: string): Promise<string> {
  return (await bench.sql('select reference from purchase_order where id = ?', [id]))[0].reference;
}

async function booked(id: string): Promise<Data[]> {
  const reference = await referenceOf(id);
  const { invoices } = await bench.books();
  return invoices.filter((invoice: Data) => invoice.PrivateNote.includes(reference));
}

async function operations(subject: string): Promise<Data[]> {
  return bench.sql('select * from provider_operation where subject = ? order by generation', [subject]);
}

async function invoiceRows(id: string): Promise<Data[]> {
  return bench.sql('select * from invoice where purchase_order_id = ? order by id', [id]);
}

async function sentInvoices(): Promise<Data[]> {
  const writes = await bench.quickbooks.requests('?kind=write');
  return writes.filter(({ path }) => path.endsWith('/invoice'));
}

/** Everything a mutation can leave behind for an order, which must be nothing. */
async function leftBehind(id: string): Promise<Data> {
  const open = await bench.sql(
    "select id from provider_operation where subject = ? and state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')",
    [id],
  );
  return { invoices: await invoiceRows(id), open };
}

const NOTHING = { invoices: [], open: [] };

const BROKEN = [
  ['the connection is cut', { kind: 'reset' }],
  ['the answer is cut off half way', { kind: 'truncate' }],
  ['the answer is an HTML page with status 502', { kind: 'html502' }],
  ['the answer is a system failure with status 500', { kind: 'fault', code: '10000' }],
  ['the answer is status 503 without a word', { kind: 'status', status: 503 }],
  ['the answer is an empty 200', { kind: 'empty' }],
  ['the answer is half a JSON document under 200', { kind: 'garbage' }],
  ['no answer comes in time', { kind: 'timeout', ms: 3000 }],
] as const;

describe.each(BROKEN)('W-Q14: when %s', (_what, fault) => {
  test.each(['before', 'after'])(
    '%s QuickBooks committed, asking again ends with exactly one invoice',
    async (when) => {
      const purchaseOrderId = await bench.order();
      await bench.quickbooks.post('/faults', { ...fault, when, match: { path: '/invoice?' } });

      const first = await createQboInvoice(bench.process(), { purchaseOrderId });
      expect(first).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
      expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'UNKNOWN', external_id: null }]);
      expect(await booked(purchaseOrderId)).toHaveLength(when === 'after' ? 1 : 0);

      const second = await createQboInvoice(bench.process(), { purchaseOrderId });
      expect(second).toEqual({ id: purchaseOrderId, failures: [] });

      const [one, two, ...others] = await sentInvoices();
      expect(others).toEqual([]);
      expect(two).toMatchObject({ requestid: one?.requestid, body: one?.body, replayed: when === 'after' });
      const [invoice, ...duplicates] = await booked(purchaseOrderId);
      expect(duplicates).toEqual([]);
      expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: invoice?.Id }]);
      expect(await operations(purchaseOrderId)).toMatchObject([{ id: one?.requestid, state: 'DONE', attempts: 2 }]);
      const [order] = await bench.sql('select status from purchase_order where id = ?', [purchaseOrderId]);
      expect(order).toEqual({ status: 'SENT' });
    },
  );
});

describe('an answer without an id', () => {
  test.each([
    ['an invoice', '{"Invoice":{"TotalAmt":1475.00,"Balance":1475.00}}'],
    ['nothing', '{}'],
    ['a list', '[]'],
  ])('that holds %s is an unknown outcome, which the next call settles with one invoice', async (_what, text) => {
    const purchaseOrderId = await bench.order();
    const odd = createServer((_request, response) => response.end(text));
    odd.listen(0, '127.0.0.1');
    await once(odd, 'listening');
    try {
      const { createInvoice } = oddCreation(`http://127.0.0.1:${(odd.address() as AddressInfo).port}`);
      const first = await createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId });
      expect(first).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    } finally {
      odd.closeAllConnections();
      odd.close();
    }
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  function oddCreation(address: string) {
    const gateway = bench.gatewayAt(address);
    return {
      createInvoice: (connectionId: string, body: string, key: string) =>
        gateway.createInvoice(connectionId, body, key),
    };
  }
});

test('an answer that stays lost several times is still one invoice', async () => {
  const purchaseOrderId = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', times: 4, match: { path: '/invoice?' } });
  for (let call = 1; call <= 4; call++) {
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
  }
  expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
  expect(await booked(purchaseOrderId)).toHaveLength(1);
  expect(new Set((await sentInvoices()).map(({ requestid, body }) => `${requestid} ${body}`)).size).toBe(1);
});

test('the background finishes an invoice whose answer was lost', async () => {
  const purchaseOrderId = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
  await createQboInvoice(bench.process(), { purchaseOrderId });
  expect(await resumeOperations(bench.process())).toBe(1);
  expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
  expect(await booked(purchaseOrderId)).toHaveLength(1);
  expect(await resumeOperations(bench.process())).toBe(0);
});

test('a payment that was made while the answer was lost is booked when the invoice is recovered', async () => {
  const purchaseOrderId = await bench.order();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
  await createQboInvoice(bench.process(), { purchaseOrderId });
  const [invoice] = await booked(purchaseOrderId);
  await bench.quickbooks.pay(invoice?.Id, '1475.00', { paidOn: '2026-11-02', paymentRefNum: 'CHQ 7' });
  await resumeOperations(bench.process());
  const payments = await bench.sql('select * from payment where purchase_order_id = ?', [purchaseOrderId]);
  expect(payments).toMatchObject([{ amount_minor: '147500', reference: 'CHQ 7', source: 'QBO', revision: 1 }]);
  expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'PAID', balance_minor: '0' }]);
});

describe('what a bookkeeper does before a lost answer is recovered', () => {
  test.each([
    ['void-invoice', 'VOIDED'],
    ['delete-invoice', 'DELETED'],
  ])('%s: the recovered invoice is %s, and the order can be invoiced anew', async (correction, status) => {
    const purchaseOrderId = await bench.order();
    const { realmId } = bench;
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    const [made] = await booked(purchaseOrderId);
    await bench.quickbooks.post(`/${correction}`, { realmId, invoiceId: made?.Id });
    await resumeOperations(bench.process());
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status, external_id: made?.Id }]);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status }, { status: 'OPEN' }]);
  });
});

describe('an idempotency key whose request had no certain outcome', () => {
  const idempotencyKey = 'key-of-an-unknown-outcome';

  test('continues that request and then keeps its answer', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    const ask = () => createQboInvoice(bench.process(), { purchaseOrderId, idempotencyKey });
    expect(await ask()).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await ask()).toEqual({ id: purchaseOrderId, failures: [] });
    await bench.quickbooks.delete('/requests');
    expect(await ask()).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await bench.quickbooks.requests()).toEqual([]);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('is answered with the invoice that another request finished after its process died', async () => {
    const purchaseOrderId = await bench.order();
    const key = 'key-of-a-dead-process';
    const dead = createQboInvoice(bench.with({ createInvoice: die }), { purchaseOrderId, idempotencyKey: key });
    await expect(dead).rejects.toThrow(ProcessDied);
    const early = await createQboInvoice(bench.process(), { purchaseOrderId, idempotencyKey: key });
    expect(early).toMatchObject({ id: null, failures: [{ code: 'IDEMPOTENCY_IN_PROGRESS' }] });
    bench.clock.advance(181_000);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
    const again = await createQboInvoice(bench.process(), { purchaseOrderId, idempotencyKey: key });
    expect(again).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });
});

describe('when a process dies', () => {
  const ended = () => bench.clock.advance(181_000);

  test.each([
    ['while it reads the settings', 'readCompanySettings'],
    ['while it looks for the customer', 'findCustomersByName'],
    ['right before the customer is sent', 'createCustomer'],
    ['right before the invoice is sent', 'createInvoice'],
  ] as const)('%s, the invoice is taken over after its lease and made once', async (_when, method) => {
    const purchaseOrderId = await bench.order();
    await bench.sql('update qbo_connection set settings = null');
    await expect(createQboInvoice(bench.with({ [method]: die }), { purchaseOrderId })).rejects.toThrow(ProcessDied);
    expect(await booked(purchaseOrderId)).toEqual([]);

    const early = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(early).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    expect(await resumeOperations(bench.process())).toBe(0);
    expect(await booked(purchaseOrderId)).toEqual([]);

    ended();
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
  });

  test('after QuickBooks made the invoice and before it is recorded, the same invoice is recorded later', async () => {
    const purchaseOrderId = await bench.order();
    const { accounting } = bench.context;
    const createInvoice = async (connectionId: string, body: string, key: string) => {
      await accounting.createInvoice(connectionId, body, key);
      return die();
    };
    await expect(createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId })).rejects.toThrow(ProcessDied);
    const [made] = await booked(purchaseOrderId);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'CREATING', external_id: null }]);

    ended();
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
    const [one, two] = await sentInvoices();
    expect(two).toMatchObject({ requestid: one?.requestid, body: one?.body, replayed: true });
  });

  test('after QuickBooks made the customer, the next process finds and links it and leaves nothing open', async () => {
    const purchaseOrderId = await bench.order({ organizationName: 'Half Made Ltd' });
    const { accounting } = bench.context;
    const createCustomer = async (connectionId: string, body: string, key: string) => {
      await accounting.createCustomer(connectionId, body, key);
      return die();
    };
    await expect(createQboInvoice(bench.with({ createCustomer }), { purchaseOrderId })).rejects.toThrow(ProcessDied);
    ended();
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
    const { customers } = await bench.books();
    expect(customers.filter((customer: Data) => customer.DisplayName === 'Half Made Ltd')).toHaveLength(1);
    const open = await bench.sql(
      "select kind, state from provider_operation where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')",
    );
    expect(open).toEqual([]);
  });

  test('before anything was sent, it is still finished a day later', async () => {
    const purchaseOrderId = await bench.order();
    await expect(createQboInvoice(bench.with({ findCustomersByName: die }), { purchaseOrderId })).rejects.toThrow();
    bench.clock.advance(24 * 3_600_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
  });

  test('an operation that throws does not keep the others from being resumed', async () => {
    const [poisoned, healthy] = [await bench.order(), await bench.order()];
    for (const purchaseOrderId of [poisoned, healthy]) {
      await expect(createQboInvoice(bench.with({ createInvoice: die }), { purchaseOrderId })).rejects.toThrow();
    }
    bench.clock.advance(181_000);
    const { accounting } = bench.context;
    const [{ id: poison }] = await operations(poisoned);
    const createInvoice = (connectionId: string, body: string, key: string) =>
      key === poison ? die() : accounting.createInvoice(connectionId, body, key);
    await expect(resumeOperations(bench.with({ createInvoice }))).rejects.toThrow(AggregateError);
    expect(await booked(healthy)).toHaveLength(1);
    expect(await invoiceRows(healthy)).toMatchObject([{ status: 'OPEN' }]);
    expect(await booked(poisoned)).toEqual([]);
    bench.clock.advance(181_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await booked(poisoned)).toHaveLength(1);
  });
});

describe('when a process stands still for longer than its lease', () => {
  test('and the other one has made the invoice, it sends nothing', async () => {
    const purchaseOrderId = await bench.order();
    const { accounting } = bench.context;
    const findCustomersByName = async (connectionId: string, names: readonly string[]) => {
      bench.clock.advance(181_000);
      await createQboInvoice(bench.process(), { purchaseOrderId });
      return accounting.findCustomersByName(connectionId, names);
    };
    const late = await createQboInvoice(bench.with({ findCustomersByName }), { purchaseOrderId });
    expect(late).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    expect(await sentInvoices()).toHaveLength(1);
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE', attempts: 1 }]);
  });

  test('and fails to prepare after the other one has made the invoice, the invoice stays known', async () => {
    const purchaseOrderId = await bench.order();
    const findCustomersByName = async () => {
      bench.clock.advance(181_000);
      await createQboInvoice(bench.process(), { purchaseOrderId });
      const trace = {};
      return { ok: false, failure: { kind: 'unavailable', message: 'too late', trace } } as const;
    };
    const late = await createQboInvoice(bench.with({ findCustomersByName }), { purchaseOrderId });
    expect(late.id).toBeNull();
    const [invoice] = await booked(purchaseOrderId);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: invoice?.Id }]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE' }]);
  });

  test('between sending and recording, both processes record the same invoice', async () => {
    const purchaseOrderId = await bench.order();
    const { accounting } = bench.context;
    const createInvoice = async (connectionId: string, body: string, key: string) => {
      const answer = await accounting.createInvoice(connectionId, body, key);
      bench.clock.advance(181_000);
      expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
      return answer;
    };
    const late = await createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId });
    expect(late).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    expect(await invoiceRows(purchaseOrderId)).toHaveLength(1);
    const audits = await bench.sql("select 1 from audit_event where subject = ? and action = 'invoice.created'", [
      purchaseOrderId,
    ]);
    expect(audits).toHaveLength(1);
  });

  test('a failure that comes late does not undo what the other process achieved', async () => {
    const purchaseOrderId = await bench.order();
    const createInvoice = async () => {
      bench.clock.advance(181_000);
      expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
      const rejected = { kind: 'rejected', reason: 'validation', code: '6000', message: 'no', trace: {} } as const;
      return { ok: false, failure: rejected } as const;
    };
    const late = await createQboInvoice(bench.with({ createInvoice }), { purchaseOrderId });
    expect(late).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE' }]);
  });
});

describe('when certainly nothing was sent', () => {
  test.each([
    ['QuickBooks throttles the invoice', { kind: '429', match: { path: '/invoice?' } }],
    ['QuickBooks throttles in XML', { kind: 'xml429', match: { path: '/invoice?' } }],
    ['the customer cannot be looked up', { kind: 'html502', times: 3, match: { path: '/query?' } }],
    ['the preferences cannot be read', { kind: 'reset', times: 3, match: { path: '/preferences' } }],
  ])('because %s, nothing is left behind and the next call succeeds', async (_why, fault) => {
    const purchaseOrderId = await bench.order();
    await bench.sql('update qbo_connection set settings = null');
    await bench.quickbooks.post('/faults', fault);
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ id: null, failures: [{ code: 'QBO_UNAVAILABLE' }] });
    expect(await leftBehind(purchaseOrderId)).toEqual(NOTHING);
    expect(await booked(purchaseOrderId)).toEqual([]);
    expect(await resumeOperations(bench.process())).toBe(0);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('because nobody listens at its address, nothing is left behind', async () => {
    const offline = await startWorkbench();
    try {
      await offline.invoicedOrder({ organizationName: 'Known Customer' });
      const purchaseOrderId = await offline.order({ organizationName: 'Known Customer' });
      await offline.stopQuickBooks();
      const outcome = await createQboInvoice(offline.process(), { purchaseOrderId });
      expect(outcome).toMatchObject({ id: null, failures: [{ code: 'QBO_UNAVAILABLE' }] });
      expect(await offline.sql('select id from invoice where purchase_order_id = ?', [purchaseOrderId])).toEqual([]);
      const operations = await offline.sql('select state, attempts from provider_operation where subject = ?', [
        purchaseOrderId,
      ]);
      expect(operations).toEqual([{ state: 'REFUSED', attempts: 1 }]);
    } finally {
      await offline.stop();
    }
  });

  test('throttling after an unknown outcome proves nothing: it stays unknown', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    await bench.quickbooks.post('/faults', { kind: '429', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    const outcome = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(outcome).toMatchObject({ failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'UNKNOWN' }]);
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
    expect(await booked(purchaseOrderId)).toHaveLength(1);
  });

  test('a number that is taken by our own invoice of an unknown outcome leads to that invoice', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    await bench.quickbooks.post('/forget-requestids');
    expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toEqual({ id: purchaseOrderId, failures: [] });
    const [made, ...duplicates] = await booked(purchaseOrderId);
    expect(duplicates).toEqual([]);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ status: 'OPEN', external_id: made?.Id }]);
    expect(await operations(purchaseOrderId)).toMatchObject([{ state: 'DONE', attempts: 2 }]);
  });
});

describe('a customer whose creation got no answer', () => {
  test.each(['before', 'after'])('%s it was committed becomes one customer and one invoice', async (when) => {
    const organizationName = `Silent Customer ${when}`;
    const purchaseOrderId = await bench.order({ organizationName });
    await bench.quickbooks.post('/faults', { kind: 'reset', when, match: { path: '/customer?' } });
    const first = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(first).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
    expect(await booked(purchaseOrderId)).toEqual([]);
    await resumeOperations(bench.process());
    expect(await booked(purchaseOrderId)).toHaveLength(1);
    const { customers } = await bench.books();
    expect(customers.filter((customer: Data) => customer.DisplayName === organizationName)).toHaveLength(1);
    const linked = await bench.sql('select external_id from qbo_customer where display_name = ?', [organizationName]);
    expect(linked).toHaveLength(1);
  });
});

describe('an order whose conference moved to another company while its invoice was unknown', () => {
  test('is finished, synchronised and e-mailed in the company in which it was begun', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    // The check of configureQboConnection and this claim can pass each other; the rows are as after that.
    await bench.sql(
      `insert into qbo_connection select 'qbo_elsewhere', environment, '9341450000000002', company_name, status, simulated,
         access_token, refresh_token, client_id, client_secret, access_token_expires_at, refresh_token_expires_at,
         token_version, refresh_fence, refresh_lease_until, service_item_id, null, created_at, updated_at
       from qbo_connection where realm_id = ?`,
      [bench.realmId],
    );
    await bench.sql("update conference set qbo_connection_id = 'qbo_elsewhere'");
    try {
      expect(await createQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
      expect(await sendQboInvoice(bench.process(), { purchaseOrderId })).toMatchObject({ failures: [] });
      const calls = await bench.quickbooks.requests();
      expect(new Set(calls.map(({ realmId }) => realmId))).toEqual(new Set([bench.realmId]));
      expect(await booked(purchaseOrderId)).toHaveLength(1);
    } finally {
      await bench.sql('update conference set qbo_connection_id = (select id from qbo_connection where realm_id = ?)', [
        bench.realmId,
      ]);
    }
  });
});

describe('the number of an invoice', () => {
  test('is the reference also after attempts that were refused for other reasons', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: '429', match: { path: '/invoice?' } });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ number: await referenceOf(purchaseOrderId) }]);
  });

  test('gets a suffix once QuickBooks said that the reference is taken', async () => {
    const purchaseOrderId = await bench.order();
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '6140', match: { path: '/invoice?' } });
    const refused = await createQboInvoice(bench.process(), { purchaseOrderId });
    expect(refused.failures).toMatchObject([{ code: 'QBO_REJECTED', faultCode: '6140' }]);
    await createQboInvoice(bench.process(), { purchaseOrderId });
    const reference = await referenceOf(purchaseOrderId);
    expect(await invoiceRows(purchaseOrderId)).toMatchObject([{ number: `${reference}-2` }]);
  });
});

test('money that arrives while the invoice is being prepared keeps it from being sent', async () => {
  const purchaseOrderId = await bench.order();
  const { accounting } = bench.context;
  const findCustomersByName = async (connection: string, names: readonly string[]) => {
    await recordPayment(bench.process(), { purchaseOrderId, amount: '100.00', method: 'WIRE' });
    return accounting.findCustomersByName(connection, names);
  };
  const outcome = await createQboInvoice(bench.with({ findCustomersByName }), { purchaseOrderId });
  expect(outcome).toMatchObject({ id: null, failures: [{ code: 'HAS_PAYMENTS_OR_CREDITS' }] });
  expect(await sentInvoices()).toEqual([]);
  expect(await leftBehind(purchaseOrderId)).toEqual(NOTHING);
});
