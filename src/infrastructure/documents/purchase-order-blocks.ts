import type { PurchaseOrderDocument } from '../../application/queries/purchase-order-document.js';
import { PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { type MinorUnits, subtract, ZERO } from '../../domain/money.js';
import { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { BASELINE, type Canvas, heightOf, PAGE } from './canvas.js';
import type { Pacer } from './pacer.js';
import type { Block } from './page-flow.js';
import { COLORS, STYLES } from './styles.js';
import { type Column, tableBlocks } from './table.js';
import type { Line, TextStyle } from './text-layout.js';
import { METHOD_NAMES, STATUS_NAMES, writeAmount, writeDay, writeDays } from './wording.js';

/** The document from top to bottom. */
export async function purchaseOrderBlocks(
  canvas: Canvas,
  document: PurchaseOrderDocument,
  pacer: Pacer,
): Promise<Block[]> {
  return [
    ...letterhead(canvas, document),
    gap(26),
    ...title(canvas, document),
    gap(14),
    ...parties(canvas, document),
    ...payLink(canvas, document),
    gap(18),
    ...(await orderedLines(canvas, document, pacer)),
    gap(6),
    summary(canvas, document),
    ...(await payments(canvas, document, pacer)),
    ...(await credits(canvas, document, pacer)),
    gap(18),
    ...closing(canvas, document),
  ];
}

const MIDDLE = 310;
const LEFT_WIDTH = MIDDLE - PAGE.left - 24;
const RIGHT_WIDTH = PAGE.right - MIDDLE;

/** Who sends it: name and days of the conference, beside what its organisers want to have there. */
function letterhead(canvas: Canvas, { conference }: PurchaseOrderDocument): Block[] {
  const { layout } = canvas;
  const name = layout.lines(conference.name, STYLES.sender, PAGE.width);
  const days = layout.lines(writeDays(conference), STYLES.pale, LEFT_WIDTH);
  const sender = layout.lines(conference.letterhead, STYLES.pale, RIGHT_WIDTH);
  return [
    ...sideBySide(canvas, [{ x: PAGE.left, lines: name }]),
    ...sideBySide(canvas, [
      { x: PAGE.left, lines: days },
      { x: PAGE.right, lines: sender, align: 'right' },
    ]),
  ];
}

function title(canvas: Canvas, { reference, status }: PurchaseOrderDocument): Block[] {
  const heading = canvas.layout.line(`Purchase order ${reference}`, STYLES.title);
  const standing = canvas.layout.line(STATUS_NAMES[status], STYLES.standing);
  const height = heightOf([heading]) + 6;
  const draw = (y: number) => {
    canvas.text([heading], PAGE.left, y);
    canvas.text([standing], PAGE.right, y + (heading.style.size - standing.style.size) * BASELINE, 'right');
    canvas.rule(y + height, COLORS.text);
  };
  return [{ height, draw }];
}

const FACT_NAME_WIDTH = 84;

/** The buyer beside the facts. */
function parties(canvas: Canvas, document: PurchaseOrderDocument): Block[] {
  const { layout } = canvas;
  const buyer = [
    layout.line('Billed to', STYLES.pale),
    ...layout.lines(document.organizationName, STYLES.strong, LEFT_WIDTH),
    ...[document.contactName, document.billingAddress, document.contactEmail].flatMap((text) =>
      layout.lines(text, STYLES.text, LEFT_WIDTH),
    ),
  ];
  const facts = factsOf(document).flatMap(([name, value]) => {
    const values = layout.lines(value, STYLES.text, RIGHT_WIDTH - FACT_NAME_WIDTH);
    return values.map((line, index) => ({ name: layout.line(index === 0 ? name : '', STYLES.pale), value: line }));
  });
  return sideBySide(canvas, [
    { x: PAGE.left, lines: buyer },
    { x: MIDDLE, lines: facts.map(({ name }) => name) },
    { x: MIDDLE + FACT_NAME_WIDTH, lines: facts.map(({ value }) => value) },
  ]);
}

/** What is not known has no lines, and then no name either. */
function factsOf(document: PurchaseOrderDocument): [name: string, value: string][] {
  const { invoice, issuedOn, dueDate } = document;
  return [
    ['Your reference', document.buyerReference],
    ['Ordered on', writeDay(document.orderedOn)],
    ['Issued on', issuedOn === null ? '' : writeDay(issuedOn)],
    ['Due on', dueDate === null ? '' : writeDay(dueDate)],
    ['Currency', document.currencyCode],
    ['Invoice', invoice === null ? '' : nameOf(invoice)],
  ];
}

function nameOf({ provider, number, isVoid }: NonNullable<PurchaseOrderDocument['invoice']>): string {
  return `${PROVIDER_NAMES[provider]} ${number}${isVoid ? ' (VOID)' : ''}`;
}

function payLink(canvas: Canvas, { invoice }: PurchaseOrderDocument): Block[] {
  const url = invoice?.payUrl;
  if (!url) return [];
  const lines = canvas.layout.lines(`Pay online: ${url}`, STYLES.link, PAGE.width);
  const height = heightOf(lines);
  const draw = (y: number) => {
    canvas.text(lines, PAGE.left, y);
    canvas.pdf.link(PAGE.left, y, PAGE.width, height, url);
  };
  return [gap(10), { height, draw }];
}

function orderedLines(canvas: Canvas, document: PurchaseOrderDocument, pacer: Pacer): Promise<Block[]> {
  const amount = (minor: MinorUnits) => writeAmount(minor, document.currencyCode);
  type Row = PurchaseOrderDocument['lines'][number] & { readonly number: number };
  const columns: Column<Row>[] = [
    { title: '#', align: 'right', textOf: ({ number }) => String(number) },
    { title: 'Description', align: 'left', textOf: ({ description }) => description, grows: true },
    { title: 'Quantity', align: 'right', textOf: ({ quantity }) => String(quantity) },
    { title: 'Unit price', align: 'right', textOf: ({ unitPriceMinor }) => amount(unitPriceMinor) },
    {
      title: `Amount (${document.currencyCode})`,
      align: 'right',
      textOf: ({ lineTotalMinor }) => amount(lineTotalMinor),
    },
  ];
  const rows = document.lines.map((line, index) => ({ ...line, number: index + 1 }));
  return tableBlocks(canvas, columns, rows, { pacer });
}

const SUMMARY_LEFT = 350;

/** The sums, in one piece. */
function summary(canvas: Canvas, document: PurchaseOrderDocument): Block {
  const rows = summaryRows(document).map(({ label, value, style }) => ({
    label: canvas.layout.line(label, style),
    value: canvas.layout.line(value, style),
  }));
  const rowHeight = Math.max(...rows.map(({ label }) => heightOf([label]))) + 4;
  const draw = (y: number) => {
    for (const [index, { label, value }] of rows.entries()) {
      const top = y + index * rowHeight;
      if (index === rows.length - 1) canvas.rule(top, COLORS.text, SUMMARY_LEFT);
      canvas.text([label], SUMMARY_LEFT, top + 2);
      canvas.text([value], PAGE.right - 6, top + 2, 'right');
    }
  };
  return { height: rows.length * rowHeight, draw };
}

function summaryRows(document: PurchaseOrderDocument): { label: string; value: string; style: TextStyle }[] {
  const { currencyCode, totalMinor, creditedMinor, paidMinor } = document;
  const amount = (minor: MinorUnits) => writeAmount(minor, currencyCode);
  const less = (minor: MinorUnits) => (minor === ZERO ? amount(minor) : amount(subtract(ZERO, minor)));
  return [
    { label: 'Subtotal', value: amount(totalMinor), style: STYLES.text },
    { label: 'Total', value: amount(totalMinor), style: STYLES.strong },
    { label: 'Credited', value: less(creditedMinor), style: STYLES.text },
    { label: 'Paid', value: less(paidMinor), style: STYLES.text },
    { ...balance(document), style: STYLES.strong },
  ];
}

/** Of a cancelled order nothing is asked, whatever its sums say. */
function balance({ status, balanceMinor, currencyCode }: PurchaseOrderDocument): { label: string; value: string } {
  if (status === PurchaseOrderStatus.CANCELLED) return { label: 'Cancelled', value: 'nothing is due' };
  const written = (minor: MinorUnits) => `${writeAmount(minor, currencyCode)} ${currencyCode}`;
  return balanceMinor < ZERO
    ? { label: 'Overpaid by', value: written(subtract(ZERO, balanceMinor)) }
    : { label: 'Balance due', value: written(balanceMinor) };
}

async function payments(canvas: Canvas, document: PurchaseOrderDocument, pacer: Pacer): Promise<Block[]> {
  type Row = PurchaseOrderDocument['payments'][number];
  const columns: Column<Row>[] = [
    { title: 'Date', align: 'left', textOf: ({ paidOn }) => writeDay(paidOn) },
    { title: 'Method', align: 'left', textOf: ({ method }) => METHOD_NAMES[method] },
    { title: 'Reference', align: 'left', textOf: (row) => withReversal(row.reference, row), grows: true },
    {
      title: `Amount (${document.currencyCode})`,
      align: 'right',
      textOf: ({ amountMinor }) => writeAmount(amountMinor, document.currencyCode),
    },
  ];
  return section(canvas, 'Payments', columns, document.payments, pacer);
}

async function credits(canvas: Canvas, document: PurchaseOrderDocument, pacer: Pacer): Promise<Block[]> {
  type Row = PurchaseOrderDocument['credits'][number];
  const columns: Column<Row>[] = [
    { title: 'Date', align: 'left', textOf: ({ issuedOn }) => writeDay(issuedOn) },
    { title: 'Reason', align: 'left', textOf: (row) => withReversal(row.reason, row), grows: true },
    {
      title: `Amount (${document.currencyCode})`,
      align: 'right',
      textOf: ({ amountMinor }) => writeAmount(amountMinor, document.currencyCode),
    },
  ];
  return section(canvas, 'Credit notes', columns, document.credits, pacer);
}

function withReversal(text: string, { reversedOn }: { readonly reversedOn: string | null }): string {
  if (reversedOn === null) return text;
  return [text, `Reversed on ${writeDay(reversedOn)}: does not count`].filter((line) => line !== '').join('\n');
}

/** A headed table of money that came or was given, with what was taken back in a paler colour; nothing when it is empty. */
async function section<Row extends { readonly reversedOn: string | null }>(
  canvas: Canvas,
  heading: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  pacer: Pacer,
): Promise<Block[]> {
  if (rows.length === 0) return [];
  const line = canvas.layout.line(heading, STYLES.strong);
  const title = { height: heightOf([line]) + 4, draw: (y: number) => canvas.text([line], PAGE.left, y) };
  const table = await tableBlocks(canvas, columns, rows, { pacer, isPale: ({ reversedOn }) => reversedOn !== null });
  return [gap(18), { ...title, staysWithNext: true }, ...table];
}

/** That this is not the invoice of the tax law. */
function closing(canvas: Canvas, { invoice, statedOn }: PurchaseOrderDocument): Block[] {
  const issued = invoice
    ? `The invoice is the one that was issued through ${PROVIDER_NAMES[invoice.provider]} under the number ${invoice.number}.`
    : 'The invoice is issued separately.';
  const text = `This document tells what was ordered and paid as of ${writeDay(statedOn)}. It is not a tax invoice. ${issued}`;
  return sideBySide(canvas, [{ x: PAGE.left, lines: canvas.layout.lines(text, STYLES.small, PAGE.width) }]);
}

interface TextColumn {
  readonly x: number;
  readonly lines: readonly Line[];
  readonly align?: 'left' | 'right';
}

/** Columns of text, line by line, so that even the longest address goes on on the next page. */
function sideBySide(canvas: Canvas, columns: readonly TextColumn[]): Block[] {
  const count = Math.max(...columns.map(({ lines }) => lines.length));
  return Array.from({ length: count }, (_, index) => {
    const row = columns.map((column) => ({ ...column, lines: column.lines.slice(index, index + 1) }));
    return {
      height: Math.max(...row.map(({ lines }) => heightOf(lines))),
      draw: (y) => {
        for (const { x, lines, align } of row) canvas.text(lines, x, y, align);
      },
    };
  });
}

function gap(height: number): Block {
  return { height, draw: () => undefined };
}
