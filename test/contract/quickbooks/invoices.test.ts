import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Body, faultOf, must, Target } from './target.js';

let target: Target;
let customer: Body;
beforeAll(async () => {
  target = await Target.reach();
  customer = await target.customer();
});
afterAll(() => target.leave());

const found = (invoice: Body) =>
  target.rows('Invoice', `select * from Invoice where DocNumber = '${invoice.DocNumber}'`);

describe('An invoice', () => {
  test('is created with status 200, its lines, a subtotal line of the provider and the balance that is its total', async () => {
    const created = await target.invoice(customer.Id, 0, {
      TxnDate: '2026-03-02',
      DueDate: '2026-04-01',
      PrivateNote: 'contract',
      CustomerMemo: { value: 'Purchase order' },
      BillEmail: { Address: 'ada@example.com' },
      Line: [
        { ...(await target.line(75.5, { Qty: 2, UnitPrice: 37.75 })), Description: 'Seats' },
        { ...(await target.line(24.5, { Qty: 1, UnitPrice: 24.5 })), Description: 'Dinner' },
      ],
    });
    expect(created).toMatchObject({
      SyncToken: '0',
      TxnDate: '2026-03-02',
      DueDate: '2026-04-01',
      PrivateNote: 'contract',
      CustomerRef: { value: customer.Id },
      CurrencyRef: { value: await target.homeCurrency() },
      BillEmail: { Address: 'ada@example.com' },
      EmailStatus: 'NotSet',
    });
    const [seats, dinner, subtotal] = created.Line;
    expect([seats.Description, seats.Amount, dinner.Description, dinner.Amount]).toEqual([
      'Seats',
      75.5,
      'Dinner',
      24.5,
    ]);
    expect(subtotal).toMatchObject({ DetailType: 'SubTotalLineDetail', Amount: 100 });
    expect(created.Balance).toBe(created.TotalAmt);
    expect(created.TotalAmt).toBeCloseTo(100 + (created.TxnTaxDetail?.TotalTax ?? 0), 2);
    expect(await target.read('invoice', created.Id)).toMatchObject({ Id: created.Id, SyncToken: '0' });
  });

  test.each([
    ['without lines', { Line: undefined }, '2020'],
    ['with an empty list of lines', { Line: [] }, '2020'],
    ['without a customer', { CustomerRef: undefined }, '2020'],
    ['with a property nobody knows', { NoSuchProperty: 'x' }, '2010'],
  ])('is refused %s, and nothing is made', async (_what, fields, code) => {
    const body = { ...(await target.invoiceBody(customer.Id)), ...fields };
    expect(faultOf(await target.post('/invoice', body))).toEqual([400, code, 'ValidationFault']);
    expect(await found(body)).toEqual([]);
  });

  test('is refused when an amount is not price times quantity, at the precision that was sent', async () => {
    const body = await target.invoiceBody(customer.Id);
    const wrong = { ...body, Line: [await target.line(100, { Qty: 3, UnitPrice: 33.33 })] };
    expect(faultOf(await target.post('/invoice', wrong))).toEqual([400, '6070', 'ValidationFault']);
    expect(await found(body)).toEqual([]);
    const right = [await target.line(100, { Qty: 3, UnitPrice: 33.3333333 })];
    expect((await target.invoice(customer.Id, 0, { Line: right })).Line[0].Amount).toBe(100);
  });

  test('is changed by a sparse update: what is not named stays, the token moves by one, and the one before is stale', async () => {
    const created = await target.invoice(customer.Id, 100, { PrivateNote: 'first' });
    const sparse = { Id: created.Id, SyncToken: '0', sparse: true };
    const { Invoice } = must(await target.post('/invoice', { ...sparse, PrivateNote: 'second' }));
    expect(Invoice).toMatchObject({
      Id: created.Id,
      SyncToken: '1',
      sparse: false,
      PrivateNote: 'second',
      DocNumber: created.DocNumber,
      DueDate: created.DueDate,
      TotalAmt: created.TotalAmt,
    });
    const stale = await target.post('/invoice', { ...sparse, PrivateNote: 'third' });
    expect(faultOf(stale)).toEqual([400, '5010', 'ValidationFault']);
    expect((await target.read('invoice', created.Id)).PrivateNote).toBe('second');
  });

  test('is sent: state, time and address change, and the sync token does not', async () => {
    const created = await target.invoice(customer.Id);
    const sent = await target.post(`/invoice/${created.Id}/send?sendTo=ada%40example.com`, '', {
      'content-type': 'application/octet-stream',
    });
    expect(must(sent).Invoice).toMatchObject({
      Id: created.Id,
      SyncToken: '0',
      EmailStatus: 'EmailSent',
      BillEmail: { Address: 'ada@example.com' },
      DeliveryInfo: { DeliveryType: 'Email' },
    });
    expect(Date.parse(sent.body.Invoice.DeliveryInfo.DeliveryTime)).not.toBeNaN();
  });

  test('that is voided stays with its number and customer, without amounts, and says so in its note alone', async () => {
    const created = await target.invoice(customer.Id, 100, { PrivateNote: 'kept' });
    const { Invoice } = must(await target.post('/invoice?operation=void', { Id: created.Id, SyncToken: '0' }));
    expect(Invoice).toMatchObject({ Id: created.Id, SyncToken: '1', TotalAmt: 0, Balance: 0, LinkedTxn: [] });
    expect(Invoice.PrivateNote).toMatch(/^Voided.*kept/s);
    expect(await target.read('invoice', created.Id)).toMatchObject({
      DocNumber: created.DocNumber,
      CustomerRef: { value: customer.Id },
      TotalAmt: 0,
    });
  });

  test('that is deleted is gone from reads and queries', async () => {
    const created = await target.invoice(customer.Id);
    const gone = await target.post('/invoice?operation=delete', { Id: created.Id, SyncToken: '0' });
    expect(must(gone).Invoice).toMatchObject({ Id: created.Id, status: 'Deleted', domain: 'QBO' });
    expect(faultOf(await target.get(`/invoice/${created.Id}`))).toEqual([400, '610', 'ValidationFault']);
    expect(await target.rows('Invoice', `select * from Invoice where Id = '${created.Id}'`)).toEqual([]);
  });

  test('moves the time of its customer, but not the sync token', async () => {
    const other = await target.customer();
    await target.invoice(other.Id);
    const moved = await target.read('customer', other.Id);
    expect(moved.SyncToken).toBe('0');
    expect(Date.parse(moved.MetaData.LastUpdatedTime)).toBeGreaterThanOrEqual(
      Date.parse(other.MetaData.LastUpdatedTime),
    );
  });
});
