import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, errorOf, invoiceBody, SECOND_REALM } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', {});
});
afterAll(() => bench.simulator.stop());

describe('A customer', () => {
  test('is created with the defaults of the provider and the next id of the name lists', async () => {
    const { status, body } = await bench.post('/customer', {
      GivenName: 'Test',
      FamilyName: 'Customer',
      CurrencyRef: { value: 'EUR' },
      PrimaryPhone: { FreeFormNumber: '+49 30 1' },
    });
    expect(status).toBe(200);
    expect(body.Customer).toMatchObject({
      Id: '58',
      SyncToken: '0',
      DisplayName: 'Test Customer',
      FullyQualifiedName: 'Test Customer',
      PrintOnCheckName: 'Test Customer',
      Active: true,
      Balance: '0',
      CurrencyRef: { value: 'EUR', name: 'Euro' },
      PrimaryPhone: { FreeFormNumber: '+49 30 1' },
      domain: 'QBO',
      sparse: false,
    });
  });

  test.each([
    ['that another customer has, in other letters', 'ORGANISER gmbh'],
    ['that a vendor has', 'Vendor Only Ltd'],
    ['that differs in outer spaces only', '  Organiser GmbH '],
  ])('cannot take a name %s', async (_what, DisplayName) => {
    await bench.customer('Organiser GmbH');
    const refused = await bench.post('/customer', { DisplayName });
    expect(refused.status).toBe(400);
    // Exactly these properties: recorded without an `element`.
    expect(errorOf(refused)).toEqual({
      Message: 'Duplicate Name Exists Error',
      Detail: 'The name supplied already exists. : null',
      code: '6240',
    });
    expect((await bench.books()).customers).toHaveLength(1);
  });

  test.each([
    ['a colon in the name', { DisplayName: 'a:b' }, '2040'],
    ['no name at all', { CompanyName: 'x' }, '6080'],
    ['an address that is no e-mail', { DisplayName: 'x', PrimaryEmailAddr: { Address: 'nobody' } }, '2210'],
    ['a name of 501 characters', { DisplayName: 'x'.repeat(501) }, '2050'],
    ['an unknown property', { DisplayName: 'x', Colour: 'red' }, '2010'],
    ['a currency that does not exist', { DisplayName: 'x', CurrencyRef: { value: 'XXX' } }, '2220'],
  ])('is refused with %s', async (_what, body, code) => {
    const refused = await bench.post('/customer', body);
    expect([refused.status, errorOf(refused).code]).toEqual([400, code]);
    expect((await bench.books()).customers).toEqual([]);
  });

  test('loses its plain name when it is deactivated, and refuses new invoices', async () => {
    const customer = await bench.customer('Organiser GmbH');
    const { body } = await bench.post('/customer', { Id: customer.Id, SyncToken: '0', sparse: true, Active: false });
    expect(body.Customer).toMatchObject({ DisplayName: 'Organiser GmbH (deleted)', Active: false, SyncToken: '1' });
    expect(errorOf(await bench.post('/invoice', invoiceBody(customer.Id))).code).toBe('2500');
    expect((await bench.customer('Organiser GmbH')).Id).toBe('59');
    const back = await bench.post('/customer', { Id: customer.Id, SyncToken: '1', sparse: true, Active: true });
    expect(back.body.Customer).toMatchObject({ DisplayName: 'Organiser GmbH (deleted)', Active: true });
  });

  test('keeps its sync token through an update that changes nothing', async () => {
    const customer = await bench.customer('Organiser GmbH');
    const same = await bench.post('/customer', {
      Id: customer.Id,
      SyncToken: '0',
      sparse: true,
      DisplayName: 'Organiser GmbH',
    });
    expect(same.body.Customer).toEqual(customer);
  });

  test('can be posted back as it was read, and that changes nothing', async () => {
    const customer = await bench.customer('Organiser GmbH');
    const { Customer } = JSON.parse((await bench.get(`/customer/${customer.Id}`)).text);
    expect((await bench.post('/customer', Customer)).body.Customer).toMatchObject({ Id: customer.Id, Balance: '0' });
    expect((await bench.books()).customers).toHaveLength(1);
  });

  test('cannot change its currency', async () => {
    const customer = await bench.customer('Organiser GmbH', 'EUR');
    const refused = await bench.post('/customer', {
      Id: customer.Id,
      SyncToken: '0',
      sparse: true,
      CurrencyRef: { value: 'USD' },
    });
    expect(errorOf(refused).code).toBe('6000');
  });

  test('moves in time but not in version when a transaction is made, and owes its open balance', async () => {
    const customer = await bench.customer();
    await bench.control('POST', '/clock', { advanceSeconds: 60 });
    await bench.invoice(customer.Id, '100.00');
    const after = (await bench.get(`/customer/${customer.Id}`)).body.Customer;
    expect(after).toMatchObject({ SyncToken: '0', Balance: '100.00' });
    expect(after.MetaData.LastUpdatedTime > customer.MetaData.LastUpdatedTime).toBe(true);
  });

  test('in a company with one currency takes no other', async () => {
    const single = await Bench.start({}, SECOND_REALM);
    try {
      expect(errorOf(await single.post('/customer', { DisplayName: 'x', CurrencyRef: { value: 'EUR' } })).code).toBe(
        '6000',
      );
      expect((await single.post('/customer', { DisplayName: 'x' })).body.Customer.CurrencyRef.value).toBe('USD');
    } finally {
      await single.simulator.stop();
    }
  });
});

describe('A company', () => {
  test('describes itself and its preferences', async () => {
    const info = (await bench.get(`/companyinfo/${bench.realmId}`)).body.CompanyInfo;
    expect(info).toMatchObject({ CompanyName: 'Conference Demo Co', Country: 'US', Id: '1' });
    const { Preferences } = (await bench.get('/preferences')).body;
    expect(Preferences).toMatchObject({
      SalesFormsPrefs: { CustomTxnNumbers: true, DefaultItem: { value: '1' }, ETransactionPaymentEnabled: true },
      CurrencyPrefs: { MultiCurrencyEnabled: true, HomeCurrency: { value: 'USD' } },
    });
    expect(Preferences.AccountingInfoPrefs).not.toHaveProperty('BookCloseDate');
  });

  test('can be added while the simulator runs, with its own books', async () => {
    await bench.control('POST', '/companies', { realmId: '77', companyName: 'Third', homeCurrency: 'EUR' });
    const tokens = await bench.control('POST', '/tokens', { realmId: '77' });
    const answer = await fetch(`${bench.simulator.baseUrl}/v3/company/77/companyinfo/77`, {
      headers: { authorization: `Bearer ${tokens.accessToken}`, accept: 'application/json' },
    });
    expect(await answer.json()).toMatchObject({ CompanyInfo: { CompanyName: 'Third' } });
  });

  test('shows the new name of an item in invoices that were made before', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id);
    await bench.post('/item', { Id: '1', SyncToken: '0', sparse: true, Name: 'Conference services' });
    const { Invoice } = (await bench.get(`/invoice/${invoice.Id}`)).body;
    expect(Invoice.Line[0].SalesItemLineDetail.ItemRef).toEqual({ value: '1', name: 'Conference services' });
  });
});
