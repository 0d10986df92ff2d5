import { Collection, type Ref } from '@mikro-orm/core';
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
import type { MinorUnits } from '../money.js';
import { LineItem } from './line-item.entity.js';
import { PurchaseOrderStatus } from './purchase-order.status.js';
import { noteChangeOf } from './purchase-order-change.entity.js';

/**
 * What an organisation ordered. Paid, credited and due amounts are not stored: they follow from its payments,
 * reversals and credit notes. `status` is stored for filtering and always recomputed under the row's lock.
 */
@Entity({ tableName: 'purchase_order' })
@Index({ properties: ['conference', 'createdAt', 'id'] })
@Index({ properties: ['createdAt', 'id'] })
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
