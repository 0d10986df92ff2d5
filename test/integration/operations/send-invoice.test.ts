import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { syncInvoice } from '../../../src/application/quickbooks/sync-invoices.js';
import type { Data } from '../../support/graphql-client.js';
import { die, ProcessDied, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
  // What an earlier test left open on purpose.
  await bench.sql("update provider_operation set state = 'REFUSED' where state = 'UNKNOWN'");
});

afterAll(() => bench.stop());

async function sends(): Promise<Data[]> {
  return bench.quickbooks.requests('?kind=write');
}

describe('W-Q27: the send call', () => {
  let recorder: Server;
  const seen: { headers: IncomingHttpHeaders; body: string; url: string }[] = [];

  beforeAll(async () => {
    recorder = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), url: String(request.url) });
      response.writeHead(503).end();
    });
    recorder.listen(0, '127.0.0.1');
    await once(recorder, 'listening');
  });

  afterAll(() => {
    recorder.closeAllConnections();
    recorder.close();
  });

  test('has an empty body of type application/octet-stream and names the address in the query', async () => {
    const { id: purchaseOrderId, externalId } = await bench.invoicedOrder();
    const apiBaseUrl = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
    const context = { ...bench.process(), accounting: bench.gatewayAt(apiBaseUrl) };
    await sendQboInvoice(context, { purchaseOrderId, email: 'a+b@example.com' });
    expect(seen).toHaveLength(1);
    const [call] = seen;
    expect(call?.body).toBe('');
    expect(call?.headers['content-type']).toBe('application/octet-stream');
    expect(call?.headers.accept).toBe('application/json');
    const url = new URL(String(call?.url), apiBaseUrl);
    expect(url.pathname).toBe(`/v3/company/${bench.realmId}/invoice/${externalId}/send`);
    expect(url.searchParams.get('sendTo')).toBe('a+b@example.com');
    expect(url.searchParams.get('requestid')).toMatch(/^op_[0-9a-f]{32}$/);
  });
});

const email = 'ap@example.com';

const MINUTE = 60_000;

async function emails(invoiceId: string): Promise<Data[]> {
  return bench.sql(
    "select state, attempts, body from provider_operation where kind = 'SEND_INVOICE' and subject = ? order by generation",
    [invoiceId],
  );
}

async function audited(orderId: string): Promise<string[]> {
  const rows = await bench.sql(
    "select after->>'email' as email from audit_event where subject = ? and action = 'invoice.emailed' order by id",
    [orderId],
  );
  return rows.map(({ email }) => email);
}

async function requestIds(): Promise<string[]> {
  return (await sends()).filter(({ path }) => path.endsWith('/send')).map(({ requestid }) => requestid);
}

/** An invoice whose e-mail was asked for; `when` says whether it went out before the answer was lost. */
async function emailOfUnknownOutcome(when: 'before' | 'after') {
  const invoiced = await bench.invoicedOrder();
  await bench.quickbooks.post('/faults', { kind: 'reset', when, match: { path: '/send' } });
  const outcome = await sendQboInvoice(bench.process(), { purchaseOrderId: invoiced.id, email });
  expect(outcome).toMatchObject({ id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] });
  await bench.quickbooks.delete('/requests');
  return invoiced;
}

describe('an e-mail whose process died while sending', () => {
  test('is settled by reading the invoice after the lease, and not before', async () => {
    const { id: purchaseOrderId, invoiceId } = await bench.invoicedOrder();
    const { accounting } = bench.context;
    const sendInvoice = async (connection: string, invoice: string, to: string, key: string) => {
      await accounting.sendInvoice(connection, invoice, to, key);
      return die();
    };
    await expect(sendQboInvoice(bench.with({ sendInvoice }), { purchaseOrderId, email })).rejects.toThrow(ProcessDied);
    await bench.quickbooks.delete('/requests');
    const early = await sendQboInvoice(bench.process(), { purchaseOrderId, email });
    expect(early).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    await bench.later(181_000);
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toEqual({
      id: purchaseOrderId,
      failures: [],
    });
    expect(await sends()).toEqual([]);
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 1, body: email }]);
    expect(await audited(purchaseOrderId)).toEqual([email]);
  });

  test('before it was sent, is repeated once under the same request id, a quarter of an hour later', async () => {
    const { id: purchaseOrderId, invoiceId } = await bench.invoicedOrder();
    const dead = sendQboInvoice(bench.with({ sendInvoice: die }), { purchaseOrderId, email });
    await expect(dead).rejects.toThrow(ProcessDied);
    await bench.later(16 * 60_000);
    await bench.quickbooks.delete('/requests');
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toEqual({
      id: purchaseOrderId,
      failures: [],
    });
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 2, body: email }]);
    expect(await requestIds()).toHaveLength(1);
  });
});

describe('W-Q15: an e-mail of which nobody knows whether it went out', () => {
  test('and that went out is settled by reading, in the background, without a second one', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('after');
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await sends()).toEqual([]);
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 1, body: email }]);
    expect(await audited(purchaseOrderId)).toEqual([email]);
    const [invoice] = await bench.sql('select email_status from invoice where id = ?', [invoiceId]);
    expect(invoice).toEqual({ email_status: 'SENT' });
    expect(await resumeOperations(bench.process())).toBe(0);
  });

  test('and did not is repeated once, not within ten minutes', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('before');
    for (const minute of [0, 3, 9]) {
      expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({
        id: null,
        failures: [{ code: 'OUTCOME_UNKNOWN' }],
      });
      await resumeOperations(bench.process());
      expect([minute, await sends()]).toEqual([minute, []]);
      await bench.later(3.1 * 60_000);
    }
    await bench.later(60_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await requestIds()).toHaveLength(1);
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 2, body: email }]);
    expect(await audited(purchaseOrderId)).toEqual([email]);
  });

  /** Sent a second time, eleven minutes after the first, and again no answer came. */
  async function emailOfTwoUnansweredSendings() {
    const invoiced = await emailOfUnknownOutcome('before');
    await bench.later(11 * MINUTE);
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/send' } });
    await resumeOperations(bench.process());
    expect(await emails(invoiced.invoiceId)).toEqual([{ state: 'UNKNOWN', attempts: 2, body: email }]);
    await bench.quickbooks.delete('/requests');
    return invoiced;
  }

  test('twice is not sent a third time within ten minutes, whoever asks', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfTwoUnansweredSendings();
    for (const minute of [0, 3, 6, 9]) {
      expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({
        id: null,
        failures: [{ code: 'OUTCOME_UNKNOWN' }],
      });
      await resumeOperations(bench.process());
      expect([minute, await sends()]).toEqual([minute, []]);
      await bench.later(3 * MINUTE);
    }
    expect(await emails(invoiceId)).toEqual([{ state: 'UNKNOWN', attempts: 2, body: email }]);
    expect(await audited(purchaseOrderId)).toEqual([]);
  });

  test('twice is given up ten minutes later, unless the invoice says so by then', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfTwoUnansweredSendings();
    await bench.later(11 * MINUTE);
    await resumeOperations(bench.process());
    expect(await emails(invoiceId)).toEqual([{ state: 'REFUSED', attempts: 2, body: email }]);
    const [{ last_error: lastError }] = await bench.sql(
      "select last_error from provider_operation where kind = 'SEND_INVOICE' and subject = ?",
      [invoiceId],
    );
    expect(lastError).toBe('QuickBooks did not answer, and the invoice does not say that it was e-mailed.');
    expect(await sends()).toEqual([]);

    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({ failures: [] });
    expect((await emails(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'DONE']);
    expect(await requestIds()).toHaveLength(1);
    expect(await audited(purchaseOrderId)).toEqual([email]);
  });

  test('twice is sent anew, under another request id, for a person who asks ten minutes later', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfTwoUnansweredSendings();
    const [{ id: earlier }] = await bench.sql('select id from provider_operation where subject = ?', [invoiceId]);
    await bench.later(11 * MINUTE);
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({ failures: [] });
    expect((await emails(invoiceId)).map(({ state }) => state)).toEqual(['REFUSED', 'DONE']);
    const [requestId, ...more] = await requestIds();
    expect(more).toEqual([]);
    expect(requestId).not.toBe(earlier);
  });

  test('and whose second sending went out late is settled by reading', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('before');
    await bench.later(11 * MINUTE);
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/send' } });
    await resumeOperations(bench.process());
    await bench.quickbooks.delete('/requests');
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({ failures: [] });
    expect(await sends()).toEqual([]);
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 2, body: email }]);
  });

  test.each([
    ['that QuickBooks does not take (429)', { kind: 'status', status: 429 }],
    ['that QuickBooks does not look at (maintenance)', { kind: 'fault', code: '150' }],
  ])('a repetition %s does not count: it is repeated when QuickBooks takes it', async (_what, fault) => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('before');
    await bench.later(11 * MINUTE);
    await bench.quickbooks.post('/faults', { ...fault, times: 2, match: { path: '/send' } });
    await resumeOperations(bench.process());
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({
      id: null,
      failures: [{ code: 'OUTCOME_UNKNOWN' }],
    });
    expect(await emails(invoiceId)).toEqual([{ state: 'UNKNOWN', attempts: 3, body: email }]);
    await resumeOperations(bench.process());
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 4, body: email }]);
    expect(await audited(purchaseOrderId)).toEqual([email]);
  });

  test('whose repetition has to wait for QuickBooks is left alone by the background until then, not by who asks', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('before');
    await bench.later(11 * MINUTE);
    const retryAt = new Date(bench.clock.now().getTime() + 60 * MINUTE);
    const paused = { ok: false, failure: { kind: 'unavailable', message: 'paused', trace: {}, retryAt } } as const;
    await resumeOperations(bench.with({ sendInvoice: async () => paused }));
    await bench.later(59 * MINUTE);
    expect(await resumeOperations(bench.process())).toBe(0);
    expect(await sends()).toEqual([]);
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({ failures: [] });
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 3, body: email }]);
  });

  test('is not sent again within ten minutes because another address got its own meanwhile', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('before');
    const ask = async (to: string) => (await sendQboInvoice(bench.process(), { purchaseOrderId, email: to })).failures;
    expect(await ask('boss@example.com')).toEqual([]);
    expect(await ask(email.toUpperCase())).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }]);
    expect(await requestIds()).toHaveLength(1);
    await bench.later(10 * MINUTE);
    expect(await ask(email)).toEqual([]);
    expect((await emails(invoiceId)).map(({ state, body }) => [state, body])).toEqual([
      ['REFUSED', email],
      ['DONE', 'boss@example.com'],
      ['DONE', email],
    ]);
  });

  test('leaves an unsettled one to another address alone while its own may not be sent again', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('before');
    const other = 'boss@example.com';
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/send' } });
    for (const to of [other, email]) {
      expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email: to })).toMatchObject({
        failures: [{ code: 'OUTCOME_UNKNOWN' }],
      });
    }
    expect((await emails(invoiceId)).map(({ state, body }) => [state, body])).toEqual([
      ['REFUSED', email],
      ['UNKNOWN', other],
    ]);
  });

  test('is not confused with one that QuickBooks refused: that may be sent again at once', async () => {
    const { id: purchaseOrderId } = await bench.invoicedOrder();
    await bench.quickbooks.post('/faults', { kind: 'fault', code: '6000', match: { path: '/send' } });
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({
      failures: [{ code: 'QBO_REJECTED' }],
    });
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({ failures: [] });
  });

  test('is settled before another address gets its own: one that went out stays sent', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('after');
    const other = 'boss@example.com';
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email: other })).toMatchObject({ failures: [] });
    expect(await emails(invoiceId)).toEqual([
      { state: 'DONE', attempts: 1, body: email },
      { state: 'DONE', attempts: 1, body: other },
    ]);
    expect(await audited(purchaseOrderId)).toEqual([email, other]);
  });

  test('stays unknown while the invoice cannot be read, also for another address', async () => {
    const { id: purchaseOrderId, invoiceId } = await emailOfUnknownOutcome('after');
    const unread = { ok: false, failure: { kind: 'unavailable', message: 'no answer', trace: {} } } as const;
    const context = () => bench.with({ readInvoice: async () => unread });
    for (const to of [email, 'boss@example.com']) {
      expect(await sendQboInvoice(context(), { purchaseOrderId, email: to })).toMatchObject({
        id: null,
        failures: [{ code: 'OUTCOME_UNKNOWN' }],
      });
    }
    expect(await sends()).toEqual([]);
    expect(await emails(invoiceId)).toEqual([{ state: 'UNKNOWN', attempts: 1, body: email }]);
    await bench.later(2 * 60_000);
    expect(await resumeOperations(bench.process())).toBe(1);
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 1, body: email }]);
  });

  test('is closed, and nothing is sent, for who asks again after the invoice was deleted', async () => {
    const { id: purchaseOrderId, invoiceId, externalId } = await emailOfUnknownOutcome('after');
    await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: externalId });
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({
      id: null,
      failures: [{ code: 'NO_QBO_INVOICE' }],
    });
    expect(await emails(invoiceId)).toEqual([{ state: 'REFUSED', attempts: 1, body: email }]);
    expect(await sends()).toEqual([]);
  });

  test('is closed when the invoice was deleted meanwhile', async () => {
    const { invoiceId, externalId } = await emailOfUnknownOutcome('after');
    await bench.quickbooks.post('/delete-invoice', { realmId: bench.realmId, invoiceId: externalId });
    await resumeOperations(bench.process());
    expect(await emails(invoiceId)).toEqual([{ state: 'REFUSED', attempts: 1, body: email }]);
    expect(await sends()).toEqual([]);
  });

  test('is not settled by an earlier e-mail', async () => {
    const { id: purchaseOrderId, invoiceId } = await bench.invoicedOrder();
    await sendQboInvoice(bench.process(), { purchaseOrderId, email });
    await bench.later(5 * 60_000);
    await bench.quickbooks.post('/faults', { kind: 'reset', when: 'before', match: { path: '/send' } });
    await sendQboInvoice(bench.process(), { purchaseOrderId, email });
    expect(await sendQboInvoice(bench.process(), { purchaseOrderId, email })).toMatchObject({
      failures: [{ code: 'OUTCOME_UNKNOWN' }],
    });
    expect((await emails(invoiceId)).map(({ state }) => state)).toEqual(['DONE', 'UNKNOWN']);
  });

  test('is repeated by one of two processes that find it at the same time', async () => {
    const { invoiceId } = await emailOfUnknownOutcome('before');
    await bench.later(11 * 60_000);
    await Promise.all([resumeOperations(bench.process()), resumeOperations(bench.process())]);
    expect(await requestIds()).toHaveLength(1);
    expect(await emails(invoiceId)).toEqual([{ state: 'DONE', attempts: 2, body: email }]);
  });
});

test('an answer to the e-mail that is older than a reading recorded meanwhile does not undo that reading', async () => {
  const { id: purchaseOrderId, externalId } = await bench.invoicedOrder();
  const { accounting } = bench.context;
  const sendInvoice = async (connection: string, invoice: string, to: string, key: string) => {
    const answer = await accounting.sendInvoice(connection, invoice, to, key);
    await bench.quickbooks.pay(externalId, '1475.00');
    const [{ id }] = await bench.sql('select id from invoice where external_id = ?', [externalId]);
    await syncInvoice(bench.process(), id);
    return answer;
  };
  const outcome = await sendQboInvoice(bench.with({ sendInvoice }), { purchaseOrderId });
  expect(outcome).toEqual({ id: purchaseOrderId, failures: [] });
  const [invoice] = await bench.sql('select status, balance_minor, email_status from invoice where external_id = ?', [
    externalId,
  ]);
  expect(invoice).toEqual({ status: 'PAID', balance_minor: '0', email_status: 'SENT' });
});

test('settling an e-mail does not undo what was read since its sending', async () => {
  const { id, invoiceId, externalId } = await bench.invoicedOrder();
  await bench.quickbooks.post('/faults', { kind: 'reset', when: 'after', match: { path: '/send' } });
  expect(await sendQboInvoice(bench.process(), { purchaseOrderId: id })).toMatchObject({
    failures: [{ code: 'OUTCOME_UNKNOWN' }],
  });
  await bench.quickbooks.pay(externalId, '500.00');
  await syncInvoice(bench.process(), invoiceId);

  expect(await sendQboInvoice(bench.process(), { purchaseOrderId: id })).toMatchObject({ failures: [] });

  const [invoice] = await bench.sql('select status, balance_minor, email_status from invoice where id = ?', [
    invoiceId,
  ]);
  expect(invoice).toEqual({ status: 'PARTIALLY_PAID', balance_minor: '97500', email_status: 'SENT' });
});
