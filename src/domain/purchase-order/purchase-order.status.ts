import { add, type MinorUnits, subtract, ZERO } from '../money.js';

export enum PurchaseOrderStatus {
  DRAFT = 'DRAFT',
  SENT = 'SENT',
  PARTIALLY_PAID = 'PARTIALLY_PAID',
  PAID = 'PAID',
  OVERPAID = 'OVERPAID',
  CANCELLED = 'CANCELLED',
}

/** The sums of a purchase order's own rows: payments without the reversed ones, and credit notes. */
export interface Ledger {
  readonly paid: MinorUnits;
  readonly credited: MinorUnits;
}

export function balanceDue(total: MinorUnits, ledger: Ledger): MinorUnits {
  return subtract(total, add(ledger.paid, ledger.credited));
}

/**
 * The one rule for the status; the first line that fits decides. A purchase order over nothing (total 0) is PAID from
 * the start (ADR 0004). Credit alone does not make it PARTIALLY_PAID.
 */
export function deriveStatus(
  order: { readonly totalMinor: MinorUnits; readonly sentAt: Date | null; readonly cancelledAt: Date | null },
  ledger: Ledger,
): PurchaseOrderStatus {
  const due = balanceDue(order.totalMinor, ledger);
  if (order.cancelledAt) return PurchaseOrderStatus.CANCELLED;
  if (due === ZERO) return PurchaseOrderStatus.PAID;
  if (due < ZERO) return PurchaseOrderStatus.OVERPAID;
  if (ledger.paid > ZERO) return PurchaseOrderStatus.PARTIALLY_PAID;
  return order.sentAt ? PurchaseOrderStatus.SENT : PurchaseOrderStatus.DRAFT;
}
