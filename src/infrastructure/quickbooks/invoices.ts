import { z } from 'zod';
import type {
  InvoiceDraft,
  InvoiceLineDraft,
  SentInvoiceFacts,
  WantedInvoices,
} from '../../application/ports/accounting.js';
import { type CurrencyCode } from '../../domain/currency.js';
import { formatAmount } from '../../domain/money.js';
import { cut, multiLine, singleLine } from '../text.js';
import { freeFormAddress } from './address.js';
import { reference } from './documents.js';
import { emailAddress } from './email.js';
import type { QboCall } from './http-client.js';
import { jsonDecimal, parseJson } from './json.js';
import { pagesOf, queryCall, select, selectChanged, selectPage } from './query.js';

const MAX_DESCRIPTION = 4000;
const MAX_CUSTOMER_MEMO = 1000;
const MAX_PRIVATE_NOTE = 4000;
const MAX_DOC_NUMBER = 21;

const SALES_LINE = 'SalesItemLineDetail';

/**
 * The body of a create request. The same draft always gives the same text. Throws `RangeError` for a document number
 * over 21 characters: a shortened one could be another document's.
 */
export function invoiceBody(draft: InvoiceDraft): string {
  const { documentNumber, currency } = draft;
  if (documentNumber !== undefined && documentNumber.length > MAX_DOC_NUMBER) {
    throw new RangeError(`A QuickBooks document number has at most ${MAX_DOC_NUMBER} characters.`);
  }
  return JSON.stringify({
    CustomerRef: { value: draft.customerExternalId },
    CurrencyRef: draft.sendCurrency ? { value: currency } : undefined,
    DocNumber: documentNumber,
    TxnDate: draft.invoiceDate,
    DueDate: draft.dueDate,
    // QuickBooks does not copy it from the customer.
    BillEmail: emailAddress(draft.email),
    BillAddr: freeFormAddress(draft.billingAddress),
    CustomerMemo: { value: customerMemo(draft) },
    PrivateNote: privateNote(draft),
    Line: draft.lines.map((line) => invoiceLine(line, draft.serviceItemId, currency)),
  });
}

function invoiceLine(line: InvoiceLineDraft, itemId: string, currency: CurrencyCode) {
  return {
    DetailType: SALES_LINE,
    Description: cut(multiLine(line.description), MAX_DESCRIPTION),
    Amount: jsonDecimal(formatAmount(line.amount, currency)),
    [SALES_LINE]: {
      ItemRef: { value: itemId },
      Qty: line.quantity,
      UnitPrice: jsonDecimal(formatAmount(line.unitPrice, currency)),
    },
  };
}

/** The customer reads this on the invoice. */
function customerMemo({ reference, buyerReference }: InvoiceDraft): string {
  const theirs = singleLine(buyerReference);
  return cut(`Purchase order ${reference}${theirs === '' ? '' : `. Your reference: ${theirs}`}`, MAX_CUSTOMER_MEMO);
}

/** The bookkeeper reads this; the marker in it is how an invoice of ours can be recognised. */
function privateNote({ reference, marker, buyerReference }: InvoiceDraft): string {
  const theirs = singleLine(buyerReference);
  const note = `conference-invoicing ${reference} ${marker}${theirs === '' ? '' : `. Buyer's reference: ${theirs}`}`;
  return cut(note, MAX_PRIVATE_NOTE);
}

export function createInvoiceCall(body: string, idempotencyKey: string): QboCall {
  const operation = 'create_invoice';
  const contentType = 'application/json';
  return { operation, effect: 'write', method: 'POST', path: 'invoice', body, contentType, idempotencyKey };
}

const sentInvoice = z.object({ CustomerRef: reference, DocNumber: z.string().optional() });

export function readSentInvoice(body: string): SentInvoiceFacts {
  const { CustomerRef, DocNumber } = sentInvoice.parse(parseJson(body));
  return { customerExternalId: CustomerRef.value, documentNumber: DocNumber };
}

/** The page of the wanted invoices that begins with this row, counted from 1. */
export function findInvoicesCall(wanted: WantedInvoices, startPosition: number): QboCall {
  return queryCall('find_invoices', selectPage('Invoice', conditions(wanted), startPosition));
}

function conditions(wanted: WantedInvoices) {
  if ('documentNumber' in wanted) return [{ field: 'DocNumber', equals: wanted.documentNumber } as const];
  const { customerExternalId, createdSince } = wanted;
  const since = { field: 'MetaData.CreateTime', since: createdSince } as const;
  return customerExternalId === undefined
    ? [since]
    : [{ field: 'CustomerRef', equals: customerExternalId } as const, since];
}

/** Only the two: QuickBooks refuses some of the properties that it answers with itself. */
export function voidBody(externalId: string, syncToken: string): string {
  return JSON.stringify({ Id: externalId, SyncToken: syncToken });
}

export function voidInvoiceCall(body: string, idempotencyKey: string): QboCall {
  return { ...createInvoiceCall(body, idempotencyKey), operation: 'void_invoice', query: { operation: 'void' } };
}

export function readInvoiceCall(externalId: string): QboCall {
  const path = `invoice/${encodeURIComponent(externalId)}`;
  return { operation: 'read_invoice', effect: 'read', method: 'GET', path };
}

/** Whether an invoice is there at all. */
export function findInvoiceCall(externalId: string): QboCall {
  return queryCall('find_invoice', select('Invoice', [{ field: 'Id', equals: externalId }]));
}

/** One query for each 500 ids, with the payment page, which query answers lack unless asked for it. */
export function readInvoicesCalls(externalIds: readonly string[]): QboCall[] {
  return pagesOf(externalIds).map((page) =>
    queryCall('read_invoices', select('Invoice', [{ field: 'Id', in: page }]), 'invoiceLink'),
  );
}

/** The first 1000, in the order of their changes. */
export function findChangedInvoicesCall(since: Date, startPosition: number): QboCall {
  return queryCall('find_changed_invoices', selectChanged('Invoice', since, startPosition));
}

export function sendInvoiceCall(externalId: string, email: string, idempotencyKey: string): QboCall {
  return {
    operation: 'send_invoice',
    effect: 'write',
    method: 'POST',
    path: `invoice/${encodeURIComponent(externalId)}/send`,
    query: { sendTo: email },
    body: '',
    contentType: 'application/octet-stream',
    idempotencyKey,
  };
}

/** The bookkeeper's page. Naming the company makes QuickBooks open it there, whichever one is open at the time. */
export function invoicePageUrl(environment: 'SANDBOX' | 'PRODUCTION', realmId: string, externalId: string): string {
  const host = environment === 'PRODUCTION' ? 'qbo.intuit.com' : 'sandbox.qbo.intuit.com';
  const page = encodeURIComponent(`invoice?txnId=${externalId}`);
  return `https://${host}/app/login?pagereq=${page}&deeplinkcompanyid=${encodeURIComponent(realmId)}`;
}
