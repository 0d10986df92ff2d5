import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { deriveInvoiceStatus, EmailStatus } from '../../domain/invoice/invoice.status.js';
import { formatAmount } from '../../domain/money.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { markInvoiced } from '../invoicing/mark-invoiced.js';
import { nextReadingNumber } from '../invoicing/reading-order.js';
import { staysEnded } from '../invoicing/record-reading.js';
import type { Outcome } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderSuccess } from '../ports/provider.js';
import type { QboContext } from './qbo-context.js';
import type { QboFailure } from './qbo-failure.js';

/** Takes over what QuickBooks says of an invoice. Amounts are stored as QuickBooks has them, right or wrong. */
export function applyProviderInvoice(invoice: Invoice, answer: ProviderInvoice, order: PurchaseOrder, now: Date): void {
  Object.assign(invoice, {
    status: deriveInvoiceStatus(answer),
    externalId: answer.externalId,
    number: answer.number ?? null,
    payUrl: answer.payUrl ?? invoice.payUrl,
    currencyCode: answer.currency,
    totalMinor: answer.total,
    balanceMinor: answer.balance,
    matchesPurchaseOrder:
      answer.voided || (answer.total === order.totalMinor && answer.currency === order.currencyCode),
    syncToken: answer.syncToken,
    emailStatus: EmailStatus[answer.emailStatus],
    lastSyncedAt: now,
    readingRecorded: nextReadingNumber(),
  });
}

interface InvoiceReading {
  readonly order: PurchaseOrder;
  readonly invoice: Invoice;
  readonly answer: ProviderInvoice;
}

/**
 * Takes over a later reading. An invoice that was not as ordered stays so until its lines, too, are what was sent. See also
 * `staysEnded`.
 */
export async function applyReading(
  tx: EntityManager,
  { accounting, clock }: QboContext,
  { order, invoice, answer }: InvoiceReading,
): Promise<void> {
  const wasSuspect = !invoice.matchesPurchaseOrder;
  const { status } = invoice;
  const isKept = await staysEnded(tx, invoice, { isVoid: answer.voided });
  applyProviderInvoice(invoice, answer, order, clock.now());
  if (isKept) invoice.status = status;
  if (!wasSuspect || !invoice.matchesPurchaseOrder || answer.voided) return;
  const sent = await tx.findOne(
    ProviderOperation,
    { kind: OperationKind.CREATE_INVOICE, subject: order.id, state: OperationState.DONE },
    { orderBy: { generation: 'desc' } },
  );
  invoice.matchesPurchaseOrder = !sent?.body || accounting.linesMatch(sent.body, answer);
}

/**
 * Stores the invoice that QuickBooks made, whatever it looks like, and compares it with what was asked for. An invoice
 * that is stored already, because another process got the same answer first, is left as it is. Needs the order's lock.
 */
export async function recordCreatedInvoice(
  tx: EntityManager,
  context: QboContext,
  order: PurchaseOrder,
  invoiceId: string,
  { body, value: answer, trace }: ProviderSuccess<ProviderInvoice> & { readonly body: string },
): Promise<Outcome<QboFailure<'QBO_TOTAL_DIFFERS'>>> {
  const invoice = await tx.findOneOrFail(Invoice, invoiceId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const { customerExternalId } = context.accounting.readSentInvoice(body);
  const isSame = customerExternalId === answer.customerExternalId && context.accounting.linesMatch(body, answer);
  if (invoice.externalId === null) {
    const connection = await invoice.qboConnection?.loadOrFail();
    applyProviderInvoice(invoice, answer, order, context.clock.now());
    if (connection) {
      const { environment, realmId } = connection;
      invoice.url = context.accounting.invoicePageUrl(environment, realmId, answer.externalId);
    }
    invoice.matchesPurchaseOrder &&= isSame || answer.voided;
    await markInvoiced(tx, context, order, { invoice, trace });
  }
  return { id: order.id, failures: differences(order, invoice) };
}

/** Empty, or what to say of an invoice that is not what was asked for. */
export function differences(order: PurchaseOrder, invoice: Invoice): QboFailure<'QBO_TOTAL_DIFFERS'>[] {
  return invoice.matchesPurchaseOrder ? [] : [differs(order, invoice)];
}

function differs(order: PurchaseOrder, invoice: Invoice): QboFailure<'QBO_TOTAL_DIFFERS'> {
  const expected = `${formatAmount(order.totalMinor, order.currencyCode)} ${order.currencyCode}`;
  const actual = `${formatAmount(invoice.totalMinor, invoice.currencyCode)} ${invoice.currencyCode}`;
  return {
    code: 'QBO_TOTAL_DIFFERS',
    message: `QuickBooks made invoice ${invoice.number ?? invoice.externalId} over ${actual}, but the purchase order is over ${expected} and its lines. Correct or void it in QuickBooks before sending it.`,
    path: [],
    ...(invoice.externalId !== null && { invoiceId: invoice.externalId }),
    expectedTotal: { amount: order.totalMinor, currencyCode: order.currencyCode },
    invoiceTotal: { amount: invoice.totalMinor, currencyCode: invoice.currencyCode },
  };
}
