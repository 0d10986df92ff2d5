import type { Found, ProviderInvoice, ProviderPayment } from '../ports/accounting.js';
import type { ProviderFailure, ProviderTrace } from '../ports/provider.js';

/** What spares reading: changes that were announced or seen. Payments not among them are taken to be as booked. */
export interface KnownChanges {
  readonly changedPaymentIds: ReadonlySet<string>;
  readonly seen?: SeenObjects;
}

/** Objects that were read already, all of them after `begun`. */
export interface SeenObjects {
  /** See `beginReading`. */
  readonly begun: bigint;
  readonly asOf: Date | undefined;
  /** Of the answer that showed them; of several, of the one about invoices. */
  readonly trace: ProviderTrace | undefined;
  readonly invoices: ReadonlyMap<string, ProviderInvoice>;
  readonly unreadableInvoiceIds: ReadonlySet<string>;
  readonly deletedInvoiceIds: ReadonlySet<string>;
  readonly payments: ReadonlyMap<string, ProviderPayment>;
  readonly unreadablePaymentIds: ReadonlySet<string>;
}

/** Why there is no reading of an invoice. */
export interface FailedReading {
  readonly ok: false;
  readonly failure: ProviderFailure;
  /** It is about this invoice or payment and not about reaching QuickBooks: the others must not suffer from it. */
  readonly isUnreadable: boolean;
}

export function notUnderstood(kind: 'invoice' | 'payment', externalId: string): FailedReading {
  const message = `QuickBooks describes ${kind} ${externalId} in a way that cannot be understood.`;
  return { ok: false, failure: { kind: 'unavailable', message, trace: {} }, isUnreadable: true };
}

export function byId<T extends { readonly externalId: string }>({ objects }: Found<T>): Map<string, T> {
  return new Map(objects.map((object) => [object.externalId, object]));
}

/** Payments that were read, while nothing is seen of invoices yet. */
export function seenPayments(begun: bigint, payments: Found<ProviderPayment>): SeenObjects {
  return {
    begun,
    asOf: undefined,
    trace: undefined,
    invoices: new Map(),
    unreadableInvoiceIds: new Set(),
    deletedInvoiceIds: new Set(),
    payments: byId(payments),
    unreadablePaymentIds: new Set(payments.unreadableIds),
  };
}
