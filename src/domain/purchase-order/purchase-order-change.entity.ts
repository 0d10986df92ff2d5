import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/**
 * That a transaction changed what is seen of a purchase order; one row, however much it changed. Triggers write it, and
 * tell who listens. It says nothing of the change: who is told of it reads the purchase order.
 */
@Entity({ tableName: 'purchase_order_change' })
@Index({ properties: ['conferenceId', 'xid'] })
export class PurchaseOrderChange {
  @PrimaryKey({ type: 'text' })
  purchaseOrderId!: string;

  /** The transaction. Its number is no order of commits: what is new is told by comparing snapshots. */
  @PrimaryKey({ type: 'string', columnType: 'xid8' })
  xid!: string;

  @Property({ type: 'text' })
  conferenceId!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  changedAt!: Date;
}

/** The body of a trigger that notes a change of the purchase order with this id, which is an SQL expression. */
export function noteChangeOf(purchaseOrderId: string): string {
  return `perform note_purchase_order_change(${purchaseOrderId}); return null;`;
}
