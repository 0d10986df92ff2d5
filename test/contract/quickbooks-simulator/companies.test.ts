import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf, FIRST_REALM, invoiceBody, SECOND_REALM } from './support.js';

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

const DAY = 24 * 3600;
const age = (realmId: string, advanceSeconds: number) => bench.control('POST', '/clock', { realmId, advanceSeconds });
const change = (settings: object) => bench.control('PATCH', `/companies/${FIRST_REALM}`, settings);

describe('The clock of one company', () => {
  test('ages its objects and leaves the others, and all tokens, as they are', async () => {
    const other = await bench.connect(SECOND_REALM);
    const begun = Date.now();
    await age(FIRST_REALM, 40 * DAY);
    const mine = await bench.invoice(customer.Id);
    const theirs = await other.customer('Elsewhere');
    const daysAhead = ({ MetaData }: Body) => `${Math.round((Date.parse(MetaData.CreateTime) - begun) / (DAY * 1000))}`;
    expect([daysAhead(mine), daysAhead(theirs)]).toEqual(['40', '0']);
    expect(mine.TxnDate).toBe(mine.MetaData.CreateTime.slice(0, 10));
  });

  test('refuses a company that does not exist', async () => {
    await expect(age('1', 5)).rejects.toThrow('404');
  });
});

describe('The memory for request ids', () => {
  const create = (amount = '100.00') => bench.post('/invoice?requestid=po-1', invoiceBody(customer.Id, amount));
  const count = async () => (await bench.books()).invoices.length;

  test('ends after the time that the company is told, by its own clock', async () => {
    await change({ requestIdMemorySeconds: 900 });
    const first = await create();
    await age(FIRST_REALM, 890);
    expect((await create()).text).toBe(first.text);
    expect(await count()).toBe(1);
    await age(FIRST_REALM, 10);
    expect((await create()).body.Invoice.Id).not.toBe(first.body.Invoice.Id);
    expect(await count()).toBe(2);
  });

  test('never ends by itself', async () => {
    const first = await create();
    await age(FIRST_REALM, 3650 * DAY);
    expect((await create()).text).toBe(first.text);
  });

  test('can be lost by one company alone', async () => {
    await create();
    await bench.control('POST', '/forget-requestids', { realmId: SECOND_REALM });
    await create();
    expect(await count()).toBe(1);
    await bench.control('POST', '/forget-requestids', { realmId: FIRST_REALM });
    await create();
    expect(await count()).toBe(2);
  });

  test('can refuse the same id with another body, and answers the same body', async () => {
    await change({ refuseRepeatedRequestId: true });
    const first = await create();
    const refused = await create('999.00');
    expect([refused.status, errorOf(refused).code]).toEqual([400, '600']);
    expect((await create()).text).toBe(first.text);
    expect(await count()).toBe(1);
  });

  test('can refuse a repetition while the first call is under way', async () => {
    await change({ refuseRepeatedRequestId: true });
    await bench.control('POST', '/faults', { kind: 'latency', when: 'after', ms: 60_000, match: { path: '/invoice' } });
    const patience = new AbortController();
    const first = expect(
      bench.post('/invoice?requestid=po-1', invoiceBody(customer.Id), {}, patience.signal),
    ).rejects.toThrow();
    await bench.eventually(async () => (await count()) === 1);
    expect(errorOf(await create()).code).toBe('600');
    patience.abort();
    await first;
    await bench.eventually(async () => (await create()).status === 200);
    expect(await count()).toBe(1);
  });
});

describe('A company that is removed', () => {
  test('leaves nothing behind, and its realm id can be used again', async () => {
    const realmId = '9130000000000001';
    await bench.control('POST', '/companies', { realmId });
    const company = await bench.connect(realmId);
    await company.customer();
    await bench.control('POST', '/faults', { kind: '429', match: { realmId } });
    await bench.control('POST', '/webhooks', { realmId, paused: true });
    expect(await bench.control('DELETE', `/companies/${realmId}`)).toEqual({});

    expect((await bench.control('GET', `/requests?realmId=${realmId}`)).requests).toEqual([]);
    expect((await company.get('/preferences')).status).toBe(401);
    expect((await bench.control('GET', `/requests?realmId=${realmId}`)).requests).toMatchObject([{ status: '401' }]);
    await bench.control('DELETE', `/requests?realmId=${realmId}`);
    expect((await bench.control('GET', `/requests?realmId=${realmId}`)).requests).toEqual([]);
    await bench.control('POST', '/companies', { realmId });
    expect((await bench.control('GET', `/books?realmId=${realmId}`)).customers).toEqual([]);
    expect((await bench.control('GET', '/faults')).faults).toEqual([]);
    expect((await bench.control('GET', `/webhooks?realmId=${realmId}`)).settings).toMatchObject({ paused: false });
    expect(
      (await bench.token({ grant_type: 'refresh_token', refresh_token: company.tokens.refreshToken })).status,
    ).toBe(400);
    await bench.control('DELETE', `/companies/${realmId}`);
  });

  test('takes nothing of the others along', async () => {
    const before = await bench.books();
    await bench.control('POST', '/companies', { realmId: '9130000000000002' });
    await bench.control('DELETE', '/companies/9130000000000002');
    expect(await bench.books()).toEqual(before);
    expect((await bench.get('/preferences')).status).toBe(200);
    await expect(bench.control('DELETE', '/companies/9130000000000002')).rejects.toThrow('404');
  });
});

describe('The log and the faults of one company', () => {
  test('are read and emptied without touching those of another', async () => {
    const other = await bench.connect(SECOND_REALM);
    await other.get('/preferences');
    await bench.get('/preferences');
    await bench.token({ grant_type: 'refresh_token', refresh_token: other.tokens.refreshToken });
    for (const realmId of [FIRST_REALM, SECOND_REALM]) {
      await bench.control('POST', '/faults', { kind: '429', match: { realmId, path: '/never' } });
    }
    await bench.control('DELETE', `/faults?realmId=${FIRST_REALM}`);
    expect((await bench.control('GET', '/faults')).faults).toMatchObject([{ match: { realmId: SECOND_REALM } }]);
    expect((await bench.control('GET', `/faults?realmId=${FIRST_REALM}`)).faults).toEqual([]);
    await bench.control('DELETE', `/requests?realmId=${FIRST_REALM}`);
    const { requests } = await bench.control('GET', '/requests');
    expect(requests.map(({ realmId, kind }: Body) => [realmId, kind])).toEqual([
      [SECOND_REALM, 'read'],
      [SECOND_REALM, 'token'],
    ]);
  });
});

describe('The books', () => {
  test('tell an auditor what was made, sent and deleted', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const gone = await bench.invoice(customer.Id, '5.00');
    await bench.send('POST', `/invoice/${invoice.Id}/send?sendTo=a@example.com&requestid=s1`, '', {});
    await bench.send('POST', `/invoice/${invoice.Id}/send?sendTo=a@example.com&requestid=s1`, '', {});
    await bench.send('POST', `/invoice/${invoice.Id}/send?sendTo=b@example.com&requestid=s2`, '', {});
    await bench.control('POST', '/pay', { realmId: FIRST_REALM, invoiceId: invoice.Id, amount: '40.00' });
    await bench.control('POST', '/credit-memo', { realmId: FIRST_REALM, invoiceId: invoice.Id, amount: '10.00' });
    await bench.control('POST', '/delete-invoice', { realmId: FIRST_REALM, invoiceId: gone.Id });
    const books = await bench.books();
    expect(books.invoices).toMatchObject([
      {
        Id: invoice.Id,
        EmailStatus: 'EmailSent',
        DeliveryInfo: { DeliveryType: 'Email' },
        Balance: '50.00',
        LinkedTxn: [{ TxnType: 'Payment' }, { TxnType: 'Payment' }],
      },
    ]);
    expect(books.payments.map((payment: Body) => payment.Line[0].LinkedTxn)).toEqual([
      [{ TxnId: invoice.Id, TxnType: 'Invoice' }],
      [{ TxnId: invoice.Id, TxnType: 'Invoice' }],
    ]);
    expect(books.creditMemos).toMatchObject([{ TotalAmt: '10.00', RemainingCredit: '0' }]);
    expect(books.refundReceipts).toEqual([]);
    expect(books.deleted).toEqual([{ entity: 'Invoice', id: gone.Id }]);
    const at = expect.stringMatching(/Z$/);
    expect(books.emails).toEqual([
      { invoiceId: invoice.Id, to: 'a@example.com', at },
      { invoiceId: invoice.Id, to: 'b@example.com', at },
    ]);
    expect(books.created).toEqual({ Customer: '1', Invoice: '2', Payment: '2', CreditMemo: '1' });
  });
});
