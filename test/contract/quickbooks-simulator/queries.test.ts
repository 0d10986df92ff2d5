import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf } from './support.js';

let bench: Bench;
let amy: Body;
let zoe: Body;
beforeAll(async () => {
  bench = await Bench.start();
  zoe = await bench.customer('Zoe Ltd');
  amy = await bench.customer("Amy's Bird Sanctuary");
  for (const [index, amount] of ['10.00', '20.00', '30.00'].entries()) {
    await bench.control('POST', '/clock', { advanceSeconds: 60 });
    await bench.invoice(index === 1 ? zoe.Id : amy.Id, amount, {
      DocNumber: `PO-${index}`,
      TxnDate: `2026-03-0${index + 1}`,
    });
  }
});
afterAll(() => bench.simulator.stop());

const docNumbers = async (statement: string): Promise<string[]> =>
  ((await bench.query(statement)).body.QueryResponse.Invoice ?? []).map((invoice: Body) => invoice.DocNumber);

describe('A query', () => {
  test('shows the latest changed transactions first and names in alphabetical order', async () => {
    expect(await docNumbers('select * from Invoice')).toEqual(['PO-2', 'PO-1', 'PO-0']);
    const { QueryResponse } = (await bench.query('SELECT * FROM Customer')).body;
    expect(QueryResponse.Customer.map((each: Body) => each.DisplayName)).toEqual(["Amy's Bird Sanctuary", 'Zoe Ltd']);
  });

  test('carries totalCount for invoices and for nothing else', async () => {
    const invoices = (await bench.query('select * from Invoice maxresults 2')).body.QueryResponse;
    expect(invoices).toMatchObject({ startPosition: '1', maxResults: '2', totalCount: '3' });
    expect((await bench.query('select * from Customer')).body.QueryResponse).not.toHaveProperty('totalCount');
  });

  test('answers with an empty object when nothing is found, and with a bare count for COUNT(*)', async () => {
    const { body } = await bench.query("select * from Invoice where DocNumber = 'none'");
    expect(body.QueryResponse).toEqual({});
    expect((await bench.query('select count(*) from Invoice')).body.QueryResponse).toEqual({ totalCount: '3' });
  });

  test.each([
    ["where DocNumber = 'po-1'", ['PO-1']],
    ["where DocNumber in ('PO-0', 'PO-2') orderby DocNumber", ['PO-0', 'PO-2']],
    ["where DocNumber like 'PO-%' and TotalAmt > '10.00' order by TotalAmt asc", ['PO-1', 'PO-2']],
    ["where TotalAmt >= 20 AND TotalAmt <= '20.0'", ['PO-1']],
    ["where TxnDate < '2026-03-03' orderby TxnDate desc", ['PO-1', 'PO-0']],
    ["where Balance = '30'", ['PO-2']],
    ["where Id = '145'", ['PO-0']],
    [
      "where MetaData.LastUpdatedTime > '2026-01-01T00:00:00-08:00' orderby MetaData.CreateTime",
      ['PO-0', 'PO-1', 'PO-2'],
    ],
    ["where MetaData.CreateTime > '2099-01-01T00:00:00Z'", []],
    ['orderby MetaData.CreateTime startposition 2 maxresults 1', ['PO-1']],
    ['orderby MetaData.CreateTime maxresults 1 startposition 3', ['PO-2']],
  ])('understands %s', async (clause, expected) => {
    expect(await docNumbers(`select * from Invoice ${clause}`)).toEqual(expected);
  });

  test('compares references by id', async () => {
    expect(await docNumbers(`select * from Invoice where CustomerRef = '${zoe.Id}'`)).toEqual(['PO-1']);
  });

  test('takes a quote escaped with a backslash, in GET and in POST', async () => {
    const statement = "select * from Customer where DisplayName = 'amy\\'s bird sanctuary'";
    expect((await bench.query(statement)).body.QueryResponse.Customer[0].Id).toBe(amy.Id);
    const posted = await bench.post('/query', statement, { 'content-type': 'application/text' });
    expect(posted.body.QueryResponse.Customer[0].Id).toBe(amy.Id);
    expect((await bench.post('/query', statement, { 'content-type': 'application/json' })).status).toBe(400);
  });

  test('answers a field list with those fields only', async () => {
    const { QueryResponse } = (await bench.query("select Id, DocNumber from Invoice where DocNumber = 'PO-1'")).body;
    expect(QueryResponse.Invoice).toEqual([{ domain: 'QBO', sparse: true, Id: '146', DocNumber: 'PO-1' }]);
  });

  test('hides inactive names unless it asks for them', async () => {
    const names = async (where: string) =>
      ((await bench.query(`select * from Item ${where}`)).body.QueryResponse.Item ?? []).map((item: Body) => item.Name);
    expect(await names('')).toEqual(['Services']);
    expect(await names('where Active = false')).toEqual(['Retired service (deleted)']);
    expect(await names('where Active in (true, false)')).toEqual(['Retired service (deleted)', 'Services']);
  });

  test.each([
    ["select * from Customer where DisplayName = 'Amy''s'", '4000'],
    ["select * from Invoice where Id = '1' or Id = '2'", '4000'],
    ["select * from Invoice where Id != '1'", '4000'],
    ["select * from Invoice where DocNumber = 'open", '4000'],
    ['select * from Invoice limit 5', '4000'],
    ['update Invoice', '4000'],
    ['', '4000'],
    ['select * from Custmoer', '4001'],
    ['select * from Estimate', '500'],
    ["select * from Invoice where AccountRef = '1'", '4001'],
    ["select * from Invoice where PrivateNote = 'x'", '4001'],
    ["select * from Invoice where Id > '1'", '4001'],
    ["select * from Invoice where TotalAmt like '1%'", '4001'],
    ["select * from Invoice where TxnDate = 'today'", '4001'],
    ["select * from Invoice where MetaData.CreateTime > '2026-01-01T00:00:00 07:00'", '4001'],
    ['select * from Invoice orderby CustomerRef', '4001'],
    ['select * from Invoice startposition 0', '4001'],
    ['select * from Invoice maxresults 1001', '4001'],
  ])('refuses %s with %s', async (statement, code) => {
    const refused = await bench.query(statement);
    expect([refused.status, errorOf(refused).code]).toEqual([400, code]);
    expect(errorOf(refused)).not.toHaveProperty('element');
  });

  test.each([
    ['select * from Custmoer', 'QueryValidationError: invalid context declaration: Custmoer'],
    [
      "select * from Invoice where AccountRef = '1'",
      'QueryValidationError: Property AccountRef not found for Entity Invoice',
    ],
    [
      "select * from Invoice where DepartmentRef = '1'",
      "QueryValidationError: property 'DepartmentRef' is not queryable",
    ],
    ['select * from Invoice startposition 0', 'QueryValidationError: value 0 is too small. Min allowed value is 1'],
  ])('explains %s as the provider does', async (statement, detail) => {
    expect(errorOf(await bench.query(statement)).Detail).toBe(detail);
  });
});

describe('A batch', () => {
  test('answers item by item, with faults inside an answer of 200', async () => {
    const { status, body } = await bench.post('/batch', {
      BatchItemRequest: [
        { bId: 'a', operation: 'create', Customer: { DisplayName: 'From a batch' } },
        { bId: 'b', operation: 'delete', Invoice: { Id: '9999', SyncToken: '0' } },
        { bId: 'c', Query: "select * from Invoice where DocNumber = 'PO-1'" },
      ],
    });
    expect(status).toBe(200);
    expect(body.BatchItemResponse).toMatchObject([
      { bId: 'a', Customer: { DisplayName: 'From a batch' } },
      { bId: 'b', Fault: { type: 'ValidationFault', Error: [{ code: '610' }] } },
      { bId: 'c', QueryResponse: { Invoice: [{ DocNumber: 'PO-1' }], totalCount: '1' } },
    ]);
  });

  test('holds at most 30 items', async () => {
    const BatchItemRequest = Array.from({ length: 31 }, (_, index) => ({
      bId: `${index}`,
      Query: 'select * from Item',
    }));
    expect(errorOf(await bench.post('/batch', { BatchItemRequest })).code).toBe('1040');
  });
});
