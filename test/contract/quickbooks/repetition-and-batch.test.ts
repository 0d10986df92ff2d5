import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Body, must, Target, uniqueName } from './target.js';

let target: Target;
let customer: Body;
beforeAll(async () => {
  target = await Target.reach();
  customer = await target.customer();
});
afterAll(() => target.leave());

const numbered = (DocNumber: unknown) =>
  target.rows('Invoice', `select * from Invoice where DocNumber = '${DocNumber}'`);

describe('A repeated request id', () => {
  test('is answered as the first time, and makes nothing new', async () => {
    const body = await target.invoiceBody(customer.Id);
    const path = `/invoice?requestid=${randomUUID()}`;
    const first = must(await target.post(path, body)).Invoice;
    target.deleteLater('invoice', first.Id);
    const again = must(await target.post(path, body)).Invoice;
    expect([again.Id, again.SyncToken, again.DocNumber]).toEqual([first.Id, '0', body.DocNumber]);
    expect(await numbered(body.DocNumber)).toHaveLength(1);
  });

  test('of a customer makes one customer and no fault about its name', async () => {
    const DisplayName = uniqueName();
    const CurrencyRef = { value: await target.homeCurrency() };
    const path = `/customer?requestid=${randomUUID()}`;
    const first = must(await target.post(path, { DisplayName, CurrencyRef })).Customer;
    target.deactivateLater(first.Id);
    const again = must(await target.post(path, { DisplayName, CurrencyRef })).Customer;
    expect(again.Id).toBe(first.Id);
    const rows = await target.rows('Customer', `select * from Customer where DisplayName = '${DisplayName}'`);
    expect(rows.map(({ Id }) => Id)).toEqual([first.Id]);
  });
});

describe('A batch', () => {
  test('answers item by item under the ids it was given, with faults inside an answer of 200', async () => {
    const Invoice = await target.invoiceBody(customer.Id);
    const { BatchItemResponse } = must(
      await target.post('/batch', {
        BatchItemRequest: [
          { bId: 'make', operation: 'create', Invoice },
          { bId: 'miss', operation: 'delete', Invoice: { Id: '999999999', SyncToken: '0' } },
          { bId: 'ask', Query: `select * from Customer where Id = '${customer.Id}'` },
        ],
      }),
    );
    const byId = new Map<string, Body>(BatchItemResponse.map((item: Body) => [item.bId, item]));
    target.deleteLater('invoice', byId.get('make').Invoice.Id);
    expect(byId.get('make').Invoice).toMatchObject({ DocNumber: Invoice.DocNumber, SyncToken: '0' });
    expect(byId.get('miss').Fault).toMatchObject({ type: 'ValidationFault', Error: [{ code: '610' }] });
    expect(byId.get('ask').QueryResponse.Customer).toMatchObject([{ Id: customer.Id }]);
  });

  test('of more than 30 items is refused as a whole', async () => {
    const BatchItemRequest = Array.from({ length: 31 }, (_, index) => ({
      bId: `${index}`,
      Query: 'select count(*) from Customer',
    }));
    const refused = await target.post('/batch', { BatchItemRequest });
    expect(refused.status).toBe(400);
    expect(refused.body.Fault.type).toBe('ValidationFault');
  });
});
