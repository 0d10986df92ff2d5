import type { MinorUnits } from '../money.js';

/** What a provider says of one payment's share in one invoice. */
export interface ReportedPayment {
  readonly providerPaymentId: string;
  readonly amount: MinorUnits;
  /** Calendar day, `YYYY-MM-DD`. */
  readonly paidOn: string;
  readonly reference: string;
}

/** A booked revision of a provider payment on the invoice; `isReversed` says whether it was taken back since. */
export interface BookedPayment extends ReportedPayment {
  readonly id: string;
  readonly revision: number;
  readonly isReversed: boolean;
}

export interface BookingPlan {
  readonly reverse: readonly { readonly paymentId: string; readonly reason: string }[];
  readonly book: readonly (ReportedPayment & { readonly revision: number })[];
}

/**
 * What to add so that the standing bookings of an invoice equal what the provider reports. The same report again plans
 * nothing; a changed payment is reversed and booked as its next revision; one that is gone is reversed.
 */
export function planBookings(booked: readonly BookedPayment[], reported: readonly ReportedPayment[]): BookingPlan {
  const standing = booked.filter((payment) => !payment.isReversed);
  const isUnchanged = (payment: ReportedPayment) => standing.some((other) => sameFacts(other, payment));
  return {
    reverse: standing
      .filter((payment) => !reported.some((other) => sameFacts(payment, other)))
      .map((payment) => ({ paymentId: payment.id, reason: reasonToReverse(payment, reported) })),
    book: reported
      .filter((payment) => !isUnchanged(payment))
      .map((payment) => ({ ...payment, revision: nextRevision(booked, payment) })),
  };
}

function sameFacts(left: ReportedPayment, right: ReportedPayment): boolean {
  return (
    left.providerPaymentId === right.providerPaymentId &&
    left.amount === right.amount &&
    left.paidOn === right.paidOn &&
    left.reference === right.reference
  );
}

function reasonToReverse(payment: BookedPayment, reported: readonly ReportedPayment[]): string {
  const isEdited = reported.some((other) => other.providerPaymentId === payment.providerPaymentId);
  return isEdited
    ? 'The payment was changed at the provider.'
    : 'The payment was voided, deleted or applied elsewhere at the provider.';
}

function nextRevision(booked: readonly BookedPayment[], { providerPaymentId }: ReportedPayment): number {
  const revisions = booked.filter((payment) => payment.providerPaymentId === providerPaymentId);
  return revisions.length + 1;
}
