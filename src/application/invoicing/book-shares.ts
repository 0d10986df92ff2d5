import type { EntityManager } from '@mikro-orm/postgresql';
import {
  type Booked,
  type BookingPlan,
  planBookings,
  type ReportedPayment,
  type ReportedShare,
  withBookedDays,
} from '../../domain/invoice/booking-plan.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { formatAmount } from '../../domain/money.js';
import { CreditNote, CreditNoteSource } from '../../domain/purchase-order/credit-note.entity.js';
import { CreditNoteReversal } from '../../domain/purchase-order/credit-note-reversal.entity.js';
import { Payment, PaymentMethod, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { PaymentReversal } from '../../domain/purchase-order/payment-reversal.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { bookedCredits, bookedPayments } from '../invoicing/booked-shares.js';
import type { ProviderTrace } from '../ports/provider.js';
import { refreshStatus } from '../purchase-orders/purchase-order-ledger.js';

interface Booking {
  readonly order: PurchaseOrder;
  readonly invoice: Invoice;
  /** Of the answer in which the provider says. */
  readonly trace: ProviderTrace | undefined;
  /** What the provider says is applied to the invoice now. */
  readonly money: readonly ReportedPayment[];
  readonly credit: readonly ReportedShare[];
  /** Ids of further payments that are applied to the invoice as they are booked. */
  readonly asBooked?: ReadonlySet<string>;
}

interface Plan<Share extends ReportedShare = ReportedShare> extends BookingPlan<Share> {
  readonly booked: readonly Booked<Share>[];
}

interface Plans {
  readonly money: Plan<ReportedPayment>;
  readonly credit: Plan;
}

/**
 * Brings what is booked for an invoice into line with what its provider says is applied to it. False when it is so already. Needs the
 * order's lock.
 */
export async function bookShares(tx: EntityManager, context: UseCaseContext, booking: Booking): Promise<boolean> {
  const { order, invoice, trace } = booking;
  const plans = await planShares(tx, booking);
  if (isEmpty(plans.money) && isEmpty(plans.credit)) return false;
  const before = order.status;
  const now = context.clock.now();
  reverse(tx, context, plans, now);
  // Reversals first: the database takes revision n + 1 only after revision n was reversed.
  await tx.flush();
  for (const share of plans.money.book) tx.create(Payment, paymentRow(context, booking, share, now));
  for (const share of plans.credit.book) tx.create(CreditNote, creditNoteRow(context, booking, share, now));
  await refreshStatus(tx, order, now);
  const [payments, credits] = [amountsOf(order, plans.money), amountsOf(order, plans.credit)];
  audit(tx, context, {
    action: 'payments.booked_from_provider',
    subject: order.id,
    before: { status: before, payments: payments.before, credits: credits.before },
    after: {
      status: order.status,
      invoice: invoice.externalId,
      payments: payments.after,
      credits: credits.after,
    },
    trace,
  });
  return true;
}

async function planShares(tx: EntityManager, { invoice, asBooked = new Set(), ...reported }: Booking): Promise<Plans> {
  const money = await bookedPayments(tx, invoice);
  const credit = await bookedCredits(tx, invoice);
  const received = invoice.provider === InvoiceProvider.STRIPE ? withBookedDays(money, reported.money) : reported.money;
  return {
    money: { booked: money, ...planBookings(money, [...received, ...unchanged(money, asBooked)]) },
    credit: { booked: credit, ...planBookings(credit, [...reported.credit, ...unchanged(credit, asBooked)]) },
  };
}

function unchanged<Share extends ReportedShare>(booked: readonly Booked<Share>[], asBooked: ReadonlySet<string>) {
  return booked.filter((share) => !share.isReversed && asBooked.has(share.providerPaymentId));
}

function isEmpty({ book, reverse }: BookingPlan<ReportedShare>): boolean {
  return book.length + reverse.length === 0;
}

function reverse(tx: EntityManager, { ids, actor }: UseCaseContext, { money, credit }: Plans, createdAt: Date): void {
  const reversedBy = actor.name;
  for (const { bookingId, reason } of money.reverse) {
    tx.create(PaymentReversal, { id: ids.next('rev'), payment: bookingId, reason, reversedBy, createdAt });
  }
  for (const { bookingId, reason } of credit.reverse) {
    tx.create(CreditNoteReversal, { id: ids.next('crev'), creditNote: bookingId, reason, reversedBy, createdAt });
  }
}

type Revision<Share extends ReportedShare> = BookingPlan<Share>['book'][number];

function paymentRow(context: UseCaseContext, booking: Booking, share: Revision<ReportedPayment>, createdAt: Date) {
  return {
    id: context.ids.next('pay'),
    purchaseOrder: booking.order,
    amountMinor: share.amount,
    method: PaymentMethod[booking.invoice.provider],
    source: PaymentSource[booking.invoice.provider],
    reference: share.reference,
    paidOn: share.paidOn,
    note: '',
    ...providerIdentity(booking.invoice, share),
    recordedBy: context.actor.name,
    createdAt,
  };
}

function creditNoteRow(context: UseCaseContext, booking: Booking, share: Revision<ReportedShare>, createdAt: Date) {
  return {
    id: context.ids.next('cn'),
    purchaseOrder: booking.order,
    amountMinor: share.amount,
    source: CreditNoteSource[booking.invoice.provider],
    reason: creditReason(booking.invoice, share),
    ...providerIdentity(booking.invoice, share),
    issuedBy: context.actor.name,
    createdAt,
  };
}

function creditReason({ provider }: Invoice, { providerPaymentId }: ReportedShare): string {
  return provider === 'QBO'
    ? `Credit applied in QuickBooks by payment ${providerPaymentId}.`
    : `Credit note ${providerPaymentId} of ${PROVIDER_NAMES[provider]}.`;
}

function providerIdentity({ companyId, externalId }: Invoice, share: Revision<ReportedShare>) {
  return {
    providerCompany: companyId,
    providerPaymentId: share.providerPaymentId,
    providerInvoiceId: externalId,
    revision: share.revision,
  };
}

type Amounts = Record<string, string>;

/** For the audit trail: the amounts that were taken back and booked, by the provider's ids of payments and credits. */
function amountsOf(
  { currencyCode }: PurchaseOrder,
  { booked, book, reverse }: Plan,
): Record<'before' | 'after', Amounts> {
  const reversed = new Set(reverse.map(({ bookingId }) => bookingId));
  const amounts = (shares: readonly ReportedShare[]): Amounts =>
    Object.fromEntries(shares.map(({ providerPaymentId: id, amount }) => [id, formatAmount(amount, currencyCode)]));
  return { before: amounts(booked.filter(({ id }) => reversed.has(id))), after: amounts(book) };
}
