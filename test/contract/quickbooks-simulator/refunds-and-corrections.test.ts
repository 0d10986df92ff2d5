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

const by = (path: string, fields: object) => bench.control('POST', path, { realmId: bench.realmId, ...fields });
const invoiceOf = async (id: string): Promise<Body> => (await bench.get(`/invoice/${id}`)).body.Invoice;
const paymentOf = async (id: string): Promise<Body> => (await bench.get(`/payment/${id}`)).body.Payment;

describe('A refund receipt', () => {
  const refundBody = (amount: string, fields: object = {}) => ({
    ...invoiceBody(customer.Id, amount),
    DepositToAccountRef: { value: '35' },
    ...fields,
  });

  test('is created, read, found, changed and deleted through the API', async () => {
    const { RefundReceipt } = (await bench.post('/refundreceipt', refundBody('25.50', { PrivateNote: 'seat' }))).body;
    expect(RefundReceipt).toMatchObject({
      Id: '145',
      SyncToken: '0',
      TotalAmt: '25.50',
      Balance: '0',
      CustomerRef: { value: customer.Id, name: 'Organiser GmbH' },
      DepositToAccountRef: { value: '35' },
      PrivateNote: 'seat',
    });
    expect((await bench.get('/refundreceipt/145')).body.RefundReceipt).toEqual(RefundReceipt);
    const found = await bench.query(`select * from RefundReceipt where CustomerRef = '${customer.Id}'`);
    expect(found.body.QueryResponse).toEqual({ RefundReceipt: [RefundReceipt], startPosition: '1', maxResults: '1' });
    const changed = await bench.post('/refundreceipt', { Id: '145', SyncToken: '0', sparse: true, PrivateNote: 'two' });
    expect(changed.body.RefundReceipt).toMatchObject({ SyncToken: '1', PrivateNote: 'two', TotalAmt: '25.50' });
    const stale = await bench.post('/refundreceipt?operation=delete', { Id: '145', SyncToken: '0' });
    expect(errorOf(stale).code).toBe('5010');
    const gone = await bench.post('/refundreceipt?operation=delete', { Id: '145', SyncToken: '1' });
    expect(gone.body.RefundReceipt).toEqual({ domain: 'QBO', status: 'Deleted', Id: '145' });
    expect(errorOf(await bench.get('/refundreceipt/145')).code).toBe('610');
    expect((await bench.books()).deleted).toEqual([{ entity: 'RefundReceipt', id: '145' }]);
  });

  test.each([
    ['without the account it is paid from', { DepositToAccountRef: undefined }, '2020'],
    ['from an account that does not exist', { DepositToAccountRef: { value: '99' } }, '2500'],
    ['with a property nobody knows', { Colour: 'red' }, '2010'],
    ['without lines', { Line: [] }, '2020'],
  ])('is refused %s', async (_what, fields, code) => {
    const refused = await bench.post('/refundreceipt', refundBody('5.00', fields));
    expect([refused.status, errorOf(refused).code]).toEqual([400, code]);
    expect((await bench.books()).refundReceipts).toEqual([]);
  });

  test('by the bookkeeper leaves invoice and payment as they are', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    await by('/pay', { invoiceId: invoice.Id });
    const paid = await invoiceOf(invoice.Id);
    const { RefundReceipt } = await by('/refund-receipt', {
      invoiceId: invoice.Id,
      amount: '30.00',
      note: 'one seat less',
      txnDate: '2026-02-03',
    });
    expect(RefundReceipt).toMatchObject({
      TotalAmt: '30.00',
      TxnDate: '2026-02-03',
      PrivateNote: 'one seat less',
      CustomerRef: { value: customer.Id },
    });
    expect(await invoiceOf(invoice.Id)).toEqual(paid);
    const edited = await by('/edit-refund-receipt', { refundReceiptId: RefundReceipt.Id, amount: '20.00' });
    expect(edited.RefundReceipt).toMatchObject({ TotalAmt: '20.00', PrivateNote: 'one seat less', SyncToken: '1' });
    await by('/refund-receipt', { customerId: customer.Id, amount: '1.00' });
    await by('/delete-refund-receipt', { refundReceiptId: RefundReceipt.Id });
    expect((await bench.books()).refundReceipts).toMatchObject([{ TotalAmt: '1.00' }]);
    await expect(by('/refund-receipt', { amount: '1.00' })).rejects.toThrow('give customerId or invoiceId');
  });

  test('has a number of the series that invoices use', async () => {
    await bench.post('/refundreceipt', refundBody('5.00', { DocNumber: 'R-1' }));
    const refused = await bench.post('/invoice', { ...invoiceBody(customer.Id), DocNumber: 'R-1' });
    expect(errorOf(refused)).toMatchObject({
      code: '6140',
      Detail: expect.stringContaining('TxnType=RefundReceipt with TxnId=145'),
    });
  });
});

describe('A payment', () => {
  const paidInvoice = async (amount: string): Promise<{ invoiceId: string; paymentId: string }> => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = await by('/pay', { invoiceId: invoice.Id, amount });
    return { invoiceId: invoice.Id, paymentId: Payment.Id };
  };

  test('taken off its invoice keeps the money', async () => {
    const { invoiceId, paymentId } = await paidInvoice('60.00');
    const { Payment } = await by('/unapply-payment', { paymentId, invoiceId });
    expect(Payment).toMatchObject({ TotalAmt: '60.00', UnappliedAmt: '60.00', Line: [], SyncToken: '1' });
    expect(await invoiceOf(invoiceId)).toMatchObject({ Balance: '100.00', LinkedTxn: [] });
    await expect(by('/unapply-payment', { paymentId, invoiceId })).rejects.toThrow('not set against this invoice');
  });

  test('taken off one of two invoices stays on the other', async () => {
    const [first, second] = [await bench.invoice(customer.Id, '10.00'), await bench.invoice(customer.Id, '20.00')];
    const { Payment } = await by('/pay', { lines: [{ invoiceId: first.Id }, { invoiceId: second.Id }] });
    await by('/unapply-payment', { paymentId: Payment.Id, invoiceId: first.Id });
    expect(await paymentOf(Payment.Id)).toMatchObject({ TotalAmt: '30.00', UnappliedAmt: '10.00' });
    expect([(await invoiceOf(first.Id)).Balance, (await invoiceOf(second.Id)).Balance]).toEqual(['10.00', '0']);
  });

  test('that only links a credit gives the credit back when it is taken off', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { CreditMemo, Payment } = await by('/credit-memo', { invoiceId: invoice.Id, amount: '30.00' });
    await by('/unapply-payment', { paymentId: Payment.Id });
    expect((await bench.get(`/creditmemo/${CreditMemo.Id}`)).body.CreditMemo.RemainingCredit).toBe('30.00');
    expect((await invoiceOf(invoice.Id)).Balance).toBe('100.00');
  });

  test('moves to another invoice, up to its balance', async () => {
    const { invoiceId, paymentId } = await paidInvoice('60.00');
    const other = await bench.invoice(customer.Id, '50.00');
    const { Payment } = await by('/move-payment', { paymentId, fromInvoiceId: invoiceId, toInvoiceId: other.Id });
    expect(Payment).toMatchObject({
      TotalAmt: '60.00',
      UnappliedAmt: '10.00',
      Line: [{ Amount: '50.00', LinkedTxn: [{ TxnId: other.Id, TxnType: 'Invoice' }] }],
    });
    expect([(await invoiceOf(invoiceId)).Balance, (await invoiceOf(other.Id)).Balance]).toEqual(['100.00', '0']);
  });

  test('joins what it already covers of the other invoice', async () => {
    const [first, second] = [await bench.invoice(customer.Id, '10.00'), await bench.invoice(customer.Id, '20.00')];
    const { Payment } = await by('/pay', {
      lines: [
        { invoiceId: first.Id, amount: '4.00' },
        { invoiceId: second.Id, amount: '5.00' },
      ],
    });
    const moved = await by('/move-payment', { paymentId: Payment.Id, toInvoiceId: second.Id });
    expect(moved.Payment.Line).toMatchObject([{ Amount: '9.00', LinkedTxn: [{ TxnId: second.Id }] }]);
    expect((await invoiceOf(second.Id)).LinkedTxn).toHaveLength(1);
    expect([(await invoiceOf(first.Id)).Balance, (await invoiceOf(second.Id)).Balance]).toEqual(['10.00', '11.00']);
  });

  test('keeps the credit it uses when only its date is corrected', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00');
    const { Payment } = await by('/credit-memo', { invoiceId: invoice.Id, amount: '30.00' });
    const edited = await by('/edit-payment', { paymentId: Payment.Id, paidOn: '2026-02-03' });
    expect(edited.Payment).toMatchObject({ TxnDate: '2026-02-03', TotalAmt: '0' });
    expect(edited.Payment.Line).toHaveLength(2);
    expect((await invoiceOf(invoice.Id)).Balance).toBe('70.00');
  });

  test.each([
    ['edited', '/payment', { sparse: true, PaymentRefNum: 'X' }],
    ['voided', '/payment?operation=void', {}],
    ['voided the other way', '/payment?operation=update&include=void', { sparse: true }],
    ['deleted', '/payment?operation=delete', {}],
  ])('that is deposited cannot be %s, and nothing changes', async (_what, path, fields) => {
    const { paymentId } = await paidInvoice('60.00');
    await by('/deposit-payment', { paymentId });
    const before = await bench.books();
    const money = { CustomerRef: { value: customer.Id }, CurrencyRef: { value: 'USD' }, TotalAmt: 60 };
    const refused = await bench.post(path, { Id: paymentId, SyncToken: '0', ...money, ...fields });
    expect([refused.status, errorOf(refused).code]).toEqual([400, '6540']);
    expect(await bench.books()).toEqual(before);
  });

  test.each(['/edit-payment', '/void-payment', '/delete-payment', '/unapply-payment'])(
    'that is deposited is final for the bookkeeper, too, until it is taken off the deposit: %s',
    async (path) => {
      const { paymentId } = await paidInvoice('60.00');
      const before = (await by('/deposit-payment', { paymentId })).Payment;
      await expect(by(path, { paymentId })).rejects.toThrow('6540');
      expect(await paymentOf(paymentId)).toEqual(before);
      await by('/undeposit-payment', { paymentId });
      expect(await by(path, { paymentId })).toHaveProperty('Payment');
    },
  );
});

describe('The company itself', () => {
  const change = (settings: object) => bench.control('PATCH', `/companies/${bench.realmId}`, settings);

  test('adds sales tax that nobody asked for when an invoice is created', async () => {
    await change({ salesTaxPercent: '7.25' });
    const invoice = await bench.invoice(customer.Id, '99.99');
    expect(invoice).toMatchObject({ TotalAmt: '107.24', Balance: '107.24', TxnTaxDetail: { TotalTax: '7.25' } });
  });

  test('sets an open credit against a new invoice by itself', async () => {
    await change({ autoApplyCredit: true });
    await bench.post('/creditmemo', invoiceBody(customer.Id, '30.00'));
    const invoice = await bench.invoice(customer.Id, '100.00');
    expect(invoice).toMatchObject({ TotalAmt: '100.00', Balance: '70.00', LinkedTxn: [{ TxnType: 'Payment' }] });
    expect((await bench.books()).payments).toMatchObject([{ TotalAmt: '0' }]);
  });

  test('closes its books: nothing dated before can be made, changed, voided, deleted or paid', async () => {
    const invoice = await bench.invoice(customer.Id, '100.00', { TxnDate: '2026-01-31' });
    const { Payment } = await by('/pay', { invoiceId: invoice.Id, amount: '10.00', paidOn: '2026-01-31' });
    await change({ bookCloseDate: '2026-01-31' });
    const before = await bench.books();
    const version = { Id: invoice.Id, SyncToken: '1' };
    const money = { CustomerRef: { value: customer.Id }, CurrencyRef: { value: 'USD' }, TotalAmt: 1 };
    const refused = [
      await bench.post('/invoice', { ...invoiceBody(customer.Id), TxnDate: '2026-01-31' }),
      await bench.post('/invoice', { ...version, sparse: true, PrivateNote: 'x' }),
      await bench.post('/invoice?operation=void', version),
      await bench.post('/invoice?operation=delete', version),
      await bench.post('/payment', { ...money, TxnDate: '2026-01-30' }),
      await bench.post('/payment?operation=void', { Id: Payment.Id, SyncToken: '0' }),
      await bench.post('/payment?operation=delete', { Id: Payment.Id, SyncToken: '0' }),
    ];
    expect(refused.map((answer) => errorOf(answer).code)).toEqual(Array.from({ length: 7 }, () => '6210'));
    await expect(by('/void-invoice', { invoiceId: invoice.Id })).rejects.toThrow('6210');
    expect(await bench.books()).toEqual(before);
    expect((await bench.post('/invoice', { ...invoiceBody(customer.Id), TxnDate: '2026-02-01' })).status).toBe(200);
  });

  test("makes the app's sync token stale by a bookkeeper's edit, a void and a deletion", async () => {
    const edited = await bench.invoice(customer.Id);
    await by('/edit-invoice', { invoiceId: edited.Id, PrivateNote: 'by hand' });
    const stale = await bench.post('/invoice', { Id: edited.Id, SyncToken: '0', sparse: true, PrivateNote: 'by app' });
    expect(errorOf(stale).code).toBe('5010');
    await by('/void-invoice', { invoiceId: edited.Id });
    expect(errorOf(await bench.post('/invoice?operation=void', { Id: edited.Id, SyncToken: '1' })).code).toBe('5010');
    await by('/delete-invoice', { invoiceId: edited.Id });
    const gone = await bench.post('/invoice?operation=void', { Id: edited.Id, SyncToken: '2' });
    expect([gone.status, errorOf(gone).code]).toEqual([400, '610']);
  });
});
