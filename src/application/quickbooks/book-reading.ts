import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { formatAmount, type MinorUnits, subtract, ZERO } from '../../domain/money.js';
import { audit } from '../audit.js';
import { bookShares } from '../invoicing/book-shares.js';
import { isOvertaken, nextReadingNumber } from '../invoicing/reading-order.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import type { QboContext } from './qbo-context.js';
import { applyReading } from './record-invoice.js';
import { reportedCredit, reportedMoney } from './reported-shares.js';
import { rememberPayments, type SeenPayments } from './seen-payments.js';

/** What QuickBooks says of an invoice at one moment. `invoice` is undefined when it was deleted there. */
export interface Reading extends SeenPayments {
  readonly invoice: ProviderInvoice | undefined;
  /** Ids of payments that were not read: they are still applied to the invoice and nothing says that they changed. */
  readonly asBooked: ReadonlySet<string>;
  /** What was taken off the invoice beyond those payments. */
  readonly unexplained: MinorUnits;
  /** Something is unexplained, and may be so only because payments are shown later than their invoice. */
  readonly mayLag: boolean;
  /** See `beginReading`. */
  readonly begun: bigint;
  /** By QuickBooks' clock: what happened before, the reading of the invoice saw. Undefined: it did not say. */
  readonly asOf: Date | undefined;
}

/** `overtaken`: somebody recorded since this reading began; it may be the older one, so nothing of it was recorded. */
export type Recording = 'overtaken' | 'changed' | 'unchanged';

/** Books the difference between what QuickBooks says and what is booked. */
export async function recordReading(
  context: QboContext,
  seen: Pick<Invoice, 'id' | 'purchaseOrder'>,
  reading: Reading,
): Promise<Recording> {
  return inTransaction(context.em, async (tx) => {
    const order = await lockExistingPurchaseOrder(tx, seen.purchaseOrder.id);
    const invoice = await tx.findOneOrFail(Invoice, seen.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (isOvertaken(invoice, reading.begun)) return 'overtaken';
    const now = context.clock.now();
    const before = factsOf(invoice);
    if (reading.invoice) await applyReading(tx, context, { order, invoice, answer: reading.invoice });
    else Object.assign(invoice, deletedAtProvider(now));
    Object.assign(invoice, { readingBegun: reading.begun, providerReadAt: reading.asOf ?? null });
    auditChange(tx, context, before, invoice);
    const isChanged = !sameFacts(before, factsOf(invoice));
    await rememberPayments(tx, context, invoice, reading);
    // Amounts in another currency than the order's are no amounts of this order: `attention` says TOTAL_DIFFERS instead.
    if (invoice.currencyCode !== order.currencyCode) {
      invoice.unexplainedMinor = subtract(invoice.totalMinor, invoice.balanceMinor);
      return isChanged ? 'changed' : 'unchanged';
    }
    invoice.unexplainedMinor = reading.unexplained;
    const { payments, asBooked } = reading;
    const money = reportedMoney(invoice, payments);
    const credit = reportedCredit(invoice, payments);
    const isBooked = await bookShares(tx, context, { order, invoice, money, credit, asBooked });
    return isChanged || isBooked ? 'changed' : 'unchanged';
  });
}

function factsOf({ status, totalMinor, balanceMinor, currencyCode, syncToken, emailStatus }: Invoice) {
  return { status, totalMinor, balanceMinor, currencyCode, syncToken, emailStatus };
}

type InvoiceFacts = ReturnType<typeof factsOf>;

function sameFacts(before: InvoiceFacts, after: InvoiceFacts): boolean {
  return Object.entries(before).every(([name, value]) => value === after[name as keyof InvoiceFacts]);
}

function auditedFacts({ status, totalMinor, currencyCode }: InvoiceFacts) {
  return { status, total: `${formatAmount(totalMinor, currencyCode)} ${currencyCode}` };
}

/** A bookkeeper voided, deleted or changed the invoice. Payments have a trace of their own. */
function auditChange(tx: EntityManager, context: QboContext, facts: InvoiceFacts, invoice: Invoice): void {
  const [before, after] = [auditedFacts(facts), auditedFacts(factsOf(invoice))];
  const isGone = invoice.status === InvoiceStatus.VOIDED || invoice.status === InvoiceStatus.DELETED;
  const isEdited = after.total !== before.total || (isGone && after.status !== before.status);
  if (!isEdited) return;
  const subject = invoice.purchaseOrder.id;
  audit(tx, context, { action: 'invoice.changed_at_provider', subject, before, after });
}

function deletedAtProvider(now: Date): Partial<Invoice> {
  const readingRecorded = nextReadingNumber();
  return { status: InvoiceStatus.DELETED, balanceMinor: ZERO, lastSyncedAt: now, readingRecorded, updatedAt: now };
}
