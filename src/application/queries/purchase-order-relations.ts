import type { EntityManager } from '@mikro-orm/postgresql';
import type { Conference } from '../../domain/conference/conference.entity.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type MinorUnits, minorUnits } from '../../domain/money.js';
import type { CreditNote } from '../../domain/purchase-order/credit-note.entity.js';
import type { LineItem } from '../../domain/purchase-order/line-item.entity.js';
import type { Payment } from '../../domain/purchase-order/payment.entity.js';

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
  readonly conference: ConferenceView;
  readonly lineItems: readonly LineItemView[];
  /** Newest payment day first. */
  readonly payments: readonly PaymentView[];
  /** Newest first. */
  readonly creditNotes: readonly CreditNoteView[];
  /** Oldest first. */
  readonly invoices: readonly InvoiceView[];
}

export type OrderRelation = keyof OrderRelations;

type Json<T> = { readonly [K in keyof T]: T[K] extends Date | MinorUnits ? string : T[K] };

interface Relation<Value> {
  /** An SQL expression beside a row of `purchase_order`. Amounts are texts in it: a JSON number may lose digits. */
  readonly sql: string;
  readonly read: (json: never) => Value;
}

const REVERSAL = `case when reversal.id is not null then json_build_object('id', reversal.id, 'reason', reversal.reason,
    'createdAt', reversal.created_at) end`;

/** How each is read, be it for a page of purchase orders in the statement of that page, or alone. */
const RELATIONS: { readonly [Name in OrderRelation]: Relation<OrderRelations[Name]> } = {
  conference: {
    sql: `(select json_build_object('id', conference.id, 'slug', slug, 'name', name, 'startDate', start_date,
        'endDate', end_date, 'timezone', timezone, 'currencyCode', conference.currency_code, 'letterhead', letterhead,
        'qboConnection', case when qbo_connection_id is not null then json_build_object('id', qbo_connection_id) end)
      from conference where conference.id = purchase_order.conference_id)`,
    read: (conference: ConferenceView) => conference,
  },
  lineItems: {
    sql: `(select coalesce(json_agg(json_build_object('id', id, 'description', description, 'quantity', quantity,
        'unitPriceMinor', unit_price_minor::text, 'lineTotalMinor', line_total_minor::text) order by position), '[]')
      from line_item where purchase_order_id = purchase_order.id)`,
    read: (lines: readonly Json<LineItemView>[]) =>
      lines.map((line) => ({
        ...line,
        unitPriceMinor: amountOf(line.unitPriceMinor),
        lineTotalMinor: amountOf(line.lineTotalMinor),
      })),
  },
  payments: {
    sql: `(select coalesce(json_agg(json_build_object('payment', json_build_object('id', payment.id,
          'amountMinor', amount_minor::text, 'method', method, 'source', source, 'reference', payment.reference,
          'paidOn', paid_on, 'note', note, 'createdAt', payment.created_at),
        'reversal', ${REVERSAL}) order by paid_on desc, payment.id desc), '[]')
      from payment left join payment_reversal reversal on reversal.payment_id = payment.id
      where purchase_order_id = purchase_order.id)`,
    read: (payments: readonly { payment: Json<PaymentView['payment']>; reversal: Json<ReversalView> | null }[]) =>
      payments.map(({ payment, reversal }) => ({ payment: bookingOf(payment), reversal: reversalOf(reversal) })),
  },
  creditNotes: {
    sql: `(select coalesce(json_agg(json_build_object('note', json_build_object('id', note.id,
          'amountMinor', amount_minor::text, 'reason', note.reason, 'source', source, 'createdAt', note.created_at),
        'reversal', ${REVERSAL}) order by note.created_at desc, note.id desc), '[]')
      from credit_note note left join credit_note_reversal reversal on reversal.credit_note_id = note.id
      where purchase_order_id = purchase_order.id)`,
    read: (notes: readonly { note: Json<CreditNoteView['note']>; reversal: Json<ReversalView> | null }[]) =>
      notes.map(({ note, reversal }) => ({ note: bookingOf(note), reversal: reversalOf(reversal) })),
  },
  invoices: {
    sql: `(select coalesce(json_agg(json_build_object('id', invoice.id, 'provider', provider, 'status', invoice.status,
        'externalId', external_id, 'number', number, 'url', url, 'payUrl', pay_url,
        'currencyCode', invoice.currency_code, 'totalMinor', invoice.total_minor::text,
        'balanceMinor', invoice.balance_minor::text, 'customerCreditMinor', customer_credit_minor::text,
        'refundedMinor', refunded_minor::text, 'processingMinor', processing_minor::text, 'isDisputed', is_disputed,
        'matchesPurchaseOrder', matches_purchase_order, 'syncToken', sync_token, 'emailStatus', email_status,
        'lastSyncedAt', last_synced_at, 'createdAt', invoice.created_at, 'updatedAt', invoice.updated_at)
        order by invoice.created_at, invoice.id), '[]')
      from invoice where purchase_order_id = purchase_order.id)`,
    read: (invoices: readonly Json<InvoiceView>[]) => invoices.map(invoiceOf),
  },
};

/** The select list of these relations, each under its own name. */
export function relationColumns(names: Iterable<OrderRelation>): string {
  return Array.from(names, (name) => `${RELATIONS[name].sql} as "${name}"`).join(', ');
}

/** What a statement with such a column gave, as the API's own types. */
export function readRelation<Name extends OrderRelation>(name: Name, json: unknown): OrderRelations[Name] {
  // PostgreSQL built it after the expression above; checking it again would cost more than reading it.
  return RELATIONS[name].read(json as never);
}

/** One relation of the purchase orders with these ids, by their ids. One statement. */
export async function findRelation<Name extends OrderRelation>(
  em: EntityManager,
  name: Name,
  orderIds: readonly string[],
): Promise<Map<string, OrderRelations[Name]>> {
  const rows = await em.execute<Record<string, unknown>[]>(
    `select id, ${relationColumns([name])} from purchase_order where id in (?)`,
    [orderIds],
  );
  return new Map(rows.map((row) => [String(row.id), readRelation(name, row[name])]));
}

function amountOf(text: string): MinorUnits {
  return minorUnits(BigInt(text));
}

function reversalOf(reversal: Json<ReversalView> | null): ReversalView | null {
  return reversal && { ...reversal, createdAt: new Date(reversal.createdAt) };
}

function bookingOf<T extends { readonly amountMinor: string; readonly createdAt: string }>(booking: T) {
  return { ...booking, amountMinor: amountOf(booking.amountMinor), createdAt: new Date(booking.createdAt) };
}

function invoiceOf(invoice: Json<InvoiceView>): InvoiceView {
  return {
    ...invoice,
    totalMinor: amountOf(invoice.totalMinor),
    balanceMinor: amountOf(invoice.balanceMinor),
    customerCreditMinor: amountOf(invoice.customerCreditMinor),
    refundedMinor: amountOf(invoice.refundedMinor),
    processingMinor: amountOf(invoice.processingMinor),
    lastSyncedAt: invoice.lastSyncedAt && new Date(invoice.lastSyncedAt),
    createdAt: new Date(invoice.createdAt),
    updatedAt: new Date(invoice.updatedAt),
  };
}
