import type { MinorUnits } from '../money.js';

/** What a provider says that one payment did to one invoice: the credit it applied, or the money. */
export interface ReportedShare {
  readonly providerPaymentId: string;
  readonly amount: MinorUnits;
  /** Calendar day, `YYYY-MM-DD`. Only money has one. */
  readonly paidOn?: string;
  /** Only money has one. */
  readonly reference?: string;
}

/** What a provider says of the money of one payment that reached one invoice. */
export interface ReportedPayment extends ReportedShare {
  readonly paidOn: string;
  readonly reference: string;
}

/** A booked revision of a share; `isReversed` says whether it was taken back since. */
export type Booked<Share extends ReportedShare> = Share & {
  readonly id: string;
  readonly revision: number;
  readonly isReversed: boolean;
};

export type BookedPayment = Booked<ReportedPayment>;

export interface BookingPlan<Share extends ReportedShare = ReportedPayment> {
  readonly reverse: readonly { readonly bookingId: string; readonly reason: string }[];
  readonly book: readonly (Share & { readonly revision: number })[];
}

/**
 * What to add so that the standing bookings of an invoice equal what the provider reports. The same report again plans
 * nothing; a changed share is reversed and booked as its next revision; one that is gone is reversed. Money and credit
 * are planned apart, each with revisions of its own.
 */
export function planBookings<Share extends ReportedShare>(
  booked: readonly Booked<Share>[],
  reported: readonly Share[],
): BookingPlan<Share> {
  const standing = booked.filter((share) => !share.isReversed);
  const isUnchanged = (share: Share) => standing.some((other) => sameFacts(other, share));
  return {
    reverse: standing
      .filter((share) => !reported.some((other) => sameFacts(share, other)))
      .map((share) => ({ bookingId: share.id, reason: reasonToReverse(share, reported) })),
    book: reported
      .filter((share) => !isUnchanged(share))
      .map((share) => ({ ...share, revision: nextRevision(booked, share) })),
  };
}

/**
 * For a provider that never changes on which moment money was received: what was booked before keeps its day, in whatever
 * time zone such days are counted now.
 */
export function withBookedDays(
  booked: readonly BookedPayment[],
  reported: readonly ReportedPayment[],
): ReportedPayment[] {
  const days = new Map(booked.map(({ providerPaymentId, paidOn }) => [providerPaymentId, paidOn]));
  return reported.map((share) => ({ ...share, paidOn: days.get(share.providerPaymentId) ?? share.paidOn }));
}

function sameFacts(left: ReportedShare, right: ReportedShare): boolean {
  return (
    left.providerPaymentId === right.providerPaymentId &&
    left.amount === right.amount &&
    left.paidOn === right.paidOn &&
    left.reference === right.reference
  );
}

function reasonToReverse(share: ReportedShare, reported: readonly ReportedShare[]): string {
  const isEdited = reported.some((other) => other.providerPaymentId === share.providerPaymentId);
  return isEdited
    ? 'The payment was changed at the provider.'
    : 'The payment was voided, deleted or applied elsewhere at the provider.';
}

function nextRevision(booked: readonly ReportedShare[], { providerPaymentId }: ReportedShare): number {
  return booked.filter((share) => share.providerPaymentId === providerPaymentId).length + 1;
}
