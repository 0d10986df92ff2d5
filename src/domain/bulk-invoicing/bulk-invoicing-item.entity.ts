import type { Opt, Ref } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Enum,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Trigger,
  Unique,
} from '@mikro-orm/decorators/legacy';
import { Invoice } from '../invoice/invoice.entity.js';
import { PurchaseOrder } from '../purchase-order/purchase-order.entity.js';
import { BulkInvoicing } from './bulk-invoicing.entity.js';

export enum BulkInvoicingItemState {
  PENDING = 'PENDING',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
}

/** One purchase order of a bulk, and what came of it. */
@Entity({ tableName: 'bulk_invoicing_item' })
@Unique({ properties: ['bulkInvoicing', 'position'] })
@Unique({ properties: ['bulkInvoicing', 'purchaseOrder'] })
@Index({
  name: 'bulk_invoicing_item_pending',
  expression: `create index "bulk_invoicing_item_pending" on "bulk_invoicing_item" ("purchase_order_id") where state = 'PENDING'`,
})
@Check({ name: 'bulk_invoicing_item_position_valid', expression: 'position >= 1 and position <= 200' })
@Check({
  name: 'bulk_invoicing_item_error_valid',
  expression:
    "case state when 'FAILED' then error_code is not null and error_message is not null when 'SUCCEEDED' then error_code is null and invoice_id is not null else true end",
})
@Trigger({
  name: 'bulk_invoicing_item_is_told',
  timing: 'after',
  events: ['update'],
  // PostgreSQL tells it once a transaction, however many items change in it.
  body: `perform pg_notify('change', new.bulk_invoicing_id); return null;`,
})
export class BulkInvoicingItem {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => BulkInvoicing, { ref: true, deleteRule: 'restrict' })
  bulkInvoicing!: Ref<BulkInvoicing>;

  @ManyToOne(() => PurchaseOrder, { ref: true, deleteRule: 'restrict' })
  purchaseOrder!: Ref<PurchaseOrder>;

  /** In the order in which they were asked for, from 1. */
  @Property({ type: 'integer' })
  position!: number;

  @Enum({ items: () => BulkInvoicingItemState, columnType: 'text' })
  state!: BulkInvoicingItemState;

  /** What was claimed for it, so that it is known for its own; it goes with the claim. */
  @ManyToOne(() => Invoice, { ref: true, nullable: true, deleteRule: 'set null', index: true })
  invoice: Ref<Invoice> | null = null;

  /** How often it was put off; its next turn comes the later. */
  @Property({ type: 'integer' })
  attempts: Opt<number> = 0;

  /** It is not worked on before. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  resumeAt: Date | null = null;

  /** Why it failed or, while it is pending, why it was put off. */
  @Property({ type: 'text', nullable: true })
  errorCode: string | null = null;

  @Property({ type: 'text', nullable: true })
  errorMessage: string | null = null;

  /** What QuickBooks said, see `QboFailure`. */
  @Property({ type: 'text', nullable: true })
  faultCode: string | null = null;

  @Property({ type: 'text', nullable: true })
  intuitTid: string | null = null;
}
