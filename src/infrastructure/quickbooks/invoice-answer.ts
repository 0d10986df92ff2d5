import { z } from 'zod';
import type { ProviderInvoice } from '../../application/ports/accounting.js';
import { type CurrencyCode, isCurrencyCode } from '../../domain/currency.js';
import { ZERO } from '../../domain/money.js';
import { singleLine } from '../text.js';
import { readAmount } from './decimals.js';
import { instant, optionalMetaData, optionalReference, queryRows, queryRowsApart, reference } from './documents.js';
import { parseJson } from './json.js';

/** QuickBooks adds this one to its answers. */
const SUBTOTAL_LINE = 'SubTotalLineDetail';

export const invoiceDocument = z.object({
  Id: z.string().min(1),
  SyncToken: z.string(),
  DocNumber: z.string().nullish(),
  CustomerRef: reference,
  CurrencyRef: optionalReference,
  TotalAmt: z.string(),
  Balance: z.string(),
  PrivateNote: z.string().nullish(),
  EmailStatus: z.string().nullish(),
  BillEmail: z.object({ Address: z.string().nullish() }).nullish(),
  DeliveryInfo: z.object({ DeliveryTime: z.string().nullish() }).nullish(),
  InvoiceLink: z.string().nullish(),
  MetaData: optionalMetaData,
  LinkedTxn: z.array(z.object({ TxnId: z.string(), TxnType: z.string() })).nullish(),
  Line: z
    .array(z.object({ DetailType: z.string(), Description: z.string().nullish(), Amount: z.string().nullish() }))
    .nullish(),
});

/** An invoice in QuickBooks' words, amounts still being texts. */
export type InvoiceDocument = z.output<typeof invoiceDocument>;

export function readInvoiceDocument(json: unknown): InvoiceDocument | undefined {
  return z.object({ Invoice: invoiceDocument }).safeParse(json).data?.Invoice;
}

/** Undefined: an amount that the currency cannot express, or a currency that does not exist. */
export function toProviderInvoice(document: InvoiceDocument, currencyCode: string): ProviderInvoice | undefined {
  if (!isCurrencyCode(currencyCode)) return undefined;
  const total = readAmount(document.TotalAmt, currencyCode);
  const balance = readAmount(document.Balance, currencyCode);
  const lines = readLines(document, currencyCode);
  if (total === undefined || balance === undefined || !lines) return undefined;
  return {
    externalId: document.Id,
    number: document.DocNumber || undefined,
    syncToken: document.SyncToken,
    customerExternalId: document.CustomerRef.value,
    currency: currencyCode,
    total,
    balance,
    lines,
    // There is no status field: a voided invoice stays, with zero amounts and this word before its note.
    voided: total === ZERO && /^Voided\b/i.test(document.PrivateNote ?? ''),
    note: document.PrivateNote ?? '',
    emailStatus: emailStatus(document.EmailStatus),
    email: document.BillEmail?.Address || undefined,
    deliveredAt: instant(document.DeliveryInfo?.DeliveryTime),
    payUrl: webAddress(document.InvoiceLink),
    paymentIds: paymentIds(document),
    createdAt: instant(document.MetaData?.CreateTime),
    changedAt: instant(document.MetaData?.LastUpdatedTime),
  };
}

function readLines(document: InvoiceDocument, currency: CurrencyCode): ProviderInvoice['lines'] | undefined {
  const lines = (document.Line ?? [])
    .filter((line) => line.DetailType !== SUBTOTAL_LINE)
    .map(({ Description, Amount }) => ({
      description: Description ?? undefined,
      // Lines that only describe have no amount.
      amount: Amount ? readAmount(Amount, currency) : ZERO,
    }));
  const readable = lines.flatMap(({ description, amount }) => (amount === undefined ? [] : [{ description, amount }]));
  return readable.length === lines.length ? readable : undefined;
}

function emailStatus(status: string | null | undefined): ProviderInvoice['emailStatus'] {
  if (status === 'EmailSent') return 'SENT';
  return status === 'NeedToSend' ? 'PENDING' : 'NOT_SENT';
}

/** It ends up where people click. */
function webAddress(text: string | null | undefined): string | undefined {
  return text && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

function paymentIds(document: InvoiceDocument): string[] {
  const payments = (document.LinkedTxn ?? []).filter(({ TxnType }) => TxnType === 'Payment');
  return [...new Set(payments.map(({ TxnId }) => TxnId))];
}

const sentLines = z.object({ Line: z.array(z.object({ Description: z.string(), Amount: z.string() })) });

/** QuickBooks can answer with success and leave something out, so what it confirms is compared with what was sent. */
export function linesMatch(sentBody: string, { lines, currency }: ProviderInvoice): boolean {
  const sent = sentLines.parse(parseJson(sentBody)).Line;
  if (sent.length !== lines.length) return false;
  return sent.every(({ Description, Amount }, index) => {
    const line = lines[index];
    return (
      line !== undefined &&
      readAmount(Amount, currency) === line.amount &&
      comparable(Description) === comparable(line.description ?? '')
    );
  });
}

/** QuickBooks may trim and recompose texts. */
function comparable(text: string): string {
  return singleLine(text.normalize('NFC'));
}

const anyNote = z.object({ Id: z.string(), PrivateNote: z.unknown() });

/** Ids of the invoices in the answer to a query whose note holds one of the texts, whatever else they look like. */
export function readMarkedIds(json: unknown, markers: readonly string[]): string[] {
  const rows = queryRowsApart(json, 'Invoice', anyNote)?.documents ?? [];
  const isMarked = (note: unknown) => markers.some((marker) => JSON.stringify(note ?? '').includes(marker));
  return rows.flatMap(({ Id, PrivateNote }) => (isMarked(PrivateNote) ? [Id] : []));
}

/** The ids in the answer to a query. */
export function readInvoiceIds(json: unknown): string[] | undefined {
  return queryRows(json, 'Invoice', z.object({ Id: z.string() }))?.map(({ Id }) => Id);
}
