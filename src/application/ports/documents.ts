import type { Readable } from 'node:stream';
import type { PurchaseOrderDocument } from '../queries/purchase-order-document.js';

/** Sets documents for people to read. */
export interface DocumentRenderer {
  /** A PDF, to be read while it is written. Resolves when the layout is known, so that little can fail afterwards. */
  renderPurchaseOrder(document: PurchaseOrderDocument): Promise<Readable>;
}
