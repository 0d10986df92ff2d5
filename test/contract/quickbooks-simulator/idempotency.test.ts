import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf, invoiceBody, SECOND_REALM } from './support.js';

let bench: Bench;
let customer: Body;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', {});
  customer = await bench.customer();
});
afterAll(() => bench.simulator.stop());

describe('A request id', () => {
  test('that comes again gets the first answer, byte for byte, and does nothing', async () => {
    const first = await bench.post('/invoice?requestid=po-1', invoiceBody(customer.Id));
    const again = await bench.post('/invoice?requestid=po-1', invoiceBody(customer.Id, '999.00'));
    expect(again.text).toBe(first.text);
    expect((await bench.books()).invoices).toHaveLength(1);
    const { requests } = await bench.control('GET', '/requests?kind=write');
    expect(requests.filter((call: Body) => call.requestid === 'po-1').map((call: Body) => call.replayed)).toEqual([
      false,
      true,
    ]);
  });

  test('is answered even when the object has been deleted since', async () => {
    const first = await bench.post('/invoice?requestid=po-2', invoiceBody(customer.Id));
    await bench.post('/invoice?operation=delete', { Id: first.body.Invoice.Id, SyncToken: '0' });
    expect((await bench.post('/invoice?requestid=po-2', invoiceBody(customer.Id))).text).toBe(first.text);
    expect((await bench.books()).invoices).toEqual([]);
  });

  test('of a refused request may be used again', async () => {
    expect((await bench.post('/invoice?requestid=po-3', {})).status).toBe(400);
    expect((await bench.post('/invoice?requestid=po-3', invoiceBody(customer.Id))).status).toBe(200);
  });

  test('counts per company', async () => {
    const other = await bench.control('POST', '/tokens', { realmId: SECOND_REALM });
    const create = (realmId: string, accessToken: string) =>
      fetch(`${bench.simulator.baseUrl}/v3/company/${realmId}/customer?requestid=same`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${accessToken}`,
          accept: 'application/json',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ DisplayName: `in ${realmId}` }),
      }).then((answer) => answer.json());
    expect(await create(bench.realmId, bench.tokens.accessToken)).toMatchObject({
      Customer: { DisplayName: `in ${bench.realmId}` },
    });
    expect(await create(SECOND_REALM, other.accessToken)).toMatchObject({
      Customer: { DisplayName: `in ${SECOND_REALM}` },
    });
  });

  test('is forgotten when the control API says so', async () => {
    await bench.post('/invoice?requestid=po-4', invoiceBody(customer.Id));
    await bench.control('POST', '/forget-requestids', {});
    await bench.post('/invoice?requestid=po-4', invoiceBody(customer.Id));
    expect((await bench.books()).invoices).toHaveLength(2);
  });

  test('has at most 50 characters', async () => {
    const refused = await bench.post(`/invoice?requestid=${'x'.repeat(51)}`, invoiceBody(customer.Id));
    expect(errorOf(refused)).toMatchObject({
      code: '6000',
      Detail:
        'Business Validation Error: You cannot enter more than 50 characters in the request_id field. ' +
        'You tried entering xxxxxxxxxx..., which is 51 characters.',
    });
    expect(errorOf(await bench.post('/invoice?requestid=a%20b', invoiceBody(customer.Id))).code).toBe('2130');
    expect((await bench.books()).invoices).toEqual([]);
  });

  test('of a batch counts together with the id of the item', async () => {
    const batch = (bId: string) =>
      bench.post('/batch?requestid=batch-1', {
        BatchItemRequest: [{ bId, operation: 'create', Invoice: invoiceBody(customer.Id) }],
      });
    const first = await batch('a');
    expect((await batch('a')).body.BatchItemResponse).toEqual(first.body.BatchItemResponse);
    await batch('b');
    expect((await bench.books()).invoices).toHaveLength(2);
  });

  test('holds for requests that arrive at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => bench.post('/invoice?requestid=race', invoiceBody(customer.Id))),
    );
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect((await bench.books()).invoices).toHaveLength(1);
  });
});
