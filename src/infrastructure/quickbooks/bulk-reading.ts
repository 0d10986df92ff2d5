import type {
  Found,
  ProviderChanges,
  ProviderInvoice,
  ProviderPayment,
  ProviderRefundReceipt,
  WantedInvoices,
} from '../../application/ports/accounting.js';
import {
  failed,
  isNotFound,
  type ProviderResult,
  type ProviderSuccess,
  succeeded,
} from '../../application/ports/provider.js';
import type { AuthorisedClient } from './authorised-client.js';
import { readChangeDocuments, readChangesCall } from './cdc.js';
import { queryRowsApart, type Rows, singleRow } from './documents.js';
import type { QboCall } from './http-client.js';
import {
  type InvoiceDocument,
  invoiceDocument,
  readInvoiceIds,
  readMarkedIds,
  toProviderInvoice,
} from './invoice-answer.js';
import {
  findChangedInvoicesCall,
  findInvoiceCall,
  findInvoicesCall,
  readInvoiceCall,
  readInvoicesCalls,
} from './invoices.js';
import {
  findChangedPaymentsCall,
  type PaymentDocument,
  paymentDocument,
  readPaymentCall,
  readPaymentsCalls,
  toProviderPayment,
} from './payments.js';
import { MAX_RESULTS } from './query.js';
import {
  findChangedRefundReceiptsCall,
  type RefundReceiptDocument,
  refundReceiptDocument,
  toProviderRefundReceipt,
} from './refund-receipts.js';

/** The currency of a document, which a company with only one may leave out. Empty when it cannot be found out. */
export type CurrencyFinder = (connectionId: string, document: AnyDocument) => Promise<string>;

type AnyDocument = InvoiceDocument | PaymentDocument | RefundReceiptDocument;

interface Identified {
  readonly externalId: string;
  readonly changedAt?: Date | undefined;
}

type Reader<T> = (connectionId: string, json: unknown) => Promise<Found<T> | undefined>;

/** Reads many objects with few requests: QuickBooks counts reads and charges for them. */
export class BulkReader {
  readonly #client: AuthorisedClient;
  readonly #currencyOf: CurrencyFinder;

  constructor(client: AuthorisedClient, currencyOf: CurrencyFinder) {
    this.#client = client;
    this.#currencyOf = currencyOf;
  }

  async readPayments(
    connectionId: string,
    externalIds: readonly string[],
  ): Promise<ProviderResult<Found<ProviderPayment>>> {
    const ids = [...new Set(externalIds)];
    const [only] = ids;
    if (only === undefined || ids.length > 1) {
      return this.#readPages(connectionId, readPaymentsCalls(ids), this.#paymentsIn);
    }
    const read = await this.#client.call(connectionId, readPaymentCall(only), (json) =>
      this.#toPayments(connectionId, singleRow(json, 'Payment', only, paymentDocument)),
    );
    return read.ok || !isNotFound(read.failure) ? read : succeeded(NOTHING, read.failure.trace);
  }

  /**
   * An invoice counts as deleted when neither a query nor a read by its id finds it: one bad answer must not take hundreds
   * for deleted. A single one is read by its id first, which shows at once what a query may show later.
   */
  async readInvoices(
    connectionId: string,
    externalIds: readonly string[],
  ): Promise<ProviderResult<Found<ProviderInvoice>>> {
    const ids = [...new Set(externalIds)];
    const [only] = ids;
    if (only !== undefined && ids.length === 1) return this.#readSingleInvoice(connectionId, only);
    const read = await this.#readPages(connectionId, readInvoicesCalls(ids), this.#invoicesIn);
    if (!read.ok) return read;
    const { objects, unreadableIds } = read.value;
    const seen = new Set([...objects.map((invoice) => invoice.externalId), ...unreadableIds]);
    const parts: Found<ProviderInvoice>[] = [read.value];
    for (const externalId of ids) {
      if (seen.has(externalId)) continue;
      const single = await this.#readInvoiceById(connectionId, externalId);
      if (single.ok) parts.push(single.value);
      else if (!isNotFound(single.failure)) return single;
    }
    return succeeded(joined(parts), read.trace, read.asOf);
  }

  async #readSingleInvoice(connectionId: string, externalId: string): Promise<ProviderResult<Found<ProviderInvoice>>> {
    const read = await this.#readInvoiceById(connectionId, externalId);
    const sure = await confirmMissing(this.#client, connectionId, externalId, read);
    return sure.ok || !isNotFound(sure.failure) ? sure : succeeded(NOTHING, sure.failure.trace);
  }

  #readInvoiceById(connectionId: string, externalId: string): Promise<ProviderResult<Found<ProviderInvoice>>> {
    return this.#client.call(connectionId, readInvoiceCall(externalId), (json) =>
      this.#toInvoices(connectionId, singleRow(json, 'Invoice', externalId, invoiceDocument)),
    );
  }

  /**
   * One of the customer's invoices that cannot be understood is passed over, or nothing could ever be looked up for this
   * customer again. Not one that bears a marker: it may be the very invoice that is looked for.
   */
  async findInvoices(
    connectionId: string,
    wanted: WantedInvoices,
    markers: readonly string[],
  ): Promise<ProviderResult<ProviderInvoice[]>> {
    const found: ProviderInvoice[] = [];
    for (let position = 1; ; position += MAX_RESULTS) {
      const page = await this.#client.call(connectionId, findInvoicesCall(wanted, position), async (json) => {
        const rows = await this.#invoicesIn(connectionId, json);
        return rows && { ...rows, markedIds: readMarkedIds(json, markers) };
      });
      if (!page.ok) return page;
      const { objects, unreadableIds, markedIds } = page.value;
      const own = unreadableIds.find((id) => markedIds.includes(id));
      if (own !== undefined) return failed({ kind: 'unavailable', message: notUnderstood(own), trace: page.trace });
      found.push(...objects);
      if (!isFull(page.value)) return succeeded(found, page.trace);
    }
  }

  readChanges(connectionId: string, since: Date): Promise<ProviderResult<ProviderChanges>> {
    return this.#client.call(connectionId, readChangesCall(since), async (json) => {
      const documents = readChangeDocuments(json);
      if (!documents) return undefined;
      return {
        ...documents,
        invoices: await this.#toInvoices(connectionId, documents.invoices),
        payments: await this.#toPayments(connectionId, documents.payments),
        refundReceipts: await this.#toRefundReceipts(connectionId, documents.refundReceipts),
      };
    });
  }

  findChangedInvoices(connectionId: string, since: Date): Promise<ProviderResult<Found<ProviderInvoice>>> {
    return this.#findChanged(connectionId, since, findChangedInvoicesCall, this.#invoicesIn);
  }

  findChangedPayments(connectionId: string, since: Date): Promise<ProviderResult<Found<ProviderPayment>>> {
    return this.#findChanged(connectionId, since, findChangedPaymentsCall, this.#paymentsIn);
  }

  findChangedRefundReceipts(connectionId: string, since: Date): Promise<ProviderResult<Found<ProviderRefundReceipt>>> {
    return this.#findChanged(connectionId, since, findChangedRefundReceiptsCall, this.#refundReceiptsIn);
  }

  /**
   * A full page, which is in the order of the changes, says itself where the rest begins. What changes meanwhile moves
   * to the end, so nothing is skipped. Only where a page ends in the second in which it began the rows are counted.
   */
  async #findChanged<T extends Identified>(
    connectionId: string,
    since: Date,
    callSince: (since: Date, startPosition: number) => QboCall,
    read: Reader<T>,
  ): Promise<ProviderResult<Found<T>>> {
    const parts: Found<T>[] = [];
    let first: ProviderSuccess<Found<T>> | undefined;
    let from = since;
    for (let position = 1; ; ) {
      const page: ProviderResult<Found<T>> = await this.#client.call(connectionId, callSince(from, position), (json) =>
        read(connectionId, json),
      );
      if (!page.ok) return page;
      first ??= page;
      parts.push(page.value);
      if (!isFull(page.value)) break;
      const next: Date | undefined = page.value.objects.at(-1)?.changedAt;
      if (!next) return failed({ kind: 'unavailable', message: NO_NEXT_PAGE, trace: page.trace });
      const isLater = secondOf(next) > secondOf(from);
      position = isLater ? 1 : position + MAX_RESULTS;
      if (isLater) from = next;
    }
    return succeeded(joined(parts), first?.trace, first?.asOf);
  }

  /** The answers count as of the first one. */
  async #readPages<T extends Identified>(
    connectionId: string,
    calls: readonly QboCall[],
    read: Reader<T>,
  ): Promise<ProviderResult<Found<T>>> {
    const parts: Found<T>[] = [];
    let result: ProviderResult<Found<T>> | undefined;
    for (const call of calls) {
      const page = await this.#client.call(connectionId, call, (json) => read(connectionId, json));
      if (!page.ok) return page;
      parts.push(page.value);
      result ??= page;
    }
    return result?.ok ? succeeded(joined(parts), result.trace, result.asOf) : succeeded(joined(parts));
  }

  readonly #invoicesIn: Reader<ProviderInvoice> = async (connectionId, json) => {
    const rows = queryRowsApart(json, 'Invoice', invoiceDocument);
    return rows && this.#toInvoices(connectionId, rows);
  };

  readonly #paymentsIn: Reader<ProviderPayment> = async (connectionId, json) => {
    const rows = queryRowsApart(json, 'Payment', paymentDocument);
    return rows && this.#toPayments(connectionId, rows);
  };

  readonly #refundReceiptsIn: Reader<ProviderRefundReceipt> = async (connectionId, json) => {
    const rows = queryRowsApart(json, 'RefundReceipt', refundReceiptDocument);
    return rows && this.#toRefundReceipts(connectionId, rows);
  };

  #toInvoices(connectionId: string, rows: Rows<InvoiceDocument>): Promise<Found<ProviderInvoice>> {
    return this.#convert(connectionId, rows, toProviderInvoice);
  }

  #toPayments(connectionId: string, rows: Rows<PaymentDocument>): Promise<Found<ProviderPayment>> {
    return this.#convert(connectionId, rows, toProviderPayment);
  }

  #toRefundReceipts(connectionId: string, rows: Rows<RefundReceiptDocument>): Promise<Found<ProviderRefundReceipt>> {
    return this.#convert(connectionId, rows, toProviderRefundReceipt);
  }

  async #convert<Document extends AnyDocument, T>(
    connectionId: string,
    { documents, unreadableIds }: Rows<Document>,
    convert: (document: Document, currency: string) => T | undefined,
  ): Promise<Found<T>> {
    const objects: T[] = [];
    const unreadable = [...unreadableIds];
    for (const document of documents) {
      const object = convert(document, await this.#currencyOf(connectionId, document));
      if (object) objects.push(object);
      else unreadable.push(document.Id);
    }
    return { objects, unreadableIds: unreadable };
  }
}

/** An invoice that was not found, but is shown by a query, is there: fault 610 also stands for inactive references. */
export async function confirmMissing<T>(
  client: AuthorisedClient,
  connectionId: string,
  externalId: string,
  read: ProviderResult<T>,
): Promise<ProviderResult<T>> {
  if (read.ok || !isNotFound(read.failure)) return read;
  const found = await client.call(connectionId, findInvoiceCall(externalId), readInvoiceIds);
  if (!found.ok) return found;
  const { message, trace } = read.failure;
  return found.value.length === 0 ? read : failed({ kind: 'unavailable', message, trace });
}

const NOTHING = { objects: [], unreadableIds: [] };

function notUnderstood(id: string): string {
  return `QuickBooks has invoice ${id}, which bears our mark, and describes it in a way that cannot be understood.`;
}

const NO_NEXT_PAGE = 'QuickBooks gave a full page of changes in which none can be understood.';

function isFull({ objects, unreadableIds }: Found<unknown>): boolean {
  return objects.length + unreadableIds.length >= MAX_RESULTS;
}

/** Pages can overlap; the later description of an object is the newer one. */
function joined<T extends Identified>(parts: readonly Found<T>[]): Found<T> {
  const byId = new Map(parts.flatMap(({ objects }) => objects).map((object) => [object.externalId, object]));
  return { objects: [...byId.values()], unreadableIds: [...new Set(parts.flatMap((part) => part.unreadableIds))] };
}

/** QuickBooks keeps the times of changes in whole seconds. */
function secondOf(time: Date): number {
  return Math.trunc(time.getTime() / 1000);
}
