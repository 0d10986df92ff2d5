import { z } from 'zod';
import type { DeletedObject } from '../../application/ports/accounting.js';
import { anyRows, instant, optionalMetaData, type Rows, readRows } from './documents.js';
import type { QboCall } from './http-client.js';
import { type InvoiceDocument, invoiceDocument } from './invoice-answer.js';
import { type PaymentDocument, paymentDocument } from './payments.js';
import { MAX_RESULTS, timeText } from './query.js';
import { type RefundReceiptDocument, refundReceiptDocument } from './refund-receipts.js';

/** Change data capture: everything about these entities since a moment, at most 30 days ago, in one answer. */
export function readChangesCall(since: Date): QboCall {
  const query = { entities: 'Invoice,Payment,RefundReceipt', changedSince: timeText(since) };
  return { operation: 'read_changes', effect: 'read', method: 'GET', path: 'cdc', query };
}

const answer = z.object({
  CDCResponse: z.array(
    z.object({ QueryResponse: z.array(z.object({ Invoice: anyRows, Payment: anyRows, RefundReceipt: anyRows })) }),
  ),
});
const tombstone = z.object({ Id: z.string(), status: z.literal('Deleted'), MetaData: optionalMetaData });

export interface ChangeDocuments {
  readonly invoices: Rows<InvoiceDocument>;
  readonly payments: Rows<PaymentDocument>;
  readonly refundReceipts: Rows<RefundReceiptDocument>;
  readonly deletedInvoices: readonly DeletedObject[];
  readonly deletedPayments: readonly DeletedObject[];
  readonly mayBeIncomplete: boolean;
}

/** One list per entity; deleted objects, of which little is left, stand among the others. */
export function readChangeDocuments(json: unknown): ChangeDocuments | undefined {
  const { success, data } = answer.safeParse(json);
  if (!success) return undefined;
  const lists = data.CDCResponse.flatMap(({ QueryResponse }) => QueryResponse);
  const invoices = partRows(lists.flatMap((list) => list.Invoice ?? []));
  const payments = partRows(lists.flatMap((list) => list.Payment ?? []));
  const refundReceipts = partRows(lists.flatMap((list) => list.RefundReceipt ?? []));
  return {
    invoices: readRows(invoices.live, invoiceDocument),
    payments: readRows(payments.live, paymentDocument),
    refundReceipts: readRows(refundReceipts.live, refundReceiptDocument),
    deletedInvoices: invoices.deleted,
    deletedPayments: payments.deleted,
    // There is no paging: what is beyond the limit of the whole answer is not in it.
    mayBeIncomplete:
      [invoices, payments, refundReceipts].flatMap(({ live, deleted }) => [...live, ...deleted]).length >= MAX_RESULTS,
  };
}

function partRows(rows: NonNullable<z.output<typeof anyRows>>) {
  const read = rows.map((row) => ({ row, gone: tombstone.safeParse(row).data }));
  return {
    live: read.flatMap(({ row, gone }) => (gone ? [] : [row])),
    deleted: read.flatMap(({ gone }) =>
      gone ? [{ externalId: gone.Id, changedAt: instant(gone.MetaData?.LastUpdatedTime) }] : [],
    ),
  };
}
