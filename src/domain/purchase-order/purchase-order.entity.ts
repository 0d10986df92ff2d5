import { Collection, type Opt, type Ref } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Enum,
  Index,
  ManyToOne,
  OneToMany,
  PrimaryKey,
  Property,
  Trigger,
} from '@mikro-orm/decorators/legacy';
import { Conference } from '../conference/conference.entity.js';
import type { CurrencyCode } from '../currency.js';
import { type MinorUnits, ZERO } from '../money.js';
import { LineItem } from './line-item.entity.js';
import { PurchaseOrderStatus } from './purchase-order.status.js';
import { noteChangeOf } from './purchase-order-change.entity.js';

/** What a search looks at. The index of it and the conditions that use it must be the same text. */
export const SEARCHED_TEXT =
  '(reference || chr(10) || organization_name || chr(10) || buyer_reference || chr(10) || contact_email)';

/** Orders without a due date are due last. Also a text that index and conditions share. */
export const DUE_DATE_OR_NEVER = "coalesce(due_date, 'infinity'::date)";

/**
 * References in the order of a conference's list. Not the column itself: PostgreSQL would walk the unique index of it,
 * which knows no conference, through the references of all of them. They have no lower case, so the order is the same.
 */
export const REFERENCE_WITHIN = 'lower(reference)';

/**
 * What an organisation ordered. `status` is stored for filtering and always recomputed under the row's lock. The sums of
 * its payments and credits are stored for reading; triggers of those append-only tables keep them, and decisions add up
 * the rows themselves (ADR 0028). The indexes are the orderings and filters of its lists, always within a conference.
 */
@Entity({ tableName: 'purchase_order' })
@Index({ properties: ['conference', 'createdAt', 'id'] })
@Index({ properties: ['conference', 'updatedAt', 'id'] })
@Index({
  name: 'purchase_order_conference_id_reference_id_index',
  expression: `create index "purchase_order_conference_id_reference_id_index" on "purchase_order" ("conference_id", ${REFERENCE_WITHIN}, "id")`,
})
@Index({ properties: ['conference', 'status', 'createdAt', 'id'] })
@Index({ properties: ['conference', 'isInvoiced', 'createdAt', 'id'] })
@Index({ properties: ['conference', 'currencyCode', 'totalMinor', 'id'] })
@Index({ properties: ['conference', 'currencyCode', 'balanceMinor', 'id'] })
@Index({
  name: 'purchase_order_conference_id_due_date_id_index',
  expression: `create index "purchase_order_conference_id_due_date_id_index" on "purchase_order" ("conference_id", ${DUE_DATE_OR_NEVER}, "id")`,
})
@Index({
  name: 'purchase_order_conference_id_organization_name_id_index',
  expression: `create index "purchase_order_conference_id_organization_name_id_index" on "purchase_order" ("conference_id", lower(organization_name), "id")`,
})
@Index({
  name: 'purchase_order_conference_id_buyer_reference_index',
  expression: `create index "purchase_order_conference_id_buyer_reference_index" on "purchase_order" ("conference_id", lower(buyer_reference)) where buyer_reference <> ''`,
})
@Index({
  name: 'purchase_order_search_index',
  expression: `create index "purchase_order_search_index" on "purchase_order" using gin (${SEARCHED_TEXT} gin_trgm_ops)`,
})
@Check({ name: 'purchase_order_total_minor_valid', expression: 'total_minor >= 0 and total_minor <= 999999999999999' })
@Check({ name: 'purchase_order_reference_valid', expression: "reference ~ '^PO-[A-Z0-9]{6}$'" })
@Check({
  name: 'purchase_order_organization_name_valid',
  expression: "organization_name <> '' and length(organization_name) <= 300",
})
@Check({
  name: 'purchase_order_contact_email_valid',
  expression: "contact_email ~ '^[^@]+@[^@]+$' and length(contact_email) <= 100",
})
@Check({ name: 'purchase_order_currency_code_valid', expression: "currency_code ~ '^[A-Z]{3}$'" })
@Check({ name: 'purchase_order_status_valid', expression: "(status = 'CANCELLED') = (cancelled_at is not null)" })
@Trigger({
  name: 'purchase_order_currency_is_fixed',
  timing: 'before',
  events: ['update'],
  body: `if new.currency_code <> old.currency_code
    then raise exception 'the currency of a purchase order never changes' using errcode = 'restrict_violation';
    end if;
    return new;`,
})
@Trigger({
  name: 'purchase_order_change_is_noted',
  timing: 'after',
  events: ['insert', 'update'],
  body: noteChangeOf('new.id'),
})
export class PurchaseOrder {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => Conference, { ref: true, deleteRule: 'restrict' })
  conference!: Ref<Conference>;

  /** `PO-` and six of A-Z0-9; what people call the purchase order. */
  @Property({ type: 'text', unique: true })
  reference!: string;

  @Enum({ items: () => PurchaseOrderStatus, columnType: 'text' })
  status!: PurchaseOrderStatus;

  @Property({ type: 'text' })
  organizationName!: string;

  @Property({ type: 'text' })
  contactEmail!: string;

  @Property({ type: 'text' })
  contactName!: string;

  /** Free text of several lines. */
  @Property({ type: 'text' })
  billingAddress!: string;

  /** Internal; never shown to the buyer. */
  @Property({ type: 'text' })
  notes!: string;

  /** The buyer's own purchase order number. */
  @Property({ type: 'text' })
  buyerReference!: string;

  /** Fixed at creation; every amount of this purchase order is in it. */
  @Property({ type: 'text', length: 3 })
  currencyCode!: CurrencyCode;

  /** Calendar day, `YYYY-MM-DD`. */
  @Property({ type: 'string', columnType: 'date', nullable: true })
  dueDate: string | null = null;

  /** Sum of the line totals. There is no tax or discount, so it is the subtotal too. */
  @Property({ type: 'bigint' })
  totalMinor!: MinorUnits;

  /** Sum of the payments that were not reversed. Written by triggers only; an entity in memory may have an older one. */
  @Property({ type: 'bigint' })
  readonly paidMinor: Opt<MinorUnits> = ZERO;

  /** Sum of the credit notes that were not reversed, likewise. */
  @Property({ type: 'bigint' })
  readonly creditedMinor: Opt<MinorUnits> = ZERO;

  /** What is due: negative when too much was paid. */
  @Property({ type: 'bigint', generated: '(total_minor - paid_minor - credited_minor) stored' })
  readonly balanceMinor!: Opt<MinorUnits>;

  /** Whether it has a live invoice. Also written by a trigger only, for lists to filter by; who invoices asks the rows. */
  @Property({ type: 'boolean' })
  readonly isInvoiced: Opt<boolean> = false;

  /** When it first left draft by being sent or invoiced. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  sentAt: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  cancelledAt: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;

  @OneToMany(
    () => LineItem,
    (line) => line.purchaseOrder,
    { orderBy: { position: 'asc' } },
  )
  lineItems = new Collection<LineItem>(this);
}
