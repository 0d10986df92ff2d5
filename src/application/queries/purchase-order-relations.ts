import type { EntityManager } from '@mikro-orm/postgresql';
import type { Conference } from '../../domain/conference/conference.entity.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { CreditNote } from '../../domain/purchase-order/credit-note.entity.js';
import type { LineItem } from '../../domain/purchase-order/line-item.entity.js';
import type { Payment } from '../../domain/purchase-order/payment.entity.js';
import { amount, instant, type JsonValue, list, nullable, plain, record } from './json-record.js';

export type ConferenceView = Pick<
  Conference,
  'id' | 'slug' | 'name' | 'startDate' | 'endDate' | 'timezone' | 'currencyCode' | 'letterhead'
> & { readonly qboConnection: { readonly id: string } | null };

export type LineItemView = Pick<LineItem, 'id' | 'description' | 'quantity' | 'unitPriceMinor' | 'lineTotalMinor'>;

export interface ReversalView {
  readonly id: string;
  readonly reason: string;
  readonly createdAt: Date;
}

/** A payment and what took it back, if anything did. */
export interface PaymentView {
  readonly payment: Pick<
    Payment,
    'id' | 'amountMinor' | 'method' | 'source' | 'reference' | 'paidOn' | 'note' | 'createdAt'
  >;
  readonly reversal: ReversalView | null;
}

/** A credit note and what took it back, if anything did. */
export interface CreditNoteView {
  readonly note: Pick<CreditNote, 'id' | 'amountMinor' | 'reason' | 'source' | 'createdAt'>;
  readonly reversal: ReversalView | null;
}

export type InvoiceView = Pick<
  Invoice,
  | 'id'
  | 'provider'
  | 'status'
  | 'externalId'
  | 'number'
  | 'url'
  | 'payUrl'
  | 'currencyCode'
  | 'totalMinor'
  | 'balanceMinor'
  | 'customerCreditMinor'
  | 'refundedMinor'
  | 'processingMinor'
  | 'isDisputed'
  | 'matchesPurchaseOrder'
  | 'syncToken'
  | 'emailStatus'
  | 'lastSyncedAt'
  | 'createdAt'
  | 'updatedAt'
>;

/** What a purchase order refers to, and in which order. */
export interface OrderRelations {
  /** Null behind an order of the same conference: a page mostly has one, whose JSON is made once. */
  readonly conference: ConferenceView | null;
  readonly lineItems: readonly LineItemView[];
  /** Newest payment day first. */
  readonly payments: readonly PaymentView[];
  /** Newest first. */
  readonly creditNotes: readonly CreditNoteView[];
  /** Oldest first. */
  readonly invoices: readonly InvoiceView[];
}

export type OrderRelation = keyof OrderRelations;

const reversal = record<ReversalView>({ id: plain('id'), reason: plain('reason'), createdAt: instant('created_at') });

/** A subquery, which looks one up by its index: of a join PostgreSQL makes a hash table, anew for each order. */
function reversalOf(from: string): JsonValue<ReversalView | null> {
  return nullable({ sql: `(select ${reversal.sql} from ${from})`, read: reversal.read });
}

const conference = record<ConferenceView>({
  id: plain('conference.id'),
  slug: plain('slug'),
  name: plain('name'),
  startDate: plain('start_date'),
  endDate: plain('end_date'),
  timezone: plain('timezone'),
  currencyCode: plain('conference.currency_code'),
  letterhead: plain('letterhead'),
  qboConnection: nullable(record({ id: plain<string>('qbo_connection_id') }), 'qbo_connection_id is not null'),
});

const lineItem = record<LineItemView>({
  id: plain('id'),
  description: plain('description'),
  quantity: plain('quantity'),
  unitPriceMinor: amount('unit_price_minor'),
  lineTotalMinor: amount('line_total_minor'),
});

const payment = record<PaymentView>({
  payment: record<PaymentView['payment']>({
    id: plain('payment.id'),
    amountMinor: amount('amount_minor'),
    method: plain('method'),
    source: plain('source'),
    reference: plain('payment.reference'),
    paidOn: plain('paid_on'),
    note: plain('note'),
    createdAt: instant('payment.created_at'),
  }),
  reversal: reversalOf('payment_reversal where payment_id = payment.id'),
});

const creditNote = record<CreditNoteView>({
  note: record<CreditNoteView['note']>({
    id: plain('note.id'),
    amountMinor: amount('amount_minor'),
    reason: plain('note.reason'),
    source: plain('source'),
    createdAt: instant('note.created_at'),
  }),
  reversal: reversalOf('credit_note_reversal where credit_note_id = note.id'),
});

const invoice = record<InvoiceView>({
  id: plain('invoice.id'),
  provider: plain('provider'),
  status: plain('invoice.status'),
  externalId: plain('external_id'),
  number: plain('number'),
  url: plain('url'),
  payUrl: plain('pay_url'),
  currencyCode: plain('invoice.currency_code'),
  totalMinor: amount('invoice.total_minor'),
  balanceMinor: amount('invoice.balance_minor'),
  customerCreditMinor: amount('customer_credit_minor'),
  refundedMinor: amount('refunded_minor'),
  processingMinor: amount('processing_minor'),
  isDisputed: plain('is_disputed'),
  matchesPurchaseOrder: plain('matches_purchase_order'),
  syncToken: plain('sync_token'),
  emailStatus: plain('email_status'),
  lastSyncedAt: nullable(instant('last_synced_at')),
  createdAt: instant('invoice.created_at'),
  updatedAt: instant('invoice.updated_at'),
});

const OF_ORDER = 'where purchase_order_id = purchase_order.id';

/** How each is read beside a row of `purchase_order`, be it for a page in the statement of that page, or alone. */
const RELATIONS: { readonly [Name in OrderRelation]: JsonValue<OrderRelations[Name]> } = {
  conference: nullable(
    {
      sql: `(select ${conference.sql} from conference where conference.id = purchase_order.conference_id)`,
      read: conference.read,
    },
    'conference_id is distinct from lag(conference_id) over ()',
  ),
  lineItems: list(lineItem, `line_item ${OF_ORDER}`, 'position'),
  payments: list(payment, `payment ${OF_ORDER}`, 'paid_on desc, payment.id desc'),
  creditNotes: list(creditNote, `credit_note note ${OF_ORDER}`, 'note.created_at desc, note.id desc'),
  invoices: list(invoice, `invoice ${OF_ORDER}`, 'invoice.created_at, invoice.id'),
};

/** These relations, each under its own name. */
export function relationFields<Name extends OrderRelation>(names: Iterable<Name>): Pick<typeof RELATIONS, Name> {
  return Object.fromEntries(Array.from(names, (name) => [name, RELATIONS[name]])) as Pick<typeof RELATIONS, Name>;
}

/**
 * One relation of the purchase orders with these ids, by their ids. One statement. Not of conferences, which are told once for
 * orders in a row.
 */
export async function findRelation<Name extends Exclude<OrderRelation, 'conference'>>(
  em: EntityManager,
  name: Name,
  orderIds: readonly string[],
): Promise<Map<string, OrderRelations[Name]>> {
  const { sql, read } = RELATIONS[name];
  const rows = await em.execute<{ id: string; related: unknown }[]>(
    `select id, ${sql} as related from purchase_order where id in (?)`,
    [orderIds],
  );
  return new Map(rows.map(({ id, related }) => [id, read(related as never)]));
}
