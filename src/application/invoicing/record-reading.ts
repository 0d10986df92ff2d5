import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ReportedPayment, ReportedShare } from '../../domain/invoice/booking-plan.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus, isEnded } from '../../domain/invoice/invoice.status.js';
import { formatAmount, ZERO } from '../../domain/money.js';
import { OperationKind, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import { asProvider, asRequester, type UseCaseContext } from '../context.js';
import { OPEN_STATES } from '../operations/provider-operations.js';
import type { ProviderTrace } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { bookShares } from './book-shares.js';
import { findLiveInvoice } from './live-invoice.js';
import { isOvertaken, nextReadingNumber } from './reading-order.js';

/** What is applied to an invoice, as its provider says. */
export interface ReportedShares {
  readonly money: readonly ReportedPayment[];
  readonly credit: readonly ReportedShare[];
  /** Ids of further payments that are applied to the invoice as they are booked. */
  readonly asBooked?: ReadonlySet<string>;
}

/** What a provider said of an invoice at one moment. */
export interface ProviderReading {
  /** See `beginReading`. */
  readonly begun: bigint;
  /** By the provider's clock: what happened before, the reading of the invoice saw. Undefined: it did not say. */
  readonly asOf: Date | undefined;
  /** Of the answer in which the provider said so. */
  readonly trace: ProviderTrace | undefined;
  /** Takes over what it said, but for what is to be booked. */
  readonly apply: (tx: EntityManager, order: PurchaseOrder, invoice: Invoice) => Promise<void>;
  /** What is to be booked. Asked for after `apply`, and only if the invoice is in the order's currency. */
  readonly shares: (invoice: Invoice) => ReportedShares;
}

/** `overtaken`: somebody recorded since this reading began; it may be the older one, so nothing of it was recorded. */
export type Recording = 'overtaken' | 'changed' | 'unchanged';

/** Under the order's lock: takes over what a provider says of an invoice, and books the difference to what is booked. */
export async function recordProviderReading(
  asked: UseCaseContext,
  seen: Pick<Invoice, 'id' | 'purchaseOrder' | 'provider'>,
  { begun, asOf, trace, apply, shares }: ProviderReading,
): Promise<Recording> {
  const context = asProvider(asked, seen.provider);
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, seen.purchaseOrder.id);
    const invoice = await tx.findOneOrFail(Invoice, seen.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (isOvertaken(invoice, begun)) return 'overtaken';
    const before = factsOf(invoice);
    await apply(tx, order, invoice);
    Object.assign(invoice, { readingBegun: begun, providerReadAt: asOf ?? null });
    const isChanged = !sameFacts(before, factsOf(invoice));
    if (isChanged) {
      invoice.updatedAt = context.clock.now();
      await auditChange(tx, context, { before, invoice, trace });
    }
    // Amounts in another currency than the order's are no amounts of this order: `attention` says TOTAL_DIFFERS instead.
    const isBookable = invoice.currencyCode === order.currencyCode;
    const isBooked = isBookable && (await bookShares(tx, context, { order, invoice, trace, ...shares(invoice) }));
    return isChanged || isBooked ? 'changed' : 'unchanged';
  });
}

/**
 * Whether an invoice that had ended, and that its provider shows as if it had not, stays ended: beside its successor,
 * because an order has one live invoice.
 */
export async function staysEnded(
  tx: EntityManager,
  { status, purchaseOrder }: Invoice,
  { isVoid }: { readonly isVoid: boolean },
): Promise<boolean> {
  return isEnded(status) && !isVoid && (await findLiveInvoice(tx, purchaseOrder.id)) !== null;
}

/** The provider does not know the invoice any more. */
export function markDeleted(invoice: Invoice, now: Date): void {
  Object.assign(invoice, {
    status: InvoiceStatus.DELETED,
    balanceMinor: ZERO,
    lastSyncedAt: now,
    readingRecorded: nextReadingNumber(),
  });
}

function factsOf(invoice: Invoice) {
  const { status, totalMinor, balanceMinor, currencyCode, syncToken, emailStatus } = invoice;
  const { refundedMinor, processingMinor, isDisputed } = invoice;
  const amounts = { totalMinor, balanceMinor, refundedMinor, processingMinor };
  return { status, ...amounts, currencyCode, syncToken, emailStatus, isDisputed };
}

type InvoiceFacts = ReturnType<typeof factsOf>;

function sameFacts(before: InvoiceFacts, after: InvoiceFacts): boolean {
  return Object.entries(before).every(([name, value]) => value === after[name as keyof InvoiceFacts]);
}

function auditedFacts({ status, totalMinor, currencyCode }: InvoiceFacts) {
  return { status, total: `${formatAmount(totalMinor, currencyCode)} ${currencyCode}` };
}

interface ReadChange extends Pick<ProviderReading, 'trace'> {
  readonly before: InvoiceFacts;
  readonly invoice: Invoice;
}

/** The invoice was voided, deleted, given up or edited. Payments have a trace of their own. */
async function auditChange(
  tx: EntityManager,
  context: UseCaseContext,
  { before: facts, invoice, trace }: ReadChange,
): Promise<void> {
  const [before, after] = [auditedFacts(facts), auditedFacts(factsOf(invoice))];
  const isDecided = isEnded(invoice.status) || invoice.status === InvoiceStatus.UNCOLLECTIBLE;
  const isEdited = after.total !== before.total || (isDecided && after.status !== before.status);
  if (!isEdited) return;
  const subject = invoice.purchaseOrder.id;
  const ours = after.status === before.status ? null : await findOwnVoid(tx, invoice);
  if (ours) {
    const told = { action: 'invoice.voided', subject, after: { invoice: invoice.externalId }, trace } as const;
    return audit(tx, asRequester(context, ours), told);
  }
  audit(tx, context, {
    action: 'invoice.changed_at_provider',
    subject,
    before,
    after: { invoice: invoice.externalId, ...after },
    trace,
  });
}

/** The void of ours that it is void because of, the answer to which was lost or is not recorded yet. */
async function findOwnVoid(tx: EntityManager, { id, status }: Invoice): Promise<ProviderOperation | null> {
  if (status !== InvoiceStatus.VOIDED) return null;
  const sent = { kind: OperationKind.VOID_INVOICE, subject: id, state: { $in: OPEN_STATES }, attempts: { $gt: 0 } };
  return tx.findOne(ProviderOperation, sent);
}
