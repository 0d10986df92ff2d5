import { add, type MinorUnits, smaller, subtract, sum, ZERO } from '../money.js';

/** One line of a provider's payment: an invoice that consumes it, or a credit memo that feeds it. */
export interface PaymentApplication {
  readonly kind: 'invoice' | 'credit' | 'other';
  readonly externalId: string;
  readonly amount: MinorUnits;
}

/** What is known of a provider's payment as a whole. */
export interface AppliedPayment {
  /** Money received. */
  readonly total: MinorUnits;
  /** The part of the money that is applied to nothing. */
  readonly unapplied: MinorUnits;
  /** In the provider's order. */
  readonly applications: readonly PaymentApplication[];
}

/** How much of a payment reached one invoice, as money and as credit. */
export interface PaymentShare {
  readonly cash: MinorUnits;
  readonly credit: MinorUnits;
}

/**
 * Parts what a payment did to an invoice into money and credit. Credits on the same payment pay invoices, too, but are
 * no money: they are used up first, on the invoices in the provider's order, and only the rest is money.
 */
export function shareOf(payment: AppliedPayment, invoiceExternalId: string): PaymentShare {
  let credit = creditOf(payment);
  let share: PaymentShare = { cash: ZERO, credit: ZERO };
  for (const { kind, externalId, amount } of payment.applications) {
    if (kind !== 'invoice') continue;
    const fromCredit = smaller(credit, amount);
    credit = subtract(credit, fromCredit);
    if (externalId !== invoiceExternalId) continue;
    share = { cash: add(share.cash, subtract(amount, fromCredit)), credit: add(share.credit, fromCredit) };
  }
  return share;
}

/**
 * Credit memos are not the only credits: a journal entry, for one, can be applied, too, and its line does not say which
 * way it counts. So whatever the invoices got beyond the credit memos and the money that was applied counts as credit.
 */
function creditOf({ total, unapplied, applications }: AppliedPayment): MinorUnits {
  const lines = (wanted: string) => sum(applications.flatMap(({ kind, amount }) => (kind === wanted ? [amount] : [])));
  const creditMemos = lines('credit');
  const unexplained = subtract(subtract(lines('invoice'), creditMemos), subtract(total, unapplied));
  return unexplained > ZERO ? add(creditMemos, unexplained) : creditMemos;
}
