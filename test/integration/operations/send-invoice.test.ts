import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
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

describe('an e-mail whose process died while sending', () => {
  const email = 'ap@example.com';

  test('is asked for again under the same request id after the lease, and not before', async () => {
    const { id: purchaseOrderId } = await bench.invoicedOrder();
    const { accounting } = bench.context;
    const sendInvoice = async (connection: string, invoice: string, to: string, key: string) => {
      await accounting.sendInvoice(connection, invoice, to, key);
      return die();
    };
    await expect(sendQboInvoice(bench.with({ sendInvoice }), { purchaseOrderId, email })).rejects.toThrow(ProcessDied);
    const early = await sendQboInvoice(bench.process(), { purchaseOrderId, email });
    expect(early).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    bench.clock.advance(181_000);
    const later = await sendQboInvoice(bench.process(), { purchaseOrderId, email });
    expect(later).toEqual({ id: purchaseOrderId, failures: [] });
    const [, first, second, ...others] = (await sends()).filter(({ path }) => !path.endsWith('/customer'));
    expect(others).toEqual([]);
    expect(second).toMatchObject({ requestid: first?.requestid, replayed: true });
  });

  test('counts as not sent a quarter of an hour later: asking again sends a new one', async () => {
    const { id: purchaseOrderId } = await bench.invoicedOrder();
    await expect(sendQboInvoice(bench.with({ sendInvoice: die }), { purchaseOrderId, email })).rejects.toThrow(
      ProcessDied,
    );
    bench.clock.advance(16 * 60_000);
    await bench.quickbooks.delete('/requests');
    const later = await sendQboInvoice(bench.process(), { purchaseOrderId, email });
    expect(later).toEqual({ id: purchaseOrderId, failures: [] });
    const operations = await bench.sql(
      "select id, state from provider_operation where kind = 'SEND_INVOICE' order by id",
    );
    expect(operations.slice(-2).map(({ state }) => state)).toEqual(['REFUSED', 'DONE']);
    expect((await sends()).map(({ requestid }) => requestid)).toEqual([operations.at(-1)?.id]);
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

test('an answer that QuickBooks replays does not undo what was read since the first sending', async () => {
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
