import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import type { PurchaseOrderDocument } from '../../../src/application/queries/purchase-order-document.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { MAX_AMOUNT, minorUnits, multiply, ZERO } from '../../../src/domain/money.js';
import { PaymentMethod } from '../../../src/domain/purchase-order/payment.entity.js';
import { PurchaseOrderStatus } from '../../../src/domain/purchase-order/purchase-order.status.js';
import { PdfRenderer } from '../../../src/infrastructure/documents/pdf-renderer.js';
import { readPdf, readPlacedLines } from '../../support/pdf-text.js';

const renderer = new PdfRenderer();

const ORDER: PurchaseOrderDocument = {
  conference: { name: 'PyConf 2027', startDate: null, endDate: null, letterhead: '' },
  reference: 'PO-7K2M9Q',
  status: PurchaseOrderStatus.SENT,
  organizationName: 'Acme',
  contactName: '',
  contactEmail: 'accounts@example.com',
  billingAddress: '',
  buyerReference: '',
  currencyCode: 'USD' as CurrencyCode,
  orderedOn: '2026-11-01',
  issuedOn: null,
  dueDate: null,
  statedOn: '2026-11-28',
  lines: [line('Ticket', 2, 49_900n)],
  payments: [],
  credits: [],
  invoice: null,
  totalMinor: minorUnits(99_800n),
  creditedMinor: ZERO,
  paidMinor: ZERO,
  balanceMinor: minorUnits(99_800n),
};

function line(description: string, quantity: number, unitPriceMinor: bigint) {
  const unitPrice = minorUnits(unitPriceMinor);
  return { description, quantity, unitPriceMinor: unitPrice, lineTotalMinor: multiply(unitPrice, quantity) };
}

async function pagesOf(fields: Partial<PurchaseOrderDocument>): Promise<string[][]> {
  return readPdf(await buffer(await renderer.renderPurchaseOrder({ ...ORDER, ...fields })));
}

async function linesOf(fields: Partial<PurchaseOrderDocument>): Promise<string[]> {
  return (await pagesOf(fields)).flat();
}

test('a purchase order has everything that a buyer needs to pay it', async () => {
  const lines = await linesOf({
    conference: {
      name: 'PyConf 2027',
      startDate: '2027-05-04',
      endDate: '2027-05-07',
      letterhead: 'PyConf e. V.\nTorstraße 12\nVAT DE123',
    },
    status: PurchaseOrderStatus.PARTIALLY_PAID,
    contactName: 'Renée Müller',
    billingAddress: 'Hauptstraße 1\n80331 München',
    buyerReference: '4500012345',
    issuedOn: '2026-11-02',
    dueDate: '2026-12-02',
    payments: [
      {
        paidOn: '2026-11-03',
        method: PaymentMethod.WIRE,
        reference: 'WIRE-778',
        amountMinor: minorUnits(50_000n),
        reversedOn: '2026-11-04',
      },
      {
        paidOn: '2026-11-05',
        method: PaymentMethod.STRIPE,
        reference: '',
        amountMinor: minorUnits(40_000n),
        reversedOn: null,
      },
    ],
    credits: [
      { issuedOn: '2026-11-06', reason: 'One day less', amountMinor: minorUnits(1_001n), reversedOn: '2026-11-07' },
      { issuedOn: '2026-11-07', reason: 'Two days less', amountMinor: minorUnits(2_000n), reversedOn: null },
    ],
    invoice: { provider: 'STRIPE', number: 'ABC-0001', isVoid: false, payUrl: 'https://pay.example/i/1' },
    paidMinor: minorUnits(40_000n),
    creditedMinor: minorUnits(2_000n),
    balanceMinor: minorUnits(57_800n),
  });
  expect(lines.map((text) => text.replace(/\s/g, ' '))).toEqual([
    'PyConf 2027',
    '4 – 7 May 2027 PyConf e. V.',
    'Torstraße 12',
    'VAT DE123',
    'Purchase order PO-7K2M9Q Partly paid',
    'Billed to Your reference 4500012345',
    'Acme Ordered on 1 November 2026',
    'Renée Müller Issued on 2 November 2026',
    'Hauptstraße 1 Due on 2 December 2026',
    '80331 München Currency USD',
    'accounts@example.com Invoice Stripe ABC-0001',
    'Pay online: https://pay.example/i/1',
    '# Description Quantity Unit price Amount (USD)',
    '1 Ticket 2 499.00 998.00',
    'Subtotal 998.00',
    'Total 998.00',
    'Credited −20.00',
    'Paid −400.00',
    'Balance due 578.00 USD',
    'Payments',
    'Date Method Reference Amount (USD)',
    '3 November 2026 Wire transfer WIRE-778 500.00',
    'Reversed on 4 November 2026: does not count',
    '5 November 2026 Stripe 400.00',
    'Credit notes',
    'Date Reason Amount (USD)',
    '6 November 2026 One day less 10.01',
    'Reversed on 7 November 2026: does not count',
    '7 November 2026 Two days less 20.00',
    'This document tells what was ordered and paid as of 28 November 2026. It is not a tax invoice. The invoice is the one that was',
    'issued through Stripe under the number ABC-0001.',
    'PO-7K2M9Q, as of 28 November 2026 Page 1 of 1',
  ]);
});

test('W-C17: 750 lines keep their order, their cents and their header on every page', async () => {
  const ordered = Array.from({ length: 750 }, (_, index) =>
    line(`Ticket of attendee ${index + 1}`, index + 1, 100_001n + BigInt(index)),
  );
  const pages = await pagesOf({ lines: ordered });
  const headers = pages.map((page) => page.filter((text) => text === '# Description Quantity Unit price Amount (USD)'));
  const withRows = pages.filter((page) => page.some((text) => text.includes('Ticket of attendee')));
  expect(withRows).toHaveLength(20);
  expect(headers.slice(0, withRows.length)).toEqual(
    withRows.map(() => ['# Description Quantity Unit price Amount (USD)']),
  );
  expect(pages.map((page) => page.at(-1))).toEqual(
    pages.map((_, index) => `PO-7K2M9Q, as of 28 November 2026 Page ${index + 1} of ${pages.length}`),
  );
  const rows = pages.flat().filter((text) => text.includes('Ticket of attendee'));
  const grouped = (minor: bigint) =>
    `${String(minor / 100n).replace(/\B(?=(\d{3})+$)/g, ' ')}.${String(minor % 100n).padStart(2, '0')}`;
  expect(rows).toEqual(
    ordered.map(
      ({ description, quantity, unitPriceMinor, lineTotalMinor }, index) =>
        `${index + 1} ${description} ${quantity} ${grouped(unitPriceMinor)} ${grouped(lineTotalMinor)}`,
    ),
  );
});

test('names in any of these scripts can be read, searched and copied', async () => {
  const names = [
    'Straße & Søn, Łódź',
    'Ελληνικά Συνέδρια',
    'ООО «Ромашка»',
    '株式会社カンファレンス',
    '北京软件开发有限公司',
    '中華民國電腦學會',
    '한국어 회의 등록비',
    'שלום עולם',
    'شركة المؤتمرات',
  ];
  const address = names.join('\n');
  const lines = await linesOf({ billingAddress: address, lines: names.map((name) => line(name, 1, 100n)) });
  const heading = lines.indexOf('Acme Currency USD') + 1;
  expect(lines.slice(heading, heading + names.length)).toEqual(names);
  expect(lines.filter((text) => text.endsWith(' 1 1.00 1.00'))).toEqual(
    names.map((name, index) => `${index + 1} ${name} 1 1.00 1.00`),
  );
});

describe('a mark is on every page of', () => {
  test.each([
    [PurchaseOrderStatus.DRAFT, 'DRAFT'],
    [PurchaseOrderStatus.CANCELLED, 'CANCELLED'],
  ])('an order that is %s', async (status, mark) => {
    const pages = await pagesOf({ status, lines: Array.from({ length: 60 }, () => line('Ticket', 1, 100n)) });
    expect(pages.map((page) => page.filter((text) => text.includes(mark)).length)).toEqual([1, 1]);
  });

  test('no other order', async () => {
    expect((await linesOf({})).filter((text) => /DRAFT|CANCELLED/.test(text))).toEqual([]);
  });
});

describe('the last sum', () => {
  test('of a cancelled order asks for nothing', async () => {
    const lines = await linesOf({ status: PurchaseOrderStatus.CANCELLED });
    expect(lines).toContain('Cancelled nothing is due');
    expect(lines.filter((text) => text.startsWith('Balance due'))).toEqual([]);
  });

  test('of an overpaid order is what was paid too much', async () => {
    const lines = await linesOf({ status: PurchaseOrderStatus.OVERPAID, balanceMinor: minorUnits(-12_345n) });
    expect(lines).toContain('Overpaid by 123.45 USD');
  });
});

test('an invoice that was voided is marked as such and cannot be paid', async () => {
  const lines = await linesOf({ invoice: { provider: 'QBO', number: '1042', isVoid: true, payUrl: null } });
  expect(lines.join('\n')).toContain('Invoice QuickBooks 1042 (VOID)');
  expect(lines.join('\n')).not.toContain('Pay online');
});

describe('what nobody should write', () => {
  const HOSTILE = [
    'W'.repeat(300),
    `${'a'.repeat(100)}-${'b'.repeat(199)}`,
    '字'.repeat(300),
    '(((((((((([[[[[{{{{{<<<<<\\\\\\\\ << /JS (app.alert) >> endstream endobj %%EOF',
    '👩‍👩‍👧‍👦🇩🇪🎉 हिन्दी ไทย',
    `e${'\u0301\u0323\u0334'.repeat(40)}`,
    '\u0000\u0007\u001b[31m\u202e\u2067\ud800\ufffe',
    'שלום'.repeat(60),
    ' ',
  ];

  test('is set all the same, inside its column', async () => {
    const most = HOSTILE.map((text) => ({
      ...line(text, 2_147_483_647, 0n),
      unitPriceMinor: MAX_AMOUNT,
      lineTotalMinor: MAX_AMOUNT,
    }));
    const hostile = {
      ...ORDER,
      conference: { ...ORDER.conference, name: HOSTILE[0] ?? '', letterhead: HOSTILE.join('\n') },
      organizationName: HOSTILE[1] ?? '',
      billingAddress: HOSTILE.join('\n'),
      lines: most,
    };
    const placed = (await readPlacedLines(await buffer(await renderer.renderPurchaseOrder(hostile)))).flat();
    const lines = placed.map((line) => line.map(({ text }) => text).join(' '));

    const amounts = lines.filter((text) => text.endsWith('2147483647 9 999 999 999 999.99 9 999 999 999 999.99'));
    expect(amounts).toHaveLength(HOSTILE.length);
    // As a name, in the letterhead, in the address and in a line; and none of them is lost.
    expect(lines.join('').replace(/[^W]/g, '')).toHaveLength(4 * 300);
    expect(placed.flat().filter(({ left, right }) => left < 47.9 || right > 547.1)).toEqual([]);
    const overlapping = placed.flatMap((line) =>
      line.filter(({ right }, index) => right > (line[index + 1]?.left ?? Number.POSITIVE_INFINITY) + 0.1),
    );
    expect(overlapping).toEqual([]);
  });

  test('is an address of a thousand lines, which goes on on further pages', async () => {
    const address = Array.from({ length: 1000 }, (_, index) => `${index}`);
    const lines = await linesOf({ billingAddress: address.join('\n'), dueDate: '2026-12-24' });
    const numbers = lines.map((text) => /^\d+/.exec(text)?.[0]).filter((number) => number !== undefined);
    expect(numbers).toEqual(expect.arrayContaining(address));
  });
});

test('a reader who leaves ends the work', async () => {
  const pdf = await renderer.renderPurchaseOrder(ORDER);
  pdf.destroy();
  expect(pdf.destroyed).toBe(true);
  await expect(buffer(pdf)).rejects.toThrow();
});
