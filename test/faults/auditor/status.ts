import { type Evidence, type Finding, finding } from './evidence.js';
import { type Order, sumOfStanding } from './ledger.js';

export function auditStatus(order: Order): Finding[] {
  const expected = statusOfOrder(order);
  if (order.row.status === expected) return [];
  return [finding('wrong amount', `${order.row.reference} should be ${expected}, and is ${order.row.status}`)];
}

function statusOfOrder({ row, payments, credits, invoices }: Order): string {
  if (row.cancelled_at !== null) return 'CANCELLED';
  const paid = sumOfStanding(payments);
  const due = BigInt(String(row.total_minor)) - paid - sumOfStanding(credits);
  if (due < 0n) return 'OVERPAID';
  if (due === 0n) return 'PAID';
  if (paid > 0n) return 'PARTIALLY_PAID';
  return row.sent_at === null && invoices.length === 0 ? 'DRAFT' : 'SENT';
}

/** What is stored of the sums is what the rows add up to. */
export function auditSums({ row, payments, credits }: Order): Finding[] {
  const stored = `${row.paid_minor} paid, ${row.credited_minor} credited`;
  const added = `${sumOfStanding(payments)} paid, ${sumOfStanding(credits)} credited`;
  return stored === added ? [] : [finding('wrong amount', `${row.reference} stores ${stored}; its rows say ${added}`)];
}

/** The client's total is the order's. */
export function auditTotal({ row }: Order, { totals }: Evidence): Finding[] {
  const wanted = totals.get(String(row.id));
  if (wanted === undefined || `${row.total_minor}` === `${wanted}`) return [];
  return [finding('wrong amount', `${row.reference} comes to ${wanted}, here to ${row.total_minor}`)];
}
