import { describe, expect, test } from '@jest/globals';
import {
  readPaymentDocuments,
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

function read(changes: Record<string, unknown> = {}, currency = 'USD') {
  const [document] = readPaymentDocuments(answer({ ...payment, ...changes })) ?? [];
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

  test('a date that is none makes the answer unreadable', () => {
    expect(readPaymentDocuments(answer({ ...payment, TxnDate: '2026-02-30' }))).toBeUndefined();
  });

  test('none found is an empty list', () => {
    expect(readPaymentDocuments({ QueryResponse: {} })).toEqual([]);
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
