import { describe, expect, test } from '@jest/globals';
import type { BillingInvoiceDraft } from '../../../src/application/ports/billing.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { minorUnits, multiply } from '../../../src/domain/money.js';
import { endOfDay } from '../../../src/infrastructure/stripe/due-date.js';
import { prepareInvoice, readInvoiceBody } from '../../../src/infrastructure/stripe/invoice-body.js';
import { NOW } from './stand-in-gateway.js';

function line(unitPrice: bigint | number, quantity = 1, id = 'li_1') {
  const price = minorUnits(BigInt(unitPrice));
  return { id, description: 'Ticket', quantity, unitPrice: price, amount: multiply(price, quantity) };
}

function draft(changes: Partial<BillingInvoiceDraft> = {}): BillingInvoiceDraft {
  return {
    customerExternalId: 'cus_1',
    currency: 'USD' as CurrencyCode,
    reference: 'PO-7K2M9Q',
    buyerReference: 'ACME-4711',
    organizationName: 'ACME GmbH',
    contactName: 'Ada Lovelace',
    billingAddress: 'Street 1\n12345 Town',
    conferenceName: 'Conference 2027',
    conferenceSlug: 'conf-2027',
    purchaseOrderId: 'po_1',
    operationId: 'op_1',
    dueDate: undefined,
    timezone: 'Europe/Berlin',
    daysUntilDue: 30,
    lines: [line(5000, 5)],
    ...changes,
  };
}

function prepared(changes: Partial<BillingInvoiceDraft> = {}) {
  const result = prepareInvoice(draft(changes), NOW);
  if (!result.ok) throw new Error(result.message);
  return JSON.parse(result.body);
}

const refusal = (changes: Partial<BillingInvoiceDraft>) => {
  const result = prepareInvoice(draft(changes), NOW);
  return result.ok ? undefined : [result.reason, result.message];
};

test('an invoice and its items, with everything that the buyer and we recognise it by', () => {
  expect(prepared()).toEqual({
    invoice: {
      customer: 'cus_1',
      currency: 'usd',
      collection_method: 'send_invoice',
      auto_advance: false,
      pending_invoice_items_behavior: 'exclude',
      discounts: '',
      days_until_due: 30,
      custom_fields: [
        { name: 'Purchase order', value: 'PO-7K2M9Q' },
        { name: 'Your reference', value: 'ACME-4711' },
        { name: 'Contact', value: 'Ada Lovelace' },
      ],
      footer: 'Conference 2027\nBill to:\nACME GmbH\nAda Lovelace\nStreet 1\n12345 Town',
      metadata: {
        purchase_order_id: 'po_1',
        purchase_order_ref: 'PO-7K2M9Q',
        conference_slug: 'conf-2027',
        operation_id: 'op_1',
      },
    },
    items: [
      {
        customer: 'cus_1',
        currency: 'usd',
        description: 'Ticket',
        quantity: 5,
        unit_amount_decimal: '5000',
        metadata: { line_item_id: 'li_1' },
      },
    ],
  });
});

test('the footer names the buyer in as many lines as are known', () => {
  const { invoice } = prepared({ contactName: ' ', billingAddress: '\r\n Street 1\r\n\u2028 Town\t1 \n' });
  expect(invoice.footer).toBe('Conference 2027\nBill to:\nACME GmbH\nStreet 1\nTown 1');
});

test('the same draft gives the same text, which says whom it is for', () => {
  const [first, second] = [prepareInvoice(draft(), NOW), prepareInvoice(draft(), NOW)];
  expect(first).toEqual(second);
  expect(first.ok && readInvoiceBody(first.body).invoice.customer).toBe('cus_1');
});

test('what is empty is left out, and what is too long is cut', () => {
  const { invoice, items } = prepared({
    buyerReference: ' \n ',
    contactName: `A\nB ${'x'.repeat(200)}`,
    billingAddress: `${'a'.repeat(5000)}\n`,
    conferenceName: '',
    conferenceSlug: 's'.repeat(600),
    lines: [{ ...line(5000), description: 'd'.repeat(499) + '\u{1F600}' }],
  });
  expect(invoice.custom_fields).toEqual([
    { name: 'Purchase order', value: 'PO-7K2M9Q' },
    { name: 'Contact', value: `A B ${'x'.repeat(136)}` },
  ]);
  expect(invoice.footer).toHaveLength(5000);
  expect(invoice.footer).toMatch(/^Bill to:\nACME GmbH\nA B x{200}\na+$/);
  expect(invoice.metadata.conference_slug).toHaveLength(500);
  expect(items[0].description).toBe('d'.repeat(499));
});

describe('units', () => {
  test.each([
    ['JPY', 500, '500'],
    ['ISK', 500, '50000'],
    ['KWD', 5120, '5120'],
    ['MGA', 50_000, '500'],
  ])('%s: a price of %i', (currency, price, unit) => {
    const { invoice, items } = prepared({ currency: currency as CurrencyCode, lines: [line(price)] });
    expect(invoice.currency).toBe(currency.toLowerCase());
    expect(items[0].unit_amount_decimal).toBe(unit);
  });

  test('a price that is finer than Stripe’s unit is exact when the line is', () => {
    const { items } = prepared({ currency: 'MGA' as CurrencyCode, lines: [line(20, 500)] });
    expect(items[0]).toMatchObject({ quantity: 500, unit_amount_decimal: '0.2' });
  });
});

describe('refused before anything is sent', () => {
  test.each([
    ['a currency that Stripe does not take', { currency: 'CUP' as CurrencyCode }, 'Stripe does not take CUP.'],
    ['a total below the least charge', { lines: [line(49)] }, 'Stripe takes no less than 0.50 USD, and this is 0.49.'],
    [
      'an amount of too many digits',
      { lines: [line(60_000_000, 1, 'li_1'), line(60_000_000, 1, 'li_2')] },
      '1200000.00 USD is more than Stripe takes in one payment.',
    ],
    [
      'an amount that is too fine',
      { currency: 'KWD' as CurrencyCode, lines: [line(5120), line(5124)] },
      'Stripe cannot represent 5.124 KWD: its amounts in KWD have fewer decimal places.',
    ],
  ])('%s', (_what, changes, message) => {
    expect(refusal(changes)).toEqual(['amount', message]);
  });
});

test('an invoice takes 250 lines and no more', () => {
  const lines = Array.from({ length: 251 }, () => line(100));
  expect(prepared({ lines: lines.slice(1) }).items).toHaveLength(250);
  const message = 'Stripe invoices have at most 250 lines, and this one would have 251.';
  expect(refusal({ lines })).toEqual(['too_many_lines', message]);
});

describe('when it is due', () => {
  test.each([
    ['2026-12-31', 'Europe/Berlin', '2026-12-31T22:59:59Z'],
    ['2026-12-31', 'America/Los_Angeles', '2027-01-01T07:59:59Z'],
    ['2026-12-31', 'Pacific/Kiritimati', '2026-12-31T09:59:59Z'],
    ['2027-03-28', 'Europe/Berlin', '2027-03-28T21:59:59Z'],
    ['2027-10-31', 'Europe/Berlin', '2027-10-31T22:59:59Z'],
    ['2027-01-01', 'Pacific/Niue', '2027-01-02T10:59:59Z'],
  ])('the end of %s in %s', (dueDate, timezone, end) => {
    const { invoice } = prepared({ dueDate, timezone });
    expect(invoice.due_date).toBe(Date.parse(end) / 1000);
    expect(invoice).not.toHaveProperty('days_until_due');
  });

  test.each(['2026-10-01', '2026-11-01'])('a day that is over, as %s, is made today', (dueDate) => {
    const { invoice } = prepared({ dueDate });
    expect(invoice.days_until_due).toBe(0);
    expect(invoice).not.toHaveProperty('due_date');
  });

  test('a day that ends within the hour is, too: by the time it is sent it may be over', () => {
    const late = new Date((endOfDay('2026-11-02', 'Europe/Berlin') - 3599) * 1000);
    const result = prepareInvoice(draft({ dueDate: '2026-11-02' }), late);
    expect(result.ok && JSON.parse(result.body).invoice.days_until_due).toBe(0);
  });
});
