import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { formatAmount, ZERO } from '../../domain/money.js';
import { audit } from '../audit.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { bookShares } from './book-shares.js';
import type { QboContext } from './qbo-context.js';
import { applyReading } from './record-invoice.js';
import { rememberPayments, type SeenPayments } from './seen-payments.js';

/** What QuickBooks says of an invoice at one moment. `invoice` is undefined when it was deleted there. */
export interface Reading extends SeenPayments {
  readonly invoice: ProviderInvoice | undefined;
}

/**
 * Books the difference between what QuickBooks says and what is booked. False when another process recorded a reading
 * since `seen` was loaded: this reading may be older than that one and must not overwrite it.
 */
export async function recordReading(context: QboContext, seen: Invoice, reading: Reading): Promise<boolean> {
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, seen.purchaseOrder.id);
    const invoice = await tx.findOneOrFail(Invoice, seen.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (invoice.syncVersion !== seen.syncVersion) return false;
    const now = context.clock.now();
    const before = factsOf(invoice);
    if (reading.invoice) await applyReading(tx, context, { order, invoice, answer: reading.invoice });
    else Object.assign(invoice, deletedAtProvider(invoice, now));
    auditChange(tx, context, before, invoice);
    await rememberPayments(tx, context, invoice, reading);
    // Amounts in another currency than the order's are no amounts of this order: `attention` says TOTAL_DIFFERS instead.
    if (invoice.currencyCode !== order.currencyCode) return true;
    // Payments that the invoice no longer lists were read for what is left of them, not for this invoice.
    const applied = reading.payments.filter(({ externalId }) => reading.invoice?.paymentIds.includes(externalId));
    await bookShares(tx, context, { order, invoice, payments: applied });
    return true;
  });
}

function factsOf({ status, totalMinor, currencyCode }: Invoice) {
  return { status, total: `${formatAmount(totalMinor, currencyCode)} ${currencyCode}` };
}

/** A bookkeeper voided, deleted or changed the invoice. Payments have a trace of their own. */
function auditChange(
  tx: EntityManager,
  context: QboContext,
  before: ReturnType<typeof factsOf>,
  invoice: Invoice,
): void {
  const after = factsOf(invoice);
  const isGone = invoice.status === InvoiceStatus.VOIDED || invoice.status === InvoiceStatus.DELETED;
  const isEdited = after.total !== before.total || (isGone && after.status !== before.status);
  if (!isEdited) return;
  const subject = invoice.purchaseOrder.id;
  audit(tx, context, { action: 'invoice.changed_at_provider', subject, before, after });
}

function deletedAtProvider(invoice: Invoice, now: Date): Partial<Invoice> {
  const syncVersion = invoice.syncVersion + 1;
  return { status: InvoiceStatus.DELETED, balanceMinor: ZERO, lastSyncedAt: now, syncVersion, updatedAt: now };
}
