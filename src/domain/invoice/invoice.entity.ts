import type { Opt, Ref } from '@mikro-orm/core';
import { Check, Entity, Enum, ManyToOne, PrimaryKey, Property, Trigger, Unique } from '@mikro-orm/decorators/legacy';
import type { CurrencyCode } from '../currency.js';
import { type MinorUnits, ZERO } from '../money.js';
import { PurchaseOrder } from '../purchase-order/purchase-order.entity.js';
import { noteChangeOf } from '../purchase-order/purchase-order-change.entity.js';
import { QboConnection } from '../quickbooks/qbo-connection.entity.js';
import { StripeConnection } from '../stripe/stripe-connection.entity.js';
import { EmailStatus, InvoiceProvider, InvoiceStatus } from './invoice.status.js';

/**
 * The invoice of a purchase order at a provider. The row is claimed before the provider is called; it disappears again
 * only when the provider certainly made no invoice. A partial unique index keeps one live invoice per purchase order.
 */
@Entity({ tableName: 'invoice' })
@Unique({
  name: 'invoice_one_live_per_purchase_order',
  expression: `create unique index "invoice_one_live_per_purchase_order" on "invoice" ("purchase_order_id") where status not in ('VOIDED', 'DELETED')`,
})
@Unique({ properties: ['provider', 'companyId', 'externalId'] })
@Check({
  name: 'invoice_connection_check',
  expression: "case provider when 'QBO' then stripe_connection_id is null else qbo_connection_id is null end",
})
@Check({
  name: 'invoice_amounts_given_back_valid',
  expression: 'refunded_minor >= 0 and processing_minor >= 0',
})
@Check({
  name: 'invoice_external_id_check',
  expression: "external_id is not null or status in ('CREATING', 'UNKNOWN')",
})
@Trigger({
  name: 'invoice_change_is_noted',
  timing: 'after',
  events: ['insert', 'update', 'delete'],
  body: noteChangeOf('coalesce(new.purchase_order_id, old.purchase_order_id)'),
})
@Trigger({
  name: 'invoice_makes_invoiced',
  timing: 'after',
  events: ['insert', 'update', 'delete'],
  body: `update purchase_order set is_invoiced = not is_invoiced
      where id = coalesce(new.purchase_order_id, old.purchase_order_id) and is_invoiced <> exists (
        select from invoice where purchase_order_id = purchase_order.id and invoice.status not in ('VOIDED', 'DELETED'));
    return null;`,
})
export class Invoice {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => PurchaseOrder, { ref: true, deleteRule: 'restrict', index: true })
  purchaseOrder!: Ref<PurchaseOrder>;

  @Enum({ items: () => InvoiceProvider, columnType: 'text' })
  provider!: InvoiceProvider;

  @ManyToOne(() => QboConnection, { ref: true, nullable: true, deleteRule: 'restrict', index: true })
  qboConnection: Ref<QboConnection> | null = null;

  @ManyToOne(() => StripeConnection, { ref: true, nullable: true, deleteRule: 'restrict', index: true })
  stripeConnection: Ref<StripeConnection> | null = null;

  /** The provider's company (QuickBooks: environment and realm id; Stripe: mode and account id), within which external ids are unique. */
  @Property({ type: 'text' })
  companyId!: string;

  @Enum({ items: () => InvoiceStatus, columnType: 'text' })
  status!: InvoiceStatus;

  /** The provider's id, once known. */
  @Property({ type: 'text', nullable: true })
  externalId: string | null = null;

  /** The number printed on it. */
  @Property({ type: 'text', nullable: true })
  number: string | null = null;

  /** The bookkeeper's page. */
  @Property({ type: 'text', nullable: true })
  url: string | null = null;

  /** The buyer's payment page, when the company has online payments. */
  @Property({ type: 'text', nullable: true })
  payUrl: string | null = null;

  @Property({ type: 'text', length: 3 })
  currencyCode!: CurrencyCode;

  @Property({ type: 'bigint' })
  totalMinor!: MinorUnits;

  @Property({ type: 'bigint' })
  balanceMinor!: MinorUnits;

  /** Of the total, what the customer's balance at the provider covered when it was made; negative: a debt that it asks for, too. */
  @Property({ type: 'bigint' })
  customerCreditMinor: Opt<MinorUnits> = ZERO;

  /**
   * What was taken off the balance beyond the bookings, as of the latest recorded reading, which looked at every payment.
   * Whoever finds the same difference again need not look again.
   */
  @Property({ type: 'bigint' })
  unexplainedMinor: Opt<MinorUnits> = ZERO;

  /** Of the money that was received: given back since. The provider does not ask for it again. */
  @Property({ type: 'bigint' })
  refundedMinor: Opt<MinorUnits> = ZERO;

  /** Money on its way: a bank debit that the buyer began and that takes days. */
  @Property({ type: 'bigint' })
  processingMinor: Opt<MinorUnits> = ZERO;

  /** The buyer's bank disputes a payment, and that is not decided yet. */
  @Property({ type: 'boolean' })
  isDisputed: Opt<boolean> = false;

  /** False when the provider's lines, total or currency are not those of the purchase order. */
  @Property({ type: 'boolean' })
  matchesPurchaseOrder: Opt<boolean> = true;

  /** QuickBooks' version counter of the object, as last seen. */
  @Property({ type: 'text', nullable: true })
  syncToken: string | null = null;

  @Enum({ items: () => EmailStatus, columnType: 'text' })
  emailStatus: Opt<EmailStatus> = EmailStatus.NOT_SENT;

  /** The number of the latest recorded reading, taken before the provider was asked: what was so then, it saw. */
  @Property({ type: 'bigint' })
  readingBegun: Opt<bigint> = 0n;

  /** A number of the same sequence, taken when it was recorded: readings that began before may be older. */
  @Property({ type: 'bigint' })
  readingRecorded: Opt<bigint> = 0n;

  /** By the provider's clock: what happened there before, the latest recorded reading saw. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  providerReadAt: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  lastSyncedAt: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;
}
