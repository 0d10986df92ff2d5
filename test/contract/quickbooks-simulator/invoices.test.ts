import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, errorOf, invoiceBody, number, salesLine } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', {});
});
afterAll(() => bench.simulator.stop());

const PACIFIC_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}-0[78]:00$/;

describe('Creating an invoice', () => {
  test('answers 200 with the whole object, its subtotal line and exact amounts', async () => {
    const customer = await bench.customer();
    const { status, headers, body } = await bench.post('/invoice?minorversion=75', {
      CustomerRef: { value: customer.Id },
      CurrencyRef: { value: 'USD' },
      TxnDate: '2024-01-15',
      Line: [salesLine('100', { Qty: 1, UnitPrice: 100 })],
    });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json;charset=UTF-8');
    expect(headers.get('x-simulator')).toBe('quickbooks');
    expect(headers.get('intuit_tid')).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    expect(headers.get('qbo-version')).toBe('2073.223');
    expect(body.time).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}-0[78]:00$/);
    const { Invoice } = body;
    expect(Invoice.MetaData.CreateTime).toMatch(PACIFIC_TIME);
    expect(Invoice).toMatchObject({
      Id: '145',
      SyncToken: '0',
      domain: 'QBO',
      sparse: false,
      TxnDate: '2024-01-15',
      DueDate: '2024-02-14',
      CurrencyRef: { value: 'USD', name: 'United States Dollar' },
      CustomerRef: { value: '58', name: 'Organiser GmbH' },
      LinkedTxn: [],
      TotalAmt: '100.00',
      Balance: '100.00',
      TxnTaxDetail: { TotalTax: '0' },
      PrintStatus: 'NeedToPrint',
      EmailStatus: 'NotSet',
    });
    expect(Invoice.Line).toEqual([
      {
        Id: '1',
        LineNum: '1',
        Amount: '100.00',
        DetailType: 'SalesItemLineDetail',
        SalesItemLineDetail: {
          ItemRef: { value: '1', name: 'Services' },
          UnitPrice: '100',
          Qty: '1',
          ItemAccountRef: { value: '1', name: 'Services' },
          TaxCodeRef: { value: 'NON' },
        },
        CustomExtensions: [],
      },
      { Amount: '100.00', DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} },
    ]);
  });

  test('multiplies unit price and quantity at the precision sent and rounds the product once', async () => {
    const customer = await bench.customer();
    const line = (UnitPrice: string) => ({
      ...invoiceBody(customer.Id),
      Line: [salesLine('100.00', { Qty: 3, UnitPrice: number(UnitPrice) })],
    });
    expect((await bench.post('/invoice', line('33.333333'))).status).toBe(200);
    const refused = await bench.post('/invoice', line('33.33'));
    expect(refused.status).toBe(400);
    expect(errorOf(refused)).toEqual({
      Message: 'Amount calculation incorrect in the request',
      Detail:
        'Amount calculation incorrect in the request. Amount is not equal to UnitPrice * Qty. Supplied value:100.00',
      code: '6070',
      element: 'Line.Amount',
    });
    expect((await bench.books()).invoices).toHaveLength(1);
  });

  test.each([
    ['JPY', '5000', '5000'],
    ['KWD', '12.345', '12.345'],
    ['EUR', '0.10', '0.10'],
  ])('keeps the digits of %s', async (currency, amount, expected) => {
    const customer = await bench.customer('Foreign Ltd', currency);
    const { body } = await bench.post('/invoice', invoiceBody(customer.Id, amount, currency));
    expect(body.Invoice.TotalAmt).toBe(expected);
    expect(body.Invoice.CurrencyRef.value).toBe(currency);
  });

  test('adds amounts beyond what binary floating point can hold', async () => {
    const customer = await bench.customer();
    const { body } = await bench.post('/invoice', {
      ...invoiceBody(customer.Id),
      Line: [salesLine('90071992547409.93'), salesLine('0.10'), salesLine('0.20')],
    });
    expect(body.Invoice.TotalAmt).toBe('90071992547410.23');
  });

  test("copies the customer's address but not the customer's e-mail", async () => {
    const { body } = await bench.post('/customer', {
      DisplayName: 'With address',
      BillAddr: { Line1: '4581 Finch St.', City: 'Bayshore' },
      PrimaryEmailAddr: { Address: 'pay@example.com' },
    });
    const invoice = await bench.invoice(body.Customer.Id);
    expect(invoice.BillAddr).toEqual({ Line1: '4581 Finch St.', City: 'Bayshore' });
    expect(invoice.ShipAddr).toEqual({ Line1: '4581 Finch St.', City: 'Bayshore' });
    expect(invoice).not.toHaveProperty('BillEmail');
  });

  test('leaves the document number empty where users choose it, unless one is asked for', async () => {
    const customer = await bench.customer();
    expect(await bench.invoice(customer.Id)).not.toHaveProperty('DocNumber');
    expect((await bench.invoice(customer.Id, '1.00', { DocNumber: 'AUTO_GENERATE' })).DocNumber).toBe('1037');
  });

  test('numbers documents itself where users do not choose, and lets repeated numbers pass', async () => {
    await bench.control('PATCH', `/companies/${bench.realmId}`, { customTxnNumbers: false });
    const customer = await bench.customer();
    expect((await bench.invoice(customer.Id)).DocNumber).toBe('1037');
    expect((await bench.post('/creditmemo', invoiceBody(customer.Id, '5.00'))).body.CreditMemo.DocNumber).toBe('1038');
    expect((await bench.invoice(customer.Id, '1.00', { DocNumber: '1037' })).DocNumber).toBe('1037');
  });

  test('refuses a document number in use and names its holder', async () => {
    const customer = await bench.customer();
    await bench.invoice(customer.Id, '1.00', { DocNumber: 'PO-1' });
    const again = { ...invoiceBody(customer.Id), DocNumber: 'PO-1' };
    const refused = await bench.post('/invoice', again);
    expect(refused.status).toBe(400);
    expect(errorOf(refused)).toEqual({
      Message: 'Duplicate Document Number Error',
      Detail:
        'Duplicate Document Number Error : You must specify a different number. This number has already been used. ' +
        'DocNumber=PO-1 is assigned to TxnType=Invoice with TxnId=145',
      code: '6140',
      element: '',
    });
    expect((await bench.books()).invoices).toHaveLength(1);
    expect((await bench.post('/invoice?include=allowduplicatedocnum', again)).status).toBe(200);
  });

  test('adds sales tax to taxable lines of a company that charges it', async () => {
    await bench.control('PATCH', `/companies/${bench.realmId}`, { salesTaxPercent: '8' });
    const customer = await bench.customer();
    const { body } = await bench.post('/invoice', {
      ...invoiceBody(customer.Id),
      Line: [salesLine('335.25'), salesLine('10.00', { TaxCodeRef: { value: 'NON' } })],
    });
    expect(body.Invoice.TotalAmt).toBe('372.07');
    expect(body.Invoice.TxnTaxDetail).toMatchObject({
      TotalTax: '26.82',
      TaxLine: [{ Amount: '26.82', TaxLineDetail: { TaxPercent: '8', NetAmountTaxable: '335.25' } }],
    });
  });

  test('applies open credits at once in a company that does so', async () => {
    await bench.control('PATCH', `/companies/${bench.realmId}`, { autoApplyCredit: true });
    const customer = await bench.customer();
    const memo = (await bench.post('/creditmemo', invoiceBody(customer.Id, '30.00'))).body.CreditMemo;
    const invoice = await bench.invoice(customer.Id, '100.00');
    expect(invoice).toMatchObject({ Balance: '70.00', TotalAmt: '100.00', LinkedTxn: [{ TxnType: 'Payment' }] });
    const payment = (await bench.get(`/payment/${invoice.LinkedTxn[0].TxnId}`)).body.Payment;
    expect(payment).toMatchObject({ TotalAmt: '0', UnappliedAmt: '0' });
    expect(payment.Line.map((line: { LinkedTxn: unknown }) => line.LinkedTxn)).toEqual([
      [{ TxnId: invoice.Id, TxnType: 'Invoice' }],
      [{ TxnId: memo.Id, TxnType: 'CreditMemo' }],
    ]);
  });
});

describe('Refusing an invoice', () => {
  const cases: [string, (id: string) => object, string, string | undefined][] = [
    ['an unknown property', (id) => ({ ...invoiceBody(id), LocalField: 1 }), '2010', undefined],
    [
      'an unknown property of a line',
      (id) => ({ ...invoiceBody(id), Line: [salesLine('1', { Quantity: 1 })] }),
      '2010',
      undefined,
    ],
    ['no lines', (id) => ({ ...invoiceBody(id), Line: [] }), '2020', 'Line'],
    ['no customer', (id) => ({ ...invoiceBody(id), CustomerRef: undefined }), '2020', 'CustomerRef'],
    [
      'no currency in a company with several',
      (id) => ({ ...invoiceBody(id), CurrencyRef: undefined }),
      '2020',
      'CurrencyRef',
    ],
    [
      'a document number of 22 characters',
      (id) => ({ ...invoiceBody(id), DocNumber: 'x'.repeat(22) }),
      '2050',
      'DocNumber',
    ],
    ['a customer that does not exist', () => invoiceBody('9999'), '2500', ''],
    [
      'an inactive item',
      (id) => ({ ...invoiceBody(id), Line: [salesLine('1', { ItemRef: { value: '2' } })] }),
      '2500',
      '',
    ],
    [
      "another currency than the customer's",
      (id) => ({ ...invoiceBody(id), CurrencyRef: { value: 'EUR' } }),
      '6000',
      '',
    ],
    ['too many digits', (id) => ({ ...invoiceBody(id), Line: [salesLine('1.005')] }), '2110', 'Line.Amount'],
    ['a day that does not exist', (id) => ({ ...invoiceBody(id), TxnDate: '2026-02-30' }), '2060', 'TxnDate'],
    [
      'a line type that is not modelled',
      (id) => ({ ...invoiceBody(id), Line: [{ ...salesLine('1'), DetailType: 'GroupLineDetail' }] }),
      '500',
      undefined,
    ],
    ['a field that is not modelled', (id) => ({ ...invoiceBody(id), ShipDate: '2026-11-21' }), '500', undefined],
    ['a negative total', (id) => invoiceBody(id, '-1.00'), '6000', ''],
    ['NeedToSend without an address', (id) => ({ ...invoiceBody(id), EmailStatus: 'NeedToSend' }), '6420', 'BillEmail'],
  ];
  test.each(cases)('with %s leaves the books alone', async (_what, body, code, element) => {
    const customer = await bench.customer();
    const before = await bench.books();
    const refused = await bench.post('/invoice', body(customer.Id));
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toBe('application/json');
    expect(refused.body.Fault.type).toBe('ValidationFault');
    expect(errorOf(refused).code).toBe(code);
    expect(errorOf(refused).element).toBe(element);
    expect(await bench.books()).toEqual(before);
    expect((await bench.invoice(customer.Id)).Id).toBe('145');
  });

  test('in a closed period, and once the subscription has ended', async () => {
    const customer = await bench.customer();
    await bench.control('PATCH', `/companies/${bench.realmId}`, { bookCloseDate: '2026-01-31' });
    const closed = await bench.post('/invoice', { ...invoiceBody(customer.Id), TxnDate: '2026-01-31' });
    expect(errorOf(closed).code).toBe('6210');
    await bench.control('PATCH', `/companies/${bench.realmId}`, { subscriptionEnded: true });
    expect(errorOf(await bench.post('/invoice', invoiceBody(customer.Id))).code).toBe('6190');
    expect((await bench.books()).invoices).toEqual([]);
  });
});

describe('Changing an invoice', () => {
  test('a sparse update keeps what it leaves out and moves the sync token', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id, '100.00', {
      PrivateNote: 'ours',
      CustomerMemo: { value: 'hello' },
    });
    const { body } = await bench.post('/invoice', {
      Id: invoice.Id,
      SyncToken: '0',
      sparse: true,
      PrivateNote: 'theirs',
    });
    expect(body.Invoice).toMatchObject({ SyncToken: '1', sparse: false, PrivateNote: 'theirs', TotalAmt: '100.00' });
    expect(body.Invoice.CustomerMemo).toEqual({ value: 'hello' });
  });

  test('lines keep their ids, and a new line gets one that was never used', async () => {
    const customer = await bench.customer();
    const three = [salesLine('1.00'), salesLine('2.00'), salesLine('3.00')];
    const invoice = await bench.invoice(customer.Id, '6.00', { Line: three });
    const Line = [{ ...salesLine('1.00'), Id: '1' }, salesLine('9.00')];
    const ids = async (body: object) => {
      const { Invoice } = (await bench.post('/invoice', { Id: invoice.Id, sparse: true, ...body })).body;
      return Invoice.Line.map((line: { Id?: string }) => line.Id);
    };
    expect(await ids({ SyncToken: '0', Line })).toEqual(['1', '4', undefined]);
    expect(await ids({ SyncToken: '1', PrivateNote: 'x' })).toEqual(['1', '4', undefined]);
  });

  test('keeps its date and its number when it is changed on a later day', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id, '100.00', { AutoDocNumber: true });
    await bench.passDays(3);
    const { Invoice } = (
      await bench.post('/invoice', { Id: invoice.Id, SyncToken: '0', sparse: true, PrivateNote: 'x' })
    ).body;
    expect(Invoice).toMatchObject({ TxnDate: invoice.TxnDate, DueDate: invoice.DueDate, DocNumber: '1037' });
  });

  test('may keep a number that it shares, but not take one in use', async () => {
    const customer = await bench.customer();
    await bench.invoice(customer.Id, '1.00', { DocNumber: 'PO-1' });
    const shared = (
      await bench.post('/invoice?include=allowduplicatedocnum', { ...invoiceBody(customer.Id), DocNumber: 'PO-1' })
    ).body.Invoice;
    const free = await bench.invoice(customer.Id, '1.00', { DocNumber: 'PO-2' });
    const change = (Id: string) => bench.post('/invoice', { Id, SyncToken: '0', sparse: true, DocNumber: 'PO-1' });
    expect((await change(shared.Id)).status).toBe(200);
    expect(errorOf(await change(free.Id)).code).toBe('6140');
  });

  test('a full update clears what it leaves out, except the document number', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id, '100.00', { PrivateNote: 'ours', DocNumber: 'PO-9' });
    const { body } = await bench.post('/invoice', {
      ...invoiceBody(customer.Id, '50.00'),
      Id: invoice.Id,
      SyncToken: '0',
    });
    expect(body.Invoice).toMatchObject({ DocNumber: 'PO-9', TotalAmt: '50.00' });
    expect(body.Invoice).not.toHaveProperty('PrivateNote');
  });

  test('an object can be posted back as it was read', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id);
    await bench.control('POST', '/pay', { realmId: bench.realmId, invoiceId: invoice.Id, amount: '1.00' });
    const { Invoice } = JSON.parse((await bench.get(`/invoice/${invoice.Id}`)).text);
    expect((await bench.post('/invoice', Invoice)).status).toBe(200);
    expect((await bench.get(`/invoice/${invoice.Id}`)).body.Invoice).toMatchObject({
      Balance: '99.00',
      TotalAmt: '100.00',
    });
  });

  test('refuses a stale sync token with HTTP 400 and changes nothing', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id);
    await bench.post('/invoice', { Id: invoice.Id, SyncToken: '0', sparse: true, PrivateNote: 'first' });
    const stale = await bench.post('/invoice', { Id: invoice.Id, SyncToken: '0', sparse: true, PrivateNote: 'second' });
    expect(stale.status).toBe(400);
    expect(errorOf(stale)).toMatchObject({ code: '5010', Message: 'Stale Object Error', element: '' });
    expect((await bench.get(`/invoice/${invoice.Id}`)).body.Invoice).toMatchObject({
      PrivateNote: 'first',
      SyncToken: '1',
    });
  });

  test('voiding zeroes the amounts, keeps the lines and the number, and has no status', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id, '100.00', { DocNumber: 'PO-2', PrivateNote: 'conference' });
    const { body } = await bench.post('/invoice?operation=void', { Id: invoice.Id, SyncToken: '0' });
    expect(body.Invoice).toMatchObject({
      SyncToken: '1',
      TotalAmt: '0',
      Balance: '0',
      DocNumber: 'PO-2',
      LinkedTxn: [],
    });
    expect(body.Invoice.PrivateNote).toMatch(/^Voided.*conference$/);
    expect(body.Invoice.Line.map((line: { Amount: string }) => line.Amount)).toEqual(['0', '0']);
    expect(body.Invoice).not.toHaveProperty('status');
  });

  test('voiding a paid invoice gives the money back to the payment, or is refused, as the company is set', async () => {
    const customer = await bench.customer();
    const [first, second] = [await bench.invoice(customer.Id), await bench.invoice(customer.Id)];
    const { Payment } = await bench.control('POST', '/pay', { realmId: bench.realmId, invoiceId: first.Id });
    await bench.post('/invoice?operation=void', { Id: first.Id, SyncToken: '1' });
    expect((await bench.get(`/payment/${Payment.Id}`)).body.Payment).toMatchObject({
      UnappliedAmt: '100.00',
      Line: [],
    });

    await bench.control('PATCH', `/companies/${bench.realmId}`, { refuseVoidOfPaidInvoice: true });
    await bench.control('POST', '/pay', { realmId: bench.realmId, invoiceId: second.Id });
    const refused = await bench.post('/invoice?operation=void', { Id: second.Id, SyncToken: '1' });
    expect(errorOf(refused).code).toBe('6000');
    expect((await bench.get(`/invoice/${second.Id}`)).body.Invoice.TotalAmt).toBe('100.00');
  });

  test('a deleted invoice is gone: reading it says 610 with HTTP 400', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id);
    const { body } = await bench.post('/invoice?operation=delete', { Id: invoice.Id, SyncToken: '0' });
    expect(body.Invoice).toEqual({ domain: 'QBO', status: 'Deleted', Id: invoice.Id });
    const missing = await bench.get(`/invoice/${invoice.Id}`);
    expect(missing.status).toBe(400);
    expect(errorOf(missing)).toMatchObject({ code: '610', element: '' });
    const cdc = await bench.get('/cdc?entities=Invoice,Payment&changedSince=2026-01-01');
    expect(cdc.body.CDCResponse[0].QueryResponse[0].Invoice).toMatchObject([{ status: 'Deleted', Id: invoice.Id }]);
    expect(cdc.body.CDCResponse[0].QueryResponse[1]).toEqual({});
  });

  test('sending moves the update time but not the sync token', async () => {
    const customer = await bench.customer();
    const invoice = await bench.invoice(customer.Id);
    const refused = await bench.send('POST', `/invoice/${invoice.Id}/send`, '', {
      'content-type': 'application/octet-stream',
    });
    expect(errorOf(refused).code).toBe('6000');
    await bench.control('POST', '/clock', { advanceSeconds: 60 });
    const { body } = await bench.send('POST', `/invoice/${invoice.Id}/send?sendTo=a@example.com`, '', {
      'content-type': 'application/octet-stream',
    });
    expect(body.Invoice).toMatchObject({
      SyncToken: '0',
      EmailStatus: 'EmailSent',
      BillEmail: { Address: 'a@example.com' },
      DeliveryInfo: { DeliveryType: 'Email' },
    });
    expect(body.Invoice.MetaData.LastUpdatedTime).toBe(body.Invoice.DeliveryInfo.DeliveryTime);
    expect(body.Invoice.MetaData.LastUpdatedTime > invoice.MetaData.LastUpdatedTime).toBe(true);
  });

  test('the pay link is in a read and an update, not in a create or a query, and needs an address', async () => {
    const customer = await bench.customer();
    const created = await bench.invoice(customer.Id, '5.00', { BillEmail: { Address: 'a@example.com' } });
    const without = await bench.invoice(customer.Id);
    expect(created).not.toHaveProperty('InvoiceLink');
    expect((await bench.get(`/invoice/${created.Id}`)).body.Invoice.InvoiceLink).toMatch(
      /^https:\/\/developer\.intuit\.com\//,
    );
    expect((await bench.get(`/invoice/${without.Id}`)).body.Invoice).not.toHaveProperty('InvoiceLink');
    const { QueryResponse } = (await bench.query(`select * from Invoice where Id = '${created.Id}'`)).body;
    expect(QueryResponse.Invoice[0]).not.toHaveProperty('InvoiceLink');
    await bench.control('PATCH', `/companies/${bench.realmId}`, { onlinePayments: false });
    expect((await bench.get(`/invoice/${created.Id}`)).body.Invoice).not.toHaveProperty('InvoiceLink');
  });
});
