import { describe, expect, test } from '@jest/globals';
import { queryRowsApart } from '../../../src/infrastructure/quickbooks/documents.js';
import {
  findChangedPaymentsCall,
  paymentDocument,
  readPaymentsCalls,
  toProviderPayment,
} from '../../../src/infrastructure/quickbooks/payments.js';

const payment = {
  Id: '180',
  SyncToken: '2',
  TotalAmt: '400.00',
  UnappliedAmt: '26.00',
  TxnDate: '2026-05-05',
  PaymentRefNum: '1031',
  CurrencyRef: { value: 'USD' },
  Line: [
    { Amount: '387.00', LinkedTxn: [{ TxnId: '96', TxnType: 'Invoice' }], LineEx: { any: [{ nil: false }] } },
    { Amount: '13.00', LinkedTxn: [{ TxnId: '73', TxnType: 'CreditMemo' }] },
    { Amount: '1', LinkedTxn: [{ TxnId: '12', TxnType: 'JournalEntry' }] },
    { Amount: '5', LinkedTxn: [] },
  ],
};

const answer = (...payments: unknown[]) => ({ QueryResponse: { Payment: payments, startPosition: 1 }, time: 'x' });

function readRows(json: unknown) {
  return queryRowsApart(json, 'Payment', paymentDocument);
}

function read(changes: Record<string, unknown> = {}, currency = 'USD') {
  const [document] = readRows(answer({ ...payment, ...changes }))?.documents ?? [];
  return document && toProviderPayment(document, currency);
}

describe('payments', () => {
  test('what was received, and what it was applied to in QuickBooks’ order', () => {
    expect(read()).toEqual({
      externalId: '180',
      syncToken: '2',
      currency: 'USD',
      total: 40000n,
      unapplied: 2600n,
      voided: false,
      paidOn: '2026-05-05',
      referenceNumber: '1031',
      applications: [
        { kind: 'invoice', externalId: '96', amount: 38700n },
        { kind: 'credit', externalId: '73', amount: 1300n },
        { kind: 'other', externalId: '12', amount: 100n },
      ],
    });
  });

  test('a voided one has a total of zero, no applications and a note that says so', () => {
    const voided = { TotalAmt: '0', UnappliedAmt: '0', Line: [], PaymentRefNum: null };
    expect(read({ ...voided, PrivateNote: 'Voided - wrong customer' })).toMatchObject({
      voided: true,
      total: 0n,
      unapplied: 0n,
      applications: [],
      referenceNumber: undefined,
    });
  });

  test.each([
    ['with money', { PrivateNote: 'Voided cheque was replaced' }],
    ['without a note', { TotalAmt: '0', UnappliedAmt: '0', Line: [] }],
    ['that only links a credit', { TotalAmt: '0', UnappliedAmt: '0', PrivateNote: 'Voided earlier' }],
  ])('one %s is not voided', (_what, changes) => {
    expect(read(changes)).toMatchObject({ voided: false });
  });

  test('what is left of one is what its invoices leave over when QuickBooks does not say', () => {
    const invoiceAndCredit = payment.Line.slice(0, 2);
    const unsaid = { UnappliedAmt: null, Line: invoiceAndCredit };
    expect(read({ ...unsaid, TotalAmt: '400.00' })).toMatchObject({ unapplied: 2600n });
    expect(read({ ...unsaid, TotalAmt: '300.00' })).toMatchObject({ unapplied: 0n });
  });

  test.each([
    ['an amount with more digits than the currency', { TotalAmt: '1.005' }, 'USD'],
    ['such an amount in a line', { Line: [{ Amount: '0.5', LinkedTxn: [{ TxnId: '1', TxnType: 'Invoice' }] }] }, 'JPY'],
    ['such an amount that is left', { UnappliedAmt: '0.001' }, 'USD'],
    ['a currency that does not exist', {}, 'XXX'],
  ])('%s cannot be understood', (_what, changes, currency) => {
    expect(read(changes, currency)).toBeUndefined();
  });

  test('a date that is none makes that payment unreadable, and no other', () => {
    const other = { ...payment, Id: '181' };
    expect(readRows(answer({ ...payment, TxnDate: '2026-02-30' }, other))).toMatchObject({
      documents: [{ Id: '181' }],
      unreadableIds: ['180'],
    });
  });

  test('a row without an id makes the whole answer unreadable: nobody knows which one it was', () => {
    const { Id: _, ...anonymous } = payment;
    expect(readRows(answer(payment, anonymous))).toBeUndefined();
  });

  test('none found is an empty list', () => {
    expect(readRows({ QueryResponse: {} })).toEqual({ documents: [], unreadableIds: [] });
  });

  test('when it was last changed', () => {
    expect(read({ MetaData: { LastUpdatedTime: '2026-05-05T02:08:55-07:00' } })?.changedAt).toEqual(
      new Date('2026-05-05T09:08:55Z'),
    );
  });

  test('those changed since a moment are asked for in the order of their changes, to the second', () => {
    expect(findChangedPaymentsCall(new Date('2026-05-05T09:08:55.987Z'), 1).query).toEqual({
      query:
        "select * from Payment where MetaData.LastUpdatedTime >= '2026-05-05T09:08:55Z' orderby MetaData.LastUpdatedTime maxresults 1000",
    });
  });

  test('each id is asked for once, in pages of 500', () => {
    const ids = Array.from({ length: 501 }, (_, index) => `${index + 1}`);
    const calls = readPaymentsCalls([...ids, '1', '2']);
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(calls[0]?.body).toContain("'1', '2', '3',");
    expect(calls[1]?.query).toEqual({ query: "select * from Payment where Id in ('501') maxresults 1000" });
    expect(readPaymentsCalls([])).toEqual([]);
  });
});
