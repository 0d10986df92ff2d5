import { z } from 'zod';
import type { ProviderRefundReceipt } from '../../application/ports/accounting.js';
import { isCalendarDay } from '../../domain/clock.js';
import { isCurrencyCode } from '../../domain/currency.js';
import { readAmount } from './decimals.js';
import { instant, optionalMetaData, optionalReference } from './documents.js';
import type { QboCall } from './http-client.js';
import { queryCall, selectChanged } from './query.js';

export function readRefundReceiptCall(externalId: string): QboCall {
  const path = `refundreceipt/${encodeURIComponent(externalId)}`;
  return { operation: 'read_refund_receipt', effect: 'read', method: 'GET', path };
}

/** The first 1000, in the order of their changes. */
export function findChangedRefundReceiptsCall(since: Date, startPosition: number): QboCall {
  return queryCall('find_changed_refund_receipts', selectChanged('RefundReceipt', since, startPosition));
}

export const refundReceiptDocument = z.object({
  Id: z.string().min(1),
  SyncToken: z.string().regex(/^\d+$/),
  TotalAmt: z.string(),
  TxnDate: z.string().refine(isCalendarDay),
  CurrencyRef: optionalReference,
  MetaData: optionalMetaData,
  PrivateNote: z.string().nullish(),
  CustomerMemo: z.object({ value: z.string() }).nullish(),
  Line: z.array(z.object({ Description: z.string().nullish() })).nullish(),
});

export type RefundReceiptDocument = z.output<typeof refundReceiptDocument>;

export function readRefundReceiptDocument(json: unknown): RefundReceiptDocument | undefined {
  return z.object({ RefundReceipt: refundReceiptDocument }).safeParse(json).data?.RefundReceipt;
}

/** Undefined: an amount that the currency cannot express, or a currency that does not exist. */
export function toProviderRefundReceipt(
  document: RefundReceiptDocument,
  currencyCode: string,
): ProviderRefundReceipt | undefined {
  if (!isCurrencyCode(currencyCode)) return undefined;
  const total = readAmount(document.TotalAmt, currencyCode);
  if (total === undefined) return undefined;
  const { PrivateNote, CustomerMemo, Line } = document;
  const texts = [PrivateNote, CustomerMemo?.value, ...(Line ?? []).map(({ Description }) => Description)];
  return {
    externalId: document.Id,
    syncToken: document.SyncToken,
    currency: currencyCode,
    total,
    refundedOn: document.TxnDate,
    texts: texts.filter((text) => text != null),
    changedAt: instant(document.MetaData?.LastUpdatedTime),
  };
}
