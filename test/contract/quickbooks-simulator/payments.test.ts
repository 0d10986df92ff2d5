import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf, invoiceBody } from './support.js';

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

const paymentOf = (total: string, lines: [invoiceId: string, amount: string][], type = 'Invoice') => ({
  CustomerRef: { value: customer.Id },
  CurrencyRef: { value: 'USD' },
  TotalAmt: JSON.rawJSON(total),
  Line: lines.map(([TxnId, amount]) => ({ Amount: JSON.rawJSON(amount), LinkedTxn: [{ TxnId, TxnType: type }] })),
});
const readInvoice = async (id: string): Promise<Body> => (await bench.get(`/invoice/${id}`)).body.Invoice;

describe('A payment', () => {
  test('lowers the balance, moves the sync token by one and is linked newest first', async () => {
    const invoice = await bench.invoice(customer.Id, '387.00');
    const first = (await bench.post('/payment', paymentOf('100.00', [[invoice.Id, '100.00']]))).body.Payment;
    const second = (await bench.post('/payment', paymentOf('87.00', [[invoice.Id, '87.00']]))).body.Payment;
    expect(first).toMatchObject({
      Id: '146',
      TotalAmt: '100.00',
      UnappliedAmt: '0',
      DepositToAccountRef: { value: '4' },
    });
    expect(await readInvoice(invoice.Id)).toMatchObject({
      SyncToken: '2',
      Balance: '200.00',
      TotalAmt: '387.00',
      LinkedTxn: [
        { TxnId: second.Id, TxnType: 'Payment' },
        { TxnId: first.Id, TxnType: 'Payment' },
      ],
    });
  });

  test('keeps what is not applied, and lines show the document they pay', async () => {
    const invoice = await bench.invoice(customer.Id, '10.00', { DocNumber: 'PO-3' });
    const { Payment } = (await bench.post('/payment', paymentOf('25.00', [[invoice.Id, '10.00']]))).body;
    expect(Payment).toMatchObject({ TotalAmt: '25.00', UnappliedAmt: '15.00' });
    expect(Payment.Line[0].LineEx.any.map((each: Body) => each.value)).toEqual([
      { Name: 'txnId', Value: invoice.Id },
      { Name: 'txnOpenBalance', Value: '10.00' },
      { Name: 'txnReferenceNumber', Value: 'PO-3' },
    ]);
    expect((await bench.get(`/customer/${customer.Id}`)).body.Customer.Balance).toBe('-15.00');
  });

  test.each([
    ['more than the open balance', (id: string) => paymentOf('200.00', [[id, '100.01']]), '6000'],
    ['more in lines than in total', (id: string) => paymentOf('50.00', [[id, '60.00']]), '6000'],
    ['an invoice that does not exist', () => paymentOf('5.00', [['999', '5.00']]), '2500'],
    ['a line without a link', () => ({ ...paymentOf('5.00', []), Line: [{ Amount: 5 }] }), '2020'],
    ['a transaction of a wrong type', (id: string) => paymentOf('5.00', [[id, '5.00']], 'Estimate'), '620'],
    ['a type that is not modelled', (id: string) => paymentOf('5.00', [[id, '5.00']], 'JournalEntry'), '500'],
    ['a negative total', () => paymentOf('-5.00', []), '2290'],
    ['half a cent', () => paymentOf('5.005', []), '2110'],
    ['a reference of 22 characters', () => ({ ...paymentOf('5', []), PaymentRefNum: 'x'.repeat(22) }), '2050'],
    ['an account that does not exist', () => ({ ...paymentOf('5', []), DepositToAccountRef: { value: '99' } }), '2500'],
  ])('is refused with %s, and nothing changes', async (_what, body, code) => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const before = await bench.books();
    const refused = await bench.post('/payment', body(invoice.Id));
    expect([refused.status, errorOf(refused).code]).toEqual([400, code]);
    expect(await bench.books()).toEqual(before);
  });

  test("cannot pay another customer's invoice", async () => {
    const other = await bench.customer('Other');
    const invoice = await bench.invoice(other.Id, '100.00');
    expect(errorOf(await bench.post('/payment', paymentOf('5.00', [[invoice.Id, '5.00']]))).code).toBe('2500');
    expect(await readInvoice(invoice.Id)).toMatchObject({ Balance: '100.00', SyncToken: '0' });
  });

  test.each(['/payment?operation=update&include=void', '/payment?operation=void'])('is voided by %s', async (path) => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = (await bench.post('/payment', paymentOf('100.00', [[invoice.Id, '100.00']]))).body;
    const voided = await bench.post(path, { Id: Payment.Id, SyncToken: '0', sparse: true });
    expect(voided.body.Payment).toMatchObject({
      TotalAmt: '0',
      UnappliedAmt: '0',
      Line: [],
      PrivateNote: 'Voided',
      SyncToken: '1',
    });
    expect(await readInvoice(invoice.Id)).toMatchObject({ Balance: '100.00', LinkedTxn: [], SyncToken: '2' });
  });

  test('that is deleted gives the balance back and cannot be read any more', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = (await bench.post('/payment', paymentOf('40.00', [[invoice.Id, '40.00']]))).body;
    await bench.post('/payment?operation=delete', { Id: Payment.Id, SyncToken: '0' });
    expect(errorOf(await bench.get(`/payment/${Payment.Id}`)).code).toBe('610');
    expect(await readInvoice(invoice.Id)).toMatchObject({ Balance: '100.00', LinkedTxn: [] });
  });

  test('comes off its invoices in a full update without lines, and stays on them in a sparse one', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = (await bench.post('/payment', paymentOf('40.00', [[invoice.Id, '40.00']]))).body;
    const version = (SyncToken: string) => ({ Id: Payment.Id, SyncToken });
    const sparse = await bench.post('/payment', { ...version('0'), sparse: true, PaymentRefNum: 'CHK-1' });
    expect(sparse.body.Payment).toMatchObject({ PaymentRefNum: 'CHK-1', UnappliedAmt: '0', SyncToken: '1' });
    const { Line: _line, ...withoutLines } = paymentOf('40.00', []);
    const full = await bench.post('/payment', { ...withoutLines, ...version('1') });
    expect(full.body.Payment).toMatchObject({ UnappliedAmt: '40.00', Line: [] });
    expect((await readInvoice(invoice.Id)).Balance).toBe('100.00');
  });

  test('of nothing sets a credit memo against an invoice', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const memo = (await bench.post('/creditmemo', invoiceBody(customer.Id, '30.00'))).body.CreditMemo;
    expect(memo).toMatchObject({ RemainingCredit: '30.00', Balance: '30.00' });
    expect(memo).not.toHaveProperty('LinkedTxn');
    expect(memo).not.toHaveProperty('DueDate');
    const invoiceLine = paymentOf('0', [[invoice.Id, '30.00']]);
    const memoLine = paymentOf('0', [[memo.Id, '30.00']], 'CreditMemo');
    const { Payment } = (
      await bench.post('/payment', { ...invoiceLine, Line: [...invoiceLine.Line, ...memoLine.Line] })
    ).body;
    expect(Payment).toMatchObject({ TotalAmt: '0', UnappliedAmt: '0' });
    expect(Payment).not.toHaveProperty('DepositToAccountRef');
    expect((await readInvoice(invoice.Id)).Balance).toBe('70.00');
    expect((await bench.get(`/creditmemo/${memo.Id}`)).body.CreditMemo.RemainingCredit).toBe('0');
  });
});

describe('The bookkeeper', () => {
  const order = (fields: object) => ({ realmId: bench.realmId, ...fields });

  test('pays the open balance by default, and keeps what is above it unapplied', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = await bench.control(
      'POST',
      '/pay',
      order({ invoiceId: invoice.Id, amount: '30.5', paidOn: '2026-02-03', paymentRefNum: 'W-1' }),
    );
    expect(Payment).toMatchObject({ TotalAmt: '30.50', TxnDate: '2026-02-03', PaymentRefNum: 'W-1' });
    expect(
      (await bench.control('POST', '/pay', order({ invoiceId: invoice.Id, amount: '80.00' }))).Payment,
    ).toMatchObject({
      TotalAmt: '80.00',
      UnappliedAmt: '10.50',
    });
    expect((await readInvoice(invoice.Id)).Balance).toBe('0');
  });

  test('corrects the reference of a payment without moving its date', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = await bench.control('POST', '/pay', order({ invoiceId: invoice.Id }));
    await bench.passDays(3);
    const edited = await bench.control('POST', '/edit-payment', order({ paymentId: Payment.Id, paymentRefNum: 'W-2' }));
    expect(edited.Payment).toMatchObject({ TxnDate: Payment.TxnDate, PaymentRefNum: 'W-2', TotalAmt: '100.00' });
  });

  test('pays several invoices at once', async () => {
    const [first, second] = [await bench.invoice(customer.Id, '10.00'), await bench.invoice(customer.Id, '20.00')];
    const { Payment } = await bench.control(
      'POST',
      '/pay',
      order({ lines: [{ invoiceId: first.Id }, { invoiceId: second.Id, amount: '5.00' }] }),
    );
    expect(Payment).toMatchObject({ TotalAmt: '15.00', UnappliedAmt: '0' });
    expect([(await readInvoice(first.Id)).Balance, (await readInvoice(second.Id)).Balance]).toEqual(['0', '15.00']);
  });

  test('corrects, voids and deletes payments', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = await bench.control('POST', '/pay', order({ invoiceId: invoice.Id, amount: '60.00' }));
    const edited = await bench.control('POST', '/edit-payment', order({ paymentId: Payment.Id, amount: '25.00' }));
    expect(edited.Payment).toMatchObject({ TotalAmt: '25.00', UnappliedAmt: '0', SyncToken: '1' });
    expect((await readInvoice(invoice.Id)).Balance).toBe('75.00');
    await bench.control('POST', '/void-payment', order({ paymentId: Payment.Id }));
    expect((await readInvoice(invoice.Id)).Balance).toBe('100.00');
    await bench.control('POST', '/delete-payment', order({ paymentId: Payment.Id }));
    expect((await bench.books()).payments).toEqual([]);
  });

  test('deposits a payment, which is final for the app', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = await bench.control('POST', '/pay', order({ invoiceId: invoice.Id }));
    const deposit = await bench.control('POST', '/deposit-payment', order({ paymentId: Payment.Id }));
    expect(deposit.Payment).toEqual({ ...Payment, LinkedTxn: [{ TxnId: '147', TxnType: 'Deposit' }] });
    const refused = await bench.post('/payment?operation=void', { Id: Payment.Id, SyncToken: '0' });
    expect(errorOf(refused).code).toBe('6540');
    expect((await readInvoice(invoice.Id)).Balance).toBe('0');
  });

  test('credits, edits, voids and deletes invoices', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { CreditMemo } = await bench.control(
      'POST',
      '/credit-memo',
      order({ invoiceId: invoice.Id, amount: '40.00' }),
    );
    expect(CreditMemo).toMatchObject({ TotalAmt: '40.00', RemainingCredit: '0' });
    expect((await readInvoice(invoice.Id)).Balance).toBe('60.00');
    const edited = await bench.control(
      'POST',
      '/edit-invoice',
      order({ invoiceId: invoice.Id, DueDate: '2027-01-01' }),
    );
    expect(edited.Invoice).toMatchObject({ DueDate: '2027-01-01', SyncToken: '2' });
    await bench.control('POST', '/void-invoice', order({ invoiceId: invoice.Id }));
    expect((await bench.get(`/creditmemo/${CreditMemo.Id}`)).body.CreditMemo.RemainingCredit).toBe('40.00');
    await bench.control('POST', '/delete-invoice', order({ invoiceId: invoice.Id }));
    expect((await bench.books()).invoices).toEqual([]);
  });

  test('is told what is wrong with an order', async () => {
    await expect(bench.control('POST', '/pay', order({ invoiceId: '999' }))).rejects.toThrow('400');
    await expect(bench.control('POST', '/pay', order({}))).rejects.toThrow('give invoiceId or lines');
    await expect(bench.control('POST', '/pay', { realmId: '1', invoiceId: '1' })).rejects.toThrow('404');
    expect((await bench.books()).payments).toEqual([]);
  });
});

describe('A deposit on the invoice itself', () => {
  test('lowers its balance without any payment, where the company takes deposits', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const take = () =>
      bench.control('POST', '/edit-invoice', { realmId: bench.realmId, invoiceId: invoice.Id, Deposit: 40 });
    await expect(take()).rejects.toThrow('500');
    await bench.control('PATCH', `/companies/${bench.realmId}`, { allowDeposit: true });
    expect((await take()).Invoice).toMatchObject({ TotalAmt: '100.00', Balance: '60.00', Deposit: '40.00' });
    expect(await readInvoice(invoice.Id)).toMatchObject({ Balance: '60.00', LinkedTxn: [] });
    expect((await bench.books()).payments).toEqual([]);
    await bench.control('POST', '/void-invoice', { realmId: bench.realmId, invoiceId: invoice.Id });
    expect(await readInvoice(invoice.Id)).toMatchObject({ Balance: '0' });
  });
});

describe('Readers of payments that lag behind', () => {
  const seen = async (id: string) => [
    (await bench.get(`/payment/${id}`)).body.Payment?.TotalAmt,
    (await bench.query(`select * from Payment where Id = '${id}'`)).body.QueryResponse.Payment?.[0].TotalAmt,
  ];

  test('see a new payment not yet and a changed one as it was, while its invoice shows the change', async () => {
    await bench.control('PATCH', `/companies/${bench.realmId}`, { paymentReadLagSeconds: 60 });
    const invoice = await bench.invoice(customer.Id, '200.00');
    const { Payment } = (await bench.post('/payment', paymentOf('100.00', [[invoice.Id, '100.00']]))).body;
    expect(await seen(Payment.Id)).toEqual([undefined, undefined]);
    await bench.control('POST', '/clock', { advanceSeconds: 61 });
    expect(await seen(Payment.Id)).toEqual(['100.00', '100.00']);

    const change = { realmId: bench.realmId, paymentId: Payment.Id, amount: '150.00' };
    await bench.control('POST', '/edit-payment', change);
    expect(await seen(Payment.Id)).toEqual(['100.00', '100.00']);
    expect((await readInvoice(invoice.Id)).Balance).toBe('50.00');
    await bench.control('POST', '/clock', { advanceSeconds: 61 });
    expect(await seen(Payment.Id)).toEqual(['150.00', '150.00']);
  });
});
