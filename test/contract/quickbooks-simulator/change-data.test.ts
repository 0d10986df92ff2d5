import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf, FIRST_REALM, invoiceBody } from './support.js';

let bench: Bench;
let customer: Body;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', { tokens: true });
  Object.assign(bench.tokens, await bench.control('POST', '/tokens', { realmId: FIRST_REALM }));
  customer = await bench.customer();
});
afterAll(() => bench.simulator.stop());

const age = (advanceSeconds: number) => bench.control('POST', '/clock', { realmId: FIRST_REALM, advanceSeconds });
const changes = (entities: string, changedSince: string) =>
  bench.get(`/cdc?entities=${entities}&changedSince=${encodeURIComponent(changedSince)}`);
const answersOf = async (entities: string, since: string): Promise<Body[]> =>
  (await changes(entities, since)).body.CDCResponse[0].QueryResponse;
const ids = (answer: Body, entity: string): string[] => (answer[entity] ?? []).map(({ Id }: Body) => Id);
/** Many invoices at once: thirty to a batch, twenty-five batches. */
async function manyInvoices(count: number): Promise<void> {
  for (let made = 0; made < count; made += 30) {
    const BatchItemRequest = Array.from({ length: Math.min(30, count - made) }, (_, index) => ({
      bId: `${index}`,
      operation: 'create',
      Invoice: invoiceBody(customer.Id, '1.00'),
    }));
    expect((await bench.post('/batch', { BatchItemRequest })).status).toBe(200);
  }
}

describe('Change data capture', () => {
  test('answers entity by entity, earliest change first and deletions last', async () => {
    const since = customer.MetaData.CreateTime;
    const [early, gone, late] = [
      await bench.invoice(customer.Id),
      await bench.invoice(customer.Id),
      await bench.invoice(customer.Id),
    ];
    await bench.post('/invoice?operation=delete', { Id: gone.Id, SyncToken: '0' });
    await age(10);
    await bench.post('/invoice', { Id: early.Id, SyncToken: '0', sparse: true, PrivateNote: 'changed' });
    const [invoices, payments, customers] = await answersOf('Invoice,Payment,Customer', since);
    expect(ids(invoices, 'Invoice')).toEqual([late.Id, early.Id, gone.Id]);
    expect(invoices.Invoice[2]).toEqual({
      domain: 'QBO',
      status: 'Deleted',
      Id: gone.Id,
      MetaData: { LastUpdatedTime: expect.stringMatching(/-0[78]:00$/) },
    });
    expect([invoices.maxResults, invoices.totalCount]).toEqual(['3', '3']);
    expect(payments).toEqual({});
    expect(ids(customers, 'Customer')).toEqual([customer.Id]);
    expect(customers).not.toHaveProperty('totalCount');
  });

  test('shows a void as a change like any other', async () => {
    const invoice = await bench.invoice(customer.Id);
    await bench.control('POST', '/void-invoice', { realmId: FIRST_REALM, invoiceId: invoice.Id });
    const [answer] = await answersOf('Invoice', customer.MetaData.CreateTime);
    expect(answer.Invoice).toMatchObject([{ Id: invoice.Id, TotalAmt: '0', PrivateNote: 'Voided', SyncToken: '1' }]);
  });

  test('ends at 1000 objects of all entities together, without a next page', async () => {
    await manyInvoices(1001);
    await bench.control('POST', '/pay', { realmId: FIRST_REALM, invoiceId: '145' });
    await bench.control('POST', '/delete-invoice', { realmId: FIRST_REALM, invoiceId: '146' });
    const since = customer.MetaData.CreateTime;
    const [payments, invoices, customers] = await answersOf('Payment,Invoice,Customer', since);
    expect([ids(payments, 'Payment').length, ids(invoices, 'Invoice').length]).toEqual([1, 999]);
    expect(customers).toEqual({});
    // The latest change and the deletion are what is missing.
    expect(ids(invoices, 'Invoice')).not.toContain('146');
    const [first] = await answersOf('Invoice,Payment', since);
    expect([ids(first, 'Invoice').length, first.totalCount]).toEqual([1000, '1000']);
    expect(first.Invoice.every(({ status }: Body) => status === undefined)).toBe(true);
  });

  test('reaches back 30 days and says nothing of what is older', async () => {
    const old = await bench.invoice(customer.Id);
    await age(31 * 24 * 3600);
    const fresh = await bench.invoice(customer.Id);
    const [answer] = await answersOf('Invoice', '2026-01-01');
    expect(ids(answer, 'Invoice')).toEqual([fresh.Id]);
    expect(ids(answer, 'Invoice')).not.toContain(old.Id);
  });

  test('can refuse what is older than 30 days', async () => {
    await bench.control('PATCH', `/companies/${FIRST_REALM}`, { changesTooOld: 'refuse' });
    const refused = await changes('Invoice', '2020-01-01');
    expect([refused.status, errorOf(refused).code]).toEqual([400, '2060']);
    expect((await changes('Customer', customer.MetaData.CreateTime)).status).toBe(200);
  });

  test.each([
    ['no entities', '', '2026-11-01', '2020'],
    ['a moment with a bare plus sign', 'Invoice', '2026-11-01T00:00:00 01:00', '2010'],
    ['an entity that does not exist', 'Custmoer', '2026-11-01', '4001'],
  ])('refuses %s', async (_what, entities, since, code) => {
    expect(errorOf(await changes(entities, since)).code).toBe(code);
  });
});

describe('The queries of a sweep', () => {
  test.each(['Invoice', 'Payment', 'CreditMemo', 'RefundReceipt'])(
    'find what was changed in a window on %s, in the order of change',
    async (entity) => {
      const begun = customer.MetaData.CreateTime;
      const made: string[] = [];
      for (let index = 0; index < 3; index += 1) {
        await age(60);
        made.push(await createOne(entity));
      }
      const statement = (from: string, to: string, order = '') =>
        `select * from ${entity} where MetaData.LastUpdatedTime >= '${from}' and MetaData.LastUpdatedTime <= '${to}' ` +
        `orderby MetaData.LastUpdatedTime ${order}`;
      const found = (await bench.query(statement(begun, '2099-01-01T00:00:00Z'))).body.QueryResponse;
      expect(ids(found, entity)).toEqual(made);
      const { LastUpdatedTime } = found[entity][1].MetaData;
      expect(ids((await bench.query(statement(begun, LastUpdatedTime))).body.QueryResponse, entity)).toEqual(
        made.slice(0, 2),
      );
      const latest = (await bench.query(statement(LastUpdatedTime, '2099-01-01', 'desc maxresults 1'))).body
        .QueryResponse;
      expect(ids(latest, entity)).toEqual(made.slice(2));
    },
  );

  async function createOne(entity: string): Promise<string> {
    const path = `/${entity.toLowerCase()}`;
    const extra = { RefundReceipt: { DepositToAccountRef: { value: '35' } } }[entity] ?? {};
    const payment = { CustomerRef: { value: customer.Id }, CurrencyRef: { value: 'USD' }, TotalAmt: 1 };
    const body = entity === 'Payment' ? payment : { ...invoiceBody(customer.Id, '1.00'), ...extra };
    const answer = await bench.post(path, body);
    return answer.body[entity].Id;
  }

  test('find the invoices of a customer since a moment', async () => {
    const other = await bench.customer('Other');
    await bench.invoice(customer.Id);
    await age(3600);
    const { MetaData, Id } = await bench.invoice(customer.Id);
    await bench.invoice(other.Id);
    const statement = `select * from Invoice where CustomerRef = '${customer.Id}' and MetaData.CreateTime >= '${MetaData.CreateTime}'`;
    expect(ids((await bench.query(statement)).body.QueryResponse, 'Invoice')).toEqual([Id]);
  });

  test('find 500 invoices by id in one page, and the pay link when it is asked for', async () => {
    await manyInvoices(510);
    await bench.post('/invoice', { Id: '150', SyncToken: '0', sparse: true, BillEmail: { Address: 'a@example.com' } });
    const list = Array.from({ length: 500 }, (_, index) => `'${145 + index}'`).join(',');
    const statement = `select * from Invoice where Id in (${list}) orderby MetaData.CreateTime maxresults 1000`;
    const { Invoice } = (await bench.query(statement)).body.QueryResponse;
    expect(Invoice).toHaveLength(500);
    const linked = await bench.get(`/query?include=invoiceLink&query=${encodeURIComponent(statement)}`);
    const links = linked.body.QueryResponse.Invoice.filter((each: Body) => each.InvoiceLink !== undefined);
    expect(ids({ Invoice: links }, 'Invoice')).toEqual(['150']);
    expect(Invoice.some((each: Body) => each.InvoiceLink !== undefined)).toBe(false);
  });
});
