import type { Readable } from 'node:stream';
import type { DocumentRenderer } from '../../application/ports/documents.js';
import type { PurchaseOrderDocument } from '../../application/queries/purchase-order-document.js';
import { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { Canvas, PAGE } from './canvas.js';
import { type Fonts, loadFonts } from './fonts.js';
import { Pacer } from './pacer.js';
import { type PlacedBlock, placeOnPages } from './page-flow.js';
import { purchaseOrderBlocks } from './purchase-order-blocks.js';
import { STYLES } from './styles.js';
import { writeDay } from './wording.js';

/** Sets documents with pdfkit, in turns with whatever else the process does. */
export class PdfRenderer implements DocumentRenderer {
  /** Read when the first document is asked for. */
  #fonts: Promise<Fonts> | undefined;

  async renderPurchaseOrder(document: PurchaseOrderDocument): Promise<Readable> {
    this.#fonts ??= loadFonts();
    const canvas = new Canvas(await this.#fonts, {
      Title: `Purchase order ${document.reference}`,
      Author: document.conference.name,
      Creator: 'conference-invoicing',
    });
    const pacer = new Pacer();
    const pages = placeOnPages(await purchaseOrderBlocks(canvas, document, pacer), PAGE);
    // What goes wrong from here on ends the stream, and with it the answer.
    drawPages(canvas, document, pages, pacer).catch((error: Error) => canvas.pdf.destroy(error));
    return canvas.pdf;
  }
}

/** Page by page, unless nobody reads any more. */
async function drawPages(
  canvas: Canvas,
  document: PurchaseOrderDocument,
  pages: readonly PlacedBlock[][],
  pacer: Pacer,
): Promise<void> {
  for (const [index, page] of pages.entries()) {
    canvas.pdf.addPage();
    drawWatermark(canvas, document);
    for (const { block, y } of page) {
      if (canvas.pdf.destroyed) return;
      block.draw(y);
      await pacer.step();
    }
    drawFooter(canvas, document, `Page ${index + 1} of ${pages.length}`);
  }
  canvas.pdf.end();
}

/** What must not be taken for a demand. */
function drawWatermark(canvas: Canvas, { status }: PurchaseOrderDocument): void {
  if (status !== PurchaseOrderStatus.DRAFT && status !== PurchaseOrderStatus.CANCELLED) return;
  canvas.watermark(canvas.layout.line(status, STYLES.watermark));
}

function drawFooter(canvas: Canvas, { reference, statedOn }: PurchaseOrderDocument, page: string): void {
  canvas.text([canvas.layout.line(`${reference}, as of ${writeDay(statedOn)}`, STYLES.small)], PAGE.left, PAGE.footer);
  canvas.text([canvas.layout.line(page, STYLES.small)], PAGE.right, PAGE.footer, 'right');
}
