import { describe, expect, test } from '@jest/globals';
import {
  readRefundReceiptCall,
  readRefundReceiptDocument,
  toProviderRefundReceipt,
} from '../../../src/infrastructure/quickbooks/refund-receipts.js';

const receipt = {
  Id: '201',
  SyncToken: '1',
  TotalAmt: '125.00',
  TxnDate: '2026-11-20',
  CurrencyRef: { value: 'USD' },
  PrivateNote: 'for PO-7K2M9Q',
  CustomerMemo: { value: 'We are sorry.' },
  Line: [{ Amount: '125.00', Description: 'Ticket' }, { DetailType: 'SubTotalLineDetail' }],
};

function read(changes: Record<string, unknown> = {}, currency = 'USD') {
  const document = readRefundReceiptDocument({ RefundReceipt: { ...receipt, ...changes } });
  return document && toProviderRefundReceipt(document, currency);
}

describe('a refund receipt', () => {
  test('is read by its id', () => {
    expect(readRefundReceiptCall('2 1')).toMatchObject({ method: 'GET', effect: 'read', path: 'refundreceipt/2%201' });
  });

  test('is an amount, a day, a version and everything that people wrote on it', () => {
    expect(read()).toEqual({
      externalId: '201',
      syncToken: '1',
      currency: 'USD',
      total: 12500n,
      refundedOn: '2026-11-20',
      texts: ['for PO-7K2M9Q', 'We are sorry.', 'Ticket'],
    });
    expect(read({ PrivateNote: null, CustomerMemo: undefined, Line: undefined })).toMatchObject({ texts: [] });
  });

  test.each([
    ['an amount with more digits than the currency', { TotalAmt: '1.005' }, 'USD'],
    ['a currency that does not exist', {}, 'XXX'],
    ['a day that does not exist', { TxnDate: '2026-02-30' }, 'USD'],
    ['no version', { SyncToken: undefined }, 'USD'],
  ])('with %s cannot be understood', (_what, changes, currency) => {
    expect(read(changes, currency)).toBeUndefined();
  });
});
