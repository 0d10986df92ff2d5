import type { Books } from '../quickbooks/books.js';
import type { StripeBooks } from '../stripe/books.js';

export type FindingKind = 'duplicate' | 'loss' | 'wrong amount' | 'stuck';

export interface Finding {
  readonly kind: FindingKind;
  readonly what: string;
}

/** What a client was told, so it can count on it. */
export interface Told {
  readonly call: string;
  readonly id: string;
  /** The idempotency key of the request, if it had one. */
  readonly key?: string;
  readonly orderId?: string;
  /** Where a switch was to go. */
  readonly provider?: 'QBO' | 'STRIPE';
}

/** What a client asked to be made, however often it repeated that. */
export interface Asked {
  readonly call: string;
  readonly orderId?: string;
  /** Decimal text. */
  readonly amount?: string;
}

export type Row = Readonly<Record<string, unknown>>;
export type Sql = (text: string, parameters?: readonly unknown[]) => Promise<Row[]>;

export interface Evidence {
  readonly sql: Sql;
  readonly books: Books;
  readonly conferenceId: string;
  readonly told: readonly Told[];
  readonly asked: readonly Asked[];
  /** What each purchase order that its client knows of comes to, in minor units. */
  readonly totals: ReadonlyMap<string, number>;
  /** The company adds sales tax to what it invoices. */
  readonly isTaxed: boolean;
  /** Ids of invoices whose lines a bookkeeper changed. */
  readonly rewritten: ReadonlySet<string>;
  /** The append-only rows as they were before. */
  readonly earlier: ReadonlyMap<string, string>;
  /** Of stories that are about Stripe. */
  readonly stripe?: StripeEvidence;
}

export interface StripeEvidence {
  readonly books: StripeBooks;
  /** By order where its invoice is, if it has one, because a client was told so and did nothing since. */
  readonly switched: ReadonlyMap<string, 'QBO' | 'STRIPE'>;
  /** Where the conference is: money is of the day that it is there. */
  readonly timezone: string;
  readonly connectionId: string;
}

export function finding(kind: FindingKind, what: string): Finding {
  return { kind, what };
}
