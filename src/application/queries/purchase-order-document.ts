import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { calendarDay } from '../../domain/clock.js';
import type { CurrencyCode } from '../../domain/currency.js';
import { type InvoiceProvider, InvoiceStatus, isBeingMade, isEnded } from '../../domain/invoice/invoice.status.js';
import { type MinorUnits, minorUnits, sum } from '../../domain/money.js';
import { PaymentMethod } from '../../domain/purchase-order/payment.entity.js';
import { balanceDue, PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { visiblePurchaseOrders } from '../access/permissions.js';
import type { Actor } from '../context.js';
import { whereClause } from './keyset.js';

/**
 * What is printed of a purchase order: everything a buyer may know, nothing internal. Days are `YYYY-MM-DD` in the
 * conference's time zone.
 */
export interface PurchaseOrderDocument {
  readonly conference: {
    readonly name: string;
    readonly startDate: string | null;
    readonly endDate: string | null;
    readonly letterhead: string;
  };
  readonly reference: string;
  readonly status: PurchaseOrderStatus;
  readonly organizationName: string;
  readonly contactName: string;
  readonly contactEmail: string;
  readonly billingAddress: string;
  readonly buyerReference: string;
  readonly currencyCode: CurrencyCode;
  readonly orderedOn: string;
  readonly issuedOn: string | null;
  readonly dueDate: string | null;
  /** The day whose state of affairs it tells. */
  readonly statedOn: string;
  readonly lines: readonly DocumentLine[];
  /** Oldest first. */
  readonly payments: readonly DocumentPayment[];
  /** Oldest first. */
  readonly credits: readonly DocumentCredit[];
  /** The live one, else the latest. */
  readonly invoice: DocumentInvoice | null;
  readonly totalMinor: MinorUnits;
  readonly creditedMinor: MinorUnits;
  readonly paidMinor: MinorUnits;
  readonly balanceMinor: MinorUnits;
}

export interface DocumentLine {
  readonly description: string;
  readonly quantity: number;
  readonly unitPriceMinor: MinorUnits;
  readonly lineTotalMinor: MinorUnits;
}

export interface DocumentPayment {
  readonly paidOn: string;
  readonly method: PaymentMethod;
  readonly reference: string;
  readonly amountMinor: MinorUnits;
  readonly reversedOn: string | null;
}

export interface DocumentCredit {
  readonly issuedOn: string;
  readonly reason: string;
  readonly amountMinor: MinorUnits;
  readonly reversedOn: string | null;
}

export interface DocumentInvoice {
  readonly provider: `${InvoiceProvider}`;
  readonly number: string;
  readonly isVoid: boolean;
  /** Only while there is something to pay. */
  readonly payUrl: string | null;
}

/** The document of the purchase order with this id, as of `now`; undefined when there is none, or the actor may not see it. */
export async function findPurchaseOrderDocument(
  em: EntityManager,
  { actor, id, now }: { readonly actor: Actor; readonly id: string; readonly now: Date },
): Promise<PurchaseOrderDocument | undefined> {
  const { sql, params } = whereClause([{ sql: 'po.id = ?', params: [id] }, visiblePurchaseOrders(actor, 'po')]);
  const [found] = await em.execute(`${SELECT_DOCUMENT} ${sql}`, [...params]);
  return found && toDocument(rowSchema.parse(found), now);
}

/**
 * One statement, hence one moment: the sums fit the rows above them. Amounts come as text, because a JSON number would
 * lose digits.
 */
const SELECT_DOCUMENT = `
  select po.reference, po.status, po.organization_name, po.contact_name, po.contact_email,
    po.billing_address, po.buyer_reference, po.currency_code, po.due_date::text, po.total_minor::text,
    po.created_at, po.sent_at,
    jsonb_build_object('name', conference.name, 'startDate', conference.start_date, 'endDate', conference.end_date,
      'letterhead', conference.letterhead) as conference, conference.timezone,
    (select jsonb_agg(jsonb_build_object('description', description, 'quantity', quantity,
        'unitPriceMinor', unit_price_minor::text, 'lineTotalMinor', line_total_minor::text) order by position)
      from line_item where purchase_order_id = po.id) as lines,
    (select jsonb_agg(jsonb_build_object('paidOn', paid_on, 'method', method, 'reference', reference,
        'amountMinor', amount_minor::text, 'reversedAt', reversal.created_at) order by paid_on, payment.id)
      from payment left join payment_reversal reversal on payment_id = payment.id
      where purchase_order_id = po.id) as payments,
    (select jsonb_agg(jsonb_build_object('issuedAt', note.created_at, 'reason', note.reason,
        'amountMinor', amount_minor::text, 'reversedAt', reversal.created_at) order by note.created_at, note.id)
      from credit_note note left join credit_note_reversal reversal on credit_note_id = note.id
      where purchase_order_id = po.id) as credits,
    (select jsonb_build_object('provider', provider, 'status', invoice.status, 'number', number,
        'externalId', external_id, 'payUrl', pay_url)
      from invoice where purchase_order_id = po.id
      order by invoice.status in ('VOIDED', 'DELETED'), invoice.created_at desc, invoice.id desc limit 1) as invoice
  from purchase_order po join conference on conference.id = po.conference_id`;

const minor = z.string().transform((text) => minorUnits(BigInt(text)));
const moment = z.coerce.date();
/** `jsonb_agg` of no rows is null. */
const rows = <T extends z.ZodType>(row: T) =>
  z
    .array(row)
    .nullable()
    .transform((found) => found ?? []);

const rowSchema = z.object({
  reference: z.string(),
  status: z.enum(PurchaseOrderStatus),
  organization_name: z.string(),
  contact_name: z.string(),
  contact_email: z.string(),
  billing_address: z.string(),
  buyer_reference: z.string(),
  currency_code: z.string().transform((code) => code as CurrencyCode),
  due_date: z.string().nullable(),
  total_minor: minor,
  created_at: moment,
  sent_at: moment.nullable(),
  conference: z.object({
    name: z.string(),
    startDate: z.string().nullable(),
    endDate: z.string().nullable(),
    letterhead: z.string(),
  }),
  timezone: z.string(),
  lines: rows(
    z.object({ description: z.string(), quantity: z.number(), unitPriceMinor: minor, lineTotalMinor: minor }),
  ),
  payments: rows(
    z.object({
      paidOn: z.string(),
      method: z.enum(PaymentMethod),
      reference: z.string(),
      amountMinor: minor,
      reversedAt: moment.nullable(),
    }),
  ),
  credits: rows(z.object({ issuedAt: moment, reason: z.string(), amountMinor: minor, reversedAt: moment.nullable() })),
  invoice: z
    .object({
      provider: z.enum(['QBO', 'STRIPE']),
      status: z.enum(InvoiceStatus),
      number: z.string().nullable(),
      externalId: z.string().nullable(),
      payUrl: z.string().nullable(),
    })
    .nullable(),
});

type Row = z.output<typeof rowSchema>;

function toDocument(row: Row, now: Date): PurchaseOrderDocument {
  const dayOf = (instant: Date) => calendarDay(instant, row.timezone);
  const paidMinor = standing(row.payments);
  const creditedMinor = standing(row.credits);
  return {
    conference: row.conference,
    reference: row.reference,
    status: row.status,
    organizationName: row.organization_name,
    contactName: row.contact_name,
    contactEmail: row.contact_email,
    billingAddress: row.billing_address,
    buyerReference: row.buyer_reference,
    currencyCode: row.currency_code,
    orderedOn: dayOf(row.created_at),
    issuedOn: row.sent_at && dayOf(row.sent_at),
    dueDate: row.due_date,
    statedOn: dayOf(now),
    lines: row.lines,
    payments: row.payments.map(({ reversedAt, ...payment }) => ({
      ...payment,
      reversedOn: reversedAt && dayOf(reversedAt),
    })),
    credits: row.credits.map(({ issuedAt, reversedAt, ...credit }) => ({
      ...credit,
      issuedOn: dayOf(issuedAt),
      reversedOn: reversedAt && dayOf(reversedAt),
    })),
    invoice: toInvoice(row.invoice),
    totalMinor: row.total_minor,
    paidMinor,
    creditedMinor,
    balanceMinor: balanceDue(row.total_minor, { paid: paidMinor, credited: creditedMinor }),
  };
}

function standing(entries: readonly { readonly amountMinor: MinorUnits; readonly reversedAt: Date | null }[]) {
  return sum(entries.filter(({ reversedAt }) => reversedAt === null).map(({ amountMinor }) => amountMinor));
}

/** An invoice that is still being made has no number that would last. */
function toInvoice(invoice: Row['invoice']): DocumentInvoice | null {
  const number = invoice?.number ?? invoice?.externalId;
  if (!invoice || !number || isBeingMade(invoice.status)) return null;
  const { provider, status, payUrl } = invoice;
  const isPayable = status === InvoiceStatus.OPEN || status === InvoiceStatus.PARTIALLY_PAID;
  return { provider, number, isVoid: isEnded(status), payUrl: isPayable ? payUrl : null };
}
