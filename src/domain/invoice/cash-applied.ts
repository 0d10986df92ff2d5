import { add, type MinorUnits, smaller, subtract, sum, ZERO } from '../money.js';

/** One line of a provider's payment: an invoice that consumes it, or a credit memo that feeds it. */
export interface PaymentApplication {
  readonly kind: 'invoice' | 'credit' | 'other';
  readonly externalId: string;
  readonly amount: MinorUnits;
}

/**
 * How much of a payment reached an invoice as money. Credit memos on the same payment pay invoices, too, but are no
 * money: they are used up first, in the provider's order, and only the rest counts.
 */
export function cashApplied(applications: readonly PaymentApplication[], invoiceExternalId: string): MinorUnits {
  let credit = sum(applications.filter(({ kind }) => kind === 'credit').map(({ amount }) => amount));
  let cash: MinorUnits = ZERO;
  for (const { kind, externalId, amount } of applications) {
    if (kind !== 'invoice') continue;
    const fromCredit = smaller(credit, amount);
    credit = subtract(credit, fromCredit);
    if (externalId === invoiceExternalId) cash = add(cash, subtract(amount, fromCredit));
  }
  return cash;
}
