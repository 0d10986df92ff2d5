import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type MinorUnits, subtract } from '../../domain/money.js';
import { markDeleted, type Recording, recordProviderReading } from '../invoicing/record-reading.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderTrace } from '../ports/provider.js';
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
  /** Of the answer that showed the invoice, or that it is gone. */
  readonly trace: ProviderTrace | undefined;
}

/** Books the difference between what QuickBooks says and what is booked. */
export async function recordReading(
  context: QboContext,
  seen: Pick<Invoice, 'id' | 'purchaseOrder' | 'provider'>,
  reading: Reading,
): Promise<Recording> {
  const { begun, asOf, trace, payments, asBooked } = reading;
  return recordProviderReading(context, seen, {
    begun,
    asOf,
    trace,
    apply: async (tx, order, invoice) => {
      if (reading.invoice) await applyReading(tx, context, { order, invoice, answer: reading.invoice });
      else markDeleted(invoice, context.clock.now());
      await rememberPayments(tx, context, invoice, reading);
      const isComparable = invoice.currencyCode === order.currencyCode;
      const settled = subtract(invoice.totalMinor, invoice.balanceMinor);
      invoice.unexplainedMinor = isComparable ? reading.unexplained : settled;
    },
    shares: (invoice) => ({
      money: reportedMoney(invoice, payments),
      credit: reportedCredit(invoice, payments),
      asBooked,
    }),
  });
}
