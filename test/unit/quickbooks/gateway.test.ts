import { beforeEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { intuitEndpoints } from '../../../src/infrastructure/quickbooks/endpoints.js';
import { QuickBooksGateway } from '../../../src/infrastructure/quickbooks/gateway.js';
import { testWaits } from '../../support/test-waits.js';
import { FreeTraffic } from './free-traffic.js';
import { interceptRequests } from './intercept.js';
import { MemoryTokenStore, markingBox } from './memory-token-store.js';

const API = 'https://sandbox-quickbooks.api.intuit.com';
const COMPANY = '/v3/company/4620';
const NOW = new Date('2026-11-21T12:00:00Z');

const invoice = {
  Id: '155',
  SyncToken: '0',
  CustomerRef: { value: '1' },
  CurrencyRef: { value: 'USD' },
  TotalAmt: 100,
  Balance: 100,
  EmailStatus: 'EmailSent',
  Line: [{ DetailType: 'SalesItemLineDetail', Amount: 100, Description: 'Booth' }],
};

const expired = {
  fault: { error: [{ message: 'message=AuthenticationFailed', detail: 'Token expired: access-1', code: '3200' }] },
};

interceptRequests();

let store: MemoryTokenStore;
let gateway: QuickBooksGateway;

beforeEach(() => {
  store = new MemoryTokenStore();
  gateway = new QuickBooksGateway({
    store,
    traffic: new FreeTraffic(),
    secrets: markingBox,
    clock: { now: () => NOW },
    endpoints: ({ environment }) => intuitEndpoints(environment),
    defaultApp: { clientId: 'id', clientSecret: 'secret' },
    waits: testWaits,
  });
});

function api(accessToken = 'access-1'): nock.Scope {
  return nock(API, { reqheaders: { authorization: `Bearer ${accessToken}` } });
}

function refreshSucceeds(): nock.Scope {
  return nock('https://oauth.platform.intuit.com')
    .post('/oauth2/v1/tokens/bearer')
    .reply(200, { access_token: 'access-2', refresh_token: 'refresh-2', expires_in: 3600 });
}

describe('an access token that QuickBooks refuses', () => {
  test('401 → refresh → the same request once more, with the same idempotency key', async () => {
    const query = { minorversion: '75', requestid: 'op_1' };
    const refused = api().post(`${COMPANY}/invoice`, '{"a":1.00}').query(query).reply(401, expired);
    const refresh = refreshSucceeds();
    const accepted = api('access-2')
      .post(`${COMPANY}/invoice`, '{"a":1.00}')
      .query(query)
      .reply(200, { Invoice: invoice });
    const result = await gateway.createInvoice('qbo_1', '{"a":1.00}', 'op_1');
    expect(result).toMatchObject({ ok: true, value: { externalId: '155', total: 10000n } });
    expect([refused.isDone(), refresh.isDone(), accepted.isDone()]).toEqual([true, true, true]);
    expect(store.connection.tokenVersion).toBe(2);
  });

  test('a 401 to the new one, too, is QuickBooks’ trouble: nothing is refreshed again and the connection stays', async () => {
    api().get(`${COMPANY}/invoice/155`).query(true).reply(401, expired);
    refreshSucceeds();
    const refused = api('access-2').get(`${COMPANY}/invoice/155`).times(3).query(true);
    refused.reply(401, expired, { intuit_tid: 'tid-2' });
    for (let call = 0; call < 3; call++) {
      expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({
        ok: false,
        failure: {
          kind: 'unavailable',
          message: expect.stringContaining('QuickBooks refuses an access token that Intuit has just issued'),
          trace: { statusCode: 401, requestId: 'tid-2' },
        },
      });
    }
    expect(nock.pendingMocks()).toEqual([]);
    expect(store.connection).toMatchObject({ reconnectRequired: false, tokenVersion: 2 });
    api('access-2').get(`${COMPANY}/invoice/155`).query(true).reply(200, { Invoice: invoice });
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ ok: true });
  });

  test('when the refresh fails the request is not repeated', async () => {
    api().post(`${COMPANY}/invoice`).query(true).reply(401, expired);
    nock('https://oauth.platform.intuit.com').post('/oauth2/v1/tokens/bearer').reply(503, '');
    const never = api().post(`${COMPANY}/invoice`).query(true).reply(200, { Invoice: invoice });
    expect(await gateway.createInvoice('qbo_1', '{}', 'op_1')).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(never.isDone()).toBe(false);
  });

  test('403 is not answered with a refresh, and ends the connection', async () => {
    const fault = { fault: { error: [{ message: 'm', detail: null, code: '3100' }] } };
    api().get(`${COMPANY}/invoice/155`).query(true).reply(403, fault);
    const refresh = refreshSucceeds();
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'reconnect_required' } });
    expect(refresh.isDone()).toBe(false);
    expect(store.connection.reconnectRequired).toBe(true);
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'reconnect_required' } });
  });

  test.each(['120', '130', '3100'])('fault %s ends the connection', async (code) => {
    const fault = { Fault: { Error: [{ Message: 'Refused', Detail: 'Refused: no access.', code }] } };
    api().post(`${COMPANY}/invoice`).query(true).reply(401, fault);
    expect(await gateway.createInvoice('qbo_1', '{}', 'op_1')).toMatchObject({
      failure: { kind: 'reconnect_required', trace: { statusCode: 401 } },
    });
    expect(store.connection.reconnectRequired).toBe(true);
  });

  test('403 without an explanation, as a proxy gives it, fails the call and leaves the connection alone', async () => {
    api().get(`${COMPANY}/invoice/155`).query(true).reply(403, '<html>');
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'reconnect_required' } });
    expect(store.connection.reconnectRequired).toBe(false);
  });

  test('403 for tokens that were replaced meanwhile ends nothing', async () => {
    const fault = { fault: { error: [{ message: 'm', detail: null, code: '3100' }] } };
    api()
      .get(`${COMPANY}/invoice/155`)
      .query(true)
      .reply(403, () => {
        store.connection = { ...store.connection, tokenVersion: 2 };
        return fault;
      });
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(store.connection.reconnectRequired).toBe(false);
  });

  test('a connection that must be reconnected makes no request', async () => {
    store.connection = { ...store.connection, reconnectRequired: true };
    const never = api().persist().get(/.*/).reply(200, {});
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'reconnect_required' } });
    expect(never.isDone()).toBe(false);
  });
});

describe('invoices', () => {
  test('a created invoice whose answer cannot be understood is unknown, not created again', async () => {
    api()
      .post(`${COMPANY}/invoice`)
      .query(true)
      .reply(200, { Invoice: { ...invoice, TotalAmt: 100.005 } });
    const result = await gateway.createInvoice('qbo_1', '{}', 'op_1');
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unknown', trace: { statusCode: 200 } } });
  });

  test('reading one whose answer cannot be understood is unavailable', async () => {
    api().get(`${COMPANY}/invoice/155`).query(true).reply(200, { Invoice: {} });
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  test('a deleted invoice is not found, which a query confirms', async () => {
    const fault = { Fault: { Error: [{ Message: 'Object Not Found', Detail: 'Object Not Found : …', code: '610' }] } };
    api().get(`${COMPANY}/invoice/155`).query(true).reply(400, fault);
    api().get(`${COMPANY}/query`).query(true).reply(200, { QueryResponse: {} });
    expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({
      failure: { kind: 'rejected', reason: 'not_found' },
    });
  });

  test('sending one posts nothing but the address', async () => {
    const scope = nock(API, { reqheaders: { 'content-type': 'application/octet-stream', 'content-length': '0' } })
      .post(`${COMPANY}/invoice/155/send`, '')
      .query({ sendTo: 'ap+x@acme.example', minorversion: '75', requestid: 'op_2' })
      .reply(200, { Invoice: invoice });
    const result = await gateway.sendInvoice('qbo_1', '155', 'ap+x@acme.example', 'op_2');
    expect(result).toMatchObject({ ok: true, value: { emailStatus: 'SENT' } });
    expect(scope.isDone()).toBe(true);
  });

  describe('without a currency', () => {
    const { CurrencyRef: _, ...withoutCurrency } = invoice;
    const preferences = { Preferences: { CurrencyPrefs: { HomeCurrency: { value: 'JPY' } } } };

    beforeEach(() => {
      store.connection = { ...store.connection, homeCurrency: undefined };
    });

    test('is in the company’s own, which is asked for once', async () => {
      const Invoice = { ...withoutCurrency, TotalAmt: 500, Balance: 500 };
      api().get(`${COMPANY}/invoice/155`).times(2).query(true).reply(200, { Invoice });
      api().get(`${COMPANY}/preferences`).query(true).reply(200, preferences);
      expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ value: { currency: 'JPY', total: 500n } });
      expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ value: { currency: 'JPY', total: 500n } });
    });

    test('that can be found out is not guessed', async () => {
      api().get(`${COMPANY}/invoice/155`).query(true).reply(200, { Invoice: withoutCurrency });
      api().get(`${COMPANY}/preferences`).query(true).reply(503, '');
      expect(await gateway.readInvoice('qbo_1', '155')).toMatchObject({ failure: { kind: 'unavailable' } });
    });

    const writes: [string, string, () => Promise<unknown>][] = [
      ['created', '/invoice', () => gateway.createInvoice('qbo_1', '{}', 'op_1')],
      ['e-mailed', '/invoice/155/send', () => gateway.sendInvoice('qbo_1', '155', 'ap@acme.example', 'op_1')],
      ['voided', '/invoice', () => gateway.voidInvoice('qbo_1', '{}', 'op_1')],
    ];

    test.each(writes)('one that was %s stays so while reads are paused', async (_what, path, write) => {
      const read = { remainingMs: 60_000, count: 3 };
      store.connection = { ...store.connection, homeCurrency: 'USD', pauses: { ...store.connection.pauses, read } };
      api().post(`${COMPANY}${path}`).query(true).reply(200, { Invoice: withoutCurrency });
      expect(await write()).toMatchObject({ ok: true, value: { externalId: '155', currency: 'USD', total: 10000n } });
    });

    test.each(writes)('one is %s only after the currency was asked for', async (_what, path, write) => {
      let isWritten = false;
      api()
        .get(`${COMPANY}/preferences`)
        .query(true)
        .reply(200, () => (isWritten ? {} : preferences));
      api()
        .post(`${COMPANY}${path}`)
        .query(true)
        .reply(200, () => {
          isWritten = true;
          return { Invoice: { ...withoutCurrency, TotalAmt: 500, Balance: 500, Line: [] } };
        });
      expect(await write()).toMatchObject({ ok: true, value: { currency: 'JPY', total: 500n } });
    });

    test.each(writes)('none is %s when it cannot be found out, and nothing was sent', async (_what, path, write) => {
      const fault = { Fault: { Error: [{ Message: 'Refused', Detail: 'Refused', code: '5020' }] } };
      api().get(`${COMPANY}/preferences`).query(true).reply(400, fault);
      const never = api().post(`${COMPANY}${path}`).query(true).reply(200, { Invoice: invoice });
      expect(await write()).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
      expect(never.isDone()).toBe(false);
    });
  });
});

describe('looking for an invoice among those of its customer', () => {
  const look = (...rows: object[]) => {
    api()
      .get(`${COMPANY}/query`)
      .query(true)
      .reply(200, { QueryResponse: { Invoice: rows } });
    return gateway.findInvoices('qbo_1', { customerExternalId: '1', createdSince: NOW }, ['op_7']);
  };
  const own = { ...invoice, PrivateNote: 'conference-invoicing PO-1 op_7' };

  test('passes over another one that cannot be understood', async () => {
    const [odd, broken] = [{ ...invoice, Id: '156', TotalAmt: 0.001 }, { Id: '157' }];
    expect(await look(odd, own, broken)).toMatchObject({ ok: true, value: [{ externalId: '155' }] });
  });

  test.each([
    ['an amount that the currency does not have', { ...own, TotalAmt: 0.001 }],
    ['almost nothing', { Id: '155', PrivateNote: own.PrivateNote }],
  ])('fails when it is itself described with %s', async (_what, row) => {
    expect(await look({ ...invoice, Id: '156' }, row)).toMatchObject({
      failure: {
        kind: 'unavailable',
        message:
          'QuickBooks has invoice 155, which bears our mark, and describes it in a way that cannot be understood.',
      },
    });
  });

  test('an answer that is not one is no empty list', async () => {
    api().get(`${COMPANY}/query`).query(true).reply(200, { Invoice: [] });
    const wanted = { documentNumber: 'PO-1' };
    expect(await gateway.findInvoices('qbo_1', wanted, ['op_6', 'op_7'])).toMatchObject({
      failure: { kind: 'unavailable' },
    });
  });
});

describe('payments', () => {
  test('ids that QuickBooks no longer knows are missing from the answer', async () => {
    const facts = { Id: '180', SyncToken: '0', TotalAmt: 387.0, UnappliedAmt: 387.0, TxnDate: '2026-05-05' };
    const payment = { ...facts, CurrencyRef: { value: 'USD' }, Line: [] };
    api()
      .get(`${COMPANY}/query`)
      .query({ query: "select * from Payment where Id in ('180', '181') maxresults 1000", minorversion: '75' })
      .reply(200, { QueryResponse: { Payment: [payment] } });
    expect(await gateway.readPayments('qbo_1', ['180', '181'])).toMatchObject({
      ok: true,
      value: { objects: [{ externalId: '180', total: 38700n }], unreadableIds: [] },
    });
  });

  test('for no ids nothing is asked', async () => {
    const value = { objects: [], unreadableIds: [] };
    expect(await gateway.readPayments('qbo_1', [])).toEqual({ ok: true, value, trace: {} });
  });

  test('one that cannot be understood is named, and does not spoil the others', async () => {
    const facts = { Id: '180', SyncToken: '0', TotalAmt: 1, UnappliedAmt: 1, TxnDate: '2026-05-05' };
    const good = { ...facts, CurrencyRef: { value: 'USD' } };
    api()
      .get(`${COMPANY}/query`)
      .query(true)
      .reply(200, { QueryResponse: { Payment: [good, { ...good, Id: '181', TotalAmt: 0.001 }] } });
    expect(await gateway.readPayments('qbo_1', ['180', '181'])).toMatchObject({
      value: { objects: [{ externalId: '180' }], unreadableIds: ['181'] },
    });
  });

  test('an answer that is not one is unavailable, not an empty list', async () => {
    api().get(`${COMPANY}/query`).query(true).reply(200, { Payment: [] });
    expect(await gateway.readPayments('qbo_1', ['180', '181'])).toMatchObject({ failure: { kind: 'unavailable' } });
  });
});

describe('many objects at once', () => {
  const payment = (id: number, second: number) => ({
    Id: `${id}`,
    SyncToken: '0',
    TotalAmt: 1,
    UnappliedAmt: 1,
    TxnDate: '2026-05-05',
    CurrencyRef: { value: 'USD' },
    MetaData: { LastUpdatedTime: `2026-05-05T02:08:${`${second}`.padStart(2, '0')}Z` },
  });
  const since = (second: number) =>
    `select * from Payment where MetaData.LastUpdatedTime >= '2026-05-05T02:08:${`${second}`.padStart(2, '0')}Z' orderby MetaData.LastUpdatedTime maxresults 1000`;
  const page = (query: string, rows: object[]) =>
    api()
      .get(`${COMPANY}/query`)
      .query({ query, minorversion: '75' })
      .reply(200, { QueryResponse: { Payment: rows } });

  test('invoices are asked for with their payment page; one that is missing is looked at by itself', async () => {
    const found = { ...invoice, InvoiceLink: 'https://pay.example/155' };
    api()
      .get(`${COMPANY}/query`)
      .query({
        query: "select * from Invoice where Id in ('155', '156', '157') maxresults 1000",
        include: 'invoiceLink',
        minorversion: '75',
      })
      .reply(200, { QueryResponse: { Invoice: [found] }, time: '2026-05-05T02:08:54.543-07:00' });
    const fault = { Fault: { Error: [{ Message: 'Object Not Found', Detail: 'Object Not Found : …', code: '610' }] } };
    api().get(`${COMPANY}/invoice/156`).query(true).reply(400, fault);
    api()
      .get(`${COMPANY}/invoice/157`)
      .query(true)
      .reply(200, { Invoice: { ...invoice, Id: '157' } });
    const read = await gateway.readInvoices('qbo_1', ['155', '156', '157']);
    expect(read).toMatchObject({
      ok: true,
      asOf: expect.any(Date),
      value: {
        objects: [{ externalId: '155', payUrl: 'https://pay.example/155' }, { externalId: '157' }],
        unreadableIds: [],
      },
    });
    expect(nock.pendingMocks()).toEqual([]);
  });

  test('an invoice that is missing and cannot be asked about is not taken for deleted', async () => {
    api()
      .get(`${COMPANY}/query`)
      .query(true)
      .reply(200, { QueryResponse: { Invoice: [invoice] } });
    api().get(`${COMPANY}/invoice/156`).query(true).reply(503, '');
    expect(await gateway.readInvoices('qbo_1', ['155', '156'])).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  describe('of which there is only one', () => {
    const fault = { Fault: { Error: [{ Message: 'Object Not Found', Detail: 'Object Not Found : …', code: '610' }] } };
    const byId = (entity: string) => api().get(`${COMPANY}/${entity}`).query(true);
    const query = () => api().get(`${COMPANY}/query`).query(true);

    test('an invoice is read by its id', async () => {
      byId('invoice/155').reply(200, { Invoice: invoice, time: '2026-05-05T02:08:54.543-07:00' });
      const value = { objects: [{ externalId: '155' }], unreadableIds: [] };
      expect(await gateway.readInvoices('qbo_1', ['155', '155'])).toMatchObject({ value, asOf: expect.any(Date) });
    });

    test('a payment is read by its id, named when it cannot be understood, and gone when it is not found', async () => {
      const nothing = { objects: [], unreadableIds: [] };
      byId('payment/180').reply(200, { Payment: payment(180, 10) });
      const value = { ...nothing, objects: [{ externalId: '180' }] };
      expect(await gateway.readPayments('qbo_1', ['180', '180'])).toMatchObject({ ok: true, value });
      byId('payment/180').reply(200, { Payment: { ...payment(180, 10), TotalAmt: 0.001 } });
      const unreadable = { ok: true, value: { ...nothing, unreadableIds: ['180'] } };
      expect(await gateway.readPayments('qbo_1', ['180'])).toMatchObject(unreadable);
      byId('payment/180').reply(400, fault);
      expect(await gateway.readPayments('qbo_1', ['180'])).toMatchObject({ ok: true, value: nothing });
    });

    test('an invoice that cannot be understood is named', async () => {
      byId('invoice/155').reply(200, { Invoice: { ...invoice, TotalAmt: 0.001 } });
      const value = { objects: [], unreadableIds: ['155'] };
      expect(await gateway.readInvoices('qbo_1', ['155'])).toMatchObject({ ok: true, value });
    });

    test('an invoice was deleted when a query does not find it, either', async () => {
      byId('invoice/155').reply(400, fault);
      query().reply(200, { QueryResponse: {} });
      const value = { objects: [], unreadableIds: [] };
      expect(await gateway.readInvoices('qbo_1', ['155'])).toMatchObject({ ok: true, value });
      byId('invoice/155').reply(400, fault);
      query().reply(200, { QueryResponse: { Invoice: [invoice] } });
      expect(await gateway.readInvoices('qbo_1', ['155'])).toMatchObject({ failure: { kind: 'unavailable' } });
    });
  });

  test('a full page of changes says where the next one begins, and what is on both counts once', async () => {
    const first = Array.from({ length: 1000 }, (_, index) => payment(index + 1, index < 990 ? 10 : 20));
    page(since(5), first);
    page(since(20), [...first.slice(990), payment(2000, 30)]);
    const found = await gateway.findChangedPayments('qbo_1', new Date('2026-05-05T02:08:05Z'));
    const ids = found.ok ? found.value.objects.map(({ externalId }) => externalId) : [];
    expect(ids).toHaveLength(1001);
    expect(new Set(ids).size).toBe(1001);
    expect(ids.at(-1)).toBe('2000');
    expect(nock.pendingMocks()).toEqual([]);
  });

  test('a full page of one second is followed by the next rows of that second, and what comes later is found', async () => {
    const first = Array.from({ length: 1000 }, (_, index) => payment(index + 1, 10));
    page(since(10), first);
    page(`${since(10)} startposition 1001`, [payment(1001, 10), payment(1002, 14)]);
    const found = await gateway.findChangedPayments('qbo_1', new Date('2026-05-05T02:08:10.500Z'));
    expect(found.ok && found.value.objects).toHaveLength(1002);
    expect(nock.pendingMocks()).toEqual([]);
  });

  test('a full page in which nothing can be understood does not pass for the end', async () => {
    page(
      since(5),
      Array.from({ length: 1000 }, (_, index) => ({ Id: `${index + 1}` })),
    );
    const found = await gateway.findChangedPayments('qbo_1', new Date('2026-05-05T02:08:05Z'));
    expect(found).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
  });

  test('a page that fails makes the whole search fail', async () => {
    page(
      since(5),
      Array.from({ length: 1000 }, (_, index) => payment(index + 1, 10)),
    );
    api()
      .get(`${COMPANY}/query`)
      .query({ query: since(10), minorversion: '75' })
      .reply(503, '');
    const found = await gateway.findChangedPayments('qbo_1', new Date('2026-05-05T02:08:05Z'));
    expect(found).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  test('changes, deletions included, come in one read', async () => {
    const gone = { domain: 'QBO', status: 'Deleted', Id: '156', MetaData: { LastUpdatedTime: '2026-05-05T02:08:10Z' } };
    const lists = [{ Invoice: [invoice, gone] }, { Payment: [payment(180, 10)] }];
    api()
      .get(`${COMPANY}/cdc`)
      .query({ entities: 'Invoice,Payment,RefundReceipt', changedSince: '2026-05-05T02:08:05Z', minorversion: '75' })
      .reply(200, { CDCResponse: [{ QueryResponse: lists }], time: '2026-05-05T02:08:54.543-07:00' });
    expect(await gateway.readChanges('qbo_1', new Date('2026-05-05T02:08:05Z'))).toMatchObject({
      ok: true,
      asOf: expect.any(Date),
      value: {
        invoices: { objects: [{ externalId: '155' }], unreadableIds: [] },
        payments: { objects: [{ externalId: '180', changedAt: new Date('2026-05-05T02:08:10Z') }], unreadableIds: [] },
        deletedInvoices: [{ externalId: '156', changedAt: new Date('2026-05-05T02:08:10Z') }],
        deletedPayments: [],
        mayBeIncomplete: false,
      },
    });
  });
});

describe('customers', () => {
  test('finding none by name is an empty list', async () => {
    api().get(`${COMPANY}/query`).query(true).reply(200, { QueryResponse: {}, time: 'x' });
    expect(await gateway.findCustomersByName('qbo_1', ['Acme'])).toMatchObject({ ok: true, value: [] });
  });

  test('for no names nothing is asked', async () => {
    expect(await gateway.findCustomersByName('qbo_1', [])).toEqual({ ok: true, value: [], trace: {} });
  });

  test('creating one whose name is taken names the holder', async () => {
    const error = {
      Message: 'Duplicate Name Exists Error',
      Detail: 'The name supplied already exists. : Id=1209',
      code: '6240',
    };
    api()
      .post(`${COMPANY}/customer`)
      .query(true)
      .reply(400, { Fault: { Error: [error], type: 'ValidationFault' } });
    expect(await gateway.createCustomer('qbo_1', '{}', 'op_3')).toMatchObject({
      failure: { kind: 'rejected', reason: 'duplicate_name', conflictingId: '1209' },
    });
  });
});

describe('the settings of a company', () => {
  const preferences = (SalesFormsPrefs: object) => ({
    Preferences: { SalesFormsPrefs, CurrencyPrefs: { HomeCurrency: { value: 'USD' }, MultiCurrencyEnabled: false } },
  });

  test('with a default item take one request', async () => {
    api()
      .get(`${COMPANY}/preferences`)
      .query(true)
      .reply(200, preferences({ CustomTxnNumbers: true, DefaultItem: { value: '7' } }));
    expect(await gateway.readCompanySettings('qbo_1')).toMatchObject({
      ok: true,
      value: { homeCurrency: 'USD', multiCurrency: false, customDocumentNumbers: true, serviceItemId: '7' },
    });
  });

  test('without one take the item named Services', async () => {
    api().get(`${COMPANY}/preferences`).query(true).reply(200, preferences({}));
    const Item = [{ Id: '1', Type: 'Service', FullyQualifiedName: 'Services' }];
    api().get(`${COMPANY}/query`).query(true).reply(200, { QueryResponse: { Item } });
    expect(await gateway.readCompanySettings('qbo_1')).toMatchObject({ value: { serviceItemId: '1' } });
  });

  test('without either have no item', async () => {
    api().get(`${COMPANY}/preferences`).query(true).reply(200, preferences({}));
    api().get(`${COMPANY}/query`).query(true).reply(200, { QueryResponse: {} });
    const result = await gateway.readCompanySettings('qbo_1');
    expect(result.ok && result.value.serviceItemId).toBeUndefined();
    expect(result.ok).toBe(true);
  });
});

describe('proving credentials', () => {
  const credentials = {
    environment: 'SANDBOX',
    realmId: '4620',
    accessToken: 'access-1',
    refreshToken: 'refresh-1',
    accessTokenExpiresAt: undefined,
    clientId: 'given-id',
    clientSecret: 'given-secret',
  } as const;
  const companyInfo = { CompanyInfo: { CompanyName: 'Conf Inc' } };

  test('reads the company once and keeps the given tokens for an hour at most', async () => {
    api().get(`${COMPANY}/companyinfo/4620`).query(true).reply(200, companyInfo, { intuit_tid: 'tid-1' });
    expect(await gateway.proveCredentials(credentials, undefined)).toEqual({
      ok: true,
      value: {
        companyName: 'Conf Inc',
        simulated: false,
        tokens: {
          accessToken: 'access-1',
          refreshToken: 'refresh-1',
          accessTokenExpiresAt: new Date('2026-11-21T13:00:00Z'),
          refreshTokenExpiresAt: undefined,
          refreshTokenHardExpiresAt: undefined,
        },
        claim: undefined,
      },
      trace: { statusCode: 200, requestId: 'tid-1' },
    });
  });

  test('believes the given end of the access token, and notices a simulator', async () => {
    const accessTokenExpiresAt = new Date('2026-11-21T12:20:00Z');
    api().get(`${COMPANY}/companyinfo/4620`).query(true).reply(200, companyInfo, { 'x-simulator': '1' });
    expect(await gateway.proveCredentials({ ...credentials, accessTokenExpiresAt }, undefined)).toMatchObject({
      value: { simulated: true, tokens: { accessTokenExpiresAt } },
    });
  });

  test('refreshes once when the access token has run out, and returns what to store', async () => {
    api().get(`${COMPANY}/companyinfo/4620`).query(true).reply(401, expired);
    nock('https://oauth.platform.intuit.com')
      .post('/oauth2/v1/tokens/bearer', 'grant_type=refresh_token&refresh_token=refresh-1')
      .basicAuth({ user: 'given-id', pass: 'given-secret' })
      .reply(200, {
        access_token: 'access-2',
        expires_in: 1800,
        x_refresh_token_expires_in: 86400,
        x_refresh_token_hard_expires_in: 172800,
      });
    api('access-2').get(`${COMPANY}/companyinfo/4620`).query(true).reply(200, companyInfo);
    expect(await gateway.proveCredentials(credentials, undefined)).toMatchObject({
      value: {
        tokens: {
          accessToken: 'access-2',
          refreshToken: 'refresh-1',
          accessTokenExpiresAt: new Date('2026-11-21T12:30:00Z'),
          refreshTokenExpiresAt: new Date('2026-11-22T12:00:00Z'),
          refreshTokenHardExpiresAt: new Date('2026-11-23T12:00:00Z'),
        },
      },
    });
  });

  test.each([
    [400, { error: 'invalid_grant' }, 'reconnect_required', 'neither'],
    [401, { error: 'invalid_client' }, 'reconnect_required', 'client id and client secret'],
    [503, {}, 'unavailable', 'could not be refreshed'],
  ])('a refresh that ends with %i says why', async (status, body, kind, words) => {
    api().get(`${COMPANY}/companyinfo/4620`).query(true).reply(401, expired);
    nock('https://oauth.platform.intuit.com').post('/oauth2/v1/tokens/bearer').reply(status, body);
    const result = await gateway.proveCredentials(credentials, undefined);
    expect(result).toMatchObject({ ok: false, failure: { kind } });
    expect(!result.ok && result.failure.message).toContain(words);
  });

  test('a refresh of tokens that turn out to be another company’s leaves its connection alone, and ends the lease', async () => {
    const before = store.connection;
    const fault = { fault: { error: [{ message: 'm', detail: null, code: '3100' }] } };
    api('given').get(`${COMPANY}/companyinfo/4620`).query(true).reply(401, expired);
    refreshSucceeds();
    api('access-2').get(`${COMPANY}/companyinfo/4620`).query(true).reply(403, fault);
    const foreign = { ...credentials, accessToken: 'given', refreshToken: 'given' };
    expect(await gateway.proveCredentials(foreign, 'qbo_1')).toMatchObject({ failure: { kind: 'reconnect_required' } });
    expect(store).toMatchObject({ connection: before, leased: false, fence: 1 });
  });

  test('stored tokens of the same chain that are refused as well are refreshed once', async () => {
    api('access-0').get(`${COMPANY}/companyinfo/4620`).query(true).reply(401, expired);
    api('access-1').get(`${COMPANY}/companyinfo/4620`).query(true).reply(401, expired);
    refreshSucceeds();
    api('access-2').get(`${COMPANY}/companyinfo/4620`).query(true).reply(200, companyInfo);
    expect(await gateway.proveCredentials({ ...credentials, accessToken: 'access-0' }, 'qbo_1')).toMatchObject({
      ok: true,
      value: { tokens: { accessToken: 'access-2' }, claim: undefined },
    });
    expect(store).toMatchObject({ connection: { accessToken: 'sealed(access-2)', tokenVersion: 2 }, leased: false });
  });

  test('tokens of another company are refused with 403 and not refreshed', async () => {
    const fault = { fault: { error: [{ message: 'm', detail: null, code: '3100' }] } };
    api().get(`${COMPANY}/companyinfo/4620`).query(true).reply(403, fault);
    expect(await gateway.proveCredentials(credentials, undefined)).toMatchObject({
      failure: { kind: 'reconnect_required', trace: { statusCode: 403 } },
    });
  });

  test('an answer that is no company proves nothing', async () => {
    api().get(`${COMPANY}/companyinfo/4620`).query(true).reply(200, { hello: 'world' });
    expect(await gateway.proveCredentials(credentials, undefined)).toMatchObject({ failure: { kind: 'unavailable' } });
  });
});
