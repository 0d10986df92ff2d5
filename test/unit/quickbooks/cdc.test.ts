import { describe, expect, test } from '@jest/globals';
import { readChangeDocuments, readChangesCall } from '../../../src/infrastructure/quickbooks/cdc.js';

const invoice = {
  Id: '155',
  SyncToken: '0',
  CustomerRef: { value: '1' },
  CurrencyRef: { value: 'USD' },
  TotalAmt: '100.00',
  Balance: '100.00',
};
const payment = {
  Id: '180',
  SyncToken: '0',
  TotalAmt: '100.00',
  UnappliedAmt: '100.00',
  TxnDate: '2026-05-05',
  CurrencyRef: { value: 'USD' },
  Line: [],
};
const refundReceipt = { Id: '190', SyncToken: '0', TotalAmt: '5.00', TxnDate: '2026-05-05' };
const tombstone = (Id: string) => ({
  domain: 'QBO',
  status: 'Deleted',
  Id,
  MetaData: { LastUpdatedTime: '2026-11-01T00:00:00-08:00' },
});

function answer(...lists: object[]) {
  return { CDCResponse: [{ QueryResponse: lists }], time: '2026-11-21T12:00:00.000-08:00' };
}

describe('change data capture', () => {
  test('asks for all entities at once, to the second and without a plus sign', () => {
    expect(readChangesCall(new Date('2026-11-01T08:00:00.999Z'))).toEqual({
      operation: 'read_changes',
      effect: 'read',
      method: 'GET',
      path: 'cdc',
      query: { entities: 'Invoice,Payment,RefundReceipt', changedSince: '2026-11-01T08:00:00Z' },
    });
  });

  test('parts what is there from what was deleted, in one list per entity', () => {
    const changes = readChangeDocuments(
      answer(
        { Invoice: [invoice, tombstone('156')], startPosition: 1 },
        { Payment: [payment, tombstone('181')] },
        { RefundReceipt: [refundReceipt, { Id: '191' }, tombstone('192')] },
      ),
    );
    const changedAt = new Date('2026-11-01T08:00:00Z');
    expect(changes).toMatchObject({
      invoices: { documents: [{ Id: '155' }], unreadableIds: [] },
      payments: { documents: [{ Id: '180' }], unreadableIds: [] },
      refundReceipts: { documents: [{ Id: '190' }], unreadableIds: ['191'] },
      deletedInvoices: [{ externalId: '156', changedAt }],
      deletedPayments: [{ externalId: '181', changedAt }],
      mayBeIncomplete: false,
    });
  });

  test('without any change is understood as such', () => {
    expect(readChangeDocuments(answer({}, {}))).toMatchObject({
      invoices: { documents: [] },
      payments: { documents: [] },
      mayBeIncomplete: false,
    });
  });

  test('names an object that cannot be understood, and keeps the others', () => {
    const changes = readChangeDocuments(
      answer({
        Invoice: [
          { ...invoice, TotalAmt: null },
          { ...invoice, Id: '157' },
        ],
      }),
    );
    expect(changes?.invoices).toMatchObject({ documents: [{ Id: '157' }], unreadableIds: ['155'] });
  });

  test('may have left something out when all lists together have a thousand objects', () => {
    const tombstones = (count: number) => Array.from({ length: count }, (_, index) => tombstone(`${index + 1}`));
    const incomplete = (invoices: number, payments: number) =>
      readChangeDocuments(answer({ Invoice: tombstones(invoices) }, { Payment: tombstones(payments) }))
        ?.mayBeIncomplete;
    expect(incomplete(600, 399)).toBe(false);
    expect(incomplete(600, 400)).toBe(true);
  });

  test('is not confused with another answer', () => {
    expect(readChangeDocuments({ QueryResponse: {} })).toBeUndefined();
    expect(readChangeDocuments('')).toBeUndefined();
  });
});
