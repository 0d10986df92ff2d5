import { describe, expect, test } from '@jest/globals';
import type { InvoiceDraft, ProviderInvoice } from '../../../src/application/ports/accounting.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits } from '../../../src/domain/money.js';
import {
  linesMatch,
  readInvoiceDocument,
  toProviderInvoice,
} from '../../../src/infrastructure/quickbooks/invoice-answer.js';
import { invoiceBody, invoicePageUrl } from '../../../src/infrastructure/quickbooks/invoices.js';
import { parseJson } from '../../../src/infrastructure/quickbooks/json.js';

const draft: InvoiceDraft = {
  customerExternalId: '58',
  serviceItemId: '1',
  currency: 'USD' as CurrencyCode,
  sendCurrency: true,
  reference: 'PO-7K2M9Q',
  marker: 'op_01',
  buyerReference: ' 4500\n012345 ',
  documentNumber: 'PO-7K2M9Q',
  invoiceDate: '2026-11-21',
  dueDate: '2026-12-21',
  email: 'ap@acme.example',
  billingAddress: 'Acme\n1 Main St',
  lines: [
    { description: 'Booth\u0007 “A”', quantity: 3, unitPrice: minorUnits(33_333n), amount: minorUnits(99_999n) },
    {
      description: 'Dinner',
      quantity: 1,
      unitPrice: minorUnits(999_999_999_999_999n),
      amount: minorUnits(999_999_999_999_999n),
    },
  ],
};

/** As recorded in a sandbox, shortened. */
const RECORDED = `{"Invoice":{"AllowIPNPayment":false,"domain":"QBO","sparse":false,"Id":"155","SyncToken":"0",
"MetaData":{"CreateTime":"2026-05-05T02:08:55-07:00"},"CustomField":[],"DocNumber":"1042","TxnDate":"2024-01-15",
"CurrencyRef":{"value":"USD","name":"United States Dollar"},"LinkedTxn":[],
"Line":[{"Id":"1","LineNum":1,"Description":"Booth","Amount":100.00,"DetailType":"SalesItemLineDetail","SalesItemLineDetail":{"ItemRef":{"value":"1","name":"Services"},"UnitPrice":100,"Qty":1},"CustomExtensions":[]},
{"Amount":100.00,"DetailType":"SubTotalLineDetail","SubTotalLineDetail":{}}],
"TxnTaxDetail":{"TotalTax":0},"CustomerRef":{"value":"1","name":"Amy's Bird Sanctuary"},
"BillAddr":{"Id":"2","Lat":"INVALID"},"DueDate":"2024-02-14","TotalAmt":100.00,"PrintStatus":"NeedToPrint","EmailStatus":"NotSet","Balance":100.00},"time":"2026-05-05T02:08:54.543-07:00"}`;

function read(changes: Record<string, unknown> = {}, currency = 'USD'): ProviderInvoice | undefined {
  const json = parseJson(RECORDED) as { Invoice: Record<string, unknown> };
  const document = readInvoiceDocument({ Invoice: { ...json.Invoice, ...changes } });
  return document && toProviderInvoice(document, currency);
}

describe('the body that creates an invoice', () => {
  test('every line with its exact amounts, our reference and the buyer’s', () => {
    expect(invoiceBody(draft)).toBe(
      '{"CustomerRef":{"value":"58"},"CurrencyRef":{"value":"USD"},"DocNumber":"PO-7K2M9Q","TxnDate":"2026-11-21",' +
        '"DueDate":"2026-12-21","BillEmail":{"Address":"ap@acme.example"},"BillAddr":{"Line1":"Acme","Line2":"1 Main St"},' +
        '"CustomerMemo":{"value":"Purchase order PO-7K2M9Q. Your reference: 4500 012345"},' +
        '"PrivateNote":"conference-invoicing PO-7K2M9Q op_01. Buyer\'s reference: 4500 012345","Line":[' +
        '{"DetailType":"SalesItemLineDetail","Description":"Booth  “A”","Amount":999.99,' +
        '"SalesItemLineDetail":{"ItemRef":{"value":"1"},"Qty":3,"UnitPrice":333.33}},' +
        '{"DetailType":"SalesItemLineDetail","Description":"Dinner","Amount":9999999999999.99,' +
        '"SalesItemLineDetail":{"ItemRef":{"value":"1"},"Qty":1,"UnitPrice":9999999999999.99}}]}',
    );
  });

  test('is the same text each time', () => {
    expect(invoiceBody({ ...draft })).toBe(invoiceBody(draft));
  });

  test('leaves out currency, number, due date, address and e-mail when there are none', () => {
    const body = invoiceBody({
      ...draft,
      sendCurrency: false,
      documentNumber: undefined,
      dueDate: undefined,
      billingAddress: '',
      email: '',
      buyerReference: '',
      lines: [],
    });
    expect(body).toBe(
      '{"CustomerRef":{"value":"58"},"TxnDate":"2026-11-21","CustomerMemo":{"value":"Purchase order PO-7K2M9Q"},' +
        '"PrivateNote":"conference-invoicing PO-7K2M9Q op_01","Line":[]}',
    );
  });

  test('writes amounts with the digits of their currency', () => {
    const [line] = draft.lines;
    const lines = line ? [line] : [];
    expect(invoiceBody({ ...draft, currency: 'JPY' as CurrencyCode, lines })).toContain('"Amount":99999,');
    expect(invoiceBody({ ...draft, currency: 'KWD' as CurrencyCode, lines })).toContain('"Amount":99.999,');
  });

  test('keeps memo and description within their limits', () => {
    const long = { description: 'd'.repeat(5000), quantity: 1, unitPrice: minorUnits(1n), amount: minorUnits(1n) };
    const body = JSON.parse(invoiceBody({ ...draft, buyerReference: 'r'.repeat(2000), lines: [long] }));
    expect(body.CustomerMemo.value).toHaveLength(1000);
    expect(body.Line[0].Description).toHaveLength(4000);
  });

  test('refuses a document number that QuickBooks would not take, instead of shortening it', () => {
    expect(() => invoiceBody({ ...draft, documentNumber: 'N'.repeat(22) })).toThrow(RangeError);
  });
});

describe('an invoice as QuickBooks describes it', () => {
  test('recorded in a sandbox', () => {
    expect(read()).toEqual({
      externalId: '155',
      number: '1042',
      syncToken: '0',
      customerExternalId: '1',
      currency: 'USD',
      total: 10000n,
      balance: 10000n,
      lines: [{ description: 'Booth', amount: 10000n }],
      voided: false,
      note: '',
      emailStatus: 'NOT_SENT',
      email: undefined,
      deliveredAt: undefined,
      payUrl: undefined,
      paymentIds: [],
      createdAt: new Date('2026-05-05T09:08:55Z'),
    });
  });

  test('sent, payable online and partly paid', () => {
    const invoice = read({
      Balance: '40.5',
      EmailStatus: 'EmailSent',
      DeliveryInfo: { DeliveryType: 'Email', DeliveryTime: '2026-05-05T02:10:00-07:00' },
      InvoiceLink: 'https://connect.intuit.com/portal/app/x',
      LinkedTxn: [
        { TxnId: '128', TxnType: 'Payment' },
        { TxnId: '90', TxnType: 'Estimate' },
        { TxnId: '127', TxnType: 'Payment' },
        { TxnId: '128', TxnType: 'Payment' },
      ],
    });
    expect(invoice).toMatchObject({
      balance: 4050n,
      emailStatus: 'SENT',
      deliveredAt: new Date('2026-05-05T09:10:00Z'),
      payUrl: 'https://connect.intuit.com/portal/app/x',
      paymentIds: ['128', '127'],
    });
  });

  test('waiting to be e-mailed', () => {
    expect(read({ EmailStatus: 'NeedToSend' })?.emailStatus).toBe('PENDING');
  });

  test('voided: zero, and a note that begins with the word', () => {
    expect(read({ TotalAmt: '0', Balance: '0', PrivateNote: 'Voided - conference-invoicing' })?.voided).toBe(true);
    expect(read({ TotalAmt: '0', Balance: '0', PrivateNote: 'conference-invoicing' })?.voided).toBe(false);
    expect(read({ PrivateNote: 'Voided' })?.voided).toBe(false);
  });

  test('nulls where QuickBooks has nothing to say', () => {
    const nothing = { DocNumber: null, PrivateNote: null, LinkedTxn: null, DeliveryInfo: null, InvoiceLink: null };
    expect(read(nothing)).toMatchObject({ number: undefined, paymentIds: [], voided: false });
  });

  test('a pay link is a web address or nothing', () => {
    expect(read({ InvoiceLink: 'javascript:alert(1)' })?.payUrl).toBeUndefined();
  });

  test.each([
    ['more digits than the currency', { TotalAmt: '100.005' }, 'USD'],
    ['decimals of a currency without any', { Balance: '100.50' }, 'JPY'],
    ['a line with more digits', { Line: [{ DetailType: 'SalesItemLineDetail', Amount: '0.001' }] }, 'USD'],
    ['no amount at all', { TotalAmt: 'much' }, 'USD'],
    ['a currency that does not exist', {}, 'ZZZ'],
    ['no id', { Id: undefined }, 'USD'],
  ])('%s cannot be understood, and is never rounded or guessed', (_what, changes, currency) => {
    expect(read(changes, currency)).toBeUndefined();
  });
});

describe('comparing what was confirmed with what was sent', () => {
  const sent = invoiceBody(draft);
  const confirmed = {
    currency: 'USD' as CurrencyCode,
    lines: [
      { description: 'Booth “A”', amount: minorUnits(99_999n) },
      { description: 'Dinner ', amount: minorUnits(999_999_999_999_999n) },
    ],
  } as unknown as ProviderInvoice;
  const [first, second] = confirmed.lines;
  const other = (...lines: (typeof first)[]) => ({ ...confirmed, lines }) as ProviderInvoice;

  test('the same lines match, whatever was done to their spaces', () => {
    expect(linesMatch(sent, confirmed)).toBe(true);
  });

  test.each([
    ['a missing line', other(first)],
    ['an additional line', other(first, second, second)],
    ['another order', other(second, first)],
    ['another amount', other(first, { description: 'Dinner', amount: minorUnits(1n) })],
    ['another description', other(first, { description: 'Lunch', amount: minorUnits(999_999_999_999_999n) })],
    ['no description', other(first, { description: undefined, amount: minorUnits(999_999_999_999_999n) })],
  ])('%s does not', (_what, answer) => {
    expect(linesMatch(sent, answer)).toBe(false);
  });

  test('QuickBooks’ own subtotal line does not count', () => {
    const one = { description: 'Booth', quantity: 1, unitPrice: minorUnits(10_000n), amount: minorUnits(10_000n) };
    const answer = read();
    expect(answer && linesMatch(invoiceBody({ ...draft, lines: [one] }), answer)).toBe(true);
  });
});

test('the bookkeeper’s page names the company and the invoice', () => {
  expect(invoicePageUrl('PRODUCTION', '4620816365', '155')).toBe(
    'https://qbo.intuit.com/app/login?pagereq=invoice%3FtxnId%3D155&deeplinkcompanyid=4620816365',
  );
  expect(invoicePageUrl('SANDBOX', '4620816365', '155')).toBe(
    'https://sandbox.qbo.intuit.com/app/login?pagereq=invoice%3FtxnId%3D155&deeplinkcompanyid=4620816365',
  );
});
