import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Books } from '../quickbooks/books.js';
import { minor } from './amounts.js';
import { audit } from './auditor.js';
import type { Evidence, Finding, Row } from './evidence.js';
import { rowsOf } from './tables.js';

// The auditor is shown states that are broken on purpose: it must see each of them.

const ORDER = {
  id: 'po_1',
  reference: 'PO-ABC123',
  status: 'PARTIALLY_PAID',
  total_minor: '10000',
  currency_code: 'USD',
  sent_at: new Date(),
  cancelled_at: null,
};
const INVOICE = {
  purchase_order_id: 'po_1',
  provider: 'QBO',
  external_id: '145',
  status: 'PARTIALLY_PAID',
  total_minor: '10000',
  balance_minor: '5995',
  currency_code: 'USD',
  matches_purchase_order: true,
};
const PAYMENT = {
  id: 'pay_1',
  purchase_order_id: 'po_1',
  amount_minor: '4005',
  provider_payment_id: '146',
  provider_invoice_id: '145',
  paid_day: '2026-10-01',
  reference: 'CHQ-1',
  reversed: false,
};
const CONNECTION = { id: 'qbo_1', status: 'CONNECTED' };

/** The rows by the table that a statement begins to read from. */
type Tables = Record<string, Row[]>;

let tables: Tables;
let books: { -readonly [K in keyof Books]: Books[K] };

const usd = { value: 'USD' };
const bookInvoice = (Id: string, more = {}) => ({
  Id,
  SyncToken: '1',
  TxnDate: '2026-10-01',
  CurrencyRef: usd,
  CustomerRef: { value: '58' },
  PrivateNote: 'conference-invoicing PO-ABC123',
  TotalAmt: '100.00',
  Balance: '59.95',
  LinkedTxn: [],
  ...more,
});
const bookPayment = (more = {}) => ({
  Id: '146',
  TxnDate: '2026-10-01',
  CurrencyRef: usd,
  CustomerRef: { value: '58' },
  PaymentRefNum: 'CHQ-1',
  TotalAmt: '40.05',
  UnappliedAmt: '0',
  Line: [{ Amount: '40.05', LinkedTxn: [{ TxnId: '145', TxnType: 'Invoice' }] }],
  ...more,
});

beforeEach(() => {
  tables = {
    purchase_order: [ORDER],
    invoice: [INVOICE],
    payment: [PAYMENT],
    credit_note: [],
    line_item: [],
    qbo_connection: [CONNECTION],
    provider_operation: [{ kind: 'CREATE_INVOICE', state: 'DONE', subject: 'po_1' }],
    webhook_event: [{ state: 'DONE' }],
    client_idempotency_key: [],
    provider_payment: [{ external_id: '146', unapplied_minor: '0' }],
    audit_event: [],
    history: [{ id: 'payment pay_1', content: 'a' }],
  };
  books = {
    realmId: '9000',
    customers: [{ Id: '58', DisplayName: 'Acme Ltd', Active: true }],
    invoices: [bookInvoice('145')],
    payments: [bookPayment()],
    refundReceipts: [],
    deleted: [],
    created: { Invoice: '1' },
    emails: [],
  };
});

async function findings(more: Partial<Evidence> = {}): Promise<Finding[]> {
  const sql = async (text: string) => {
    const table = /^\s*with orders/.test(text) ? 'history' : (/ from (\w+)(?: operation|\s|$)/.exec(text)?.[1] ?? '');
    const named = table === 'payment_reversal' ? 'payment' : table === 'credit_note_reversal' ? 'credit_note' : table;
    return rowsOf(tables, named);
  };
  return audit({
    sql,
    books,
    conferenceId: 'conf_1',
    told: [],
    asked: [{ call: 'createPurchaseOrder' }],
    totals: new Map([['po_1', 10_000]]),
    isTaxed: false,
    rewritten: new Set(),
    earlier: new Map(),
    ...more,
  });
}

async function kinds(more: Partial<Evidence> = {}): Promise<string[]> {
  return [...new Set((await findings(more)).map(({ kind }) => kind))].toSorted();
}

describe('the auditor', () => {
  it('finds nothing wrong with books and rows that agree', async () => {
    expect(await findings()).toEqual([]);
  });

  it('sees a second live invoice of a purchase order', async () => {
    books.invoices = [bookInvoice('145'), bookInvoice('150', { Balance: '100.00' })];
    expect(await findings()).toEqual([
      { kind: 'duplicate', what: 'PO-ABC123 has 2 live invoices: 145, 150' },
      { kind: 'duplicate', what: 'PO-ABC123: nobody here knows of invoice 150' },
    ]);
  });

  it('sees that more was made than is known here, also when it is gone again', async () => {
    books.created = { Invoice: '2' };
    expect(await findings()).toEqual([{ kind: 'duplicate', what: '2 invoices were made, 1 are known' }]);
    books.deleted = [{ entity: 'Invoice', id: '144' }];
    expect(await findings()).toEqual([]);
    books.deleted = [];
    books.created = { Invoice: '1' };
    expect(await findings({ asked: [] })).toEqual([
      { kind: 'duplicate', what: '0 purchase orders were asked for, there are 1' },
    ]);
  });

  it('sees an order, or an invoice, over another amount than was ordered', async () => {
    expect(await findings({ totals: new Map([['po_1', 10_001]]) })).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123 comes to 10001, here to 10000' },
    ]);
    books.invoices = [bookInvoice('145', { TotalAmt: '100.01', Balance: '59.96' })];
    tables.invoice = [{ ...INVOICE, total_minor: '10001', balance_minor: '5996' }];
    const untold = { kind: 'wrong amount', what: 'nobody is told that PO-ABC123 and invoice 145 differ' };
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123 is over 10000, invoice 145 over 10001' },
      untold,
    ]);
    expect(await findings({ isTaxed: true })).toEqual([untold]);
    tables.invoice = [{ ...INVOICE, total_minor: '10001', balance_minor: '5996', matches_purchase_order: false }];
    expect(await findings({ rewritten: new Set(['145']) })).toEqual([]);
  });

  it('sees that a cancelled order still asks for money', async () => {
    tables.purchase_order = [{ ...ORDER, status: 'CANCELLED', cancelled_at: new Date() }];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123 is cancelled, and invoice 145 still asks for money' },
    ]);
  });

  it('sees a payment or a credit that was recorded more often than it was asked for', async () => {
    const manual = { purchase_order_id: 'po_1', amount_minor: '500', provider_payment_id: null, reversed: true };
    const asked = (call: string) => ({ call, orderId: 'po_1', amount: '5.00' });
    const created = { call: 'createPurchaseOrder' };
    tables.payment = [PAYMENT, { ...manual, id: 'pay_2' }];
    tables.credit_note = [{ ...manual, id: 'crn_1' }];
    expect(await findings({ asked: [created, asked('recordPayment'), asked('issueCreditNote')] })).toEqual([]);
    expect(await findings({ asked: [created, { ...asked('recordPayment'), amount: '5.01' }] })).toEqual([
      { kind: 'duplicate', what: 'PO-ABC123: a payment over 500 was recorded more often than asked for' },
      { kind: 'duplicate', what: 'PO-ABC123: a credit over 500 was issued more often than asked for' },
    ]);
  });

  it('sees a rest of a payment that is not shown, and one that is shown and not there', async () => {
    books.payments = [bookPayment({ UnappliedAmt: '2.50' })];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123: of payment 146 250 is applied to nothing, shown is 0' },
    ]);
    tables.provider_payment = [{ external_id: '146', unapplied_minor: '250' }];
    expect(await findings()).toEqual([]);
    books.payments = [bookPayment()];
    expect(await kinds()).toEqual(['wrong amount']);
  });

  it('sees money given back that is not noted, or noted twice', async () => {
    books.refundReceipts = [
      { Id: '160', SyncToken: '1', TotalAmt: '5.00', PrivateNote: 'Given back for PO-ABC123' },
      { Id: '161', SyncToken: '0', TotalAmt: '5.00', PrivateNote: 'Somebody else' },
    ];
    const note = { subject: 'po_1', receipt: '160', revision: '1' };
    tables.audit_event = [{ ...note, revision: '0' }, note];
    expect(await findings()).toEqual([]);
    tables.audit_event = [{ ...note, revision: '0' }];
    expect(await findings()).toEqual([{ kind: 'loss', what: 'PO-ABC123: refund 160 is noted 0 times' }]);
    tables.audit_event = [note, note];
    expect(await findings()).toEqual([{ kind: 'duplicate', what: 'PO-ABC123: refund 160 is noted 2 times' }]);
  });

  it('sees that the invoice of somebody else was adopted', async () => {
    books.invoices = [bookInvoice('145', { PrivateNote: 'conference-invoicing PO-OTHER1' })];
    expect(await findings()).toEqual([
      { kind: 'duplicate', what: "PO-ABC123: invoice 145 was adopted, but it is somebody else's" },
    ]);
  });

  it('sees an invoice here that is not in the books', async () => {
    books.invoices = [];
    books.payments = [];
    tables.payment = [];
    tables.purchase_order = [{ ...ORDER, status: 'SENT' }];
    expect(await findings()).toEqual([{ kind: 'loss', what: 'PO-ABC123: there is no invoice 145' }]);
  });

  it('sees a payment that was never booked', async () => {
    tables.payment = [];
    expect(await kinds()).toEqual(['loss', 'wrong amount']);
  });

  it('sees a payment that is booked twice', async () => {
    tables.payment = [PAYMENT, { ...PAYMENT, id: 'pay_2' }];
    expect(await kinds()).toEqual(['duplicate']);
  });

  it('sees a payment that is a cent off', async () => {
    tables.payment = [{ ...PAYMENT, amount_minor: '4006' }];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123, invoice 145: payment 146 is 4005, booked 4006' },
    ]);
  });

  it('sees a payment of another day', async () => {
    tables.payment = [{ ...PAYMENT, paid_day: '2026-10-02' }];
    expect(await kinds()).toEqual(['wrong amount']);
  });

  it('sees a payment that was voided in the books and still stands here', async () => {
    books.payments = [];
    books.invoices = [bookInvoice('145', { Balance: '100.00' })];
    tables.invoice = [{ ...INVOICE, balance_minor: '10000', status: 'OPEN' }];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123, invoice 145: payment 146 is booked but not there' },
    ]);
  });

  it('takes a credit that is set against an invoice for no money', async () => {
    books.payments = [bookPayment({ TotalAmt: '0' })];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123, invoice 145: payment 146 is booked but not there' },
      { kind: 'loss', what: 'PO-ABC123, invoice 145: credit 146 over 4005 is not booked' },
    ]);
  });

  it('sees a status that does not follow from the rows', async () => {
    tables.purchase_order = [{ ...ORDER, status: 'PAID' }];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123 should be PARTIALLY_PAID, and is PAID' },
    ]);
  });

  it('sees stored sums that are not those of the rows', async () => {
    tables.purchase_order = [{ ...ORDER, paid_minor: '4004' }];
    expect(await findings()).toEqual([
      { kind: 'wrong amount', what: 'PO-ABC123 stores 4004 paid, 0 credited; its rows say 4005 paid, 0 credited' },
    ]);
  });

  it('sees an operation that is open and an event that nobody worked off', async () => {
    tables.provider_operation = [{ kind: 'SEND_INVOICE', state: 'IN_FLIGHT', subject: 'inv_1', attempts: 1 }];
    tables.webhook_event = [{ state: 'PROCESSING', entity: 'payment', operation: 'created', last_error: null }];
    expect(await findings()).toEqual([
      { kind: 'stuck', what: 'SEND_INVOICE of inv_1 is IN_FLIGHT after 1 attempts: undefined' },
      { kind: 'stuck', what: 'created payment is PROCESSING: null' },
    ]);
  });

  it('sees a dead event, an invoice without an id and a connection without tokens', async () => {
    tables.webhook_event = [{ state: 'DEAD', entity: 'payment', operation: 'created', last_error: 'no' }];
    tables.qbo_connection = [{ ...CONNECTION, status: 'RECONNECT_REQUIRED' }];
    tables.invoice = [INVOICE, { ...INVOICE, external_id: null, status: 'UNKNOWN' }];
    expect((await findings()).map(({ kind }) => kind)).toEqual(['stuck', 'stuck', 'stuck']);
  });

  it('sees that something confirmed is not there', async () => {
    const told = [
      { call: 'createPurchaseOrder', id: 'po_2', key: 'key-00001' },
      { call: 'recordPayment', id: 'pay_9', orderId: 'po_1' },
      { call: 'cancelPurchaseOrder', id: 'po_1', orderId: 'po_1' },
      { call: 'reversePayment', id: 'pay_1' },
      { call: 'issueCreditNote', id: 'crn_9', orderId: 'po_1' },
    ];
    expect((await findings({ told })).map(({ kind }) => kind)).toEqual(['loss', 'loss', 'loss', 'loss', 'loss']);
  });

  it('sees that one key made two things', async () => {
    const told = [
      { call: 'createPurchaseOrder', id: 'po_1', key: 'key-00001' },
      { call: 'createPurchaseOrder', id: 'po_3', key: 'key-00001' },
    ];
    expect(await kinds({ told })).toEqual(['duplicate', 'loss']);
  });

  it('sees a second customer for one organisation', async () => {
    books.customers = [...books.customers, { Id: '59', DisplayName: 'Acme Ltd (2)', Active: true }];
    expect(await findings()).toEqual([{ kind: 'duplicate', what: 'there are 2 customers named acme ltd' }]);
  });

  it('allows one e-mail more than was asked for, and no second one', async () => {
    const email = { invoiceId: '145', to: 'ap@example.com' };
    books.emails = [email, email];
    const asked = [{ call: 'createPurchaseOrder' }, { call: 'sendQboInvoice', orderId: 'po_1' }];
    expect(await findings({ asked })).toEqual([]);
    books.emails = [email, email, email];
    expect(await findings({ asked })).toEqual([
      { kind: 'duplicate', what: 'PO-ABC123 was e-mailed 3 times, asked for 1' },
    ]);
  });

  it('sees that a row which must never change was changed, or is gone', async () => {
    expect(await findings({ earlier: new Map([['payment pay_1', 'a']]) })).toEqual([]);
    expect(await findings({ earlier: new Map([['payment pay_1', 'b']]) })).toEqual([
      { kind: 'wrong amount', what: 'payment pay_1 was changed' },
    ]);
    expect(await findings({ earlier: new Map([['payment pay_0', 'a']]) })).toEqual([
      { kind: 'loss', what: 'payment pay_0 was deleted' },
    ]);
  });
});

describe('amounts in the books', () => {
  it.each([
    ['12.5', 'USD', 1250n],
    ['-0.05', 'USD', -5n],
    ['1200', 'JPY', 1200n],
    ['1.005', 'KWD', 1005n],
  ])('%s %s are %s', (text, currency, expected) => {
    expect(minor(text, currency)).toBe(expected);
  });

  it('are refused when they are finer than the currency', () => {
    expect(() => minor('1.005', 'USD')).toThrow('1.005 USD is finer than the currency');
  });
});
