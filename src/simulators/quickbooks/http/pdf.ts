import type { Invoice } from '../books/model.js';
import type { Answer } from './answer.js';

/** The smallest thing that is a PDF: clients only move its bytes. */
export function pdfOf(invoice: Invoice): Answer {
  const title = `Invoice ${invoice.docNumber ?? invoice.id}`.replace(/[()\\]/g, '');
  const body = Buffer.from(
    `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n` +
      `3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n4 0 obj<</Title(${title})>>endobj\n` +
      'trailer<</Root 1 0 R/Info 4 0 R>>\n%%EOF\n',
    'latin1',
  );
  return { status: 200, headers: { 'content-type': 'application/pdf' }, body };
}
