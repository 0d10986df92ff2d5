import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StripeBooks } from '../../stripe/books.js';
import { audit } from '../auditor.js';
import type { Evidence, Finding, Row } from '../evidence.js';
import { rowsOf } from '../tables.js';

// The auditor is shown states of Stripe that are broken on purpose: it must see each of them.

const ORDER = {
  id: 'po_1',
  reference: 'PO-ABC123',
  status: 'PARTIALLY_PAID',
  total_minor: '10000',
  currency_code: 'USD',
  sent_at: new Date(),
  cancelled_at: null,
};
const PAGE = 'https://invoice.stripe.com/i/1';
const INVOICE = {
  purchase_order_id: 'po_1',
  provider: 'STRIPE',
  external_id: 'in_1',
  status: 'PARTIALLY_PAID',
  number: 'A-0001',
  pay_url: PAGE,
  total_minor: '10000',
  balance_minor: '5995',
  currency_code: 'USD',
  matches_purchase_order: true,
  processing_minor: '0',
  is_disputed: false,
};
const PAYMENT = {
  id: 'pay_1',
  purchase_order_id: 'po_1',
  amount_minor: '4005',
  provider_payment_id: 'inpay_1',
  provider_invoice_id: 'in_1',
  paid_day: '2026-10-02',
  reference: 'pi_1',
  reversed: false,
};

/** In Tokyo it is the next day already. */
const PAID_AT = Date.parse('2026-10-01T20:00:00Z') / 1000;

type Tables = Record<string, Row[]>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

let tables: Tables;
let books: Writable<StripeBooks>;
let switched: Map<string, 'QBO' | 'STRIPE'>;

const invoice = (more = {}) => ({
  id: 'in_1',
  status: 'open' as const,
  number: 'A-0001',
  customer: 'cus_1',
  currency: 'usd',
  total: 10_000,
  amount_remaining: 5_995,
  amount_due: 10_000,
  pre_payment_credit_notes_amount: 0,
  amount_paid_off_stripe: 0,
  status_transitions: { paid_at: null },
  hosted_invoice_url: PAGE,
  metadata: { purchase_order_id: 'po_1', purchase_order_ref: 'PO-ABC123' },
  lines: [{ amount: 4_000 }, { amount: 6_000 }],
  ...more,
});
const payment = (more = {}) => ({
  id: 'inpay_1',
  invoice: 'in_1',
  status: 'paid' as const,
  amount_paid: 4_005,
  amount_requested: 4_005,
  payment: { payment_intent: 'pi_1' },
  status_transitions: { paid_at: PAID_AT },
  ...more,
});
const debit = (more = {}) =>
  payment({
    id: 'inpay_2',
    status: 'open',
    amount_paid: null,
    amount_requested: 5_995,
    payment: { payment_intent: 'pi_2' },
    ...more,
  });
const processing = { id: 'pi_2', status: 'processing', latest_charge: 'py_2' };
const refundOf = (amount: number, status = 'succeeded') => ({ id: 're_1', charge: 'ch_1', amount, status });
const disputeOf = (amount: number, status: string) => ({ id: 'dp_1', charge: 'ch_1', amount, status });

beforeEach(() => {
  switched = new Map();
  tables = {
    purchase_order: [ORDER],
    line_item: [4_000, 6_000].map((line_total_minor) => ({ purchase_order_id: 'po_1', line_total_minor })),
    invoice: [INVOICE],
    payment: [PAYMENT],
    stripe_connection: [{ id: 'str_1', status: 'CONNECTED' }],
    provider_operation: [{ kind: 'CREATE_INVOICE', state: 'DONE', subject: 'po_1' }],
    webhook_event: [{ state: 'DONE' }],
  };
  books = {
    accountId: 'acct_1',
    customers: [{ id: 'cus_1', name: 'Acme Ltd', email: 'ap@example.com' }],
    invoices: [invoice()],
    invoicePayments: [payment()],
    paymentIntents: [{ id: 'pi_1', status: 'succeeded', latest_charge: 'ch_1' }],
    charges: [{ id: 'ch_1', payment_intent: 'pi_1', amount: 4_005, amount_refunded: 0, status: 'succeeded' }],
    refunds: [],
    disputes: [],
    creditNotes: [],
    deleted: [],
    emails: [],
  };
});

const quickbooks: Evidence['books'] = {
  realmId: '9000',
  customers: [],
  invoices: [],
  payments: [],
  refundReceipts: [],
  deleted: [],
  created: { Invoice: '0' },
  emails: [],
};

async function findings(more: Partial<Evidence> = {}): Promise<Finding[]> {
  const sql = async (text: string) => {
    const table = / from (\w+)(?: operation|\s|$)/.exec(text)?.[1] ?? '';
    return rowsOf(tables, table.replace('_reversal', ''));
  };
  return audit({
    sql,
    books: quickbooks,
    stripe: { books, connectionId: 'str_1', timezone: 'Asia/Tokyo', switched },
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

async function whats(more: Partial<Evidence> = {}): Promise<string[]> {
  return (await findings(more)).map(({ what }) => what);
}

describe('the auditor of Stripe', () => {
  it('finds nothing wrong with books and rows that agree', async () => {
    expect(await findings()).toEqual([]);
  });

  it('sees a draft that was left behind, and an invoice that nobody here knows', async () => {
    const draft = invoice({ id: 'in_2', status: 'draft' });
    const paid = invoice({ id: 'in_3', status: 'paid' });
    // Nobody can pay what a person voided before it was known here.
    books.invoices = [invoice(), draft, paid, invoice({ id: 'in_4', status: 'void' })];
    expect(await findings()).toEqual([
      { kind: 'duplicate', what: 'PO-ABC123 has 2 live invoices: in_1, in_3' },
      { kind: 'duplicate', what: 'PO-ABC123: draft in_2 was left behind in Stripe' },
      { kind: 'duplicate', what: 'PO-ABC123: paid in_3 was left behind in Stripe' },
    ]);
  });

  it('sees two invoices that can be paid, also when one of them is in QuickBooks', async () => {
    const live = {
      Id: '145',
      SyncToken: '0',
      TxnDate: '2026-10-01',
      CurrencyRef: { value: 'USD' },
      CustomerRef: { value: '58' },
      PrivateNote: 'conference-invoicing PO-ABC123',
      TotalAmt: '100.00',
      Balance: '100.00',
      LinkedTxn: [],
    };
    const both = { ...quickbooks, invoices: [live] };
    expect(await findings({ books: both })).toContainEqual({
      kind: 'duplicate',
      what: 'PO-ABC123 has 2 live invoices: 145, in_1',
    });
  });

  it('sees an invoice that is not where it was said to have been switched to', async () => {
    switched.set('po_1', 'QBO');
    expect(await findings()).toEqual([{ kind: 'loss', what: 'PO-ABC123 was switched to QBO, and has in_1' }]);
    switched.set('po_1', 'STRIPE');
    expect(await findings()).toEqual([]);
  });

  it('sees other amounts, states, numbers and pages than Stripe has', async () => {
    tables.invoice = [{ ...INVOICE, status: 'OPEN', balance_minor: '10000' }];
    expect(await findings()).toEqual([
      {
        kind: 'wrong amount',
        what: `PO-ABC123: invoice in_1 is PARTIALLY_PAID 10000 5995 USD A-0001 ${PAGE}, here OPEN 10000 10000 USD A-0001 ${PAGE}`,
      },
    ]);
    tables.invoice = [{ ...INVOICE, number: null }];
    expect(await findings()).toHaveLength(1);
    tables.invoice = [INVOICE];
    books.invoices = [invoice({ status: 'uncollectible' })];
    expect(await findings()).toHaveLength(1);
    books.invoices = [invoice({ lines: [{ amount: 10_000 }] })];
    expect(await whats()).toEqual(['PO-ABC123 has lines of 4000 6000, invoice in_1 of 10000 (10000)']);
  });

  it('sees an invoice that is gone, and one that was deleted unnoticed', async () => {
    tables.payment = [];
    tables.purchase_order = [{ ...ORDER, status: 'SENT' }];
    books.invoices = [];
    books.invoicePayments = [];
    expect(await whats()).toEqual(['PO-ABC123: invoice in_1 is not there']);
    books.deleted = [{ id: 'in_1', type: 'invoice' }];
    expect(await whats()).toEqual(['PO-ABC123: invoice in_1 was deleted, here it is PARTIALLY_PAID']);
    tables.invoice = [{ ...INVOICE, status: 'DELETED' }];
    expect(await findings()).toEqual([]);
  });

  it('sees a payment that is missing, booked twice, over another amount or of another day', async () => {
    tables.payment = [];
    expect(await whats()).toContain('PO-ABC123, invoice in_1: payment inpay_1 over 4005 is not booked');
    tables.payment = [PAYMENT, { ...PAYMENT, id: 'pay_2' }];
    expect(await whats()).toEqual(['PO-ABC123, invoice in_1: payment inpay_1 is booked 2 times']);
    tables.payment = [{ ...PAYMENT, amount_minor: '4004' }];
    expect(await whats()).toEqual(['PO-ABC123, invoice in_1: payment inpay_1 is 4005, booked 4004']);
    tables.payment = [{ ...PAYMENT, paid_day: '2026-10-01' }];
    const dated = 'PO-ABC123, invoice in_1: payment inpay_1 is of 2026-10-02 pi_1, here 2026-10-01 pi_1';
    expect(await whats()).toEqual([dated]);
  });

  it('sees money from outside of Stripe, of which only the invoice tells', async () => {
    const paid = { status: 'paid', amount_remaining: 0, amount_paid_off_stripe: 5_995 };
    books.invoices = [invoice({ ...paid, status_transitions: { paid_at: PAID_AT } })];
    tables.invoice = [{ ...INVOICE, status: 'PAID', balance_minor: '0' }];
    tables.purchase_order = [{ ...ORDER, status: 'PAID' }];
    const outside = { ...PAYMENT, id: 'pay_2', provider_payment_id: 'in_1:outside', reference: 'in_1:outside' };
    tables.payment = [PAYMENT, { ...outside, amount_minor: '5995' }];
    expect(await findings()).toEqual([]);
    tables.payment = [PAYMENT];
    expect(await whats()).toContain('PO-ABC123, invoice in_1: payment in_1:outside over 5995 is not booked');
  });

  it('takes off what was refunded or lost in a dispute, and nothing else', async () => {
    books.refunds = [refundOf(5)];
    expect(await whats()).toEqual(['PO-ABC123, invoice in_1: payment inpay_1 is 4000, booked 4005']);
    books.refunds = [refundOf(5, 'failed')];
    expect(await findings()).toEqual([]);
    books.disputes = [disputeOf(4_005, 'lost')];
    expect(await whats()).toEqual(['PO-ABC123, invoice in_1: payment inpay_1 is booked but not there']);
    books.disputes = [disputeOf(4_005, 'won')];
    expect(await findings()).toEqual([]);
  });

  it('takes off what a credit note gave back outside of Stripe', async () => {
    const note = { id: 'cn_1', invoice: 'in_1', pre_payment_amount: 0, out_of_band_amount: 5, status: 'issued' };
    books.creditNotes = [note];
    expect(await whats()).toEqual(['PO-ABC123, invoice in_1: payment inpay_1 is 4000, booked 4005']);
    books.creditNotes = [{ ...note, status: 'void' }];
    expect(await findings()).toEqual([]);
  });

  it('sees a dispute and a debit in processing that are not shown', async () => {
    books.disputes = [disputeOf(4_005, 'needs_response')];
    books.invoicePayments = [payment(), debit()];
    books.paymentIntents = [...books.paymentIntents, processing];
    expect(await whats()).toEqual([
      'invoice in_1 has 5995 in processing, disputed, here 0 in processing, not disputed',
    ]);
    tables.invoice = [{ ...INVOICE, processing_minor: '5995', is_disputed: true }];
    expect(await findings()).toEqual([]);
  });

  it('sees a credit that is missing, and one that was voided', async () => {
    const note = { id: 'cn_1', invoice: 'in_1', pre_payment_amount: 100, out_of_band_amount: null, status: 'issued' };
    books.creditNotes = [note];
    expect(await whats()).toEqual(['PO-ABC123, invoice in_1: credit cn_1 over 100 is not booked']);
    books.creditNotes = [{ ...note, status: 'void' }];
    expect(await findings()).toEqual([]);
  });

  it('sees a cancelled order whose invoice still asks for money', async () => {
    tables.purchase_order = [{ ...ORDER, status: 'CANCELLED', cancelled_at: new Date() }];
    expect(await whats()).toEqual(['PO-ABC123 is cancelled, and invoice in_1 still asks for money']);
  });

  it('sees two customers of one name, open work and a refused key', async () => {
    books.customers = [...books.customers, { id: 'cus_2', name: 'ACME LTD', email: null }];
    tables.stripe_connection = [{ id: 'str_1', status: 'RECONNECT_REQUIRED' }];
    tables.webhook_event = [{ operation: 'invoice.paid', entity: 'invoice', state: 'DEAD', last_error: 'why' }];
    const found = await whats();
    expect(found).toContain('there are 2 customers named acme ltd');
    expect(found).toContain('the connection is RECONNECT_REQUIRED');
    expect(found).toContain('invoice.paid invoice is DEAD: why');
  });

  it('sees promises that were not kept, and e-mails that nobody asked for', async () => {
    const told = (call: string, more = {}) => ({ call, id: 'po_1', orderId: 'po_1', ...more });
    expect(await findings({ told: [told('createStripeInvoice')] })).toEqual([]);
    expect(await whats({ told: [told('createQboInvoice')] })).toEqual([
      'an invoice of PO-ABC123 at QBO was confirmed and is not there',
    ]);
    expect(await whats({ told: [told('switchInvoiceProvider', { provider: 'QBO' })] })).toHaveLength(1);
    expect(await whats({ told: [told('sendStripeInvoice')] })).toEqual(['PO-ABC123 was never e-mailed']);
    books.emails = [1, 2].map(() => ({ invoice: 'in_1', email: 'ap@example.com' }));
    expect(await whats()).toEqual(['PO-ABC123 was e-mailed 2 times, asked for 0']);
  });
});
