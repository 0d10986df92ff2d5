import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Body, faultOf, must, Target, uniqueName } from './target.js';

let target: Target;
let customer: Body;
let invoices: Body[];
beforeAll(async () => {
  target = await Target.reach();
  // An apostrophe and a backslash, which both have to be escaped.
  customer = await target.customer({ DisplayName: `O'Hara \\ ${uniqueName()}` });
  invoices = [];
  for (const amount of [10, 20, 30]) invoices.push(await target.invoice(customer.Id, amount));
});
afterAll(() => target.leave());

const ids = (rows: readonly Body[]): string[] => rows.map(({ Id }) => Id);
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const ours = (more = ''): Promise<Body[]> =>
  target.rows('Invoice', `select * from Invoice where CustomerRef = '${customer.Id}' ${more}`);

describe('A query', () => {
  test('finds names with a quote and a backslash, escaped by a backslash, in any case', async () => {
    for (const name of [customer.DisplayName, customer.DisplayName.toUpperCase()]) {
      const statement = `select * from Customer where DisplayName in (${quoted(name)}, 'nobody ${uniqueName()}') and Active in (true, false) maxresults 1000`;
      expect(ids(await target.rows('Customer', statement))).toEqual([customer.Id]);
    }
  });

  test('can be the body of a POST', async () => {
    const statement = `select * from Customer where DisplayName = ${quoted(customer.DisplayName)}`;
    const found = await target.post('/query', statement, { 'content-type': 'application/text' });
    expect(ids(must(found).QueryResponse.Customer)).toEqual([customer.Id]);
  });

  test('finds the invoices of a customer since a moment, by number, by id and in a window of changes, in order', async () => {
    const [first, second, third] = ids(invoices);
    const { CreateTime } = invoices[0].MetaData;
    const order = 'orderby MetaData.CreateTime';
    expect(ids(await ours(`and MetaData.CreateTime >= '${CreateTime}' ${order}`)).sort()).toEqual(ids(invoices).sort());
    expect(ids(await ours("and MetaData.CreateTime >= '2099-01-01T00:00:00-08:00'"))).toEqual([]);
    const number = invoices[1].DocNumber;
    expect(ids(await target.rows('Invoice', `select * from Invoice where DocNumber = '${number}'`))).toEqual([second]);
    const listed = Array.from({ length: 500 }, (_, index) => [third, first][index] ?? `${999_000_000 + index}`);
    const statement = `select * from Invoice where Id in (${listed.map((each) => `'${each}'`).join(', ')}) maxresults 1000`;
    const inOneGo = await target.post('/query', statement, { 'content-type': 'application/text' });
    expect(ids(must(inOneGo).QueryResponse.Invoice).sort()).toEqual([first, third].sort());
    const { LastUpdatedTime } = invoices[2].MetaData;
    const window =
      `and MetaData.LastUpdatedTime >= '${CreateTime}' and MetaData.LastUpdatedTime <= '${LastUpdatedTime}' ` +
      'orderby MetaData.LastUpdatedTime desc';
    expect(ids(await ours(window))).toContain(third);
  });

  test('answers in pages, tells how many rows a page holds, and counts', async () => {
    const page = (more: string) =>
      target.query(`select * from Invoice where CustomerRef = '${customer.Id}' orderby MetaData.CreateTime ${more}`);
    const first = must(await page('startposition 1 maxresults 2')).QueryResponse;
    const second = must(await page('startposition 3 maxresults 2')).QueryResponse;
    expect([first.startPosition, first.maxResults, second.startPosition, second.maxResults]).toEqual([1, 2, 3, 1]);
    expect([...ids(first.Invoice), ...ids(second.Invoice)].sort()).toEqual(ids(invoices).sort());
    expect(must(await page('startposition 4')).QueryResponse).not.toHaveProperty('Invoice');
    const counted = await target.query(`select count(*) from Invoice where CustomerRef = '${customer.Id}'`);
    expect(must(counted).QueryResponse.totalCount).toBe(3);
  });

  test.each([
    ['a doubled quote', "select * from Customer where DisplayName = 'O''Hara'", '4000'],
    ['an OR', "select * from Customer where Id = '1' or Id = '2'", '4000'],
    ['no statement at all', 'delete everything', '4000'],
    ['an entity that does not exist', 'select * from Custmoer', '4001'],
    ['a start before the first row', 'select * from Customer startposition 0', '4001'],
    ['a property that cannot be asked for', "select * from Invoice where PrivateNote = 'x'", '4001'],
  ])('is refused with %s', async (_what, statement, code) => {
    expect(faultOf(await target.query(statement))).toEqual([400, code, 'ValidationFault']);
  });
});

describe('Change data capture', () => {
  test('reports what is there, and what was deleted after it', async () => {
    const since = encodeURIComponent(invoices[0].MetaData.CreateTime);
    const gone = await target.invoice(customer.Id);
    must(await target.post('/invoice?operation=delete', { Id: gone.Id, SyncToken: '0' }));
    const payment = await target.payment(customer.Id, 5, []);
    const { CDCResponse } = must(await target.get(`/cdc?entities=Invoice,Payment&changedSince=${since}`));
    const [changed, paid] = CDCResponse[0].QueryResponse;
    const position = (id: string): number => ids(changed.Invoice).indexOf(id);
    expect(ids(changed.Invoice)).toEqual(expect.arrayContaining([...ids(invoices), gone.Id]));
    expect(changed.Invoice[position(gone.Id)]).toMatchObject({ Id: gone.Id, status: 'Deleted' });
    expect(changed.Invoice[position(invoices[0].Id)]).toMatchObject({ TotalAmt: invoices[0].TotalAmt });
    expect(position(gone.Id)).toBeGreaterThan(position(invoices[0].Id));
    expect(ids(paid.Payment)).toContain(payment.Id);
  });
});
