import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Body, faultOf, must, Target } from './target.js';

let target: Target;
let customer: Body;
beforeAll(async () => {
  target = await Target.reach();
});
beforeEach(async () => {
  customer = await target.customer();
});
afterAll(() => target.leave());

const linked = (TxnId: string) => [{ TxnId, TxnType: 'Payment' }];
const read = (invoice: Body): Promise<Body> => target.read('invoice', invoice.Id);

describe('A payment', () => {
  test('of a part lowers the balance, is linked to the invoice, and makes its sync token stale', async () => {
    const invoice = await target.invoice(customer.Id);
    const payment = await target.payment(customer.Id, 40, [[invoice.Id, 40]]);
    expect(payment).toMatchObject({ TotalAmt: 40, UnappliedAmt: 0, SyncToken: '0' });
    expect(payment.Line[0]).toMatchObject({ Amount: 40, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] });
    const after = await read(invoice);
    expect(after).toMatchObject({ TotalAmt: invoice.TotalAmt, LinkedTxn: linked(payment.Id) });
    expect(after.Balance).toBeCloseTo(invoice.TotalAmt - 40, 2);
    const sparse = { Id: invoice.Id, SyncToken: invoice.SyncToken, sparse: true, PrivateNote: 'x' };
    expect(faultOf(await target.post('/invoice', sparse))).toEqual([400, '5010', 'ValidationFault']);
  });

  test('covers several invoices, and several payments settle one, newest first', async () => {
    const [first, second] = [await target.invoice(customer.Id), await target.invoice(customer.Id)];
    const both = await target.payment(customer.Id, 70, [
      [first.Id, 50],
      [second.Id, 20],
    ]);
    const rest = await target.payment(customer.Id, 30, [[first.Id, 30]]);
    const [firstAfter, secondAfter] = [await read(first), await read(second)];
    expect(firstAfter.LinkedTxn).toEqual([...linked(rest.Id), ...linked(both.Id)]);
    expect(secondAfter.LinkedTxn).toEqual(linked(both.Id));
    expect(firstAfter.Balance).toBeCloseTo(first.TotalAmt - 80, 2);
    expect(secondAfter.Balance).toBeCloseTo(second.TotalAmt - 20, 2);
  });

  test('keeps what is not set against an invoice', async () => {
    const invoice = await target.invoice(customer.Id);
    const payment = await target.payment(customer.Id, 25, [[invoice.Id, 10]]);
    expect(payment).toMatchObject({ TotalAmt: 25, UnappliedAmt: 15 });
    expect((await read(invoice)).Balance).toBeCloseTo(invoice.TotalAmt - 10, 2);
  });

  test('that is voided stays, empty, and the invoice is open again', async () => {
    const invoice = await target.invoice(customer.Id);
    const payment = await target.payment(customer.Id, 40, [[invoice.Id, 40]]);
    const voided = await target.post('/payment?operation=update&include=void', {
      Id: payment.Id,
      SyncToken: payment.SyncToken,
      sparse: true,
    });
    expect(must(voided).Payment).toMatchObject({ Id: payment.Id, TotalAmt: 0, UnappliedAmt: 0, Line: [] });
    expect(voided.body.Payment.PrivateNote).toMatch(/^Voided/);
    expect(await read(invoice)).toMatchObject({ Balance: invoice.TotalAmt, LinkedTxn: [] });
  });

  test('that is deleted cannot be read, and the invoice is open again', async () => {
    const invoice = await target.invoice(customer.Id);
    const payment = await target.payment(customer.Id, 40, [[invoice.Id, 40]]);
    must(await target.post('/payment?operation=delete', { Id: payment.Id, SyncToken: payment.SyncToken }));
    expect(faultOf(await target.get(`/payment/${payment.Id}`))).toEqual([400, '610', 'ValidationFault']);
    expect(await read(invoice)).toMatchObject({ Balance: invoice.TotalAmt, LinkedTxn: [] });
  });

  test('without a customer is refused', async () => {
    const body = { ...(await target.paymentBody(customer.Id, 10, [])), CustomerRef: undefined };
    expect(faultOf(await target.post('/payment', body))).toEqual([400, '2020', 'ValidationFault']);
  });
});
